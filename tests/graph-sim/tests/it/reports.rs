//! Insights reports: requested, polled and read page by page.

use std::time::{Duration, Instant};

use graph_sim::seed;
use serde_json::{Value, json};

use crate::advertiser::{ACCOUNT, account, insights, plan, walk};
use crate::client::{ALL_SCOPES, Answer, Meta};

const QUERY: &[(&str, &str)] = &[
    ("level", "ad"),
    // In the format of Meta's SDK.
    ("fields", r#"["ad_id","ad_name","impressions","spend","actions"]"#),
    ("time_increment", "1"),
    ("date_preset", "last_7d"),
];

async fn submit(meta: &Meta, token: &str) -> String {
    submit_with(meta, token, &[]).await
}

async fn submit_with(meta: &Meta, token: &str, more: &[(&str, &str)]) -> String {
    let form: Vec<(&str, &str)> = QUERY.iter().chain(more).copied().collect();
    let answer = meta.post(&format!("/act_{ACCOUNT}/insights"), token, &form).await;
    answer.json["report_run_id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

async fn control(meta: &Meta, body: Value) {
    meta.sim(&format!("ads/{ACCOUNT}/reports"), body).await;
}

/// Polls until the report is completed at 100 percent, failed or skipped.
async fn finish(meta: &Meta, run: &str, token: &str) -> Value {
    let start = Instant::now();
    loop {
        let report = meta.get(&format!("/{run}"), token).await.json;
        let status = report["async_status"].as_str().expect("a status").to_owned();
        let done = status == "Job Completed" && report["async_percent_completion"] == 100;
        if done || status == "Job Failed" || status == "Job Skipped" {
            return report;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{report}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn told(answer: &Answer) -> (String, i64) {
    let status = answer.json["async_status"].as_str().expect("a status").to_owned();
    (status, answer.json["async_percent_completion"].as_i64().expect("a percentage"))
}

#[tokio::test]
async fn a_report_has_the_rows_of_the_direct_query() {
    let (meta, token) = account(plan(5, 2, 4, 20)).await;
    let run = submit(&meta, &token).await;
    let report = finish(&meta, &run, &token).await;
    assert_eq!((&report["id"], &report["account_id"]), (&json!(run), &json!(ACCOUNT)));
    assert_eq!(report["is_running"], false);
    assert!(report["time_ref"].is_i64() && report["time_completed"].is_i64() && report["date_start"].is_string());
    let rows = walk(&meta, &format!("/{run}/insights?limit=30"), &token).await;
    let query: Vec<String> = QUERY.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(rows, insights(&meta, &token, &query.join("&")).await);
    assert!(rows.len() > 30);
    let fields = meta.get(&format!("/{run}?fields=async_status,time_ref"), &token).await.json;
    assert_eq!(fields.as_object().unwrap().len(), 3);
    assert_eq!(meta.get(&format!("/{run}?fields=mood"), &token).await.error(), (400, 100, None));
}

#[tokio::test]
async fn a_report_goes_through_its_statuses_and_lies_once() {
    let (meta, token) = account(plan(2, 2, 2, 20)).await;
    control(&meta, json!({"polls": 5})).await;
    let run = submit(&meta, &token).await;
    let expected = [
        ("Job Not Started", 0),
        ("Job Started", 0),
        ("Job Running", 50),
        ("Job Completed", 99),
        ("Job Completed", 100),
    ];
    for (status, percent) in expected {
        let early = meta.get(&format!("/{run}/insights"), &token).await;
        assert_eq!(early.error(), (400, 2601, Some(1_815_107)), "before {status}");
        assert_eq!(early.json["error"]["is_transient"], true);
        assert_eq!(told(&meta.get(&format!("/{run}"), &token).await), (status.to_owned(), percent));
    }
    assert_eq!(meta.get(&format!("/{run}/insights"), &token).await.status, 200);
    control(&meta, json!({"polls": 9})).await;
    let run = submit(&meta, &token).await;
    let mut seen = Vec::new();
    for _ in 0..9 {
        seen.push(told(&meta.get(&format!("/{run}"), &token).await));
    }
    seen.dedup();
    assert!(seen.contains(&("Job Running".to_owned(), 100)), "neither says it alone: {seen:?}");
    control(&meta, json!({"over_ms": 0})).await;
    let run = submit(&meta, &token).await;
    assert_eq!(told(&meta.get(&format!("/{run}"), &token).await).1, 100);
}

#[tokio::test]
async fn reports_fail_get_stuck_or_are_skipped_when_told_so() {
    let (meta, token) = account(plan(2, 2, 2, 20)).await;
    for (next, code, subcode) in [
        ("failed", -2, 2_490_547),
        ("too_large", -3, 1_504_045),
        ("too_much_data", 100, 1_487_534),
        ("timeout", 2, 1_504_038),
        ("retry", 2, 1_504_044),
    ] {
        control(&meta, json!({"next": next})).await;
        let run = submit(&meta, &token).await;
        let report = finish(&meta, &run, &token).await;
        assert_eq!(report["async_status"], "Job Failed", "{next}");
        assert_eq!((&report["error_code"], &report["error_subcode"]), (&json!(code), &json!(subcode)), "{next}");
        for name in ["error_message", "error_user_title", "error_user_msg"] {
            assert!(report[name].is_string(), "{name}");
        }
        assert_eq!(meta.get(&format!("/{run}/insights"), &token).await.error(), (400, 2601, Some(1_815_107)));
    }
    control(&meta, json!({"next": "skipped"})).await;
    let skipped = submit(&meta, &token).await;
    assert_eq!(finish(&meta, &skipped, &token).await["async_status"], "Job Skipped");
    control(&meta, json!({"next": "stuck", "polls": 2})).await;
    let stuck = submit(&meta, &token).await;
    for _ in 0..20 {
        assert_eq!(meta.get(&format!("/{stuck}"), &token).await.json["async_percent_completion"], 0);
    }
    let deleted = meta.delete(&format!("/{stuck}"), &token).await;
    assert_eq!(deleted.json, json!({"success": true}));
    assert_eq!(meta.get(&format!("/{stuck}"), &token).await.error(), (400, 100, Some(33)));
    let run = submit(&meta, &token).await;
    assert_eq!(finish(&meta, &run, &token).await["async_percent_completion"], 100, "told once, meant once");
}

#[tokio::test]
async fn rows_may_lack_what_they_need_right_after_completion() {
    let (meta, token) = account(plan(2, 2, 4, 20)).await;
    control(&meta, json!({"next": "incomplete_rows", "polls": 1})).await;
    let run = submit(&meta, &token).await;
    finish(&meta, &run, &token).await;
    let path = format!("/{run}/insights");
    let first = meta.get(&path, &token).await.json;
    assert!(
        first["data"][0]["date_start"].is_null()
            && first["data"][0]["ad_id"].is_null()
            && first["data"][0]["spend"].is_string()
    );
    let second = meta.get(&path, &token).await.json;
    assert!(second["data"][0]["date_start"].is_string() && second["data"][0]["ad_id"].is_string());
}

#[tokio::test]
async fn rows_stay_what_they_were_when_they_were_asked_for() {
    let (meta, token) = account(plan(4, 2, 4, 20)).await;
    let run = submit(&meta, &token).await;
    finish(&meta, &run, &token).await;
    let path = format!("/{run}/insights?limit=500");
    let before = walk(&meta, &path, &token).await;
    meta.sim("clock", json!({"advance_s": 3 * 24 * 3600})).await;
    assert_eq!(walk(&meta, &path, &token).await, before);
    meta.sim("ads", plan(1, 1, 1, 1)).await;
    assert_eq!(walk(&meta, &path, &token).await, before);
    meta.sim("clock", json!({"advance_s": 26 * 24 * 3600})).await;
    assert_eq!(meta.get(&path, &token).await.status, 200);
    meta.sim("clock", json!({"advance_s": 2 * 24 * 3600})).await;
    assert_eq!(meta.get(&path, &token).await.error(), (400, 100, Some(33)), "after thirty days");
}

#[tokio::test]
async fn wrong_queries_and_strangers_are_refused_at_once() {
    let (meta, token) = account(plan(2, 2, 2, 20)).await;
    let path = format!("/act_{ACCOUNT}/insights");
    assert_eq!(meta.post(&path, &token, &[("fields", "mood")]).await.error(), (400, 100, None));
    let ranges = [("time_range", r#"{"since":"2019-01-01","until":"2019-01-02"}"#)];
    assert_eq!(meta.post(&path, &token, &ranges).await.error(), (400, 3018, None));
    let person = meta.sim("users", json!({})).await["id"].as_str().unwrap().to_owned();
    let stranger = meta.login(&person, ALL_SCOPES, "").await;
    assert_eq!(meta.post(&path, &stranger, QUERY).await.error(), (400, 100, Some(33)));
    let run = submit(&meta, &token).await;
    finish(&meta, &run, &token).await;
    for path in [format!("/{run}"), format!("/{run}/insights")] {
        assert_eq!(meta.get(&path, &stranger).await.error(), (400, 100, Some(33)), "{path}");
    }
    let jonas = meta.login(seed::JONAS, ALL_SCOPES, "").await;
    assert_eq!(meta.get(&format!("/{run}"), &jonas).await.status, 200, "whoever may read the account");
}

#[tokio::test]
async fn reports_are_asked_for_and_polled_in_batches() {
    let (meta, token) = account(plan(3, 2, 2, 20)).await;
    let campaigns = meta.get(&format!("/act_{ACCOUNT}/campaigns"), &token).await.column("id");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = today.saturating_sub(jiff::Span::new().days(40));
    let elements: Value = campaigns
        .iter()
        .map(|id| {
            let body = format!(
                "level=ad&fields=ad_id,spend&time_range=%7B%22since%22%3A%22{day}%22%2C%22until%22%3A%22{day}%22%7D"
            );
            json!({"method": "POST", "relative_url": format!("v25.0/{id}/insights"), "body": body})
        })
        .collect();
    let rows = meta.batch(&token, &elements).await.json;
    let runs: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!(row["code"], 200, "{row}");
            let body: Value = serde_json::from_str(row["body"].as_str().unwrap()).unwrap();
            body["report_run_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(runs.len(), campaigns.len());
    for run in &runs {
        finish(&meta, run, &token).await;
    }
    let polls: Value = runs.iter().map(|run| json!({"relative_url": format!("{run}?")})).collect();
    let rows = meta.batch(&token, &polls).await.json;
    for row in rows.as_array().unwrap() {
        assert!(row["body"].as_str().unwrap().contains("Job Completed"));
        let headers = row["headers"].as_array().unwrap();
        assert!(headers.iter().any(|header| header["name"] == "x-fb-ads-insights-throttle"));
    }
    let stats = meta.sim_get("stats").await;
    assert_eq!(stats["sub_requests"]["POST /{campaign}/insights"], runs.len());
    assert_eq!(stats["sub_requests"]["GET /{run}"], runs.len());
}

#[tokio::test]
async fn mistakes_about_reports_are_told() {
    let meta = Meta::start().await;
    meta.sim("ads", plan(1, 1, 1, 1)).await;
    for (body, word) in [
        (json!({}), "required"),
        (json!({"next": "lost"}), "stuck"),
        (json!({"polls": 0}), "polls"),
        (json!({"polls": 1, "over_ms": 1}), "one of them"),
        (json!({"next": "stuck", "times": 0}), "times"),
    ] {
        let request = meta.http().post(meta.url(&format!("/_sim/ads/{ACCOUNT}/reports"))).json(&body);
        let answer = crate::client::read(request).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{body}: {}", answer.text);
    }
}
