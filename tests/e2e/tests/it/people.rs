//! A person is found, and forgotten on request.

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_lead_is_found_by_name_address_and_number_and_forgotten_for_good() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("people").connect().await;
    let form = person.forms[0].as_str();
    let send = async |name: &str, email: &str, phone: &str| {
        let answers = json!({ "full_name": name, "email": email, "phone_number": phone });
        LeadFixture::new(form).answers(&answers).submit(1).await.remove(0)
    };
    let jane = send("Jané  O'Roe", "jane.roe@example.com", "+12125550142").await;
    let janet = send("Janet Low", "janet@example.com", "+12125550143").await;
    tenant.wait_for_leads(&[jane.clone(), janet]).await;
    let find = async |words: &str| {
        let query: String = url::form_urlencoded::byte_serialize(words.as_bytes()).collect();
        let found = tenant.items(&format!("/api/leads?q={query}")).await;
        found.iter().map(|lead| lead.text("email").to_owned()).collect::<Vec<_>>()
    };
    let (one, other) = ("jane.roe@example.com", "janet@example.com");
    wait_for("the index of names", async || (find("jan").await == [one, other]).then_some(())).await;
    for words in ["JANE O", "o'roe", "o'roe jane", "jane.ROE@example.com", "(212) 555-0142", "+1 212 555 0142"] {
        assert_eq!(find(words).await, [one], "{words}");
    }
    assert_eq!(find("low").await, [other]);
    assert_eq!(find("x").await, Vec::<String>::new());
    for wrong in ["jane@", "2125", "%20"] {
        let (status, problem) = tenant.call(Method::GET, &format!("/api/leads?q={wrong}"), &Value::Null).await;
        assert_eq!((status, problem.text("code"), problem.text("field")), (400, "search_invalid", "q"), "{wrong}");
    }

    // Jane asks to be forgotten.
    let (status, problem) = tenant.call(Method::DELETE, "/api/people", &json!({})).await;
    assert_eq!((status, problem.text("code")), (400, "fields_conflict"), "{problem}");
    let receipt = tenant.call_ok(Method::DELETE, "/api/people", &json!({ "email": "Jane.Roe@example.com" })).await;
    assert_eq!((&receipt["leads"], &receipt["contacts"]), (&json!(1), &json!(0)), "{receipt}");
    let receipts = tenant.items("/api/people/receipts").await;
    assert_eq!(receipts, [receipt]);
    let (status, _) = tenant.call(Method::GET, &format!("/api/leads/meta-{jane}"), &Value::Null).await;
    assert_eq!(status, 404);
    wait_for("the index of names", async || find("jan").await.eq(&[other]).then_some(())).await;
    assert_eq!(find(one).await, Vec::<String>::new());
    // Meta still lists her lead. It does not come back.
    tenant.sweep().await;
    let late = send("Late Comer", "late@example.com", "+12125550144").await;
    tenant.wait_for_leads(&[late]).await;
    assert_eq!(find("jan").await, [other]);
    let everything = format!("{:?}", world().scan_rows("ORG#people#").await).to_lowercase();
    assert!(everything.contains("janet@example.com"));
    assert!(!everything.contains("jane.roe") && !everything.contains("2125550142"));
}

#[tokio::test]
async fn an_org_that_keeps_leads_for_a_month_has_none_of_an_earlier_one() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("retention").connect().await;
    let young = LeadFixture::new(person.forms[0].as_str()).submit(1).await.remove(0);
    tenant.wait_for_leads(std::slice::from_ref(&young)).await;
    let file = "email,full_name,created_time\nlast.year@example.com,Last Year,2025-01-02T00:00:00Z\n\
        last.year@example.com,Last Year,2025-01-03T00:00:00Z\n";
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!(status, 200, "{report}");
    let leads = async || {
        let mut ids: Vec<String> =
            tenant.items("/api/leads").await.iter().map(|lead| lead.text("id").to_owned()).collect();
        ids.sort();
        ids
    };
    wait_for("both leads", async || (leads().await.len() == 2).then_some(())).await;
    let fire = async || world().call_dev_api(Method::POST, "fire/lead-retention?org=retention").await;
    let put =
        async |org: &Value| Tenant::as_superadmin("retention").call(Method::PUT, "/api/orgs/retention", org).await;
    fire().await;
    let org = json!({ "name": "Retention", "plan": { "name": "pro", "features": ["meta"] }, "keep_leads_days": 0 });
    let (status, problem) = put(&org).await;
    assert_eq!((status, problem.text("code"), problem.text("field")), (400, "days_invalid", "keep_leads_days"));
    assert_eq!(leads().await.len(), 2, "leads are kept for good unless the org says otherwise");
    let org = json!({ "name": "Retention", "plan": { "name": "pro", "features": ["meta"] }, "keep_leads_days": 30 });
    let (status, pushed) = put(&org).await;
    assert_eq!((status, &pushed["keep_leads_days"]), (200, &json!(30)));
    fire().await;
    wait_for("the old lead to be erased", async || (leads().await == [format!("meta-{young}")]).then_some(())).await;
    let everything = format!("{:?}", world().scan_rows("ORG#retention#").await);
    assert!(!everything.contains("last.year@example.com"));
}
