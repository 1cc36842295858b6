//! One row: the requested fields as strings, without fields that have no data.

use serde_json::{Map, Value, json};

use super::actions::{self, Action};
use super::rows::{Key, Rows};
use crate::world::ads::calendar::{Day, day_text};
use crate::world::ads::counts::{Counts, Metrics, in_all};
use crate::world::ads::currency::{Currency, ratio};
use crate::world::ads::object::Objective;
use crate::world::ads::tree::Level;

/// Renders a row of the response.
pub(super) fn render(rows: &Rows, object: u32, key: Key, metrics: &Metrics) -> Value {
    let mut row = Map::new();
    for field in &rows.query.fields {
        if let Some(value) = value(rows, Some(object), metrics, field) {
            row.insert(field.clone(), value);
        }
    }
    if let Some(period) = rows.query.periods.get(key.period) {
        row.insert("date_start".to_owned(), json!(day_text(period.since)));
        row.insert("date_stop".to_owned(), json!(day_text(period.until)));
    }
    for (name, value) in rows.query.cells.get(key.cell).into_iter().flat_map(|cell| &cell.values) {
        row.insert((*name).to_owned(), json!(value));
    }
    if let Some(day) = rows.single_day(key.period).filter(|_| rows.query.level == Some(Level::Ad)) {
        spoil(rows, object, day, &mut row);
    }
    Value::Object(row)
}

/// Replaces values with the ones set through the control interface.
fn spoil(rows: &Rows, ad: u32, day: Day, row: &mut Map<String, Value>) {
    let odd = rows.ads.changes.odd.get(&(ad, day));
    for (field, value) in odd.into_iter().flatten().filter(|(field, _)| rows.query.fields.contains(field)) {
        row.insert(field.clone(), value.clone());
    }
}

/// Removes the fields that identify a row from every row of a page.
pub(super) fn take_needed(page: &mut Value) {
    for row in page.get_mut("data").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(row) = row.as_object_mut() {
            for name in ["date_start", "account_id", "campaign_id", "adset_id", "ad_id"] {
                row.remove(name);
            }
        }
    }
}

/// Renders the totals from the first day to the last.
pub(super) fn summary(rows: &Rows, fields: &[String], metrics: &Metrics) -> Value {
    let mut row = Map::new();
    for field in fields {
        if let Some(value) = value(rows, None, metrics, field) {
            row.insert(field.clone(), value);
        }
    }
    let periods = &rows.query.periods;
    if let (Some(since), Some(until)) =
        (periods.iter().map(|it| it.since).min(), periods.iter().map(|it| it.until).max())
    {
        row.insert("date_start".to_owned(), json!(day_text(since)));
        row.insert("date_stop".to_owned(), json!(day_text(until)));
    }
    Value::Object(row)
}

/// Returns the value of a field of an object's row. `None` without data.
fn value(rows: &Rows, object: Option<u32>, metrics: &Metrics, field: &str) -> Option<Value> {
    match field {
        "account_id" => Some(json!(rows.account_id)),
        "account_name" => Some(json!(rows.account_name)),
        "account_currency" => Some(json!(rows.ads.currency.code)),
        _ => of_object(rows, object, field).or_else(|| of_numbers(rows, object, metrics, field)),
    }
}

/// Returns a field of the row's object or of the objects above it. `None` for fields of the levels below.
fn of_object(rows: &Rows, object: Option<u32>, field: &str) -> Option<Value> {
    let (level, index) = (rows.query.level?, object?);
    let ads = &rows.ads;
    let at = |wanted: Level| match (level, wanted) {
        (Level::Ad, wanted) => Some(ads.tree.above(index, wanted)),
        (Level::AdSet, Level::Campaign) => Some(ads.tree.campaign_of(index)),
        (own, wanted) => (own == wanted).then_some(index),
    };
    let id = |level| Some(json!(ads.id(level, at(level)?)));
    let name = |level| Some(json!(ads.name(level, at(level)?)));
    match field {
        "campaign_id" => id(Level::Campaign),
        "campaign_name" => name(Level::Campaign),
        "adset_id" => id(Level::AdSet),
        "adset_name" => name(Level::AdSet),
        "ad_id" => id(Level::Ad),
        "ad_name" => name(Level::Ad),
        "objective" => Some(json!(ads.objective(at(Level::Campaign)?).name())),
        "buying_type" => Some(json!("AUCTION")),
        "optimization_goal" => Some(json!(ads.goal(at(Level::AdSet)?))),
        "attribution_setting" => at(Level::AdSet).map(|_| json!("7d_click_1d_view")),
        "created_time" => Some(json!(day_text(ads.calendar.day_of(ads.created_ms(level, index))))),
        "updated_time" => Some(json!(day_text(ads.calendar.day_of(ads.updated_ms(level, index))))),
        _ => None,
    }
}

fn of_numbers(rows: &Rows, object: Option<u32>, metrics: &Metrics, field: &str) -> Option<Value> {
    let counts = &metrics.counts;
    let currency = &rows.ads.currency;
    if let Some(text) = scalar(currency, metrics, field) {
        return Some(json!(text));
    }
    let windows = &rows.query.windows;
    let custom = 900_000_000_000_000 + rows.ads.prefix;
    let list = |values: Vec<Value>| (!values.is_empty()).then_some(Value::Array(values));
    let plain = |action_type: &str, text: String| json!({"action_type": action_type, "value": text});
    let one = |action_type: &str, number: i64| {
        list(if number == 0 { Vec::new() } else { vec![plain(action_type, number.to_string())] })
    };
    let each = |text: &dyn Fn(Action) -> Option<String>| {
        let values = actions::actions(counts)
            .into_iter()
            .filter_map(|action| Some(plain(&action.type_name(custom), text(action)?)));
        list(values.collect())
    };
    let purchase = |text: &dyn Fn() -> Option<String>| match in_all(counts.purchases()) {
        0 => None,
        _ => list(
            ["purchase", "omni_purchase", "offsite_conversion.fb_pixel_purchase"]
                .iter()
                .filter_map(|name| Some(plain(name, text()?)))
                .collect(),
        ),
    };
    let outbound = counts.outbound_clicks;
    let watched = |percent: i64| one("video_view", counts.video_hundreds * percent);
    match field {
        "actions" => {
            list(actions::actions(counts).into_iter().map(|action| actions::stat(action, custom, windows)).collect())
        }
        "unique_actions" => each(&|action| Some(((action.value() * 92 + 99) / 100).to_string())),
        "cost_per_action_type" => each(&|action| currency.per(counts.spend, action.value())),
        "cost_per_unique_action_type" => each(&|action| currency.per(counts.spend, (action.value() * 92 + 99) / 100)),
        "action_values" => purchase(&|| Some(currency.major(counts.purchase_value))),
        "purchase_roas" => {
            let roas = ratio(counts.purchase_value, counts.spend).filter(|_| in_all(counts.purchases()) > 0)?;
            list(vec![plain("omni_purchase", roas)])
        }
        "website_purchase_roas" => {
            let roas = ratio(counts.purchase_value, counts.spend).filter(|_| in_all(counts.purchases()) > 0)?;
            list(vec![plain("offsite_conversion.fb_pixel_purchase", roas)])
        }
        "conversions" => one(&format!("offsite_conversion.fb_pixel_custom.{custom}"), in_all(counts.custom_leads())),
        "outbound_clicks" => one("outbound_click", outbound),
        "unique_outbound_clicks" => one("outbound_click", outbound * 95 / 100),
        "outbound_clicks_ctr" => {
            let rate = ratio(100 * outbound, counts.impressions).filter(|_| outbound > 0)?;
            list(vec![plain("outbound_click", rate)])
        }
        "video_play_actions" => watched(100),
        "video_p25_watched_actions" => watched(30),
        "video_p50_watched_actions" => watched(20),
        "video_p75_watched_actions" => watched(14),
        "video_p95_watched_actions" => watched(10),
        "video_p100_watched_actions" => watched(8),
        "video_thruplay_watched_actions" => watched(11),
        "video_30_sec_watched_actions" => watched(9),
        "video_avg_time_watched_actions" => one("video_view", counts.video_hundreds.min(1) * 4),
        "results" => results(rows, object, counts, &|number| Some(number.to_string())),
        "cost_per_result" => results(rows, object, counts, &|number| currency.per(counts.spend, number)),
        _ => None,
    }
}

/// Renders the result of the campaign's objective as `[{indicator, values}]`.
fn results(rows: &Rows, object: Option<u32>, counts: &Counts, text: &dyn Fn(i64) -> Option<String>) -> Option<Value> {
    let (level, index) = (rows.query.level?, object?);
    let campaign = match level {
        Level::Campaign => index,
        Level::AdSet => rows.ads.tree.campaign_of(index),
        Level::Ad => rows.ads.tree.above(index, Level::Campaign),
    };
    let (indicator, number) = match rows.ads.objective(campaign) {
        Objective::Leads => ("actions:lead", counts.leads()),
        Objective::Sales => ("actions:offsite_conversion.fb_pixel_purchase", in_all(counts.purchases())),
        Objective::Traffic => ("actions:link_click", counts.link_clicks),
        Objective::Engagement => ("actions:onsite_conversion.messaging_conversation_started_7d", counts.messaging),
    };
    let value = text(number).filter(|_| number > 0)?;
    Some(json!([{"indicator": indicator, "values": [{"value": value, "attribution_windows": ["default"]}]}]))
}

/// Returns a metric that is one number. The first few are always present, the others only with data.
fn scalar(currency: &Currency, metrics: &Metrics, field: &str) -> Option<String> {
    let counts = &metrics.counts;
    let reach = metrics.reach.number();
    let clickers = metrics.clickers.number();
    let some = |number: i64| (number != 0).then(|| number.to_string());
    let percent = |part: i64, whole: i64| ratio(100 * part, whole);
    match field {
        "impressions" => Some(counts.impressions.to_string()),
        "clicks" => Some(counts.clicks().to_string()),
        "spend" => Some(currency.major(counts.spend)),
        "reach" => Some(reach.to_string()),
        "frequency" => ratio(counts.impressions, reach),
        "ctr" => percent(counts.clicks(), counts.impressions),
        "cpm" => currency.per(1000 * counts.spend, counts.impressions),
        "cpp" => currency.per(1000 * counts.spend, reach),
        "cpc" => currency.per(counts.spend, counts.clicks()),
        "social_spend" => Some(currency.major(counts.spend * 3 / 10)).filter(|_| counts.spend > 3),
        "unique_clicks" => some(clickers),
        "unique_ctr" => percent(clickers, reach).filter(|_| clickers > 0),
        "cost_per_unique_click" => currency.per(counts.spend, clickers),
        "inline_link_clicks" => some(counts.link_clicks),
        "inline_link_click_ctr" => percent(counts.link_clicks, counts.impressions).filter(|_| counts.link_clicks > 0),
        "cost_per_inline_link_click" => currency.per(counts.spend, counts.link_clicks),
        "inline_post_engagement" => {
            some(counts.link_clicks + counts.reactions + counts.comments + actions::video_views(counts))
        }
        _ => None,
    }
}

/// Returns a metric as a number, to compare and sort by.
pub(super) fn number(currency: &Currency, metrics: &Metrics, field: &str) -> Option<f64> {
    scalar(currency, metrics, field)?.parse().ok()
}
