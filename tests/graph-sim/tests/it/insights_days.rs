//! The days of insights: their time zone, and how long their numbers change.

use graph_sim::seed;
use serde_json::json;

use crate::advertiser::{ACCOUNT, FIELDS, account, action, encoded, insights, plan, with};
use crate::client::Meta;

#[tokio::test]
async fn days_are_those_of_the_account() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    for zone in ["Pacific/Tongatapu", "America/Los_Angeles", "Asia/Kolkata"] {
        meta.sim("ads", with(plan(4, 2, 3, 10), json!({"timezone": zone, "active_share": 1.0}))).await;
        let now = meta.sim_get("state").await["now"].as_i64().unwrap();
        let here = jiff::Timestamp::from_second(now).unwrap().in_tz(zone).unwrap();
        let path = format!("/act_{ACCOUNT}/insights?fields=impressions&date_preset=yesterday");
        let yesterday = meta.get(&path, &token).await.json["data"][0].clone();
        let expected = here.date().yesterday().unwrap().to_string();
        assert_eq!(yesterday["date_start"], expected, "{zone}");
        // Advance to an hour after the next midnight in that zone.
        let midnight =
            here.date().tomorrow().unwrap().to_zoned(here.time_zone().clone()).unwrap().timestamp().as_second();
        meta.sim("clock", json!({"advance_s": midnight - now + 3600})).await;
        let path = format!("/act_{ACCOUNT}/insights?fields=impressions&date_preset=today");
        let today = meta.get(&path, &token).await.json["data"][0].clone();
        assert_eq!(today["date_start"], here.date().tomorrow().unwrap().to_string(), "{zone}");
        let early: i64 = today["impressions"].as_str().unwrap().parse().unwrap();
        meta.sim("clock", json!({"advance_s": 6 * 3600})).await;
        let later =
            meta.get(&path, &token).await.json["data"][0]["impressions"].as_str().unwrap().parse::<i64>().unwrap();
        assert!(later > 5 * early, "the day goes on: {early} {later}");
    }
}

#[tokio::test]
async fn numbers_are_restated_for_28_days_and_then_stay() {
    let (meta, _) = account(with(plan(40, 5, 10, 40), json!({"active_share": 1.0}))).await;
    let made = meta.sim(&format!("system_users/{}/tokens", seed::SYSTEM_USER), json!({})).await;
    let token = made["token"].as_str().unwrap();
    let totals = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=day")).await;
    let days: Vec<&str> = totals["rows"].as_array().unwrap().iter().map(|row| row["day"].as_str().unwrap()).collect();
    let yesterday = days[days.len() - 2].to_owned();
    let range = encoded(&format!(r#"{{"since":"{yesterday}","until":"{yesterday}"}}"#));
    let read = async || insights(&meta, token, &format!("fields={FIELDS}&time_range={range}")).await.remove(0);
    let first = read().await;
    assert_eq!(read().await, first, "real time changes nothing");
    let mut leads = vec![action(&first, "lead")];
    let mut spends = vec![first["spend"].clone()];
    for _ in 0..29 {
        meta.sim("clock", json!({"advance_s": 24 * 3600})).await;
        let row = read().await;
        assert_eq!((&row["impressions"], &row["clicks"]), (&first["impressions"], &first["clicks"]));
        leads.push(action(&row, "lead"));
        spends.push(row["spend"].clone());
    }
    // Some leads are taken back, so the count does not grow on every single day.
    assert!(
        leads[1] > leads[0] && leads[27] > leads[1] && leads[7..=27].iter().any(|late| *late != leads[7]),
        "{leads:?}"
    );
    assert!(spends[0] != spends[4] && spends[4..].iter().all(|spend| *spend == spends[4]), "{spends:?}");
    let settled = read().await;
    meta.sim("clock", json!({"advance_s": 100 * 24 * 3600})).await;
    assert_eq!(read().await, settled);
}
