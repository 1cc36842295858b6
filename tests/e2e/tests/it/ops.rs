//! The operator's program, on the running system as on an account: with its region, its credentials and its stack.

use std::collections::BTreeSet;

use e2e::aws_probe::queue;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::ops::ops;
use e2e::tenant::Tenant;
use e2e::world::{output_folder, wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_dead_letter_is_explained_and_put_back_and_its_work_is_done() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("ops-dead").connect().await;
    let id = world().submit_withheld_lead(&person).await;
    tenant.wait_for_parked().await;
    let lead = json!({ "leadgen_id": id, "page_id": person.pages[0], "form_id": person.forms[0],
        "received_at": "2026-01-01T00:00:00Z", "found_by": "webhook", "only_for": "ops-dead" });
    let body = json!({ "leads": [lead] }).to_string();
    queue("SendMessage", "lead-worker-dead-letters", json!({ "MessageBody": body, "MessageGroupId": "g" })).await;

    let counted = ops("dead-letters").await;
    assert_eq!(counted.code, Some(1), "{counted}");
    assert!(counted.out.contains("leads are missing"), "{counted}");
    let explained = ops("dead-letters lead-worker").await;
    assert_eq!(explained.code, Some(1), "{explained}");
    for words in [&*format!("import 1 lead of page {}", person.pages[0]), id.as_str(), "org: ops-dead", "lead parked"] {
        assert!(explained.out.contains(words), "{words}: {explained}");
    }
    let kept = ops("dead-letters purge lead-worker --yes").await.refused();
    assert!(kept.contains("--lose-data"), "{kept}");

    let redriven = ops("dead-letters redrive lead-worker").await.done();
    assert!(redriven.contains("redriven: 1 message"), "{redriven}");
    tenant.wait_for_leads(&[id]).await;
    let empty = ops("dead-letters lead-worker").await.done();
    assert!(empty.contains("0 messages"), "{empty}");
}

#[tokio::test]
async fn a_poisoned_message_is_saved_before_it_is_purged() {
    let poison = "not a job, and someone's words";
    queue("SendMessage", "lead-retention-dead-letters", json!({ "MessageBody": poison, "MessageGroupId": "g" })).await;
    let explained = ops("dead-letters lead-retention").await;
    assert!(explained.out.contains("not a message of this version"), "{explained}");
    assert!(!explained.out.contains("someone's words"), "{explained}");
    let asked = ops("dead-letters purge lead-retention").await.refused();
    assert!(asked.contains("--yes"), "{asked}");
    let file = output_folder().join(format!("purged-{}.jsonl", std::process::id()));
    ops(&format!("dead-letters purge lead-retention --yes --to {}", file.display())).await.done();
    assert!(std::fs::read_to_string(&file).unwrap().contains(poison));
    std::fs::remove_file(&file).unwrap();
    let by_its_name_in_the_template = ops("dead-letters LeadRetentionDeadLetters").await;
    assert!(by_its_name_in_the_template.out.contains("0 messages"), "{by_its_name_in_the_template}");
    let unknown = ops("dead-letters lead-retentoin").await.refused();
    assert!(unknown.contains("lead-retention"), "the names are listed: {unknown}");
}

#[tokio::test]
async fn parked_leads_are_listed_with_their_fix_and_replayed_by_a_recorded_operator() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("ops-parked").connect().await;
    let id = world().submit_withheld_lead(&person).await;
    tenant.wait_for_parked().await;
    let listed = ops("parked --org ops-parked --json").await.json();
    assert_eq!((listed[0].text("reason"), listed[0].number("leads")), ("not_permitted", 1), "{listed}");
    assert_eq!(listed[0]["leadgen_ids"], json!([id]));
    let words = ops("parked --org ops-parked").await.done();
    assert!(words.contains("fix: ") && words.contains("cargo ops parked replay --org ops-parked"), "{words}");
    assert!(ops("parked --org nowhere").await.refused().contains("nowhere"));
    assert!(ops("parked --org ops-parked --reason bad").await.refused().contains("bad"));
    assert!(ops("parked dismiss --org ops-parked --yes").await.refused().contains("--reason"));

    let replayed = ops("parked replay --org ops-parked --reason not_permitted").await.done();
    assert!(replayed.contains("replayed: 1 lead"), "{replayed}");
    tenant.wait_for_leads(&[id]).await;
    let acts = tenant.items("/api/audit?act=lead.replay").await;
    assert_eq!((acts[0].text("face"), acts[0].text("outcome")), ("operator", "done"), "{acts:?}");
}

#[tokio::test]
async fn a_lead_is_traced_over_all_parts_without_what_it_says() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("ops-trace").connect().await;
    let answers = json!({ "email": "secret.words@example.com", "full_name": "Secret Words" });
    let ids = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    tenant.wait_for_leads(&ids).await;
    let id = &ids[0];
    let trace = wait_for("a trace with the publication", async || {
        let printed = ops(&format!("lead {id} --org ops-trace")).await;
        (printed.code == Some(0) && printed.out.contains("published (lead.created)")).then_some(printed.out)
    })
    .await;
    for words in ["received (webhook)", "fetched (graph)", "stored as a lead", "lead-worker"] {
        assert!(trace.contains(words), "{words}: {trace}");
    }
    assert!(!trace.to_lowercase().contains("secret"), "{trace}");
    assert!(ops("lead jane").await.refused().contains("jane"));
    assert!(ops("lead 999000999 --org ops-trace").await.refused().contains("nothing is known"));
}

#[tokio::test]
async fn an_org_is_shown_copied_removed_and_brought_back() {
    let ConnectedOrg { tenant, person, integration, .. } =
        OrgFixture::new("ops-tenant").users(&["ann"]).round_robin().admin().connect().await;
    let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
    let before = tenant.wait_for_leads(&ids).await;
    let shown = ops("org ops-tenant").await.done();
    assert!(shown.contains(&integration) && shown.contains("admin: boss"), "{shown}");
    assert!(!shown.contains("@ops-tenant.example"), "no address is shown: {shown}");

    let file = output_folder().join(format!("ops-tenant-{}.jsonl", std::process::id()));
    let copied = ops(&format!("org export ops-tenant --to {}", file.display())).await.done();
    assert!(copied.contains("items of org ops-tenant"), "{copied}");
    let copy = std::fs::read_to_string(&file).unwrap();
    let header: Value = serde_json::from_str(copy.lines().next().unwrap()).unwrap();
    assert_eq!(header.number("items"), u64::try_from(copy.lines().count() - 1).unwrap());
    assert_eq!((header.text("org"), header.text("stack")), ("ops-tenant", "leadwire"));

    assert!(ops("org remove ops-tenant").await.refused().contains("--yes ops-tenant"));
    assert_eq!(tenant.leads("").await.len(), 2, "nothing is removed without the confirmation");
    let receipt = ops("org remove ops-tenant --yes ops-tenant").await.done();
    assert!(receipt.contains("integrations ended, with their tokens and subscriptions: 1"), "{receipt}");
    assert_eq!(kinds_left(&tenant).await, BTreeSet::from(["act".to_owned()]));
    let page = world().sim_state().await.find("pages", "id", &person.pages[0]).clone();
    assert_eq!(page["subscribed_fields"], json!([]), "Meta sends nothing more");
    assert!(world().list_secrets(&integration).await.is_empty(), "the tokens are gone");

    let counted = ops(&format!("org import {} --dry-run", file.display())).await.done();
    assert!(counted.contains("would be put back"), "{counted}");
    assert!(tenant.leads("").await.is_empty(), "nothing is stored by counting");
    let imported = ops(&format!("org import {}", file.display())).await.done();
    assert!(imported.contains("put back: "), "{imported}");
    let sorted = |leads: &[Value]| leads.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let after = wait_for("the leads in the lists", async || {
        let leads = tenant.leads("").await;
        (leads.len() == 2).then_some(leads)
    })
    .await;
    assert_eq!(sorted(&after), sorted(&before));
    let acts: Vec<String> = tenant.items("/api/audit").await.iter().map(|act| act.text("act").to_owned()).collect();
    for act in ["org.copy", "org.remove", "org.restore"] {
        assert!(acts.iter().any(|done| done == act), "{act}: {acts:?}");
    }
    let again = ops(&format!("org import {}", file.display())).await.done();
    assert!(again.contains("put back: 0 items"), "{again}");
    std::fs::remove_file(&file).unwrap();
}

/// The kinds of items that are stored of an org.
async fn kinds_left(tenant: &Tenant) -> BTreeSet<String> {
    let rows = world().scan_rows(&format!("ORG#{}#", tenant.org)).await;
    let own = world().scan_rows(&format!("ORG#{}", tenant.org)).await;
    let own = own.into_iter().filter(|row| row["pk"]["S"] == format!("ORG#{}", tenant.org));
    rows.into_iter().chain(own).map(|row| row["type"]["S"].as_str().unwrap_or("?").to_owned()).collect()
}

#[tokio::test]
async fn the_level_of_a_log_is_changed_and_put_back() {
    let level = async || {
        let path = "/2015-03-31/functions/leadwire-lead-retention/configuration";
        let configuration = world().aws().rest("lambda", http::Method::GET, path, &Value::Null).await.unwrap();
        configuration.text("LoggingConfig.ApplicationLogLevel").to_owned()
    };
    let changed = ops("log-level lead-retention warn").await.done();
    assert!(changed.contains("lead-retention logs WARN now"), "{changed}");
    assert_eq!(level().await, "WARN");
    ops("log-level lead-retention --back").await.done();
    assert_eq!(level().await, "INFO");
    assert!(ops("log-level lead-wroker warn").await.refused().contains("lead-worker"), "the names are listed");
    assert_eq!(ops("log-level lead-worker loud").await.code, Some(2));
}

#[tokio::test]
async fn the_status_is_one_screen_and_json() {
    let status = ops("status --json").await.json();
    let queues = status.list("queues");
    let worker = queues.iter().find(|queue| queue["name"] == "lead-worker").unwrap();
    assert!(worker["waiting"].is_u64() && worker["dead_letters"].is_u64(), "{worker}");
    for switches in ["schedules", "event_sources"] {
        let all = status.list(switches);
        let on = all.iter().filter(|one| ["ENABLED", "Enabled"].contains(&one.text("state")));
        assert!(!all.is_empty() && on.count() == all.len(), "{switches}: {all:?}");
    }
    assert!(status["parked"].is_object() && status["integrations"].is_object(), "{status}");
    let screen = ops("status").await.out;
    for words in ["Alarms:", "Queues: ", "Parked leads:", "Schedules:", "Stopped functions: none"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    let absent = ops("status --stack nowhere").await.refused();
    assert!(absent.contains("no stack nowhere") && absent.contains("--stack"), "{absent}");
}

#[tokio::test]
async fn the_status_names_integrations_that_bring_no_leads() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("ops-impaired").connect().await;
    let named = async || {
        let status = ops("status --json").await.json();
        let found = status.list("impaired").iter().find(|it| it["org"] == tenant.org.as_str()).cloned();
        found.map(|it| it.text("severity").to_owned())
    };
    assert_eq!(named().await, None);
    world().change_tokens(json!({ "action": "revoke", "user_id": person.id })).await;
    tenant.check_integrations().await;
    wait_for("the integration", async || (named().await? == "error").then_some(())).await;
    assert!(ops("org ops-impaired").await.done().contains("stopped: "));
}

#[tokio::test]
async fn the_doctor_says_ok_only_of_what_it_has_seen() {
    let findings = ops("doctor --size medium --json").await.json();
    let of = |area: &str| -> Vec<&Value> {
        findings.as_array().unwrap().iter().filter(|finding| finding["area"] == area).collect()
    };
    assert_eq!(of("webhook")[0]["grade"], "ok", "{findings}");
    assert!(of("meta").len() == 4 && of("meta").iter().all(|finding| finding["grade"] == "ok"), "{findings}");
    assert_eq!(of("login")[0]["grade"], "ok", "{findings}");
    assert_eq!(of("schedules")[0]["grade"], "ok", "{findings}");
    assert!(!of("table").is_empty(), "{findings}");
    // MiniStack has no Service Quotas: what only that service knows is not known.
    let quotas = of("quotas");
    assert!(quotas.iter().any(|finding| finding["grade"] == "unknown"), "{findings}");
    for finding in findings.as_array().unwrap() {
        let is_ok = finding["grade"] == "ok";
        assert_eq!(finding.text("fix").is_empty(), is_ok, "what is not ok says what to do: {finding}");
    }
    assert_eq!(ops("doctor --size huge").await.code, Some(2));
}

#[tokio::test]
async fn a_removed_org_that_is_pushed_again_begins_empty() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("ops-again").connect().await;
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&ids).await;
    ops("org remove ops-again --yes ops-again").await.done();
    tenant.put_org("ops-again", &["meta"]).await;
    assert!(tenant.leads("").await.is_empty());
    let (status, answer) = tenant.call(Method::GET, "/api/meta/integrations", &Value::Null).await;
    assert_eq!((status, answer.list("items").len()), (200, 0), "{answer}");
}
