//! Ad accounts as an agency sees them: linked, synced, aggregated.

use e2e::ad_accounts::{AdAccountFixture, create_ad_accounts, link_ad_account, link_request, wait_until_ready};
use e2e::fixtures::OrgFixture;
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// An account with two ads.
const TINY_ACCOUNT: AdAccountFixture<'_> =
    AdAccountFixture { id: "", currency: "USD", timezone: "UTC", size: (1, 1, 2), days: 5, seed: 3, users: &[] };

async fn totals(id: &str, by: &str) -> Vec<Value> {
    let call = format!("ads/{id}/totals?since=2020-01-01&until=2030-01-01&by={by}");
    let totals = world().call_sim(Method::GET, &call, &Value::Null).await;
    totals.list("rows").to_vec()
}

/// Returns our own id of an ad account, which names its secrets and rows.
async fn link_id(tenant: &Tenant, id: &str) -> String {
    let rows = world().scan_rows(&format!("ORG#{}", tenant.org)).await;
    let row = rows.iter().find(|row| row["sk"]["S"] == format!("AD_ACCOUNT#act_{id}")).expect("a linked account");
    row.text("id.S").to_owned()
}

async fn secrets(tenant: &Tenant, id: &str) -> Vec<(String, Value)> {
    world().list_secrets(&link_id(tenant, id).await).await
}

/// Asserts equal counts, and spend equal to the cent.
fn assert_same_numbers(ours: &Value, truth: &Value) {
    for name in ["impressions", "clicks", "conversions"] {
        assert_eq!(ours[name], truth[name], "{name} of {ours} and {truth}");
    }
    let money = |row: &Value| row.parse::<rust_decimal::Decimal>("spend");
    assert_eq!(money(ours), money(truth), "{ours} and {truth}");
}

#[tokio::test]
async fn an_agency_sees_what_ads_manager_shows() {
    let tenant = OrgFixture::new("ads-agency").create().await;
    let (dollars, yen, tonga) = ("700100001", "700100002", "700100003");
    let zones = [(dollars, "USD", "America/New_York"), (yen, "JPY", "Asia/Tokyo"), (tonga, "EUR", "Pacific/Tongatapu")];
    let token = create_ad_accounts(&zones).await;
    for (id, client) in [(dollars, "one"), (yen, "two"), (tonga, "one")] {
        let linked = link_ad_account(&tenant, id, client, &token).await;
        assert_eq!((linked.text("state"), &linked["reason"]), ("configuring", &Value::Null), "{linked}");
        assert!(!linked.to_string().contains(&token));
    }
    for (id, currency, timezone) in zones {
        let account = wait_until_ready(&tenant, id).await;
        assert_eq!((&account["currency"], &account["timezone"]), (&json!(currency), &json!(timezone)));
        assert!(account["last_sync_at"].is_string() && account["imported_since"].is_string(), "{account}");
    }

    let report = async |query: &str| {
        let since = jiff::Zoned::now().date().saturating_sub(jiff::Span::new().days(100));
        tenant.get(&format!("/api/meta-ads/report?since={since}&{query}")).await
    };
    for id in [dollars, yen, tonga] {
        for by in ["day", "campaign", "ad"] {
            let truth = totals(id, by).await;
            let ours = report(&format!("group_by={by}&account_id=act_{id}")).await;
            let key = if by == "day" { "day".to_owned() } else { format!("{by}_id") };
            for row in ours.list("items") {
                let truth_key = if by == "day" { "day" } else { "id" };
                let truth = truth.iter().find(|truth| truth[truth_key] == row[&key]).expect("a row of Meta's");
                assert_same_numbers(row, truth);
                assert!(by == "day" || row[format!("{by}_name")].is_string(), "{row}");
            }
            assert!(ours.list("items").len() > 2, "{ours}");
        }
    }
    // Portfolio: one client has two currencies, which are never added up.
    let clients = report("group_by=client").await.list("items").to_vec();
    let of: Vec<(String, String)> =
        clients.iter().map(|row| (row.text("client_id").to_owned(), row.text("currency").to_owned())).collect();
    let expected =
        [("one", "EUR"), ("one", "USD"), ("two", "JPY")].map(|(id, money)| (id.to_owned(), money.to_owned()));
    assert_eq!(of, expected);
    assert_eq!(clients[2].text("spend").find('.'), None, "yen have no cents");

    let csv = tenant.get("/api/meta-ads/report?group_by=campaign,day&format=csv").await;
    assert!(csv.text("").starts_with("campaign_id,campaign_name,day,currency,impressions"), "{csv}");

    let insights = tenant.get(&format!("/api/meta-ads/insights?account_id=act_{dollars}&limit=5")).await;
    let row = &insights["items"][0];
    assert!(row["actions"].is_array() && row["spend"].is_string() && row["impressions"].is_u64(), "{row}");
    assert!(insights["next_cursor"].is_string());
    let days = tenant.get(&format!("/api/meta-ads/account-insights?account_id=act_{yen}")).await;
    assert!(days["items"][0]["reach"].is_u64(), "{days}");

    let campaigns = tenant.get(&format!("/api/meta-ads/campaigns?account_id=act_{yen}")).await;
    assert_eq!(campaigns.list("items").len(), 3, "{campaigns}");
    let mut ads = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = tenant.get(&format!("/api/meta-ads/ads?limit=20{cursor}")).await;
        ads.extend(page.list("items").to_vec());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let ids: std::collections::BTreeSet<&str> = ads.iter().map(|ad| ad.text("id")).collect();
    assert_eq!((ads.len(), ids.len()), (54, 54), "all ads of three accounts, each once");
    assert!(ads.iter().any(|ad| ad["creative"]["body"].is_string()));

    let status = tenant.get("/api/meta-ads/sync-status").await;
    assert_eq!(status.list("accounts").len(), 3);
    let run = &status["items"][0];
    assert_eq!(run["state"], "done", "{run}");
    let of = |name: &str| run.find("objects", "object_type", name);
    for name in ["campaigns", "adsets", "ads", "account_insights", "ad_insights"] {
        assert!(of(name).number("read") > 0 && of(name).number("calls") > 0, "{run}");
    }
    tenant.check_integrations().await;
}

#[tokio::test]
async fn an_account_that_cannot_be_read_says_why_and_changes_nothing() {
    let tenant = OrgFixture::new("ads-refused").create().await;
    let id = "700200001";
    let token = create_ad_accounts(&[(id, "USD", "Europe/Berlin")]).await;
    let poor = json!({ "pages": 1, "scopes": ["pages_show_list", "leads_retrieval"] });
    let poor = world().create_system_user(poor).await.text("token").to_owned();
    let assert_refused = async |body: Value, status: u16, code: &str, field: &str| {
        let (got, answer) = tenant.call(Method::POST, "/api/meta-ads/accounts", &body).await;
        assert_eq!((got, answer.text("code"), answer.text("field")), (status, code, field), "{answer}");
        assert!(!answer.to_string().contains("EAA"), "{answer}");
    };
    let with = |name: &str, value: Value| {
        let mut body = link_request(id, "one", &token);
        body[name] = value;
        body
    };
    for odd in ["700200001", "act_act_700200001", "act_", "", "act_1#2", "act_7e5"] {
        assert_refused(with("ad_account_id", json!(odd)), 400, "ad_account_id_invalid", "ad_account_id").await;
    }
    assert_refused(with("ad_account_id", json!("act_700299999")), 400, "ad_account_not_visible", "ad_account_id").await;
    assert_refused(link_request(id, "one", &poor), 400, "ads_read_missing", "token").await;
    assert_refused(link_request(id, "one", "EAAnonsense"), 400, "token_dead", "token").await;
    assert_refused(with("label", json!(" ")), 400, "name_invalid", "label").await;
    assert_refused(with("conversions", json!(["leeds"])), 400, "conversions_invalid", "conversions").await;
    assert_refused(with("integration_id", json!("int_none")), 400, "token_ambiguous", "token").await;
    assert_refused(with("token", Value::Null), 400, "token_required", "token").await;
    let mut foreign = with("token", Value::Null);
    foreign["integration_id"] = json!("int_none");
    assert_refused(foreign, 404, "not_found", "integration_id").await;
    let none = tenant.get("/api/meta-ads/accounts").await;
    assert_eq!(none["items"], json!([]));
    let (status, answer) = tenant.call(Method::POST, "/api/meta-ads/sync", &Value::Null).await;
    assert_eq!((status, answer.text("code")), (409, "no_ad_accounts"));

    link_ad_account(&tenant, id, "one", &token).await;
    assert_refused(link_request(id, "one", &token), 409, "ad_account_linked", "ad_account_id").await;
    wait_until_ready(&tenant, id).await;
    for days in [json!(0), json!(-1), json!(1_000_000), json!(1200)] {
        let (status, answer) = tenant.call(Method::POST, "/api/meta-ads/sync", &json!({ "days": days })).await;
        assert_eq!((status, answer.text("field")), (400, "days"), "{answer}");
    }
    for (query, field) in [
        ("report?group_by=week", "group_by"),
        ("report?since=2026-02-30", "since"),
        ("report?since=2026-02-02&until=2026-02-01", "since"),
        ("report?since=1999-01-01&until=2026-02-01", "since"),
        ("report?since=9999-12-01&until=9999-12-31", "since"),
        ("report?limit=0", "limit"),
        ("report?account_id=act_1", "account_id"),
        ("report?grupby=day", "grupby"),
        ("insights?ad_id=x", "ad_id"),
        ("ads?cursor=x", "cursor"),
        ("sync-status?run_id=%23", "run_id"),
    ] {
        let (status, answer) = tenant.call(Method::GET, &format!("/api/meta-ads/{query}"), &Value::Null).await;
        assert!((400..=404).contains(&status), "{query}: {answer}");
        assert_eq!(answer["field"], json!(field), "{query}: {answer}");
    }
}

#[tokio::test]
async fn an_integration_s_token_reads_ads_if_it_may() {
    let tenant = OrgFixture::new("ads-integration").create().await;
    let person = world().create_person(1).await;
    let id = "700300001";
    let users = [person.id.as_str()];
    let account =
        AdAccountFixture { id, currency: "GBP", timezone: "Europe/London", days: 10, users: &users, ..TINY_ACCOUNT };
    world().call_sim(Method::POST, "ads", &account.to_input()).await;
    let deny = [("_deny_scopes", "ads_read,ads_management")];
    let without = tenant.connect(&person.id, &[], Value::Null, &deny).await.get("integrationId");
    let mut body = link_request(id, "one", "");
    body.as_object_mut().unwrap().remove("token");
    body["integration_id"] = json!(without);
    let (status, answer) = tenant.call(Method::POST, "/api/meta-ads/accounts", &body).await;
    assert_eq!((status, answer.text("code")), (400, "ads_read_missing"), "{answer}");

    let more = json!({ "integrationId": without });
    let with = tenant.connect(&person.id, &[], more, &[]).await.get("integrationId");
    let available = tenant.get(&format!("/api/meta/integrations/{with}/ad-accounts")).await;
    let found = available.list("items").iter().find(|it| it["ad_account_id"] == format!("act_{id}"));
    assert_eq!(found.unwrap()["linked"], false, "{available}");
    let linked = tenant.call_ok(Method::POST, "/api/meta-ads/accounts", &body).await;
    assert_eq!(linked["integration_id"], json!(with));
    wait_until_ready(&tenant, id).await;

    // When the integration ends, the account reports it, and the data already read stays.
    tenant.call_ok(Method::DELETE, &format!("/api/meta/integrations/{with}"), &Value::Null).await;
    tenant.call_ok(Method::POST, "/api/meta-ads/sync", &json!({ "account_id": format!("act_{id}") })).await;
    let account = wait_for("the account to say that its integration has ended", async || {
        let account = tenant.get(&format!("/api/meta-ads/accounts/act_{id}")).await;
        (account["state"] == "error").then_some(account)
    })
    .await;
    assert_eq!(account["reason"], "integration_ended", "{account}");
    assert!(account.text("fix").contains("Reconnect"));
    let report = tenant.get("/api/meta-ads/report?group_by=account").await;
    assert_eq!(report.list("items").len(), 1);
}

#[tokio::test]
async fn an_account_without_delivery_is_ready_and_says_what_to_try() {
    let tenant = OrgFixture::new("ads-empty").create().await;
    let id = "700700001";
    let user = world().create_system_user(json!({ "pages": 1, "scopes": ["ads_read"] })).await;
    let mut idle = AdAccountFixture { id, size: (1, 1, 1), users: &[user.text("id")], ..TINY_ACCOUNT }.to_input();
    idle["active_share"] = json!(0.0);
    world().call_sim(Method::POST, "ads", &idle).await;
    link_ad_account(&tenant, id, "one", user.text("token")).await;
    wait_until_ready(&tenant, id).await;
    let status = tenant.get(&format!("/api/meta-ads/sync-status?account_id=act_{id}")).await;
    let objects = status.list("items.0.objects");
    let insights = objects.iter().find(|it| it["object_type"] == "ad_insights").unwrap();
    let said = &insights["errors"][0];
    assert_eq!(said["code"], "insights_empty", "{status}");
    assert!(said.text("fix").contains("days"), "{said}");
    assert!(tenant.items("/api/meta-ads/report").await.is_empty());
}

#[tokio::test]
async fn a_dead_token_is_told_and_a_new_one_heals() {
    let tenant = OrgFixture::new("ads-token").create().await;
    let id = "700400001";
    let user = world().create_system_user(json!({ "pages": 1, "scopes": ["ads_read"] })).await;
    let account = AdAccountFixture { id, users: &[user.text("id")], ..TINY_ACCOUNT };
    world().call_sim(Method::POST, "ads", &account.to_input()).await;
    link_ad_account(&tenant, id, "one", user.text("token")).await;
    wait_until_ready(&tenant, id).await;
    let dead = json!({ "action": "revoke", "user_id": user["id"] });
    world().call_sim(Method::POST, "tokens", &dead).await;
    let begun = tenant.call_ok(Method::POST, "/api/meta-ads/sync", &json!({})).await;
    let path = format!("/api/meta-ads/accounts/act_{id}");
    let account = wait_for("the account to say that its token is dead", async || {
        let account = tenant.get(&path).await;
        (account["state"] == "error").then_some(account)
    })
    .await;
    assert_eq!(account["reason"], "token_dead", "{account}");
    let run = begun.text("run_id");
    let status = tenant.get(&format!("/api/meta-ads/sync-status?run_id={run}")).await;
    assert_eq!((status.text("items.0.state"), status.text("items.0.reason")), ("failed", "token_dead"));

    world().call_sim(Method::POST, "tokens", &json!({ "action": "restore", "user_id": user["id"] })).await;
    let call = format!("system_users/{}/tokens", user.text("id"));
    let fresh = world().call_sim(Method::POST, &call, &json!({ "scopes": ["ads_read"] })).await;
    let fresh = fresh.text("token").to_owned();
    let before = secrets(&tenant, id).await;
    tenant.call_ok(Method::PATCH, &path, &json!({ "token": fresh })).await;
    wait_until_ready(&tenant, id).await;
    let after = secrets(&tenant, id).await;
    assert_eq!((before.len(), after.len()), (1, 1), "the old token is deleted");
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_sync_is_joined_and_an_account_paused_and_unlinked() {
    let tenant = OrgFixture::new("ads-joined").create().await;
    let id = "700500001";
    let token = create_ad_accounts(&[(id, "USD", "Europe/Berlin")]).await;
    link_ad_account(&tenant, id, "one", &token).await;
    let all = json!({});
    let begun = tenant.call_ok(Method::POST, "/api/meta-ads/sync", &all).await;
    let running = wait_until_ready(&tenant, id).await;
    let status = tenant.get("/api/meta-ads/sync-status").await;
    // The request joins the first import unless that has already finished.
    let runs = if begun["runs"][0]["joined"] == true { 1 } else { 2 };
    assert_eq!(status.list("items").len(), runs, "{begun} {running} {status}");
    assert!(status.list("items").iter().any(|run| run["run_id"] == begun["run_id"]), "{begun} {status}");

    let path = format!("/api/meta-ads/accounts/act_{id}");
    let paused = tenant.call_ok(Method::PATCH, &path, &json!({ "paused": true, "label": "Renamed" })).await;
    assert_eq!((paused.text("state"), paused.text("label")), ("paused", "Renamed"));
    let (status, answer) =
        tenant.call(Method::POST, "/api/meta-ads/sync", &json!({ "account_id": format!("act_{id}") })).await;
    assert_eq!((status, answer.text("code")), (409, "ad_account_paused"));
    let fired = world().call_dev_api(Method::POST, &format!("fire/ads-sync?org={}", tenant.org)).await;
    assert_eq!(fired["result"]["messages"], 0, "{fired}");
    tenant.call_ok(Method::PATCH, &path, &json!({ "paused": false })).await;
    wait_until_ready(&tenant, id).await;
    let before = tenant.get(&path).await.text("last_sync_at").to_owned();
    let fired = world().call_dev_api(Method::POST, &format!("fire/ads-sync?org={}", tenant.org)).await;
    assert_eq!(fired["result"]["messages"], 1, "{fired}");
    wait_for("the scheduled sync", async || {
        let account = tenant.get(&path).await;
        (account["last_sync_at"].as_str() > Some(before.as_str())).then_some(())
    })
    .await;

    let link_id = link_id(&tenant, id).await;
    tenant.call_ok(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(tenant.call(Method::GET, &path, &Value::Null).await.0, 404);
    assert!(world().list_secrets(&link_id).await.is_empty());
    let rows = format!("ORG#{}#ADS#", tenant.org);
    wait_for("what was read to be deleted", async || world().scan_rows(&rows).await.is_empty().then_some(())).await;
    // An account that is linked again starts from scratch.
    let again = link_ad_account(&tenant, id, "one", &token).await;
    assert_eq!(again["state"], "configuring");
    wait_until_ready(&tenant, id).await;
}
