//! `GET /_sim/ads/{account_id}/totals`: the sums that the account's own reports would show, regardless of access.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::account;
use crate::control::Mistake;
use crate::server::Sim;
use crate::world::ads::Ads;
use crate::world::ads::calendar::{Day, day_text, parse_day};
use crate::world::ads::counts::{Metrics, in_all};
use crate::world::ads::totals::By;
use crate::world::ads::tree::Level;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Input {
    since: Option<String>,
    until: Option<String>,
    by: Option<String>,
}

/// Returns the sums from `since` to `until`, by default from the first day with delivery to today.
pub(in crate::control) async fn totals(
    State(sim): State<Arc<Sim>>,
    Path(account_id): Path<String>,
    input: Result<Query<Input>, QueryRejection>,
) -> Result<Json<Value>, Mistake> {
    let Query(input) = input.map_err(|rejection| Mistake::new(rejection.body_text()))?;
    let by =
        match input.by.as_deref().unwrap_or("total") {
            "total" => By::Total,
            "day" => By::Day,
            name => By::Object(Level::parse(name).ok_or_else(|| {
                Mistake::new(format!("by: must be total, day, campaign, adset or ad, got \"{name}\""))
            })?),
        };
    let (id, ads, data_ms) = {
        let world = sim.world();
        let account = account(&world, &account_id)?;
        (account.id.clone(), Arc::clone(&account.ads), account.ads.calendar.data_ms(&world.clock))
    };
    let today = ads.calendar.day_of(data_ms);
    let since = day("since", input.since.as_deref(), ads.first.min(today))?;
    let until = day("until", input.until.as_deref(), today)?;
    if since > until {
        return Err(Mistake::new("since: must not be after until"));
    }
    // Adding up a hundred thousand ads takes a while and must not block other calls.
    let work = tokio::task::spawn_blocking(move || report(&id, &ads, since, until, data_ms, by));
    work.await.map(Json).map_err(|error| Mistake::new(error.to_string()))
}

fn day(name: &str, text: Option<&str>, otherwise: Day) -> Result<Day, Mistake> {
    let Some(text) = text else { return Ok(otherwise) };
    parse_day(text).ok_or_else(|| Mistake::new(format!("{name}: must be a date such as 2026-01-31, got \"{text}\"")))
}

fn report(account_id: &str, ads: &Ads, since: Day, until: Day, data_ms: i64, by: By) -> Value {
    let totals = ads.totals(since, until, data_ms, by);
    let rows: Vec<Value> = totals
        .rows
        .iter()
        .map(|(key, metrics)| {
            let mut row = Map::new();
            match by {
                By::Object(level) => {
                    let index = u32::try_from(*key).unwrap_or_default();
                    row.insert("id".to_owned(), json!(ads.id(level, index)));
                    row.insert("name".to_owned(), json!(ads.name(level, index)));
                }
                By::Day | By::Total => {
                    row.insert("day".to_owned(), json!(day_text(Day::try_from(*key).unwrap_or_default())));
                }
            }
            add_numbers(&mut row, ads, metrics);
            Value::Object(row)
        })
        .collect();
    let mut total = Map::new();
    add_numbers(&mut total, ads, &totals.total);
    json!({
        "account_id": account_id, "currency": ads.currency.code, "since": day_text(since), "until": day_text(until),
        "data_time": data_ms.div_euclid(1000), "rows": rows, "total": total,
    })
}

fn add_numbers(row: &mut Map<String, Value>, ads: &Ads, metrics: &Metrics) {
    let counts = &metrics.counts;
    let (leads, purchases) = (counts.leads(), in_all(counts.purchases()));
    for (name, value) in [
        ("impressions", json!(counts.impressions)),
        ("clicks", json!(counts.clicks())),
        ("link_clicks", json!(counts.link_clicks)),
        ("spend", json!(ads.currency.major(counts.spend))),
        ("reach", json!(metrics.reach.number())),
        ("conversions", json!(leads + purchases)),
        ("leads", json!(leads)),
        ("leads_on_meta", json!(in_all(counts.meta_leads()))),
        ("leads_on_website", json!(in_all(counts.web_leads()))),
        ("purchases", json!(purchases)),
        ("purchase_value", json!(ads.currency.major(counts.purchase_value))),
        ("messaging", json!(counts.messaging)),
    ] {
        row.insert(name.to_owned(), value);
    }
}
