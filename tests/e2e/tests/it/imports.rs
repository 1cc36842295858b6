//! Leads from files, and leads from before the connection.

use std::collections::BTreeSet;

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use futures_util::stream::{self, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};

const DAY_S: i64 = 86_400;

async fn export(form: &str, encoding: &str) -> Vec<u8> {
    let url = format!("{}/_sim/forms/{form}/export.csv?encoding={encoding}", world().endpoints.graph_sim);
    world().http.get(url).send().await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn metas_export_is_imported_in_both_its_encodings_once_and_by_the_same_rules() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("import").users(&["ann", "bob"]).round_robin().connect().await;
    let form = &person.forms[0];
    let known = LeadFixture::new(form)
        .answers(&json!({ "full_name": "Ann \"Q\" Lee", "email": "ann@example.com" }))
        .submit(1)
        .await;
    tenant.wait_for_leads(&known).await;
    let mut missed = LeadFixture::new(form).undelivered().age_s(20 * DAY_S).submit(4).await;
    let again = json!({ "full_name": "Ann, again\nand again", "email": "ANN@example.com" });
    let repeat = LeadFixture::new(form).undelivered().answers(&again).submit(1).await;

    // A dry run reports what the import then does; importing the same file again does nothing.
    let (utf_16, utf_8) = (export(form, "utf-16").await, export(form, "utf-8").await);
    let (status, dry) = tenant.upload("/api/leads/import?dry_run=true&assign=true", &utf_16).await;
    let counts = |report: &Value| ["rows", "created", "merged", "in_before", "failed"].map(|name| report.number(name));
    assert_eq!((status, counts(&dry)), (200, [6, 4, 1, 1, 0]), "{dry}");
    assert_eq!(tenant.leads("").await.len(), 1, "a dry run changes nothing");
    let (status, done) = tenant.upload("/api/leads/import?assign=true", &utf_16).await;
    assert_eq!((status, counts(&done)), (200, [6, 4, 1, 1, 0]), "{done}");
    let (status, twice) = tenant.upload("/api/leads/import?assign=true", &utf_8).await;
    assert_eq!((status, counts(&twice)), (200, [6, 0, 0, 6, 0]), "{twice}");

    missed.extend(known.clone());
    let leads = tenant.wait_for_leads(&missed).await;
    assert_eq!(leads.len(), 5);
    let imported: Vec<&Value> = leads.iter().filter(|lead| lead["found_by"] == "import").collect();
    assert_eq!(imported.len(), 4);
    for lead in &imported {
        assert_eq!((&lead["page_id"], &lead["form_id"]), (&json!(person.pages[0]), &json!(form)));
        assert!(lead["email"].is_string() && lead.text("phone").starts_with('+'), "{lead}");
        let age = jiff::Timestamp::now().as_second() - lead.parse::<jiff::Timestamp>("created_time").as_second();
        assert!((19 * DAY_S..22 * DAY_S).contains(&age), "submitted when Meta says: {lead}");
    }
    let of = |user: &str| leads.iter().filter(|lead| lead["assigned_to"] == user).count();
    assert!(of("ann").abs_diff(of("bob")) <= 1);
    let details = tenant.get(&format!("/api/leads/meta-{}", known[0])).await;
    assert_eq!((details.number("submissions_count"), &details["submissions"][0]["leadgen_id"]), (1, &json!(repeat[0])));
    assert!(details["submissions"][0]["answers"].to_string().contains("again\\nand"), "{details}");
    let page = tenant.items("/api/meta/connections").await[0].clone();
    assert_eq!((page.number("found_by.import"), page.number("leads_count")), (4, 5));
    // The assignee is checked in the transaction that writes the lead, also when the API imports it.
    let id = tenant.items("/api/meta/integrations").await[0].text("id").to_owned();
    let to_bob = json!({ "assignment": { "strategy": "user", "user_id": "bob" } });
    tenant.call_ok(Method::PATCH, &format!("/api/meta/integrations/{id}"), &to_bob).await;
    let one = format!("id,form_id,email\nl:77,f:{form},chosen@example.com\nl:78,,nobody@example.com\n");
    let (status, chosen) = tenant.upload("/api/leads/import?assign=true", one.as_bytes()).await;
    assert_eq!((status, chosen.number("created")), (200, 2), "{chosen}");
    assert_eq!(tenant.get("/api/leads/meta-77").await["assigned_to"], "bob");
    let nobody = tenant.get("/api/leads/meta-78").await;
    assert_eq!((&nobody["assigned_to"], nobody.text("assignment.reason")), (&Value::Null, "no_integration"));
    // A webhook that arrives after the file finds the lead already stored.
    let body = e2e::meta::leadgen_body(&person.pages[0], &missed[0], form);
    assert_eq!(world().deliver(&body).await.0, 200);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(tenant.leads("").await.len(), 7);
}

#[tokio::test]
async fn a_file_of_anybodys_is_read_line_by_line_and_what_is_wrong_is_told_by_line() {
    let tenant = OrgFixture::new("import-any").create().await;
    let file = "E-Mail;Name;Telefon;Farbe\nann@example.de;Ann;(212) 555-0123;rot\n;;;\nzu;viele;Spalten;sind;hier\nbo@example.de;Bo;;\nANN@example.de;Ann;;blau\n";
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!(
        (status, report.number("created"), report.number("merged"), report.number("failed")),
        (200, 2, 1, 2),
        "{report}"
    );
    let lines: Vec<u64> = report.list("problems").iter().map(|told| told.number("line")).collect();
    assert_eq!(lines, [3, 4]);
    let leads = tenant.leads("").await;
    let ann = leads.iter().find(|lead| lead["full_name"] == "Ann").unwrap();
    assert_eq!((ann.text("phone"), &ann["leadgen_id"], &ann["page_id"]), ("+12125550123", &Value::Null, &Value::Null));
    assert_eq!(ann["assignment"]["reason"], "not_asked");
    let trace = tenant.get(&format!("/api/leads/{}/trace", ann.text("id"))).await;
    assert_eq!(trace["items"][0]["cause"], "import", "{trace}");
    let (_, twice) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!((twice.number("created"), twice.number("in_before")), (0, 3));

    for (file, kind, expect) in [
        (&b"color,size\nred,1\n"[..], "application/octet-stream", 400),
        (b"", "application/octet-stream", 400),
        (b"id,email\n", "multipart/form-data; boundary=x", 415),
        (&[b'x'; 4_100_000], "application/octet-stream", 413),
    ] {
        let (status, answer) = tenant.upload_as("/api/leads/import", file, kind).await;
        assert_eq!(status, expect, "{answer}");
        assert!(answer["detail"].is_string(), "{answer}");
    }
    let (status, answer) = tenant.upload("/api/leads/import?dryrun=true", b"email\na@b.c\n").await;
    assert_eq!((status, answer.text("code")), (400, "parameter_unknown"), "{answer}");
    let basic = Tenant::as_superadmin("basic");
    assert_eq!(basic.upload("/api/leads/import", b"email\na@b.c\n").await.0, 402);
}

#[tokio::test]
async fn an_import_is_undone_but_for_what_was_used() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("import-undo").users(&["ann"]).connect().await;
    let form = &person.forms[0];
    let known = LeadFixture::new(form).answers(&json!({ "email": "known@example.com" })).submit(1).await;
    tenant.wait_for_leads(&known).await;
    let file = format!(
        "id,form_id,email\nl:501,f:{form},one@example.com\nl:502,f:{form},two@example.com\nl:503,f:{form},known@example.com\n"
    );
    let (_, dry) = tenant.upload("/api/leads/import?dry_run=true", file.as_bytes()).await;
    assert_eq!(dry["import_id"], Value::Null);
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!((status, report.number("created"), report.number("merged")), (200, 2, 1), "{report}");
    let import = report.text("import_id");
    let listed = tenant.items("/api/leads/imports").await;
    assert_eq!((listed.len(), listed[0].text("id"), listed[0].text("state")), (1, import, "imported"), "{listed:?}");
    let count = async || tenant.items("/api/meta/connections").await[0].number("leads_count");
    assert_eq!(count().await, 3);
    tenant.call_ok(Method::PATCH, "/api/leads/meta-502", &json!({ "status": "contacted" })).await;

    let undone = tenant.call_ok(Method::POST, &format!("/api/leads/imports/{import}/undo"), &Value::Null).await;
    let counts = (undone.number("undo.removed"), undone.number("undo.kept"));
    assert_eq!((undone.text("state"), counts), ("undone", (2, 1)), "{undone}");
    let mut left: Vec<String> = tenant.leads("").await.iter().map(|lead| lead.text("id").to_owned()).collect();
    left.sort();
    let mut expected = vec![format!("meta-{}", known[0]), "meta-502".to_owned()];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(count().await, 2);
    assert_eq!(tenant.get(&format!("/api/leads/meta-{}", known[0])).await.number("submissions_count"), 0);
    let removed = wait_for("the CRM is told", async || tenant.events("lead.removed").await.pop()).await;
    assert_eq!((removed.text("lead_id"), removed.text("cause")), ("meta-501", "import_undone"), "{removed}");
    let updated = tenant.events("lead.updated").await;
    let reduced = updated.iter().find(|event| event["cause"] == "submission_removed").unwrap();
    assert_eq!((&reduced["lead_id"], &reduced["removed_submission"]), (&json!(left_id(&known)), &json!("meta-503")));

    // Twice is once, another's is no one's, and the file brings back what is missing.
    let again = tenant.call_ok(Method::POST, &format!("/api/leads/imports/{import}/undo"), &Value::Null).await;
    assert_eq!((again.number("undo.removed"), again.number("undo.kept")), (2, 1));
    let (status, _) = tenant.call(Method::POST, "/api/leads/imports/imp_0/undo", &Value::Null).await;
    assert_eq!(status, 404);
    let (_, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!((report.number("created"), report.number("merged"), report.number("in_before")), (1, 1, 1), "{report}");
}

fn left_id(leads: &[String]) -> String {
    format!("meta-{}", leads[0])
}

#[tokio::test]
async fn a_file_is_told_column_by_column_before_it_is_imported() {
    let tenant = OrgFixture::new("import-columns").create().await;
    let file = "Name;E-Mail;Telefon;Erstellt am;Budget\nÄnne Test;aenne@example;123;27.11.2026;4000\nBo Lee;bo@example.com;+491701234567;;\n";
    let (status, report) = tenant.upload("/api/leads/import?dry_run=true", file.as_bytes()).await;
    assert_eq!(status, 200, "{report}");
    let columns: Vec<(&str, &str, Value)> = report
        .list("columns")
        .iter()
        .map(|column| (column.text("name"), column.text("reads_as"), column["field"].clone()))
        .collect();
    assert_eq!(
        columns,
        [
            ("Name", "field", json!("full_name")),
            ("E-Mail", "field", json!("email")),
            ("Telefon", "field", json!("phone")),
            ("Erstellt am", "answer", Value::Null),
            ("Budget", "answer", Value::Null),
        ]
    );
    assert_eq!(report.list("columns")[4]["samples"], json!(["4000"]));
    let warnings: Vec<(u64, &str)> =
        report.list("warnings").iter().map(|warning| (warning.number("line"), warning.text("column"))).collect();
    assert_eq!(warnings, [(2, "email"), (2, "phone")]);
    assert!(tenant.leads("").await.is_empty());
}

/// Imports a file and returns the report, and the leads sorted by name.
async fn import(tenant: &Tenant, file: &str) -> (Value, Vec<(String, Value)>) {
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!(status, 200, "{report}");
    let mut leads: Vec<(String, Value)> = tenant
        .leads("")
        .await
        .into_iter()
        .map(|lead| (lead["full_name"].as_str().unwrap_or_default().to_owned(), lead))
        .collect();
    leads.sort_by(|one, other| one.0.cmp(&other.0));
    (report, leads)
}

#[tokio::test]
async fn a_foreign_number_keeps_its_digits_in_files_and_in_forms_and_strangers_stay_strangers() {
    let tenant = OrgFixture::new("import-numbers").create().await;
    let file = "full_name,email,phone_number\nAnna,anna@example.com,+49 176 12345678\nBernd,,+49 761 2345678\n\
        Chloe,,+33 1 42 68 53 00\nDaan,,+31 10 123 4567\nEva,,+43 5337 1230\nLi,,+8613912345678\nMax,,+43 1 5337 1230\n";
    let (report, leads) = import(&tenant, file).await;
    assert_eq!((report.number("created"), report.number("merged")), (7, 0), "{report}");
    let phones: Vec<&str> = leads.iter().map(|(_, lead)| lead.text("phone")).collect();
    assert_eq!(
        phones,
        [
            "+4917612345678",
            "+497612345678",
            "+33142685300",
            "+31101234567",
            "+4353371230",
            "+8613912345678",
            "+43153371230"
        ]
    );
    // A form's answer is normalized the same way and matches the same person.
    let person = world().create_person(1).await;
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let answers = json!({ "full_name": "Anna", "email": "", "phone_number": "0049 176 / 12345678" });
    let bernd = json!({ "full_name": "Anna", "email": "", "phone_number": "+49 (0) 176 12345678" });
    let ids = [
        LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await,
        LeadFixture::new(&person.forms[0]).answers(&bernd).submit(1).await,
    ]
    .concat();
    let anna = leads[0].1.text("id");
    wait_for("the second submission", async || {
        (tenant.get(&format!("/api/leads/{anna}")).await["submissions_count"] == 1).then_some(())
    })
    .await;
    // 00 is not the international prefix of the org's country: the number stays as typed and identifies no one.
    let other = tenant.wait_for_leads(&ids[..1]).await;
    let other = other.iter().find(|lead| lead["leadgen_id"] == ids[0].as_str()).unwrap();
    assert_eq!(other["phone"], "0049 176 / 12345678");
}

#[tokio::test]
async fn a_file_of_another_program_is_not_metas_and_says_so() {
    let tenant = OrgFixture::new("import-foreign").create().await;
    import(&tenant, "id,name,email\n1,Jane,jane@example.com\n2,Kim,kim@example.com\n").await;
    let (report, leads) = import(&tenant, "id,name,email\n1,John,john@example.com\n2,Lee,lee@example.com\n").await;
    assert_eq!((report.number("created"), report.number("in_before"), leads.len()), (2, 0, 4), "{report}");
    for (_, lead) in &leads {
        assert_eq!((lead.text("source"), &lead["tags"]), ("Import", &json!(["Imported File"])), "{lead}");
        assert_eq!(lead["answers"][0]["name"], "id", "nothing is lost");
    }
    let (_, leads) = import(&tenant, "full_name,email,platform\nAnn,ann@example.com,Instagram\n").await;
    assert_eq!(leads[0].1["tags"], json!(["Instagram Lead Ad"]));
    assert_eq!(tenant.leads("source=Meta").await.len(), 1);
    assert_eq!(tenant.leads("source=Import").await.len(), 4);
    let (status, answer) = tenant.upload("/api/leads/import", b"PK\x03\x04\x14\0secret").await;
    assert_eq!((status, answer.text("code")), (400, "file_invalid"));
    let detail = answer.text("detail");
    assert!(detail.contains("Excel workbook") && detail.contains("CSV") && !detail.contains("secret"), "{detail}");
}

#[tokio::test]
async fn a_file_names_questions_as_people_read_them_and_the_mapping_by_their_keys() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("import-labels").connect().await;
    let questions = json!([
        { "label": "Full name", "type": "FULL_NAME" },
        { "label": "Email", "type": "EMAIL" },
        { "key": "wish", "label": "Qual seu orçamento?", "type": "CUSTOM" }
    ]);
    let form = world().create_form(&person.pages[0], "Orçamento", "pt_BR", questions).await;
    let rules = json!({ "rules": [{ "field": "budget", "from": ["wish"] }] });
    tenant.call_ok(Method::PUT, &format!("/api/meta/forms/{form}/mapping"), &rules).await;
    let file = format!(
        "id,form_id,full_name,email,Qual seu orçamento?\nl:9000000000000501,f:{form},Ana,ana@example.com,até 5 mil\n"
    );
    let (_, leads) = import(&tenant, &file).await;
    assert_eq!(leads[0].1["fields"]["budget"], "até 5 mil", "{}", leads[0].1);
    let answer = leads[0].1.list("answers").iter().find(|answer| answer["name"] == "wish").cloned();
    assert_eq!(answer.unwrap()["label"], "Qual seu orçamento?");
}

#[tokio::test]
async fn leads_from_before_the_connection_come_on_request_and_to_nobody_unless_asked() {
    let tenant = OrgFixture::new("backfill").users(&["ann"]).create().await;
    let person = world().create_person(2).await;
    let mut old = LeadFixture::new(&person.forms[0]).undelivered().age_s(10 * DAY_S).submit(3).await;
    old.extend(LeadFixture::new(&person.forms[1]).undelivered().age_s(60 * DAY_S).submit(2).await);
    let expired = LeadFixture::new(&person.forms[1]).undelivered().age_s(91 * DAY_S).submit(1).await;
    let round_robin = json!({ "assignment": { "strategy": "round_robin" } });
    let id = tenant.connect(&person.id, &[], round_robin, &[]).await.get("integrationId");
    let path = format!("/api/meta/integrations/{id}");
    let synced = tenant.call_ok(Method::POST, &format!("{path}/sync"), &Value::Null).await;
    assert_eq!((synced.number("found"), synced.text("state")), (0, "done"), "only new leads by themselves");

    for (days, field) in [(0, "days"), (91, "days"), (-1, "days"), (1_000_000, "days")] {
        let (status, answer) = tenant.call(Method::POST, &format!("{path}/backfill"), &json!({ "days": days })).await;
        assert!(status == 400 && answer["field"] == field, "{days}: {answer}");
    }
    let run = tenant.call_ok(Method::POST, &format!("{path}/backfill"), &json!({ "days": 30 })).await;
    let run = format!("{path}/runs/{}", run.text("id"));
    let done = async |run: &str| {
        wait_for("the run's end", async || {
            let seen = tenant.get(run).await;
            (seen["state"] == "done").then_some(seen)
        })
        .await
    };
    let seen = done(&run).await;
    assert_eq!((seen.text("kind"), seen.number("found"), seen.number("settled")), ("backfill", 3, 3), "{seen}");
    let leads = tenant.wait_for_leads(&old[..3]).await;
    for lead in &leads {
        assert_eq!((lead.text("found_by"), &lead["assigned_to"]), ("backfill", &Value::Null));
        assert_eq!(lead["assignment"]["reason"], "not_asked");
    }
    let all = tenant.call_ok(Method::POST, &format!("{path}/backfill"), &json!({ "days": 90, "assign": true })).await;
    let seen = done(&format!("{path}/runs/{}", all.text("id"))).await;
    assert_eq!(seen["found"], 2, "what is in is not found again: {seen}");
    let leads = tenant.wait_for_leads(&old).await;
    let ids: BTreeSet<&str> = leads.iter().map(|lead| lead.text("leadgen_id")).collect();
    assert!(ids.len() == 5 && !ids.contains(expired[0].as_str()), "Meta has let go of what is older than 90 days");
    assert_eq!(leads.iter().filter(|lead| lead["assigned_to"] == "ann").count(), 2);
    let runs = tenant.get(&format!("{path}/runs")).await;
    let kinds: Vec<&str> = runs.list("items").iter().map(|run| run.text("kind")).collect();
    assert_eq!(kinds, ["backfill", "backfill", "sync"], "newest first");
    assert_eq!(tenant.get("/api/leads/latency").await["leads"], 0, "what is old took no time");
}

#[tokio::test]
async fn an_org_that_sends_too_many_files_waits_and_no_other_does() {
    let (busy, other) = (OrgFixture::new("import-busy").create().await, OrgFixture::new("import-idle").create().await);
    let file = b"full_name,email\nAnn Ox,ann@example.com\n";
    let path = "/api/leads/import?dry_run=true";
    let mut answers = stream::iter(0..100).map(|_| busy.upload(path, file)).buffer_unordered(6);
    let mut refusal = None;
    while let Some((status, answer)) = answers.next().await {
        if status == 429 {
            refusal = Some(answer);
            break;
        }
        assert_eq!(status, 200, "{answer}");
    }
    let refusal = refusal.expect("a hundred files are more than the minutes allow that they take");
    assert_eq!(refusal.text("code"), "too_many_requests", "{refusal}");
    assert!((1..=60).contains(&refusal.number("retry_after")), "{refusal}");
    assert_eq!(other.upload(path, file).await.0, 200);
}
