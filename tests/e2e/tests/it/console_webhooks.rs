//! An admin enters an endpoint, tries it, and sends an event again, all in the console.

use e2e::console::Guest;
use e2e::crm::Crm;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::wait_for;

#[tokio::test]
async fn an_endpoint_is_added_tried_and_sent_to_again() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-webhooks").connect().await;
    let mut admin = Guest::log_in(&tenant.create_login("Ann Admin", "admin").await).await;
    let crm = Crm::start().await;
    assert!(admin.get("/webhooks").await.text.contains("No endpoints yet"));
    // A mistake loses nothing of what was typed.
    let refused =
        admin.post("/webhooks", &[("url", "ftp://crm.example"), ("description", "The <CRM>"), ("all", "yes")]).await;
    assert!(refused.text.contains("The &lt;CRM&gt;") && refused.text.contains("url-mistake"), "{}", refused.text);
    let fields = [("url", crm.url.as_str()), ("description", "The <CRM>"), ("event", "lead.created")];
    let added = admin.post("/webhooks", &fields).await;
    let secret = added.text.split("<code>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{}", added.text);
    let endpoint = tenant.items("/api/webhooks").await.remove(0);
    assert_eq!(endpoint["events"], serde_json::json!(["lead.created"]));
    let path = format!("/webhooks/{}", endpoint.text("id"));
    let page = admin.get(&path).await;
    assert!(page.text.contains("Nothing yet") && !page.text.contains("whsec_"), "{}", page.text);
    assert_eq!(admin.post(&format!("{path}/test"), &[]).await.location, path);
    assert!(admin.get(&path).await.text.contains("accepted the test"));
    assert!(crm.received()[0].is_signed_with(&secret));
    LeadFixture::new(&person.forms[0]).submit(1).await;
    let delivery = wait_for("the event", async || {
        let log = tenant.items(&format!("/api{path}/deliveries?state=delivered")).await;
        log.into_iter().next()
    })
    .await;
    let page = admin.get(&path).await;
    assert!(page.text.contains("lead.created") && page.text.contains("Delivered"), "{}", page.text);
    // The log can be filtered by what came of the events, and says what the receiver answered.
    let accepted = admin.get(&format!("{path}?state=delivered")).await;
    assert!(accepted.text.contains("lead.created") && accepted.text.contains("<b>204</b>"), "{}", accepted.text);
    let failed = admin.get(&format!("{path}?state=failed")).await;
    assert!(
        failed.text.contains("No event with this status") && !failed.text.contains("<b>204</b>"),
        "{}",
        failed.text
    );
    assert_eq!(admin.get(&format!("{path}?state=lost")).await.status, 400);
    let again = format!("{path}/deliveries/{}/resend?state=delivered", delivery.text("id"));
    assert_eq!(admin.post(&again, &[]).await.location, format!("{path}?state=delivered"));
    wait_for("the event again", async || (crm.received_of("lead.created").len() == 2).then_some(())).await;
    let rotated = admin.post(&format!("{path}/rotate"), &[]).await;
    assert!(rotated.text.contains("whsec_") && !rotated.text.contains(&secret), "{}", rotated.text);
    // Settings: boxes that are not ticked switch off.
    assert_eq!(admin.post(&path, &[("url", crm.url.as_str()), ("all", "yes")]).await.location, path);
    let changed = tenant.get(&format!("/api{path}")).await;
    assert_eq!((changed.text("state"), &changed["events"]), ("inactive", &serde_json::Value::Null));
    assert_eq!(admin.post(&format!("{path}/delete"), &[]).await.location, "/webhooks");
    assert!(tenant.items("/api/webhooks").await.is_empty());
}
