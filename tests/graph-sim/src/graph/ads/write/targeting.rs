//! Meta's rules for the audience of an ad set.

use serde_json::{Map, Value};

use super::rules;
use super::site::text;
use crate::graph::rejection::Refused;

type Spec = Map<String, Value>;

/// Lists of places in `geo_locations`.
const PLACES: &[&str] = &[
    "countries",
    "country_groups",
    "regions",
    "cities",
    "zips",
    "geo_markets",
    "custom_locations",
    "places",
    "electoral_districts",
    "large_geo_areas",
    "medium_geo_areas",
    "small_geo_areas",
    "metro_areas",
    "neighborhoods",
    "subcities",
    "subneighborhoods",
];
/// Where the Digital Services Act applies.
const EU: &[&str] = &[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];
/// Groups of countries that contain some of the EU.
const EU_GROUPS: &[&str] = &["worldwide", "europe", "eea", "eu", "euro_area", "itunes_app_store"];
/// Smaller radii are not allowed in special categories, in kilometres.
const LEAST_RADIUS_KM: f64 = 24.0;

/// The ages that an audience without limits has.
const AGES: (i64, i64) = (18, 65);

/// Checks an audience. `special` is that of an employment, housing or finance campaign.
///
/// # Errors
/// Rejects an audience without a place, with invalid countries or ages, without a decision on the Advantage audience,
/// with placements that are not sold alone, or too narrow for its category.
pub(super) fn check(spec: &Spec, special: bool) -> Result<(), Refused> {
    check_places(spec)?;
    let (least, most) = check_ages(spec)?;
    check_advantage(spec, least, most)?;
    check_placements(spec)?;
    if special { check_special(spec, least, most) } else { Ok(()) }
}

pub(super) fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn list<'a>(spec: &'a Spec, name: &str) -> &'a [Value] {
    spec.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn places(spec: &Spec) -> Option<&Spec> {
    spec.get("geo_locations").and_then(Value::as_object)
}

fn check_places(spec: &Spec) -> Result<(), Refused> {
    let geo = places(spec).filter(|geo| PLACES.iter().any(|name| !list(geo, name).is_empty()));
    let geo = geo.ok_or_else(|| rules::LOCATION_MISSING.broken_by("targeting.geo_locations"))?;
    match list(geo, "countries").iter().find(|country| !country.as_str().is_some_and(is_country)) {
        Some(wrong) => Err(rules::COUNTRY_INVALID.broken(&["targeting.geo_locations.countries"], &text(wrong))),
        None => Ok(()),
    }
}

fn check_ages(spec: &Spec) -> Result<(i64, i64), Refused> {
    let age = |name: &str, usual: i64| match spec.get(name) {
        None => Ok(usual),
        Some(value) => {
            let age = text(value).parse().ok().filter(|age| (13..=65).contains(age));
            age.ok_or_else(|| rules::AGE_INVALID.broken(&[&format!("targeting.{name}")], ""))
        }
    };
    let ages: (i64, i64) = (age("age_min", AGES.0)?, age("age_max", AGES.1)?);
    if ages.0 <= ages.1 {
        Ok(ages)
    } else {
        Err(rules::AGE_INVALID.broken(&["targeting.age_min", "targeting.age_max"], ""))
    }
}

fn check_advantage(spec: &Spec, least: i64, most: i64) -> Result<(), Refused> {
    let flag = spec.get("targeting_automation").and_then(|automation| automation.get("advantage_audience"));
    match flag.map(text).as_deref() {
        Some("0" | "false") => Ok(()),
        Some("1" | "true") if least > 25 => Err(rules::ADVANTAGE_AGE_MIN.broken_by("targeting.age_min")),
        Some("1" | "true") if most < 65 => Err(rules::ADVANTAGE_AGE_MAX.broken_by("targeting.age_max")),
        Some("1" | "true") => Ok(()),
        _ => Err(rules::ADVANTAGE_UNDECIDED.broken_by("targeting.targeting_automation.advantage_audience")),
    }
}

/// Audience Network and Messenger are not sold without Facebook.
fn check_placements(spec: &Spec) -> Result<(), Refused> {
    let platforms: Vec<&str> = list(spec, "publisher_platforms").iter().filter_map(Value::as_str).collect();
    let alone = platforms.iter().all(|platform| matches!(*platform, "audience_network" | "messenger"));
    match platforms.first() {
        Some(first) if alone => Err(rules::PLACEMENT_ALONE.broken(&["targeting.publisher_platforms"], first)),
        _ => Ok(()),
    }
}

fn check_special(spec: &Spec, least: i64, most: i64) -> Result<(), Refused> {
    let geo = places(spec);
    let has = |name: &str| geo.is_some_and(|geo| !list(geo, name).is_empty());
    let small = |name: &str| geo.is_some_and(|geo| list(geo, name).iter().any(is_small));
    let lookalike = |audience: &Value| audience.get("subtype").is_some_and(|subtype| subtype == "LOOKALIKE");
    let genders = list(spec, "genders").len();
    let blame = if least != AGES.0 {
        "targeting.age_min"
    } else if most != AGES.1 {
        "targeting.age_max"
    } else if genders == 1 {
        "targeting.genders"
    } else if has("zips") {
        "targeting.geo_locations.zips"
    } else if small("cities") {
        "targeting.geo_locations.cities"
    } else if small("custom_locations") {
        "targeting.geo_locations.custom_locations"
    } else if list(spec, "custom_audiences").iter().any(lookalike) {
        "targeting.custom_audiences"
    } else {
        return Ok(());
    };
    Err(rules::CATEGORY_AUDIENCE.broken_by(blame))
}

fn is_small(place: &Value) -> bool {
    let radius = place.get("radius").and_then(|radius| text(radius).parse::<f64>().ok()).unwrap_or_default();
    let kilometre = place.get("distance_unit").is_some_and(|unit| unit == "kilometer");
    radius * if kilometre { 1.0 } else { 1.609 } < LEAST_RADIUS_KM
}

/// Returns whether the audience is partly in the EU.
pub(super) fn reaches_eu(spec: &Spec) -> bool {
    let Some(geo) = places(spec) else { return false };
    let is_eu = |country: &Value| country.as_str().is_some_and(|code| EU.contains(&code));
    let group = |name: &Value| name.as_str().is_some_and(|name| EU_GROUPS.contains(&name));
    list(geo, "countries").iter().any(is_eu)
        || list(geo, "country_groups").iter().any(group)
        || PLACES.iter().flat_map(|name| list(geo, name)).any(|place| place.get("country").is_some_and(is_eu))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Spec, check, reaches_eu};
    use crate::graph::rejection::Refused;

    fn spec(more: Value) -> Spec {
        let base = json!({"geo_locations": {"countries": ["US"]}, "targeting_automation": {"advantage_audience": 0}});
        let mut spec = base.as_object().unwrap().clone();
        spec.extend(more.as_object().unwrap().clone());
        spec
    }

    fn blamed(more: Value, special: bool) -> Option<(Option<i64>, String)> {
        match check(&spec(more), special) {
            Ok(()) => None,
            Err(Refused::Broken { rule, blame, .. }) => Some((rule.subcode, blame[0].join("."))),
            Err(Refused::Graph(error)) => Some((error.subcode, error.message.clone())),
        }
    }

    #[test]
    fn an_audience_has_a_place_an_age_and_a_decision() {
        let place = Some((None, "targeting.geo_locations".to_owned()));
        assert_eq!(blamed(json!({}), false), None);
        assert_eq!(blamed(json!({"geo_locations": {}}), false), place);
        assert_eq!(blamed(json!({"geo_locations": {"countries": []}}), false), place);
        assert_eq!(
            blamed(json!({"geo_locations": {"countries": ["Germany"]}}), false).unwrap().1,
            "targeting.geo_locations.countries"
        );
        assert_eq!(blamed(json!({"age_min": 12}), false).unwrap().1, "targeting.age_min");
        assert_eq!(blamed(json!({"age_min": "40", "age_max": 30}), false).unwrap().1, "targeting.age_min");
        let flag = "targeting.targeting_automation.advantage_audience".to_owned();
        assert_eq!(blamed(json!({"targeting_automation": {}}), false), Some((Some(1_870_227), flag)));
        let advantage = |min: i64, max: i64| {
            let automation = json!({"advantage_audience": 1});
            blamed(json!({"age_min": min, "age_max": max, "targeting_automation": automation}), false)
        };
        assert_eq!(advantage(25, 65), None);
        assert_eq!(advantage(26, 65), Some((Some(1_870_188), "targeting.age_min".to_owned())));
        assert_eq!(advantage(18, 64), Some((Some(1_870_189), "targeting.age_max".to_owned())));
        assert_eq!(
            blamed(json!({"publisher_platforms": ["audience_network"]}), false).unwrap().1,
            "targeting.publisher_platforms"
        );
    }

    #[test]
    fn special_categories_reach_everyone() {
        for (narrow, path) in [
            (json!({"age_min": 21}), "targeting.age_min"),
            (json!({"age_max": 60}), "targeting.age_max"),
            (json!({"genders": [2]}), "targeting.genders"),
            (json!({"geo_locations": {"zips": [{"key": "US:94304"}]}}), "targeting.geo_locations.zips"),
            (
                json!({"geo_locations": {"cities": [{"key": "1", "radius": 10, "distance_unit": "mile"}]}}),
                "targeting.geo_locations.cities",
            ),
        ] {
            assert_eq!(blamed(narrow.clone(), true).unwrap().1, path);
            assert_eq!(blamed(narrow, false), None);
        }
        let wide = json!({"geo_locations": {"cities": [{"key": "1", "radius": 15, "distance_unit": "mile"}]}});
        assert_eq!(blamed(wide, true), None);
    }

    #[test]
    fn the_eu_is_found_in_every_kind_of_place() {
        let eu = |geo: Value| reaches_eu(&spec(json!({ "geo_locations": geo })));
        assert!(!eu(json!({"countries": ["US", "GB", "CH"]})));
        assert!(eu(json!({"countries": ["US", "NL"]})));
        assert!(eu(json!({"cities": [{"key": "777934", "country": "DE"}]})));
        assert!(eu(json!({"country_groups": ["worldwide"]})));
    }
}
