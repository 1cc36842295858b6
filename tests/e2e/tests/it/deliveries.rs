//! Deliveries to the webhook: from Meta, from Meta on a bad day, and from others.

use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::{leadgen_body, signature};
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn the_challenge_comes_back_to_the_letter_for_the_right_word_only() {
    let app = world().sim_state().await["app"].clone();
    let word = app.text("verify_token").to_owned();
    let ask = async |query: &[(&str, &str)]| {
        let url = e2e::meta::with_query(&format!("{}/connect/webhook/facebook", world().endpoints.url), query);
        let answer = world().http.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let right = [("hub.mode", "subscribe"), ("hub.challenge", "115<8>20 1444"), ("hub.verify_token", word.as_str())];
    assert_eq!(ask(&right).await, (200, "115<8>20 1444".to_owned()));
    for wrong in [
        vec![],
        vec![right[0], right[1]],
        vec![right[0], right[1], ("hub.verify_token", "wrong")],
        vec![right[0], right[1], ("hub.verify_token", "")],
        vec![("hub.mode", "unsubscribe"), right[1], right[2]],
    ] {
        assert_eq!(ask(&wrong).await.0, 403, "{wrong:?}");
    }
}

#[tokio::test]
async fn only_what_meta_signed_is_taken() {
    let secret = world().app_secret().await;
    let body = leadgen_body("104398761169999", "1", "2");
    let good = signature(&secret, &body);
    let flipped = format!("{}{}", if good.starts_with('0') { '1' } else { '0' }, &good[1..]);
    for (name, value) in [
        ("x-hub-signature-256", String::new()),
        ("x-hub-signature-256", "sha256=".to_owned()),
        ("x-hub-signature-256", good.clone()),
        ("x-hub-signature-256", format!("sha256={}", &good[..62])),
        ("x-hub-signature-256", format!("sha256={}zz", &good[..62])),
        ("x-hub-signature-256", format!("sha256={flipped}")),
        ("x-hub-signature-256", format!("sha1={good}")),
        ("x-hub-signature-256", format!("sha256={}", signature("another secret", &body))),
        ("x-hub-signature", format!("sha1={}", &good[..40])),
    ] {
        let (status, answer) = world().deliver_with("", &body, &[(name, &value)]).await;
        assert_eq!(status, 401, "{name}: {value}: {answer}");
    }
    assert_eq!(world().deliver_with("", &body, &[]).await.0, 401);
    assert_eq!(world().deliver_with("", &body, &[("x-hub-signature-256", &format!("sha256={good}"))]).await.0, 200);
}

#[tokio::test]
async fn whatever_is_in_a_signed_body_nothing_breaks() {
    let deep = format!(
        r#"{{"object":"page","entry":[{{"id":"1","changes":[{{"field":"feed","value":{}1{}}}]}}]}}"#,
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let large = json!({ "object": "page", "entry": [{ "id": "1", "changes": [{ "field": "feed", "value": { "message": "x".repeat(3_000_000) } }] }] });
    let test = json!({ "object": "page", "entry": [{ "id": "0", "time": 1, "changes": [{ "field": "leadgen", "value": {
        "ad_id": "444444444", "form_id": "444444444444", "leadgen_id": "444444444444", "created_time": 1, "page_id": "444444444444", "adgroup_id": "44444444444" } }] }] });
    for (body, status) in [
        ("not json".to_owned(), 400),
        (String::new(), 400),
        ("[]".to_owned(), 400),
        ("7".to_owned(), 400),
        (r#"{"object":"page","entry":[{"id":"1""#.to_owned(), 400),
        (deep, 200),
        (large.to_string(), 200),
        (test.to_string(), 200),
        (json!({ "object": "page", "entry": [] }).to_string(), 200),
        (json!({ "object": "page", "entry": [{ "id": "1", "changed_fields": ["leadgen"] }] }).to_string(), 200),
        (json!({ "object": "page", "entry": [{ "id": "1", "messaging": [{ "message": { "mid": "m", "text": "hi" } }] }] }).to_string(), 200),
        (json!({ "object": "unheard_of", "entry": [{ "id": "1", "changes": [{ "field": "x", "value": 1 }] }] }).to_string(), 200),
        (json!({ "object": "page", "entry": [{ "id": "1", "changes": [{ "field": "leadgen", "value": { "leadgen_id": "a#b", "page_id": {} } }] }] }).to_string(), 200),
        (r#"{"object":"page","entry":[{"id":"1","changes":[{"field":"feed","value":{"message":"ä ❤ \u00e4 \uffff \u0000"}}]}]}"#.to_owned(), 200),
    ] {
        let (got, answer) = world().deliver(body.as_bytes()).await;
        assert_eq!(got, status, "{}: {answer}", body.chars().take(80).collect::<String>());
    }
}

/// The gateway passes a body that is not text as base64.
#[tokio::test]
async fn a_body_that_comes_as_base64_is_verified_as_it_was_sent() {
    let secret = world().app_secret().await;
    for (body, status) in [(leadgen_body("104398761169999", "1", "2"), 200), (b"\xff\xfe{}".to_vec(), 400)] {
        let header = format!("sha256={}", signature(&secret, &body));
        let headers = [("x-hub-signature-256", header.as_str()), ("content-type", "application/octet-stream")];
        assert_eq!(world().deliver_with("", &body, &headers).await.0, status);
    }
}

#[tokio::test]
async fn every_change_of_a_mixed_body_finds_its_way() {
    let ConnectedOrg { tenant, person, .. } =
        OrgFixture::new("mixed").users(&["ann", "bob"]).pages(2).round_robin().connect().await;
    let (one, two) = (&person.pages[0], &person.pages[1]);
    let a = LeadFixture::new(&person.forms[0]).undelivered().submit(4).await;
    let b = LeadFixture::new(&person.forms[1]).undelivered().submit(3).await;
    let lead = |page: &str, id: &str, number: bool| {
        let id = if number { json!(id.parse::<u64>().unwrap()) } else { json!(id) };
        json!({ "field": "leadgen", "value": { "leadgen_id": id, "page_id": page, "form_id": "1", "created_time": 1 } })
    };
    let feed = json!({ "field": "feed", "value": { "item": "comment", "verb": "add", "comment_id": "c_1", "message": "hello" } });
    let body = json!({ "object": "page", "entry": [
        { "id": one, "time": 1, "changes": [feed, lead(one, &a[0], false), lead(one, &a[1], true), lead(one, &a[2], false)] },
        { "id": two, "time": 1, "messaging": [{ "message": { "mid": "m_1", "text": "hi" } }] },
        { "id": two, "time": 1, "changes": [lead(two, &b[0], false), lead(two, &b[0], false)] },
        { "id": two, "time": 1, "changes": [lead(two, &b[1], false)] },
        { "id": one, "time": 1, "changes": [lead(one, &a[3], false), { "field": "never_heard_of", "value": {} }] },
        { "id": two, "time": 1, "changes": [lead(two, &b[2], true)] },
        { "id": "99999", "time": 1, "changes": [lead("99999", "5", false)] },
    ] });
    assert_eq!(world().deliver(body.to_string().as_bytes()).await.0, 200);
    let all: Vec<String> = a.into_iter().chain(b).collect();
    assert_eq!(tenant.wait_for_leads(&all).await.len(), 7);
}

#[tokio::test]
async fn the_orgid_of_the_address_decides_nothing() {
    let tenant = OrgFixture::new("orgid").create().await;
    let person = world().create_person(1).await;
    let (page, form) = (&person.pages[0], &person.forms[0]);
    tenant.connect(&person.id, &[], Value::Null, &[]).await;
    let ids = LeadFixture::new(form).undelivered().submit(3).await;
    let secret = world().app_secret().await;
    for (query, id) in ["?orgid=orgid", "?orgid=other", "?orgid=%23%2F..&orgid=x"].into_iter().zip(&ids) {
        let body = leadgen_body(page, id, form);
        let header = format!("sha256={}", signature(&secret, &body));
        assert_eq!(world().deliver_with(query, &body, &[("x-hub-signature-256", &header)]).await.0, 200);
    }
    assert_eq!(tenant.wait_for_leads(&ids).await.len(), 3);
    assert!(
        Tenant::as_superadmin("other")
            .leads("")
            .await
            .iter()
            .all(|lead| !ids.iter().any(|id| lead["leadgen_id"] == **id))
    );
}

#[tokio::test]
async fn a_thousand_leads_in_one_body_are_all_taken() {
    let tenant = OrgFixture::new("thousand").users(&["ann", "bob", "cem"]).create().await;
    let person = world().create_person(1).await;
    let (page, form) = (&person.pages[0], &person.forms[0]);
    tenant.connect(&person.id, &[], json!({ "assignment": { "strategy": "round_robin" } }), &[]).await;
    let ids = LeadFixture::new(form).undelivered().submit(1000).await;
    let changes: Vec<Value> = ids.iter().map(|id| json!({ "field": "leadgen", "value": { "leadgen_id": id, "page_id": page, "form_id": form, "created_time": 1 } })).collect();
    let body = json!({ "object": "page", "entry": [{ "id": page, "time": 1, "changes": changes }] }).to_string();
    assert_eq!(world().deliver(body.as_bytes()).await.0, 200);
    let counted = async || tenant.items("/api/meta/connections").await[0].number("leads_count");
    wait_for("a thousand leads", async || (counted().await == 1000).then_some(())).await;
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for lead in tenant.leads("").await {
        *counts.entry(lead.text("assigned_to").to_owned()).or_default() += 1;
    }
    assert_eq!(counts, [("ann".to_owned(), 334), ("bob".to_owned(), 333), ("cem".to_owned(), 333)].into());
}

#[tokio::test]
async fn a_lead_that_meta_withholds_is_parked_with_its_reason() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("withheld").connect().await;
    let id = world().submit_withheld_lead(&person).await;
    let parked = tenant.wait_for_parked().await;
    assert_eq!(
        (&parked["leadgen_id"], parked.text("reason"), &parked["page_id"]),
        (&json!(id), "not_permitted", &json!(person.pages[0]))
    );
    assert!(parked.text("evidence").contains("200"));
    let answer = tenant.call_ok(Method::POST, "/api/parked/replay", &json!({ "leadgen_ids": [id] })).await;
    assert_eq!(answer["replayed"], 1);
    tenant.wait_for_leads(&[id]).await;
    assert!(tenant.items("/api/parked").await.is_empty());
}

#[tokio::test]
async fn a_dismissed_lead_leaves_the_list_and_is_not_found_again() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("dismissed").connect().await;
    let (page, form) = (&person.pages[0], &person.forms[0]);
    let id = LeadFixture::new(form).undelivered().submit(1).await.remove(0);
    let refusal = json!({ "path": format!("/{id}"), "kind": "error", "code": 200, "status": 403, "times": 99 });
    world().call_sim(Method::POST, "faults", &refusal).await;
    assert_eq!(world().deliver(&leadgen_body(page, &id, form)).await.0, 200);
    let parked = tenant.wait_for_parked().await;
    assert!(parked["reason_message"].is_string() && parked.text("fix").contains("health"), "{parked}");

    let (status, answer) = tenant.call(Method::POST, "/api/parked/dismiss", &json!({})).await;
    assert_eq!((status, answer.text("field")), (400, "leadgen_ids"), "not all by mistake");
    for (body, dismissed) in [
        (json!({ "leadgen_ids": ["1"] }), 0),
        (json!({ "reason": "token_dead" }), 0),
        (json!({ "reason": "not_permitted" }), 1),
        (json!({ "leadgen_ids": [id] }), 0),
    ] {
        let answer = tenant.call_ok(Method::POST, "/api/parked/dismiss", &body).await;
        assert_eq!(answer["dismissed"], dismissed, "{body}");
    }
    assert!(tenant.items("/api/parked").await.is_empty());
    let trace = tenant.items(&format!("/api/leads/meta-{id}/trace")).await;
    assert_eq!(trace.last().unwrap()["step"], "dismissed");

    // Neither the comparison with Meta nor a repeated webhook brings it back.
    tenant.sweep().await;
    assert_eq!(world().deliver(&leadgen_body(page, &id, form)).await.0, 200);
    let next = LeadFixture::new(form).submit(1).await;
    tenant.wait_for_leads(&next).await;
    tenant.sweep().await;
    assert!(tenant.items("/api/parked").await.is_empty());
}
