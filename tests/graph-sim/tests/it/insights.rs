//! Insights: rows on every level, and whether they add up.

use std::collections::BTreeMap;

use graph_sim::seed;
use serde_json::{Value, json};

use crate::ads_account::{ACCOUNT, plan, walk, with};
use crate::client::Meta;

const ALL_STATUSES: &str = r#"["ACTIVE","PAUSED","CAMPAIGN_PAUSED","ADSET_PAUSED","ARCHIVED","DELETED","WITH_ISSUES",
    "DISAPPROVED","PENDING_REVIEW","IN_PROCESS","PENDING_BILLING_INFO","PREAPPROVED"]"#;
const FIELDS: &str = "account_id,campaign_id,adset_id,ad_id,impressions,clicks,spend,reach,actions";

pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn status_filter(entity: &str) -> String {
    let text = format!(r#"[{{"field":"{entity}.effective_status","operator":"IN","value":{ALL_STATUSES}}}]"#);
    format!("filtering={}", encoded(&text))
}

pub(crate) async fn account(body: Value) -> (Meta, String) {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    meta.sim("ads", body).await;
    (meta, token)
}

pub(crate) async fn insights(meta: &Meta, token: &str, more: &str) -> Vec<Value> {
    walk(meta, &format!("/act_{ACCOUNT}/insights?limit=500&{more}"), token).await
}

/// Impressions, clicks, cents, and actions by type.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    numbers: [i64; 3],
    actions: BTreeMap<String, i64>,
}

fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap()
}

fn sum<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Sum {
    let mut sum = Sum::default();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("{name} is text in {row}"));
        sum.numbers[0] += text("impressions").parse::<i64>().unwrap();
        sum.numbers[1] += text("clicks").parse::<i64>().unwrap();
        sum.numbers[2] += cents(text("spend"));
        for action in row["actions"].as_array().into_iter().flatten() {
            let value: i64 = action["value"].as_str().unwrap().parse().unwrap();
            *sum.actions.entry(action["action_type"].as_str().unwrap().to_owned()).or_default() += value;
        }
    }
    sum
}

fn action(row: &Value, name: &str) -> i64 {
    let actions = row["actions"].as_array().into_iter().flatten();
    actions.filter(|it| it["action_type"] == name).map(|it| it["value"].as_str().unwrap().parse::<i64>().unwrap()).sum()
}

#[tokio::test]
async fn all_levels_add_up_to_the_same_and_to_the_truth() {
    let (meta, token) = account(plan(12, 2, 4, 20)).await;
    let range = "date_preset=maximum";
    let whole = insights(&meta, &token, &format!("fields={FIELDS}&{range}")).await;
    let expected = sum(&whole);
    assert_eq!(whole.len(), 1);
    for level in ["campaign", "adset", "ad"] {
        for increment in ["all_days", "1", "7", "monthly"] {
            let more =
                format!("fields={FIELDS}&{range}&level={level}&time_increment={increment}&{}", status_filter(level));
            let rows = insights(&meta, &token, &more).await;
            assert_eq!(sum(&rows), expected, "{level} {increment}");
            let reach: i64 = rows.iter().map(|row| row["reach"].as_str().unwrap().parse::<i64>().unwrap()).sum();
            assert!(reach > whole[0]["reach"].as_str().unwrap().parse().unwrap(), "people are counted once");
        }
    }
    let totals = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=day")).await;
    let total = &totals["total"];
    assert_eq!(total["impressions"], expected.numbers[0]);
    assert_eq!(total["clicks"], expected.numbers[1]);
    assert_eq!(cents(total["spend"].as_str().unwrap()), expected.numbers[2]);
    assert_eq!(total["reach"].to_string(), whole[0]["reach"].as_str().unwrap());
    assert_eq!(total["leads"], action(&whole[0], "lead"));
    assert_eq!(total["purchases"], action(&whole[0], "purchase"));
    assert_eq!(total["conversions"], action(&whole[0], "lead") + action(&whole[0], "omni_purchase"));
    let daily = insights(&meta, &token, &format!("fields={FIELDS}&{range}&time_increment=1")).await;
    let days = totals["rows"].as_array().unwrap();
    assert_eq!(daily.len(), days.len());
    for (row, day) in daily.iter().zip(days) {
        assert_eq!((&row["date_start"], &row["date_stop"]), (&day["day"], &day["day"]));
        assert_eq!(row["spend"], day["spend"]);
    }
    let by_campaign = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=campaign")).await;
    for campaign in by_campaign["rows"].as_array().unwrap() {
        let id = campaign["id"].as_str().unwrap();
        let own = meta.get(&format!("/{id}/insights?fields=campaign_name,spend,reach&{range}"), &token).await;
        let own = &own.json["data"][0];
        assert_eq!((&own["spend"], &own["campaign_name"]), (&campaign["spend"], &campaign["name"]));
        assert_eq!(own["reach"].as_str().unwrap(), campaign["reach"].to_string());
    }
}

#[tokio::test]
async fn one_lead_has_many_names_and_the_overlap_is_exact() {
    let (meta, token) = account(plan(12, 3, 4, 20)).await;
    let rows = insights(&meta, &token, "fields=campaign_id,actions,objective&date_preset=maximum&level=campaign").await;
    let mut both = 0;
    for row in &rows {
        let of = |name| action(row, name);
        assert_eq!(of("lead"), of("onsite_conversion.lead_grouped") + of("offsite_conversion.fb_pixel_lead"), "{row}");
        assert_eq!(of("leadgen_grouped"), of("onsite_conversion.lead_grouped"));
        assert_eq!(of("onsite_web_lead"), of("offsite_conversion.fb_pixel_lead"));
        for name in
            ["omni_purchase", "offsite_conversion.fb_pixel_purchase", "web_in_store_purchase", "onsite_web_purchase"]
        {
            assert_eq!(of(name), of("purchase"), "{name}");
        }
        assert!(of("offsite_conversion.fb_pixel_custom") <= of("offsite_conversion.fb_pixel_lead"));
        both += i64::from(of("leadgen_grouped") > 0 && of("offsite_conversion.fb_pixel_custom") > 0);
    }
    assert!(both > 2, "leads of both kinds in one row");
}

#[tokio::test]
async fn rows_leave_out_what_is_archived_or_deleted_unless_it_is_asked_for() {
    let (meta, token) = account(plan(20, 3, 5, 20)).await;
    let range = "date_preset=maximum";
    let whole = sum(&insights(&meta, &token, &format!("fields={FIELDS}&{range}")).await);
    for level in ["ad", "adset", "campaign"] {
        let query = format!("fields={FIELDS}&{range}&level={level}");
        let shown = insights(&meta, &token, &query).await;
        let all = insights(&meta, &token, &format!("{query}&{}", status_filter(level))).await;
        assert!(shown.len() < all.len(), "{level}");
        assert!(sum(&shown).numbers[2] < whole.numbers[2], "{level}");
        assert_eq!(sum(&all), whole, "{level}");
        let words = encoded(&format!(
            r#"[{{"field":"{level}.delivery_info","operator":"IN","value":["deleted","archived"]}}]"#
        ));
        let gone = insights(&meta, &token, &format!("{query}&filtering={words}")).await;
        assert_eq!(gone.len(), all.len() - shown.len(), "{level}");
        let id = gone[0][format!("{level}_id")].as_str().unwrap();
        let own = meta.get(&format!("/{id}/insights?fields={FIELDS}&{range}"), &token).await;
        assert_eq!(own.json["data"][0]["spend"], gone[0]["spend"], "the id itself always answers");
        let named = encoded(&format!(r#"[{{"field":"{level}.id","operator":"IN","value":["{id}"]}}]"#));
        assert!(
            insights(&meta, &token, &format!("{query}&filtering={named}")).await.is_empty(),
            "not through the account"
        );
    }
}

#[tokio::test]
async fn numbers_are_text_and_what_is_not_there_is_left_out() {
    let (meta, token) = account(plan(4, 2, 3, 20)).await;
    let fields = "account_currency,account_id,account_name,action_values,actions,ad_id,ad_name,adset_id,adset_name,buying_type,\
                  campaign_id,campaign_name,clicks,conversions,cost_per_action_type,cpc,cpm,cpp,created_time,ctr,date_start,\
                  date_stop,frequency,impressions,inline_link_clicks,inline_post_engagement,objective,optimization_goal,\
                  outbound_clicks,purchase_roas,quality_ranking,reach,results,cost_per_result,social_spend,spend,unique_actions,\
                  unique_clicks,unique_ctr,updated_time,video_p25_watched_actions,video_thruplay_watched_actions,wish_bid";
    let rows =
        insights(&meta, &token, &format!("fields={fields}&level=ad&time_increment=1&date_preset=last_14d")).await;
    assert!(rows.len() > 50);
    for row in &rows {
        for (name, value) in row.as_object().unwrap() {
            match value {
                Value::String(text) => assert!(!text.is_empty(), "{name}"),
                Value::Array(list) => assert!(!list.is_empty(), "{name}"),
                other => panic!("{name} is {other}"),
            }
        }
        assert!(row.get("wish_bid").is_none() && row.get("quality_ranking").is_none());
        assert_eq!(row["date_start"], row["date_stop"]);
        let number = |name: &str| row[name].as_str().unwrap().parse::<f64>().unwrap();
        assert!(number("reach") <= number("impressions"));
        assert!((number("ctr") - 100.0 * number("clicks") / number("impressions")).abs() < 1e-4);
        if number("clicks") > 0.0 {
            assert!((number("cpc") - number("spend") / number("clicks")).abs() < 1e-4);
        }
    }
    assert!(rows.iter().any(|row| row["results"][0]["values"][0]["value"].is_string()));
    let plain = meta.get(&format!("/act_{ACCOUNT}/insights?level=ad"), &token).await;
    let first = plain.json["data"][0].as_object().unwrap();
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        ["account_id", "ad_id", "adset_id", "campaign_id", "date_start", "date_stop", "impressions", "spend"]
    );
}

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
            assert_eq!(divided.actions["lead"], whole.actions["lead"], "{level} {breakdowns}");
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
    page["paging"]["cursors"]["after"].as_str().unwrap().to_owned()
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
        // Until an hour after the next midnight there.
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
    let (meta, _) = account(with(plan(8, 2, 5, 40), json!({"active_share": 1.0}))).await;
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
    assert!(leads[1] > leads[0] && leads[7] > leads[1] && leads[27] > leads[7], "{leads:?}");
    assert!(spends[0] != spends[4] && spends[4..].iter().all(|spend| *spend == spends[4]), "{spends:?}");
    let settled = read().await;
    meta.sim("clock", json!({"advance_s": 100 * 24 * 3600})).await;
    assert_eq!(read().await, settled);
}
