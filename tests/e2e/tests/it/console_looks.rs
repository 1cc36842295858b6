//! Every page of the console on every screen: nothing hangs out, every rule of accessibility that matters holds, nothing is
//! blocked. The pictures are in `target/e2e/pictures`.

use e2e::browser::{Browser, DESK_DARK, PHONE, PHONE_DARK, Screen, WIDE};
use e2e::tenant::Tenant;
use e2e::world::{eventually, world};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::ads::{agency, link, ready};

/// An org in which there is something to see of everything.
struct Furnished {
    admin: String,
    pages: Vec<(&'static str, String)>,
}

async fn furnished() -> &'static Furnished {
    static MADE: OnceCell<Furnished> = OnceCell::const_new();
    MADE.get_or_init(furnish).await
}

async fn furnish() -> Furnished {
    let tenant = Tenant::with_users("console-looks", &[("ann", true), ("ben", true)]).await;
    let admin = tenant.login("Luca Looks", "admin").await;
    let (person, gone) = (world().person(3).await, world().person(1).await);
    let more =
        json!({ "name": "Our pages", "description": "All of the north", "assignment": { "strategy": "round_robin" } });
    let integration = tenant.connect(&person.id, &[], more, &[]).await.get("integrationId");
    tenant.connect(&gone.id, &[], json!({ "name": "The old account" }), &[]).await;
    let answers = json!({ "full_name": "Maximiliane Freifrau von und zu Hohenlohe-Waldenburg-Schillingsfürst",
        "email": "maximiliane.hohenlohe-waldenburg-schillingsfuerst@very-long-domain-name.example.com" });
    let mut ids = world().submit(&person.forms[0], 1, json!({ "answers": answers })).await;
    ids.extend(world().submit(&person.forms[1], 5, json!({ "platform": "ig" })).await);
    tenant.leads_with(&ids).await;
    world().withheld_lead(&person).await;
    eventually("a parked lead", async || tenant.get("/api/parked").await["items"][0].as_object().map(drop)).await;
    let rules = json!({ "rules": [{ "field": "notes", "from": ["full_name", "email"], "join": " / " }] });
    tenant.done(reqwest::Method::PUT, &format!("/api/meta/forms/{}/mapping", person.forms[0]), &rules).await;
    tenant.done(reqwest::Method::POST, &format!("/api/meta/integrations/{integration}/sync"), &Value::Null).await;
    let token = agency(&[("700300001", "USD", "America/New_York"), ("700300002", "JPY", "Asia/Tokyo")]).await;
    for (id, client) in [("700300001", "one"), ("700300002", "two")] {
        link(&tenant, id, client, &token).await;
        ready(&tenant, id).await;
    }
    world().token(json!({ "action": "revoke", "user_id": gone.id })).await;
    eventually("the end of the old account", async || {
        world().look_at_everything().await;
        let integrations = tenant.get("/api/meta/integrations").await;
        integrations["items"].as_array()?.iter().any(|found| found["status"] == "error").then_some(())
    })
    .await;
    let pages = [
        ("integrations", "/integrations".to_owned()),
        ("disconnect", "/integrations?confirm=disconnect".to_owned()),
        ("integration", format!("/integrations/{integration}")),
        ("system-user", "/integrations/token".to_owned()),
        ("leads", "/leads".to_owned()),
        ("lead", format!("/leads/meta-{}", ids[0])),
        ("import", "/leads/import".to_owned()),
        ("delivery", "/delivery".to_owned()),
        ("forms", "/forms".to_owned()),
        ("mapping", format!("/forms/{}", person.forms[0])),
        ("ads", "/ads".to_owned()),
        ("ads-report", "/ads/report?group_by=campaign&sort=spend&dir=desc".to_owned()),
        ("ads-log", "/ads/log".to_owned()),
        ("ad-account", "/ads/accounts/act_700300001".to_owned()),
        ("ad-account-new", "/ads/accounts/new".to_owned()),
    ];
    Furnished { admin, pages: pages.into() }
}

async fn all_pages_are_in_order(screen: Screen) {
    let made = furnished().await;
    let browser = Browser::open(screen).await;
    browser.open_page("/").await;
    browser.log_in(&made.admin).await;
    for (name, path) in &made.pages {
        browser.open_page(path).await;
        browser.is_in_order(&format!("all-{name}")).await;
    }
    browser.close().await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_phone() {
    all_pages_are_in_order(PHONE).await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_phone_at_night() {
    all_pages_are_in_order(PHONE_DARK).await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_desk_at_night() {
    all_pages_are_in_order(DESK_DARK).await;
}

#[tokio::test]
async fn every_page_is_in_order_on_a_large_screen() {
    all_pages_are_in_order(WIDE).await;
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_order_too() {
    let browser = Browser::open(PHONE).await;
    browser.open_page("/").await;
    browser.log_in("admin@basic.example").await;
    browser.reads("Upgrade to connect Meta").await;
    // The browser notes the status of every page that is not a success.
    browser.picture("upgrade").await;
    browser.open_page("/leads").await;
    browser.reads("No leads yet").await;
    browser.open_page("/nowhere").await;
    browser.reads("There is nothing at this address.").await;
    browser.picture("not-found").await;
    browser.close().await;
}

#[tokio::test]
async fn pages_work_without_script() {
    let made = furnished().await;
    let mut guest = e2e::console::Guest::logged_in(&made.admin).await;
    let page = guest.get("/integrations?confirm=disconnect").await;
    assert!(page.text.contains("<dialog id=\"disconnect\" open"), "the dialog stands in the page");
    let (_, integration) = &made.pages[2];
    let page = guest.get(integration).await;
    assert!(
        page.text.contains(&format!("<noscript><p><a class=\"button\" href=\"{integration}/health\"")),
        "a link leads to what takes a while"
    );
    let health = guest.get(&format!("{integration}/health")).await;
    assert!(
        health.text.contains("<!DOCTYPE html>") && health.text.contains("Webhook subscription"),
        "as a page of its own"
    );
    let part = guest.ask(reqwest::Method::GET, &format!("{integration}/health"), &[], &[("x-part", "1")]).await;
    assert!(!part.text.contains("<!DOCTYPE html>"), "{}", part.text);
}
