//! A person is found, and forgotten on request.

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
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
