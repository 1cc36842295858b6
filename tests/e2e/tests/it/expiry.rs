//! Connections that end, by their dates or by a person's action at Meta, and how the org is notified.

use e2e::aws_probe::{mails_to, wait_for_mails};
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::Person;
use e2e::world::{wait_for, world};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

async fn set_expiry(person: &Person, hours: i64) {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    world().change_tokens(json!({ "action": "set_expiry", "user_id": person.id, "expires_at": at.as_second() })).await;
}

#[tokio::test]
async fn admins_are_told_seven_three_and_one_days_before_and_at_the_end_each_once() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("expiry-countdown").users(&["ann"]).admin().connect().await;
    let sales = "ann@expiry-countdown.example";
    let mut sent = 0;
    for (hours, status, news) in [
        (8 * 24, "active", false),
        (7 * 24 - 1, "expiring_soon", true),
        (6 * 24, "expiring_soon", false),
        (3 * 24 - 1, "expiring_soon", true),
        (2 * 24, "expiring_soon", false),
        (23, "expiring_soon", true),
        (5, "expiring_soon", false),
        (-1, "expired", true),
        (-2, "expired", false),
    ] {
        set_expiry(&person, hours).await;
        for _ in 0..2 {
            let before = tenant.integration(&id).await["checked_at"].clone();
            tenant.check_integrations().await;
            // An integration known to have ended is not probed again within minutes.
            if hours > 0 {
                tenant.wait_for_integration(&id, "a check", |seen| seen["checked_at"] != before).await;
            }
        }
        wait_for(&format!("{status} at {hours} hours"), async || {
            let connection = tenant.items("/api/meta/connections").await[0].clone();
            (connection["status"] == status).then_some(())
        })
        .await;
        sent += usize::from(news);
        wait_for_mails(&admin, sent).await;
    }
    // Pending work gets time to do harm.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let mails = mails_to(&admin).await;
    let subjects: Vec<&str> = mails.iter().filter_map(|mail| mail["subject"].as_str()).collect();
    assert_eq!(mails.len(), 4, "{subjects:?}");
    for (subject, expect) in subjects.iter().zip(["in 7 days", "in 3 days", "in 23 hours", "have stopped"]) {
        assert!(subject.contains(expect) && subject.contains("expiry-countdown"), "{subjects:?}");
    }
    let last = &mails[3];
    for body in [last.text("text"), last.text("html")] {
        assert!(body.contains(&format!("reconnect={id}")) && body.contains("none are lost"), "{body}");
    }
    assert!(mails_to(sales).await.is_empty(), "only admins are told");
    let expiring = tenant.events("connection.expiring").await;
    let notices: Vec<&str> = expiring.iter().filter_map(|event| event["notice"].as_str()).collect();
    assert_eq!(notices, ["7d", "3d", "1d"]);
    let expired = tenant.events("connection.expired").await;
    assert_eq!(
        (expired.len(), expired[0].text("reason"), &expired[0]["integration_id"]),
        (1, "token_expired", &json!(id))
    );
}

#[tokio::test]
async fn a_changed_password_ends_it_at_the_first_failing_call_and_reconnecting_brings_everything_back() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("expiry-password").users(&["ann"]).admin().connect().await;
    let form = &person.forms[0];
    let before = LeadFixture::new(form).submit(1).await;
    tenant.wait_for_leads(&before).await;
    tenant.call_ok(Method::PATCH, &format!("/api/meta/integrations/{id}"), &json!({ "description": "Ours" })).await;

    world().change_tokens(json!({ "action": "password", "user_id": person.id })).await;
    // No schedule is fired: the lead that cannot be read reveals the dead token.
    let meanwhile = LeadFixture::new(form).submit(3).await;
    let dead = tenant.wait_for_integration(&id, "the end", |seen| seen["status"] == "error").await;
    assert_eq!(dead["reason"], "password_changed", "{dead}");
    assert!(dead.text("reason_message").contains("password") && dead["fix"].is_string());
    assert_eq!(tenant.items("/api/meta/connections").await[0]["status"], "expired");
    for (method, call, body) in [
        (Method::POST, "sync", Value::Null),
        (Method::GET, "businesses", Value::Null),
        (Method::PUT, "pages", json!({ "page_ids": person.pages })),
    ] {
        let (status, answer) = tenant.call(method, &format!("/api/meta/integrations/{id}/{call}"), &body).await;
        assert_eq!((status, answer.text("code")), (412, "connection_expired"), "{call}: {answer}");
        assert_eq!(answer["reason"], "password_changed");
    }
    let mail = wait_for_mails(&admin, 1).await.remove(0);
    assert!(mail.text("text").contains("password"), "{mail}");
    wait_for("parked leads", async || (tenant.items("/api/parked").await.len() == 3).then_some(())).await;

    // Reconnecting restores the settings and imports the parked leads.
    let body = json!({ "return_url": format!("{}/back", world().endpoints.url) });
    let answer = tenant.call_ok(Method::POST, &format!("/api/meta/integrations/{id}/reconnect"), &body).await;
    let back = world().follow_redirect(person.consent(answer.text("auth_url")).await).await;
    assert!(back.as_str().contains("status=connected"), "{back}");
    let alive = tenant.integration(&id).await;
    assert_eq!((alive.text("status"), &alive["reason"], alive.text("description")), ("active", &Value::Null, "Ours"));
    tenant.wait_for_leads(&[before, meanwhile].concat()).await;
    wait_for("nothing parked", async || tenant.items("/api/parked").await.is_empty().then_some(())).await;
    let page = tenant.items(&format!("/api/meta/integrations/{id}/pages")).await[0].clone();
    assert_eq!(page["leads_count"], 4, "{page}");
    // After reconnecting, the integration gets notices of its own.
    world().change_tokens(json!({ "action": "checkpoint", "user_id": person.id })).await;
    tenant.check_integrations().await;
    let mails = wait_for_mails(&admin, 2).await;
    assert!(mails[1].text("text").contains("confirm their account"), "{}", mails[1]);
    assert_eq!(tenant.events("connection.connected").await.len(), 2);
}

#[tokio::test]
async fn every_way_to_die_has_its_reason() {
    for (action, reason) in [
        ("expire", "token_expired"),
        ("revoke", "token_invalid"),
        ("checkpoint", "checkpoint"),
        ("consent_blocked", "consent_blocked"),
        ("data_access_expired", "data_access_ended"),
        ("remove_app", "app_removed"),
    ] {
        let org = format!("expiry-{}", action.replace('_', "-"));
        let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new(&org).connect().await;
        world().change_tokens(json!({ "action": action, "user_id": person.id })).await;
        tenant.check_integrations().await;
        let dead = tenant.wait_for_integration(&id, action, |seen| seen["status"] == "error").await;
        assert_eq!(dead["reason"], reason, "{action}: {dead}");
    }
}

#[tokio::test]
async fn what_heals_by_itself_comes_back_with_the_leads_of_the_time_between() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("expiry-healed").users(&["ann"]).admin().connect().await;
    world().change_tokens(json!({ "action": "checkpoint", "user_id": person.id })).await;
    tenant.check_integrations().await;
    tenant.wait_for_integration(&id, "the end", |seen| seen["reason"] == "checkpoint").await;
    let told = LeadFixture::new(&person.forms[0]).submit(1).await;
    let untold = LeadFixture::new(&person.forms[0]).undelivered().submit(1).await;
    tenant.wait_for_parked().await;

    world().change_tokens(json!({ "action": "restore", "user_id": person.id })).await;
    // An integration known to have ended is not probed again within minutes, however many leads fail on it. Backdate
    // the last probe.
    let integration =
        json!({ "pk": { "S": format!("ORG#{}", tenant.org) }, "sk": { "S": format!("INTEGRATION#{id}") } });
    let earlier = json!({
        "TableName": world().endpoints.table, "Key": integration, "UpdateExpression": "SET checked_at = :t",
        "ExpressionAttributeValues": { ":t": { "S": "2020-01-01T00:00:00Z" } },
    });
    world().aws().json("dynamodb", "DynamoDB_20120810.UpdateItem", &earlier).await.unwrap();
    tenant.check_integrations().await;
    tenant.wait_for_integration(&id, "life", |seen| seen["status"] == "active").await;
    let leads = tenant.wait_for_leads(&[told, untold.clone()].concat()).await;
    let found = leads.iter().find(|lead| lead["leadgen_id"] == untold[0]).unwrap();
    assert_eq!((leads.len(), found.text("found_by")), (2, "sweep"));
    assert_eq!(mails_to(&admin).await.len(), 1);
}

#[tokio::test]
async fn a_lost_page_is_lost_alone() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("expiry-page").pages(2).admin().connect().await;
    world().change_tokens(json!({ "action": "role_lost", "user_id": person.id, "page_id": person.pages[0] })).await;
    tenant.check_integrations().await;
    let mail = wait_for_mails(&admin, 1).await.remove(0);
    assert!(mail.text("subject").contains("no more leads from the page"), "{mail}");
    let pages = tenant.items(&format!("/api/meta/integrations/{id}/pages")).await;
    let status = |id: &str| {
        pages.iter().find(|page| page["page_id"] == id).map(|page| (page["status"].clone(), page["reason"].clone()))
    };
    assert_eq!(status(&person.pages[0]), Some((json!("expired"), json!("page_role_lost"))));
    assert_eq!(status(&person.pages[1]), Some((json!("active"), Value::Null)));
    assert_eq!(tenant.integration(&id).await["status"], "active");
    assert_eq!(tenant.events("connection.page_lost").await[0]["page_id"], json!(person.pages[0]));
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[1]).submit(1).await).await;
}

#[tokio::test]
async fn what_only_looks_like_a_dead_token_ends_nothing() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("expiry-lookalikes").users(&["ann"]).admin().connect().await;
    let page = &person.pages[0];
    let fault = async |path: &str, code: u32, subcode: Value, status: u16| {
        let fault =
            json!({ "path": path, "kind": "error", "code": code, "subcode": subcode, "status": status, "times": 4 });
        world().call_sim(Method::POST, "faults", &fault).await["id"].clone()
    };
    for (code, subcode, status) in [
        (190, json!(2_069_032), 400),
        (10, json!(2_018_278), 400),
        (32, Value::Null, 400),
        (2, Value::Null, 500),
        (200, Value::Null, 403),
    ] {
        let fault = fault(&format!("/{page}/subscribed_apps"), code, subcode.clone(), status).await;
        let before = tenant.integration(&id).await["checked_at"].clone();
        tenant.check_integrations().await;
        tenant.wait_for_integration(&id, "a check", |seen| seen["checked_at"] != before).await;
        let seen = tenant.integration(&id).await;
        assert_eq!(seen["status"], "active", "{code}/{subcode}: {seen}");
        assert_eq!(tenant.items("/api/meta/connections").await[0]["status"], "active", "{code}/{subcode}");
        world()
            .call_sim(
                Method::DELETE,
                &format!("faults?id={}", fault.as_str().map_or(fault.to_string(), Into::into)),
                &Value::Null,
            )
            .await;
    }
    assert!(mails_to(&admin).await.is_empty());
}

#[tokio::test]
async fn a_subscription_that_was_lost_is_found_and_repaired() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("expiry-subscription").connect().await;
    let subscribed = async || {
        let truth = world().sim_state().await;
        let page = truth.find("pages", "id", &person.pages[0]).clone();
        page.list("subscribed_fields").len()
    };
    let before = subscribed().await;
    for left in [Value::Null, json!(["feed"])] {
        world()
            .call_sim(Method::POST, "pages", &json!({ "page_id": person.pages[0], "subscribed_fields": left }))
            .await;
        assert!(subscribed().await < before);
        let untold = LeadFixture::new(&person.forms[0]).submit(1).await;
        tenant.check_integrations().await;
        wait_for("the repair", async || (subscribed().await == before).then_some(())).await;
        tenant.wait_for_leads(&untold).await;
    }
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
    assert_eq!(tenant.integration(&id).await["problems"], json!([]));
}

#[tokio::test]
async fn a_damaged_secret_is_named_and_breaks_nothing_else() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("expiry-unreadable").users(&["ann"]).admin().connect().await;
    let other = OrgFixture::new("expiry-unreadable-not").connect().await;
    let name = world().list_secrets(&id).await.remove(0).0;
    let damaged = json!({ "SecretId": name, "SecretString": "{\"pages\":7}" });
    world().aws().json("secretsmanager", "secretsmanager.PutSecretValue", &damaged).await.unwrap();
    let (status, answer) = tenant.call(Method::POST, &format!("/api/meta/integrations/{id}/sync"), &Value::Null).await;
    assert_eq!((status, answer.text("code")), (412, "token_unreadable"), "{answer}");
    assert!(answer.text("detail").contains("could not be decrypted"));
    let dead = tenant.wait_for_integration(&id, "the end", |seen| seen["status"] == "error").await;
    assert_eq!(dead["reason"], "token_unreadable");
    wait_for_mails(&admin, 1).await;
    tenant.check_integrations().await;
    other.tenant.wait_for_leads(&LeadFixture::new(&other.person.forms[0]).submit(1).await).await;
    assert_eq!(other.tenant.integration(&other.integration).await["status"], "active");
    tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await;
    assert_eq!(tenant.integration(&id).await["status"], "active");
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
}

#[tokio::test]
async fn a_plan_that_ends_and_comes_back_loses_no_lead() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("expiry-plan").users(&["ann"]).admin().connect().await;
    tenant.put_org("Plan", &[]).await;
    // Another story's check of all integrations may have come before.
    let ended = leadwire::clock::now();
    assert_eq!(tenant.call(Method::GET, "/api/meta/integrations", &Value::Null).await.0, 402);
    let mut leads = LeadFixture::new(&person.forms[0]).submit(1).await;
    leads.extend(LeadFixture::new(&person.forms[0]).undelivered().submit(1).await);
    world().change_tokens(json!({ "action": "password", "user_id": person.id })).await;
    tenant.check_integrations().await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(mails_to(&admin).await.is_empty(), "whoever has no Meta hears nothing of it");

    world().change_tokens(json!({ "action": "restore", "user_id": person.id })).await;
    tenant.put_org("Plan", &["meta"]).await;
    let checked_at = |seen: &Value| seen.parse::<jiff::Timestamp>("checked_at");
    assert!(checked_at(&tenant.integration(&id).await) <= ended, "no check is recorded");
    tenant.check_integrations().await;
    tenant.wait_for_integration(&id, "a check", |seen| checked_at(seen) > ended).await;
    tenant.sweep().await;
    tenant.wait_for_leads(&leads).await;
    assert!(tenant.items("/api/parked").await.is_empty());
}
