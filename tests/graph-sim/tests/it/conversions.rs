//! Datasets, and the events that CRMs report to them.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, Answer, CHECK_UP, Meta};

fn crm() -> String {
    format!("8{}", &seed::PORTFOLIO[1..])
}

fn pixel() -> String {
    format!("2{}", &seed::AD_ACCOUNT[1..])
}

/// A lead's id and the time after it.
async fn lead(meta: &Meta) -> (String, i64) {
    let lead = meta.one_lead(CHECK_UP).await;
    (lead, jiff::Timestamp::now().as_second() + 1)
}

async fn events(meta: &Meta, dataset: &str, events: &Value, token: &str) -> Answer {
    meta.post_json(&format!("/{dataset}/events"), token, &json!({"data": events})).await
}

fn event(lead_id: &Value, at: i64, id: &str) -> Value {
    json!({
        "event_name": "Qualified", "event_time": at, "action_source": "system_generated", "event_id": id,
        "user_data": {"lead_id": lead_id}, "custom_data": {"event_source": "crm", "lead_event_source": "CRM"},
    })
}

#[tokio::test]
async fn datasets_are_listed_by_ad_accounts_and_businesses() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let fields = "fields=id,name,is_crm,last_fired_time";
    let owned = meta.get(&format!("/{}/owned_pixels?{fields}", seed::PORTFOLIO), &token).await;
    let is_crm: Vec<&Value> = owned.json["data"].as_array().unwrap().iter().map(|dataset| &dataset["is_crm"]).collect();
    assert_eq!(is_crm, [false, false, true], "{}", owned.text);
    let of_account = meta.get(&format!("/act_{}/adspixels?{fields}", seed::AD_ACCOUNT), &token).await;
    assert_eq!(of_account.column("id"), [pixel(), crm()]);
    let of_client = meta.get(&format!("/{}/client_pixels?{fields}", seed::PORTFOLIO), &token).await;
    assert_eq!(of_client.column("name"), ["Café Élan Tokyo website"]);
    let unknown = meta.get(&format!("/{}/owned_pixels?fields=colour", seed::PORTFOLIO), &token).await;
    assert_eq!(unknown.error(), (400, 100, None));
}

#[tokio::test]
async fn a_request_is_taken_as_a_whole_or_not_at_all() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let (lead, now) = lead(&meta).await;
    let number: Value = lead.parse::<u64>().unwrap().into();
    let good = event(&number, now, "a");
    let with = |change: Value| {
        let mut event = event(&number, now, "b");
        for (name, value) in change.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    for (bad, subcode) in [
        (with(json!({"event_time": now - 8 * 24 * 3600})), 2_804_003),
        (with(json!({"event_time": now * 1000})), 2_804_007),
        (with(json!({"event_time": now.to_string()})), 2_804_016),
        (with(json!({"event_name": ""})), 2_804_001),
        (with(json!({"action_source": "crm"})), 2_804_016),
        (with(json!({"user_data": {}})), 2_804_050),
        (with(json!({"user_data": {"lead_id": "123"}})), 2_804_016),
        (with(json!({"user_data": {"lead_id": number, "em": ["a@example.com"]}})), 2_804_016),
    ] {
        let refused = events(&meta, &crm(), &json!([good, bad]), &token).await;
        assert_eq!(refused.error(), (400, 100, Some(subcode)), "{bad}");
        assert!(refused.json["error"]["error_user_msg"].as_str().unwrap().contains("event_index 1"));
    }
    assert!(meta.truth("conversion_events").await.is_empty());
    assert_eq!(events(&meta, &crm(), &json!([]), &token).await.error(), (400, 100, None));
    assert_eq!(events(&meta, "999", &json!([good]), &token).await.error(), (400, 100, Some(33)));

    // As text the id is as good.
    let taken = events(&meta, &crm(), &json!([good, event(&json!(lead), now, "b")]), &token).await;
    assert_eq!(taken.json["events_received"], 2);
    events(&meta, &crm(), &json!([good]), &token).await;
    let truth = meta.truth("conversion_events").await;
    let told =
        |at: usize| json!([truth[at]["event_id"], truth[at]["lead_id"], truth[at]["times"], truth[at]["ignored"]]);
    assert_eq!([told(0), told(1)], [json!(["a", lead, 2, null]), json!(["b", lead, 1, null])]);
}

#[tokio::test]
async fn what_cannot_be_matched_is_taken_and_ignored() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let (lead, now) = lead(&meta).await;
    let number: Value = lead.parse::<u64>().unwrap().into();
    let mut web = event(&number, now, "web");
    web["custom_data"] = json!({"value": 5, "currency": "EUR"});
    let early = event(&number, now - 3600, "early");
    let stranger = event(&json!(123_456_789_012_345_678_u64 / 10), now, "stranger");
    let taken = events(&meta, &crm(), &json!([web, early, stranger]), &token).await;
    assert_eq!(taken.json["events_received"], 3);
    let truth = meta.truth("conversion_events").await;
    let ignored: Vec<&Value> = truth.iter().map(|event| &event["ignored"]).collect();
    assert_eq!(ignored, ["not_of_a_crm", "before_its_lead", "no_such_lead"]);
}

#[tokio::test]
async fn sending_needs_ads_management_and_a_dataset_within_reach() {
    let meta = Meta::start().await;
    let (lead, now) = lead(&meta).await;
    let sent = json!([event(&json!(lead), now, "a")]);
    let reader = meta.login(seed::MARA, "ads_read", "").await;
    assert_eq!(events(&meta, &crm(), &sent, &reader).await.error(), (403, 200, None));
    let priya = meta.login(seed::PRIYA, ALL_SCOPES, "").await;
    assert_eq!(events(&meta, &crm(), &sent, &priya).await.error(), (400, 100, Some(33)));
}
