//! Meta that throttles or refuses, and connections that end.

use e2e::ad_accounts::{create_ad_accounts, link_ad_account, wait_until_ready};
use e2e::alarms::Alarm;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::tenant::Tenant;
use e2e::world::{Drill, wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

use super::wait_for_log;

#[tokio::test]
async fn a_page_that_meta_throttles_is_found_and_its_leads_come_later() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-page-limit").connect().await;
    let alarm = Alarm { id: "PagesThrottledAlarm", minute: 2.0 };
    alarm.begin_above(0.0).await;
    let limit = json!({ "page_id": person.pages[0], "calls": 1, "block_s": 2 });
    world().call_sim(Method::POST, "limits", &limit).await;
    let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
    alarm.is_raised("Pages throttled by Meta").await;
    let line = wait_for_log("lead-worker", "pages_throttled").await;
    assert!(line.contains(&person.pages[0]) && line.contains("wait"), "{line}");
    world().call_sim(Method::DELETE, "limits", &Value::Null).await;
    tenant.sweep().await;
    tenant.wait_for_leads(&ids).await;
    alarm.is_over().await;
}

/// Links an ad account and returns its org.
async fn link(org: &str, account: &str) -> Tenant {
    let tenant = OrgFixture::new(org).create().await;
    let token = create_ad_accounts(&[(account, "EUR", "Europe/Berlin")]).await;
    link_ad_account(&tenant, account, "outdoor", &token).await;
    wait_until_ready(&tenant, account).await;
    tenant
}

async fn sync(tenant: &Tenant, account: &str) {
    // One that is being read is not read again.
    tenant.call(Method::POST, "/api/meta-ads/sync", &json!({ "account_id": format!("act_{account}") })).await;
}

#[tokio::test]
async fn an_ad_account_that_cannot_be_read_is_found() {
    let _drill = Drill::begin().await;
    let account = "700910001";
    let tenant = link("drill-ads", account).await;
    let alarm = Alarm { id: "AdsSyncsAlarm", minute: 0.4 };
    alarm.begin_above(0.0).await;
    let fault = json!({ "path": format!("/act_{account}*"), "kind": "error", "code": 200, "status": 403 });
    let fault = world().call_sim(Method::POST, "faults", &fault).await;
    sync(&tenant, account).await;
    alarm.is_raised("Ad accounts unreadable").await;
    let line = wait_for_log("ads-sync", "ads_syncs_failed").await;
    assert!(line.contains(account) && line.contains("code"), "{line}");
    world().call_sim(Method::DELETE, &format!("faults?id={}", fault["id"]), &Value::Null).await;
    sync(&tenant, account).await;
    wait_for("the account to be read again", async || {
        let found = tenant.get(&format!("/api/meta-ads/accounts/act_{account}")).await;
        (found["state"] == "ready").then_some(())
    })
    .await;
    alarm.is_over().await;
}

#[tokio::test]
async fn an_ad_account_that_meta_throttles_is_found() {
    let _drill = Drill::begin().await;
    let account = "700910002";
    let tenant = link("drill-ads-limit", account).await;
    let alarm = Alarm { id: "AccountsThrottledAlarm", minute: 0.4 };
    alarm.begin_above(0.0).await;
    let refusal = json!({ "path": format!("/act_{account}*"), "kind": "error", "code": 80004, "subcode": 2_446_079, "status": 400 });
    let fault = world().call_sim(Method::POST, "faults", &refusal).await;
    sync(&tenant, account).await;
    alarm.is_raised("Ad accounts throttled by Meta").await;
    let line = wait_for_log("ads-sync", "ad_accounts_throttled").await;
    assert!(line.contains(account) && line.contains("wait_s"), "{line}");
    world().call_sim(Method::DELETE, &format!("faults?id={}", fault["id"]), &Value::Null).await;
    alarm.is_over().await;
}

#[tokio::test]
async fn an_org_whose_admin_cannot_be_told_is_found() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("drill-untold").connect().await;
    let alarm = Alarm { id: "UntoldAlarm", minute: 4.0 };
    world().change_tokens(json!({ "action": "revoke", "user_id": person.id })).await;
    tenant.check_integrations().await;
    alarm.is_raised("Admins not told").await;
    let line = wait_for_log("expiry-notice", "notices_without_recipient").await;
    assert!(line.contains("drill-untold"), "{line}");
    // The CRM names one, and the org is connected again.
    tenant.add_admin("boss").await;
    world().change_tokens(json!({ "action": "restore", "user_id": person.id })).await;
    let more = json!({ "reconnect": integration });
    tenant.connect(&person.id, &[], more, &[]).await;
    alarm.is_over().await;
}
