//! Reports limited to a campaign or an ad set: by the API, in files, and in the console, where names lead down and chips
//! lead back up.

use e2e::ad_accounts::{create_ad_accounts, import_leads_of_ads, link_ad_account, wait_until_ready};
use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::OrgFixture;
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::wait_for;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

fn spend(rows: &[Value]) -> Decimal {
    rows.iter().map(|row| row.parse::<Decimal>("spend")).sum()
}

/// The rows of the ads of an account that cost something.
async fn ads_of(tenant: &Tenant, account: &str) -> Vec<Value> {
    let mut ads = tenant.items(&format!("/api/meta-ads/report?group_by=ad&account_id=act_{account}")).await;
    ads.retain(|ad| ad.parse::<Decimal>("spend") > Decimal::ZERO);
    assert!(!ads.is_empty());
    ads
}

#[tokio::test]
async fn a_report_of_a_campaign_has_its_part_of_the_report_of_all() {
    let tenant = OrgFixture::new("ads-within").create().await;
    let (euros, dollars) = ("700600001", "700600002");
    let token = create_ad_accounts(&[(euros, "EUR", "Europe/Berlin"), (dollars, "USD", "America/New_York")]).await;
    for account in [euros, dollars] {
        link_ad_account(&tenant, account, "one", &token).await;
        wait_until_ready(&tenant, account).await;
    }
    let ads = ads_of(&tenant, euros).await;
    let [campaign, adset] = ["campaign_id", "adset_id"].map(|id| ads[0].text(id).to_owned());
    let all = tenant.items("/api/meta-ads/report?group_by=campaign").await;
    let whole = all.iter().find(|row| row["campaign_id"] == campaign.as_str()).expect("the campaign");
    let report = async |query: &str| tenant.get(&format!("/api/meta-ads/report?campaign_id={campaign}&{query}")).await;

    // Every grouping of its part adds up to the row of all, also those that otherwise are Meta's figures for the account.
    for by in ["campaign", "adset", "ad", "day", "account", "client"] {
        let part = report(&format!("group_by={by}")).await;
        let rows = part.list("items");
        assert_eq!(spend(rows), whole.parse::<Decimal>("spend"), "{by}");
        assert_eq!(part["totals"][0]["clicks"], whole["clicks"], "{by}");
        let parent = json!({ "kind": "campaign", "id": campaign, "name": whole["campaign_name"] });
        assert_eq!(part["parents"], json!([parent]), "{by}");
    }
    let adsets = report("group_by=adset").await;
    assert!(adsets.list("items").len() > 1, "{adsets}");
    let row = adsets.find("items", "adset_id", adset.as_str()).clone();
    // What it lies in, and what is known of the object itself.
    for (name, value) in [
        ("campaign_id", &whole["campaign_id"]),
        ("campaign_name", &whole["campaign_name"]),
        ("account_id", &json!(format!("act_{euros}"))),
        ("account_name", &json!(format!("Account {euros}"))),
    ] {
        assert_eq!(row[name], *value, "{row}");
    }
    let object = tenant.get(&format!("/api/meta-ads/adsets?campaign_id={campaign}")).await;
    let object = object.find("items", "id", adset.as_str()).clone();
    assert_eq!(row["effective_status"], object["effective_status"], "{row}");
    assert_eq!(row["daily_budget"], object["daily_budget"], "{row}");

    let of_adset = report(&format!("adset_id={adset}&group_by=ad")).await;
    assert_eq!(spend(of_adset.list("items")), row.parse::<Decimal>("spend"));
    assert_eq!(of_adset["parents"][1]["kind"], "adset", "{of_adset}");
    assert!(of_adset.list("items").iter().all(|ad| ad["adset_name"] == row["adset_name"]), "{of_adset}");
    // What lies elsewhere is not in it, and of another account it has nothing: it is known all the same.
    let elsewhere = ads.iter().find(|ad| ad["campaign_id"] != campaign.as_str()).expect("another campaign");
    let none = report(&format!("group_by=ad&adset_id={}", elsewhere.text("adset_id"))).await;
    assert!(none.list("items").is_empty() && none["parents"][1]["name"].is_string(), "{none}");
    let none = report(&format!("group_by=ad&account_id=act_{dollars}")).await;
    assert!(none.list("items").is_empty() && none["parents"][0]["name"].is_string(), "{none}");

    // The days are shown even if none were chosen, and which of them is not over.
    let (since, until): (jiff::civil::Date, jiff::civil::Date) = (adsets.parse("since"), adsets.parse("until"));
    assert_eq!(until.since(since).unwrap().get_days(), 29, "{adsets}");
    assert_eq!(adsets["unfinished_since"], adsets["until"], "{adsets}");
    let over = report(&format!("until={}", until.yesterday().unwrap())).await;
    assert_eq!(over["unfinished_since"], Value::Null, "{over}");

    let csv = report("group_by=ad&format=csv").await;
    let (head, lines) = csv.text("").split_once('\n').unwrap();
    assert!(head.starts_with("ad_id,ad_name,currency,impressions,"), "{head}");
    assert!(head.ends_with("account_id,account_name,campaign_id,campaign_name,adset_id,adset_name"), "{head}");
    assert_eq!(lines.lines().count(), report("group_by=ad").await.list("items").len());
    assert!(lines.lines().all(|line| line.contains(&format!(",{campaign},"))), "{lines}");
}

#[tokio::test]
async fn results_of_a_campaign_count_its_leads_and_no_others() {
    let tenant = OrgFixture::new("ads-within-results").create().await;
    let account = "700600003";
    let token = create_ad_accounts(&[(account, "EUR", "UTC")]).await;
    link_ad_account(&tenant, account, "one", &token).await;
    wait_until_ready(&tenant, account).await;
    let ads = ads_of(&tenant, account).await;
    let campaign = ads[0].text("campaign_id").to_owned();
    let other = ads.iter().find(|ad| ad["campaign_id"] != campaign.as_str()).expect("another campaign").clone();
    // Of a campaign of no linked account, only its leads are known.
    let foreign = json!({ "campaign_id": "990000001", "adset_id": "990000002", "ad_id": "990000003" });
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let wanted = [ads[0].clone(), ads[0].clone(), other, foreign];
    let leads = import_leads_of_ads(&tenant, &wanted, &now).await;
    let won = json!({ "status": "converted" });
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{}", leads[0]), &won).await;
    let results = async |query: &str| tenant.get(&format!("/api/meta-ads/outcomes?{query}")).await;

    let all = results("group_by=campaign").await;
    assert_eq!(all["totals"]["leads"], 4, "{all}");
    let whole = all.find("items", "id", campaign.as_str());
    for by in ["campaign", "adset", "ad", "form", "page", "assignee"] {
        let part = results(&format!("group_by={by}&campaign_id={campaign}")).await;
        for name in ["leads", "won", "spend", "meta_conversions"] {
            assert_eq!(part["totals"][name], whole[name], "{by}: {name} of {part}");
        }
    }
    let row = results(&format!("group_by=ad&adset_id={}", ads[0].text("adset_id"))).await;
    let row = row.find("items", "id", ads[0].text("ad_id")).clone();
    assert_eq!(row["leads"], 2, "{row}");
    for name in ["campaign_id", "campaign_name", "adset_id", "adset_name", "account_name", "effective_status"] {
        assert_eq!(row[name], ads[0][name], "{row}");
    }
    let foreign = results("group_by=adset&campaign_id=990000001").await;
    assert_eq!(
        (&foreign["totals"]["leads"], &foreign["items"][0]["id"]),
        (&json!(1), &json!("990000002")),
        "{foreign}"
    );
    let csv = results(&format!("group_by=adset&campaign_id={campaign}&format=csv")).await;
    let (head, lines) = csv.text("").split_once('\n').unwrap();
    assert!(head.ends_with(",return_on_spend,account_id,account_name,campaign_id,campaign_name"), "{head}");
    assert!(lines.lines().all(|line| line.contains(&format!(",{campaign},"))), "{lines}");

    // What is no id, and what is an id of nothing, is told by its name. Another org's is an id of nothing.
    let stranger = OrgFixture::new("ads-within-stranger").create().await;
    for path in ["/api/meta-ads/report", "/api/meta-ads/outcomes"] {
        for (tenant, query, expected) in [
            (&tenant, "campaign_id=spring".to_owned(), (400, "campaign_id", "id_invalid")),
            (&tenant, "adset_id=12%2F3".to_owned(), (400, "adset_id", "id_invalid")),
            (&tenant, "campaign_id=404404404".to_owned(), (404, "campaign_id", "not_found")),
            (&tenant, format!("campaign_id={campaign}&adset_id=404404404"), (404, "adset_id", "not_found")),
            (&stranger, format!("campaign_id={campaign}"), (404, "campaign_id", "not_found")),
        ] {
            for format in ["json", "csv"] {
                let path = format!("{path}?{query}&format={format}");
                let (status, answer) = tenant.call(Method::GET, &path, &Value::Null).await;
                assert_eq!((status, answer.text("field"), answer.text("code")), expected, "{path}: {answer}");
            }
        }
    }
    let mut guest = Guest::log_in(&stranger.create_login("Eve Within", "admin").await).await;
    for path in ["/ads/report", "/ads/outcomes"] {
        let page = guest.get(&format!("{path}?group_by=adset&campaign_id={campaign}")).await;
        assert!(page.text.contains("No linked ad account has this campaign"), "{}", page.text);
        assert!(!page.text.contains(ads[0].text("campaign_name")), "{}", page.text);
        let page = guest.get(&format!("{path}?adset_id=spring")).await;
        assert!(page.text.contains("not a valid id of a campaign, an ad set or an ad"), "{}", page.text);
        assert_ne!(guest.get(&format!("{path}.csv?campaign_id={campaign}")).await.status, 200);
    }

    // The status has one name on every page.
    let mut guest = Guest::log_in(&tenant.create_login("Wim Won", "admin").await).await;
    for path in ["/leads?status=converted", &format!("/leads/{}", leads[0]), "/ads/outcomes", "/home/figures"] {
        let page = guest.get(path).await;
        assert!(page.text.contains("Won") && !page.text.contains("Converted"), "{path}: {}", page.text);
    }
    assert!(
        guest.get(&format!("/leads/{}", leads[0])).await.text.contains("changed it to <span class=\"badge good\">Won")
    );
}

#[tokio::test]
async fn names_lead_down_to_ads_and_chips_back_up() {
    let tenant = OrgFixture::new("ads-down").create().await;
    let (euros, yen) = ("700600004", "700600005");
    let token = create_ad_accounts(&[(euros, "EUR", "Europe/Berlin"), (yen, "JPY", "Asia/Tokyo")]).await;
    for account in [euros, yen] {
        link_ad_account(&tenant, account, "one", &token).await;
        wait_until_ready(&tenant, account).await;
    }
    let ad = ads_of(&tenant, euros).await.remove(0);
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    import_leads_of_ads(&tenant, std::slice::from_ref(&ad), &now).await;
    let [campaign, adset] = ["campaign_id", "adset_id"].map(|id| ad.text(id).to_owned());
    let [campaign_name, adset_name] = ["campaign_name", "adset_name"].map(|name| ad.text(name).to_owned());
    let email = tenant.create_login("Dow Down", "admin").await;
    let browser = Browser::open(DESK).await;
    let address = async |part: &str, is_in_it: bool| {
        wait_for(&format!("an address with {part}: {is_in_it}"), async || {
            let address = browser.client.current_url().await.ok()?;
            (address.query().unwrap_or_default().split('&').any(|own| own.starts_with(part)) == is_in_it).then_some(())
        })
        .await;
    };
    browser.open_page("/ads/report?sort=clicks&dir=asc&col.clicks=yes&col.spend=yes").await;
    browser.log_in(&email).await;
    for words in
        [format!("Account {euros}"), format!("Account {yen}"), "Each day is in its account's time zone.".into()]
    {
        browser.wait_for_text(&words).await;
    }
    // Without chosen days, the fields have those that are shown.
    let report = tenant.get("/api/meta-ads/report?group_by=campaign").await;
    for name in ["since", "until"] {
        let field = browser.client.find(fantoccini::Locator::Css(&format!("input[name={name}]"))).await.unwrap();
        assert_eq!(field.prop("value").await.unwrap().as_deref(), Some(report.text(name)));
    }
    browser.wait_for_text("30 days. ").await;
    browser.wait_for_text("not over yet.").await;

    browser.click(&format!("td a[href*='campaign_id={campaign}']")).await;
    browser.wait_for_text(&format!("Campaign: {campaign_name}")).await;
    for part in ["group_by=adset", "sort=clicks", "dir=asc", "col.clicks=yes", "col.spend=yes"] {
        address(part, true).await;
    }
    browser.check_page("ads-report-adsets").await;
    browser.click(&format!("td a[href*='adset_id={adset}']")).await;
    browser.wait_for_text(&format!("Ad set: {adset_name}")).await;
    browser.wait_for_text(ad.text("ad_name")).await;
    browser.wait_for_text(&format!("{adset_name} · {campaign_name} · Account {euros}")).await;
    browser.check_page("ads-report-ads").await;
    // Choosing something else, which applies at once, does not leave the ad set.
    browser.choose("select[name=group_by]", "Day").await;
    address("group_by=day", true).await;
    browser.wait_for_text(&format!("Ad set: {adset_name}")).await;
    // By their places: names have quotes.
    browser.click("span.chip.part:nth-of-type(2) .leave").await;
    address("adset_id", false).await;
    browser.wait_for_text(&format!("Campaign: {campaign_name}")).await;
    browser.click("span.chip.part:nth-of-type(1) a:first-child").await;
    address("group_by=adset", true).await;
    browser.press("All campaigns").await;
    address("campaign_id", false).await;
    browser.wait_for_text(&format!("Account {yen}")).await;

    // The same in Results, where the number of leads leads to them.
    browser.open_page("/ads/outcomes").await;
    browser.wait_for_text("Leads without a linked ad account count in the time zone").await;
    browser.click(&format!("td a[href^='/ads/outcomes'][href*='campaign_id={campaign}']")).await;
    browser.wait_for_text(&format!("Campaign: {campaign_name}")).await;
    browser.click(&format!("td a[href*='adset_id={adset}']")).await;
    browser.wait_for_text(&format!("Ad set: {adset_name}")).await;
    browser.wait_for_text(&format!("{adset_name} · {campaign_name} · Account {euros}")).await;
    browser.check_page("results-ads").await;
    browser.press("All campaigns").await;
    address("campaign_id", false).await;
    browser.click("td a[href^='/leads?'][aria-label^='See 1 lead of ']").await;
    browser.wait_for_text("Ada 0").await;
    browser.close().await;
    let phone = Browser::open(PHONE).await;
    phone.open_page(&format!("/ads/report?group_by=ad&campaign_id={campaign}&adset_id={adset}")).await;
    phone.log_in(&email).await;
    phone.wait_for_text(&format!("{adset_name} · {campaign_name}")).await;
    phone.check_page("ads-report-ads").await;
    phone.close().await;
}

#[tokio::test]
async fn today_is_told_from_the_days_that_are_over() {
    let tenant = OrgFixture::new("ads-today").create().await;
    let account = "700600006";
    let token = create_ad_accounts(&[(account, "EUR", "Pacific/Auckland")]).await;
    link_ad_account(&tenant, account, "one", &token).await;
    wait_until_ready(&tenant, account).await;
    let report = tenant.get("/api/meta-ads/report?group_by=day").await;
    let today: jiff::civil::Date = report.parse("until");
    let [since, yesterday] = [9, 1].map(|days| today.saturating_sub(jiff::Span::new().days(days)));
    let has_numbers = report.list("items").iter().any(|row| row["day"] == report["until"]);
    let mut guest = Guest::log_in(&tenant.create_login("Tod Day", "admin").await).await;
    let growing = format!("since={since}&until={today}");
    let page = guest.get(&format!("/ads?{growing}")).await;
    for words in [
        "10 days</b>. ",
        "Pacific/Auckland",
        " is not over yet.",
        "The days that are over, compared with the same number of days before",
    ] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert_eq!(page.text.contains("bar unfinished"), has_numbers, "{}", page.text);
    let page = guest.get(&format!("/ads/report?group_by=day&{growing}")).await;
    assert_eq!(page.text.contains("Not over yet"), has_numbers, "{}", page.text);
    let over = format!("since={since}&until={yesterday}&account_id=act_{account}");
    for path in ["/ads", "/ads/report", "/ads/outcomes"] {
        let page = guest.get(&format!("{path}?group_by=campaign&{over}")).await;
        assert!(page.text.contains("9 days</b>. ") && !page.text.contains("not over yet"), "{path}: {}", page.text);
    }
}
