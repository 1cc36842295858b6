//! Events reach the CRM's own endpoints: signed, each at least once, with a log from which an admin sends them again.

use std::collections::BTreeSet;

use e2e::crm::Crm;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// Adds an endpoint and returns its id and its secret.
async fn add(tenant: &Tenant, crm: &Crm, events: Value) -> (String, String) {
    let endpoint = json!({ "url": crm.url, "description": "The CRM", "events": events });
    let added = tenant.call_ok(Method::POST, "/api/webhooks", &endpoint).await;
    assert_eq!((added.text("state"), &added["active"]), ("active", &json!(true)), "{added}");
    (added.text("id").to_owned(), added.text("secret").to_owned())
}

/// Waits for a delivery in this state.
async fn wait_for_delivery(tenant: &Tenant, endpoint: &str, state: &str) -> Value {
    wait_for(&format!("a delivery that is {state}"), async || {
        let path = format!("/api/webhooks/{endpoint}/deliveries?state={state}");
        tenant.items(&path).await.into_iter().next()
    })
    .await
}

async fn fire(org: &str) {
    world().call_dev_api(Method::POST, &format!("fire/delivery-worker?org={org}")).await;
}

#[tokio::test]
async fn a_lead_reaches_the_crm_signed_and_is_sent_again_on_request() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("webhooks").connect().await;
    let crm = Crm::start().await;
    let (endpoint, secret) = add(&tenant, &crm, json!(["lead.created"])).await;
    let tested = tenant.call_ok(Method::POST, &format!("/api/webhooks/{endpoint}/test"), &Value::Null).await;
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(true), &json!(204)), "{tested}");
    crm.answer(&[500]);
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    let events =
        wait_for("the event, twice", async || Some(crm.received_of("lead.created")).filter(|events| events.len() == 2))
            .await;
    let (refused, accepted) = (&events[0], &events[1]);
    assert_eq!((refused.status, accepted.status), (500, 204));
    assert_eq!(refused.body, accepted.body, "a try is the same to the byte");
    assert_eq!(refused.header("webhook-id"), accepted.header("webhook-id"));
    assert!(refused.header("webhook-timestamp") <= accepted.header("webhook-timestamp"));
    for event in [&crm.received()[0], refused, accepted] {
        assert!(event.is_signed_with(&secret), "{event:?}");
        assert_eq!(event.header("content-type"), "application/json");
    }
    let body = accepted.json();
    let lead = format!("meta-{}", ids[0]);
    assert_eq!((body.text("data.lead.id"), body.text("data.org")), (lead.as_str(), "webhooks"));
    assert!(body["timestamp"].is_string(), "{body}");
    // The log has both tries and none of the lead's details.
    let delivery = wait_for_delivery(&tenant, &endpoint, "delivered").await;
    assert_eq!(delivery.text("id"), accepted.header("webhook-id"));
    assert_eq!((delivery.text("type"), delivery.text("lead_id")), ("lead.created", lead.as_str()));
    let attempts = delivery.list("attempts");
    let seen: Vec<_> =
        attempts.iter().map(|attempt| (attempt["status"].as_u64(), attempt["reason"].as_str())).collect();
    assert_eq!(seen, [(Some(500), Some("status_refused")), (Some(204), None)]);
    assert!(!delivery.to_string().contains("answers"), "{delivery}");
    let path = format!("/api/webhooks/{endpoint}/deliveries/{}/resend", delivery.text("id"));
    assert_eq!(tenant.call(Method::POST, &path, &Value::Null).await.0, 202);
    let again = wait_for("the event again", async || crm.received_of("lead.created").get(2).cloned()).await;
    assert_eq!((again.header("webhook-id"), &again.body), (accepted.header("webhook-id"), &accepted.body));
    assert!(again.is_signed_with(&secret));
    // Only what was chosen is sent.
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{lead}"), &json!({ "assigned_to": null })).await;
    let all = tenant.items(&format!("/api/webhooks/{endpoint}/deliveries")).await;
    assert!(all.iter().all(|delivery| delivery["type"] == "lead.created"), "{all:?}");
}

#[tokio::test]
async fn a_rotated_secret_signs_for_a_day_beside_its_successor() {
    let tenant = OrgFixture::new("webhooks-rotate").create().await;
    let crm = Crm::start().await;
    let (endpoint, first) = add(&tenant, &crm, Value::Null).await;
    let rotated = tenant.call_ok(Method::POST, &format!("/api/webhooks/{endpoint}/rotate"), &Value::Null).await;
    let second = rotated.text("secret");
    assert_ne!(first, second);
    assert!(rotated["previous_secret_until"].is_string(), "{rotated}");
    tenant.call_ok(Method::POST, &format!("/api/webhooks/{endpoint}/test"), &Value::Null).await;
    let event = &crm.received()[0];
    assert!(event.is_signed_with(&first) && event.is_signed_with(second), "{event:?}");
    let shown = tenant.get("/api/webhooks").await.to_string()
        + &tenant.get(&format!("/api/webhooks/{endpoint}")).await.to_string();
    assert!(!shown.contains("whsec_"), "{shown}");
    let stored = Value::from(world().scan_rows("").await).to_string();
    for secret in [first.as_str(), second] {
        assert!(!stored.contains(secret.trim_start_matches("whsec_")), "a secret is in no table");
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_left_alone_until_an_admin_says_otherwise() {
    let ConnectedOrg { tenant, person, admin, .. } = OrgFixture::new("webhooks-gone").admin().connect().await;
    let (gone, well) = (Crm::start().await, Crm::start().await);
    let (endpoint, _) = add(&tenant, &gone, json!(["lead.created"])).await;
    add(&tenant, &well, json!(["lead.created"])).await;
    gone.answer(&[410]);
    LeadFixture::new(&person.forms[0]).submit(1).await;
    let failed = wait_for_delivery(&tenant, &endpoint, "failed").await;
    assert_eq!(failed.text("reason"), "gone");
    let now = tenant.get(&format!("/api/webhooks/{endpoint}")).await;
    assert_eq!((now.text("state"), now.text("reason"), &now["active"]), ("disabled", "gone", &json!(false)));
    let mails = e2e::aws_probe::wait_for_mails(&admin, 1).await;
    assert!(format!("{mails:?}").contains(&endpoint), "{mails:?}");
    LeadFixture::new(&person.forms[0]).submit(1).await;
    let missed = wait_for_delivery(&tenant, &endpoint, "not_delivered").await;
    assert_eq!((missed.text("reason"), missed.number("attempts_count")), ("endpoint_inactive", 0));
    wait_for("both events at the other endpoint", async || (well.received().len() == 2).then_some(())).await;
    let path = format!("/api/webhooks/{endpoint}/deliveries/{}/resend", missed.text("id"));
    let (status, problem) = tenant.call(Method::POST, &path, &Value::Null).await;
    assert_eq!((status, problem.text("code")), (409, "endpoint_inactive"), "{problem}");
    let active = json!({ "active": true });
    let changed = tenant.call_ok(Method::PATCH, &format!("/api/webhooks/{endpoint}"), &active).await;
    assert_eq!(changed.text("state"), "active");
    assert_eq!(tenant.call(Method::POST, &path, &Value::Null).await.0, 202);
    wait_for("the missed event", async || (gone.received().len() == 2).then_some(())).await;
    assert_eq!(gone.received()[1].header("webhook-id"), missed.text("id"));
}

#[tokio::test]
async fn no_event_is_missing_after_an_outage_and_killed_workers() {
    const LEADS: usize = 30;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("webhooks-storm").connect().await;
    let crm = Crm::start().await;
    let (endpoint, secret) = add(&tenant, &crm, json!(["lead.created"])).await;
    crm.answer(&[503; 20]);
    let ids = LeadFixture::new(&person.forms[0]).submit(LEADS).await;
    wait_for("the first events", async || (crm.received().len() > 3).then_some(())).await;
    world().call_dev_api(Method::POST, "kill/delivery-worker").await;
    let accepted = wait_for("every event", async || {
        fire("webhooks-storm").await;
        let events = crm.received();
        let accepted: BTreeSet<String> = events
            .iter()
            .filter(|event| event.status == 204)
            .map(|event| event.json().text("data.lead.leadgen_id").to_owned())
            .collect();
        (accepted.len() == LEADS).then_some(accepted)
    })
    .await;
    assert_eq!(accepted, ids.into_iter().collect());
    assert!(crm.received().iter().all(|event| event.is_signed_with(&secret)));
    wait_for("an empty list of what is pending", async || {
        tenant.items(&format!("/api/webhooks/{endpoint}/deliveries?state=pending")).await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn endpoints_are_settings_of_an_admin_and_of_one_org() {
    let tenant = OrgFixture::new("webhooks-access").create().await;
    let crm = Crm::start().await;
    let (endpoint, _) = add(&tenant, &crm, Value::Null).await;
    let sales = Tenant::as_user("demo", "sales", "demo");
    let other = Tenant::as_user("other", "admin", "other");
    let of = |call: &str| format!("/api/webhooks/{endpoint}{call}");
    let calls = [
        (Method::GET, of(""), Value::Null),
        (Method::PATCH, of(""), json!({ "active": false })),
        (Method::POST, of("/rotate"), Value::Null),
        (Method::POST, of("/test"), Value::Null),
        (Method::GET, of("/deliveries"), Value::Null),
        (Method::POST, of("/deliveries/evt_1/resend"), Value::Null),
    ];
    for (method, path, body) in &calls {
        let (status, problem) = sales.call(method.clone(), path, body).await;
        assert_eq!((status, problem.text("code")), (403, "role_not_allowed"), "{method} {path}");
        let (status, problem) = other.call(method.clone(), path, body).await;
        assert_eq!((status, problem.text("code")), (404, "not_found"), "{method} {path}");
    }
    other.call_ok(Method::DELETE, &of(""), &Value::Null).await;
    assert!(crm.received().is_empty() && tenant.get(&of("")).await["active"] == true, "nothing was changed");
    // What is wrong is said by field, and changes nothing.
    for (input, field) in [
        (json!({ "url": "http://crm.example/" }), "url"),
        (json!({ "url": "https://169.254.169.254/latest/meta-data" }), "url"),
        (json!({ "url": "https://crm.internal/" }), "url"),
        (json!({ "url": "https://u:p@crm.example/" }), "url"),
        (json!({ "url": "https://crm.example:25/" }), "url"),
        (json!({ "url": crm.url, "events": [] }), "events"),
        (json!({ "url": crm.url, "events": ["lead.created", "lead.vanished"] }), "events[1]"),
        (json!({ "url": crm.url, "description": "x".repeat(201) }), "description"),
    ] {
        let (status, problem) = tenant.call(Method::POST, "/api/webhooks", &input).await;
        assert_eq!((status, problem.text("field")), (400, field), "{problem}");
        let (status, problem) = tenant.call(Method::PATCH, &of(""), &input).await;
        assert_eq!((status, problem.text("field")), (400, field), "{problem}");
    }
    let (status, problem) = tenant.call(Method::POST, "/api/webhooks", &json!({ "url": crm.url, "secret": "x" })).await;
    assert_eq!((status, problem.text("code")), (400, "field_invalid"), "{problem}");
    for _ in 1..5 {
        add(&tenant, &crm, Value::Null).await;
    }
    let (status, problem) = tenant.call(Method::POST, "/api/webhooks", &json!({ "url": crm.url })).await;
    assert_eq!((status, problem.text("code")), (400, "limit_reached"), "{problem}");
    tenant.call_ok(Method::DELETE, &of(""), &Value::Null).await;
    assert_eq!(tenant.items("/api/webhooks").await.len(), 4);
    let basic = Tenant::as_user("basic", "admin", "basic");
    assert_eq!(basic.call(Method::GET, "/api/webhooks", &Value::Null).await.0, 402);
}
