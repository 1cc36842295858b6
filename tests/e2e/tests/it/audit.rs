//! Who did what: through the API and the console, by people, programs and superadmins.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::wait_for;
use reqwest::Method;
use serde_json::{Value, json};

/// The change of a field in an act.
fn change<'a>(act: &'a Value, field: &str) -> &'a Value {
    act.find("changes", "field", field)
}

#[tokio::test]
async fn whoever_changes_something_is_in_the_audit_with_before_and_after() {
    let org = "audit";
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new(org).users(&["ann"]).connect().await;
    let lead = LeadFixture::new(person.forms[0].as_str()).submit(1).await.remove(0);
    tenant.wait_for_leads(std::slice::from_ref(&lead)).await;
    let path = format!("/api/leads/meta-{lead}");
    let patch = json!({ "status": "qualified", "note": "Has a dog called Rex", "assigned_to": "ann" });
    tenant.call_ok(Method::PATCH, &path, &patch).await;
    let (status, _) = tenant.call(Method::PATCH, &path, &json!({ "assigned_to": "nemo" })).await;
    assert_eq!(status, 400);

    let acts = tenant.items(&format!("/api/audit?subject=meta-{lead}")).await;
    assert_eq!(acts.len(), 2, "{acts:#?}");
    let [refused, done] = &acts[..] else { unreachable!() };
    assert_eq!((refused.text("outcome"), refused.text("code")), ("refused", "user_unknown"));
    assert_eq!((done.text("act"), done.text("outcome"), done.text("face")), ("changeLead", "done", "api"));
    assert_eq!(
        (&change(done, "status")["before"], &change(done, "status")["after"]),
        (&json!("new"), &json!("qualified"))
    );
    assert_eq!(change(done, "assigned_to")["after"], "ann");
    assert_eq!(change(done, "note")["after"], Value::Null, "what was noted about a person is in no record");
    assert_eq!(done.text("source"), "127.0.0.1");
    assert!(!json!(acts).to_string().contains("Rex"));

    // In the console, by a colleague, and by a superadmin who chose the org.
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    let admin = tenant.create_login("Adi Admin", "admin").await;
    browser.log_in(&admin).await;
    browser.open_page(&format!("/leads/meta-{lead}")).await;
    browser.choose("select[name=status]", "Lost").await;
    browser.press("Change status").await;
    wait_for("the act of the console", async || {
        let acts = tenant.items(&format!("/api/audit?subject=meta-{lead}")).await;
        acts.into_iter().find(|act| act["face"] == "console" && act["user_name"] == "Adi Admin")
    })
    .await;
    browser.open_page("/audit").await;
    browser.wait_for_text("Status: qualified → lost").await;
    browser.wait_for_text("Adi Admin").await;
    browser.check_page("audit").await;
    browser.close().await;

    let plan = json!({ "name": "A", "plan": { "name": "pro", "features": ["meta"] }, "keep_leads_days": 400 });
    Tenant::as_superadmin(org).call_ok(Method::PUT, &format!("/api/orgs/{org}"), &plan).await;
    let acts = tenant.items("/api/audit?act=putOrg").await;
    assert_eq!((acts[0].text("role"), &change(&acts[0], "keep_leads_days")["after"]), ("super_admin", &json!(400)));
    let root = Browser::open(PHONE).await;
    root.open_page("/orgs").await;
    root.log_in("superadmin@leadwire.example").await;
    root.open_page("/orgs").await;
    root.click(&format!("form:has(input[value='{org}']) button")).await;
    root.wait_for_text("You are now acting for").await;
    let chosen = wait_for("the choice", async || tenant.items("/api/audit?act=selectOrg").await.pop()).await;
    assert_eq!(chosen.text("role"), "super_admin");
    root.open_page("/audit").await;
    root.wait_for_text("Select org").await;
    root.check_page("audit").await;

    // Of another org nothing is seen, and what another org did is nowhere here.
    let stranger = OrgFixture::new("audit-stranger").create().await;
    assert!(stranger.items(&format!("/api/audit?subject=meta-{lead}")).await.is_empty());
    let (status, _) = stranger.call(Method::PATCH, &path, &json!({ "status": "new" })).await;
    assert_eq!(status, 404);
    let acts = tenant.all_items("/api/audit?limit=2").await;
    let ids: Vec<&str> = acts.iter().map(|act| act.text("id")).collect();
    assert!(ids.len() > 5 && ids.is_sorted_by(|later, earlier| later > earlier), "newest first, each once: {ids:?}");
    assert!(acts.iter().any(|act| act["act"] == "getAuthUrl"), "how it was connected");
    let (status, problem) = tenant.call(Method::GET, "/api/audit?from=2026-02-01&to=2026-01-01", &Value::Null).await;
    assert_eq!((status, problem.text("field")), (400, "to"));
}
