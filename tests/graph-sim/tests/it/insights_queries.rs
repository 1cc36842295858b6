//! Insights with breakdowns, sorting, filters and paging, and rejected queries.

use serde_json::{Value, json};

use crate::advertiser::{ACCOUNT, FIELDS, account, cents, encoded, insights, plan, sum, walk};

#[tokio::test]
async fn breakdowns_divide_the_numbers_and_add_up_again() {
    let (meta, token) = account(plan(4, 2, 3, 10)).await;
    let range = "date_preset=last_7d";
    for level in ["account", "ad"] {
        let whole = sum(&insights(&meta, &token, &format!("fields={FIELDS}&{range}&level={level}")).await);
        for breakdowns in ["age,gender", "country", "publisher_platform,platform_position,impression_device", "region"]
        {
            let rows =
                insights(&meta, &token, &format!("fields={FIELDS}&{range}&level={level}&breakdowns={breakdowns}"))
                    .await;
            let divided = sum(&rows);
            assert_eq!(divided.numbers, whole.numbers, "{level} {breakdowns}");
            assert_eq!(divided.actions, whole.actions, "{level} {breakdowns}");
            for name in breakdowns.split(',') {
                assert!(rows.iter().all(|row| row[name].is_string()), "{name}");
            }
        }
    }
    let refused = meta.get(&format!("/act_{ACCOUNT}/insights?breakdowns=mood"), &token).await;
    assert_eq!(refused.error(), (400, 100, None));
}

#[tokio::test]
async fn windows_tell_their_part_and_dead_ones_nothing() {
    let (meta, token) = account(plan(6, 2, 3, 20)).await;
    let windows = r#"["1d_click","7d_click","28d_click","1d_view","7d_view","28d_view"]"#;
    let query = format!("fields=actions&date_preset=maximum&action_attribution_windows={windows}");
    let rows = insights(&meta, &token, &query).await;
    let actions = rows[0]["actions"].as_array().unwrap();
    let lead = actions.iter().find(|it| it["action_type"] == "lead").unwrap();
    let number = |key: &str| lead[key].as_str().map_or(0, |text| text.parse::<i64>().unwrap());
    assert_eq!(number("7d_click") + number("1d_view"), number("value"));
    assert!(number("1d_click") > 0 && number("1d_click") <= number("7d_click") && number("1d_view") > 0);
    assert!(lead.get("7d_view").is_none() && lead.get("28d_view").is_none());
    let refused = meta.get(&format!("/act_{ACCOUNT}/insights?action_attribution_windows=[\"inline\"]"), &token).await;
    assert_eq!(refused.error(), (400, 100, None));
}

#[tokio::test]
async fn rows_are_sorted_filtered_summed_and_paged() {
    let (meta, token) = account(plan(10, 2, 4, 10)).await;
    let base = "fields=ad_id,spend,impressions&level=ad&date_preset=maximum";
    let spends =
        |rows: &[Value]| -> Vec<i64> { rows.iter().map(|row| cents(row["spend"].as_str().unwrap())).collect() };
    let all = insights(&meta, &token, base).await;
    let mut expected = spends(&all);
    expected.sort_unstable_by(|a, b| b.cmp(a));
    let path = format!("/act_{ACCOUNT}/insights?{base}&limit=7");
    assert_eq!(spends(&walk(&meta, &format!("{path}&sort=spend_descending"), &token).await), expected);
    assert_eq!(walk(&meta, &path, &token).await, all, "page by page");
    let second = meta.get(&format!("{path}&after={}", after(&meta.get(&path, &token).await.json)), &token).await.json;
    let before = second["paging"]["cursors"]["before"].as_str().unwrap();
    assert_eq!(meta.get(&format!("{path}&before={before}"), &token).await.json["data"], json!(all[..7]));
    let middle = expected[expected.len() / 2];
    let filter =
        format!(r#"[{{"field":"spend","operator":"GREATER_THAN","value":{}.{:02}}}]"#, middle / 100, middle % 100);
    let large = insights(&meta, &token, &format!("{base}&filtering={}", encoded(&filter))).await;
    assert_eq!(large.len(), expected.iter().filter(|spend| **spend > middle).count());
    let summed = meta.get(&format!("{path}&summary=spend,impressions"), &token).await.json;
    assert_eq!(cents(summed["summary"]["spend"].as_str().unwrap()), expected.iter().sum::<i64>());
    assert_eq!(meta.get(&path.replace("&limit=7", ""), &token).await.json["data"].as_array().unwrap().len(), 25);
}

fn after(page: &Value) -> String {
    page["paging"]["cursors"]["after"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let (meta, token) = account(plan(2, 2, 2, 10)).await;
    for (query, code) in [
        ("level=planet", 100),
        ("fields=mood", 100),
        ("fields=age&breakdowns=age", 100),
        ("date_preset=last_5d", 100),
        ("time_increment=0", 100),
        ("time_range={\"since\":\"2026-02-02\",\"until\":\"2026-02-01\"}", 100),
        ("time_range={\"since\":\"2019-02-02\",\"until\":\"2019-02-03\"}", 3018),
        ("filtering=[{\"field\":\"mood\",\"operator\":\"IN\",\"value\":[]}]", 100),
        ("sort=mood_descending", 100),
        ("limit=0", 100),
        ("action_breakdowns=mood", 100),
    ] {
        let refused = meta.get(&format!("/act_{ACCOUNT}/insights?{query}"), &token).await;
        assert_eq!(refused.error(), (400, code, None), "{query}");
    }
    let unknown = meta.get(&format!("/act_{ACCOUNT}/insights?fields=spend,mood"), &token).await;
    assert!(unknown.message().starts_with("(#100) mood is not valid for fields param. please check https://"));
    let ignored = "use_unified_attribution_setting=true&action_report_time=mixed&use_account_attribution_setting=true&\
                   action_breakdowns=[\"action_type\",\"action_device\"]";
    assert_eq!(meta.get(&format!("/act_{ACCOUNT}/insights?{ignored}"), &token).await.status, 200);
}

#[tokio::test]
async fn lists_come_in_every_spelling_that_readers_use() {
    let (meta, token) = account(plan(2, 2, 2, 10)).await;
    for fields in ["spend,clicks", r#"["spend","clicks"]"#, "['spend', 'clicks']"] {
        let rows = insights(&meta, &token, &format!("fields={}&date_preset=last_7d", encoded(fields))).await;
        assert!(rows[0]["spend"].is_string() && rows[0]["clicks"].is_string(), "{fields}");
        assert_eq!(rows[0].as_object().unwrap().len(), 4, "{fields}");
    }
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |before: i64| today.saturating_sub(jiff::Span::new().days(before));
    let range = |since: i64, until: i64| format!("{{'since':'{}','until':'{}'}}", day(since), day(until));
    let ranges = encoded(&format!("[{},{}]", range(40, 39), range(9, 8)));
    assert_eq!(meta.get(&format!("/act_{ACCOUNT}/insights?time_ranges={ranges}"), &token).await.status, 200);
}
