//! Tokens stay in the vault: none in an item, a log line, an event, a delivery, a file, a mail or a response. What people
//! say of themselves is in no log line and no name of a file.

use std::fs;

use e2e::crm::Crm;
use e2e::fixtures::{LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::MARA_ID;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// The prefix of every token of the simulated Meta.
const TOKEN_PREFIX: &str = "EAA";

/// The telephone number of a person.
const PHONE: &str = "+4915112345678";
/// Parts of what a person says of themselves. Only those who may read leads see it.
const PERSONAL: [&str; 3] = ["zaphodine", "marker.example", "15112345678"];

/// Returns everything that looks like a token or is the app's secret.
fn find_leaks(text: &str, secret: &str) -> Vec<String> {
    let is_token = |rest: &str| rest.chars().take(40).all(|c| c.is_ascii_alphanumeric()) && rest.len() > 40;
    let mut found: Vec<String> = text
        .match_indices(TOKEN_PREFIX)
        .filter(|(at, _)| is_token(&text[*at..]))
        .map(|(at, _)| text[at..at + 40].to_owned())
        .collect();
    found.extend(text.contains(secret).then(|| "the app secret".to_owned()));
    found
}

#[tokio::test]
async fn no_token_is_anywhere_but_in_the_vault() {
    let tenant = OrgFixture::new("secrecy").users(&["ann"]).create().await;
    let world = world();
    let secret = world.app_secret().await;
    tenant.connect(MARA_ID, &[], json!({ "assignment": { "strategy": "round_robin" } }), &[]).await;
    let person = world.create_person(1).await;
    let outcome = tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let form = &person.forms[0];
    // A person whose details belong where leads are, and nowhere else.
    let crm = Crm::start().await;
    tenant.call_ok(Method::POST, "/api/webhooks", &json!({ "url": crm.url })).await;
    let details =
        json!({ "full_name": "Zaphodine Marker", "email": "zaphodine@marker.example", "phone_number": PHONE });
    tenant.wait_for_leads(&LeadFixture::new(form).answers(&details).submit(1).await).await;
    let text = json!({ "channel": "messenger", "page_id": person.pages[0], "text": "I am Zaphodine", "person": "Zaphodine Marker" });
    world.call_sim(Method::POST, "messages", &text).await;
    tenant.call(Method::POST, "/api/leads/import", &json!({ "Zaphodine": 1 })).await;
    tenant
        .upload("/api/leads/import", b"email,full_name\nzaphodine@marker.example,Zaphodine\nno address,Zaphodine\n")
        .await;
    // Tokens leak through errors: some calls fail, and one token dies.
    world.call_sim(Method::POST, "faults", &json!({ "path": format!("/{form}"), "kind": "garbage", "times": 1 })).await;
    tenant.wait_for_leads(&LeadFixture::new(form).submit(5).await).await;
    world.call_sim(Method::POST, "tokens", &json!({ "action": "role_lost", "page_id": person.pages[0] })).await;
    LeadFixture::new(form).submit(1).await;
    tenant.wait_for_parked().await;
    let admin = tenant.add_admin("boss").await;
    let user = world.create_system_user(json!({ "pages": 1 })).await;
    let pasted = json!({ "name": "Pasted", "token": user["token"] });
    let made = tenant.call_ok(Method::POST, "/api/meta/integrations", &pasted).await;
    tenant
        .call(
            Method::POST,
            "/api/meta/integrations",
            &json!({ "name": "Bad", "token": format!("{}x", user.text("token")) }),
        )
        .await;
    tenant.check_integrations().await;
    let export = tenant.call_ok(Method::POST, "/api/leads/exports", &json!({})).await.text("id").to_owned();
    wait_for("the export", async || {
        (tenant.get(&format!("/api/leads/exports/{export}")).await["state"] == "done").then_some(())
    })
    .await;
    wait_for("the conversation", async || tenant.items("/api/conversations").await.pop()).await;
    wait_for("the lead's event", async || crm.received_of("lead.created").pop()).await;
    e2e::aws_probe::wait_for_mails(&admin, 1).await;
    let id = made.text("id");
    for path in ["/api/meta/integrations", "/api/meta/connections", "/api/leads", "/api/parked"] {
        tenant.get(path).await;
    }
    for call in ["", "/pages", "/health", "/businesses"] {
        tenant.get(&format!("/api/meta/integrations/{id}{call}")).await;
    }
    // Search everything outside the vault.
    assert!(find_leaks(outcome.0.as_str(), &secret).is_empty());

    let endpoints = &world.endpoints;
    let aws = world.aws();
    let mut looked_at = 0;
    let mut check = |what: &str, text: &str| {
        looked_at += text.len();
        assert_eq!(find_leaks(text, &secret), Vec::<String>::new(), "in {what}");
    };
    let items = Value::from(world.scan_rows("").await);
    assert!(items.list("").len() > 20);
    check("the table", &items.to_string());
    let mails = world.call_dev_api(Method::GET, "mail").await;
    assert!(mails.to_string().contains("page"));
    check("a mail", &mails.to_string());
    let truth = world.sim_state().await;
    let people = truth.list("users").iter().chain(truth.list("system_users"));
    for meta_person in people {
        let id = meta_person.text("id");
        // A newcomer's name is part of the page's name; Mara's name is not.
        let name = meta_person["name"].as_str().filter(|_| id == MARA_ID);
        for known in [Some(id), name].into_iter().flatten() {
            assert!(!items.to_string().contains(known), "the table names {known}, whom only the vault may know");
        }
    }
    let events = world.http.get(format!("{}/_local/events", endpoints.url)).send().await.unwrap().text().await.unwrap();
    assert!(events.contains("lead.created"));
    check("an event", &events);
    for event in crm.received() {
        check("a delivery", &format!("{:?} {}", event.headers, String::from_utf8_lossy(&event.body)));
    }
    let files = world.files().await;
    assert!(files.iter().any(|(name, text)| name.contains(&export) && text.contains("zaphodine@marker.example")));
    for (name, text) in files {
        check(&name, &text);
        assert!(!PERSONAL.iter().any(|detail| name.contains(detail)), "{name}");
    }
    for log in fs::read_dir(&world.logs).unwrap() {
        let path = log.unwrap().path();
        // The simulator is Meta and may log its own tokens.
        if path.file_stem().is_some_and(|name| name != "graph-sim") {
            check(&path.display().to_string(), &String::from_utf8_lossy(&fs::read(&path).unwrap()));
        }
    }
    // The stand-in for CloudWatch fails at times while functions write.
    let (mut more, mut groups) = (json!({}), Vec::new());
    loop {
        let call = "Logs_20140328.DescribeLogGroups";
        let page = wait_for("log groups", async || aws.json("logs", call, &more).await.ok()).await;
        groups.extend(page.list("logGroups").iter().map(|group| group.text("logGroupName").to_owned()));
        if !page["nextToken"].is_string() {
            break;
        }
        more["nextToken"] = page["nextToken"].clone();
    }
    assert!(groups.len() > 20, "{groups:?}");
    for name in groups {
        let lines = wait_for(&name, async || aws.log_lines(&name).await.ok()).await;
        check(&name, &lines.join("\n"));
        // Who looks into a log is not who may read leads.
        let told: Vec<&String> =
            lines.iter().filter(|line| PERSONAL.iter().any(|detail| line.to_lowercase().contains(detail))).collect();
        assert!(told.is_empty(), "{name}: {told:#?}");
    }
    let answers = world.responses.lock().unwrap().join("\n");
    assert!(answers.contains("leads_count"));
    check("an answer", &answers);
    assert!(looked_at > 50_000, "there was something to look at: {looked_at} bytes");

    // The vault does hold the tokens, and the search above would have found them.
    let (_, value) = world.list_secrets(&outcome.get("integrationId")).await.remove(0);
    assert!(!find_leaks(&value.to_string(), &secret).is_empty());
}
