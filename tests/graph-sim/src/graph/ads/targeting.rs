//! The `targeting` field: nested, and of realistic size.

use serde_json::{Map, Value, json};

use crate::world::ads::dice::Dice;

const INTERESTS: &[(&str, &str)] = &[
    ("6003107902433", "Association football (Soccer)"),
    ("6003139266461", "Movies"),
    ("6003020834693", "Music"),
    ("6003384248805", "Fitness and wellness"),
    ("6003659420716", "Cooking"),
    ("6004037932409", "Entrepreneurship"),
];

pub(super) fn value(dice: &mut Dice) -> Value {
    let age_min = dice.between(18, 35);
    let mut spec = Map::new();
    spec.insert("age_min".to_owned(), json!(age_min));
    spec.insert("age_max".to_owned(), json!(dice.between(age_min + 10, 65)));
    if dice.percent(30) {
        spec.insert("genders".to_owned(), json!([dice.between(1, 2)]));
    }
    spec.insert("geo_locations".to_owned(), places(dice));
    let count = usize::try_from(dice.between(2, 6)).unwrap_or(2);
    let interests: Vec<Value> =
        INTERESTS.iter().take(count).map(|(id, name)| json!({"id": id, "name": name})).collect();
    spec.insert("flexible_spec".to_owned(), json!([{ "interests": interests }]));
    if dice.percent(40) {
        let audience = |number: i64| json!({"id": (23_850_000_000_000_000 + number).to_string(), "name": format!("Audience {number}")});
        let audiences: Vec<Value> = (0..dice.between(1, 3)).map(|_| audience(dice.below(1_000))).collect();
        spec.insert("custom_audiences".to_owned(), json!(audiences));
        spec.insert("excluded_custom_audiences".to_owned(), json!([audience(dice.below(1_000))]));
    }
    spec.insert("publisher_platforms".to_owned(), json!(["facebook", "instagram", "audience_network", "messenger"]));
    spec.insert("facebook_positions".to_owned(), json!(["feed", "facebook_reels", "story", "marketplace"]));
    spec.insert("instagram_positions".to_owned(), json!(["stream", "story", "reels", "explore"]));
    spec.insert("device_platforms".to_owned(), json!(["mobile", "desktop"]));
    spec.insert("brand_safety_content_filter_levels".to_owned(), json!(["FACEBOOK_STANDARD"]));
    spec.insert("targeting_automation".to_owned(), json!({"advantage_audience": dice.below(2)}));
    Value::Object(spec)
}

fn places(dice: &mut Dice) -> Value {
    if dice.percent(50) {
        return json!({"countries": ["DE", "AT", "CH"], "location_types": ["home", "recent"]});
    }
    let cities =
        [("2418779", "Chicago", "Illinois"), ("2490299", "New York", "New York"), ("777934", "Berlin", "Berlin")];
    let cities: Vec<Value> = cities
        .iter()
        .map(|(key, name, region)| {
            json!({"key": key, "name": name, "region": region, "country": if *key == "777934" { "DE" } else { "US" },
                   "radius": dice.between(10, 50), "distance_unit": "kilometer"})
        })
        .collect();
    json!({"cities": cities, "location_types": ["home", "recent"]})
}
