//! An advertiser's account, and helpers that read and add up its numbers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::client::Meta;

/// An account that does not exist in the seed world.
pub(crate) const ACCOUNT: &str = "555000111222333";

/// A body of `POST /_sim/ads` for [`ACCOUNT`].
pub(crate) fn plan(campaigns: u32, adsets: u32, ads: u32, days: u32) -> Value {
    json!({
        "account_id": ACCOUNT, "currency": "EUR", "timezone": "Europe/Berlin", "campaigns": campaigns,
        "adsets_per_campaign": adsets, "ads_per_adset": ads, "days": days, "seed": 7,
    })
}

/// The body with some members replaced or added.
pub(crate) fn with(mut body: Value, more: Value) -> Value {
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    body
}

/// Moves the clock to the next noon of a time zone, so that the day does not change during a test that runs around
/// midnight.
pub(crate) async fn noon(meta: &Meta, zone: &str) {
    let now = meta.sim_get("clock").await["now"].as_i64().expect("seconds");
    let here = jiff::Timestamp::from_second(now).expect("a time").in_tz(zone).expect("a zone");
    let mut noon = here.with().hour(12).minute(0).second(0).build().expect("noon");
    if noon <= here {
        noon = noon.tomorrow().expect("a day later");
    }
    meta.sim("clock", json!({"advance_s": noon.timestamp().as_second() - now})).await;
}

/// All elements of an edge, read page by page.
pub(crate) async fn walk(meta: &Meta, path: &str, token: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut after = String::new();
    for _ in 0..1000 {
        let answer = meta.get(&format!("{path}{after}"), token).await;
        let data = answer.json["data"].as_array().unwrap_or_else(|| panic!("{path}: {}", answer.text));
        rows.extend(data.iter().cloned());
        if answer.json["paging"]["next"].is_null() {
            return rows;
        }
        after = format!("&after={}", answer.json["paging"]["cursors"]["after"].as_str().expect("a cursor"));
    }
    panic!("{path} has no end")
}

pub(crate) fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

/// The fields of most queries.
pub(crate) const FIELDS: &str = "account_id,campaign_id,adset_id,ad_id,impressions,clicks,spend,reach,actions";

/// A parameter value, encoded for a URL.
pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A simulator at noon with an account made from `body`, and Mara's token.
pub(crate) async fn account(body: Value) -> (Meta, String) {
    let meta = Meta::start().await;
    noon(&meta, "Europe/Berlin").await;
    let token = meta.mara().await;
    meta.sim("ads", body).await;
    (meta, token)
}

/// All rows of the account's insights.
pub(crate) async fn insights(meta: &Meta, token: &str, more: &str) -> Vec<Value> {
    walk(meta, &format!("/act_{ACCOUNT}/insights?limit=500&{more}"), token).await
}

/// Impressions, clicks, cents, and actions by type.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) numbers: [i64; 3],
    pub(crate) actions: BTreeMap<String, i64>,
}

fn whole(text: &str) -> i64 {
    text.parse().expect("a whole number")
}

pub(crate) fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().expect("a number")
}

pub(crate) fn sum<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Sum {
    let mut sum = Sum::default();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("{name} is text in {row}"));
        sum.numbers[0] += whole(text("impressions"));
        sum.numbers[1] += whole(text("clicks"));
        sum.numbers[2] += cents(text("spend"));
        for action in row["actions"].as_array().into_iter().flatten() {
            let value = whole(action["value"].as_str().expect("text"));
            *sum.actions.entry(action["action_type"].as_str().expect("text").to_owned()).or_default() += value;
        }
    }
    sum
}

pub(crate) fn action(row: &Value, name: &str) -> i64 {
    let actions = row["actions"].as_array().into_iter().flatten();
    actions.filter(|it| it["action_type"] == name).map(|it| whole(it["value"].as_str().expect("text"))).sum()
}
