//! A person's rights at Meta: removing the app, and having their data deleted.

use e2e::aws_probe::{mails_to, wait_for_mails};
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// Returns the signed request that Meta would send for this person now.
async fn signed_request(person: &str) -> String {
    let asked = json!({ "user_id": person, "kind": "deletion", "send": false });
    world().call_sim(Method::POST, "privacy", &asked).await.text("signed_request").to_owned()
}

async fn post(path: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = world().http.post(format!("{}{path}", world().endpoints.url)).form(form).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn page(url: &str) -> (u16, String) {
    let answer = world().http.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn who_removes_the_app_is_let_go_at_once_and_can_come_back() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("privacy-removed").admin().connect().await;
    let other = OrgFixture::new("privacy-removed-not").connect().await;
    let removed =
        world().call_sim(Method::POST, "tokens", &json!({ "action": "remove_app", "user_id": person.id })).await;
    assert_eq!(removed["deauthorize"]["status"], 200, "{removed}");
    let seen = tenant.integration(&id).await;
    assert_eq!((seen.text("status"), seen.text("reason")), ("error", "app_removed"), "no schedule, no call: {seen}");
    assert_eq!(tenant.items("/api/meta/connections").await[0]["status"], "expired");
    assert!(world().list_secrets(&id).await.is_empty());
    assert!(wait_for_mails(&admin, 1).await[0].text("text").contains("removed this app"));
    assert_eq!(tenant.events("connection.expired").await.len(), 1);
    assert_eq!(other.tenant.integration(&other.integration).await["status"], "active");
    other.tenant.wait_for_leads(&LeadFixture::new(&other.person.forms[0]).submit(1).await).await;

    // A lead that Meta reports in the meantime is parked.
    let mut meanwhile = LeadFixture::new(&person.forms[0]).submit(1).await;
    meanwhile.extend(LeadFixture::new(&person.forms[0]).undelivered().submit(1).await);
    tenant.wait_for_parked().await;
    tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await;
    assert_eq!(tenant.integration(&id).await["status"], "active");
    tenant.wait_for_leads(&meanwhile).await;

    // A person who removes the app may request deletion next: no secret may remain restorable.
    world().call_sim(Method::POST, "tokens", &json!({ "action": "remove_app", "user_id": person.id })).await;
    let sent = world().call_sim(Method::POST, "privacy", &json!({ "user_id": person.id, "kind": "deletion" })).await;
    let (_, text) = page(sent.text("answers.0.body.url")).await;
    assert!(text.contains("Your data is deleted"), "{text}");
    assert!(world().list_secret_names(&id).await.is_empty());
    assert_eq!(tenant.integration(&id).await["reason"], "data_deleted");
}

#[tokio::test]
async fn what_meta_did_not_sign_does_nothing() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("privacy-forged").connect().await;
    let good = signed_request(&person.id).await;
    let (signature, payload) = good.split_once('.').unwrap();
    let (other_payload, zeros) = (signed_request("10160934411872002").await, "A".repeat(43));
    let forged = [
        (format!("{zeros}.{payload}"), 401),
        (format!("{signature}.{}", other_payload.split_once('.').unwrap().1), 401),
        (format!(".{payload}"), 401),
        (payload.to_owned(), 400),
        (format!("{good}!"), 400),
        (String::new(), 400),
    ];
    for path in ["/connect/deauthorize/facebook", "/connect/deletion/facebook"] {
        for (request, status) in &forged {
            let (got, answer) = post(path, &[("signed_request", request)]).await;
            assert_eq!((got, answer.text("field")), (*status, "signed_request"), "{path} {request}: {answer}");
        }
        assert_eq!(post(path, &[]).await.0, 400);
        assert_eq!(post(path, &[("other", "1")]).await.0, 400);
    }
    assert_eq!(tenant.integration(&id).await["status"], "active");
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_the_page_says_so_to_whoever_has_the_code() {
    let ConnectedOrg { tenant, person, integration: id, admin } =
        OrgFixture::new("privacy-deletion").pages(2).admin().connect().await;
    let second = OrgFixture::new("privacy-deletion-b").create().await;
    let second_id = second.connect(&person.id, &[], Value::Null, &[]).await.get("integrationId");
    let before = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&before).await;

    let sent = world().call_sim(Method::POST, "privacy", &json!({ "user_id": person.id, "kind": "deletion" })).await;
    let answer = &sent["answers"][0];
    assert_eq!(answer["status"], 200, "{sent}");
    let (url, code) = (answer.text("body.url"), answer.text("body.confirmation_code"));
    assert!(code.len() >= 32 && code.bytes().all(|b| b.is_ascii_alphanumeric()), "{code}");
    assert!(url.starts_with(&world().endpoints.url) && url.contains(code), "{url}");
    let (status, text) = page(url).await;
    assert!(status == 200 && text.contains("Your data is deleted") && text.contains("2 connections"), "{text}");
    assert!(!text.contains(&person.id) && !text.contains("privacy-deletion"), "the page names nobody");

    for (tenant, id) in [(&tenant, &id), (&second, &second_id)] {
        let seen = tenant.integration(id).await;
        assert_eq!((seen.text("reason"), seen.number("pages_count")), ("data_deleted", 0), "{seen}");
        assert_eq!(seen["name"], "Deleted connection", "the name was made of a page's");
        assert!(tenant.items("/api/meta/connections").await.is_empty());
        assert!(world().list_secret_names(id).await.is_empty(), "gone for good, not for a week");
    }
    tenant.wait_for_leads(&before).await;
    let items = json!({ "TableName": world().endpoints.table });
    let items = world().aws().json("dynamodb", "DynamoDB_20120810.Scan", &items).await.unwrap().to_string();
    assert!(!items.contains(&person.id), "nothing in the table names the person");
    // A check may already have noticed and announced the removed app. The deletion is announced in addition.
    wait_for("the mail", async || {
        mails_to(&admin)
            .await
            .iter()
            .any(|mail| mail["text"].to_string().contains("have their data deleted"))
            .then_some(())
    })
    .await;

    // Meta may repeat its request; a guessed code finds nothing.
    let again = world()
        .call_sim(Method::POST, "privacy", &json!({ "user_id": person.id, "kind": "deletion", "times": 2 }))
        .await;
    assert!(again.list("answers").iter().all(|answer| answer["status"] == 200), "{again}");
    for guess in ["", "x", &"0".repeat(code.len()), &code[1..], &format!("{code}0"), &code.to_uppercase()] {
        let (status, text) = page(&format!("{}/connect/deletion/facebook?code={guess}", world().endpoints.url)).await;
        assert_eq!(status, 404, "{guess}");
        assert!(text.contains("No such request"));
    }
    // The person can connect again.
    assert_eq!(tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await.get("status"), "connected");
}

#[tokio::test]
async fn a_request_that_comes_late_or_twice_does_not_reach_a_newer_connection() {
    let ConnectedOrg { tenant, person, integration: id, .. } = OrgFixture::new("privacy-late").connect().await;
    let early = signed_request(&person.id).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    tenant.connect(&person.id, &[], json!({ "integrationId": id }), &[]).await;
    for path in ["/connect/deauthorize/facebook", "/connect/deletion/facebook"] {
        let answers =
            [post(path, &[("signed_request", &early)]).await, post(path, &[("signed_request", &early)]).await];
        assert_eq!(answers[0], answers[1], "the same request has the same answer");
        assert_eq!(answers[0].0, 200);
        assert_eq!(tenant.integration(&id).await["status"], "active", "{path}");
    }
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(1).await).await;
}

#[tokio::test]
async fn somebody_who_never_connected_anything_gets_an_answer_too() {
    let person = world().create_person(1).await;
    let request = signed_request(&person.id).await;
    assert_eq!(post("/connect/deauthorize/facebook", &[("signed_request", &request)]).await.0, 200);
    let (status, answer) = post("/connect/deletion/facebook", &[("signed_request", &request)]).await;
    assert_eq!(status, 200);
    let (status, text) = page(answer.text("url")).await;
    assert!(status == 200 && text.contains("Nothing was stored"), "{text}");
}
