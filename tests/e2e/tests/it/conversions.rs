//! The progress of leads reaches Meta, once for each stage, and the trace says what became of it.

use std::collections::BTreeSet;

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// Chooses the CRM's dataset of the integration and returns its id.
async fn choose_dataset(tenant: &Tenant, integration: &str) -> String {
    let datasets = tenant.items(&format!("/api/meta/integrations/{integration}/datasets")).await;
    let crm = datasets.iter().find(|dataset| dataset["is_crm"] == true).unwrap();
    let id = crm.text("id").to_owned();
    let path = format!("/api/meta/integrations/{integration}/conversions");
    let chosen = tenant.call_ok(Method::PUT, &path, &json!({ "dataset_id": id })).await;
    assert_eq!((chosen.text("dataset_id"), chosen.text("events.qualified")), (id.as_str(), "Qualified Lead"));
    id
}

/// What Meta has of a dataset.
async fn events_of(dataset: &str) -> Vec<Value> {
    let state = world().sim_state().await;
    state.list("conversion_events").iter().filter(|event| event["dataset_id"] == dataset).cloned().collect()
}

async fn fire(org: &str) {
    world().call_dev_api(Method::POST, &format!("fire/conversion-worker?org={org}")).await;
}

/// Waits until Meta has this number of events of a dataset.
async fn wait_for_events(org: &str, dataset: &str, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} events of {org}"), async || {
        fire(org).await;
        let events = events_of(dataset).await;
        (events.len() >= count).then_some(events)
    })
    .await
}

async fn causes(tenant: &Tenant, lead: &str, kind: &str) -> Vec<String> {
    let trace = tenant.items(&format!("/api/leads/{lead}/trace")).await;
    trace.iter().filter(|step| step["step"] == kind).map(|step| step.text("cause").to_owned()).collect()
}

#[tokio::test]
async fn meta_learns_what_became_of_a_lead_and_the_trace_shows_it() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("conversions").connect().await;
    let dataset = choose_dataset(&tenant, &integration).await;
    let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
    tenant.wait_for_leads(&ids).await;
    let lead = format!("meta-{}", ids[0]);
    let change = json!({ "status": "qualified", "value": "250.10", "currency": "EUR", "note": "Wants two." });
    let changed = tenant.call_ok(Method::PATCH, &format!("/api/leads/{lead}"), &change).await;
    assert_eq!(
        (changed.text("value"), changed.text("currency"), changed.text("note")),
        ("250.10", "EUR", "Wants two.")
    );
    let events = wait_for_events("conversions", &dataset, 3).await;
    let qualified = events.iter().find(|event| event["event_name"] == "Qualified Lead").unwrap();
    assert_eq!((qualified.text("lead_id"), qualified.text("action_source")), (ids[0].as_str(), "system_generated"));
    assert_eq!((&qualified["value"], qualified.text("currency")), (&json!(250.1), "EUR"));
    assert_eq!(qualified.text("custom_data.event_source"), "crm");
    assert!(events.iter().all(|event| event["ignored"].is_null()), "{events:?}");
    let first: BTreeSet<&str> =
        events.iter().filter(|event| event["event_name"] == "New Lead").map(|event| event.text("lead_id")).collect();
    assert_eq!(first, ids.iter().map(String::as_str).collect());
    let sent = wait_for("the trace", async || {
        Some(causes(&tenant, &lead, "conversion_sent").await).filter(|causes| causes.len() == 2)
    })
    .await;
    assert_eq!(sent.into_iter().collect::<BTreeSet<_>>(), ["new", "qualified"].map(str::to_owned).into());
    assert_eq!(causes(&tenant, &lead, "details_changed").await, ["note, value"]);
    let settings = tenant.get(&format!("/api/meta/integrations/{integration}/conversions")).await;
    assert_eq!((settings.number("coverage.leads"), settings.number("coverage.followed")), (2, 1), "{settings}");
}

#[tokio::test]
async fn what_meta_must_not_hear_of_says_why() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("conversions-not").connect().await;
    let file = format!("id,form_id,email\n,f:{},by-hand@example.com\n", person.forms[0]);
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!((status, report.number("created")), (200, 1), "{report}");
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    let leads = tenant.wait_for_leads(&ids).await;
    let qualify = async |id: &str| {
        tenant.call_ok(Method::PATCH, &format!("/api/leads/{id}"), &json!({ "status": "qualified" })).await;
    };
    let by_hand = leads.iter().find(|lead| lead["leadgen_id"].is_null()).unwrap().text("id").to_owned();
    let real = format!("meta-{}", ids[0]);
    qualify(&real).await;
    assert_eq!(causes(&tenant, &real, "conversion_not_sent").await, ["no_dataset"]);
    let dataset = choose_dataset(&tenant, &integration).await;
    qualify(&by_hand).await;
    assert_eq!(causes(&tenant, &by_hand, "conversion_not_sent").await, ["not_from_meta"]);
    tenant.call_ok(Method::POST, "/api/meta/disconnect", &json!({})).await;
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{real}"), &json!({ "status": "lost" })).await;
    let reasons = causes(&tenant, &real, "conversion_not_sent").await;
    assert_eq!(reasons, ["no_dataset", "page_not_connected"]);
    fire("conversions-not").await;
    assert!(events_of(&dataset).await.is_empty());
    assert!(tenant.items("/api/parked").await.is_empty());
    for (change, field) in [
        (json!({ "value": "1" }), "currency"),
        (json!({ "value": "-1", "currency": "EUR" }), "value"),
        (json!({ "lost_reason": "x".repeat(501) }), "lost_reason"),
    ] {
        let (status, problem) = tenant.call(Method::PATCH, &format!("/api/leads/{real}"), &change).await;
        assert_eq!((status, problem.text("field")), (400, field), "{problem}");
    }
}

#[tokio::test]
async fn kills_and_lost_answers_leave_every_stage_reported_once() {
    const LEADS: usize = 40;
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("conversions-storm").connect().await;
    let dataset = choose_dataset(&tenant, &integration).await;
    let ids = LeadFixture::new(&person.forms[0]).submit(LEADS).await;
    tenant.wait_for_leads(&ids).await;
    let path = format!("/{dataset}/events");
    let lost = json!({ "path": path, "kind": "error", "code": 2, "status": 500, "when": "after", "times": 2 });
    world().call_sim(Method::POST, "faults", &lost).await;
    let stages = ["contacted", "qualified", "converted"];
    let mut expected = BTreeSet::new();
    for (number, stage) in stages.iter().enumerate() {
        let reached: Vec<&String> = ids.iter().skip(number * 10).collect();
        let change = async |id: &String| {
            tenant.call_ok(Method::PATCH, &format!("/api/leads/meta-{id}"), &json!({ "status": stage })).await
        };
        join_all(reached.iter().map(|id| change(id))).await;
        expected.extend(reached.iter().map(|id| format!("meta-{id}:{stage}")));
        fire("conversions-storm").await;
        if number == 1 {
            world().call_dev_api(Method::POST, "kill/conversion-worker").await;
        }
    }
    expected.extend(ids.iter().map(|id| format!("meta-{id}:new")));
    wait_for_events("conversions-storm", &dataset, expected.len()).await;
    let events = events_of(&dataset).await;
    let sent: BTreeSet<String> = events.iter().map(|event| event.text("event_id").to_owned()).collect();
    assert_eq!((sent == expected, events.len()), (true, expected.len()), "{sent:?}");
    assert!(events.iter().all(|event| event["ignored"].is_null()), "{events:?}");
}
