//! Leads that do not come as they should.

use e2e::alarms::Alarm;
use e2e::aws_probe::report_bounce;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::leadgen_body;
use e2e::ops::ops;
use e2e::world::{Drill, world};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;

use super::{invoke, wait_for_log};

#[tokio::test]
async fn a_lead_that_is_parked_is_found_and_replayed() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-parked").connect().await;
    let alarm = Alarm { id: "LeadsGivenUpAlarm", minute: 0.4 };
    let id = world().submit_withheld_lead(&person).await;
    alarm.is_raised("Parked leads").await;
    let parked = ops("parked --org drill-parked").await.done();
    assert!(parked.contains("not_permitted") && parked.contains("fix: "), "{parked}");
    ops("parked replay --org drill-parked --reason not_permitted").await.done();
    tenant.wait_for_leads(&[id]).await;
    alarm.is_over().await;
}

#[tokio::test]
async fn leads_that_no_webhook_tells_of_are_found() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-missed").connect().await;
    let alarm = Alarm { id: "MissedByWebhookAlarm", minute: 2.0 };
    alarm.begin_above(5.0).await;
    let ids = LeadFixture::new(&person.forms[0]).undelivered().submit(6).await;
    tenant.sweep().await;
    alarm.is_raised("Leads missed by the webhook").await;
    tenant.wait_for_leads(&ids).await;
    // The test lead of the entry comes by the webhook again.
    let form = &person.forms[0];
    tenant.call_ok(Method::POST, &format!("/api/meta/forms/{form}/test-lead"), &json!({})).await;
    alarm.is_over().await;
}

#[tokio::test]
async fn leads_of_a_page_that_no_org_has_are_found() {
    let _drill = Drill::begin().await;
    let person = world().create_person(1).await;
    let alarm = Alarm { id: "UnconnectedPagesAlarm", minute: 0.4 };
    alarm.begin_above(0.0).await;
    let (page, form) = (&person.pages[0], &person.forms[0]);
    let id = LeadFixture::new(form).undelivered().submit(1).await.remove(0);
    assert_eq!(world().deliver(&leadgen_body(page, &id, form)).await.0, 200);
    alarm.is_raised("Leads of unconnected pages").await;
    let line = wait_for_log("lead-worker", "leads_of_unconnected_page").await;
    assert!(line.contains(page), "{line}");
    alarm.is_over().await;
}

#[tokio::test]
async fn what_meta_sends_in_a_form_that_no_one_knows_is_found() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { person, .. } = OrgFixture::new("drill-changed").connect().await;
    let alarm = Alarm { id: "WebhookLossAlarm", minute: 4.0 };
    let change = json!({ "field": "leadgen", "value": { "lead": "in another form" } });
    let body = json!({ "object": "page", "entry": [{ "id": person.pages[0], "time": 1, "changes": [change] }] });
    assert_eq!(world().deliver(body.to_string().as_bytes()).await.0, 200);
    alarm.is_raised("Changes lost").await;
    let line = wait_for_log("webhook", "changes_unreadable").await;
    assert!(!line.contains("in another form"), "{line}");
    alarm.is_over().await;
}

#[tokio::test]
async fn a_page_that_has_gone_quiet_is_found() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("drill-quiet").connect().await;
    let ids = LeadFixture::new(&person.forms[0]).submit(12).await;
    tenant.wait_for_leads(&ids).await;
    // As if its leads had been coming every hour, until some days ago.
    let (page, table) = (&person.pages[0], &world().endpoints.table);
    let long_ago = (Timestamp::now() - SignedDuration::from_hours(240)).to_string();
    let update = json!({
        "TableName": table,
        "Key": { "pk": { "S": format!("PAGE#{page}") }, "sk": { "S": format!("ORG#drill-quiet#INTEGRATION#{integration}") } },
        "UpdateExpression": "SET last_lead_at = :past, connected_at = :past, usual_silence_s = :hour, found_webhook = :many",
        "ExpressionAttributeValues": {
            ":past": { "S": long_ago }, ":hour": { "N": "3600" }, ":many": { "N": "40" },
        },
    });
    world().aws().json("dynamodb", "DynamoDB_20120810.UpdateItem", &update).await.unwrap();
    let alarm = Alarm { id: "QuietPagesAlarm", minute: 4.0 };
    tenant.sweep().await;
    alarm.is_raised("Quiet pages").await;
    let line = wait_for_log("lead-sweep", "pages_quiet").await;
    assert!(line.contains(page) && line.contains("usual_silence_s"), "{line}");
    let more = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&more).await;
    tenant.sweep().await;
    alarm.is_over().await;
}

#[tokio::test]
async fn subscriptions_that_get_lost_are_found_and_renewed() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("drill-subscribed").pages(6).connect().await;
    let alarm = Alarm { id: "SubscriptionsAlarm", minute: 0.5 };
    for page in &person.pages {
        world().call_sim(Method::POST, "pages", &json!({ "page_id": page, "subscribed_fields": ["feed"] })).await;
    }
    invoke("planner", &json!({ "job": "expiry-notice", "everything": true, "org": tenant.org })).await.unwrap();
    alarm.is_raised("Subscriptions lost").await;
    let state = world().sim_state().await;
    for page in &person.pages {
        let fields = state.find("pages", "id", page)["subscribed_fields"].to_string();
        assert!(fields.contains("leadgen"), "it is subscribed again: {fields}");
    }
    alarm.is_over().await;
}

#[tokio::test]
async fn an_address_that_bounces_is_found() {
    let _drill = Drill::begin().await;
    let ConnectedOrg { tenant, .. } = OrgFixture::new("drill-mail").users(&["ann"]).connect().await;
    let alarm = Alarm { id: "LeadMailsAlarm", minute: 4.0 };
    report_bounce("drill-mail", "ann").await;
    alarm.is_raised("Lead mails refused").await;
    let ann = tenant.items("/api/users").await.into_iter().find(|user| user["id"] == "ann").unwrap();
    assert_eq!(ann["mail_problem"]["reason"], "bounced");
    let moved =
        json!({ "name": "Ann", "email": "new@drill-mail.example", "active": true, "permissions": ["lead_management"] });
    let ann = tenant.call_ok(Method::PUT, "/api/users/ann", &moved).await;
    assert!(ann["mail_problem"].is_null(), "{ann}");
    alarm.is_over().await;
}
