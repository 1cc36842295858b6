//! Lists of campaigns, ad sets and ads: paging, filters and what is left out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::advertiser::{ACCOUNT, ids, plan, walk, with};
use crate::client::{Meta, read};

/// Every value of `delivery_info`, for a client that lists everything.
const EVERYTHING: &str = r#"["active","archived","completed","limited","not_delivering","deleted","not_published",
    "pending_review","permanently_deleted","recently_completed","recently_rejected","rejected","scheduled","inactive"]"#;

fn filtering(field: &str, operator: &str, value: &str) -> String {
    let text = format!(r#"[{{"field":"{field}","operator":"{operator}","value":{value}}}]"#);
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    format!("filtering={encoded}")
}

async fn account() -> (Meta, String) {
    crate::advertiser::account(plan(60, 3, 5, 30)).await
}

#[tokio::test]
async fn pages_hold_everything_once_in_both_directions() {
    let (meta, token) = account().await;
    let path = format!("/act_{ACCOUNT}/ads?fields=id,name&limit=70");
    let all = walk(&meta, &path, &token).await;
    let counted = meta.get(&format!("{path}&summary=true"), &token).await;
    assert_eq!(counted.json["summary"]["total_count"], all.len());
    assert_eq!(ids(&all).len(), all.len());
    assert!(all.windows(2).all(|pair| pair[0]["id"].as_str() > pair[1]["id"].as_str()), "newest first");

    let second = counted.json["paging"]["next"].as_str().unwrap().to_owned();
    let second =
        read(meta.http().get(second).query(&[("access_token", &token), ("appsecret_proof", &proof(&token))])).await;
    assert_eq!(second.json["data"][0], all[70]);
    let back = format!("{path}&before={}", second.json["paging"]["cursors"]["before"].as_str().unwrap());
    assert!(second.json["paging"]["previous"].is_string());
    assert_eq!(meta.get(&back, &token).await.json["data"], counted.json["data"]);
    assert_eq!(meta.get(&format!("{path}&after=nonsense"), &token).await.error(), (400, 100, None));
    assert!(counted.json["paging"]["previous"].is_null());
}

fn proof(token: &str) -> String {
    graph_sim::signing::appsecret_proof(graph_sim::seed::APP_SECRET, token)
}

#[tokio::test]
async fn archived_and_deleted_objects_show_only_when_asked_for() {
    let (meta, token) = account().await;
    for (edge, entity) in [("campaigns", "campaign"), ("adsets", "adset"), ("ads", "ad")] {
        let path = format!("/act_{ACCOUNT}/{edge}?fields=effective_status,status&limit=500");
        let statuses = |rows: &[Value]| -> BTreeSet<String> {
            rows.iter().map(|row| row["effective_status"].as_str().unwrap().to_owned()).collect()
        };
        let live = walk(&meta, &path, &token).await;
        assert!(statuses(&live).is_disjoint(&["ARCHIVED", "DELETED"].map(str::to_owned).into()), "{edge}");
        let archived = walk(&meta, &format!("{path}&effective_status=[\"ARCHIVED\"]"), &token).await;
        assert_eq!(statuses(&archived), ["ARCHIVED".to_owned()].into(), "{edge}");
        let everything = format!("{path}&{}", filtering(&format!("{entity}.delivery_info"), "IN", EVERYTHING));
        let everything = walk(&meta, &everything, &token).await;
        let deleted = everything.iter().filter(|row| row["effective_status"] == "DELETED").count();
        assert!(deleted > 0, "{edge}");
        assert_eq!(everything.len(), live.len() + archived.len() + deleted, "{edge}");
        let state = meta.sim_get("state").await;
        let known = state["ad_accounts"].as_array().unwrap().iter().find(|it| it["account_id"] == ACCOUNT).unwrap();
        assert_eq!(known["objects"][edge], everything.len());

        let refused = meta.get(&format!("{path}&effective_status=[\"ACTIVE\",\"DELETED\"]"), &token).await;
        assert_eq!(refused.error(), (400, 100, Some(1_815_001)), "{edge}");
        let by_filter = filtering(&format!("{entity}.effective_status"), "IN", r#"["DELETED"]"#);
        assert_eq!(walk(&meta, &format!("{path}&{by_filter}"), &token).await.len(), deleted, "{edge}");
        let gone = everything.iter().find(|row| row["effective_status"] == "DELETED").unwrap();
        let read = meta.get(&format!("/{}?fields=effective_status,name", gone["id"].as_str().unwrap()), &token).await;
        assert_eq!(read.json["effective_status"], "DELETED", "readable by its own id");
    }
}

#[tokio::test]
async fn status_flows_down() {
    let (meta, token) = account().await;
    let path = format!(
        "/act_{ACCOUNT}/ads?limit=500&fields=status,effective_status,adset{{status}},campaign{{status}}&{}",
        filtering("ad.delivery_info", "IN", EVERYTHING)
    );
    for ad in walk(&meta, &path, &token).await {
        let (own, adset, campaign) = (&ad["status"], &ad["adset"]["status"], &ad["campaign"]["status"]);
        let any = |status: &str| [own, adset, campaign].contains(&&json!(status));
        let expected = if any("DELETED") {
            "DELETED"
        } else if any("ARCHIVED") {
            "ARCHIVED"
        } else if own == "PAUSED" {
            "PAUSED"
        } else if campaign == "PAUSED" {
            "CAMPAIGN_PAUSED"
        } else if adset == "PAUSED" {
            "ADSET_PAUSED"
        } else {
            continue;
        };
        assert_eq!(ad["effective_status"], expected, "{ad}");
    }
}

#[tokio::test]
async fn lists_are_filtered_by_time_parent_and_id() {
    let (meta, token) = account().await;
    let path = format!("/act_{ACCOUNT}/ads?limit=500&fields=updated_time,campaign_id");
    let all = walk(&meta, &path, &token).await;
    let mut times: Vec<i64> = all.iter().map(|ad| seconds(&ad["updated_time"])).collect();
    times.sort_unstable();
    let median = times[times.len() / 2];
    let later = times.iter().filter(|time| **time > median).count();
    for filter in [
        filtering("ad.updated_time", "GREATER_THAN", &median.to_string()),
        filtering("updated_time", "GREATER_THAN", &format!("\"{median}\"")),
        format!("updated_since={}", median + 1),
    ] {
        assert_eq!(walk(&meta, &format!("{path}&{filter}"), &token).await.len(), later, "{filter}");
    }
    let campaign = all[0]["campaign_id"].as_str().unwrap();
    let of_campaign = ids(&walk(&meta, &format!("/{campaign}/ads?fields=id&limit=500"), &token).await);
    let filter = filtering("campaign.id", "IN", &format!("[\"{campaign}\",\"1\"]"));
    assert_eq!(ids(&walk(&meta, &format!("{path}&{filter}"), &token).await), of_campaign);
    let filter = filtering("ad.id", "EQUAL", &format!("\"{}\"", all[3]["id"].as_str().unwrap()));
    assert_eq!(walk(&meta, &format!("{path}&{filter}"), &token).await, [all[3].clone()]);
    for wrong in [
        filtering("ad.mood", "IN", "[\"good\"]"),
        filtering("mood", "IN", "[\"good\"]"),
        filtering("ad.updated_time", "IN", "[1]"),
        filtering("ad.delivery_info", "IN", "[\"lost\"]"),
        "filtering=nonsense".to_owned(),
        "effective_status=[\"LOST\"]".to_owned(),
    ] {
        assert_eq!(meta.get(&format!("{path}&{wrong}"), &token).await.error(), (400, 100, None), "{wrong}");
    }
    let campaigns = format!("/act_{ACCOUNT}/campaigns?{}", filtering("ad.id", "IN", "[\"1\"]"));
    assert_eq!(meta.get(&campaigns, &token).await.error(), (400, 100, None));
}

fn seconds(time: &Value) -> i64 {
    let text = time.as_str().expect("a time").replace("+0000", "Z");
    text.parse::<jiff::Timestamp>().expect("a time").as_second()
}

#[tokio::test]
async fn too_much_at_once_is_refused_by_limit_and_fields() {
    let (meta, token) = account().await;
    let heavy = "fields=id,name,targeting,adset{id,name,targeting},creative{id,body,object_story_spec,asset_feed_spec}";
    let path = |limit: u32, fields: &str| format!("/act_{ACCOUNT}/ads?limit={limit}&{fields}");
    let refused = meta.get(&path(500, heavy), &token).await;
    assert_eq!(refused.error(), (500, 1, None));
    assert!(refused.message().starts_with("Please reduce the amount of data"));
    assert_eq!(meta.get(&path(100, heavy), &token).await.status, 200);
    let light = meta.get(&path(5000, "fields=id,name"), &token).await;
    assert_eq!(light.json["data"].as_array().unwrap().len(), 500, "larger limits are cut");
    let unknown = meta.get(&path(5, "fields=id,mood"), &token).await;
    assert_eq!(unknown.message(), "(#100) Tried accessing nonexisting field (mood) on node type (Ad)");
    let inner = meta.get(&path(5, "fields=creative{mood}"), &token).await;
    assert_eq!(inner.message(), "(#100) Tried accessing nonexisting field (mood) on node type (AdCreative)");
}

#[tokio::test]
async fn edges_can_be_read_inside_of_fields() {
    let (meta, token) = account().await;
    let fields =
        "name,campaigns.limit(2){name,adsets.limit(1){id,ads.limit(2){id,insights.date_preset(last_7d){spend}}}}";
    let answer = meta.get(&format!("/act_{ACCOUNT}?fields={fields}"), &token).await.json;
    let campaigns = answer["campaigns"]["data"].as_array().unwrap();
    assert_eq!(campaigns.len(), 2);
    assert!(campaigns[0]["adsets"]["data"][0]["ads"]["data"][0]["id"].is_string());
    assert!(answer["campaigns"]["paging"]["next"].as_str().unwrap().contains("/campaigns?"));
    assert!(answer.to_string().contains("date_stop"));
}

#[tokio::test]
async fn money_is_in_smallest_units_and_currencies_differ() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    for (currency, has_cents) in [("USD", true), ("HUF", false), ("BHD", true), ("KRW", false)] {
        meta.sim("ads", with(plan(3, 2, 2, 10), json!({"currency": currency}))).await;
        let row = meta.get(&format!("/act_{ACCOUNT}/insights?fields=spend,account_currency,cpc,cpm"), &token).await;
        let row = &row.json["data"][0];
        assert_eq!(row["account_currency"], currency);
        let spend = row["spend"].as_str().unwrap();
        assert_eq!(spend.split_once('.').map(|(_, cents)| cents.len()), has_cents.then_some(2), "{currency} {spend}");
    }
}
