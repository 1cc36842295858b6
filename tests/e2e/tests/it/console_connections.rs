//! What the console says of connections that are not well, and what it asks before it changes one.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::Person;
use e2e::world::{wait_for, world};
use fantoccini::Locator;
use serde_json::{Value, json};

/// Consents in Meta's dialog as this person, with further parameters of the dialog.
async fn consent(browser: &Browser, person: &Person, more: &str) {
    let console = world().endpoints.url.clone();
    let dialog = wait_for("Meta's dialog", async || {
        browser.client.current_url().await.ok().filter(|url| !url.as_str().starts_with(&console))
    })
    .await;
    browser.client.goto(&format!("{dialog}&_sim=allow&_user={}{more}", person.id)).await.unwrap();
}

#[tokio::test]
async fn no_page_is_green_whose_leads_cannot_come_and_no_one_to_mail_is_said() {
    let tenant = OrgFixture::new("console-blocked").create().await;
    let (email, person) = (tenant.create_login("Bo Locked", "admin").await, world().create_person(1).await);
    let browser = Browser::open(DESK).await;
    browser.open_page("/integrations").await;
    browser.log_in(&email).await;
    browser.press("Connect Facebook").await;
    consent(&browser, &person, "&_deny_scopes=leads_retrieval,ads_read").await;
    browser.wait_for_text("Permission missing: read leads (leads_retrieval). No leads can arrive.").await;
    browser.wait_for_text("Ad reports are not available.").await;
    assert!(browser.client.find(Locator::Css(".alert.good")).await.is_err(), "no success is said");
    browser.check_page("blocked").await;
    assert!(!browser.text().await.contains("Active"), "{}", browser.text().await);
    browser.open_page("/integrations").await;
    browser.wait_for_text("No leads can arrive.").await;
    browser.wait_for_text("No one is mailed when a connection ends.").await;
    let text = browser.text().await;
    assert!(!text.contains("Active") && text.contains("No leads") && text.contains("Error"), "{text}");
    browser.check_page("blocked-list").await;

    tenant.add_admin("boss").await;
    browser.press("Reconnect").await;
    consent(&browser, &person, "").await;
    browser.wait_for_text("Connected, with 1 page.").await;
    browser.open_page("/integrations").await;
    browser.wait_for_text("Alerts about connections are mailed to").await;
    browser.wait_for_text("Active").await;
    browser.close().await;
}

#[tokio::test]
async fn another_facebook_account_is_asked_about_and_the_same_one_is_renewed() {
    let tenant = OrgFixture::new("console-other").create().await;
    let email = tenant.create_login("Ola Ther", "admin").await;
    let (one, other) = (world().create_person(2).await, world().create_person(1).await);
    let id = tenant.connect(&one.id, &[], json!({ "name": "Ours" }), &[]).await.get("integrationId");
    let browser = Browser::open(PHONE).await;
    browser.open_page(&format!("/integrations/{id}")).await;
    browser.log_in(&email).await;
    browser.press("Reconnect").await;
    consent(&browser, &other, "").await;
    browser.wait_for_text("This was another account").await;
    browser.wait_for_text("leads from these pages stop").await;
    browser.check_page("other-account").await;
    assert_eq!(tenant.integration(&id).await["pages_count"], 2, "nothing was changed");
    browser.press("Replace the account").await;
    consent(&browser, &other, "").await;
    browser.wait_for_text("with 1 page").await;
    assert_eq!(tenant.integration(&id).await["pages_count"], 1);

    // Connecting that person once more renews the integration instead of doubling its pages.
    browser.open_page("/integrations").await;
    browser.press("Connect another account").await;
    consent(&browser, &other, "").await;
    browser.wait_for_text("This Facebook account was already connected").await;
    assert_eq!(tenant.items("/api/meta/integrations").await.len(), 1);
    browser.open_page("/integrations").await;
    browser.press("Connect another account").await;
    consent(&browser, &one, "").await;
    browser.wait_for_text("Connected, with 2 pages.").await;
    assert_eq!(tenant.items("/api/meta/integrations").await.len(), 2);
    browser.close().await;
}

#[tokio::test]
async fn parked_leads_are_seen_where_people_look_and_can_be_dismissed() {
    let tenant = OrgFixture::new("console-dismiss").create().await;
    let (email, person) = (tenant.create_login("Dis Miss", "admin").await, world().create_person(1).await);
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let id = world().submit_withheld_lead(&person).await;
    tenant.wait_for_parked().await;
    let severities = async || {
        let [integrations, pages] = ["integrations", "connections"].map(|kind| format!("/api/meta/{kind}"));
        let severity = async |path: &str| tenant.items(path).await[0]["severity"].clone();
        (severity(&integrations).await, severity(&pages).await)
    };
    assert_eq!(severities().await, (json!("warning"), json!("warning")), "one state, wherever it stands");
    let browser = Browser::open(PHONE).await;
    browser.open_page("/leads").await;
    browser.log_in(&email).await;
    browser.wait_for_text("1 lead could not be imported. Meta does not permit access.").await;
    browser.open_page(&format!("/leads/meta-{id}")).await;
    browser.wait_for_text("This lead could not be imported").await;
    browser.open_page("/delivery").await;
    browser.press("Dismiss").await;
    browser.wait_for_text("will leave this list").await;
    browser.check_page("dismiss").await;
    browser.click("dialog[open] button.primary").await;
    browser.wait_for_text("1 lead dismissed.").await;
    browser.wait_for_text("No leads are parked").await;
    assert!(tenant.items("/api/parked").await.is_empty());
    assert_eq!(severities().await, (json!("ok"), json!("ok")));
    let acts = tenant.items("/api/audit").await;
    assert!(acts.iter().any(|act| act.text("act") == "lead.dismiss"), "{acts:?}");
    browser.close().await;
}

#[tokio::test]
async fn a_silent_page_is_seen_beside_a_lively_one_and_each_tab_of_an_integration_has_an_address() {
    const READ_TAB: &str = "const tab = document.querySelector('.tabs [aria-current=page]'); \
        const { left, right, top } = tab.getBoundingClientRect(); \
        return [tab.textContent, left >= 0 && right <= document.documentElement.clientWidth, \
            document.querySelector('main h1').getBoundingClientRect().bottom <= top]";
    let org = "console-tabs";
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new(org).pages(2).connect().await;
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
    // The other page has had leads, and none for long.
    let (lively, silent) = (&person.pages[0], &person.pages[1]);
    let silence = json!({
        "TableName": world().endpoints.table,
        "Key": { "pk": { "S": format!("PAGE#{silent}") }, "sk": { "S": format!("ORG#{org}#INTEGRATION#{integration}") } },
        "UpdateExpression": "SET last_lead_at = :last, last_webhook_at = :last, quiet_since = :since",
        "ExpressionAttributeValues": { ":last": { "S": "2026-01-01T09:00:00Z" }, ":since": { "S": "2026-01-05T09:00:00Z" } },
    });
    world().aws().json("dynamodb", "DynamoDB_20120810.UpdateItem", &silence).await.unwrap();
    let report = tenant.get(&format!("/api/meta/integrations/{integration}/health")).await;
    let last_lead = report.find("items", "id", "last_lead");
    assert_eq!((report.text("status"), last_lead.text("status")), ("pass", "unknown"), "a hint, no alarm: {report}");
    assert_eq!(last_lead["page_ids"], json!([silent]));
    let pages = tenant.get("/api/meta/connections").await;
    assert_eq!(pages.find("items", "page_id", silent.as_str()).text("last_webhook_at"), "2026-01-01T09:00:00Z");
    let other = pages.find("items", "page_id", lively.as_str()).text("page_name").to_owned();

    let email = tenant.create_login("Tab Tester", "admin").await;
    let browser = Browser::open(PHONE).await;
    browser.open_page("/integrations").await;
    browser.log_in(&email).await;
    browser.press("Check its health").await;
    browser.wait_for_text("No check failed, but leads or webhooks of 1 page are missing.").await;
    browser.wait_for_text(&format!("Leadwire can receive leads: {other} has sent some since then.")).await;
    browser.check_page("silent-health").await;
    for (name, words) in [
        ("Pages", "Open on Facebook"),
        ("Searches", "Latest searches"),
        ("Lead quality", "What is reported"),
        ("Health", "Connected through"),
    ] {
        browser.press(name).await;
        browser.wait_for_text(words).await;
        browser.wait_until_loaded().await;
        let seen = browser.client.execute(READ_TAB, vec![]).await.unwrap();
        assert_eq!(seen, json!([name, true, true]), "the tab is marked, in view on a phone, and below the heading");
        assert!(browser.client.title().await.unwrap().starts_with(name));
    }
    browser.open_page("/integrations").await;
    browser.click(&format!("td a[href$='#page-{silent}']")).await;
    browser.wait_for_text("Unusually silent since").await;
    browser.wait_for_text("Subscribed").await;
    let address = browser.client.current_url().await.unwrap();
    assert_eq!(address.path(), format!("/integrations/{integration}/pages"));
    browser.check_page("silent-page").await;
    browser.close().await;

    // What is done on a tab leads back to it.
    let mut guest = Guest::log_in(&email).await;
    let both = [("page", lively.as_str()), ("page", silent.as_str())];
    let settings = [("name", "Ours"), ("assignment", "unassigned"), ("inbox_assignment", "unassigned")];
    for (act, fields, tab) in [
        ("sync", &[][..], "searches"),
        ("backfill", &[("days", "91")], "searches"),
        ("pages", &both, "pages"),
        ("pages", &[], "pages"),
        ("settings", &settings, "settings"),
        ("token", &[("token", "EAAx")], "settings"),
    ] {
        let page = guest.post(&format!("/integrations/{integration}/{act}"), fields).await;
        assert_eq!(page.location, format!("/integrations/{integration}/{tab}"), "{act}: {}", page.text);
    }
}
