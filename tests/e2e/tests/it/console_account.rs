//! What people keep and switch for themselves: the views of their list of leads, and the mails that they get.

use e2e::aws_probe::{mails_to, wait_for_mails};
use e2e::browser::{Browser, DESK};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

async fn user(tenant: &Tenant, id: &str) -> Value {
    tenant.get("/api/users").await.find("items", "id", id).clone()
}

/// Makes a person an admin in the directory, too, so that they get alerts.
async fn promote(tenant: &Tenant, email: &str, id: &str) {
    let body = json!({ "name": id, "email": email, "role": "admin", "active": true });
    tenant.call_ok(Method::PUT, &format!("/api/users/{id}"), &body).await;
}

#[tokio::test]
async fn a_person_keeps_views_that_no_one_else_sees() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("account-views").users(&["ann"]).connect().await;
    let leads = tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(2).await).await;
    let change = json!({ "status": "lost", "assigned_to": "ann" });
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{}", leads[0].text("id")), &change).await;
    let mut guest = Guest::log_in(&tenant.create_login("Vi Ewer", "admin").await).await;
    let mut other = Guest::log_in(&tenant.create_login("O Ther", "admin").await).await;

    let filtered = guest.get("/leads?status=lost&assigned_to=ann").await.text;
    assert!(filtered.contains("Save as a view"), "{filtered}");
    assert!(!guest.get("/leads?status=lost").await.text.contains("Save as a view"), "a usual view is there already");
    let fields = [("name", " Lost  by <Ann> "), ("status", "lost"), ("assigned_to", "ann"), ("q", "a person")];
    let saved = guest.post("/leads/views", &fields).await;
    assert_eq!((saved.status.as_u16(), saved.location.as_str()), (303, "/leads?assigned_to=ann&status=lost"));
    let page = guest.get(&saved.location).await.text;
    assert!(page.contains("Lost by &lt;Ann&gt;</a>") && page.contains("Delete the view"), "{page}");
    assert!(page.contains(leads[0].text("id")) && !page.contains(leads[1].text("id")), "{page}");
    assert!(!other.get("/leads").await.text.contains("Lost by"), "views are of one person");

    let too_long = "x".repeat(1_001);
    // The same name is the same view.
    guest.post("/leads/views", &[("name", "Lost by <Ann>"), ("status", "new")]).await;
    let page = guest.get("/leads").await.text;
    assert_eq!(page.matches("Lost by &lt;Ann&gt;</a>").count(), 1, "{page}");
    for (fields, words) in [
        (vec![("name", ""), ("status", "lost")], "A name of 1 to 40 characters."),
        (vec![("name", "No filters"), ("q", "a person")], "Choose the filters that the view has."),
        (vec![("name", "No filters"), ("tag", too_long.as_str())], "These filters are too long for a view."),
    ] {
        guest.post("/leads/views", &fields).await;
        let page = guest.get("/leads").await.text;
        assert!(page.contains(words) && !page.contains("No filters"), "{page}");
    }
    assert_eq!(guest.post("/leads/views", &[("name", "Bad"), ("status", "gone")]).await.status, 400);
    for number in 1..=20 {
        guest.post("/leads/views", &[("name", &format!("View {number}")), ("status", "lost"), ("tag", "x")]).await;
    }
    let page = guest.get("/leads").await.text;
    assert!(page.contains("at most 20 views") && page.contains("View 19<") && !page.contains("View 20<"), "{page}");
    other.post("/leads/views/delete", &[("name", "View 1")]).await;
    assert!(guest.get("/leads").await.text.contains("View 1<"), "of others, no view is deleted");
    guest.post("/leads/views/delete", &[("name", "View 1")]).await;
    assert!(!guest.get("/leads").await.text.contains("View 1<"));
}

#[tokio::test]
async fn an_admin_switches_alerts_off_and_the_console_says_when_no_one_gets_them() {
    let org = "account-mails";
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new(org).connect().await;
    let log_in = async |name: &str, id: &str| {
        let email = tenant.create_login(name, "admin").await;
        promote(&tenant, &email, id).await;
        (email.clone(), Guest::log_in(&email).await)
    };
    let (first, mut one) = log_in("Fir St", "first").await;
    let (second, mut two) = log_in("Seco Nd", "second").await;
    let page = one.get("/account").await.text;
    assert!(page.contains("name=\"alerts\" checked") && page.contains(&first), "{page}");

    one.post("/account/mails", &[("notifications", "on")]).await;
    let seen = user(&tenant, "first").await;
    assert_eq!((&seen["alerts"], &seen["notifications"]), (&json!(false), &json!(true)));
    assert!(!one.get("/account").await.text.contains("name=\"alerts\" checked"));
    let integrations = one.get("/integrations").await.text;
    assert!(integrations.contains("title=\"") && !integrations.contains(&first), "{integrations}");
    // The CRM pushes its users again and again, and switches nothing thereby.
    promote(&tenant, &first, "first").await;
    assert_eq!(user(&tenant, "first").await["alerts"], false);

    world().change_tokens(json!({ "action": "revoke", "user_id": person.id })).await;
    tenant.check_integrations().await;
    tenant.wait_for_integration(&integration, "the end", |seen| seen["status"] == "error").await;
    wait_for_mails(&second, 1).await;
    assert!(mails_to(&first).await.is_empty(), "who wants none gets none");

    two.post("/account/mails", &[("notifications", "on")]).await;
    for path in ["/integrations", "/home"] {
        let page = two.get(path).await.text;
        assert!(page.contains("Every admin has switched alerts off"), "{path}: {page}");
    }
    assert!(two.get("/settings").await.text.contains("Gets no alerts"));
    // The CRM may switch them on.
    let body = json!({ "name": "first", "email": first, "role": "admin", "active": true, "alerts": true });
    assert_eq!(tenant.call_ok(Method::PUT, "/api/users/first", &body).await["alerts"], true);
    assert!(!two.get("/integrations").await.text.contains("Every admin has switched alerts off"));
    let acts = tenant.items("/api/audit?act=user.change").await;
    assert!(acts.iter().any(|act| act.to_string().contains("alerts")), "{acts:?}");
}

#[tokio::test]
async fn people_whom_the_directory_does_not_know_have_no_mails_to_switch() {
    let tenant = Tenant::as_superadmin("account-stranger");
    tenant.put_org("Strangers", &["meta"]).await;
    let mut guest = Guest::log_in(&tenant.create_login("Stran Ger", "admin").await).await;
    assert!(guest.get("/account").await.text.contains("so you get no mails"));
    assert_eq!(guest.post("/account/mails", &[("alerts", "on")]).await.status, 403);
}

#[tokio::test]
async fn a_person_hides_the_steps_until_something_is_undone() {
    let ConnectedOrg { tenant, integration, .. } = OrgFixture::new("account-steps").connect().await;
    let mut guest = Guest::log_in(&tenant.create_login("Hi De", "admin").await).await;
    let mut other = Guest::log_in(&tenant.create_login("O Ther", "admin").await).await;
    let home = guest.get("/home").await.text;
    assert!(home.contains("Setup: 2 of 6 steps done") && home.contains("Choose who gets alerts"), "{home}");
    assert_eq!(home.matches("No one is mailed").count(), 1, "it is said once: {home}");
    assert!(!guest.get("/account").await.text.contains("Show them again"));

    // What the form on the page has.
    let open: Vec<&str> =
        home.split("name=\"open\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(open, ["team", "assignment", "alerts", "lead"]);
    let fields: Vec<(&str, &str)> = open.iter().map(|name| ("open", *name)).collect();
    let hidden = guest.post("/home/steps", &fields).await;
    assert_eq!((hidden.status.as_u16(), hidden.location.as_str()), (303, "/home"));
    let home = guest.get("/home").await.text;
    assert!(home.contains("The setup steps are hidden.") && !home.contains("steps done"), "{home}");
    assert_eq!(home.matches("No one is mailed").count(), 1, "what is broken is not hidden: {home}");
    assert!(other.get("/home").await.text.contains("Setup: 2 of 6 steps done"), "it is hidden from one person only");
    // A step that is done since changes nothing.
    tenant.put_user("ann", "Ann", true).await;
    assert!(!guest.get("/home").await.text.contains("steps done"));

    // Back by hand.
    assert!(guest.get("/account").await.text.contains("Show them again"));
    assert_eq!(guest.post("/account/steps", &[]).await.location, "/home");
    assert!(guest.get("/home").await.text.contains("Setup: 3 of 6 steps done"));
    assert!(!guest.get("/account").await.text.contains("Show them again"));
    // Back because something that was done is undone.
    guest.post("/home/steps", &fields).await;
    assert!(!guest.get("/home").await.text.contains("steps done"));
    let path = format!("/api/meta/integrations/{integration}");
    assert_eq!(tenant.call(Method::DELETE, &path, &Value::Null).await.0, 204);
    let home = guest.get("/home").await.text;
    assert!(home.contains("Setup: 1 of 6 steps done"), "{home}");
    assert_eq!(home.matches("No one is mailed").count(), 1, "{home}");
}

#[tokio::test]
async fn the_keys_are_listed_and_those_of_one_character_can_be_switched_off() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("account-keys").users(&["ann"]).connect().await;
    let email = tenant.create_login("Kay Board", "admin").await;
    let answers = json!({ "full_name": "Kim Key", "email": "kim@example.com" });
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await).await;
    let mut guest = Guest::log_in(&email).await;
    let page = guest.get("/account").await.text;
    assert!(page.contains("<section class=\"card\" id=\"keys\">"), "without script, the link leads to them: {page}");
    let browser = Browser::open(DESK).await;
    browser.open_page("/leads").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Kim Key").await;
    let run = async |script: &str| browser.client.execute(script, vec![]).await.unwrap();
    let focus = "return document.activeElement.textContent";
    let is_open = "return document.querySelector('#key-sheet[open]') !== null";
    let selected = "return document.querySelectorAll('input[name=lead]:checked').length";
    browser.press_key("j").await;
    assert_eq!(run(focus).await, "Kim Key");
    browser.press_key("?").await;
    browser.wait_for_text("Next or previous lead").await;
    assert_eq!(run(focus).await, "Keyboard shortcuts");
    assert_eq!(run("return document.getElementById('key-sheet').scrollTop").await, 0);
    browser.check_page("keys").await;
    // Behind the sheet, keys do nothing.
    browser.press_key("x").await;
    browser.press_key("\u{e00c}").await;
    wait_for("the list", async || (run(is_open).await == false).then_some(())).await;
    assert_eq!((run(focus).await, run(selected).await), (json!("Kim Key"), json!(0)));

    browser.click(".who summary").await;
    browser.press("Keyboard shortcuts").await;
    wait_for("the sheet", async || (run(is_open).await == true).then_some(())).await;
    browser.click("#key-sheet input[name=letters]").await;
    browser.click("#key-sheet [data-close]").await;
    browser.open_page("/leads").await;
    browser.wait_for_text("Kim Key").await;
    run("document.querySelector('tr[data-row] .title a').focus()").await;
    browser.press_key("x").await;
    browser.press_key("?").await;
    assert_eq!((run(is_open).await, run(selected).await), (json!(false), json!(0)));
    // What takes two keys goes on, and letters are typed as ever.
    run("document.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))").await;
    browser.press_key("deliv").await;
    browser.press_key("\u{e007}").await;
    wait_for("the section", async || browser.client.current_url().await.ok().filter(|url| url.path() == "/delivery"))
        .await;
    // The account has the switch as well.
    browser.open_page("/account").await;
    browser.click("#keys input[name=letters]").await;
    browser.open_page("/leads").await;
    browser.wait_for_text("Kim Key").await;
    run("document.querySelector('tr[data-row] .title a').focus()").await;
    browser.press_key("x").await;
    browser.wait_for_text("1 selected").await;
    // Two keys one after the other lead to a section.
    browser.press_key("g").await;
    browser.press_key("h").await;
    wait_for("the home", async || browser.client.current_url().await.ok().filter(|url| url.path() == "/home")).await;
    browser.close().await;
}
