//! WhatsApp: accounts, templates, what people write, and files.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::ALL_SCOPES;
use crate::desk::Desk;

/// Writes to the number and returns the value of the webhook.
async fn write(desk: &Desk, mut body: Value, count: usize) -> Value {
    body["channel"] = json!("whatsapp");
    body["phone_number_id"] = json!(desk.number_id);
    desk.meta.sim("messages", body).await;
    desk.changes("messages", count).await.remove(count - 1)
}

#[tokio::test]
async fn accounts_are_read_through_their_business() {
    let desk = Desk::start().await;
    let get = async |path: &str| desk.meta.get(path, &desk.user).await;
    let owned = get(&format!("/{}/owned_whatsapp_business_accounts", seed::PORTFOLIO)).await;
    assert_eq!(
        (owned.column("id"), owned.column("name")),
        (vec![desk.waba_id.clone()], vec!["Northwind Outdoor".into()])
    );
    let shared = get(&format!("/{}/client_whatsapp_business_accounts?fields=id,name", seed::PORTFOLIO)).await;
    assert_eq!(shared.column("name"), ["Café Élan"]);
    let number = get(&format!("/{}?fields=display_phone_number,verified_name", desk.number_id)).await.json;
    assert!(number["display_phone_number"].as_str().unwrap().starts_with("+31"));
    let apps = get(&format!("/{}/subscribed_apps", desk.waba_id)).await.json;
    assert_eq!(apps["data"][0]["whatsapp_business_api_data"]["id"], seed::APP_ID);
    // Not for other people, nor without the permission.
    let jonas = desk.meta.login(seed::JONAS, "whatsapp_business_management", "").await;
    let path = format!("/{}/phone_numbers", desk.waba_id);
    assert_eq!(desk.meta.get(&path, &jonas).await.error(), (400, 100, Some(33)));
    desk.meta
        .sim(
            "tokens",
            json!({"action": "scope_revoked", "user_id": seed::MARA,
                                   "scopes": ["whatsapp_business_management"]}),
        )
        .await;
    assert_eq!(get(&path).await.error(), (403, 200, None));
    // A system user.
    let answer = desk.meta.sim("system_users", json!({"scopes": ["whatsapp_business_management"]})).await;
    let path = format!("/{}/assigned_whatsapp_business_accounts", answer["id"].as_str().unwrap());
    assert_eq!(desk.meta.get(&path, answer["token"].as_str().unwrap()).await.column("id").len(), 1);
}

#[tokio::test]
async fn templates_have_statuses() {
    let desk = Desk::start().await;
    let list = async |query: &str| {
        let path = format!("/{}/message_templates?{query}", desk.waba_id);
        desk.meta.get(&path, &desk.user).await
    };
    let all = list("").await;
    assert_eq!(all.column("name").len(), 6);
    assert_eq!(all.json["data"][0]["components"][0]["text"], "Hello {{1}}, thank you for your request about {{2}}.");
    assert_eq!(list("status=PENDING&fields=name,status").await.column("name"), ["spring_offer"]);
    assert_eq!(list("name=lead_follow_up&language=de").await.column("language"), ["de"]);
    desk.meta.sim("messaging", json!({"template": {"name": "spring_offer", "status": "APPROVED"}})).await;
    assert_eq!(desk.changes("message_template_status_update", 1).await[0]["event"], "APPROVED");
    assert_eq!(list("status=PENDING").await.column("name").len(), 0);
}

#[tokio::test]
async fn each_type_of_message_has_its_member() {
    let desk = Desk::start().await;
    let value = write(&desk, json!({"text": "hoi", "person": {"name": "Bo", "phone": "+31600000001"}}), 1).await;
    assert_eq!(value["metadata"]["phone_number_id"], desk.number_id.as_str());
    let (contact, message) = (&value["contacts"][0], &value["messages"][0]);
    assert_eq!((&contact["wa_id"], &contact["profile"]["name"]), (&json!("31600000001"), &json!("Bo")));
    assert_eq!((&message["from"], &message["text"]["body"]), (&json!("31600000001"), &json!("hoi")));
    assert_eq!((&message["type"], message["timestamp"].is_string()), (&json!("text"), true));
    assert!(contact["user_id"].as_str().unwrap().starts_with("NL."));
    let mid = message["id"].clone();
    for (at, (kind, member)) in [
        ("image", "image"),
        ("voice", "audio"),
        ("file", "document"),
        ("sticker", "sticker"),
        ("location", "location"),
        ("contacts", "contacts"),
        ("interactive", "interactive"),
        ("button", "button"),
    ]
    .into_iter()
    .enumerate()
    {
        let value = write(&desk, json!({"kind": kind, "person": "Bo", "text": "Yes", "reply_to": mid}), at + 2).await;
        let message = &value["messages"][0];
        assert_eq!((&message["type"], message[member].is_null()), (&json!(member), false), "{message}");
        assert_eq!(message["context"]["id"], mid);
    }
    let value = write(&desk, json!({"kind": "unsupported", "person": "Bo"}), 10).await;
    assert_eq!(value["messages"][0]["errors"][0]["code"], 131_051);
    desk.meta.sim("reactions", json!({"message_id": mid, "type": "👍"})).await;
    let value = desk.changes("messages", 11).await.remove(10);
    assert_eq!(value["messages"][0]["reaction"], json!({"message_id": mid, "emoji": "👍"}));
    desk.meta.sim("reactions", json!({"message_id": mid, "type": "👍", "verb": "remove"})).await;
    assert_eq!(desk.changes("messages", 12).await[11]["messages"][0]["reaction"], json!({"message_id": mid}));
    let entry = desk.receiver.posts()[0].json["entry"][0].clone();
    assert_eq!((&entry["id"], &entry["time"]), (&json!(desk.waba_id), &Value::Null));
    // The same message again, twenty times at once.
    for _ in 0..3 {
        desk.meta.sim("messages", json!({"mid": mid, "deliver": "duplicate"})).await;
    }
    let again = desk.changes("messages", 18).await;
    assert!(again[12..18].iter().all(|value| value["messages"][0]["id"] == mid));
    assert_eq!(desk.messages().await.len(), 10);
}

#[tokio::test]
async fn a_person_edits_and_takes_back() {
    let desk = Desk::start().await;
    let mid =
        write(&desk, json!({"kind": "image", "text": "Loko", "person": "Bo"}), 1).await["messages"][0]["id"].clone();
    let edit = write(&desk, json!({"kind": "edit", "mid": mid, "text": "Look", "person": "Bo"}), 2).await;
    let edit = &edit["messages"][0];
    assert_eq!((&edit["type"], &edit["edit"]["original_message_id"]), (&json!("edit"), &mid));
    let image = &edit["edit"]["message"]["image"];
    assert_eq!((&image["caption"], image["id"].is_string()), (&json!("Look"), true));
    let revoke = write(&desk, json!({"kind": "delete", "mid": mid, "person": "Bo"}), 3).await;
    assert_eq!(revoke["messages"][0]["revoke"], json!({"original_message_id": mid}));
    let message = desk.messages().await.remove(0);
    assert_eq!(
        (&message["text"], &message["edited"], &message["deleted"]),
        (&json!("Look"), &json!(true), &json!(true))
    );
}

#[tokio::test]
async fn a_person_with_a_username_has_no_number() {
    let desk = Desk::start().await;
    let person = json!({"name": "Sam", "user_id": "GB.1000000000000001", "whatsapp_username": "sam.w",
                        "phone": "447700900123", "hides_phone": true});
    let value = write(&desk, json!({"text": "Hi", "person": person}), 1).await;
    let (contact, message) = (&value["contacts"][0], &value["messages"][0]);
    assert_eq!(contact, &json!({"user_id": "GB.1000000000000001", "profile": {"name": "Sam", "username": "sam.w"}}));
    assert_eq!((&message["from_user_id"], &message["from"]), (&json!("GB.1000000000000001"), &Value::Null));
    // Sent by the id alone, and the statuses name it.
    let body = json!({"recipient": "GB.1000000000000001", "type": "text", "text": {"body": "Hello Sam"}});
    let sent = desk.send_whatsapp(body).await;
    assert_eq!(sent.json["contacts"][0], json!({"input": "GB.1000000000000001", "user_id": "GB.1000000000000001"}));
    let status = desk.statuses(1).await.remove(0);
    assert_eq!((&status["recipient_user_id"], &status["recipient_id"]), (&json!("GB.1000000000000001"), &Value::Null));
    let body = json!({"recipient": "GB.2", "type": "text", "text": {"body": "Nobody"}});
    assert_eq!(desk.send_whatsapp(body).await.error(), (400, 131_009, None));
    // Later the number shows.
    let person = json!({"user_id": "GB.1000000000000001", "hides_phone": false});
    let value = write(&desk, json!({"text": "Hi", "person": person}), 4).await;
    assert_eq!(
        (&value["contacts"][0]["wa_id"], &value["messages"][0]["from"]),
        (&json!("447700900123"), &json!("447700900123"))
    );
    assert_eq!(desk.meta.truth("threads").await.len(), 1);
}

#[tokio::test]
async fn a_new_number_is_announced_with_another_id() {
    let desk = Desk::start().await;
    let value = write(&desk, json!({"person": {"name": "Bo", "phone": "31600000001"}}), 1).await;
    let before = value["contacts"][0]["user_id"].clone();
    desk.meta.sim("people", json!({"id": "Bo", "channels": {"whatsapp": {"phone": "31600000002"}}})).await;
    let message = desk.changes("messages", 2).await[1]["messages"][0].clone();
    assert_eq!((&message["type"], &message["from"]), (&json!("system"), &json!("31600000001")));
    let system = &message["system"];
    assert_eq!((&system["type"], &system["wa_id"]), (&json!("user_changed_number"), &json!("31600000002")));
    assert_eq!(system["previous_user_id"], before);
    let value = write(&desk, json!({"person": "Bo"}), 3).await;
    assert_eq!(
        (&value["messages"][0]["from"], &value["contacts"][0]["user_id"]),
        (&json!("31600000002"), &system["user_id"])
    );
    assert_ne!(system["user_id"], before);
}

#[tokio::test]
async fn files_have_an_id_and_short_lived_addresses() {
    let desk = Desk::start().await;
    let value = write(&desk, json!({"kind": "image", "person": "Bo", "text": "Look"}), 1).await;
    let image = value["messages"][0]["image"].clone();
    assert_eq!(
        (&image["caption"], &image["mime_type"], &image["url"]),
        (&json!("Look"), &json!("image/jpeg"), &Value::Null)
    );
    let id = image["id"].as_str().unwrap();
    let media = desk.meta.get(&format!("/{id}?phone_number_id={}", desk.number_id), &desk.user).await.json;
    let url = media["url"].as_str().unwrap().to_owned();
    let fetch = async |url: &str, token: &str| desk.meta.http().get(url).bearer_auth(token).send().await.unwrap();
    assert_eq!(desk.meta.http().get(&url).send().await.unwrap().status(), 401);
    assert_eq!(fetch(&url, "EAAwrong").await.status(), 401);
    let response = fetch(&url, &desk.user).await;
    assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()), (200, "image/jpeg"));
    assert_eq!(json!(response.bytes().await.unwrap().len()), media["file_size"]);
    // It fails at times, and ends.
    desk.meta.sim("faults", json!({"path": "/whatsapp_business/attachments", "kind": "error", "times": 1})).await;
    assert_eq!(fetch(&url, &desk.user).await.status(), 503);
    desk.meta.sim("faults", json!({"path": "/{whatsapp_media}", "kind": "error", "status": 503, "times": 1})).await;
    assert_eq!(desk.meta.get(&format!("/{id}"), &desk.user).await.status, 503);
    desk.meta.advance(301).await;
    assert_eq!(fetch(&url, &desk.user).await.status(), 404);
    let again = desk.meta.get(&format!("/{id}"), &desk.user).await.json["url"].as_str().unwrap().to_owned();
    assert_eq!(fetch(&again, &desk.user).await.status(), 200);
    desk.meta.advance(7 * 24 * 3600).await;
    let user = desk.meta.agent().await;
    assert_eq!(desk.meta.get(&format!("/{id}"), &user).await.error(), (400, 100, Some(33)));
    // A file can lie about its type.
    desk.meta.sim("messaging", json!({"media_urls": true})).await;
    let value = write(&desk, json!({"attachments": [{"type": "image", "lie": "svg"}], "person": "Bo"}), 2).await;
    let url = value["messages"][0]["image"]["url"].as_str().unwrap();
    assert!(fetch(url, &user).await.text().await.unwrap().starts_with("<svg"));
}

#[tokio::test]
async fn the_business_app_echoes_and_other_apps_see_nothing() {
    let desk = Desk::start().await;
    let body = json!({"kind": "echo", "person": "Bo", "text": "From the phone"});
    let mut body_with_channel = body.clone();
    body_with_channel["phone_number_id"] = json!(desk.number_id);
    desk.meta.sim("messages", body_with_channel).await;
    let value = desk.changes("smb_message_echoes", 1).await.remove(0);
    let echo = &value["message_echoes"][0];
    assert_eq!((&echo["type"], &echo["text"]["body"]), (&json!("text"), &json!("From the phone")));
    let mid = echo["id"].clone();
    desk.meta.sim("messages", json!({"kind": "delete", "mid": mid})).await;
    let echo = desk.changes("smb_message_echoes", 2).await[1]["message_echoes"][0].clone();
    assert_eq!((&echo["type"], &echo["revoke"]["original_message_id"]), (&json!("revoke"), &mid));
    assert!(echo["to"].is_string() && echo["from"].as_str().unwrap().starts_with("31"));
    let messages = desk.messages().await;
    assert_eq!((&messages[0]["direction"], &messages[0]["by_app"]), (&json!("out"), &Value::Null));
    assert_eq!(desk.meta.delete(&format!("/{}/subscribed_apps", desk.waba_id), &desk.user).await.json["success"], true);
    desk.writes_on_whatsapp("Bo").await;
    desk.meta.post(&format!("/{}/subscribed_apps", desk.waba_id), &desk.user, &[]).await;
    desk.writes_on_whatsapp("Bo").await;
    assert_eq!(desk.changes("messages", 1).await.len(), 1);
    let jonas = desk.meta.login(seed::JONAS, ALL_SCOPES, "").await;
    let answer = desk.meta.post(&format!("/{}/subscribed_apps", desk.waba_id), &jonas, &[]).await;
    assert_eq!(answer.error(), (400, 100, Some(33)));
}
