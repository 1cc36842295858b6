//! What deliveries and endpoints are.

use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_body_is_what_the_scheme_recommends_and_says_whom_it_is_about() {
    let now = at("2026-01-01T00:00:00Z");
    let detail = json!({ "id": "lead.created:a.b:meta-1", "org": "a.b", "lead": { "id": "meta-1" } });
    let fact = Fact::from_bus("lead.created", now, &detail).unwrap();
    assert_eq!(fact.about, EventSubject::Lead(LeadId::parse("meta-1").unwrap()));
    let body: Value = serde_json::from_str(&fact.body).unwrap();
    assert_eq!(body, json!({ "type": "lead.created", "timestamp": "2026-01-01T00:00:00Z", "data": detail }));
    assert!(!fact.delivery_id().as_str().contains('.'), "the scheme forbids a dot");
    let message = json!({ "id": "m", "org": "a", "contact_id": "c", "lead_id": "meta-1" });
    let about = Fact::from_bus("message.received", now, &message).unwrap().about;
    assert_eq!(about, EventSubject::Contact(ContactId::parse("c").unwrap()));
    assert!(Fact::from_bus("x", now, &json!({ "org": "a" })).is_none());
}

#[test]
fn only_the_latest_tries_are_remembered_and_all_are_counted() {
    let detail = json!({ "id": "e", "org": "a" });
    let now = at("2026-01-01T00:00:00Z");
    let endpoint = tests_endpoint();
    let mut delivery = Fact::from_bus("post.failed", now, &detail).unwrap().delivery_to(&endpoint, now);
    for duration_ms in 0..30 {
        delivery.record(DeliveryTry { at: now, status: Some(500), duration_ms, reason: None });
    }
    assert_eq!((delivery.tries.len(), delivery.tries_count), (MAX_TRIES_SHOWN, 30));
    assert_eq!(delivery.tries[0].duration_ms, 10);
}

fn tests_endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::parse("end_1").unwrap(),
        url: "https://crm.example/hook".into(),
        description: String::new(),
        events: None,
        active: true,
        secret_version: 1,
        retired_secrets: vec![],
        health: EndpointHealth::default(),
        disabled: None,
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
    }
}

#[test]
fn an_earlier_secret_signs_until_its_time_is_over() {
    let until = at("2026-01-02T00:00:00Z");
    let retired = RetiredSecret { version: 1, until };
    let endpoint = Endpoint { secret_version: 2, retired_secrets: vec![retired], ..tests_endpoint() };
    assert_eq!(endpoint.signing_versions(at("2026-01-01T23:59:59Z")), [2, 1]);
    assert_eq!(endpoint.signing_versions(until), [2]);
}

#[test]
fn an_endpoint_receives_what_it_chose() {
    let chosen = Endpoint { events: Some(vec!["lead.created".into()]), ..tests_endpoint() };
    assert!(chosen.wants("lead.created") && !chosen.wants("lead.updated") && tests_endpoint().wants("new.kind"));
}
