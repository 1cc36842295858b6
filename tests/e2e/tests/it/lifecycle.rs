//! The life of an integration: draft, settings, pages, two orgs sharing a page, deletion and return.

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

async fn is_subscribed(page: &str) -> bool {
    let truth = world().sim_state().await;
    let page = truth.find("pages", "id", page).clone();
    page["subscribed_fields"].as_array().is_some_and(|fields| !fields.is_empty())
}

async fn has_secret(id: &str) -> bool {
    !world().list_secrets(id).await.is_empty()
}

fn page_ids(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| item["page_id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_draft_becomes_a_connection_and_keeps_what_was_set() {
    let tenant = OrgFixture::new("life-draft").users(&["ann"]).create().await;
    let wanted =
        json!({ "name": " Spring ", "description": "d", "assignment": { "strategy": "user", "user_id": "ann" } });
    let draft = tenant.call_ok(Method::POST, "/api/meta/integrations", &wanted).await;
    assert_eq!(
        (draft.text("name"), draft.text("status"), draft.text("reason"), draft.number("pages_count")),
        ("Spring", "error", "not_connected", 0)
    );
    let id = draft.text("id");
    let (status, answer) = tenant.call(Method::POST, &format!("/api/meta/integrations/{id}/sync"), &Value::Null).await;
    assert_eq!((status, answer.text("reason")), (412, "not_connected"));
    let person = world().create_person(1).await;
    let outcome = tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await;
    assert_eq!((outcome.get("status"), outcome.get("integrationId")), ("connected".into(), id.to_owned()));
    let seen = tenant.integration(id).await;
    assert_eq!((seen.text("name"), seen.text("status"), seen.text("assignment.user_id")), ("Spring", "active", "ann"));
    let leads = tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
    assert_eq!(leads[0]["assigned_to"], "ann");
}

#[tokio::test]
async fn settings_are_changed_one_by_one_and_touch_only_what_comes() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("life-settings")
        .users(&["ann"])
        .settings(&json!({ "name": "A", "description": "B" }))
        .connect()
        .await;
    let path = format!("/api/meta/integrations/{id}");
    let first = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&first).await;
    let changed =
        tenant.call_ok(Method::PATCH, &path, &json!({ "assignment": { "strategy": "user", "user_id": "ann" } })).await;
    assert_eq!((changed.text("name"), changed.text("description")), ("A", "B"));
    tenant.call_ok(Method::PATCH, &path, &json!({ "name": "C", "description": "" })).await;
    let second = LeadFixture::new(&person.forms[0]).submit(1).await;
    let leads = tenant.wait_for_leads(&[first.clone(), second.clone()].concat()).await;
    let assigned = |id: &str| leads.iter().find(|lead| lead["leadgen_id"] == id).unwrap()["assigned_to"].clone();
    assert_eq!((assigned(&first[0]), assigned(&second[0])), (Value::Null, json!("ann")));
    for (body, field) in [
        (json!({ "name": "" }), "name"),
        (json!({ "name": null, "description": "x".repeat(501) }), "description"),
        (json!({ "assignment": { "strategy": "user", "user_id": "nobody" } }), "assignment.user_id"),
        (json!({ "assignment": { "strategy": "fastest" } }), "assignment.strategy"),
        (json!({ "nmae": "D" }), "nmae"),
    ] {
        let (status, answer) = tenant.call(Method::PATCH, &path, &body).await;
        assert_eq!((status, answer.text("field")), (400, field), "{body}: {answer}");
    }
    let seen = tenant.integration(&id).await;
    assert_eq!((seen.text("name"), seen.text("description"), seen.text("assignment.user_id")), ("C", "", "ann"));
    let stranger = OrgFixture::new("life-stranger").create().await;
    for (method, body) in [(Method::PATCH, json!({ "name": "D" })), (Method::DELETE, Value::Null)] {
        assert_eq!(stranger.call(method, &path, &body).await.0, 404, "another org's integration is none");
    }
}

#[tokio::test]
async fn pages_are_chosen_and_left_out_and_what_they_counted_stays() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("life-pages").pages(3).connect().await;
    let path = format!("/api/meta/integrations/{id}/pages");
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(2).await).await;

    let chosen = tenant.call_ok(Method::PUT, &path, &json!({ "page_ids": [person.pages[1]] })).await;
    assert_eq!((page_ids(&chosen["items"]), page_ids(&chosen["available"]).len()), (vec![person.pages[1].clone()], 2));
    assert_eq!(tenant.integration(&id).await["pages_count"], 1);
    assert_eq!(page_ids(&tenant.get("/api/meta/connections").await["items"]), [person.pages[1].clone()]);
    assert!(!is_subscribed(&person.pages[0]).await && is_subscribed(&person.pages[1]).await);
    // Meta may still send webhooks for a page that was left out.
    LeadFixture::new(&person.forms[0]).submit(1).await;

    for (body, status, field) in [
        (json!({ "page_ids": [] }), 400, json!("page_ids")),
        (json!({ "page_ids": [person.pages[0], "1"] }), 400, json!("page_ids[1]")),
        (json!({ "page_ids": ["x"] }), 400, json!("page_ids[0]")),
        (json!({}), 400, Value::Null),
    ] {
        let (got, answer) = tenant.call(Method::PUT, &path, &body).await;
        assert_eq!((got, &answer["field"]), (status, &field), "{body}: {answer}");
    }
    assert_eq!(
        page_ids(&tenant.get(&path).await["items"]),
        [person.pages[1].clone()],
        "what is refused changes nothing"
    );

    // Reconnecting preserves the choice of pages; the pages ticked in Meta's dialog do not replace it.
    tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await;
    assert_eq!(page_ids(&tenant.get(&path).await["items"]), [person.pages[1].clone()]);
    let back = tenant.call_ok(Method::PUT, &path, &json!({ "page_ids": [person.pages[0], person.pages[1]] })).await;
    let first = back.find("items", "page_id", &person.pages[0]);
    assert_eq!(first["leads_count"], 2, "what it had counted, and nothing of the time between: {first}");
    assert!(is_subscribed(&person.pages[0]).await);
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
    assert_eq!(tenant.leads("").await.len(), 3);
}

#[tokio::test]
async fn a_page_of_two_orgs_stays_subscribed_until_the_last_of_them_leaves() {
    let (first, second) = (OrgFixture::new("life-two-a").create().await, OrgFixture::new("life-two-b").create().await);
    let person = world().create_person(1).await;
    let page = &person.pages[0];
    let first_id = first.connect(&person.id, &[], Value::Null, &[]).await.get("integrationId");
    let second_id = second.connect(&person.id, &[], Value::Null, &[]).await.get("integrationId");
    let before = LeadFixture::new(&person.forms[0]).submit(2).await;
    first.wait_for_leads(&before).await;
    second.wait_for_leads(&before).await;

    assert_eq!(first.call(Method::DELETE, &format!("/api/meta/integrations/{first_id}"), &Value::Null).await.0, 204);
    assert!(is_subscribed(page).await, "the other org still uses it");
    assert!(!has_secret(&first_id).await && has_secret(&second_id).await);
    assert_eq!(first.call(Method::GET, &format!("/api/meta/integrations/{first_id}"), &Value::Null).await.0, 404);
    let after = LeadFixture::new(&person.forms[0]).submit(1).await;
    second.wait_for_leads(&after).await;
    assert_eq!(first.leads("").await.len(), 2, "leads that came stay, and no more come");
    assert_eq!(first.events("connection.disconnected").await.len(), 1);

    let gone = second.call_ok(Method::POST, "/api/meta/disconnect", &Value::Null).await;
    assert_eq!(gone["disconnected"], 1);
    assert!(!is_subscribed(page).await);
    assert!(second.items("/api/meta/connections").await.is_empty());
    assert_eq!(second.leads("").await.len(), 3);
    assert_eq!(second.call_ok(Method::POST, "/api/meta/disconnect", &Value::Null).await["disconnected"], 0, "again");
    assert_eq!(second.call(Method::DELETE, &format!("/api/meta/integrations/{second_id}"), &Value::Null).await.0, 404);

    // This works within minutes: the old secrets are still being deleted, but the new ones have other names.
    let back = second.connect(&person.id, &[], Value::Null, &[]).await;
    assert_eq!(back.get("status"), "connected", "{}", back.0);
    assert!(is_subscribed(page).await);
    second.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
}

#[tokio::test]
async fn an_org_that_was_granted_less_takes_nothing_from_another() {
    let (first, second) = (OrgFixture::new("life-more").create().await, OrgFixture::new("life-less").create().await);
    let person = world().create_person(1).await;
    first.connect(&person.id, &[], Value::Null, &[]).await;
    let scopes = ["pages_show_list", "pages_read_engagement", "pages_manage_metadata", "business_management"];
    // Another identity at Meta with fewer permissions on the same page.
    let user = world().create_system_user(json!({ "pages": [person.pages[0]], "scopes": scopes })).await;
    let pasted = json!({ "name": "Less", "token": user["token"] });
    let made = second.call_ok(Method::POST, "/api/meta/integrations", &pasted).await;
    assert!(made["problems"].to_string().contains("leads_retrieval"), "{made}");
    first.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
    let id = made.text("id");
    assert_eq!(second.call(Method::DELETE, &format!("/api/meta/integrations/{id}"), &Value::Null).await.0, 204);
    first.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
}

#[tokio::test]
async fn a_deletion_that_stops_half_way_is_gone_on_with() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("life-half").connect().await;
    let path = format!("/{}/subscribed_apps", person.pages[0]);
    let fault = json!({ "path": path, "method": "DELETE", "kind": "error", "code": 2, "status": 500, "times": 3 });
    world().call_sim(Method::POST, "faults", &fault).await;
    let (status, _) = tenant.call(Method::DELETE, &format!("/api/meta/integrations/{id}"), &Value::Null).await;
    assert_eq!(status, 202);
    assert!(tenant.items("/api/meta/integrations").await.is_empty(), "for the admin it is gone");
    assert_eq!(tenant.call(Method::GET, &format!("/api/meta/integrations/{id}/pages"), &Value::Null).await.0, 404);
    let dead_end = json!({ "returnUrl": world().endpoints.url, "integrationId": id });
    let (status, _) = tenant.call(Method::POST, "/api/upstream/call/facebook-provider/get-auth-url", &dead_end).await;
    assert_eq!(status, 404, "what is being deleted cannot be connected again");
    wait_for("the end of it", async || {
        (!is_subscribed(&person.pages[0]).await && !has_secret(&id).await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_login_for_an_integration_that_was_deleted_meanwhile_does_not_bring_it_back() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("life-deleted").connect().await;
    let dialog = tenant.request_auth_url(json!({ "integrationId": id })).await;
    assert_eq!(tenant.call(Method::DELETE, &format!("/api/meta/integrations/{id}"), &Value::Null).await.0, 204);
    let back = world().follow_redirect(person.consent(&dialog).await).await;
    assert!(back.as_str().contains("code=integration_deleted"), "{back}");
    assert!(tenant.items("/api/meta/integrations").await.is_empty());
}

#[tokio::test]
async fn sync_brings_in_what_meta_did_not_tell_of() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("life-sync").pages(2).connect().await;
    let told = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&told).await;
    let mut untold = LeadFixture::new(&person.forms[0]).undelivered().submit(2).await;
    untold.extend(LeadFixture::new(&person.forms[1]).undelivered().submit(1).await);
    // Leads from before the connection are not requested.
    LeadFixture::new(&person.forms[1]).undelivered().age_s(86_400).submit(1).await;
    let path = format!("/api/meta/integrations/{id}/sync");
    assert_eq!(tenant.call_ok(Method::POST, &path, &Value::Null).await["found"], 3);
    let leads = tenant.wait_for_leads(&untold).await;
    assert_eq!(leads.len(), 4);
    assert!(
        leads
            .iter()
            .filter(|lead| untold.iter().any(|id| lead["leadgen_id"] == *id))
            .all(|lead| lead["found_by"] == "sync")
    );
    assert_eq!(tenant.call_ok(Method::POST, &path, &Value::Null).await["found"], 0);
}
