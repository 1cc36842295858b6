//! Leads become a file for a spreadsheet, behind a link that ends soon.

use e2e::browser::{Browser, DESK};
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::wait_for;
use reqwest::Method;
use serde_json::{Value, json};

/// The rows of a file, each by the names of its columns.
async fn rows_of(url: &str) -> Vec<Value> {
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-disposition"].to_str().unwrap().split(';').next(), Some("attachment"));
    let text = answer.text().await.unwrap();
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.deserialize::<std::collections::BTreeMap<String, String>>().map(|row| json!(row.unwrap())).collect()
}

#[tokio::test]
async fn a_manager_exports_a_filter_and_another_org_has_no_part_in_it() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("exports").connect().await;
    let stranger = OrgFixture::new("exports-stranger").create().await;
    let form = person.forms[0].as_str();
    let answers = json!({ "full_name": "=1+1", "email": "first@example.com", "phone_number": "+12125550142" });
    let first = LeadFixture::new(form).answers(&answers).submit(1).await.remove(0);
    let answers = json!({ "full_name": "Änne Zwei", "email": "second@example.com", "phone_number": "+12125550143" });
    let second = LeadFixture::new(form).answers(&answers).submit(1).await.remove(0);
    tenant.wait_for_leads(&[first.clone(), second]).await;
    let change = json!({ "status": "qualified", "note": "Called", "value": "12.50", "currency": "EUR" });
    tenant.call_ok(Method::PATCH, &format!("/api/leads/meta-{first}"), &change).await;

    let export = async |query: Value| {
        let begun = tenant.call_ok(Method::POST, "/api/leads/exports", &query).await;
        let path = format!("/api/leads/exports/{}", begun.text("id"));
        wait_for("an export", async || Some(tenant.get(&path).await).filter(|export| export["state"] == "done")).await
    };
    let all = export(json!({})).await;
    let rows = rows_of(all.text("url")).await;
    assert_eq!((rows.len(), &all["leads"]), (2, &json!(2)));
    let row = rows.iter().find(|row| row["email"] == "first@example.com").unwrap();
    assert_eq!((row.text("full_name"), row.text("phone")), ("'=1+1", "'+12125550142"));
    assert_eq!((row.text("note"), row.text("value"), row.text("currency")), ("Called", "12.50", "EUR"));
    assert!(rows.iter().any(|row| row["full_name"] == "Änne Zwei"));
    let some = wait_for("the list of qualified leads", async || {
        let some = export(json!({ "status": "qualified" })).await;
        (some["leads"] == 1).then_some(some)
    })
    .await;
    assert_eq!(rows_of(some.text("url")).await[0]["status"], "qualified");

    let (status, problem) = tenant.call(Method::POST, "/api/leads/exports", &json!({ "q": "ann@" })).await;
    assert_eq!((status, problem.text("code"), problem.text("field")), (400, "search_invalid", "q"));
    let (status, problem) = tenant.call(Method::POST, "/api/leads/exports", &json!({ "stat": "new" })).await;
    assert_eq!(status, 400, "{problem}");
    let path = format!("/api/leads/exports/{}", all.text("id"));
    for method in [Method::GET, Method::DELETE] {
        let (status, _) = stranger.call(method, &path, &Value::Null).await;
        assert_eq!(status, 404);
    }
    assert!(stranger.items("/api/leads/exports").await.is_empty());

    // Someone asks to be forgotten: no file may still have them.
    tenant.call_ok(Method::DELETE, "/api/people", &json!({ "email": "first@example.com" })).await;
    let erased = tenant.get(&path).await;
    assert_eq!((erased.text("state"), &erased["url"]), ("erased", &Value::Null));
    assert_ne!(reqwest::get(all.text("url")).await.unwrap().status(), 200);
    let again = export(json!({})).await;
    assert_eq!(again["leads"], 1);
    let id = again.text("id");
    let (status, _) = tenant.call(Method::DELETE, &format!("/api/leads/exports/{id}"), &Value::Null).await;
    assert_eq!(status, 204);
    assert_ne!(reqwest::get(again.text("url")).await.unwrap().status(), 200);
    assert!(tenant.items("/api/leads/exports").await.iter().all(|export| export.text("id") != id));
}

#[tokio::test]
async fn an_admin_exports_what_the_list_shows() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("exports-console").connect().await;
    let leads = LeadFixture::new(person.forms[0].as_str()).submit(2).await;
    tenant.wait_for_leads(&leads).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&tenant.create_login("Adi Admin", "admin").await).await;
    browser.open_page("/leads?status=lost").await;
    browser.press("Export these leads").await;
    browser.wait_for_text("The export has started.").await;
    browser.wait_for_text("0 leads").await;
    browser.wait_for_text("Download").await;
    browser.open_page("/leads").await;
    browser.press("Export all leads").await;
    browser.wait_for_text("2 leads").await;
    browser.wait_for_text("Complete").await;
    browser.check_page("exports").await;
    browser.press("Delete").await;
    browser.wait_for_text("The export is deleted.").await;
    assert_eq!(tenant.items("/api/leads/exports").await.len(), 1);
}
