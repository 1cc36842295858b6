//! What the app sends on WhatsApp, and how far it gets.

use serde_json::{Value, json};

use crate::client::Answer;
use crate::desk::Desk;

const DAY: i64 = 24 * 3600;

async fn send_text(desk: &Desk, to: &str, text: &str) -> Answer {
    desk.send_whatsapp(json!({"to": to, "type": "text", "text": {"body": text}})).await
}

async fn send_template(desk: &Desk, to: &str, name: &str, language: &str, values: &[&str]) -> Answer {
    let parameters: Vec<Value> = values.iter().map(|text| json!({"type": "text", "text": text})).collect();
    let template = json!({"name": name, "language": {"code": language},
                          "components": [{"type": "body", "parameters": parameters}]});
    desk.send_whatsapp(json!({"to": to, "type": "template", "template": template})).await
}

fn details(answer: &Answer) -> &str {
    answer.json["error"]["error_data"]["details"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_message_is_accepted_and_its_statuses_follow() {
    let desk = Desk::start().await;
    let (bo, _) = desk.writes_on_whatsapp("Bo").await;
    let body = json!({"to": bo, "type": "text", "text": {"body": "Hello"}, "biz_opaque_callback_data": "row-7"});
    let answer = desk.send_whatsapp(body).await;
    let mid = answer.json["messages"][0]["id"].clone();
    assert_eq!(answer.json["messages"][0]["message_status"], "accepted", "{}", answer.text);
    assert_eq!(answer.json["contacts"][0], json!({"input": bo, "wa_id": bo.trim_start_matches('+')}));
    let statuses = desk.statuses(2).await;
    let names: Vec<_> = statuses.iter().map(|status| status["status"].as_str().unwrap()).collect();
    assert_eq!(names, ["sent", "delivered"]);
    assert_eq!((&statuses[0]["id"], &statuses[0]["biz_opaque_callback_data"]), (&mid, &json!("row-7")));
    assert!(statuses[0]["timestamp"].is_string() && statuses[0]["recipient_id"].is_string());
    // Without an id, it is about the newest message.
    desk.meta.sim("messages", json!({"kind": "read", "phone_number_id": desk.number_id, "person": "Bo"})).await;
    assert_eq!(desk.statuses(3).await[2]["status"], "read");
    // A late status is announced, but does not undo what happened.
    desk.meta.sim("messages", json!({"kind": "sent", "mid": mid})).await;
    desk.statuses(4).await;
    assert_eq!(desk.messages().await[1]["status"], "read");
    // In another order, and skipped.
    desk.meta.sim("messaging", json!({"statuses": ["read", "sent"]})).await;
    send_text(&desk, &bo, "Again").await;
    let names: Vec<_> = desk.statuses(6).await.iter().map(|status| status["status"].clone()).collect();
    assert_eq!(names[4..], ["read", "sent"]);
}

#[tokio::test]
async fn after_a_day_only_templates_arrive() {
    let desk = Desk::start().await;
    let (bo, _) = desk.writes_on_whatsapp("Bo").await;
    desk.meta.advance(DAY + 60).await;
    let answer = send_text(&desk, &bo, "Late").await;
    assert_eq!((answer.status, &answer.json["messages"][0]["message_status"]), (200, &json!("accepted")));
    let status = desk.statuses(1).await.remove(0);
    assert_eq!((&status["status"], &status["errors"][0]["code"]), (&json!("failed"), &json!(131_047)));
    assert_eq!(status["errors"][0]["title"], "Re-engagement message");
    assert_eq!(
        (&desk.messages().await[1]["status"], &desk.messages().await[1]["error"]),
        (&json!("failed"), &json!(131_047))
    );
    desk.meta.sim("messaging", json!({"closed_window": "refusal"})).await;
    let refused = send_text(&desk, &bo, "Late").await;
    assert_eq!(refused.error(), (400, 131_047, None));
    assert!(details(&refused).contains("24 hours"), "{}", refused.text);
    assert_eq!(send_template(&desk, &bo, "lead_follow_up", "de", &["Bo", "Zähne"]).await.status, 200);
    assert_eq!(desk.messages().await[2]["text"], "Hallo Bo, danke für deine Anfrage zu Zähne.");
    // A template to someone who never wrote.
    let ada =
        desk.meta.sim("people", json!({"name": "Ada", "channels": {"whatsapp": {"phone": "+31611111111"}}})).await;
    assert_eq!(send_template(&desk, "+31611111111", "hello_world", "en_US", &[]).await.status, 200);
    assert_eq!(desk.statuses(5).await[4]["status"], "delivered");
    assert_eq!(ada["phone"], "31611111111");
}

#[tokio::test]
async fn an_invalid_token_and_one_without_permission_are_refused() {
    let desk = Desk::start().await;
    let (bo, _) = desk.writes_on_whatsapp("Bo").await;
    let body = json!({"messaging_product": "whatsapp", "to": bo, "type": "text", "text": {"body": "Hi"}});
    let path = format!("/{}/messages", desk.number_id);
    assert_eq!(desk.meta.post_json(&path, "EAAwrong", &body).await.error(), (401, 190, None));
    // The page's token is not one of the business.
    assert_eq!(desk.meta.post_json(&path, &desk.token, &body).await.error(), (400, 100, Some(33)));
    let scopes = json!({"action": "scope_revoked", "user_id": graph_sim::seed::MARA,
                        "scopes": ["whatsapp_business_messaging"]});
    desk.meta.sim("tokens", scopes).await;
    assert_eq!(desk.meta.post_json(&path, &desk.user, &body).await.error(), (403, 200, None));
    assert_eq!(desk.messages().await.len(), 1);
}

#[tokio::test]
async fn templates_have_rules() {
    let desk = Desk::start().await;
    let (bo, _) = desk.writes_on_whatsapp("Bo").await;
    for (name, language, values, status, code) in [
        ("lead_follow_up", "fr", vec!["a", "b"], 404, 132_001),
        ("spring_offer", "en_US", vec!["a"], 404, 132_001),
        ("old_offer", "en_US", vec!["a"], 400, 132_015),
        ("lead_follow_up", "de", vec!["a"], 400, 132_000),
    ] {
        let answer = send_template(&desk, &bo, name, language, &values).await;
        assert_eq!(answer.error(), (status, code, None), "{name}");
        assert!(!details(&answer).is_empty());
    }
    desk.meta.sim("messaging", json!({"template": {"name": "old_offer", "status": "DISABLED"}})).await;
    assert_eq!(send_template(&desk, &bo, "old_offer", "en_US", &["a"]).await.error(), (400, 132_016, None));
}

#[tokio::test]
async fn recipients_can_be_wrong_or_out_of_reach() {
    let desk = Desk::start().await;
    let (bo, _) = desk.writes_on_whatsapp("Bo").await;
    let failed = async |count: usize| desk.statuses(count).await[count - 1]["errors"][0]["code"].clone();
    // Nobody has this number.
    assert_eq!(send_text(&desk, "+31699999999", "Hi").await.status, 200);
    assert_eq!(failed(1).await, 131_026);
    desk.meta.sim("people", json!({"id": "Bo", "blocked": true})).await;
    send_text(&desk, &bo, "Hi").await;
    assert_eq!(failed(2).await, 131_026);
    desk.meta.sim("people", json!({"id": "Bo", "blocked": false})).await;
    desk.meta.sim("messaging", json!({"failing": {"code": 131_049}})).await;
    send_text(&desk, &bo, "Hi").await;
    assert_eq!(failed(3).await, 131_049);
    // Without `+`, the country code of the business comes first.
    let american = format!("+{}", bo.trim_start_matches('+'));
    let answer = send_text(&desk, bo.trim_start_matches('+'), "Hi").await;
    assert_eq!(answer.json["contacts"][0]["wa_id"], format!("31{}", american.trim_start_matches('+')).as_str());
    assert_eq!(failed(4).await, 131_026);
    desk.meta.sim("messaging", json!({"prefixes_numbers": false})).await;
    send_text(&desk, bo.trim_start_matches('+'), "Hi").await;
    assert_eq!(desk.statuses(6).await[5]["status"], "delivered");
    let own = desk.meta.get(&format!("/{}?fields=display_phone_number", desk.number_id), &desk.user).await.json;
    let answer = send_text(&desk, own["display_phone_number"].as_str().unwrap(), "Hi").await;
    assert_eq!(answer.error(), (400, 131_021, None));
    for (body, code) in [
        (json!({"type": "text", "text": {"body": "Hi"}}), 131_008),
        (json!({"to": bo, "type": "text"}), 131_008),
        (json!({"to": bo, "type": "text", "text": {"body": "x".repeat(4097)}}), 131_009),
        (json!({"to": bo, "type": "poem", "poem": {}}), 131_009),
        (json!({"to": "GB.1", "type": "text", "text": {"body": "Hi"}}), 131_009),
        (json!({"to": bo, "type": "image", "image": {"id": "1"}}), 131_009),
        (
            json!({"to": bo, "type": "interactive", "interactive": {"type": "button", "action": {"buttons": []}}}),
            131_009,
        ),
    ] {
        assert_eq!(desk.send_whatsapp(body.clone()).await.error(), (400, code, None), "{body}");
    }
    // Too many to one person: three came before.
    for _ in 3..45 {
        assert_eq!(send_text(&desk, &bo, "Hi").await.status, 200);
    }
    assert_eq!(send_text(&desk, &bo, "Hi").await.error(), (400, 131_056, None));
    desk.meta.advance(300).await;
    assert_eq!(send_text(&desk, &bo, "Hi").await.status, 200);
}

#[tokio::test]
async fn media_are_sent_by_id_or_link() {
    let desk = Desk::start().await;
    let (bo, mid) = desk.writes_on_whatsapp("Bo").await;
    let form = [("messaging_product", "whatsapp"), ("type", "application/pdf")];
    let files: [(&str, &str, &[u8]); 1] = [("file", "application/pdf", b"%PDF-1.4 offer")];
    let path = format!("/{}/media", desk.number_id);
    let id = desk.meta.post_files(&path, &desk.user, &form, &files).await.id();
    let body =
        json!({"to": bo, "type": "document", "document": {"id": id, "filename": "offer.pdf", "caption": "Here"}});
    assert_eq!(desk.send_whatsapp(body).await.status, 200);
    let url = desk.meta.get(&format!("/{id}"), &desk.user).await.json["url"].as_str().unwrap().to_owned();
    let bytes = desk.meta.http().get(url).bearer_auth(&desk.user).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(&bytes[..], b"%PDF-1.4 offer");
    let form = [("messaging_product", "whatsapp"), ("type", "text/html")];
    assert_eq!(desk.meta.post_files(&path, &desk.user, &form, &files).await.error(), (400, 100, None));
    let body = json!({"to": bo, "type": "image", "image": {"link": "https://cdn.example/a.jpg"}});
    assert_eq!(desk.send_whatsapp(body).await.status, 200);
    desk.meta.sim("web", json!({"url": "https://cdn.example/gone", "status": 404})).await;
    let body = json!({"to": bo, "type": "image", "image": {"link": "https://cdn.example/gone"}});
    assert_eq!(desk.send_whatsapp(body).await.status, 200);
    assert_eq!(desk.statuses(5).await[4]["errors"][0]["code"], 131_053);
    let messages = desk.messages().await;
    assert_eq!((&messages[1]["attachments"][0]["name"], &messages[1]["text"]), (&json!("offer.pdf"), &json!("Here")));
    // Reactions and read marks.
    let body = json!({"to": bo, "type": "reaction", "reaction": {"message_id": mid, "emoji": "👍"}});
    assert_eq!(desk.send_whatsapp(body).await.status, 200);
    let body = json!({"status": "read", "message_id": mid});
    assert_eq!(desk.send_whatsapp(body).await.json, json!({"success": true}));
    let messages = desk.messages().await;
    assert_eq!((&messages[0]["reactions"][0]["by"], &messages[0]["status"]), (&json!("account"), &json!("read")));
    assert_eq!(desk.send_whatsapp(json!({"status": "read", "message_id": "wamid.X"})).await.error(), (400, 100, None));
}
