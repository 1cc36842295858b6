//! Parses rows of insights. Numbers come as text, and sometimes are not numbers.

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use crate::ids::AdObjectId;
use crate::model::ads::metrics::{MainMetrics, Metrics};

/// Larger values are rejected as garbage.
const MAX_NUMBER: u64 = 1_000_000_000_000_000;

/// The fields that are plain numbers.
pub(super) const NUMBERS: &str =
    "impressions,clicks,spend,reach,frequency,inline_link_clicks,outbound_clicks,unique_clicks";
/// The fields that count video plays, from a quarter of the video to all of it.
pub(super) const VIDEO: [&str; 4] = [
    "video_p25_watched_actions",
    "video_p50_watched_actions",
    "video_p75_watched_actions",
    "video_p100_watched_actions",
];

/// A daily row of an ad, with the ad's ids and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdRow {
    /// The ad's id and name.
    pub ad: (AdObjectId, String),
    /// Its ad set's id and name.
    pub adset: (AdObjectId, String),
    /// Its campaign's id and name.
    pub campaign: (AdObjectId, String),
    /// The day and its metrics. Conversions are not counted yet.
    pub day: DayRow,
}

/// One day's metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// The day in the account's time zone.
    pub day: Date,
    /// The metrics; conversions are not counted yet.
    pub metrics: Metrics,
}

pub(super) fn id(row: &Value, name: &str) -> Result<AdObjectId, String> {
    serde_json::from_value(row.get(name).cloned().unwrap_or_default()).map_err(|error| format!("{name}: {error}"))
}

pub(super) fn ad_row(row: &Value) -> Result<AdRow, String> {
    let name = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ad = id(row, "ad_id")?;
    let with_ad = |error: String| format!("ad {ad}: {error}");
    Ok(AdRow {
        adset: (id(row, "adset_id").map_err(with_ad)?, name("adset_name")),
        campaign: (id(row, "campaign_id").map_err(with_ad)?, name("campaign_name")),
        day: day_row(row).map_err(with_ad)?,
        ad: (ad.clone(), name("ad_name")),
    })
}

pub(super) fn day_row(row: &Value) -> Result<DayRow, String> {
    let day = |name: &str| row.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Date>().ok());
    let (Some(start), Some(stop)) = (day("date_start"), day("date_stop")) else {
        return Err("it names no day".to_owned());
    };
    if start != stop {
        return Err(format!("it is of {start} to {stop}, and not of a day"));
    }
    metrics(row).map(|metrics| DayRow { day: start, metrics }).map_err(|error| format!("{start}, {error}"))
}

fn metrics(row: &Value) -> Result<Metrics, String> {
    let integer = |name: &str| number(row, name)?.map(|number| integer(number, name)).transpose();
    let mut actions = std::collections::BTreeMap::new();
    for action in row.get("actions").and_then(Value::as_array).into_iter().flatten() {
        let kind = action.get("action_type").and_then(Value::as_str);
        if let (Some(kind), Some(value)) = (kind, number(action, "value")?) {
            actions.insert(kind.to_owned(), value);
        }
    }
    let mut video_views = [0; 4];
    for (views, name) in video_views.iter_mut().zip(VIDEO) {
        *views = total(row, name)?;
    }
    let main = MainMetrics {
        impressions: integer("impressions")?.unwrap_or_default(),
        clicks: integer("clicks")?.unwrap_or_default(),
        spend: number(row, "spend")?.unwrap_or_default(),
        conversions: 0,
        reach: integer("reach")?,
        inline_link_clicks: Some(integer("inline_link_clicks")?.unwrap_or_default()),
        outbound_clicks: Some(total(row, "outbound_clicks")?),
        unique_clicks: Some(integer("unique_clicks")?.unwrap_or_default()),
    };
    Ok(Metrics { main, frequency: number(row, "frequency")?, video_views, actions })
}

/// The total of a list of actions.
fn total(row: &Value, name: &str) -> Result<u64, String> {
    let mut total = 0;
    for action in row.get(name).and_then(Value::as_array).into_iter().flatten() {
        total += number(action, "value")?.map(|number| integer(number, name)).transpose()?.unwrap_or_default();
    }
    Ok(total)
}

/// Reads a number, written as text or as a number. `None` if it is absent or empty.
fn number(object: &Value, name: &str) -> Result<Option<Decimal>, String> {
    let text = match object.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(format!("{name} is not a number")),
    };
    let number = text.parse::<Decimal>().ok().filter(|number| number.abs() < Decimal::from(MAX_NUMBER));
    let number = number.ok_or_else(|| format!("{name} is {}", text.chars().take(40).collect::<String>()))?;
    Ok(Some(number.normalize()))
}

fn integer(number: Decimal, name: &str) -> Result<u64, String> {
    number.to_u64().filter(|_| number.is_integer()).ok_or_else(|| format!("{name} is {number}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(more: &Value) -> Value {
        let mut row = json!({"ad_id": "1", "adset_id": "2", "campaign_id": "3", "date_start": "2026-01-01", "date_stop": "2026-01-01"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    }

    #[test]
    fn what_is_left_out_is_nought_and_reach_unknown() {
        let metrics = ad_row(&row(&json!({"spend": "1.50", "impressions": "12", "clicks": null, "frequency": ""})))
            .unwrap()
            .day
            .metrics;
        let main = metrics.main;
        assert_eq!((main.impressions, main.clicks, main.spend.to_string().as_str()), (12, 0, "1.5"));
        assert_eq!((main.reach, metrics.frequency), (None, None));
    }

    #[test]
    fn actions_and_videos_are_read() {
        let metrics = ad_row(&row(&json!({
            "actions": [{"action_type": "lead", "value": "3", "7d_click": "2"}, {"action_type": "like"}, 7],
            "video_p50_watched_actions": [{"action_type": "video_view", "value": "40"}],
            "outbound_clicks": [{"action_type": "outbound_click", "value": "6"}, {"action_type": "other", "value": "1"}],
        })))
        .unwrap()
        .day
        .metrics;
        assert_eq!(metrics.actions.into_iter().collect::<Vec<_>>(), [("lead".to_owned(), Decimal::from(3))]);
        assert_eq!(metrics.video_views, [0, 40, 0, 0]);
        assert_eq!(metrics.main.outbound_clicks, Some(7));
    }

    #[test]
    fn what_is_no_number_sinks_its_row_and_says_which() {
        for (odd, message) in [
            (json!({"spend": "1e400"}), "ad 1: 2026-01-01, spend is 1e400"),
            (json!({"impressions": "-5"}), "ad 1: 2026-01-01, impressions is -5"),
            (json!({"clicks": "1.5"}), "ad 1: 2026-01-01, clicks is 1.5"),
            (json!({"impressions": "99999999999999999999"}), "ad 1: 2026-01-01, impressions is 99999999999999999999"),
            (json!({"reach": "NaN"}), "ad 1: 2026-01-01, reach is NaN"),
            (json!({"spend": {}}), "ad 1: 2026-01-01, spend is not a number"),
            (json!({"date_stop": "2026-01-02"}), "ad 1: it is of 2026-01-01 to 2026-01-02, and not of a day"),
            (json!({"date_start": "today"}), "ad 1: it names no day"),
            (json!({"actions": [{"action_type": "lead", "value": "x"}]}), "ad 1: 2026-01-01, value is x"),
        ] {
            assert_eq!(ad_row(&row(&odd)).unwrap_err(), message);
        }
        assert!(ad_row(&json!({"date_start": "2026-01-01"})).is_err());
        let refund = ad_row(&row(&json!({"spend": "-0.50"}))).unwrap();
        assert_eq!(refund.day.metrics.main.spend.to_string(), "-0.5", "money can be given back");
        let plain = ad_row(&row(&json!({"impressions": 12, "spend": 0.5}))).unwrap();
        assert_eq!(
            (plain.day.metrics.main.impressions, plain.day.metrics.main.spend.to_string().as_str()),
            (12, "0.5")
        );
    }

    proptest::proptest! {
        #[test]
        fn any_row_is_read_or_told(row in corpus::mutated(corpus::insights())) {
            for told in [ad_row(&row).err(), day_row(&row).err()].into_iter().flatten() {
                proptest::prop_assert!(!told.is_empty());
            }
        }
    }
}
