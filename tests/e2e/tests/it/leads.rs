//! Leads travel from a form into the CRM.

use std::collections::{BTreeMap, BTreeSet};

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::MARA_ID;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

const BAKERY_PAGE_ID: &str = "61550987654321012";

#[tokio::test]
async fn forty_leads_over_two_pages_and_both_platforms_come_once_each_and_are_shared_fairly() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("forty")
        .users(&["ann", "bob", "cem"])
        .inactive_users(&["dee"])
        .pages(2)
        .round_robin()
        .connect()
        .await;
    let (one, two) = (&person.forms[0], &person.forms[1]);
    let mut ids = Vec::new();
    for (form, platform, deliver) in
        [(one, "fb", "duplicate"), (two, "ig", "reorder"), (one, "ig", "webhook"), (two, "fb", "duplicate")]
    {
        ids.extend(LeadFixture::new(form).platform(platform).partner(deliver).delivery(deliver).submit(10).await);
    }
    let leads = tenant.wait_for_leads(&ids).await;
    assert_eq!(leads.len(), 40);
    let distinct: BTreeSet<_> = leads.iter().map(|lead| lead.text("leadgen_id")).collect();
    assert_eq!(distinct, ids.iter().map(String::as_str).collect());

    // Every lead carries what Meta has of it.
    let truth = world().sim_state().await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for lead in &leads {
        let there = truth.find("leads", "id", &lead["leadgen_id"]);
        let tag = if there["platform"] == "ig" { "Instagram Lead Ad" } else { "Facebook Lead Ad" };
        assert_eq!(
            (lead.text("source"), &lead["tags"], &lead["platform"]),
            ("Meta", &json!([tag]), &there["platform"])
        );
        assert_eq!((lead.text("found_by"), lead.text("status"), &lead["test"]), ("webhook", "new", &json!(false)));
        for name in ["page_id", "form_id", "campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name"]
        {
            assert_eq!(lead[name], there[name], "{name}");
            assert!(lead[name].is_string(), "{name}");
        }
        assert_eq!((&lead["is_organic"], &lead["partner_name"]), (&json!(false), &there["partner_name"]));
        assert!(lead.text("page_name").starts_with("Newcomer"));
        assert!(lead.text("form_name").starts_with("Ask us"));
        for answer in there.list("field_data") {
            let taken = lead.find("answers", "name", &answer["name"]);
            assert_eq!(taken["values"], answer["values"]);
        }
        assert!(lead["full_name"].is_string() && lead["email"].is_string() && lead.text("phone").starts_with('+'));
        *counts.entry(lead.text("assigned_to")).or_default() += 1;
    }
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), ["ann", "bob", "cem"]);
    assert!(counts.values().max().unwrap() - counts.values().min().unwrap() <= 1, "{counts:?}");

    let connections = tenant.get("/api/meta/connections").await;
    let counted: u64 = connections.list("items").iter().map(|c| c.number("leads_count")).sum();
    assert_eq!(counted, 40);
    let events = world().call_dev_api(Method::GET, "events").await.to_string();
    assert!(ids.iter().all(|id| events.contains(&format!("lead.created:forty:meta-{id}"))), "each lead is on the bus");
}

#[tokio::test]
async fn every_answer_comes_in_the_forms_own_language_with_consents_and_several_values() {
    let tenant = OrgFixture::new("languages").create().await;
    tenant.connect(MARA_ID, &[], Value::Null, &[]).await;
    let truth = world().sim_state().await;
    let german = truth.find("pages", "id", BAKERY_PAGE_ID).find("forms", "name", "Catering-Anfrage").text("id");
    let answers = json!({ "vollständiger_name": "Jürgen Groß", "e-mail-adresse": "juergen@example.de", "telefonnummer": "+49 30 901820", "was_dürfen_wir_liefern?": ["Brötchen", "Torten"] });
    let id = LeadFixture::new(german)
        .answers(&answers)
        .consents(&json!({ "datenschutz": true, "werbung": false }))
        .platform("ig")
        .submit(1)
        .await;
    let lead = tenant.wait_for_leads(&id).await.remove(0);
    assert_eq!(
        (lead.text("full_name"), lead.text("email"), lead.text("phone")),
        ("Jürgen Groß", "juergen@example.de", "+4930901820")
    );
    assert_eq!((lead.text("page_name"), lead.text("form_name")), ("Bäckerei Sonnenhügel", "Catering-Anfrage"));
    assert_eq!(
        lead["consents"],
        json!([
            { "key": "datenschutz", "text": "Ich stimme der Verarbeitung meiner Daten zu.", "checked": true },
            { "key": "werbung", "text": "Ich möchte über Aktionen informiert werden.", "checked": false },
        ])
    );
    let many = lead.find("answers", "label", "Was dürfen wir liefern?");
    assert_eq!(many.list("values").len(), 2, "{many}");
}

#[tokio::test]
async fn a_page_in_two_orgs_brings_its_leads_to_both() {
    let one = OrgFixture::new("shared-one").users(&["ann"]).round_robin().connect().await;
    let (two, person) = (OrgFixture::new("shared-two").create().await, one.person);
    two.connect(&person.id, &[], Value::Null, &[]).await;
    let ids = LeadFixture::new(&person.forms[0]).submit(3).await;
    let (of_one, of_two) = (one.tenant.wait_for_leads(&ids).await, two.wait_for_leads(&ids).await);
    assert!(of_one.iter().all(|lead| lead["assigned_to"] == "ann"));
    assert!(
        of_two
            .iter()
            .all(|lead| lead["assigned_to"].is_null() && lead["assignment"]["reason"] == "strategy_unassigned")
    );
}

#[tokio::test]
async fn a_person_who_sends_two_forms_is_one_lead_with_both_submissions() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("repeat").users(&["ann", "bob"]).pages(2).round_robin().connect().await;
    let (one, two) = (&person.forms[0], &person.forms[1]);
    let first = LeadFixture::new(one)
        .answers(&json!({ "full_name": "Pat Doe", "email": "pat@example.com", "phone_number": "+12125550123" }))
        .submit(1)
        .await;
    let lead = tenant.wait_for_leads(&first).await.remove(0);
    LeadFixture::new(two)
        .answers(&json!({ "full_name": "Patricia Doe", "email": "PAT@example.com ", "phone_number": "+12125550199" }))
        .submit(1)
        .await;
    let path = format!("/api/leads/{}", lead.text("id"));
    let details = wait_for("the second submission", async || {
        let details = tenant.get(&path).await;
        (details["submissions_count"] == 1).then_some(details)
    })
    .await;
    let repeat = &details["submissions"][0];
    assert_eq!((repeat.text("matched_by"), &repeat["page_id"]), ("email", &json!(person.pages[1])));
    assert_eq!(repeat["answers"][0]["values"], json!(["Patricia Doe"]));
    assert_eq!((details.text("full_name"), &details["assigned_to"]), ("Pat Doe", &lead["assigned_to"]));
    let by_submission = tenant.get(&format!("/api/leads/meta-{}", repeat.text("leadgen_id"))).await;
    assert_eq!(by_submission["id"], details["id"]);
    assert_eq!(tenant.leads("").await.len(), 1);
}

#[tokio::test]
async fn a_lead_that_meta_does_not_show_yet_comes_later_and_keeps_nobody_waiting() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("later").connect().await;
    let late = LeadFixture::new(&person.forms[0]).readable_after_ms(15_000).submit(1).await;
    let soon = LeadFixture::new(&person.forms[0]).submit(2).await;
    let leads = tenant.wait_for_leads(&soon).await;
    assert!(leads.iter().all(|lead| lead["leadgen_id"] != late[0].as_str()), "the two others did not wait for it");
    assert_eq!(tenant.wait_for_leads(&late).await.len(), 3);
}

#[tokio::test]
async fn what_is_changed_by_hand_is_told_to_the_crm_and_what_is_not_changed_leaves_no_step() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("leads-change").users(&["ann"]).connect().await;
    let lead = tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await.remove(0);
    let path = format!("/api/leads/{}", lead.text("id"));
    let change = json!({ "status": "qualified", "value": "1200.50", "currency": "EUR", "note": "Call on Monday" });
    tenant.call_ok(Method::PATCH, &path, &change).await;
    let updated = wait_for("the event", async || tenant.events("lead.updated").await.pop()).await;
    assert_eq!((updated.text("cause"), updated.text("lead_id")), ("change", lead.text("id")), "{updated}");
    let changed = &updated["change"];
    assert_eq!(
        (changed.text("status"), changed.text("value"), changed.text("currency"), changed.text("note")),
        ("qualified", "1200.50", "EUR", "Call on Monday")
    );
    let steps = async || tenant.items(&format!("{path}/trace")).await.len();
    let before = steps().await;
    tenant.call_ok(Method::PATCH, &path, &json!({ "assigned_to": null, "status": "qualified" })).await;
    assert_eq!(steps().await, before, "nothing was changed");
    tenant.call_ok(Method::PATCH, &path, &json!({ "assigned_to": "ann" })).await;
    assert_eq!(steps().await, before + 1);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("lists").users(&["ann"]).pages(2).round_robin().connect().await;
    let (one, two) = (&person.forms[0], &person.forms[1]);
    let mut ids = LeadFixture::new(one).platform("ig").submit(4).await;
    ids.extend(LeadFixture::new(two).age_s(86_400 * 3).submit(3).await);
    tenant.wait_for_leads(&ids).await;
    let count = async |filter: &str| tenant.leads(filter).await.len();
    assert_eq!(count("source=Meta").await, 7);
    assert_eq!(count("source=Import").await, 0);
    assert_eq!(count("tag=Instagram%20Lead%20Ad").await, 4);
    assert_eq!(count(&format!("page_id={}", person.pages[1])).await, 3);
    assert_eq!(count(&format!("form_id={one}&tag=Facebook%20Lead%20Ad")).await, 0);
    assert_eq!(count("assigned_to=ann").await, 7);
    assert_eq!(count("assigned_to=unassigned").await, 0);
    assert_eq!(count("status=new").await, 7);
    let listed = tenant.leads("").await;
    let times: Vec<&str> = listed.iter().map(|lead| lead.text("created_time")).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "newest first: {times:?}");
    let boundary = times[3];
    assert_eq!((count(&format!("from={boundary}")).await, count(&format!("to={boundary}")).await), (4, 3));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    while seen.len() < 8 {
        let page = tenant.get(&format!("/api/leads?limit=2{cursor}")).await;
        seen.extend(page.list("items").iter().map(|lead| lead["id"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, listed.iter().map(|lead| lead["id"].clone()).collect::<Vec<_>>());
    let cursor = tenant.get("/api/leads?limit=1").await.text("next_cursor").to_owned();
    let (status, answer) =
        Tenant::as_superadmin("other").call(Method::GET, &format!("/api/leads?cursor={cursor}"), &Value::Null).await;
    assert_eq!((status, answer.text("field")), (400, "cursor"), "a cursor is good in its own org only");
}

#[tokio::test]
async fn metas_test_leads_are_marked_and_given_to_nobody() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("tests").users(&["ann"]).round_robin().connect().await;
    let answers = json!({ "full_name": "<test lead: dummy data for full_name>", "email": "test@fb.com" });
    let id = LeadFixture::new(&person.forms[0]).answers(&answers).organic().submit(1).await;
    let lead = tenant.wait_for_leads(&id).await.remove(0);
    assert_eq!(
        (&lead["test"], &lead["assigned_to"], lead.text("assignment.reason")),
        (&json!(true), &Value::Null, "test_lead")
    );
    assert_eq!((&lead["ad_id"], &lead["campaign_name"]), (&Value::Null, &Value::Null));
    assert_eq!((&lead["is_organic"], &lead["partner_name"]), (&json!(true), &Value::Null));
    assert_eq!(tenant.items("/api/meta/connections").await[0]["leads_count"], 0);
}
