//! The trace of a lead for operators, and the effects of throttling.

use std::time::Duration;

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::leadgen_body;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

async fn steps(tenant: &Tenant, id: &str) -> Vec<(String, String)> {
    let (status, trace) = tenant.call(Method::GET, &format!("/api/leads/{id}/trace"), &Value::Null).await;
    if status == 404 {
        return Vec::new();
    }
    let items = trace.list("items");
    let times: Vec<&str> = items.iter().map(|step| step.text("at")).collect();
    assert!(
        times.windows(2).all(|pair| pair[0].parse::<jiff::Timestamp>().unwrap() <= pair[1].parse().unwrap()),
        "{trace}"
    );
    assert!(items.iter().all(|step| {
        step["detail"]
            .as_str()
            .is_some_and(|detail| detail.ends_with('.') || step["step"] == "tried" || step["step"] == "parked")
    }));
    items.iter().map(|step| (step.text("step").to_owned(), step.text("cause").to_owned())).collect()
}

fn names(steps: &[(String, String)]) -> Vec<String> {
    steps.iter().map(|(step, cause)| format!("{step} {cause}")).collect()
}

const LIFE_STEPS: [&str; 6] = [
    "received webhook",
    "fetched graph",
    "mapped question_types",
    "deduplicated new_person",
    "assigned turn",
    "published lead.created",
];

#[tokio::test]
async fn a_lead_tells_its_life_step_by_step() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("trace").users(&["ann", "bob"]).round_robin().connect().await;
    let answers = json!({ "full_name": "Pat", "email": "pat@example.com" });
    let first = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    let lead = tenant.wait_for_leads(&first).await.remove(0);
    let id = lead.text("id");
    let published = wait_for("the publication", async || {
        let steps = steps(&tenant, id).await;
        steps.iter().any(|(step, _)| step == "published").then_some(steps)
    })
    .await;
    assert_eq!(names(&published), LIFE_STEPS);
    let second = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    let other = if lead["assigned_to"] == "ann" { "bob" } else { "ann" };
    tenant
        .call_ok(Method::PATCH, &format!("/api/leads/{id}"), &json!({ "assigned_to": other, "status": "contacted" }))
        .await;
    let all = wait_for("the repeat", async || {
        let steps = steps(&tenant, id).await;
        (steps.len() == 10).then_some(steps)
    })
    .await;
    let mut later = names(&all[6..]);
    later.sort();
    let expected = ["conversion_not_sent no_dataset", "joined email", "reassigned manual", "status_changed contacted"];
    assert_eq!(later, expected);
    assert_eq!(names(&all[..6])[..4], LIFE_STEPS[..4]);
    let repeat = wait_for("the publication of the repeat", async || {
        let steps = steps(&tenant, &format!("meta-{}", second[0])).await;
        (steps.len() == 5).then_some(steps)
    })
    .await;
    assert_eq!(names(&repeat)[3..], ["deduplicated email", "published lead.updated"]);
    assert_eq!(tenant.call(Method::GET, "/api/leads/meta-1/trace", &Value::Null).await.0, 404);
    let other = OrgFixture::new("trace-other").create().await;
    assert_eq!(other.call(Method::GET, &format!("/api/leads/{id}/trace"), &Value::Null).await.0, 404);

    // The latency report covers both submissions.
    let latency = tenant.get("/api/leads/latency").await;
    assert_eq!((latency.number("leads"), latency.number("within_2_minutes")), (2, 2), "{latency}");
    assert!(latency["p50_s"].as_f64() <= latency["p95_s"].as_f64(), "{latency}");
    assert_eq!(latency.list("items").len(), 1);
    for bad in ["from=x", "to=2026-13-01", "from=2026-01-02&to=2026-01-01", "from=2020-01-01", "form=1"] {
        let (status, answer) = tenant.call(Method::GET, &format!("/api/leads/latency?{bad}"), &Value::Null).await;
        assert!(status == 400 && answer["detail"].is_string(), "{bad}: {answer}");
    }
}

#[tokio::test]
async fn what_could_not_be_fetched_says_why_and_one_click_brings_it_in() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("trace-parked").users(&["ann"]).round_robin().connect().await;
    let id = LeadFixture::new(&person.forms[0]).undelivered().submit(1).await.remove(0);
    for (times, code, status) in [(1, 2, 500), (1, 200, 403)] {
        let fault =
            json!({ "path": format!("/{id}"), "kind": "error", "code": code, "status": status, "times": times });
        world().call_sim(Method::POST, "faults", &fault).await;
    }
    assert_eq!(world().deliver(&leadgen_body(&person.pages[0], &id, &person.forms[0])).await.0, 200);
    let lead = format!("meta-{id}");
    let parked = tenant.wait_for_parked().await;
    assert_eq!((parked.text("reason"), &parked["leadgen_id"]), ("not_permitted", &json!(id)));
    assert_eq!(
        names(&steps(&tenant, &lead).await),
        ["tried unavailable", "parked not_permitted"],
        "it tells its life before it is in"
    );
    let first = tenant.get("/api/parked?limit=1").await;
    assert_eq!((first.list("items").len(), &first["next_cursor"]), (1, &Value::Null));

    let replayed = tenant.call_ok(Method::POST, "/api/parked/replay", &json!({ "leadgen_ids": [id] })).await;
    assert_eq!(replayed["replayed"], 1);
    tenant.wait_for_leads(std::slice::from_ref(&id)).await;
    let all = wait_for("the publication", async || {
        let steps = steps(&tenant, &lead).await;
        steps.iter().any(|(step, _)| step == "published").then_some(steps)
    })
    .await;
    let all = names(&all);
    assert!(all.contains(&"replayed manual".to_owned()) && all.contains(&"assigned turn".to_owned()), "{all:?}");
    assert!(tenant.items("/api/parked").await.is_empty());
}

#[tokio::test]
async fn a_throttled_page_is_left_alone_and_holds_nobody_up() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("throttled").pages(2).connect().await;
    // The first leads load the forms, so that each later lead costs one call.
    let mut ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    ids.extend(LeadFixture::new(&person.forms[1]).submit(1).await);
    tenant.wait_for_leads(&ids).await;
    let limit = json!({ "page_id": person.pages[0], "calls": 2, "window_s": 3600, "block_s": 20 });
    world().call_sim(Method::POST, "limits", &limit).await;
    let held = LeadFixture::new(&person.forms[0]).submit(6).await;
    let free = LeadFixture::new(&person.forms[1]).submit(3).await;
    tenant.wait_for_leads(&free).await;
    let blocked = async || {
        let limits = world().call_sim(Method::GET, "limits", &Value::Null).await;
        limits.find("limits", "page_id", &person.pages[0]).clone()
    };
    wait_for("the block", async || (blocked().await.number("calls_while_blocked") > 0).then_some(())).await;
    wait_for("the pause", async || (!steps(&tenant, &format!("meta-{}", held[5])).await.is_empty()).then_some(()))
        .await;
    // More leads, a sweep and a sync make no calls for the page while Meta blocks it.
    let more = LeadFixture::new(&person.forms[0]).submit(5).await;
    tenant.sweep().await;
    let (status, answer) = tenant.call(Method::POST, &format!("/api/meta/integrations/{id}/sync"), &Value::Null).await;
    assert!(status == 503 && answer["code"] == "meta_throttled", "{status} {answer}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    for id in &more {
        assert!(steps(&tenant, &format!("meta-{id}")).await.is_empty(), "nobody asks Meta for {id}");
    }
    let waiting = tenant.leads("").await.len();
    assert!(waiting < 5 + held.len() + more.len(), "{waiting} are in: nothing was throttled");
    world().call_sim(Method::DELETE, "limits", &Value::Null).await;
    wait_for("what was held", async || (tenant.leads("").await.len() == 5 + held.len() + more.len()).then_some(()))
        .await;
    let parked = tenant.get("/api/parked").await;
    assert!(parked.list("items").is_empty(), "waiting is not failing: {parked}");
}

#[tokio::test]
async fn what_the_crm_is_told_is_what_the_description_says() {
    let ConnectedOrg { tenant, person, integration: id, .. } =
        OrgFixture::new("events").users(&["ann"]).connect().await;
    let answers = json!({ "email": "pat@example.com" });
    let first = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    tenant.wait_for_leads(&first).await;
    tenant.call_ok(Method::PATCH, &format!("/api/leads/meta-{}", first[0]), &json!({ "assigned_to": "ann" })).await;
    LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    wait_for("the repeat", async || tenant.events("lead.updated").await.pop()).await;
    assert_eq!(tenant.call(Method::DELETE, &format!("/api/meta/integrations/{id}"), &Value::Null).await.0, 204);
    let description = tenant.get("/openapi.json").await;
    for kind in ["lead.created", "lead.updated", "lead.assigned", "connection.connected", "connection.disconnected"] {
        let published = wait_for(kind, async || tenant.events(kind).await.pop()).await;
        let body = &description["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]["schema"];
        let schema = json!({ "$ref": body["$ref"], "components": description["components"] });
        let schema = jsonschema::draft202012::new(&schema).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&published).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{kind}: {wrong:?}");
        assert!(!schema.is_valid(&json!({ "id": "x" })), "{kind}: a schema that takes anything says nothing");
    }
}
