//! How a form's answers become a lead's fields, and test leads.

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

async fn one_lead(tenant: &Tenant, form: &str, answers: Value) -> Value {
    let id = LeadFixture::new(form).answers(&answers).submit(1).await;
    let leads = tenant.wait_for_leads(&id).await;
    leads.into_iter().find(|lead| lead["leadgen_id"] == id[0].as_str()).unwrap()
}

#[tokio::test]
async fn an_admin_says_how_a_form_is_read_tries_it_on_a_real_lead_and_reads_earlier_leads_anew() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("mapping").users(&["ann"]).round_robin().connect().await;
    let questions = json!([
        { "key": "vorname", "label": "Vorname", "type": "FIRST_NAME" },
        { "key": "wie_heißen_sie?", "label": "Wie heißen Sie?", "type": "CUSTOM" },
        { "key": "budget", "label": "Budget", "type": "CUSTOM", "options": [{ "key": "s", "value": "bis 100" }, { "key": "l", "value": "mehr" }] },
        { "key": "tel", "label": "Telefon", "type": "PHONE" },
        { "key": "mail", "label": "Mail", "type": "CUSTOM" }
    ]);
    let form = world().create_form(&person.pages[0], "Angebot", "de_DE", questions).await;
    let answers = json!({ "vorname": "Ann", "wie_heißen_sie?": "Lee", "budget": "l", "tel": "030 901820", "mail": "ann@example.de" });
    let lead = one_lead(&tenant, &form, answers).await;
    assert_eq!((lead.text("full_name"), &lead["email"]), ("Ann", &Value::Null));
    assert_eq!(lead["phone"], "+4930901820", "read as the form's locale dials it: the org's country cannot be");
    assert_eq!(lead["fields"], json!({ "first_name": "Ann" }));

    let forms = tenant.get("/api/meta/forms").await;
    let listed = forms.find("items", "form_id", &form);
    assert_eq!((listed.text("locale"), &listed["mapping_version"]), ("de_DE", &Value::Null));
    let path = format!("/api/meta/forms/{form}/mapping");
    let before = tenant.get(&path).await;
    assert_eq!((before.number("version"), before.text("questions.0.field")), (0, "first_name"));
    assert_eq!((&before["questions"][1]["field"], before.list("rules").len()), (&Value::Null, 0));

    let rules = json!([
        { "field": "full_name", "from": ["vorname", "wie_heißen_sie?"] },
        { "field": "email", "from": ["mail"] },
        { "field": "budget", "from": ["budget"], "choices": { "l": "large" } },
        { "field": "origin", "default": "Meta" }
    ]);
    let preview = tenant.call_ok(Method::POST, &format!("{path}/preview"), &json!({ "rules": rules })).await;
    assert_eq!((&preview["lead_id"], preview.text("now.full_name")), (&lead["id"], "Ann"));
    assert_eq!((preview.text("then.full_name"), preview.text("then.email")), ("Ann Lee", "ann@example.de"));
    assert_eq!(preview["then"]["fields"]["budget"], "large");
    assert_eq!(tenant.get(&path).await["version"], 0, "a preview changes nothing");

    let put = tenant.call_ok(Method::PUT, &path, &json!({ "rules": rules, "version": 0 })).await;
    assert_eq!((put.number("version"), put.list("rules").len()), (1, 4));
    let (status, stale) = tenant.call(Method::PUT, &path, &json!({ "rules": [], "version": 0 })).await;
    assert_eq!((status, stale.text("code")), (409, "mapping_changed"));
    let later =
        one_lead(&tenant, &form, json!({ "vorname": "Bo", "wie_heißen_sie?": "Day", "mail": "bo@example.de" })).await;
    assert_eq!((later.text("full_name"), later.text("fields.origin")), ("Bo Day", "Meta"));
    assert_eq!(later["passage"]["mapping"], 1);
    let id = lead.text("id");
    assert_eq!(tenant.get(&format!("/api/leads/{id}")).await["full_name"], "Ann", "earlier leads stay until asked");

    // Re-mapping changes earlier leads and publishes the changes.
    let rerun = tenant.call_ok(Method::POST, &format!("{path}/rerun"), &json!({})).await;
    assert_eq!((rerun.number("changed"), rerun.number("unchanged"), &rerun["next_cursor"]), (1, 1, &Value::Null));
    let anew = tenant.get(&format!("/api/leads/{id}")).await;
    assert_eq!((anew.text("full_name"), anew.text("email")), ("Ann Lee", "ann@example.de"));
    assert_eq!(anew["answers"], lead["answers"], "answers stay as they were given");
    let trace = tenant.get(&format!("/api/leads/{id}/trace")).await;
    assert_eq!(trace.list("items").last().unwrap()["step"], "mapped_again");
    let told = wait_for("the event", async || {
        tenant.events("lead.updated").await.into_iter().find(|event| event["cause"] == "mapping")
    })
    .await;
    assert_eq!((&told["lead_id"], told.text("mapped.full_name")), (&lead["id"], "Ann Lee"));

    // The mapped values identify repeat submissions from now on.
    LeadFixture::new(&form).answers(&json!({ "vorname": "Ann", "mail": "ANN@example.de" })).submit(1).await;
    wait_for("the repeat", async || {
        (tenant.get(&format!("/api/leads/{id}")).await["submissions_count"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_number_that_reads_otherwise_now_is_put_right_and_recognised_from_then_on() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("mapping-numbers").users(&["ann"]).round_robin().connect().await;
    let org = |country: Value| json!({ "name": "x", "plan": { "name": "p", "features": ["meta"] }, "default_country": country });
    tenant.call_ok(Method::PUT, "/api/orgs/mapping-numbers", &org(Value::Null)).await;
    let questions = json!([{ "key": "name", "label": "Name", "type": "FULL_NAME" }, { "key": "tel", "label": "Tel", "type": "PHONE" }]);
    let form = world().create_form(&person.pages[0], "Angebot", "es_LA", questions).await;
    let lead = one_lead(&tenant, &form, json!({ "name": "Ann", "tel": "030 901820" })).await;
    assert_eq!(lead["phone"], "030 901820", "no country says how it is dialled");
    tenant.call_ok(Method::PUT, "/api/orgs/mapping-numbers", &org(json!("DE"))).await;
    let rerun = format!("/api/meta/forms/{form}/mapping/rerun");
    assert_eq!(tenant.call_ok(Method::POST, &rerun, &json!({})).await["changed"], 1);
    let id = lead.text("id");
    assert_eq!(tenant.get(&format!("/api/leads/{id}")).await["phone"], "+4930901820");
    LeadFixture::new(&form).answers(&json!({ "name": "Ann", "tel": "+49 (0) 30 901820" })).submit(1).await;
    wait_for("the repeat", async || {
        (tenant.get(&format!("/api/leads/{id}")).await["submissions_count"] == 1).then_some(())
    })
    .await;
    // As another country's number it differs, and the first number is free again.
    tenant.call_ok(Method::PUT, "/api/orgs/mapping-numbers", &org(json!("IT"))).await;
    assert_eq!(tenant.call_ok(Method::POST, &rerun, &json!({})).await["changed"], 1);
    let other = one_lead(&tenant, &form, json!({ "name": "Bo", "tel": "+49 30 901820" })).await;
    assert_ne!(other["id"], lead["id"]);
}

#[tokio::test]
async fn forms_of_every_language_are_read_by_their_questions() {
    let tenant = OrgFixture::new("mapping-languages").create().await;
    let made = world().call_sim(Method::POST, "users", &json!({ "pages": 1, "languages": true })).await;
    tenant.connect(made.text("id"), &[], Value::Null, &[]).await;
    let forms: Vec<&str> = made.list("pages.0.forms").iter().map(|form| form.text("id")).collect();
    assert!(forms.len() >= 5, "{forms:?}");
    let mut ids = Vec::new();
    for form in forms {
        ids.extend(LeadFixture::new(form).submit(2).await);
    }
    for lead in tenant.wait_for_leads(&ids).await {
        let (name, email, phone) = (&lead["full_name"], &lead["email"], &lead["phone"]);
        assert!(name.is_string() && email.text("").contains('@'), "{lead}");
        assert!(phone.as_str().is_none_or(|phone| phone.starts_with('+')), "{lead}");
    }
}

#[tokio::test]
async fn what_can_be_no_mapping_is_told_by_its_place_and_changes_nothing() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("mapping-bad").users(&["ann"]).round_robin().connect().await;
    let path = format!("/api/meta/forms/{}/mapping", person.forms[0]);
    let key = tenant.get(&path).await["questions"][0]["key"].clone();
    for (body, field) in [
        (json!({}), "rules"),
        (json!({ "rules": [{ "field": "Full Name" }] }), "rules[0].field"),
        (json!({ "rules": [{ "field": "a", "from": [key, "gone"] }] }), "rules[0].from[1]"),
        (json!({ "rules": [{ "field": "a" }, { "field": "a" }] }), "rules[1].field"),
        (json!({ "rules": [{ "field": "a", "color": 1 }] }), "rules[0].color"),
        (json!({ "rules": [], "country": "Germany" }), "country"),
        (json!({ "rules": [{ "field": "a", "default": "x".repeat(501) }] }), "rules[0]"),
    ] {
        for (method, path) in [(Method::PUT, path.clone()), (Method::POST, format!("{path}/preview"))] {
            let (status, answer) = tenant.call(method, &path, &body).await;
            let told =
                answer["field"].as_str().unwrap_or_default().to_owned() + answer["detail"].as_str().unwrap_or_default();
            assert!(status == 400 && told.contains(field), "{body}: {status} {answer}");
        }
    }
    assert_eq!(tenant.get(&path).await["version"], 0);
    let other = OrgFixture::new("mapping-other").create().await;
    assert_eq!(other.call(Method::GET, &path, &Value::Null).await.0, 404, "another org's form is none");
    assert_eq!(tenant.call(Method::GET, "/api/meta/forms/1/mapping", &Value::Null).await.0, 404);
    assert_eq!(tenant.call(Method::GET, "/api/meta/forms/x/mapping", &Value::Null).await.0, 404);
    let (status, none) = tenant.call(Method::POST, &format!("{path}/preview"), &json!({ "rules": [] })).await;
    assert_eq!((status, none.text("code")), (404, "no_lead"));
}

#[tokio::test]
async fn a_test_lead_is_sent_marked_and_shown_and_counts_for_nothing() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("test-leads").users(&["ann"]).round_robin().connect().await;
    let path = format!("/api/meta/forms/{}/test-lead", person.forms[0]);
    for _ in 0..2 {
        let sent = tenant.call_ok(Method::POST, &path, &Value::Null).await;
        let id = sent.text("leadgen_id").to_owned();
        let leads = tenant.wait_for_leads(&[id]).await;
        let lead = leads.iter().find(|lead| lead["id"] == sent["lead_id"]).unwrap();
        assert_eq!(
            (&lead["test"], &lead["assigned_to"], lead.text("found_by")),
            (&json!(true), &Value::Null, "webhook")
        );
    }
    let page = tenant.items("/api/meta/connections").await[0].clone();
    assert_eq!(page["leads_count"], 0);
    assert_eq!(tenant.get("/api/leads/latency").await["leads"], 0);
}
