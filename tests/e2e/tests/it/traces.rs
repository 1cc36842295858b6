//! One id leads from Meta's delivery to the event at the CRM, through the logs of all functions on the way.

use e2e::crm::Crm;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// Waits for a line of a function's log about this trace.
async fn wait_for_line(function: &str, trace: &str, message: &str) -> Value {
    let url = format!("{}/_local/logs/{function}", world().endpoints.url);
    wait_for(&format!("“{message}” of {trace} in the log of {function}"), async || {
        let log = world().http.get(&url).send().await.ok()?.text().await.ok()?;
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|line| line["trace"] == trace && line["message"] == message)
    })
    .await
}

#[tokio::test]
async fn a_lead_is_followed_from_meta_s_delivery_to_the_crm() {
    let ConnectedOrg { tenant, person, integration, .. } =
        OrgFixture::new("traces").users(&["ann"]).round_robin().connect().await;
    let settings = format!("/api/meta/integrations/{integration}");
    tenant.call_ok(Method::PATCH, &settings, &json!({ "notify_assignee": true })).await;
    let crm = Crm::start().await;
    let endpoint = json!({ "url": crm.url, "description": "The CRM", "events": ["lead.created"] });
    tenant.call_ok(Method::POST, "/api/webhooks", &endpoint).await;
    let mut ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    // Otherwise Meta could deliver both at once.
    tenant.wait_for_leads(&ids).await;
    ids.extend(LeadFixture::new(&person.forms[0]).submit(1).await);
    let events = wait_for("both events", async || {
        Some(crm.received_of("lead.created")).filter(|events| events.len() == ids.len())
    })
    .await;
    let traces: Vec<String> = events.iter().map(|event| event.json().text("data.trace_id").to_owned()).collect();
    assert_ne!(traces[0], traces[1], "two deliveries of Meta's are two causes");
    for (event, trace) in events.iter().zip(&traces) {
        let lead = event.json().text("data.lead.id").to_owned();
        let stored = tenant.get(&format!("/api/leads/{lead}")).await;
        assert_eq!(stored.text("passage.trace_id"), trace.as_str(), "{stored}");
        wait_for_line("webhook", trace, "delivery taken").await;
        assert_eq!(wait_for_line("lead-worker", trace, "lead created").await.text("lead"), lead);
        wait_for_line("delivery-worker", trace, "event sent").await;
        wait_for_line("lead-notice", trace, "assignee mailed").await;
    }
}

#[tokio::test]
async fn what_a_request_causes_has_the_request_s_id() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("traces-request").connect().await;
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    let lead = tenant.wait_for_leads(&ids).await[0].text("id").to_owned();
    for note in ["one", "two"] {
        tenant.call_ok(Method::PATCH, &format!("/api/leads/{lead}"), &json!({ "note": note })).await;
    }
    let changes = wait_for("both changes", async || {
        let updated = tenant.events("lead.updated").await;
        Some(updated).filter(|events| events.len() == 2)
    })
    .await;
    let traces: Vec<&str> = changes.iter().map(|event| event.text("trace_id")).collect();
    assert_ne!(traces[0], traces[1], "{changes:?}");
    let created = &tenant.events("lead.created").await[0];
    assert!(!traces.contains(&created.text("trace_id")), "{created}");
}
