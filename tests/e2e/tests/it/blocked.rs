//! Connections that work and are not allowed to read leads: nothing says that all is well, and what was missed comes.

use e2e::aws_probe::wait_for_mails;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn without_the_permission_to_read_leads_everything_says_so_and_granting_it_brings_what_was_missed() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("blocked-scope").admin().deny_scopes("leads_retrieval").connect().await;
    let blocked = tenant.integration(&id).await;
    assert_eq!(
        (blocked.text("status"), blocked.text("severity"), blocked.text("reason")),
        ("error", "error", "scope_missing"),
        "{blocked}"
    );
    assert!(blocked.text("reason_message").contains("No leads can arrive") && blocked["fix"].is_string());
    assert_eq!(blocked.text("problems.0.impact"), "leads_blocked");
    let page = tenant.items("/api/meta/connections").await.remove(0);
    assert_eq!((page.text("status"), page.text("reason")), ("expired", "scope_missing"), "{page}");

    // The admins and the CRM are told once.
    let mail = wait_for_mails(&admin, 1).await.remove(0);
    assert!(mail.text("subject").contains("no leads from Meta can arrive"), "{mail}");
    assert!(mail.text("text").contains("leads_retrieval"), "{mail}");
    tenant.check_integrations().await;
    let expired = tenant.events("connection.expired").await;
    assert_eq!((expired.len(), expired[0].text("reason")), (1, "scope_missing"));
    assert_eq!(wait_for_mails(&admin, 1).await.len(), 1);

    // What people submit meanwhile is imported once the permission is granted.
    let missed = LeadFixture::new(&person.forms[0]).undelivered().submit(2).await;
    let again = tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await;
    assert_eq!(again.get("status"), "connected", "{}", again.0);
    let well = tenant.integration(&id).await;
    assert_eq!((well.text("status"), well.text("severity"), &well["reason"]), ("active", "ok", &Value::Null), "{well}");
    tenant.wait_for_leads(&missed).await;
}

#[tokio::test]
async fn a_permission_that_leads_do_not_need_stops_no_lead_and_is_told_as_what_it_is() {
    let ConnectedOrg { tenant, person, integration: id, .. } =
        OrgFixture::new("blocked-ads").admin().deny_scopes("ads_read").connect().await;
    let seen = tenant.integration(&id).await;
    assert_eq!((seen.text("status"), seen.text("severity")), ("active", "notice"), "{seen}");
    assert_eq!(seen.text("problems.0.impact"), "ads_reports");
    assert!(seen.text("problems.0.message").contains("Ad reports are not available."), "{seen}");
    let leads = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&leads).await;
    tenant.check_integrations().await;
    assert!(tenant.events("connection.expired").await.is_empty());
}

#[tokio::test]
async fn a_page_whose_leads_are_withheld_stops_alone() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("blocked-page").admin().pages(2).connect().await;
    let page = &person.pages[0];
    world().call_sim(Method::POST, "pages", &json!({ "page_id": page, "lead_access": false })).await;
    tenant.check_integrations().await;
    let state = async || {
        let pages = tenant.items("/api/meta/connections").await;
        let of = |id: &str| pages.iter().find(|page| page["page_id"] == id).cloned().unwrap_or_default();
        (of(page), of(&person.pages[1]))
    };
    let (withheld, other) = wait_for("the page", async || {
        let both = state().await;
        (both.0["reason"] == "lead_access_denied").then_some(both)
    })
    .await;
    assert_eq!((withheld.text("severity"), other.text("severity")), ("error", "ok"), "{withheld} {other}");
    let whole = tenant.integration(&id).await;
    assert_eq!((whole.text("status"), whole.text("severity")), ("active", "warning"), "{whole}");
    let mail = wait_for_mails(&admin, 1).await.remove(0);
    assert!(mail.text("text").contains("Leads Access Manager"), "{mail}");
    let lost = tenant.events("connection.page_lost").await;
    assert_eq!((lost.len(), lost[0].text("reason"), &lost[0]["page_id"]), (1, "lead_access_denied", &json!(page)));
}
