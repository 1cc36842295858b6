//! The console in a real browser: from the login page to leads, forms and ads.

use e2e::ad_accounts::{create_ad_accounts, wait_until_ready};
use e2e::browser::{Browser, DESK, PHONE};
use e2e::fixtures::{LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::Person;
use e2e::world::{wait_for, world};
use fantoccini::Locator;
use serde_json::{Value, json};

/// Passes Meta's login and consent pages, and waits for the return.
async fn agree(browser: &Browser, person: &Person) {
    browser.click(&format!("input[value='{}'] ~ .actions button", person.id)).await;
    browser.click("button[value='allow']").await;
    let console = world().endpoints.url.clone();
    wait_for("the way back from Meta", async || {
        browser.client.current_url().await.ok().filter(|url| url.as_str().starts_with(&console))
    })
    .await;
}

#[tokio::test]
async fn an_admin_connects_and_follows_a_lead() {
    let tenant = OrgFixture::new("console-lead").users(&["ann", "ben"]).inactive_users(&["zoe"]).create().await;
    let (email, person) = (tenant.create_login("Ada Lead", "admin").await, world().create_person(2).await);
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Connect Facebook, and leads").await;
    browser.press("Integrations").await;
    browser.wait_for_text("No pages connected yet").await;
    browser.check_page("not-connected").await;

    browser.press("Connect Facebook").await;
    agree(&browser, &person).await;
    browser.wait_for_text("Connected, with 2 pages.").await;
    browser.wait_for_text("Send a test lead").await;
    browser.wait_for_text("Leads Access Manager lets this app read the leads of every page.").await;
    browser.click("nav.tabs a[href$='/settings']").await;
    browser.choose("select[name=assignment]", "Everyone who manages leads, in turn (2)").await;
    browser.fill("input[name=name]", "Our pages").await;
    browser.press("Save settings").await;
    browser.wait_for_text("Saved.").await;
    browser.check_page("integration").await;
    assert_eq!(tenant.items("/api/meta/integrations").await[0]["assignment"]["strategy"], "round_robin");

    let answers = json!({ "full_name": "Ines Grünwald", "email": "ines@example.com" });
    let ids = LeadFixture::new(&person.forms[0]).answers(&answers).platform("ig").submit(1).await;
    tenant.wait_for_leads(&ids).await;
    browser.press("Leads").await;
    browser.wait_for_text("Ines Grünwald").await;
    browser.check_page("leads").await;
    browser.press("Ines Grünwald").await;
    for words in
        ["ines@example.com", "Instagram Lead Ad", "Assigned in rotation.", "Meta returned it at the first attempt."]
    {
        browser.wait_for_text(words).await;
    }
    browser.press("Open full view").await;
    browser.wait_for_text("History").await;
    browser.check_page("lead").await;
    let lead = format!("/api/leads/meta-{}", ids[0]);
    let other = if tenant.get(&lead).await["assigned_to"] == "ann" { "ben" } else { "ann" };
    browser.choose("select[name=assigned_to]", other).await;
    browser.press("Reassign").await;
    browser.wait_for_text("Reassigned.").await;
    browser.choose("select[name=status]", "Qualified").await;
    browser.press("Change status").await;
    browser.wait_for_text("Ada Lead changed it to Qualified").await;
    let seen = tenant.get(&lead).await;
    assert_eq!((&seen["assigned_to"], seen.text("status")), (&json!(other), "qualified"));
    browser.press("Undo").await;
    browser.wait_for_text("1 lead is as before.").await;
    assert_eq!(tenant.get(&lead).await.text("status"), "new");

    // Filters stay in the URL.
    browser.press("Leads").await;
    browser.wait_for_text("Ines Grünwald").await;
    browser.press("Filters").await;
    browser.choose("select[name=status]", "Lost").await;
    browser.press("Filter").await;
    browser.wait_for_text("No leads match").await;
    let address = browser.client.current_url().await.unwrap();
    assert!(address.query().unwrap().contains("status=lost"), "{address}");
    browser.client.refresh().await.unwrap();
    browser.wait_for_text("No leads match").await;
    browser.press("Clear all").await;
    browser.wait_for_text("Ines Grünwald").await;

    // Escape closes the menu, and the focus stays at it.
    browser.click(".who summary").await;
    browser.press_key("\u{e00c}").await;
    browser.click(".who:not([open]) summary:focus").await;
    browser.press("Sign out").await;
    wait_for("the login page", async || browser.client.find(Locator::Css("input[name=password]")).await.ok()).await;
    browser.close().await;
}

#[tokio::test]
async fn everything_on_the_main_path_is_reached_by_keyboard_on_a_phone() {
    const ENTER: &str = "\u{e007}";
    let tenant = OrgFixture::new("console-keys").users(&["ann"]).create().await;
    let (email, person) = (tenant.create_login("Kay Keys", "admin").await, world().create_person(1).await);
    let browser = Browser::open(PHONE).await;
    browser.open_page("/").await;
    browser.log_in(&email).await;
    browser.tab_to("Skip to content").await;
    browser.tab_to("Connect Facebook").await;
    browser.press_key(ENTER).await;
    agree(&browser, &person).await;
    browser.wait_for_text("Connected, with 1 page.").await;
    browser.wait_until_loaded().await;
    browser.tab_to("Searches").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("Latest searches").await;
    browser.tab_to("Sync now").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("No missed leads in the last 48 hours.").await;
    let ids = LeadFixture::new(&person.forms[0]).answers(&json!({ "full_name": "Tab Tester" })).submit(1).await;
    tenant.wait_for_leads(&ids).await;
    browser.wait_until_loaded().await;
    browser.tab_to("Leads").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("Tab Tester").await;
    browser.tab_to("Tab Tester").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("History").await;
    // There is no room for all sections in a row.
    browser.tab_to("More").await;
    browser.press_key(ENTER).await;
    browser.save_screen_picture("more-sections").await;
    browser.tab_to("Integrations").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("Disconnect Meta").await;
    // A dialog takes the focus; Escape closes it and returns the focus.
    browser.tab_to("Disconnect Meta").await;
    browser.press_key(" ").await;
    browser.wait_for_text("Disconnect Meta?").await;
    browser.save_picture("disconnect").await;
    browser.press_key("\u{e00c}").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("Disconnect Meta?").await;
    browser.tab_to("Disconnect").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("Meta was disconnected. Existing leads are kept.").await;
    browser.wait_for_text("Connect Facebook, and leads").await;
    assert_eq!(tenant.leads("").await.len(), 1);
    assert!(tenant.items("/api/meta/integrations").await.is_empty());
    browser.check_log("the main path").await;
    browser.close().await;
}

#[tokio::test]
async fn an_admin_watches_and_repairs() {
    let tenant = OrgFixture::new("console-repair").users(&["ann"]).create().await;
    let (email, person) = (tenant.create_login("Rae Pair", "admin").await, world().create_person(1).await);
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let parked = world().submit_withheld_lead(&person).await;
    tenant.wait_for_parked().await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/delivery").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Meta does not permit access").await;
    browser.check_page("parked").await;
    browser.press(&parked).await;
    browser.wait_for_text("It could not be imported. Try again").await;
    browser.open_page("/integrations").await;
    browser.wait_for_text("1 lead could not be imported.").await;
    let number = "return document.querySelector('.sections .waiting')?.firstChild.textContent";
    assert_eq!(browser.client.execute(number, vec![]).await.unwrap(), "1", "the navigation counts it");
    browser.press("See what to do").await;
    browser.wait_for_text("Meta does not permit access: 1 lead").await;
    browser.press("Try again").await;
    browser.wait_for_text("Retrying 1 lead.").await;
    tenant.wait_for_leads(std::slice::from_ref(&parked)).await;
    browser.client.refresh().await.unwrap();
    browser.wait_for_text("No leads are parked").await;

    // Leads that the webhook missed are found, and their import shows its progress.
    let missed = LeadFixture::new(&person.forms[0]).undelivered().submit(3).await;
    browser.open_page("/integrations").await;
    browser.click("a.integration").await;
    browser.press("Searches").await;
    browser.press("Sync now").await;
    browser.wait_for_text("3 new leads found. The import has started.").await;
    browser.wait_for_text("3 new leads in the last 48 hours imported.").await;
    tenant.wait_for_leads(&missed).await;
    browser.fill("input[name=days]", "30").await;
    browser.press("Import earlier leads").await;
    browser.wait_for_text("Searching for leads of the last 30 days.").await;
    browser.wait_for_text("Earlier leads").await;

    // When a person removes the app at Meta, the page reports it and how to continue.
    world().change_tokens(json!({ "action": "revoke", "user_id": person.id })).await;
    tenant.check_integrations().await;
    browser.open_page("/integrations").await;
    wait_for("the alert", async || {
        browser.client.refresh().await.ok()?;
        browser.text().await.contains("No leads arrive until this is fixed.").then_some(())
    })
    .await;
    browser.wait_for_text("Expired").await;
    browser.check_page("expired").await;
    browser.press("Reconnect").await;
    agree(&browser, &person).await;
    browser.wait_for_text("Connected, with 1 page.").await;
    assert_eq!(tenant.items("/api/meta/integrations").await.len(), 1);
    assert_eq!(tenant.leads("").await.len(), 4);
    browser.click("nav.tabs a[href$='/settings']").await;
    browser.press("Delete this integration").await;
    browser.wait_for_text("Existing leads are kept, with their history.").await;
    browser.press("Cancel").await;
    browser.press("Delete this integration").await;
    browser.press("Delete").await;
    browser.wait_for_text("The integration was deleted.").await;
    browser.close().await;
}

#[tokio::test]
async fn an_admin_says_how_a_form_is_read() {
    let tenant = OrgFixture::new("console-forms").create().await;
    let (email, person) = (tenant.create_login("Fay Forms", "admin").await, world().create_person(1).await);
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let (form, answers) = (&person.forms[0], json!({ "full_name": "Nora Newline", "email": "nora@example.com" }));
    let ids = LeadFixture::new(form).answers(&answers).submit(1).await;
    tenant.wait_for_leads(&ids).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/forms").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Automatic").await;
    browser.check_page("forms").await;
    browser.click("td[data-label=Form] a").await;
    // The newest lead's answers stand beside the questions, and what becomes of them changes as one types.
    browser.wait_for_text("nora@example.com").await;
    browser.press("Add a field").await;
    browser.fill("input[name=rule-0-field]", "notes").await;
    browser.choose("select[name=rule-0-from]", "Full name").await;
    browser.wait_for_text("Not saved yet.").await;
    let text = browser.text().await;
    assert!(text.contains("notes") && text.contains("Nora Newline"), "{text}");
    browser.check_page("mapping-preview").await;
    // An invalid rule is reported beside the input, which stays.
    browser.fill("input[name=question-0-field]", "Not A Field").await;
    browser.press("Save").await;
    browser.wait_for_text("Nothing was saved: a field below is marked.").await;
    browser.wait_for_text("1 to 64 characters from a-z, 0-9 and _.").await;
    assert_eq!(
        browser
            .client
            .find(Locator::Css("input[name=rule-0-field]"))
            .await
            .unwrap()
            .prop("value")
            .await
            .unwrap()
            .unwrap(),
        "notes"
    );
    browser.fill("input[name=question-0-field]", "").await;
    browser.press("Save").await;
    browser.wait_for_text("Saved as version 1.").await;
    browser.press("Map earlier leads again").await;
    browser.press("Map them again").await;
    browser.wait_for_text("1 lead mapped again: 1 changed").await;
    assert_eq!(tenant.get(&format!("/api/leads/meta-{}", ids[0])).await["fields"]["notes"], "Nora Newline");
    browser.press("Forms").await;
    browser.press(&format!("Send a test lead through {}", tenant.items("/api/meta/forms").await[0].text("name"))).await;
    browser.wait_for_text("Meta is sending a test lead.").await;
    browser.wait_for_text("Test leads are never assigned.").await;
    browser.check_page("test-lead").await;
    browser.close().await;
}

#[tokio::test]
async fn an_admin_links_an_ad_account_and_reads_its_numbers() {
    let tenant = OrgFixture::new("console-ads").create().await;
    let email = tenant.create_login("Adi Ads", "admin").await;
    let (account, empty) = ("700200001", "700200002");
    let token = create_ad_accounts(&[(account, "EUR", "Europe/Berlin"), (empty, "JPY", "Asia/Tokyo")]).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/ads").await;
    browser.log_in(&email).await;
    browser.wait_for_text("No ad accounts yet").await;
    browser.press("Link an ad account").await;
    browser.fill("input[name=ad_account_id]", account).await;
    browser.fill("input[name=label]", "Berlin").await;
    browser.fill("input[name=client_name]", "Café Nord").await;
    browser.fill("input[name=token]", &token).await;
    browser.press("Link").await;
    browser.wait_for_text("act_").await;
    browser.fill("input[name=ad_account_id]", &format!("act_{account}")).await;
    browser.fill("input[name=token]", &token).await;
    browser.press("Link").await;
    browser.wait_for_text("Linked. Its campaigns and ads are imported first").await;
    assert!(!browser.client.source().await.unwrap().contains(&token));
    // The page follows the import without a reload.
    browser.wait_for_text("Ready").await;
    wait_until_ready(&tenant, account).await;
    browser.wait_until_loaded().await;
    browser.check_page("ad-account").await;
    browser.press("Ads").await;
    browser.wait_for_text("Cost per lead").await;
    browser.check_page("ads").await;
    let total = tenant.get("/api/meta-ads/report?group_by=account").await["totals"][0].clone();
    let spend = total.text("spend");
    let shown = browser.text().await.replace(',', "");
    assert!(shown.contains(&format!("{spend}\u{a0}EUR")), "{spend} is not on {shown}");
    let charts = browser.client.find_all(Locator::Css(".chart svg[role=img]")).await.unwrap();
    assert_eq!(charts.len(), 3);
    assert!(charts[0].attr("aria-label").await.unwrap().unwrap().starts_with("Spend by day"));

    browser.press("Reports").await;
    // What cost most comes first.
    let spends = async || {
        let mut spends = Vec::new();
        for cell in browser.client.find_all(Locator::Css("tbody td[data-label=Spend]")).await.unwrap() {
            let text = cell.text().await.unwrap().replace([',', '\u{a0}'], "").replace("EUR", "");
            spends.push(text.trim().parse::<f64>().unwrap());
        }
        spends
    };
    browser.wait_for_text("Total in EUR").await;
    browser.wait_for_text("Spend ↓").await;
    let down = spends().await;
    assert!(down.len() == 3 && down.is_sorted_by(|one, other| one >= other), "{down:?}");
    browser.press("Spend ↓").await;
    wait_for("the other way", async || {
        browser.client.current_url().await.ok()?.query()?.contains("dir=asc").then_some(())
    })
    .await;
    assert!(spends().await.is_sorted(), "{:?}", spends().await);
    browser.check_page("ads-report").await;
    browser.press("Sync log").await;
    browser.wait_for_text("first import").await;
    browser.check_page("ads-log").await;
    browser.press("Ads").await;
    browser.press("Berlin").await;
    browser.press("Pause").await;
    browser.wait_for_text("Paused. It is not synced until you resume it.").await;
    browser.press("Unlink this account").await;
    browser.press("Unlink").await;
    browser.wait_for_text("The ad account was unlinked.").await;
    assert!(tenant.items("/api/meta-ads/accounts").await.is_empty());
    browser.close().await;
}

#[tokio::test]
async fn a_system_users_token_is_verified_and_never_shown() {
    let tenant = OrgFixture::new("console-token").create().await;
    let email = tenant.create_login("Tom Token", "admin").await;
    let user = world().create_system_user(json!({ "pages": 1 })).await;
    let browser = Browser::open(PHONE).await;
    browser.open_page("/integrations/token").await;
    browser.log_in(&email).await;
    browser.fill("input[name=name]", "In house").await;
    browser.fill("input[name=token]", "EAAnot-a-token").await;
    browser.press("Connect").await;
    let alert = browser.client.wait().for_element(Locator::Css(".alert.bad")).await.unwrap().text().await.unwrap();
    assert!(alert.contains("token"), "{alert}");
    assert!(!browser.client.source().await.unwrap().contains("EAAnot"));
    browser.check_page("token-refused").await;
    browser.fill("input[name=token]", user.text("token")).await;
    browser.press("Connect").await;
    browser.wait_for_text("Connected, with 1 page.").await;
    browser.wait_for_text("A system user's token").await;
    browser.close().await;
}
