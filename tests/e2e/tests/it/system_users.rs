//! Tokens of system users: pasted, verified, stored, replaced.

use e2e::fixtures::{LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::world;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_pasted_token_connects_the_pages_of_the_system_user_and_is_never_shown() {
    let tenant = OrgFixture::new("system-pasted").create().await;
    let user = world().create_system_user(json!({ "pages": 2 })).await;
    let token = user.text("token");
    let wanted = json!({ "name": "In-house", "token": token });
    let made = tenant.call_ok(Method::POST, "/api/meta/integrations", &wanted).await;
    assert_eq!(
        (made.text("status"), made.text("token_kind"), made.number("pages_count"), &made["expires_at"]),
        ("active", "system_user", 2, &Value::Null),
        "{made}"
    );
    let id = made.text("id");
    for path in ["", "/pages", "/health", "/businesses"] {
        let shown = tenant.get(&format!("/api/meta/integrations/{id}{path}")).await.to_string();
        assert!(!shown.contains(token), "{path}");
    }
    let form = user.text("pages.0.forms.0.id");
    tenant.wait_for_leads(&LeadFixture::new(form).submit(2).await).await;
    tenant.check_integrations().await;
    let health = tenant.get(&format!("/api/meta/integrations/{id}/health")).await;
    let of = |id: &str| health.find("items", "id", id)["status"].clone();
    assert_eq!((of("token"), of("subscription"), of("lead_access")), (json!("pass"), json!("pass"), json!("unknown")));
    assert_eq!(tenant.integration(id).await["status"], "active");
}

#[tokio::test]
async fn a_token_is_replaced_without_a_gap_and_a_bad_one_changes_nothing() {
    let tenant = OrgFixture::new("system-replaced").create().await;
    let user = world().create_system_user(json!({ "pages": 1, "expires_in_days": 60 })).await;
    let first = json!({ "name": "In-house", "token": user["token"] });
    let made = tenant.call_ok(Method::POST, "/api/meta/integrations", &first).await;
    let id = made.text("id");
    let ends: Timestamp = made.parse("expires_at");
    assert!((59 * 24..=60 * 24).contains(&ends.duration_since(Timestamp::now()).as_hours()), "{ends}");
    let path = format!("/api/meta/integrations/{id}/token");
    let form = user.text("pages.0.forms.0.id").to_owned();

    let person = world().create_person(1).await;
    let outcome = tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let secret = world().list_secrets(&outcome.get("integrationId")).await.remove(0).1;
    let pageless = world().create_system_user(json!({ "pages": 1, "scopes": ["leads_retrieval"] })).await;
    for (token, code) in [
        (json!(""), "token_not_valid"),
        (json!("EAAnonsense"), "token_not_valid"),
        (secret["user_token"].clone(), "token_kind"),
        (secret["pages"][&person.pages[0]].clone(), "token_kind"),
        (pageless["token"].clone(), "no_pages"),
    ] {
        let (status, answer) = tenant.call(Method::PUT, &path, &json!({ "token": token })).await;
        assert_eq!((status, answer.text("code"), answer.text("field")), (400, code, "token"), "{answer}");
        assert!(token == "" || !answer.to_string().contains(token.text("")));
    }
    tenant.wait_for_leads(&LeadFixture::new(&form).submit(1).await).await;

    let next = world().call_sim(Method::POST, &format!("system_users/{}/tokens", user.text("id")), &json!({})).await;
    // Meta ends the page tokens of the old token now. A lead that arrives before the new token is pasted waits for it.
    let between = LeadFixture::new(&form).submit(1).await;
    let replaced = tenant.call_ok(Method::PUT, &path, &json!({ "token": next["token"] })).await;
    assert_eq!(
        (replaced.text("status"), &replaced["expires_at"], &replaced["id"]),
        ("active", &Value::Null, &json!(id))
    );
    tenant.wait_for_leads(&between).await;
    tenant.wait_for_leads(&LeadFixture::new(&form).submit(1).await).await;
}

#[tokio::test]
async fn businesses_are_listed_with_what_they_own_and_were_given() {
    let tenant = OrgFixture::new("system-business").create().await;
    let outcome = tenant.connect(e2e::meta::MARA_ID, &[], Value::Null, &[]).await;
    let id = outcome.get("integrationId");
    let businesses = tenant.get(&format!("/api/meta/integrations/{id}/businesses")).await;
    let truth = world().sim_state().await;
    let listed = businesses.list("items");
    assert!(!listed.is_empty(), "{businesses}");
    for business in listed {
        let known = truth.find("businesses", "id", &business["id"]);
        for (ours, theirs) in
            [("pages", ["owned_pages", "client_pages"]), ("ad_accounts", ["owned_ad_accounts", "client_ad_accounts"])]
        {
            let count = |edge: &str| known[edge].as_array().map_or(0, Vec::len);
            assert_eq!(business.list(ours).len(), theirs.iter().map(|edge| count(edge)).sum::<usize>(), "{business}");
        }
    }
    let outdoor =
        |business: &Value| business.list("pages").iter().find(|page| page["page_id"] == "104398761152334").cloned();
    let page = listed.iter().find_map(outdoor).expect("a page that a portfolio owns");
    assert_eq!((&page["connected"], page.text("name")), (&json!(true), "Northwind Outdoor"));

    let scopeless = world().create_person(1).await;
    let outcome = tenant.connect(&scopeless.id, &[], Value::Null, &[("_deny_scopes", "business_management")]).await;
    let path = format!("/api/meta/integrations/{}/businesses", outcome.get("integrationId"));
    let (status, answer) = tenant.call(Method::GET, &path, &Value::Null).await;
    assert_eq!((status, answer.text("code")), (502, "meta_refused"), "{answer}");
    assert!(answer.text("detail").contains("business_management"));
}
