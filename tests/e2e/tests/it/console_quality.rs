//! Lead quality in the console: what is reported to Meta, how far leads are followed, and what is noted about a lead.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// The events that Meta has of a dataset.
async fn events_of(dataset: &str) -> Vec<Value> {
    let state = world().sim_state().await;
    state.list("conversion_events").iter().filter(|event| event["dataset_id"] == dataset).cloned().collect()
}

#[tokio::test]
async fn an_admin_chooses_what_is_reported_and_sees_what_became_of_it() {
    let org = "console-quality";
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new(org).connect().await;
    let path = format!("/api/meta/integrations/{integration}/conversions");
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&tenant.create_login("Adi Admin", "admin").await).await;
    browser.open_page(&format!("/integrations/{integration}")).await;
    browser.press("Lead quality").await;
    browser.wait_for_text("Nothing is reported at the moment.").await;
    browser.check_page("quality-off").await;

    // A mistake stands at its field, and nothing that was typed is lost or stored.
    browser.click("input[name=on]").await;
    browser.fill("input[name='events.qualified']", "Marketing Qualified Lead").await;
    browser.fill("input[name='events.converted']", "Marketing Qualified Lead").await;
    browser.fill("input[name='events.lost']", "").await;
    browser.press("Save").await;
    browser.wait_for_text("Another status has this name.").await;
    browser.check_page("quality-mistake").await;
    assert!(tenant.get(&path).await["dataset_id"].is_null());
    browser.fill("input[name='events.converted']", "Customer").await;
    browser.press("Save").await;
    browser.wait_for_text("Saved. The progress of leads is reported.").await;
    let stored = tenant.get(&path).await;
    let events = json!({ "new": "New Lead", "contacted": "Contacted Lead", "qualified": "Marketing Qualified Lead", "converted": "Customer" });
    assert_eq!(stored["events"], events, "the one without a name is not reported");
    let dataset = stored.text("dataset_id").to_owned();
    let known = tenant.get(&format!("/api/meta/integrations/{integration}/datasets")).await;
    assert_eq!(known.find("items", "id", dataset.as_str())["is_crm"], true, "the one for CRM events was preselected");

    // A dataset that the integration does not reach is refused at the field in which it was typed.
    browser.choose("select[name=dataset_id]", "Another one, by its id").await;
    browser.fill("input[name=dataset_other]", "999999999999999").await;
    browser.press("Save").await;
    browser.wait_for_text("This integration has no access to this dataset.").await;
    assert!(browser.client.find(fantoccini::Locator::Css("#dataset_other-mistake")).await.is_ok());
    browser.open_page(&format!("/integrations/{integration}/quality")).await;

    // A test event arrives at the dataset and at no lead.
    browser.fill("aside input[name=test_event_code]", "TEST-1").await;
    browser.press("Send a test event").await;
    browser.wait_for_text("at most 50 letters and digits").await;
    assert!(events_of(&dataset).await.is_empty());
    browser.fill("aside input[name=test_event_code]", "TEST1").await;
    browser.press("Send a test event").await;
    browser.wait_for_text("Meta accepted the event “Leadwire Test”.").await;
    let sent = events_of(&dataset).await;
    assert_eq!((sent.len(), sent[0].text("test_event_code")), (1, "TEST1"));
    assert_eq!(sent[0]["ignored"], "no_such_lead");

    // What became of leads is counted, and leads to them.
    let ids = LeadFixture::new(&person.forms[0]).submit(3).await;
    tenant.wait_for_leads(&ids).await;
    for (id, status) in ids.iter().zip(["qualified", "lost"]) {
        tenant.call_ok(Method::PATCH, &format!("/api/leads/meta-{id}"), &json!({ "status": status })).await;
    }
    wait_for("the reports", async || {
        world().call_dev_api(Method::POST, &format!("fire/conversion-worker?org={org}")).await;
        (events_of(&dataset).await.len() == 5).then_some(())
    })
    .await;
    let outcomes = wait_for("the outcomes", async || {
        let found = tenant.get(&format!("{path}/outcomes")).await;
        (found["outcomes"][0]["count"] == 4).then_some(found)
    })
    .await;
    assert_eq!((outcomes.text("outcomes.0.state"), outcomes.text("outcomes.1.reason")), ("sent", "status_not_mapped"));
    browser.open_page(&format!("/integrations/{integration}/quality")).await;
    browser.wait_for_text("Of 3 leads, 1 reached a later status within 28 days").await;
    browser.wait_for_text("33.3%").await;
    browser.wait_for_text("The integration reports no event for this status.").await;
    browser.check_page("quality").await;
    browser.press("Lead 1").await;
    browser.wait_for_text("Reports to Meta").await;
    browser.check_page("quality-lead").await;
    browser.open_page(&format!("/integrations/{integration}/quality")).await;
    browser.click("input[name=on]").await;
    browser.press("Save").await;
    browser.wait_for_text("Saved. Nothing is reported.").await;
    assert!(tenant.get(&path).await["dataset_id"].is_null());
    browser.close().await;
}

#[tokio::test]
async fn a_member_notes_what_a_lead_is_worth_and_loses_nothing() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-notes").connect().await;
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&ids).await;
    let lead = format!("/api/leads/meta-{}", ids[0]);
    let browser = Browser::open(PHONE).await;
    browser.open_page("/").await;
    browser.log_in(&tenant.create_login("Adi Admin", "admin").await).await;
    browser.open_page(&format!("/leads/meta-{}", ids[0])).await;
    browser.fill("textarea[name=note]", "Wants two.\nCall on Monday.").await;
    browser.fill("input[name=value]", "1.2.3").await;
    browser.press("Save notes").await;
    browser.wait_for_text("Enter an amount such as 1250.50").await;
    browser.check_page("notes-mistake").await;
    assert!(tenant.get(&lead).await["note"].is_null(), "nothing is stored by halves");
    browser.fill("input[name=value]", "1250.50").await;
    browser.press("Save notes").await;
    browser.wait_for_text("The ISO 4217 code").await;
    browser.fill("input[name=currency]", "eur").await;
    // A colleague writes in the meantime. What they changed and this form did not stays.
    tenant.call_ok(Method::PATCH, &lead, &json!({ "status": "lost", "lost_reason": "Too far away" })).await;
    browser.press("Save notes").await;
    browser.wait_for_text("Notes saved.").await;
    let stored = tenant.get(&lead).await;
    assert_eq!(stored.text("note"), "Wants two.\nCall on Monday.");
    assert_eq!((stored.text("value"), stored.text("currency")), ("1250.50", "EUR"));
    assert_eq!(stored.text("lost_reason"), "Too far away");
    browser.check_page("notes").await;
    browser.fill("textarea[name=lost_reason]", "").await;
    browser.press("Save notes").await;
    let stored = wait_for("the notes", async || {
        let stored = tenant.get(&lead).await;
        stored["lost_reason"].is_null().then_some(stored)
    })
    .await;
    assert_eq!(stored.text("note"), "Wants two.\nCall on Monday.");
    browser.close().await;

    // A colleague who may only see leads reads the notes and cannot write.
    tenant.put_user("sal", "Sal", true).await;
    let mut sal = Guest::log_in(&tenant.create_login("Sal", "sales").await).await;
    let page = sal.get(&format!("/leads/meta-{}", ids[0])).await;
    assert!(page.text.contains("Call on Monday.") && page.text.contains("1,250.50"), "{}", page.text);
    assert!(!page.text.contains("Save notes"), "{}", page.text);
    let refused = sal.post(&format!("/leads/meta-{}/notes", ids[0]), &[("note", "Mine")]).await;
    assert_eq!(refused.status, 403);
}
