//! The console in a real browser: from the login page to leads, forms and ads.

use e2e::ad_accounts::{agency, ready};
use e2e::browser::{Browser, DESK, PHONE};
use e2e::meta::Person;
use e2e::tenant::Tenant;
use e2e::world::{eventually, world};
use fantoccini::Locator;
use reqwest::Method;
use serde_json::{Value, json};

/// Passes Meta's login and consent pages, and waits for the return.
async fn agree(browser: &Browser, person: &Person) {
    browser.click(&format!("input[value='{}'] ~ .actions button", person.id)).await;
    browser.click("button[value='allow']").await;
    let console = world().endpoints.url.clone();
    eventually("the way back from Meta", async || {
        browser.client.current_url().await.ok().filter(|url| url.as_str().starts_with(&console))
    })
    .await;
}

#[tokio::test]
async fn an_admin_connects_and_follows_a_lead() {
    let tenant = Tenant::with_users("console-lead", &[("ann", true), ("ben", true), ("zoe", false)]).await;
    let (email, person) = (tenant.login("Ada Lead", "admin").await, world().person(2).await);
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&email).await;
    for words in ["Connect Facebook, and leads", "No connections found"] {
        browser.reads(words).await;
    }
    browser.is_in_order("not-connected").await;

    browser.press("Connect Facebook").await;
    agree(&browser, &person).await;
    browser.reads("Connected, with 2 pages.").await;
    browser.reads("Leads Access Manager lets this app have the leads of every page.").await;
    browser.choose("select[name=assignment]", "Everybody who manages leads, in turn (2)").await;
    browser.fill("input[name=name]", "Our pages").await;
    browser.press("Save settings").await;
    browser.reads("Saved.").await;
    browser.is_in_order("integration").await;
    assert_eq!(tenant.get("/api/meta/integrations").await["items"][0]["assignment"]["strategy"], "round_robin");

    let answers = json!({ "full_name": "Ines Grünwald", "email": "ines@example.com" });
    let ids = world().submit(&person.forms[0], 1, json!({ "answers": answers, "platform": "ig" })).await;
    tenant.leads_with(&ids).await;
    browser.press("Leads").await;
    browser.reads("Ines Grünwald").await;
    browser.is_in_order("leads").await;
    browser.press("Ines Grünwald").await;
    for words in
        ["ines@example.com", "Instagram Lead Ad", "It was this person's turn.", "Meta showed it at the first try."]
    {
        browser.reads(words).await;
    }
    browser.is_in_order("lead").await;
    let lead = format!("/api/leads/meta-{}", ids[0]);
    let other = if tenant.get(&lead).await["assigned_to"] == "ann" { "ben" } else { "ann" };
    browser.choose("select[name=assigned_to]", other).await;
    browser.press("Reassign").await;
    browser.reads("Reassigned.").await;
    browser.choose("select[name=status]", "Qualified").await;
    browser.press("Change status").await;
    browser.reads("Ada Lead changed it to qualified").await;
    let seen = tenant.get(&lead).await;
    assert_eq!((&seen["assigned_to"], &seen["status"]), (&json!(other), &json!("qualified")));

    // Filters stay in the URL.
    browser.press("Leads").await;
    browser.reads("Ines Grünwald").await;
    browser.choose("select[name=status]", "Lost").await;
    browser.press("Filter").await;
    browser.reads("No leads match").await;
    let address = browser.client.current_url().await.unwrap();
    assert!(address.query().unwrap().contains("status=lost"), "{address}");
    browser.client.refresh().await.unwrap();
    browser.reads("No leads match").await;
    browser.press("Clear").await;
    browser.reads("Ines Grünwald").await;

    browser.press("Sign out").await;
    eventually("the login page", async || browser.client.find(Locator::Css("input[name=password]")).await.ok()).await;
    browser.close().await;
}

#[tokio::test]
async fn everything_on_the_main_path_is_reached_by_keyboard_on_a_phone() {
    const ENTER: &str = "\u{e007}";
    let tenant = Tenant::with_users("console-keys", &[("ann", true)]).await;
    let (email, person) = (tenant.login("Kay Keys", "admin").await, world().person(1).await);
    let browser = Browser::open(PHONE).await;
    browser.open_page("/").await;
    browser.log_in(&email).await;
    browser.tab_to("Skip to the page").await;
    browser.tab_to("Connect Facebook").await;
    browser.key(ENTER).await;
    agree(&browser, &person).await;
    browser.reads("Connected, with 1 page.").await;
    browser.settled().await;
    browser.tab_to("Sync now").await;
    browser.key(ENTER).await;
    browser.reads("Nothing was missing: every lead that Meta has is here.").await;
    let ids = world().submit(&person.forms[0], 1, json!({ "answers": { "full_name": "Tab Tester" } })).await;
    tenant.leads_with(&ids).await;
    browser.settled().await;
    browser.tab_to("Leads").await;
    browser.key(ENTER).await;
    browser.reads("Tab Tester").await;
    browser.tab_to("Tab Tester").await;
    browser.key(ENTER).await;
    browser.reads("What happened").await;
    browser.tab_to("Integrations").await;
    browser.key(ENTER).await;
    browser.reads("Disconnect Meta").await;
    // A dialog takes the focus; Escape closes it and returns the focus.
    browser.tab_to("Disconnect Meta").await;
    browser.key(" ").await;
    browser.reads("Disconnect Meta?").await;
    browser.picture("disconnect").await;
    browser.key("\u{e00c}").await;
    browser.key(ENTER).await;
    browser.reads("Disconnect Meta?").await;
    browser.tab_to("Disconnect").await;
    browser.key(ENTER).await;
    browser.reads("Meta is disconnected. The leads that came stay.").await;
    browser.reads("Connect Facebook, and leads").await;
    assert_eq!(tenant.leads("").await.len(), 1);
    assert!(tenant.get("/api/meta/integrations").await["items"].as_array().unwrap().is_empty());
    browser.complains_of_nothing("the main path").await;
    browser.close().await;
}

#[tokio::test]
async fn an_admin_watches_and_repairs() {
    let tenant = Tenant::with_users("console-repair", &[("ann", true)]).await;
    let (email, person) = (tenant.login("Rae Pair", "admin").await, world().person(1).await);
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let parked = world().withheld_lead(&person).await;
    eventually("a parked lead", async || tenant.get("/api/parked").await["items"][0].as_object().map(drop)).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/delivery").await;
    browser.log_in(&email).await;
    browser.reads("Meta does not permit it").await;
    browser.is_in_order("parked").await;
    browser.press(&parked).await;
    browser.reads("It could not be brought in. Try it again").await;
    browser.open_page("/integrations").await;
    browser.reads("1 lead is parked").await;
    browser.press("See why, and try again").await;
    browser.press("Try all again").await;
    browser.reads("1 lead tried again.").await;
    tenant.leads_with(std::slice::from_ref(&parked)).await;
    browser.client.refresh().await.unwrap();
    browser.reads("Nothing is parked").await;

    // Leads that the webhook missed are found, and their import shows its progress.
    let missed = world().submit(&person.forms[0], 3, json!({ "deliver": "drop" })).await;
    browser.open_page("/integrations").await;
    browser.click("a.integration").await;
    browser.press("Sync now").await;
    browser.reads("3 new leads found, and brought in now.").await;
    browser.reads("3 new leads brought in.").await;
    tenant.leads_with(&missed).await;
    browser.press("Leads from before the connection").await;
    browser.fill("input[name=days]", "30").await;
    browser.press("Bring them in").await;
    browser.reads("Leads of the last 30 days are searched for.").await;
    browser.reads("Earlier leads").await;

    // When a person removes the app at Meta, the page reports it and how to continue.
    world().token(json!({ "action": "revoke", "user_id": person.id })).await;
    world().look_at_everything().await;
    browser.open_page("/integrations").await;
    eventually("the alert", async || {
        browser.client.refresh().await.ok()?;
        browser.text().await.contains("No leads come in until it is connected again.").then_some(())
    })
    .await;
    browser.reads("Expired").await;
    browser.is_in_order("expired").await;
    browser.press("Reconnect").await;
    agree(&browser, &person).await;
    browser.reads("Connected, with 1 page.").await;
    assert_eq!(tenant.get("/api/meta/integrations").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(tenant.leads("").await.len(), 4);
    browser.press("Delete this integration").await;
    browser.reads("Leads that are here stay, with their history.").await;
    browser.press("Cancel").await;
    browser.press("Delete this integration").await;
    browser.press("Delete").await;
    browser.reads("The integration is deleted.").await;
    browser.close().await;
}

#[tokio::test]
async fn an_admin_says_how_a_form_is_read() {
    let tenant = Tenant::with_users("console-forms", &[]).await;
    let (email, person) = (tenant.login("Fay Forms", "admin").await, world().person(1).await);
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let (form, answers) = (&person.forms[0], json!({ "full_name": "Nora Newline", "email": "nora@example.com" }));
    let ids = world().submit(form, 1, json!({ "answers": answers })).await;
    tenant.leads_with(&ids).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/forms").await;
    browser.log_in(&email).await;
    browser.reads("By themselves").await;
    browser.is_in_order("forms").await;
    browser.click("td[data-label=Form] a").await;
    browser.fill("input[name=rule-0-field]", "notes").await;
    browser.choose("select[name=rule-0-from]", "Full name").await;
    browser.press("Preview on the newest lead").await;
    browser.reads("Nothing is saved yet.").await;
    browser.reads("With these rules").await;
    let text = browser.text().await;
    assert!(text.contains("notes") && text.contains("Nora Newline"), "{text}");
    browser.is_in_order("mapping-preview").await;
    // An invalid rule is reported beside the input, which stays.
    browser.fill("input[name=rule-1-field]", "Not A Field").await;
    browser.press("Save").await;
    browser.reads("Rule 2: 1 to 64 characters out of a-z, 0-9 and _.").await;
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
    browser.fill("input[name=rule-1-field]", "").await;
    browser.press("Save").await;
    browser.reads("Saved as version 1.").await;
    browser.press("Read earlier leads anew").await;
    browser.reads("1 lead read anew: 1 changed").await;
    assert_eq!(tenant.get(&format!("/api/leads/meta-{}", ids[0])).await["fields"]["notes"], "Nora Newline");
    browser.press("Forms").await;
    browser
        .press(&format!(
            "Send a test lead through {}",
            tenant.get("/api/meta/forms").await["items"][0]["name"].as_str().unwrap()
        ))
        .await;
    browser.reads("Meta was asked for a test lead.").await;
    browser.reads("Test leads are never assigned.").await;
    browser.is_in_order("test-lead").await;
    browser.close().await;
}

#[tokio::test]
async fn an_admin_links_an_ad_account_and_reads_its_numbers() {
    let tenant = Tenant::with_users("console-ads", &[]).await;
    let email = tenant.login("Adi Ads", "admin").await;
    let (account, empty) = ("700200001", "700200002");
    let token = agency(&[(account, "EUR", "Europe/Berlin"), (empty, "JPY", "Asia/Tokyo")]).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/ads").await;
    browser.log_in(&email).await;
    browser.reads("No ad accounts yet").await;
    browser.press("Link an ad account").await;
    browser.fill("input[name=ad_account_id]", account).await;
    browser.fill("input[name=label]", "Berlin").await;
    browser.fill("input[name=client_name]", "Café Nord").await;
    browser.fill("input[name=token]", &token).await;
    browser.press("Link").await;
    browser.reads("act_").await;
    browser.fill("input[name=ad_account_id]", &format!("act_{account}")).await;
    browser.fill("input[name=token]", &token).await;
    browser.press("Link").await;
    browser.reads("Linked. Its objects are read first").await;
    assert!(!browser.client.source().await.unwrap().contains(&token));
    // The page follows the import without a reload.
    browser.reads("Ready").await;
    ready(&tenant, account).await;
    browser.settled().await;
    browser.is_in_order("ad-account").await;
    browser.press("Ads").await;
    browser.reads("Cost per lead").await;
    browser.is_in_order("ads").await;
    let total = tenant.get("/api/meta-ads/report?group_by=account").await["totals"][0].clone();
    let spend = total["spend"].as_str().unwrap();
    let shown = browser.text().await.replace(',', "");
    assert!(shown.contains(&format!("{spend}\u{a0}EUR")), "{spend} is not on {shown}");
    let charts = browser.client.find_all(Locator::Css(".chart svg[role=img]")).await.unwrap();
    assert_eq!(charts.len(), 3);
    assert!(charts[0].attr("aria-label").await.unwrap().unwrap().starts_with("Spend by day"));

    browser.press("Reports").await;
    browser.press("Spend").await;
    let spends = async || {
        let mut spends = Vec::new();
        for cell in browser.client.find_all(Locator::Css("tbody td[data-label=Spend]")).await.unwrap() {
            let text = cell.text().await.unwrap().replace([',', '\u{a0}'], "").replace("EUR", "");
            spends.push(text.trim().parse::<f64>().unwrap());
        }
        spends
    };
    browser.reads("All in EUR").await;
    eventually("the sorted table", async || {
        browser.client.current_url().await.ok()?.query()?.contains("sort=spend").then_some(())
    })
    .await;
    let down = spends().await;
    assert!(down.len() == 3 && down.is_sorted_by(|one, other| one >= other), "{down:?}");
    browser.press("Spend ↓").await;
    eventually("the other way", async || {
        browser.client.current_url().await.ok()?.query()?.contains("dir=asc").then_some(())
    })
    .await;
    assert!(spends().await.is_sorted(), "{:?}", spends().await);
    browser.is_in_order("ads-report").await;
    browser.press("Sync log").await;
    browser.reads("first import").await;
    browser.is_in_order("ads-log").await;
    browser.press("Ads").await;
    browser.press("Berlin").await;
    browser.press("Pause").await;
    browser.reads("Paused. It is not read until you let it go on.").await;
    browser.press("Unlink this account").await;
    browser.press("Unlink").await;
    browser.reads("The ad account is unlinked.").await;
    assert!(tenant.get("/api/meta-ads/accounts").await["items"].as_array().unwrap().is_empty());
    browser.close().await;
}

#[tokio::test]
async fn a_file_of_leads_is_checked_and_then_imported() {
    let tenant = Tenant::with_users("console-import", &[]).await;
    let email = tenant.login("Imo Port", "admin").await;
    let file = e2e::browser::pictures().with_file_name("console-import.csv");
    std::fs::write(&file, "full_name,email,created_time\nIda Import,ida@example.com,2026-11-01T10:00:00Z\nBob Bad,bob@example.com,never\n").unwrap();
    let browser = Browser::open(DESK).await;
    browser.open_page("/leads/import").await;
    browser.log_in(&email).await;
    let choose = async || {
        browser.client.find(Locator::Css("input[type=file]")).await.unwrap().send_keys(file.to_str().unwrap()).await
    };
    choose().await.unwrap();
    browser.press("Check the file").await;
    browser.reads("Nothing was written yet.").await;
    for words in ["1 new lead to bring in", "1 line left out", "created_time"] {
        browser.reads(words).await;
    }
    browser.is_in_order("import").await;
    assert!(tenant.leads("").await.is_empty());
    choose().await.unwrap();
    browser.press("Import").await;
    browser.reads("Imported").await;
    assert_eq!(tenant.leads("").await[0]["full_name"], "Ida Import");
    browser.close().await;
}

#[tokio::test]
async fn a_system_users_token_is_verified_and_never_shown() {
    let tenant = Tenant::with_users("console-token", &[]).await;
    let email = tenant.login("Tom Token", "admin").await;
    let user = world().sim(Method::POST, "system_users", &json!({ "pages": 1 })).await;
    let browser = Browser::open(PHONE).await;
    browser.open_page("/integrations/token").await;
    browser.log_in(&email).await;
    browser.fill("input[name=name]", "In house").await;
    browser.fill("input[name=token]", "EAAnot-a-token").await;
    browser.press("Connect").await;
    let alert = browser.client.wait().for_element(Locator::Css(".alert.bad")).await.unwrap().text().await.unwrap();
    assert!(alert.contains("token"), "{alert}");
    assert!(!browser.client.source().await.unwrap().contains("EAAnot"));
    browser.is_in_order("token-refused").await;
    browser.fill("input[name=token]", user["token"].as_str().unwrap()).await;
    browser.press("Connect").await;
    browser.reads("Connected, with 1 page.").await;
    browser.reads("A system user's token").await;
    browser.close().await;
}
