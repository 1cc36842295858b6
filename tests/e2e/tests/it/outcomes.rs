//! The closed loop: what ads cost beside what became of the leads they brought.

use e2e::ad_accounts::{create_ad_accounts, import_leads_of_ads, link_ad_account, wait_until_ready};
use e2e::browser::{Browser, DESK, PHONE};
use e2e::fixtures::OrgFixture;
use e2e::json::Json;
use e2e::tenant::Tenant;
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A day with spend of three ads, and the rows of these.
async fn ads_of_a_day(tenant: &Tenant, account: &str) -> (String, Vec<Value>) {
    let path = format!("/api/meta-ads/report?group_by=campaign,adset,ad,day&account_id=act_{account}");
    let mut rows = tenant.get(&path).await.list("items").to_vec();
    rows.retain(|row| row.parse::<Decimal>("spend") > Decimal::ZERO);
    let day = rows[rows.len() / 2].text("day").to_owned();
    rows.retain(|row| row["day"] == day.as_str());
    assert!(rows.len() >= 3, "{rows:?}");
    (day, rows)
}

/// Imports a lead of an ad and one that came without any.
async fn import_organic_and(tenant: &Tenant, ad: &Value, created_time: &str) {
    let (campaign, ad) = (ad.text("campaign_id"), ad.text("ad_id"));
    let file = format!(
        "full_name,email,created_time,campaign_id,ad_id\nBea,bea@example.com,{created_time},c:{campaign},ag:{ad}\nCy,cy@example.com,{created_time},,\n"
    );
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!((status, report.number("created")), (200, 2), "{report}");
}

#[tokio::test]
async fn what_ads_cost_stands_beside_what_became_of_their_leads() {
    let tenant = OrgFixture::new("outcomes").users(&["ann", "ben"]).create().await;
    let account = "700400001";
    let token = create_ad_accounts(&[(account, "EUR", "Pacific/Auckland")]).await;
    link_ad_account(&tenant, account, "one", &token).await;
    wait_until_ready(&tenant, account).await;
    let (day, ads) = ads_of_a_day(&tenant, account).await;
    // Three leads of one ad and one of another, late in the evening of the account's zone, which is the day before in UTC.
    let wanted = [&ads[0], &ads[0], &ads[0], &ads[1]].map(Clone::clone);
    let late = format!("{day}T09:30:00+13:00");
    let leads = import_leads_of_ads(&tenant, &wanted, &late).await;
    for (id, change) in leads.iter().zip([
        json!({ "status": "converted", "value": "1000.00", "currency": "EUR", "assigned_to": "ann" }),
        json!({ "status": "qualified", "assigned_to": "ann" }),
        json!({ "status": "lost", "assigned_to": "ben" }),
        json!({ "status": "contacted" }),
    ]) {
        tenant.call_ok(Method::PATCH, &format!("/api/leads/{id}"), &change).await;
    }
    let outcomes =
        async |by: &str| tenant.get(&format!("/api/meta-ads/outcomes?group_by={by}&since={day}&until={day}")).await;

    let by_ad = outcomes("ad").await;
    let row = |report: &Value, id: &Value| report.list("items").iter().find(|row| row["id"] == *id).cloned().unwrap();
    let first = row(&by_ad, &ads[0]["ad_id"]);
    assert_eq!(
        ["leads", "open", "qualified", "won", "lost"].map(|name| first.number(name)),
        [3, 0, 2, 1, 1],
        "{first}"
    );
    let spend = ads[0].parse::<Decimal>("spend");
    assert_eq!(first.parse::<Decimal>("spend"), spend, "{first}");
    assert_eq!(first.parse::<Decimal>("cost_per_won"), spend, "{first}");
    let half = first.parse::<Decimal>("cost_per_qualified") * Decimal::TWO - spend;
    assert!(half.abs() <= Decimal::new(1, 2), "{first}");
    assert_eq!(
        (first.text("value"), first.text("currency"), first.text("name")),
        ("1000.00", "EUR", ads[0].text("ad_name"))
    );
    // Every ad with spend is there, with or without leads, and the totals are those of the account.
    let all: Decimal = ads.iter().map(|ad| ad.parse::<Decimal>("spend")).sum();
    assert_eq!(by_ad.list("items").len(), ads.len(), "{by_ad}");
    for by in ["campaign", "adset", "ad", "form", "page", "assignee"] {
        let report = outcomes(by).await;
        assert_eq!((report["totals"].number("leads"), report["totals"].parse::<Decimal>("spend")), (4, all), "{by}");
        let rows = report.list("items");
        assert_eq!(rows.iter().map(|row| row.number("leads")).sum::<u64>(), 4, "{by}: {report}");
    }
    let by_assignee = outcomes("assignee").await;
    let ann = row(&by_assignee, &json!("ann"));
    assert_eq!((ann.number("leads"), ann.number("won"), ann.text("name")), (2, 1, "ann"), "{ann}");
    let by_campaign = outcomes("campaign").await;
    let spends: Vec<Decimal> = by_campaign.list("items").iter().map(|row| row.parse("spend")).collect();
    assert!(spends.len() > 1 && spends.is_sorted_by(|one, next| one >= next), "what cost most is first: {by_campaign}");

    // An account has the leads of its campaigns, also of days on which they cost nothing.
    let ahead = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    import_organic_and(&tenant, &ads[2], &ahead).await;
    let of_account = tenant.get(&format!("/api/meta-ads/outcomes?since={day}&account_id=act_{account}")).await;
    assert_eq!(of_account["totals"]["leads"], 5, "{of_account}");
    let of_all = tenant.get(&format!("/api/meta-ads/outcomes?since={day}")).await;
    assert_eq!(of_all["totals"]["leads"], 6, "{of_all}");

    // Changing a status moves a lead, and the day before has none.
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{}", leads[3]), &json!({ "status": "lost" })).await;
    assert_eq!(outcomes("ad").await["totals"]["lost"], 2);
    let before = day.parse::<jiff::civil::Date>().unwrap().yesterday().unwrap();
    let empty = tenant.get(&format!("/api/meta-ads/outcomes?since={before}&until={before}")).await;
    assert_eq!(empty["totals"]["leads"], 0, "{empty}");

    let csv = tenant.get(&format!("/api/meta-ads/outcomes?group_by=ad&since={day}&until={day}&format=csv")).await;
    let csv = csv.as_str().expect("a text");
    assert!(
        csv.starts_with(
            "ad_id,ad_name,leads,repeats,open,contacted,qualified,won,lost,meta_conversions,currency,spend,"
        ),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), ads.len() + 1);
    for (query, field) in
        [("group_by=moon", "group_by"), ("timezone=Moon/Base", "timezone"), ("since=2026-13-01", "since")]
    {
        let (status, answer) = tenant.call(Method::GET, &format!("/api/meta-ads/outcomes?{query}"), &Value::Null).await;
        assert_eq!((status, answer.text("field")), (400, field), "{answer}");
    }
}

#[tokio::test]
async fn home_says_how_things_stand_and_results_which_campaign_is_worth_it() {
    let tenant = OrgFixture::new("home").users(&["ann"]).create().await;
    let email = tenant.create_login("Hom Page", "admin").await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&email).await;
    // Before anything is connected, the page is a list of what to do.
    for words in ["Setup: 1 of 6 steps done", "Connect Facebook", "Choose who gets alerts"] {
        browser.wait_for_text(words).await;
    }
    browser.check_page("home-empty").await;

    let account = "700400002";
    let token = create_ad_accounts(&[(account, "USD", "UTC")]).await;
    link_ad_account(&tenant, account, "one", &token).await;
    wait_until_ready(&tenant, account).await;
    let (day, ads) = ads_of_a_day(&tenant, account).await;
    let leads = import_leads_of_ads(&tenant, &[ads[0].clone(), ads[1].clone()], &format!("{day}T12:00:00Z")).await;
    let won = json!({ "status": "converted", "value": "2500", "currency": "USD", "assigned_to": "ann" });
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{}", leads[0]), &won).await;
    browser.open_page("/home").await;
    for words in ["Leads by day", "Last 30 days", "Leads by colleague, last 30 days"] {
        browser.wait_for_text(words).await;
    }
    browser.check_page("home").await;
    browser.open_page(&format!("/ads/outcomes?since={day}&until={day}&group_by=ad")).await;
    for words in ["Cost per won lead", "2,500.00", ads[0].text("ad_name"), "Total"] {
        browser.wait_for_text(words).await;
    }
    browser.check_page("results").await;
    browser.press("Won").await;
    browser.wait_for_text("Won ↓").await;
    browser.close().await;
    let phone = Browser::open(PHONE).await;
    phone.open_page("/home").await;
    phone.log_in(&email).await;
    phone.wait_for_text("Leads by day").await;
    phone.check_page("home").await;
    phone.open_page(&format!("/ads/outcomes?since={day}&until={day}")).await;
    phone.check_page("results").await;
    phone.close().await;
}
