//! The health report: what keeps leads out, and how to fix it.

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// Returns the checks by id, after asserting that each failed check has a fix.
async fn checks(tenant: &Tenant, id: &str) -> Value {
    let report = tenant.get(&format!("/api/meta/integrations/{id}/health")).await;
    let mut by_id = serde_json::Map::new();
    for check in report.list("items") {
        assert!(check["evidence"].as_str().is_some_and(|evidence| !evidence.is_empty()), "{check}");
        assert!(check["status"] != "fail" || check["fix"].is_string(), "{check}");
        by_id.insert(check.text("id").to_owned(), check.clone());
    }
    let fails = by_id.values().any(|check| check["status"] == "fail");
    assert_eq!(report["status"], if fails { "fail" } else { "pass" });
    by_id.into()
}

#[tokio::test]
async fn a_healthy_integration_passes_every_check_once_a_lead_has_come() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("health-well").pages(2).connect().await;
    let before = checks(&tenant, &id).await;
    for id in ["token", "scopes", "page_tasks", "subscription", "lead_access", "forms", "backlog", "whatsapp"] {
        assert_eq!(before[id]["status"], "pass", "{}", before[id]);
    }
    for id in ["last_webhook", "last_lead", "app_mode"] {
        assert_eq!(before[id]["status"], "unknown", "{}", before[id]);
    }
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
    let after = checks(&tenant, &id).await;
    assert!(after.as_object().unwrap().values().all(|check| check["status"] == "pass"), "{after}");
}

#[tokio::test]
async fn each_cause_is_named_with_its_page_and_its_fix() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("health-ill").pages(2).connect().await;
    let (page, form) = (&person.pages[1], &person.forms[1]);
    let well = checks(&tenant, &id).await;
    assert_eq!(well["lead_access"]["status"], "pass", "{well}");

    world().call_sim(Method::POST, "pages", &json!({ "page_id": page, "lead_access": false })).await;
    world().call_sim(Method::POST, "forms", &json!({ "form_id": form, "status": "ARCHIVED" })).await;
    world().call_sim(Method::POST, "pages", &json!({ "page_id": page, "subscribed_fields": null })).await;
    let ill = checks(&tenant, &id).await;
    for id in ["lead_access", "forms", "subscription"] {
        assert_eq!((&ill[id]["status"], &ill[id]["page_ids"]), (&json!("fail"), &json!([page])), "{}", ill[id]);
    }
    tenant.check_integrations().await;
    let seen = tenant
        .wait_for_integration(&id, "the check", |seen| seen["problems"].to_string().contains("lead_access_denied"))
        .await;
    assert!(seen["problems"][0]["fix"].is_string());
    wait_for("the repair", async || (checks(&tenant, &id).await["subscription"]["status"] == "pass").then_some(()))
        .await;

    world().change_tokens(json!({ "action": "password", "user_id": person.id })).await;
    let dead = checks(&tenant, &id).await;
    assert_eq!(dead["token"]["status"], "fail", "{}", dead["token"]);
    assert!(dead.text("token.evidence").contains("password"));
    assert_eq!(dead["subscription"]["status"], "unknown", "what cannot be seen is not called broken");
}

#[tokio::test]
async fn a_missing_permission_and_a_missing_task_are_told_apart() {
    let ConnectedOrg { tenant, integration: id, .. } =
        OrgFixture::new("health-scope").deny_scopes("leads_retrieval").connect().await;
    let seen = checks(&tenant, &id).await;
    assert_eq!((seen.text("scopes.status"), seen.text("page_tasks.status")), ("fail", "pass"));
    assert!(seen.text("scopes.evidence").contains("leads_retrieval"));
    let id = tenant.connect(e2e::meta::MARA_ID, &["104398761152356"], Value::Null, &[]).await.get("integrationId");
    let seen = checks(&tenant, &id).await;
    assert_eq!((seen.text("scopes.status"), seen.text("page_tasks.status")), ("pass", "fail"), "{seen}");
}

#[tokio::test]
async fn tests_that_arrive_without_real_leads_point_to_development_mode() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("health-mode").connect().await;
    let secret = world().list_secrets(&id).await.remove(0).1;
    let token = secret.at("pages").text(&person.pages[0]).to_owned();
    let app_secret = world().app_secret().await;
    let proof = e2e::meta::signature(&app_secret, token.as_bytes());
    let made = world()
        .http
        .post(format!("{}/{}/test_leads", world().endpoints.graph_sim, person.forms[0]))
        .form(&[("access_token", token.as_str()), ("appsecret_proof", &proof)])
        .send()
        .await
        .unwrap();
    assert!(made.status().is_success(), "{}", made.text().await.unwrap());
    wait_for("the test lead", async || (!tenant.leads("").await.is_empty()).then_some(())).await;
    let seen = checks(&tenant, &id).await;
    assert_eq!(seen["app_mode"]["status"], "fail", "{}", seen["app_mode"]);
    assert!(seen.text("app_mode.fix").contains("Live"));
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
    assert_eq!(checks(&tenant, &id).await["app_mode"]["status"], "pass");
}
