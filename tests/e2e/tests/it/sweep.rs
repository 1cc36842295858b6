//! Leads that the webhook missed.

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn what_meta_did_not_tell_of_is_found_marked_and_counted() {
    let ConnectedOrg { tenant, person, integration: id, .. } =
        OrgFixture::new("sweep-missed").users(&["ann", "bob"]).pages(2).round_robin().connect().await;
    let told = LeadFixture::new(&person.forms[0]).submit(3).await;
    tenant.wait_for_leads(&told).await;
    let mut missed = LeadFixture::new(&person.forms[0]).undelivered().submit(3).await;
    missed.extend(LeadFixture::new(&person.forms[1]).undelivered().submit(2).await);
    LeadFixture::new(&person.forms[1]).undelivered().age_s(7200).submit(1).await;

    tenant.sweep().await;
    let leads = tenant.wait_for_leads(&missed).await;
    assert_eq!(leads.len(), 8, "and none from before the connection");
    for lead in &leads {
        let expect = if missed.iter().any(|id| lead["leadgen_id"] == *id) { "sweep" } else { "webhook" };
        assert_eq!(lead["found_by"], expect);
    }
    for user in ["ann", "bob"] {
        assert_eq!(leads.iter().filter(|lead| lead["assigned_to"] == user).count(), 4, "{user}");
    }
    let pages = tenant.items(&format!("/api/meta/integrations/{id}/pages")).await;
    let of = |page: &str| pages.iter().find(|found| found["page_id"] == page).unwrap();
    assert_eq!(
        (&of(&person.pages[0])["found_by"]["webhook"], &of(&person.pages[0])["found_by"]["sweep"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(of(&person.pages[1])["found_by"]["sweep"], 2);

    // A second sweep finds nothing missing.
    tenant.sweep().await;
    wait_for("the second sweep", async || {
        let pages = tenant.get(&format!("/api/meta/integrations/{id}/pages")).await;
        let pages = pages.list("items").to_vec();
        pages.iter().all(|page| page["swept_until"].is_string()).then_some(())
    })
    .await;
    assert_eq!(tenant.leads("").await.len(), 8);
}

#[tokio::test]
async fn a_parked_lead_is_settled_and_one_that_is_not_holds_the_checkpoint() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("sweep-checkpoint").connect().await;
    let swept_until = async || {
        let page = tenant.items(&format!("/api/meta/integrations/{id}/pages")).await[0].clone();
        page["swept_until"].as_str().map(ToOwned::to_owned)
    };
    let parked = world().submit_withheld_lead(&person).await;
    tenant.wait_for_parked().await;
    tenant.sweep().await;
    let first = wait_for("a sweep", swept_until).await;

    // Meta lists a lead but refuses to show it at first: the checkpoint must not pass it until it is stored.
    let late = LeadFixture::new(&person.forms[0]).undelivered().submit(1).await;
    let fault = json!({ "path": format!("/{}", late[0]), "kind": "error", "code": 2, "status": 500, "times": 2 });
    world().call_sim(Method::POST, "faults", &fault).await;
    tenant.sweep().await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    tenant.sweep().await;
    let held = wait_for("the next sweep", async || swept_until().await.filter(|until| *until != first)).await;
    let lead = tenant.wait_for_leads(&late).await.remove(0);
    let created: jiff::Timestamp = lead.parse("created_time");
    let trace = tenant.get(&format!("/api/leads/{}/trace", lead.text("id"))).await;
    assert!(held.parse::<jiff::Timestamp>().unwrap() <= created, "{held} is past {created}: {first} {trace}");
    tenant.sweep().await;
    wait_for("the checkpoint", async || {
        swept_until().await.filter(|until| until.parse::<jiff::Timestamp>().unwrap() > created).map(drop)
    })
    .await;
    let still = tenant.get("/api/parked").await;
    assert_eq!((still.list("items").len(), &still["items"][0]["leadgen_id"]), (1, &json!(parked)));
}

#[tokio::test]
async fn what_an_outage_held_back_comes_in_by_itself_once_meta_answers() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("sweep-waiting").connect().await;
    // Older than what a sweep compares: nothing but the record that it waits brings it in.
    let old = LeadFixture::new(&person.forms[0]).undelivered().age_s(3 * 86_400).submit(1).await.remove(0);
    let (page, at) = (&person.pages[0], "2026-01-01T00:00:00Z");
    let job = json!({
        "leadgen_id": old, "page_id": page, "form_id": person.forms[0], "created_time": null,
        "received_at": at, "found_by": "webhook",
    });
    let waiting = json!({
        "pk": format!("ORG#{}#WAITING", tenant.org), "sk": format!("PAGE#{page}#LEAD#meta-{old}"), "type": "waiting",
        "leadgen_id": old, "page_id": page, "reason": "unavailable", "evidence": "2: later", "parked_at": at, "job": job,
    });
    let item: serde_dynamo::Item = serde_dynamo::to_item(waiting).unwrap();
    let put = json!({ "TableName": world().endpoints.table, "Item": item });
    world().aws().json("dynamodb", "DynamoDB_20120810.PutItem", &put).await.unwrap();

    // Meta does not answer for the page at first.
    let fault =
        json!({ "path": format!("/{page}/leadgen_forms"), "kind": "error", "code": 2, "status": 500, "times": 2 });
    world().call_sim(Method::POST, "faults", &fault).await;
    tenant.sweep().await;
    let lead = tenant.wait_for_leads(std::slice::from_ref(&old)).await.remove(0);
    assert_eq!(lead.text("found_by"), "webhook");
    let trace = tenant.get(&format!("/api/leads/meta-{old}/trace")).await;
    let replays: Vec<_> = trace.list("items").iter().filter(|step| step["step"] == "replayed").collect();
    assert_eq!((replays.len(), &replays[0]["cause"]), (1, &json!("recovered")), "{trace}");
}

#[tokio::test]
async fn a_lead_is_given_to_somebody_by_hand() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("sweep-by-hand").users(&["ann"]).inactive_users(&["dee"]).connect().await;
    let lead = tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await.remove(0);
    let path = format!("/api/leads/{}", lead.text("id"));
    let given = tenant.call_ok(Method::PATCH, &path, &json!({ "assigned_to": "ann", "status": "contacted" })).await;
    assert_eq!(
        (given.text("assigned_to"), given.text("assignment.reason"), given.text("status"), &given["answers"]),
        ("ann", "manual", "contacted", &lead["answers"])
    );
    assert_eq!(tenant.leads("assigned_to=ann&status=contacted").await.len(), 1, "the lists know it");
    for (body, field) in [
        (json!({ "assigned_to": "dee" }), "assigned_to"),
        (json!({ "assigned_to": "nobody" }), "assigned_to"),
        (json!({ "status": "sold" }), "status"),
        (json!({ "full_name": "X" }), "full_name"),
    ] {
        let (status, answer) = tenant.call(Method::PATCH, &path, &body).await;
        assert_eq!((status, answer.text("field")), (400, field), "{body}: {answer}");
    }
    let taken = tenant.call_ok(Method::PATCH, &path, &json!({ "assigned_to": null })).await;
    assert_eq!((&taken["assigned_to"], taken.text("status")), (&Value::Null, "contacted"));
    assert_eq!(tenant.call(Method::PATCH, "/api/leads/meta-1", &json!({ "status": "lost" })).await.0, 404);
    let events = wait_for("two events", async || {
        let events = tenant.events("lead.assigned").await;
        (events.len() == 2).then_some(events)
    })
    .await;
    assert_eq!((events[0].text("assigned_to"), events[1].text("assigned_before")), ("ann", "ann"));
}
