//! An admin connects an org to Meta.

use e2e::fixtures::{LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::{MARA_ID, PRIYA_ID, with_query};
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn chosen_pages_are_connected_and_what_is_missing_is_named() {
    let tenant = OrgFixture::new("connect-all").create().await;
    let outcome = tenant.connect(MARA_ID, &[], json!({ "name": "Mara", "description": "All of it" }), &[]).await;
    assert_eq!((outcome.get("status").as_str(), outcome.get("x").as_str()), ("connected", "1"), "{}", outcome.0);
    assert_eq!(outcome.get("pages"), "6", "the page without a token stays out");

    let integration = tenant.get(&format!("/api/meta/integrations/{}", outcome.get("integrationId"))).await;
    assert_eq!(
        (integration.text("name"), integration.text("status"), integration.number("pages_count")),
        ("Mara", "active", 6)
    );
    assert_eq!(integration["assignment"], json!({ "strategy": "unassigned" }));
    let problems: Vec<_> = integration.list("problems").iter().map(|p| (p.text("code"), p.text("page_id"))).collect();
    assert_eq!(
        problems,
        [
            ("page_without_token", "104398761152367"),
            ("task_missing", "104398761152356"),
            ("page_not_subscribed", "104398761152356")
        ]
    );
    assert!(
        integration.list("problems").iter().all(|problem| problem["fix"].as_str().is_some_and(|fix| !fix.is_empty()))
    );

    let connections = tenant.items("/api/meta/connections").await;
    assert_eq!(connections.len(), 6);
    let outdoor =
        connections.iter().find(|c| c["page_id"] == "104398761152334").expect("a page that a portfolio owns comes too");
    assert_eq!(
        (outdoor.text("page_name"), outdoor.text("status"), outdoor.text("connected_by.name")),
        ("Northwind Outdoor", "active", "Sue Superadmin")
    );
    assert!(outdoor.text("page_url").starts_with("http"));

    let truth = world().sim_state().await;
    let subscribed = |id: &str| truth.find("pages", "id", id)["subscribed_fields"].clone();
    let mut fields: Vec<String> = serde_json::from_value(subscribed("104398761152301")).unwrap();
    fields.sort();
    assert_eq!(fields.len(), 13, "{fields:?}");
    assert!(["feed", "leadgen", "mention", "messages"].iter().all(|field| fields.iter().any(|known| known == field)));
    assert_eq!(subscribed("104398761152356"), json!([]));
}

#[tokio::test]
async fn sixty_pages_come_through_many_response_pages() {
    let tenant = OrgFixture::new("connect-sixty").create().await;
    let outcome = tenant.connect(PRIYA_ID, &[], Value::Null, &[]).await;
    assert_eq!((outcome.get("status"), outcome.get("pages")), ("connected".into(), "60".into()), "{}", outcome.0);
    assert_eq!(tenant.items("/api/meta/connections").await.len(), 60);
    let integrations = tenant.get("/api/meta/integrations").await;
    assert_eq!(
        (integrations.text("items.0.name"), &integrations["next_cursor"]),
        ("Green Fork 01 and 59 more", &Value::Null)
    );
}

#[tokio::test]
async fn connecting_again_keeps_the_settings_and_takes_the_pages_as_they_come() {
    let tenant = OrgFixture::new("connect-again").users(&["ann"]).create().await;
    let settings = json!({ "name": "Kept", "assignment": { "strategy": "user", "user_id": "ann" } });
    let person = world().create_person(3).await;
    let pages = &person.pages;
    let first = tenant.connect(&person.id, &[&pages[0], &pages[1]], settings, &[]).await;
    let id = first.get("integrationId");
    let path = format!("/api/meta/integrations/{id}");
    tenant.call_ok(Method::PATCH, &path, &json!({ "inbox_assignment": { "strategy": "round_robin" } })).await;
    let again = tenant.connect(&person.id, &[&pages[1], &pages[2]], json!({ "integrationId": id }), &[]).await;
    assert_eq!((again.get("status"), again.get("integrationId")), ("connected".into(), id.clone()));
    let integration = tenant.get(&format!("/api/meta/integrations/{id}")).await;
    assert_eq!((integration.text("name"), integration.text("assignment.user_id")), ("Kept", "ann"));
    assert_eq!(integration.text("inbox_assignment.strategy"), "round_robin");
    let connected = tenant.get(&format!("/api/meta/integrations/{id}/pages")).await;
    let connected: Vec<_> = connected.list("items").iter().map(|p| p.text("page_id").to_owned()).collect();
    assert_eq!(connected, pages[1..]);
    assert_eq!(tenant.items("/api/meta/integrations").await.len(), 1);
}

#[tokio::test]
async fn another_account_asks_before_it_takes_the_place_of_the_connected_one() {
    let tenant = OrgFixture::new("connect-other").create().await;
    let (one, other) = (world().create_person(2).await, world().create_person(1).await);
    let id = tenant.connect(&one.id, &[], Value::Null, &[]).await.get("integrationId");
    let pages = async || {
        let listed = tenant.items(&format!("/api/meta/integrations/{id}/pages")).await;
        let mut ids: Vec<String> = listed.iter().map(|page| page.text("page_id").to_owned()).collect();
        ids.sort();
        ids
    };
    let before = (tenant.integration(&id).await, pages().await);
    let refused = tenant.connect(&other.id, &[], json!({ "integrationId": id }), &[]).await;
    assert_eq!((refused.get("status"), refused.get("code")), ("error".into(), "other_account".into()), "{}", refused.0);
    let mut lost: Vec<String> = refused.get("lostPages").split(',').map(ToOwned::to_owned).collect();
    lost.sort();
    assert_eq!((refused.get("integrationId"), lost), (id.clone(), before.1.clone()));
    assert_eq!((tenant.integration(&id).await, pages().await), before, "nothing was changed");
    let lead = LeadFixture::new(&one.forms[0]).submit(1).await;
    tenant.wait_for_leads(&lead).await;

    // A colleague with the same pages takes over without a question: nothing is lost.
    let replaced = tenant.connect(&other.id, &[], json!({ "integrationId": id, "replace": true }), &[]).await;
    assert_eq!((replaced.get("status"), replaced.get("pages")), ("connected".into(), "1".into()), "{}", replaced.0);
    assert_eq!(pages().await, other.pages);
    assert_eq!(tenant.items("/api/meta/integrations").await.len(), 1);
}

#[tokio::test]
async fn a_persons_login_does_not_silently_end_a_token_that_lasts() {
    let tenant = OrgFixture::new("connect-kind").create().await;
    let user = world().create_system_user(json!({ "pages": 1 })).await;
    let body = json!({ "name": "Forever", "token": user.text("token") });
    let made = tenant.call_ok(Method::POST, "/api/meta/integrations", &body).await;
    let id = made.text("id");
    let person = world().create_person(1).await;
    let refused = tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await;
    assert_eq!(refused.get("code"), "other_account", "{}", refused.0);
    let seen = tenant.integration(id).await;
    assert_eq!((seen.text("token_kind"), &seen["expires_at"]), ("system_user", &Value::Null), "{seen}");

    // Nor does another system user's token end pages.
    let second = world().create_system_user(json!({ "pages": 1 })).await;
    let path = format!("/api/meta/integrations/{id}/token");
    let (status, answer) = tenant.call(Method::PUT, &path, &json!({ "token": second.text("token") })).await;
    assert_eq!((status, answer.text("code"), answer.text("field")), (409, "other_account", "replace"), "{answer}");
    let body = json!({ "token": second.text("token"), "replace": true });
    assert_eq!(tenant.call_ok(Method::PUT, &path, &body).await.number("pages_count"), 1);
}

#[tokio::test]
async fn a_refusal_says_so_and_that_development_mode_looks_the_same() {
    let tenant = OrgFixture::new("connect-denied").create().await;
    let callback =
        world().follow_redirect(with_query(&tenant.request_auth_url(Value::Null).await, &[("_sim", "deny")])).await;
    let back = e2e::tenant::Outcome(world().follow_redirect(callback).await);
    assert_eq!((back.get("status"), back.get("code")), ("denied".into(), "access_denied".into()));
    assert!(back.get("message").contains("development mode"));
    assert!(tenant.items("/api/meta/integrations").await.is_empty());
}

#[tokio::test]
async fn a_permission_that_was_not_granted_is_named_and_the_rest_works() {
    let tenant = OrgFixture::new("connect-scopeless").create().await;
    let person = world().create_person(1).await;
    let outcome = tenant.connect(&person.id, &[], Value::Null, &[("_deny_scopes", "leads_retrieval")]).await;
    assert_eq!(
        (outcome.get("status"), outcome.get("problems")),
        ("connected".into(), "scope_missing".into()),
        "{}",
        outcome.0
    );
    let integration = tenant.get(&format!("/api/meta/integrations/{}", outcome.get("integrationId"))).await;
    assert!(integration.text("problems.0.message").contains("leads_retrieval"));
    let connections = tenant.get("/api/meta/connections").await;
    let fields = connections["items"][0].list("subscribed_fields");
    assert!(fields.contains(&json!("feed")) && !fields.contains(&json!("leadgen")), "{fields:?}");
}

#[tokio::test]
async fn a_login_without_pages_comes_to_nothing_and_says_why() {
    let tenant = OrgFixture::new("connect-pageless").create().await;
    let person = world().create_person(1).await;
    let outcome = tenant.connect(&person.id, &[], Value::Null, &[("_pages", "")]).await;
    assert_eq!((outcome.get("status"), outcome.get("code")), ("error".into(), "no_pages".into()), "{}", outcome.0);
    assert!(tenant.items("/api/meta/integrations").await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_by_the_name_of_the_field() {
    let tenant = OrgFixture::new("connect-bad").create().await;
    let good = format!("{}/back", world().endpoints.url);
    for (body, status, field) in [
        (json!({}), 400, Value::Null),
        (json!({ "returnUrl": "https://evil.example/" }), 400, json!("returnUrl")),
        (json!({ "returnUrl": format!("{good}@evil.example") }), 200, Value::Null),
        (json!({ "returnUrl": good, "scopes": [] }), 400, json!("scopes")),
        (json!({ "returnUrl": good, "scopes": ["pages show list"] }), 400, json!("scopes")),
        (json!({ "returnUrl": good, "scopes": "pages_show_list" }), 400, json!("scopes")),
        (json!({ "returnUrl": good, "integrationId": "int_unknown" }), 404, json!("integrationId")),
        (json!({ "returnUrl": good, "integrationId": "../x#y" }), 404, json!("integrationId")),
        (json!({ "returnUrl": good, "name": "" }), 400, json!("name")),
        (json!({ "returnUrl": good, "name": "x".repeat(101) }), 400, json!("name")),
        (json!({ "returnUrl": good, "description": "x".repeat(501) }), 400, json!("description")),
        (json!({ "returnUrl": good, "assignment": { "strategy": "fastest" } }), 400, json!("assignment.strategy")),
        (
            json!({ "returnUrl": good, "assignment": { "strategy": "user", "user_id": "nobody" } }),
            400,
            json!("assignment.user_id"),
        ),
        (json!([]), 400, Value::Null),
    ] {
        let (got, answer) = tenant.call(Method::POST, "/api/upstream/call/facebook-provider/get-auth-url", &body).await;
        assert_eq!((got, &answer["field"]), (status, &field), "{body}: {answer}");
        assert!(got == 200 || answer["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}
