//! Campaigns for lead ads: from the API to Meta, paused, launched and paused again.

use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

const CREATE: &str = "/api/upstream/call/facebook-provider/create-campaign";

/// An ad account of the connected person in this currency.
async fn ad_account(tenant: &Tenant, integration: &str, currency: &str) -> String {
    let accounts = tenant.items(&format!("/api/meta/integrations/{integration}/ad-accounts")).await;
    let account = accounts.iter().find(|account| account["currency"] == currency);
    account.expect("an account in this currency").text("ad_account_id").to_owned()
}

fn campaign(account: &str, page: &str, form: &str) -> Value {
    json!({
        "adAccountId": account, "pageId": page, "name": "Open day", "leadFormId": form, "dailyBudget": "20.00",
        "specialAdCategories": [], "targeting": { "countries": ["US"] },
        "creative": { "message": "Come and see", "image": "https://cdn.example/1.jpg" },
    })
}

async fn create(tenant: &Tenant, body: &Value) -> String {
    let (status, answer) = tenant.call(Method::POST, CREATE, body).await;
    assert_eq!(status, 202, "{body}: {answer}");
    answer.text("campaignId").to_owned()
}

async fn done(tenant: &Tenant, id: &str) -> Value {
    wait_for("the campaign's end", async || {
        let campaign = tenant.get(&format!("/api/campaigns/{id}")).await;
        (campaign.text("status") != "creating").then_some(campaign)
    })
    .await
}

/// The campaigns of an ad account at Meta.
async fn at_meta(account: &str) -> Vec<Value> {
    let state = world().sim_state().await;
    let digits = account.trim_start_matches("act_");
    let of_account = |campaign: &&Value| campaign.text("account_id").trim_start_matches("act_") == digits;
    let exists = |campaign: &&Value| !matches!(campaign.text("status"), "DELETED");
    state.list("campaigns").iter().filter(of_account).filter(exists).cloned().collect()
}

#[tokio::test]
async fn a_campaign_is_created_paused_launched_and_paused_once_however_often_it_is_asked_for() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("campaigns-story").connect().await;
    let account = ad_account(&tenant, &integration, "USD").await;
    let mut body = campaign(&account, &person.pages[0], &person.forms[0]);
    body["requestId"] = json!("r1");
    let id = create(&tenant, &body).await;
    let (one, two) = tokio::join!(create(&tenant, &body), create(&tenant, &body));
    assert_eq!((one.as_str(), two.as_str()), (id.as_str(), id.as_str()));
    let made = done(&tenant, &id).await;
    assert_eq!((made.text("status"), made.list("errors").len()), ("paused", 0), "{made}");
    let at_meta_now = at_meta(&account).await;
    assert_eq!(at_meta_now.len(), 1, "{at_meta_now:?}");
    let ours = &at_meta_now[0];
    assert_eq!((ours.text("status"), ours.text("id")), ("PAUSED", made.text("meta.campaign_id")));
    assert_eq!((ours.list("adsets").len(), ours.list("adsets")[0].list("ads").len()), (1, 1));
    assert_eq!(ours.text("adsets.0.daily_budget"), "2000");

    let choice = json!({ "campaignId": id });
    for _ in 0..2 {
        let launched =
            tenant.call_ok(Method::POST, "/api/upstream/call/facebook-provider/launch-campaign", &choice).await;
        assert_eq!(launched.text("status"), "active");
    }
    let ours = at_meta(&account).await.remove(0);
    assert_eq!(
        (ours.text("status"), ours.text("adsets.0.status"), ours.text("adsets.0.ads.0.status")),
        ("ACTIVE", "ACTIVE", "ACTIVE")
    );
    tenant.call_ok(Method::POST, "/api/upstream/call/facebook-provider/pause-campaign", &choice).await;
    assert_eq!(at_meta(&account).await[0].text("status"), "PAUSED");
    let events = wait_for("the events", async || {
        let events = tenant.events("campaign.changed").await;
        let is_last = events.iter().filter(|event| event["status"] == "paused").count() >= 2;
        (is_last && events.iter().any(|event| event["status"] == "active")).then_some(events)
    })
    .await;
    // Meta's review changes it too, without another status.
    let mut statuses: Vec<&str> = events.iter().map(|event| event.text("status")).collect();
    statuses.dedup();
    assert_eq!(statuses, ["paused", "active", "paused"]);
    assert_eq!(tenant.items("/api/campaigns").await.len(), 1);
}

#[tokio::test]
async fn under_an_error_at_every_step_there_is_one_of_each_or_none() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("campaigns-faults").connect().await;
    let account = ad_account(&tenant, &integration, "USD").await;
    for edge in ["campaigns", "adsets", "adcreatives", "ads"] {
        for when in ["before", "after"] {
            let path = format!("/{account}/{edge}");
            let fault = json!({ "path": path, "method": "POST", "kind": "error", "when": when, "code": 2, "status": 500, "times": 1 });
            world().call_sim(Method::POST, "faults", &fault).await;
            let mut body = campaign(&account, &person.pages[0], &person.forms[0]);
            body["name"] = json!(format!("{edge} {when}"));
            let made = done(&tenant, &create(&tenant, &body).await).await;
            assert_eq!(made.text("status"), "paused", "{made}");
        }
    }
    let at_meta = at_meta(&account).await;
    assert_eq!(at_meta.len(), 8, "{at_meta:?}");
    for one in &at_meta {
        assert_eq!(
            (one.text("status"), one.list("adsets").len(), one.list("adsets")[0].list("ads").len()),
            ("PAUSED", 1, 1),
            "{one}"
        );
    }
}

#[tokio::test]
async fn what_meta_refuses_is_named_by_our_field_and_leaves_nothing() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("campaigns-refused").connect().await;
    let account = ad_account(&tenant, &integration, "EUR").await;
    let refuse = async |change: Value, field: &str| {
        let mut body = campaign(&account, &person.pages[0], &person.forms[0]);
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, answer) = tenant.call(Method::POST, CREATE, &body).await;
        assert_eq!((status, answer.text("field")), (400, field), "{change}: {answer}");
    };
    refuse(json!({ "objective": "OUTCOME_TRAFFIC" }), "objective").await;
    refuse(json!({ "dailyBudget": "0.10" }), "dailyBudget").await;
    refuse(json!({ "lifetimeBudget": "100" }), "dailyBudget").await;
    refuse(
        json!({ "targeting": { "countries": ["US"], "ageMin": 30, "ageMax": 50, "advantageAudience": true } }),
        "targeting.advantageAudience",
    )
    .await;
    refuse(json!({ "leadFormId": "1" }), "leadFormId").await;
    refuse(json!({ "adAccountId": "act_1" }), "adAccountId").await;
    refuse(json!({ "pageId": "1" }), "pageId").await;
    assert!(at_meta(&account).await.is_empty());
    // An Instagram account that the ad account may not use is known to Meta only.
    let mut body = campaign(&account, &person.pages[0], &person.forms[0]);
    body["instagramAccountId"] = json!("17950");
    let failed = done(&tenant, &create(&tenant, &body).await).await;
    assert_eq!((failed.text("status"), failed.text("errors.0.field")), ("failed", "instagramAccountId"), "{failed}");
    assert!(at_meta(&account).await.is_empty());
}

#[tokio::test]
async fn a_lead_form_is_made_once_and_takes_leads() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("campaigns-form").connect().await;
    let path = "/api/upstream/call/facebook-provider/create-lead-form";
    let mut form = json!({
        "pageId": person.pages[0], "name": "Trial lesson", "questions": [{ "type": "FULL_NAME" }, { "type": "EMAIL" }],
        "privacyPolicy": { "url": "https://x.example/privacy" }, "followUpUrl": "https://x.example/thanks", "requestId": "f1",
    });
    let lost = json!({ "path": format!("/{}/leadgen_forms", person.pages[0]), "method": "POST", "kind": "error", "when": "after", "code": 2, "status": 500, "times": 1 });
    world().call_sim(Method::POST, "faults", &lost).await;
    let (status, answer) = tenant.call(Method::POST, path, &form).await;
    assert_eq!(status, 201, "{answer}");
    let (_, again) = tenant.call(Method::POST, path, &form).await;
    assert_eq!(again, answer);
    let forms = tenant.items("/api/meta/forms").await;
    assert_eq!(forms.iter().filter(|form| form["name"] == "Trial lesson").count(), 1, "{forms:?}");
    let leads = e2e::fixtures::LeadFixture::new(answer.text("formId")).submit(1).await;
    tenant.wait_for_leads(&leads).await;
    form["followUpUrl"] = json!("not an address");
    form["requestId"] = json!("f2");
    let (status, answer) = tenant.call(Method::POST, path, &form).await;
    assert_eq!((status, answer.text("field")), (400, "followUpUrl"), "{answer}");
}

#[tokio::test]
async fn an_archived_form_takes_no_leads_and_no_campaign() {
    let ConnectedOrg { tenant, person, integration, .. } =
        OrgFixture::new("campaigns-archive").pages(2).connect().await;
    let path = "/api/upstream/call/facebook-provider/archive-lead-form";
    let choice = json!({ "pageId": person.pages[0], "leadFormId": person.forms[0] });
    let lost = json!({ "path": format!("/{}", person.forms[0]), "method": "POST", "kind": "error", "when": "after", "code": 2, "status": 500, "times": 1 });
    world().call_sim(Method::POST, "faults", &lost).await;
    assert!(tenant.call(Method::POST, path, &choice).await.0 >= 500, "the answer is lost");
    for _ in 0..2 {
        let archived = tenant.call_ok(Method::POST, path, &choice).await;
        assert_eq!((archived.text("formId"), archived.text("status")), (person.forms[0].as_str(), "ARCHIVED"));
    }
    let account = ad_account(&tenant, &integration, "USD").await;
    let (status, answer) =
        tenant.call(Method::POST, CREATE, &campaign(&account, &person.pages[0], &person.forms[0])).await;
    assert_eq!((status, answer.text("field")), (400, "leadFormId"), "{answer}");
    // A form of another page is not this page's to archive.
    let elsewhere = json!({ "pageId": person.pages[0], "leadFormId": person.forms[1] });
    let (status, answer) = tenant.call(Method::POST, path, &elsewhere).await;
    assert!((400..500).contains(&status), "{answer}");
    let forms = tenant.items("/api/meta/forms").await;
    assert_eq!(forms.iter().find(|form| form["form_id"] == person.forms[1]).unwrap()["status"], "ACTIVE");
}

#[tokio::test]
async fn the_leads_of_a_campaign_are_those_of_its_ad() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("campaigns-leads").connect().await;
    let account = ad_account(&tenant, &integration, "USD").await;
    let id = create(&tenant, &campaign(&account, &person.pages[0], &person.forms[0])).await;
    let made = done(&tenant, &id).await;
    let ours = made.text("meta.campaign_id");
    // Other ads show the same form, and take turns with this one.
    let leads = e2e::fixtures::LeadFixture::new(&person.forms[0]).submit(12).await;
    tenant.wait_for_leads(&leads).await;
    let all = tenant.items("/api/leads?limit=100").await;
    let expected: Vec<&str> =
        all.iter().filter(|lead| lead["campaign_id"] == ours).map(|lead| lead.text("id")).collect();
    assert!(!expected.is_empty() && expected.len() < all.len(), "{} of {}", expected.len(), all.len());
    for also in ["", &format!("&form_id={}", person.forms[0])] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for _ in 0..=expected.len() {
            let page = tenant.get(&format!("/api/leads?limit=1&campaign_id={ours}{also}{cursor}")).await;
            found.extend(page.list("items").iter().map(|lead| lead.text("id").to_owned()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, expected, "{also}");
    }
}
