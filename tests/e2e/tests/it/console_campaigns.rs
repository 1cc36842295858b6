//! Campaigns in the console: created one question at a time with their form, launched, paused, archived.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture, create_campaign};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

const ENTER: &str = "\u{e007}";

/// The only campaign of an org, as the list knows it, which does not ask Meta.
async fn listed(tenant: &Tenant, status: &str) -> Value {
    wait_for(status, async || {
        let campaign = tenant.items("/api/campaigns").await.into_iter().next()?;
        assert!(campaign["status"] != "failed" || status == "failed", "{campaign}");
        (campaign.text("status") == status).then_some(campaign)
    })
    .await
}

/// The name of the ad account of an integration in US dollars, as the wizard lists it.
async fn dollar_account(tenant: &Tenant, integration: &str) -> String {
    let accounts = tenant.items(&format!("/api/meta/integrations/{integration}/ad-accounts")).await;
    let account = accounts.iter().find(|account| account["currency"] == "USD").expect("an account in dollars");
    format!("{} (USD)", account.text("name"))
}

#[tokio::test]
async fn a_marketer_makes_a_form_and_a_campaign_and_launches_it() {
    let ConnectedOrg { tenant, integration, .. } = OrgFixture::new("console-campaign").connect().await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&tenant.create_login("Mia Market", "admin").await).await;
    browser.press("Campaigns").await;
    browser.wait_for_text("No campaigns yet").await;
    browser.check_page("campaigns-none").await;
    browser.press("Create a campaign").await;
    browser.wait_for_text("Where does it run?").await;
    browser.choose("select[name=ad_account_id]", &dollar_account(&tenant, &integration).await).await;
    browser.press("Next").await;
    browser.wait_for_text("Which form do people fill in?").await;

    // The form is made on the way. A mistake stands at its field, and nothing typed is lost.
    browser.press("Create a new form").await;
    browser.fill("input[name=form_name]", "Trial lesson").await;
    browser.choose("select[name=form_locale]", "Dutch").await;
    browser.click("input[value=PHONE]").await;
    browser.press("Add your own question").await;
    browser.fill("input[name=own_0]", "How often?").await;
    browser.fill("textarea[name=own_0_choices]", "Once\nWeekly").await;
    browser.fill("input[name=privacy_url]", "x.example").await;
    browser.fill("input[name=follow_up]", "https://x.example/").await;
    browser.press("Create the form").await;
    browser.wait_for_text("Nothing was created. Correct the marked field").await;
    browser.check_page("campaign-form-mistake").await;
    let wrong = browser.client.find(fantoccini::Locator::Css("#privacy_url-mistake")).await.expect("at its field");
    assert!(!wrong.text().await.unwrap().is_empty());
    browser.fill("input[name=privacy_url]", "https://x.example/privacy").await;
    browser.press("Create the form").await;
    browser.wait_for_text("The form “Trial lesson” is created and selected.").await;
    let forms = tenant.items("/api/meta/forms").await;
    let form = forms.iter().find(|form| form["name"] == "Trial lesson").expect("it is at Meta").clone();
    assert_eq!(form["locale"].as_str().map(str::to_uppercase).as_deref(), Some("NL_NL"));

    browser.press("Next").await;
    browser.wait_for_text("What is it about?").await;
    browser.click("input[value=NONE]").await;
    browser.press("Next").await;
    browser.fill("input[name=countries]", "Nederland").await;
    browser.press("Next").await;
    browser.wait_for_text("“Nederland” is not a known country.").await;
    browser.check_page("campaign-country-mistake").await;
    browser.fill("input[name=countries]", "united states").await;
    browser.press("Next").await;
    browser.fill("textarea[name=message]", "Open day at the harbour").await;
    browser.fill("input[name=image]", "http://cdn.example/1.jpg").await;
    browser.fill("input[name=headline]", "Come in").await;
    wait_for("the preview", async || {
        let shown = browser.client.find(fantoccini::Locator::Css("aside .mock")).await.ok()?.text().await.ok()?;
        (shown.contains("Open day at the harbour") && shown.contains("Come in")).then_some(())
    })
    .await;
    browser.check_page("campaign-ad").await;

    // Going back loses nothing, forwards either.
    for heading in ["Who sees it?", "What is it about?", "Which form do people fill in?", "Where does it run?"] {
        browser.press("Back").await;
        browser.wait_for_text(heading).await;
    }
    for heading in ["Which form", "What is it about?", "Who sees it?", "What do they see?", "Budget"] {
        browser.press("Next").await;
        browser.wait_for_text(heading).await;
    }
    let summary = browser.text().await;
    for words in
        ["Trial lesson", "United States", "Open day at the harbour", "Come in", "Special ad category", "in USD"]
    {
        assert!(summary.contains(words), "{words}: {summary}");
    }
    browser.fill("input[name=name]", "Harbour").await;
    browser.fill("input[name=daily_budget]", "0.10").await;
    browser.press("Create paused").await;
    browser.wait_for_text("At least").await;
    browser.check_page("campaign-budget-mistake").await;
    assert!(tenant.items("/api/campaigns").await.is_empty(), "nothing was created");
    browser.fill("input[name=daily_budget]", "20").await;
    browser.press("Create paused").await;
    browser.wait_for_text("It spends nothing until you launch it.").await;

    // The page follows by itself until everything is at Meta.
    browser.wait_for_text("After the launch, Meta reviews the ad first.").await;
    browser.wait_for_text("None yet").await;
    browser.press("What was created at Meta").await;
    browser.check_page("campaign-paused").await;
    let campaign = listed(&tenant, "paused").await;
    assert_eq!((campaign.text("name"), campaign.text("form_id")), ("Harbour", form.text("form_id")));
    assert!(browser.text().await.contains(campaign.text("meta.ad_id")));

    browser.press("Launch").await;
    browser.wait_for_text("Launched. Meta reviews the ad first.").await;
    assert_eq!(tenant.items("/api/campaigns").await[0]["status"], "active");
    let ids = LeadFixture::new(form.text("form_id")).submit(2).await;
    tenant.wait_for_leads(&ids).await;
    browser.client.refresh().await.unwrap();
    browser.press("2 leads").await;
    browser.wait_for_text("Clear all").await;
    let address = browser.client.current_url().await.unwrap();
    assert!(address.query().unwrap().contains(campaign.text("meta.campaign_id")), "{address}");
    browser.client.back().await.unwrap();
    browser.press("Pause").await;
    browser.wait_for_text("Paused. It spends nothing now.").await;
    browser.press("Archive").await;
    browser.click("#archive button.danger").await;
    browser.wait_for_text("Archived. It has ended at Meta.").await;
    browser.check_page("campaign-archived").await;
    assert_eq!(tenant.items("/api/campaigns").await[0]["status"], "archived");
    browser.press("Campaigns").await;
    browser.wait_for_text("Harbour").await;
    browser.check_page("campaigns").await;
    browser.close().await;
}

#[tokio::test]
async fn a_campaign_is_created_by_keyboard_on_a_phone() {
    let ConnectedOrg { tenant, .. } = OrgFixture::new("console-campaign-keys").connect().await;
    let browser = Browser::open(PHONE).await;
    browser.open_page("/").await;
    browser.log_in(&tenant.create_login("Kim Keys", "admin").await).await;
    browser.open_page("/campaigns").await;
    browser.tab_to("Create a campaign").await;
    browser.press_key(ENTER).await;
    // What is typed or pressed at each step, by the field's name.
    let steps: [(&str, &[(&str, &str)]); 6] = [
        ("Where does it run?", &[]),
        ("Which form do people fill in?", &[("lead_form_id", " ")]),
        ("What is it about?", &[("special", " ")]),
        ("Who sees it?", &[("countries", "US")]),
        ("What do they see?", &[("message", "Open day"), ("image", "http://cdn.example/1.jpg")]),
        ("Budget", &[("name", "By keyboard"), ("daily_budget", "500")]),
    ];
    for (step, (heading, typed)) in steps.into_iter().enumerate() {
        browser.wait_for_text(heading).await;
        browser.check_page(&format!("campaign-step-{}", step + 1)).await;
        for (field, keys) in typed {
            browser.tab_to(field).await;
            browser.press_key(keys).await;
        }
        browser.tab_to(if step == 5 { "Create paused" } else { "Next" }).await;
        browser.press_key(ENTER).await;
    }
    browser.wait_for_text("After the launch, Meta reviews the ad first.").await;
    browser.check_page("campaign-keys").await;
    browser.tab_to("Launch").await;
    browser.press_key(ENTER).await;
    browser.wait_for_text("Launched. Meta reviews the ad first.").await;
    browser.close().await;
    listed(&tenant, "active").await;
}

#[tokio::test]
async fn what_meta_or_the_org_refuses_is_said_with_what_to_do() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("console-campaign-no").connect().await;
    let mut guest = Guest::log_in(&tenant.create_login("Nora No", "moderator").await).await;
    // The org's limit.
    let plan = json!({ "name": "pro", "features": ["meta"] });
    let org = json!({ "name": "No", "plan": plan, "daily_spend_limit": { "amount": "10", "currency": "USD" } });
    tenant.call_ok(Method::PUT, "/api/orgs/console-campaign-no", &org).await;
    let id = create_campaign(&tenant, &integration, [&person.pages[0], &person.forms[0]]).await;
    let path = format!("/campaigns/{id}");
    guest.post(&format!("{path}/launch"), &[("x", "")]).await;
    let refused = guest.get(&path).await;
    assert!(refused.text.contains("may spend 20.00 USD a day, and its limit is 10 USD"), "{}", refused.text);
    assert!(refused.text.contains("A superadmin can launch it.") && refused.text.contains("Launch</button>"));

    // What Meta refuses only while it is made, by our field.
    let account = tenant.get(&format!("/api/campaigns/{id}")).await.text("ad_account_id").to_owned();
    let body = json!({
        "adAccountId": account, "pageId": person.pages[0], "name": "Later", "leadFormId": person.forms[0], "dailyBudget": "20.00",
        "specialAdCategories": [], "targeting": { "countries": ["US"], "ageMin": 30 }, "instagramAccountId": "17950",
        "creative": { "message": "Come\nin", "image": "http://cdn.example/1.jpg" },
    });
    let (_, created) = tenant.call(Method::POST, "/api/upstream/call/facebook-provider/create-campaign", &body).await;
    let failed = format!("/campaigns/{}", created.text("campaignId"));
    wait_for("the refusal", async || (tenant.items("/api/campaigns").await[0]["status"] == "failed").then_some(()))
        .await;
    let page = guest.get(&failed).await;
    for words in [
        "Not created",
        "What to do: ",
        "Assign the Instagram account to the ad account",
        "Change it and create it again",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let again = guest.get(&format!("/campaigns/new?copy={}&step=4", created.text("campaignId"))).await;
    assert!(again.text.contains("Come\nin</textarea>"), "{}", again.text);
    assert!(again.text.contains("name=\"age_min\" value=\"30\"") && again.text.contains("value=\"20.00\""));
}

#[tokio::test]
async fn a_rejected_ad_says_why() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("console-campaign-review").connect().await;
    let mut guest = Guest::log_in(&tenant.create_login("Rita Review", "admin").await).await;
    let accounts = tenant.items(&format!("/api/meta/integrations/{integration}/ad-accounts")).await;
    let account = accounts.iter().find(|account| account["currency"] == "USD").unwrap();
    let body = json!({
        "adAccountId": account["ad_account_id"], "pageId": person.pages[0], "name": "Reviewed", "leadFormId": person.forms[0],
        "dailyBudget": "20.00", "specialAdCategories": [], "targeting": { "countries": ["US"] },
        "creative": { "message": "Are you old?", "image": "http://cdn.example/1.jpg" },
    });
    let (status, answer) =
        tenant.call(Method::POST, "/api/upstream/call/facebook-provider/create-campaign", &body).await;
    assert_eq!(status, 202, "{answer}");
    // The list does not ask Meta, so that the page is the first to hear of the review.
    let campaign = listed(&tenant, "paused").await;
    let feedback = json!({ "global": { "PERSONAL_ATTRIBUTES": "Ads must not be about you." } });
    let review = json!({ "ad_id": campaign.text("meta.ad_id"), "outcome": "disapproved", "feedback": feedback });
    world().call_sim(Method::POST, "reviews", &review).await;
    let page = guest.get(&format!("/campaigns/{}", campaign.text("id"))).await;
    for words in [
        "Rejected by Meta",
        "Personal attributes: Ads must not be about you.",
        "What to do: ",
        "Create it with another ad",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
}

#[tokio::test]
async fn a_colleague_without_the_permission_sees_no_way_to_spend() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("console-campaign-who").connect().await;
    let email = tenant.create_login("Cora Colleague", "sales").await;
    let mut guest = Guest::log_in(&email).await;
    let id = create_campaign(&tenant, &integration, [&person.pages[0], &person.forms[0]]).await;
    let allow = async |permissions: &[&str]| {
        let user = json!({ "name": "Cora", "email": email, "active": true, "permissions": permissions });
        tenant.call_ok(Method::PUT, "/api/users/cora", &user).await;
    };
    allow(&["lead_management", "publishing"]).await;
    for path in ["/campaigns", "/campaigns/new", &format!("/campaigns/{id}"), &format!("/campaigns/{id}/leads")] {
        let page = guest.get(path).await;
        assert_eq!(page.status, 403, "{path}: {}", page.text);
        assert!(page.text.contains("permission to manage campaigns") && !page.text.contains("href=\"/campaigns"));
    }
    for path in [format!("/campaigns/{id}/launch"), "/campaigns/new".to_owned()] {
        assert_eq!(guest.post(&path, &[("go", "make")]).await.status, 403, "{path}");
    }
    assert_eq!(tenant.items("/api/campaigns").await[0]["status"], "paused");
    assert!(!guest.get("/leads").await.text.contains("href=\"/campaigns"));

    // With it, nothing else is needed.
    allow(&["ads_management"]).await;
    assert_eq!(guest.get("/").await.location, "/campaigns");
    let page = guest.get(&format!("/campaigns/{id}")).await;
    assert!(page.text.contains("Launch</button>") && page.text.contains("href=\"/campaigns\""), "{}", page.text);
    let count = guest.get(&format!("/campaigns/{id}/leads")).await;
    assert!(!count.text.contains("campaign_id="), "leads are another permission: {}", count.text);
}

#[tokio::test]
async fn an_archived_form_takes_no_new_campaign() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-form-archive").connect().await;
    let mut guest = Guest::log_in(&tenant.create_login("Ada Archive", "admin").await).await;
    let (page, form) = (&person.pages[0], &person.forms[0]);
    let asked = guest.get(&format!("/forms/list?confirm=archive-{form}")).await;
    assert!(asked.text.contains(&format!("<dialog id=\"archive-{form}\" open")), "{}", asked.text);
    let archived = guest.post(&format!("/forms/{form}/archive?page_id={page}"), &[("x", "")]).await;
    assert_eq!(archived.location, "/forms", "{}", archived.text);
    assert!(guest.get("/forms").await.text.contains("The form is archived."));
    let forms = tenant.items("/api/meta/forms").await;
    assert_eq!(forms.iter().find(|found| found["form_id"] == **form).unwrap()["status"], "ARCHIVED");
    let choose = format!("/campaigns/new?step=1&page_id={page}");
    assert!(!guest.get(&choose).await.text.contains(&format!("value=\"{form} ")), "the wizard does not offer it");
    let sent = [("step", "1"), ("page_id", page.as_str()), ("lead_form_id", form.as_str())];
    let refused = guest.post("/campaigns/new", &sent).await;
    assert!(refused.text.contains("An active form; this one is archived."), "{}", refused.text);
}
