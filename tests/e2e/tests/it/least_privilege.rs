//! The local run enforces the roles of the template: a function without a permission is rejected.

use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::roles::without_permission;
use e2e::world::world;
use reqwest::Method;
use serde_json::json;

/// The api function needs write access to the lead queue only to replay parked leads.
#[tokio::test]
async fn without_its_permission_a_function_is_refused_and_nothing_is_lost() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("privilege").connect().await;
    let id = world().submit_withheld_lead(&person).await;
    tenant.wait_for_parked().await;

    let all = json!({});
    let replay = tenant.call(Method::POST, "/api/parked/replay", &all);
    let (status, answer) = without_permission("api", "sqs:SendMessage", replay).await;
    assert_eq!((status, answer.text("code")), (503, "unavailable"), "{answer}");
    assert_eq!(tenant.items("/api/parked").await[0]["leadgen_id"], json!(id), "what was refused is still parked");

    tenant.call_ok(Method::POST, "/api/parked/replay", &json!({})).await;
    tenant.wait_for_leads(&[id]).await;
}

/// What cannot be read is missing, and the page says so.
#[tokio::test]
async fn without_its_permission_the_page_of_operations_says_what_is_missing() {
    let mut root = Guest::log_in("superadmin@leadwire.example").await;
    // No other story looks back at a week.
    let page = without_permission("console", "cloudwatch:", root.get("/operations?range=week")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for words in ["The alarms cannot be read", "figures cannot be read", "Whether leads flow is not known."] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert!(!page.text.contains("alert good") && !page.text.contains("badge good"), "{}", page.text);
    let page = root.get("/operations?range=week").await;
    assert!(!page.text.contains("cannot be read"), "what was missing is not kept: {}", page.text);
}
