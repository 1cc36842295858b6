//! Ids of one org in the hands of another: in every path, parameter and body of the API that takes one, and in every
//! address of the console. The operations of the API are those of the description, which also says what kind of id belongs
//! where.

use std::collections::BTreeMap;

use e2e::console::{Guest, routes};
use e2e::fixtures::{ConnectedOrg, OrgFixture, create_demo_org};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

/// Ids that every CRM chooses itself: another org's are no secret and lead nowhere.
const OF_THE_CRM: [&str; 2] = ["UserId", "ClientId"];

/// Ids of what an org has, by the names of their types.
async fn ids(owner: &Tenant, form: &str, page: &str) -> BTreeMap<&'static str, String> {
    let first = async |path: &str| {
        wait_for(path, async || owner.items(path).await.first().map(|item| item.text("id").to_owned())).await
    };
    let integration = first("/api/meta/integrations").await;
    let endpoint = first("/api/webhooks").await;
    let made = async |path: &str, body: Value| {
        let (status, answer) = owner.call(Method::POST, path, &body).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer.text("id").to_owned()
    };
    let link = owner.items("/api/meta-ads/accounts").await[0].clone();
    BTreeMap::from([
        ("AdAccountId", link.text("ad_account_id").to_owned()),
        ("AdObjectId", first("/api/meta-ads/campaigns").await),
        ("CampaignId", first("/api/campaigns").await),
        ("ContactId", first("/api/contacts").await),
        ("ConversationId", first("/api/conversations").await),
        ("DeliveryId", first(&format!("/api/webhooks/{endpoint}/deliveries")).await),
        ("ExportId", made("/api/leads/exports", json!({})).await),
        ("FormId", form.to_owned()),
        ("ImportId", import_of(owner).await),
        ("LeadId", first("/api/leads").await),
        ("MediaId", made("/api/media", json!({ "content_type": "image/png", "size": 100 })).await),
        ("PageId", page.to_owned()),
        ("PostId", first("/api/posts").await),
        ("RunId", first(&format!("/api/meta/integrations/{integration}/runs")).await),
        ("SavedReplyId", made("/api/saved-replies", json!({ "title": "Hello", "text": "Hi" })).await),
        ("IntegrationId", integration),
        ("EndpointId", endpoint),
    ])
}

/// Imports a file and returns the import's id.
async fn import_of(owner: &Tenant) -> String {
    let (status, report) = owner.upload("/api/leads/import", b"full_name,email\nIda,ida@example.com\n").await;
    assert_eq!(status, 200, "{report}");
    report.text("import_id").to_owned()
}

/// Bodies that an operation accepts. The others take none.
fn body(operation: &str) -> Value {
    match operation {
        "answer" => json!({ "text": "Hello" }),
        "backfillIntegration" => json!({ "days": 1 }),
        "changeAdAccount" => json!({ "paused": true }),
        "changeContact" => json!({ "name": "Taken" }),
        "changeConversation" => json!({ "status": "closed" }),
        "changeConversions" => json!({ "dataset_id": null }),
        "changeEndpoint" => json!({ "active": false }),
        "changeIntegration" => json!({ "name": "Taken" }),
        "changeLead" => json!({ "status": "lost" }),
        "changeMapping" | "previewMapping" => json!({ "rules": [] }),
        "changeSavedReply" => json!({ "title": "Taken", "text": "Taken" }),
        "chooseIntegrationPages" => json!({ "page_ids": [] }),
        "movePost" => json!({ "scheduled_at": null }),
        "reconnectIntegration" => json!({ "return_url": format!("{}/back", world().endpoints.url) }),
        "replaceToken" => json!({ "token": "EAA" }),
        "rerunMapping" => json!({}),
        "sendTestEvent" => json!({ "test_event_code": "TEST1" }),
        _ => Value::Null,
    }
}

fn type_of(parameter: &Value) -> &str {
    let schema = &parameter["schema"];
    let reference = schema["$ref"].as_str().or_else(|| schema["anyOf"][0]["$ref"].as_str());
    reference.and_then(|reference| reference.rsplit('/').next()).unwrap_or_default()
}

#[tokio::test]
async fn no_id_of_another_org_leads_anywhere() {
    let person = world().create_person(2).await;
    create_demo_org("ids-owner", &person, ["8801", "8802"]).await;
    let owner = Tenant::as_superadmin("ids-owner");
    let ConnectedOrg { tenant: stranger, .. } = OrgFixture::new("ids-stranger").connect().await;
    let ids = ids(&owner, &person.forms[0], &person.pages[0]).await;
    let description = owner.get("/openapi.json").await;
    let (mut wrong, mut tried, mut reads) = (Vec::new(), 0, Vec::new());
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation.text("operationId");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let is_read = method == "get";
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            // In the path: it is not there, and what is not there can be deleted.
            let in_path: Vec<&Value> = parameters.iter().filter(|parameter| parameter["in"] == "path").collect();
            let is_of_orgs =
                |parameter: &&&Value| !OF_THE_CRM.contains(&type_of(parameter)) && type_of(parameter) != "OrgId";
            if in_path.iter().any(|parameter| is_of_orgs(&parameter)) {
                let mut path = path.clone();
                for parameter in &in_path {
                    let kind = type_of(parameter);
                    let id = ids.get(kind).unwrap_or_else(|| panic!("{name}: give the owner a {kind}"));
                    path = path.replace(&format!("{{{}}}", parameter.text("name")), id);
                }
                let (status, answer) = stranger.call(method.clone(), &path, &body(name)).await;
                let is_nothing = method == Method::DELETE && status == 204;
                if !is_nothing && (status, answer["code"].as_str()) != (404, Some("not_found")) {
                    wrong.push(format!("{name}: {status} {answer}"));
                }
                // A file is there once it is uploaded; Meta is asked for the others.
                if is_read && !["readMedia", "listDatasets", "listTemplates"].contains(&name) {
                    reads.push(path);
                }
                tried += 1;
            }
            // In a parameter: nothing is found.
            for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
                let Some(id) = ids.get(type_of(parameter)) else { continue };
                let (status, answer) = stranger
                    .call(method.clone(), &format!("{path}?{}={id}", parameter.text("name")), &Value::Null)
                    .await;
                let is_empty = status == 200 && answer["items"].as_array().is_some_and(Vec::is_empty);
                if !is_empty && (status, answer["code"].as_str()) != (404, Some("not_found")) {
                    wrong.push(format!("{name}?{}: {status} {answer}", parameter.text("name")));
                }
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for path in reads {
        let (status, answer) = owner.call(Method::GET, &path, &Value::Null).await;
        assert_eq!(status, 200, "{path} of the owner itself: {answer}");
    }
    for (list, kind) in [("/api/saved-replies", "SavedReplyId"), ("/api/webhooks", "EndpointId")] {
        assert_eq!(owner.items(list).await[0].text("id"), ids[kind]);
    }
    assert!(tried > 60, "{tried}");
}

#[tokio::test]
async fn no_id_of_another_org_is_taken_in_a_body() {
    let ConnectedOrg { tenant: owner, person, integration, .. } =
        OrgFixture::new("ids-body-owner").users(&["ann"]).connect().await;
    let ConnectedOrg { tenant: stranger, integration: own, .. } = OrgFixture::new("ids-body-stranger").connect().await;
    let (page, form) = (&person.pages[0], &person.forms[0]);
    let lead = e2e::fixtures::LeadFixture::new(form).submit(1).await.remove(0);
    owner.wait_for_leads(std::slice::from_ref(&lead)).await;
    let call = |name: &str| format!("/api/upstream/call/facebook-provider/{name}");
    let form_in = json!({ "pageId": page, "name": "Taken", "questions": [{ "type": "EMAIL" }],
        "privacyPolicy": { "url": "https://x.example/privacy" }, "followUpUrl": "https://x.example/" });
    let account = json!({ "ad_account_id": "act_1", "label": "Taken", "client": { "id": "x", "name": "X" }, "integration_id": integration });
    let campaign = json!({ "adAccountId": "act_1", "pageId": page, "name": "Taken", "leadFormId": form, "dailyBudget": "20.00",
        "specialAdCategories": [], "targeting": { "countries": ["US"] },
        "creative": { "message": "Come in", "headline": "Meet us", "image": "http://cdn.example/1.jpg" } });
    for (method, path, body, expect) in [
        (Method::POST, call("post-to-page"), json!({ "pageId": page, "message": "Taken" }), "page_unknown"),
        (
            Method::POST,
            "/api/posts".to_owned(),
            json!({ "targets": [{ "page_id": page }], "message": "Taken" }),
            "page_unknown",
        ),
        (Method::POST, call("create-lead-form"), form_in, "page_unknown"),
        (Method::POST, call("archive-lead-form"), json!({ "pageId": page, "leadFormId": form }), "page_unknown"),
        (Method::POST, call("create-campaign"), campaign, "page_unknown"),
        (Method::POST, call("list-pages"), json!({ "integrationId": integration }), "not_found"),
        (Method::POST, call("list-businesses"), json!({ "integrationId": integration }), "not_found"),
        (Method::POST, call("list-ad-accounts"), json!({ "integrationId": integration }), "not_found"),
        (Method::POST, "/api/meta-ads/accounts".to_owned(), account, "not_found"),
        (Method::POST, "/api/meta-ads/sync".to_owned(), json!({ "account_id": "act_1" }), "not_found"),
        (Method::PUT, format!("/api/meta/integrations/{own}/pages"), json!({ "page_ids": [page] }), "page_not_offered"),
    ] {
        let (status, answer) = stranger.call(method, &path, &body).await;
        assert!((400..500).contains(&status) && answer["code"] == expect, "{path}: {status} {answer}");
    }
    let replayed = stranger.call_ok(Method::POST, "/api/parked/replay", &json!({ "leadgen_ids": [lead] })).await;
    assert_eq!(replayed["replayed"], 0, "{replayed}");
    let person = json!({ "lead_id": format!("meta-{lead}") });
    let erased = stranger.call_ok(Method::DELETE, "/api/people", &person).await;
    assert_eq!((&erased["leads"], &erased["submissions"]), (&json!(0), &json!(0)), "{erased}");
    let own_lead = owner.get(&format!("/api/leads/meta-{lead}")).await;
    assert_eq!(own_lead["status"], "new", "{own_lead}");
}

/// The kinds of ids in the addresses of the console.
const IN_CONSOLE: [(&str, &str); 17] = [
    ("/leads/bulk/{id}", "BulkChangeId"),
    ("/leads/imports/{id}", "ImportId"),
    ("/leads/exports/{id}", "ExportId"),
    ("/leads/{id}", "LeadId"),
    ("/integrations/{id}", "IntegrationId"),
    ("/inbox/people/{id}", "ContactId"),
    ("/inbox/saved-replies/{id}", "SavedReplyId"),
    ("/inbox/files/{message}", "MessageId"),
    ("/inbox/{id}", "ConversationId"),
    ("/forms/{id}", "FormId"),
    ("/webhooks/{id}", "EndpointId"),
    ("/deliveries/{delivery}", "DeliveryId"),
    ("/posts/media/{id}", "MediaId"),
    ("/posts/new/media/{id}", "MediaId"),
    ("/posts/{id}", "PostId"),
    ("/ads/accounts/{id}", "AdAccountId"),
    ("/campaigns/{id}", "CampaignId"),
];

/// An id of the same form that leads to nothing.
fn made_up(id: &str) -> String {
    let mut bytes = id.to_owned().into_bytes();
    for byte in bytes.iter_mut().rev().filter(|byte| byte.is_ascii_digit()).take(6) {
        *byte = b'9' - (*byte - b'0');
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_console_knows_no_difference_between_another_org_s_id_and_none() {
    let person = world().create_person(2).await;
    create_demo_org("ids-shown", &person, ["8803", "8804"]).await;
    let owner = Tenant::as_superadmin("ids-shown");
    let mut ids = ids(&owner, &person.forms[0], &person.pages[0]).await;
    let mut messages = Vec::new();
    for conversation in owner.items("/api/conversations").await {
        messages.extend(owner.items(&format!("/api/conversations/{}/messages", conversation.text("id"))).await);
    }
    let with_file = messages.iter().find(|message| message["attachments"][0]["status"] == "ready");
    ids.insert("MessageId", with_file.expect("a message with a file").text("id").to_owned());
    let mut own = Guest::log_in(&owner.create_login("Olga Owner", "admin").await).await;
    own.post("/leads/bulk", &[("act", "status"), ("status", "contacted"), ("lead", &ids["LeadId"])]).await;
    let changed = own.get("/leads").await.text;
    let change = changed.split("/leads/bulk/").nth(1).and_then(|rest| rest.split('/').next());
    ids.insert("BulkChangeId", change.expect("a change that can be undone").to_owned());
    let ConnectedOrg { tenant: stranger, .. } = OrgFixture::new("ids-blind").connect().await;
    let mut guest = Guest::log_in(&stranger.create_login("Eve Stranger", "admin").await).await;
    let proof = guest.csrf_token().await;
    let (mut wrong, mut shown) = (Vec::new(), Vec::new());
    for route in routes().into_iter().filter(|route| route.path.contains('{')) {
        if ["/unsubscribe/{token}", "/language/{tag}", "/assets/{file}"].contains(&route.path.as_str()) {
            continue;
        }
        let with = |id: &dyn Fn(&str) -> String| {
            let path = IN_CONSOLE.iter().fold(route.path.replace("{position}", "0"), |path, (place, kind)| {
                let (before, _) = place.split_once('{').unwrap();
                path.replace(place, &format!("{before}{}", id(&ids[kind])))
            });
            assert!(!path.contains('{'), "say what kind of id is in {path}");
            path
        };
        let mut answers = Vec::new();
        for path in [with(&|id| id.to_owned()), with(&made_up)] {
            let fields = [("form_key", proof.as_str())];
            let fields = if route.method == Method::POST { &fields[..] } else { &[] };
            // What one answer leaves for the next page is no difference.
            let page = guest.copy().request(route.method.clone(), &path, fields, &[]).await;
            let location = page.location.split("X-Amz-").next().unwrap_or_default();
            let blank = |text: &str| {
                ids.values().fold(text.to_owned(), |text, id| text.replace(id, "ID").replace(&made_up(id), "ID"))
            };
            answers.push((page.status, blank(location), blank(&page.text_without_tokens())));
        }
        if answers[0] != answers[1] {
            wrong.push(format!("{} {}: {answers:#?}", route.method, route.path));
        }
        if route.method == Method::GET {
            shown.push(with(&|id| id.to_owned()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for path in shown {
        let page = own.get(&path).await;
        assert_ne!(page.status, 404, "{path} of the owner itself");
    }
}
