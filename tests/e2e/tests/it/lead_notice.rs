//! The assignee of a lead is mailed at once, can stop that without a login, and gets one mail for many leads.

use e2e::aws_probe::{mails_to, report_bounce, wait_for_mails};
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

async fn switch_on(tenant: &Tenant, integration: &str) {
    let path = format!("/api/meta/integrations/{integration}");
    assert_eq!(tenant.get(&path).await["notify_assignee"], false, "off by default");
    let changed = tenant.call_ok(Method::PATCH, &path, &json!({ "notify_assignee": true })).await;
    assert_eq!(changed["notify_assignee"], true);
}

async fn assign(tenant: &Tenant, lead: &str, user: &str) {
    tenant.call_ok(Method::PATCH, &format!("/api/leads/meta-{lead}"), &json!({ "assigned_to": user })).await;
}

async fn user(tenant: &Tenant, id: &str) -> Value {
    tenant.get("/api/users").await.find("items", "id", id).clone()
}

/// The link of a mail that stops the mails.
fn unsubscribe_link(mail: &Value) -> String {
    let text = mail.text("text");
    let (_, link) = text.split_once("Stop these mails: ").expect("a link that stops the mails");
    link.trim().to_owned()
}

#[tokio::test]
async fn an_assignee_is_mailed_at_once_and_can_stop_that_without_a_login() {
    let org = "notice";
    let ConnectedOrg { tenant, person, integration, .. } =
        OrgFixture::new(org).users(&["ann", "bob"]).round_robin().connect().await;
    let [ann, bob] = ["ann", "bob"].map(|id| format!("{id}@{org}.example"));
    let before = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&before).await;
    switch_on(&tenant, &integration).await;
    let answers =
        json!({ "full_name": "Jane <b>Roe</b>", "email": "jane@example.com", "phone_number": "+12125550123" });
    let ids = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    let lead =
        tenant.wait_for_leads(&ids).await.into_iter().find(|lead| lead["leadgen_id"] == ids[0].as_str()).unwrap();
    let (first, other) = if lead["assigned_to"] == "ann" { (&ann, "bob") } else { (&bob, "ann") };
    let mail = wait_for_mails(first, 1).await.remove(0);
    assert_eq!(mail.text("subject"), "New lead: Jane <b>Roe</b>");
    let html = mail.text("html");
    assert!(html.contains("href=\"tel:+12125550123\"") && html.contains("jane@example.com"), "{html}");
    assert!(html.contains(&format!("/leads/meta-{}\"", ids[0])) && !html.contains("<b>Roe"), "{html}");

    // By hand: the new assignee is mailed, once, whatever is repeated.
    let second = format!("{other}@{org}.example");
    assign(&tenant, &ids[0], other).await;
    assign(&tenant, &ids[0], other).await;
    let mail = wait_for_mails(&second, 1).await.remove(0);

    // A mail program stops the mails by one request without a login; opening the link alone does not.
    let address = unsubscribe_link(&mail);
    let path = &address[address.find("/unsubscribe/").unwrap()..];
    let link = format!("{}{path}", world().endpoints.url);
    let asked = world().http.get(&link).send().await.unwrap();
    assert_eq!(asked.status(), 200);
    assert_eq!(user(&tenant, other).await["notifications"], true);
    let forged = world().http.post(format!("{link}A")).body("List-Unsubscribe=One-Click").send().await.unwrap();
    assert_eq!(forged.status(), 404);
    let form = [("List-Unsubscribe", "One-Click")];
    let stopped = world().http.post(&link).form(&form).send().await.unwrap();
    assert_eq!(stopped.status(), 200);
    assert_eq!(user(&tenant, other).await["notifications"], false);
    tenant.put_user(other, "Renamed by the CRM", true).await;
    assert_eq!(user(&tenant, other).await["notifications"], false, "pushing the directory changes nothing about it");

    // The next lead of theirs is not mailed; the one after it, of the other person, is.
    assign(&tenant, &before[0], other).await;
    let third = LeadFixture::new(&person.forms[0]).submit(2).await;
    tenant.wait_for_leads(&third).await;
    for id in &third {
        assign(&tenant, id, lead.text("assigned_to")).await;
    }
    wait_for_mails(first, 3).await;
    assert_eq!(mails_to(&second).await.len(), 1);
    // The CRM switches them on again.
    let body = json!({ "name": "X", "email": second, "active": true, "permissions": ["lead_management"], "notifications": true });
    let pushed = tenant.call_ok(Method::PUT, &format!("/api/users/{other}"), &body).await;
    assert_eq!(pushed["notifications"], true);
    assign(&tenant, &third[0], other).await;
    wait_for_mails(&second, 2).await;
}

#[tokio::test]
async fn the_twenty_first_lead_of_an_hour_and_later_ones_are_one_mail() {
    let org = "notice-many";
    let ConnectedOrg { tenant, person, integration, .. } =
        OrgFixture::new(org).users(&["ann"]).round_robin().connect().await;
    switch_on(&tenant, &integration).await;
    let ann = format!("ann@{org}.example");
    let ids = LeadFixture::new(&person.forms[0]).submit(24).await;
    tenant.wait_for_leads(&ids).await;
    wait_for_mails(&ann, 20).await;
    let digest = wait_for("the mail about the others", async || {
        world().call_dev_api(Method::POST, &format!("fire/lead-notice?org={org}")).await;
        let mails = mails_to(&ann).await;
        let named: usize = mails
            .iter()
            .map(|mail| ids.iter().filter(|id| mail.text("text").contains(&format!("/leads/meta-{id}\n"))).count())
            .sum();
        (named == 24).then_some(mails)
    })
    .await;
    assert!(digest.len() > 20 && digest.len() <= 24, "{}", digest.len());
    assert!(digest[20].text("subject").contains("new lead"), "{}", digest[20]);
}

#[tokio::test]
async fn an_address_that_bounces_gets_no_more_mails_and_the_directory_says_so() {
    let org = "notice-bounce";
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new(org).users(&["ann"]).connect().await;
    switch_on(&tenant, &integration).await;
    let ann = format!("ann@{org}.example");
    let ids = LeadFixture::new(&person.forms[0]).submit(2).await;
    tenant.wait_for_leads(&ids).await;
    assign(&tenant, &ids[0], "ann").await;
    wait_for_mails(&ann, 1).await;
    report_bounce(org, "ann").await;
    let problem = wait_for("the bounce", async || {
        let found = user(&tenant, "ann").await;
        (!found["mail_problem"].is_null()).then(|| found["mail_problem"].clone())
    })
    .await;
    assert_eq!((problem.text("reason"), problem.text("address")), ("bounced", ann.as_str()));
    assign(&tenant, &ids[1], "ann").await;
    let moved = json!({ "name": "Ann", "email": format!("new@{org}.example"), "active": true, "permissions": ["lead_management"] });
    tenant.call_ok(Method::PUT, "/api/users/ann", &moved).await;
    assert!(user(&tenant, "ann").await["mail_problem"].is_null(), "another address is another one");
    assign(&tenant, &ids[0], "ann").await;
    assert_eq!(mails_to(&ann).await.len(), 1);
}
