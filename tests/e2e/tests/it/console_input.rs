//! Input to the console: invalid, hostile, and very long.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::LeadFixture;
use e2e::json::Json;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

use crate::console_access::{OrgWithLead, create_org_with_lead};

#[tokio::test]
async fn what_is_refused_is_shown_beside_what_was_typed() {
    let OrgWithLead { tenant, email, integration, lead } = create_org_with_lead("console-refused").await;
    let mut guest = Guest::log_in(&email).await;
    // After an invalid name, the other inputs stay.
    let page = guest
        .post(
            &format!("/integrations/{integration}/settings"),
            &[
                ("name", ""),
                ("description", "Typed"),
                ("assignment", "round_robin"),
                ("inbox_assignment", "round_robin"),
            ],
        )
        .await;
    assert!(page.text.contains("Typed") && page.text.contains("value=\"round_robin\" selected"), "{}", page.text);
    let page = guest
        .post("/integrations/token", &[("name", "Mine"), ("token", "EAAnonsense"), ("assignment", "round_robin")])
        .await;
    assert!(
        page.text.contains("value=\"Mine\"") && page.text.contains("value=\"round_robin\" selected"),
        "{}",
        page.text
    );
    assert!(!page.text.contains("EAAnonsense"));
    let linking = [
        ("ad_account_id", "act_1"),
        ("label", "Mine"),
        ("client_name", "Кафе"),
        ("token", "EAAnonsense"),
        ("integration_id", ""),
    ];
    let page = guest.post("/ads/accounts/new", &linking).await;
    assert!(page.text.contains("value=\"act_1\"") && page.text.contains("value=\"\" selected"), "{}", page.text);

    // A rule without a field and a malformed choice line are not lost.
    let form = tenant.items("/api/meta/forms").await[0].text("form_id").to_owned();
    let path = format!("/forms/{form}");
    let rule = [
        ("rules", "2"),
        ("version", "0"),
        ("rule-0-field", ""),
        ("rule-0-from", "full_name"),
        ("rule-1-field", "note"),
        ("rule-1-default", "typed default"),
    ];
    let page = guest.post(&path, &rule).await;
    assert!(page.text.contains("1 to 64 characters") && page.text.contains("typed default"), "{}", page.text);
    let line = [
        ("rules", "1"),
        ("version", "0"),
        ("rule-0-field", "note"),
        ("rule-0-from", "full_name"),
        ("rule-0-choices", "a = b\nno choice"),
    ];
    let page = guest.post(&path, &line).await;
    assert!(page.text.contains("Line 2 of the replacements") && page.text.contains("no choice"), "{}", page.text);
    // Whitespace in a separator is preserved, and a rule can be removed.
    let join = [
        ("rules", "1"),
        ("version", "0"),
        ("rule-0-field", "note"),
        ("rule-0-from", "full_name"),
        ("rule-0-from", "email"),
        ("rule-0-join", " / "),
    ];
    assert_eq!(guest.post(&path, &join).await.status, 303);
    let saved = tenant.get(&format!("/api/meta/forms/{form}/mapping")).await;
    assert_eq!(saved["rules"][0]["join"], " / ");
    assert!(guest.get(&path).await.text.contains("value=\" / \""));
    // A concurrent change is reported once; saving again with the new version succeeds.
    let mine = [("rules", "1"), ("version", "0"), ("rule-0-field", "mine"), ("rule-0-from", "full_name")];
    let page = guest.post(&path, &mine).await;
    assert!(
        page.text.contains("Another user has changed this mapping") && page.text.contains("value=\"mine\""),
        "{}",
        page.text
    );
    assert!(page.text.contains("name=\"version\" value=\"1\""), "{}", page.text);
    let again = [("rules", "1"), ("version", "1"), ("rule-0-field", "mine"), ("rule-0-from", "full_name")];
    assert_eq!(guest.post(&path, &again).await.status, 303);
    let gone = [
        ("rules", "1"),
        ("version", "2"),
        ("rule-0-field", "mine"),
        ("rule-0-from", "full_name"),
        ("rule-0-remove", "yes"),
    ];
    assert_eq!(guest.post(&path, &gone).await.status, 303);
    assert!(tenant.get(&format!("/api/meta/forms/{form}/mapping")).await.list("rules").is_empty());

    // An absent field does not unassign a lead: browsers omit a disabled choice.
    let given = json!({ "assigned_to": "ann" });
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{lead}"), &given).await;
    guest.post(&format!("/leads/{lead}/assign"), &[]).await;
    assert_eq!(tenant.get(&format!("/api/leads/{lead}")).await["assigned_to"], "ann");
    guest.post(&format!("/leads/{lead}/assign"), &[("assigned_to", "unassigned")]).await;
    assert_eq!(tenant.get(&format!("/api/leads/{lead}")).await["assigned_to"], Value::Null);
    // Invalid cursors and dates.
    assert!(guest.get("/leads?cursor=x").await.text.contains("This part of the list cannot be found"));
    assert!(guest.get("/leads?from=yesterday").await.text.contains("Enter a date such as"));
    assert!(guest.get("/ads/report?group_by=moon").await.text.contains("Use one of:"));
}

#[tokio::test]
async fn names_that_are_scripts_are_names() {
    const SCRIPT: &str = "<script>document.title='owned'</script><img src=x onerror=alert(1)>";
    let OrgWithLead { tenant, email, integration, .. } = create_org_with_lead("console-hostile").await;
    let person = world().create_person(1).await;
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let answers = json!({ "full_name": SCRIPT, "email": "\"><svg/onload=alert(1)>@example.com" });
    let ids = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    tenant.wait_for_leads(&ids).await;
    let name = json!({ "name": &SCRIPT[..60], "description": "{{7*7}}<b>bold</b>" });
    tenant.call_ok(Method::PATCH, &format!("/api/meta/integrations/{integration}"), &name).await;
    tenant.put_user("xss", SCRIPT, true).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/leads").await;
    browser.log_in(&email).await;
    let lead = format!("/leads/meta-{}", ids[0]);
    for path in [
        "/leads",
        &lead,
        "/integrations",
        &format!("/integrations/{integration}"),
        &format!("/integrations/{integration}/pages"),
        &format!("/integrations/{integration}/settings"),
        "/leads?status=%3Cscript%3E",
        "/ads?client_id=%22%3E%3Cscript%3E",
    ] {
        browser.open_page(path).await;
        browser.wait_until_loaded().await;
        assert_ne!(browser.client.title().await.unwrap(), "owned", "{path}");
        let made = "return document.querySelectorAll('main script, main img, main svg[onload]').length";
        assert_eq!(browser.client.execute(made, vec![]).await.unwrap(), json!(0), "{path}");
        browser.check_log(path).await;
    }
    browser.open_page(&lead).await;
    browser.wait_for_text("<script>document.title='owned'</script>").await;
    browser.close().await;
    // A name without a space must not break the layout.
    let answers = json!({ "full_name": "x".repeat(800), "email": format!("{}@example.com", "y".repeat(60)) });
    let ids = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    tenant.wait_for_leads(&ids).await;
    for screen in [PHONE, DESK] {
        let browser = Browser::open(screen).await;
        browser.open_page("/leads").await;
        browser.log_in(&email).await;
        browser.check_page("long-names").await;
        browser.open_page(&format!("/leads/meta-{}", ids[0])).await;
        browser.check_page("long-name").await;
        browser.close().await;
    }
}

#[tokio::test]
async fn every_answer_is_guarded_and_assets_are_kept_for_ever() {
    let mut guest = Guest::log_in("admin@demo.example").await;
    let page = guest.get("/leads").await;
    for path in ["/leads", "/nothing-here", "/leads/none", "/login/callback"] {
        let page = guest.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store", "{path}");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
    }
    assert!(!page.text.contains("<script>") && !page.text.contains("style="), "nothing stands in the page itself");
    let assets: Vec<&str> = page.text.split('"').filter(|text| text.starts_with("/assets/")).collect();
    assert_eq!(assets.len(), 4);
    for asset in assets {
        let found = Guest::default().get(asset).await;
        assert_eq!(found.status, 200);
        assert!(found.headers["cache-control"].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(Guest::default().get("/assets/console.css").await.status, 404);
    // Compressed for those who say that they understand it, and only for them.
    for (accepted, encoding) in [("gzip, br", Some("gzip")), ("identity", None)] {
        let page = guest.request(Method::GET, "/leads", &[], &[("accept-encoding", accepted)]).await;
        assert_eq!(page.headers.get("content-encoding").map(|value| value.to_str().unwrap()), encoding, "{accepted}");
    }
    // The API keeps its own routes, and only those.
    let none = wait_for("the API", async || Some(guest.get("/api/leads").await)).await;
    assert_eq!(none.status, 401);
}

#[tokio::test]
async fn addresses_that_cannot_be_are_pages_too() {
    let mut guest = Guest::log_in("admin@demo.example").await;
    for path in [
        "/integrations/return?pages=abc",
        "/delivery?confirm=a&confirm=b",
        "/integrations?confirm=a&confirm=b",
        "/login/callback?code=a&code=b",
        "/leads/%00",
        "/ads/accounts/%23",
        "/leads/..%2f..%2fetc",
    ] {
        let page = guest.get(path).await;
        assert!(page.status.is_client_error(), "{path}: {}", page.status);
        assert!(page.text.starts_with("<!DOCTYPE html>"), "{path}: {}", page.text);
    }
    for path in ["/integrations/%00/sync", "/ads/accounts/%01/pause", "/forms/%C3%A9/test-lead"] {
        let page = guest.post(path, &[]).await;
        assert!(page.status.is_client_error(), "{path}: {} {}", page.status, page.text);
        assert!(page.text.starts_with("<!DOCTYPE html>"), "{path}: {}", page.text);
    }
    let counted = [("changed", "18446744073709551615"), ("unchanged", "5")];
    assert_eq!(guest.post("/forms/1/rerun", &counted).await.status, 404);
    // An overlong or unsafe return path does not break the login; it ends at the start page.
    let mut stranger = Guest::default();
    let begun = stranger.get(&format!("/login?back=/leads%3Fx={}", "y".repeat(3000))).await;
    let back = stranger.log_in_at_issuer(&begun.location, "admin@demo.example").await;
    assert_eq!(stranger.get(&back[url::Position::BeforePath..]).await.location, "/");
    for back in ["/%00", "/%7f", "/%C3%A9", "/a%0d%0aSet-Cookie:x"] {
        let mut guest = Guest::default();
        let begun = guest.get(&format!("/login?back={back}")).await;
        let from = guest.log_in_at_issuer(&begun.location, "admin@demo.example").await;
        assert_eq!(guest.get(&from[url::Position::BeforePath..]).await.location, "/", "{back}");
    }
}
