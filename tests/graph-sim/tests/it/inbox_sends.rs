//! What the app sends on Messenger and Instagram.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::ALL_SCOPES;
use crate::desk::{Desk, elements, person_id};

const DAY: i64 = 24 * 3600;
const HUMAN: [(&str, &str); 2] = [("messaging_type", "MESSAGE_TAG"), ("tag", "HUMAN_AGENT")];

#[tokio::test]
async fn a_sent_message_comes_back_as_an_echo_with_app_and_metadata() {
    let desk = Desk::start().await;
    for (instagram, person) in [(false, desk.writes("Ada").await), (true, desk.writes_on_instagram("Ada").await)] {
        let recipient = json!({"id": person}).to_string();
        let message = json!({"text": "Hi", "metadata": "row-77"}).to_string();
        let answer = desk.send(&[("recipient", &recipient), ("message", &message)]).await;
        let mid = answer.json["message_id"].clone();
        assert_eq!(answer.json["recipient_id"], person.as_str(), "{}", answer.text);
        let is_echo = |event: &Value| event["message"]["mid"] == mid;
        let posts = desk.receiver.wait(|posts| elements(posts, "messaging").iter().any(is_echo)).await;
        let echo = elements(&posts, "messaging").into_iter().find(is_echo).unwrap();
        let account = if instagram { desk.instagram_id.as_str() } else { seed::DENTAL };
        assert_eq!((&echo["sender"]["id"], &echo["recipient"]["id"]), (&json!(account), &json!(person)));
        let app_id: u64 = seed::APP_ID.parse().unwrap();
        assert_eq!(
            echo["message"],
            json!({"mid": mid, "text": "Hi", "is_echo": true, "app_id": app_id, "metadata": "row-77"})
        );
    }
    assert!(desk.events("delivery", 1).await[0]["delivery"]["mids"][0].as_str().unwrap().starts_with("m_"));
    let messages = desk.messages().await;
    assert_eq!((&messages[1]["direction"], &messages[1]["by_app"]), (&json!("out"), &json!(seed::APP_ID)));
    assert_eq!((&messages[1]["metadata"], &messages[1]["messaging_type"]), (&json!("row-77"), &json!("RESPONSE")));
}

#[tokio::test]
async fn the_window_closes_after_a_day_and_a_human_has_seven() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada").await;
    let on_instagram = desk.writes_on_instagram("Ada").await;
    desk.meta.advance(DAY - 60).await;
    assert_eq!(desk.send_text(&ada, "In time", &[]).await.status, 200);
    // Our own message does not count.
    desk.meta.advance(120).await;
    assert_eq!(desk.send_text(&ada, "Late", &[]).await.error(), (400, 10, Some(2_018_278)));
    let late = desk.send_text(&on_instagram, "Late", &[]).await;
    assert_eq!(late.error(), (400, 10, Some(2_534_022)));
    assert!(late.message().starts_with("(#10) This message is sent outside of allowed window."), "{}", late.text);
    assert_eq!(desk.send_text(&ada, "Late", &HUMAN).await.status, 200);
    assert_eq!(desk.send_text(&on_instagram, "Late", &HUMAN).await.status, 200);
    desk.meta.sim("messaging", json!({"human_agent": false})).await;
    assert_eq!(desk.send_text(&ada, "Late", &HUMAN).await.error(), (400, 10, None));
    desk.meta.sim("messaging", json!({"human_agent": true})).await;
    desk.meta.advance(6 * DAY).await;
    assert_eq!(desk.send_text(&ada, "Too late", &HUMAN).await.error(), (400, 10, Some(2_018_278)));
    // A reaction to a message opens it again.
    let mid = desk.messages().await[1]["mid"].clone();
    desk.meta.sim("reactions", json!({"message_id": mid, "type": "like"})).await;
    assert_eq!(desk.send_text(&ada, "Again", &[]).await.status, 200);
    // What a person wrote in the past opens it from then on.
    let old = desk.meta.sim_get("clock").await["now"].as_i64().unwrap() - 2 * DAY;
    let body = json!({"channel": "messenger", "page_id": seed::DENTAL, "person": "Bo", "at": old});
    let bo = person_id(&desk.meta.sim("messages", body).await);
    assert_eq!(desk.send_text(&bo, "Late", &[]).await.error(), (400, 10, Some(2_018_278)));
}

#[tokio::test]
async fn dead_tags_and_wrong_parameters_are_refused() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada").await;
    let on_instagram = desk.writes_on_instagram("Ada").await;
    for tag in ["CONFIRMED_EVENT_UPDATE", "ACCOUNT_UPDATE", "POST_PURCHASE_UPDATE", "OTHER"] {
        let form = [("messaging_type", "MESSAGE_TAG"), ("tag", tag)];
        assert_eq!(desk.send_text(&ada, "Hi", &form).await.error(), (400, 100, None), "{tag}");
    }
    assert_eq!(desk.send_text(&ada, "Hi", &[("messaging_type", "MESSAGE_TAG")]).await.error(), (400, 100, None));
    assert_eq!(desk.send_text(&ada, &"x".repeat(2000), &[]).await.status, 200);
    assert_eq!(desk.send_text(&ada, &"x".repeat(2001), &[]).await.error(), (400, 100, None));
    assert_eq!(desk.send_text(&on_instagram, &"ä".repeat(500), &[]).await.status, 200);
    assert_eq!(desk.send_text(&on_instagram, &"ä".repeat(501), &[]).await.error(), (400, 100, Some(2_534_015)));
    let typing = [("sender_action", "TYPING_ON")];
    assert_eq!(desk.send_text(&ada, "Hi", &typing).await.error(), (400, 100, Some(2_018_014)));
    let recipient = json!({"id": ada}).to_string();
    let answer = desk.send(&[("recipient", &recipient), typing[0]]).await;
    assert_eq!(answer.json, json!({"recipient_id": ada}));
    for message in
        [json!({}), json!({"text": "a", "attachment": {"type": "image", "payload": {"url": "https://a.example/a"}}})]
    {
        let message = message.to_string();
        assert_eq!(desk.send(&[("recipient", &recipient), ("message", &message)]).await.error(), (400, 100, None));
    }
    assert_eq!(desk.send_text("7777", "Hi", &[]).await.error(), (400, 100, Some(2_018_001)));
    // A person of another page.
    let body = json!({"channel": "messenger", "page_id": seed::BAKERY, "person": "Ada"});
    let other = person_id(&desk.meta.sim("messages", body).await);
    assert_eq!(desk.send_text(&other, "Hi", &[]).await.error(), (400, 100, Some(2_018_001)));
}

#[tokio::test]
async fn attachments_are_fetched_from_their_address() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada").await;
    let send = async |kind: &str, url: &str| {
        let recipient = json!({"id": ada}).to_string();
        let message = json!({"attachment": {"type": kind, "payload": {"url": url}}}).to_string();
        desk.send(&[("recipient", &recipient), ("message", &message)]).await
    };
    assert_eq!(send("image", "https://cdn.example/a.jpg").await.status, 200);
    assert_eq!(desk.messages().await[1]["attachments"][0]["url"], "https://cdn.example/a.jpg");
    let site = |url: &str, more: Value| {
        let mut site = json!({"url": url});
        site.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        site
    };
    desk.meta.sim("web", site("https://cdn.example/gone", json!({"status": 404}))).await;
    desk.meta.sim("web", site("https://cdn.example/page", json!({"content_type": "text/html"}))).await;
    desk.meta.sim("web", site("https://cdn.example/big.jpg", json!({"bytes": 9_000_000}))).await;
    desk.meta.sim("web", site("https://cdn.example/slow.mp4", json!({"timeout": true}))).await;
    for (kind, url, subcode) in [
        ("image", "https://cdn.example/gone", 2_018_008),
        ("image", "https://cdn.example/page", 2_018_047),
        ("image", "https://cdn.example/big.jpg", 2_018_109),
        ("video", "https://cdn.example/slow.mp4", 2_018_294),
    ] {
        assert_eq!(send(kind, url).await.error(), (400, 100, Some(subcode)), "{url}");
    }
    // A reusable one.
    let message = json!({"attachment": {"type": "file", "payload": {"url": "https://cdn.example/a.pdf"}}}).to_string();
    let saved =
        desk.meta.post(&format!("/{}/message_attachments", seed::DENTAL), &desk.token, &[("message", &message)]).await;
    let id = &saved.json["attachment_id"];
    let recipient = json!({"id": ada}).to_string();
    let message = json!({"attachment": {"type": "file", "payload": {"attachment_id": id}}}).to_string();
    assert_eq!(desk.send(&[("recipient", &recipient), ("message", &message)]).await.status, 200, "{}", saved.text);
}

#[tokio::test]
async fn people_apps_and_permissions_can_be_in_the_way() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada").await;
    desk.meta.sim("people", json!({"id": ada, "blocked": true})).await;
    assert_eq!(desk.send_text(&ada, "Hi", &[]).await.error(), (400, 551, Some(1_545_041)));
    desk.meta.sim("people", json!({"id": ada, "blocked": false})).await;
    desk.meta.sim("messaging", json!({"advanced_access": false})).await;
    assert_eq!(desk.send_text(&ada, "Hi", &[]).await.error(), (400, 10, Some(2_018_028)));
    desk.meta.sim("messaging", json!({"advanced_access": true})).await;
    let body = json!({"channel": "messenger", "page_id": seed::DENTAL, "person": "Ada", "kind": "standby"});
    desk.meta.sim("messages", body).await;
    assert_eq!(desk.send_text(&ada, "Hi", &[]).await.error(), (400, 10, Some(2_018_300)));
    desk.writes("Ada").await;
    assert_eq!(desk.send_text(&ada, "Hi", &[]).await.status, 200);
    // With Facebook Login the messages of an Instagram account go through its page.
    let recipient = json!({"id": ada}).to_string();
    let form = [("recipient", recipient.as_str()), ("message", r#"{"text":"Hi"}"#)];
    let path = format!("/{}/messages", desk.instagram_id);
    assert_eq!(desk.meta.post(&path, &desk.token, &form).await.error(), (400, 3, None));
    // Kinds of tokens, and permissions.
    let path = format!("/{}/messages", seed::DENTAL);
    assert_eq!(desk.meta.post(&path, &desk.user, &form).await.error(), (400, 190, Some(2_069_032)));
    let jonas = desk.meta.login(seed::JONAS, "pages_show_list", "").await;
    let jonas = desk.meta.page_of(&jonas, seed::DENTAL).await;
    assert_eq!(desk.meta.post(&path, &jonas, &form).await.error(), (403, 200, None));
    let on_instagram = desk.writes_on_instagram("Ada").await;
    let jonas = desk.meta.login(seed::JONAS, ALL_SCOPES, "").await;
    let jonas = desk.meta.page_of(&jonas, seed::DENTAL).await;
    assert_eq!(desk.meta.post(&path, &jonas, &form).await.status, 200);
    let recipient = json!({"id": on_instagram}).to_string();
    let form = [("recipient", recipient.as_str()), form[1]];
    assert_eq!(desk.meta.post(&path, &jonas, &form).await.error(), (403, 200, None));
}

#[tokio::test]
async fn messages_have_a_quota_of_their_own() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada").await;
    desk.meta.sim("limits", json!({"page_id": seed::DENTAL, "calls": 1, "type": "messenger"})).await;
    let answer = desk.send_text(&ada, "Hi", &[]).await;
    let usage = answer.headers["x-business-use-case-usage"].to_str().unwrap().to_owned();
    assert!(usage.contains("\"type\":\"messenger\"") && usage.contains("\"call_count\":100"), "{usage}");
    assert_eq!(desk.send_text(&ada, "Hi", &[]).await.error(), (400, 80_006, None));
    assert_eq!(desk.messages().await.len(), 2, "the second one was not sent");
}

#[tokio::test]
async fn a_lost_answer_has_sent_the_message() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada").await;
    let fault = json!({"path": "/{page}/messages", "kind": "error", "code": 1, "subcode": 1_357_046,
                       "when": "after", "times": 1});
    desk.meta.sim("faults", fault).await;
    let answer = desk.send_text(&ada, "Sent", &[]).await;
    assert_eq!(answer.error(), (500, 1, Some(1_357_046)));
    assert_eq!(answer.message(), "Received invalid JSON reply");
    assert_eq!(desk.events("message", 2).await[1]["message"]["text"], "Sent");
    // The echo can also come first.
    let fault = json!({"path": "/{page}/messages", "kind": "slow", "when": "after", "hold_ms": 1000, "times": 1});
    desk.meta.sim("faults", fault).await;
    let (answer, echo) = tokio::join!(desk.send_text(&ada, "Slow", &[]), desk.events("message", 3));
    assert_eq!(echo[2]["message"]["mid"], answer.json["message_id"]);
    let calls = desk.meta.sim_get("stats").await["calls"]["POST /{page}/messages"].clone();
    assert_eq!(calls, 2);
}
