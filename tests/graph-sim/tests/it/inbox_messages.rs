//! What people write on Messenger and Instagram, and its webhooks.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::desk::{Desk, elements, person_id};

/// Writes something on a channel and returns the answer of the control call.
async fn write(desk: &Desk, channel: &str, mut body: Value) -> Value {
    body["channel"] = json!(channel);
    if channel == "messenger" {
        body["page_id"] = json!(seed::DENTAL);
    } else {
        body["instagram_id"] = json!(desk.instagram_id);
    }
    body["person"] = json!("Ada Example");
    desk.meta.sim("messages", body).await
}

#[tokio::test]
async fn a_message_names_the_person_and_the_account() {
    let desk = Desk::start().await;
    let sent = write(&desk, "messenger", json!({"text": "Hällo"})).await;
    let event = desk.events("message", 1).await.remove(0);
    assert_eq!((&event["sender"]["id"], &event["recipient"]["id"]), (&sent["person"]["id"], &json!(seed::DENTAL)));
    assert_eq!(event["message"], json!({"mid": sent["mid"], "text": "Hällo"}));
    assert!(event["timestamp"].as_i64().unwrap() > 1_700_000_000_000, "milliseconds");
    let post = desk.receiver.posts().remove(0);
    assert_eq!(post.json["object"], "page");
    assert!(post.json["entry"][0]["time"].as_i64().unwrap() > 1_700_000_000_000, "milliseconds");
    let sent = write(&desk, "instagram", json!({"text": "Hi"})).await;
    let event = desk.events("message", 2).await.remove(1);
    assert_eq!((&event["sender"]["id"], &event["recipient"]["id"]), (&sent["person"]["id"], &json!(desk.instagram_id)));
    assert_eq!(desk.receiver.posts()[1].json["object"], "instagram");
    // The ids of one person differ, and each belongs to one account.
    let threads = desk.meta.truth("threads").await;
    assert_eq!(threads.len(), 2);
    assert_ne!(threads[0]["person"]["id"], threads[1]["person"]["id"]);
    assert_eq!(threads[0]["person"]["person_id"], threads[1]["person"]["person_id"]);
    assert_eq!((&threads[0]["channel"], &threads[0]["page_id"]), (&json!("messenger"), &json!(seed::DENTAL)));
}

#[tokio::test]
async fn attachments_are_served_by_the_simulator() {
    let desk = Desk::start().await;
    let attachments = json!(["image", "video", "file", {"type": "image", "lie": "html"}, {"type": "image", "lie": "svg"},
                             {"type": "post", "url": "https://facebook.example/p/1", "title": "Offer"},
                             {"type": "brand_new_kind", "payload": {}}]);
    write(&desk, "messenger", json!({"attachments": attachments, "kind": "image"})).await;
    let event = desk.events("message", 1).await.remove(0);
    let list = event["message"]["attachments"].as_array().unwrap();
    let mut found = Vec::new();
    for attachment in list.iter().take(5) {
        let response = desk.meta.http().get(attachment["payload"]["url"].as_str().unwrap()).send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        let bytes = response.bytes().await.unwrap();
        found.push((kind, String::from_utf8_lossy(&bytes[..8]).into_owned()));
    }
    let found: Vec<_> = found.iter().map(|(kind, start)| (kind.as_str(), start.as_str())).collect();
    assert_eq!(found[0].0, "image/jpeg");
    assert!(found[1] == ("video/mp4", "\0\0\0\u{10}ftyp"), "{:?}", found[1]);
    assert_eq!(found[2], ("application/pdf", "%PDF-1.4"));
    assert_eq!(found[3], ("image/jpeg", "<!DOCTYP"));
    assert_eq!(found[4], ("image/png", "<svg xml"));
    assert_eq!(list[5], json!({"type": "post", "payload": {"url": "https://facebook.example/p/1", "title": "Offer"}}));
    assert_eq!(list[6], json!({"type": "brand_new_kind", "payload": {}}));
    // An address ends, and can fail before.
    let url = list[0]["payload"]["url"].as_str().unwrap();
    desk.meta.sim("faults", json!({"path": "/attachments/{file}", "kind": "error", "status": 503, "times": 1})).await;
    assert_eq!(desk.meta.http().get(url).send().await.unwrap().status(), 503);
    assert_eq!(desk.meta.http().get(url).send().await.unwrap().status(), 200);
    desk.meta.advance(8 * 24 * 3600).await;
    assert_eq!(desk.meta.http().get(url).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_sticker_is_named_as_configured() {
    let desk = Desk::start().await;
    for (at, (name, kinds)) in
        [("sticker", vec!["sticker"]), ("image", vec!["image"]), ("both", vec!["image", "sticker"])]
            .into_iter()
            .enumerate()
    {
        desk.meta.sim("messaging", json!({"stickers": name})).await;
        write(&desk, "messenger", json!({"kind": "sticker"})).await;
        let event = desk.events("message", at + 1).await.remove(at);
        let list = event["message"]["attachments"].as_array().unwrap().clone();
        assert_eq!(list.iter().map(|it| it["type"].as_str().unwrap()).collect::<Vec<_>>(), kinds);
        assert!(list.iter().all(|it| it["payload"]["sticker_id"].is_u64()));
    }
}

#[tokio::test]
async fn each_kind_of_event_has_its_member_and_its_field() {
    let desk = Desk::start().await;
    let mid = write(&desk, "messenger", json!({"text": "Hello"})).await["mid"].clone();
    write(&desk, "messenger", json!({"kind": "postback", "text": "Get started", "payload": "START"})).await;
    let postback = desk.events("postback", 1).await.remove(0);
    assert_eq!(
        (&postback["postback"]["title"], &postback["postback"]["payload"]),
        (&json!("Get started"), &json!("START"))
    );
    write(&desk, "messenger", json!({"kind": "referral", "referral": {"source": "ADS", "ad_id": "12"}})).await;
    assert_eq!(desk.events("referral", 1).await[0]["referral"], json!({"source": "ADS", "ad_id": "12"}));
    desk.meta.sim("messages", json!({"kind": "edit", "mid": mid, "text": "Hello!"})).await;
    assert_eq!(
        desk.events("message_edit", 1).await[0]["message_edit"],
        json!({"mid": mid, "text": "Hello!", "num_edit": 1})
    );
    desk.meta.sim("messages", json!({"kind": "delete", "mid": mid})).await;
    assert_eq!(desk.events("message", 2).await[1]["message"], json!({"mid": mid, "is_deleted": true}));
    write(&desk, "messenger", json!({"kind": "echo", "text": "From the inbox"})).await;
    let echo = desk.events("message", 3).await.remove(2);
    assert_eq!((&echo["sender"]["id"], &echo["message"]["is_echo"]), (&json!(seed::DENTAL), &json!(true)));
    assert!(echo["message"]["app_id"].is_null());
    let echoed = echo["message"]["mid"].clone();
    desk.meta.sim("messages", json!({"kind": "read", "mid": echoed})).await;
    assert!(desk.events("read", 1).await[0]["read"]["watermark"].is_i64());
    desk.meta.sim("reactions", json!({"message_id": echoed, "type": "love"})).await;
    assert_eq!(
        desk.events("reaction", 1).await[0]["reaction"],
        json!({"mid": echoed, "action": "react", "reaction": "love", "emoji": "❤"})
    );
    write(&desk, "messenger", json!({"kind": "standby", "text": "To another app"})).await;
    let posts = desk.receiver.wait(|posts| !elements(posts, "standby").is_empty()).await;
    assert_eq!(elements(&posts, "standby")[0]["message"]["text"], "To another app");
    let messages = desk.messages().await;
    let kinds: Vec<_> = messages.iter().map(|message| message["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["text", "postback", "echo", "standby"]);
    assert_eq!(
        (&messages[0]["deleted"], &messages[0]["edited"], &messages[0]["text"]),
        (&json!(true), &json!(true), &json!("Hello!"))
    );
    assert_eq!((&messages[2]["status"], &messages[2]["reactions"][0]["by"]), (&json!("read"), &json!("person")));
}

#[tokio::test]
async fn instagram_spells_some_fields_differently() {
    let desk = Desk::start().await;
    write(&desk, "instagram", json!({"kind": "story_reply", "text": "love it"})).await;
    assert!(desk.events("message", 1).await[0]["message"]["reply_to"]["story"]["url"].is_string());
    write(&desk, "instagram", json!({"kind": "story_mention"})).await;
    assert_eq!(desk.events("message", 2).await[1]["message"]["attachments"][0]["type"], "story_mention");
    write(&desk, "instagram", json!({"kind": "unsupported"})).await;
    assert_eq!(desk.events("message", 3).await[2]["message"]["is_unsupported"], true);
    let echo = write(&desk, "instagram", json!({"kind": "echo", "text": "Ours"})).await["mid"].clone();
    write(&desk, "instagram", json!({"kind": "read"})).await;
    assert_eq!(desk.events("read", 1).await[0]["read"], json!({"mid": echo}));
    desk.meta.sim("messages", json!({"kind": "edit", "mid": echo, "text": "Changed"})).await;
    assert_eq!(desk.events("message_edit", 1).await.len(), 1);
    // There are no deliveries on Instagram.
    desk.meta.sim("messages", json!({"kind": "delivery", "mid": echo})).await;
    write(&desk, "instagram", json!({"text": "Last"})).await;
    desk.events("message", 5).await;
    assert!(elements(&desk.receiver.posts(), "messaging").iter().all(|event| event["delivery"].is_null()));
}

#[tokio::test]
async fn instagram_has_three_layouts_and_an_owner_who_can_disable_messages() {
    let desk = Desk::start().await;
    desk.meta.sim("messaging", json!({"instagram_layout": "changes"})).await;
    write(&desk, "instagram", json!({"text": "In changes"})).await;
    assert_eq!(desk.changes("messages", 1).await[0]["message"]["text"], "In changes");
    desk.meta.sim("messaging", json!({"instagram_layout": "flat"})).await;
    write(&desk, "instagram", json!({"text": "Flat"})).await;
    write(&desk, "instagram", json!({"text": "Too"})).await;
    let flat = |posts: &[crate::receiver::Post]| -> Vec<Value> {
        let entries = posts.iter().flat_map(|post| post.json["entry"].as_array().cloned().unwrap_or_default());
        entries.filter(|entry| entry["field"] == "messages").collect()
    };
    let posts = desk.receiver.wait(|posts| flat(posts).len() == 2).await;
    let entry = flat(&posts).remove(0);
    assert_eq!((&entry["id"], &entry["value"]["message"]["text"]), (&json!(desk.instagram_id), &json!("Flat")));
    desk.meta.sim("messaging", json!({"instagram_layout": "lists"})).await;
    desk.meta.sim("instagram", json!({"page_id": seed::DENTAL, "messages_allowed": false})).await;
    let ada = write(&desk, "instagram", json!({"text": "Unheard"})).await;
    assert_eq!(desk.send_text(&person_id(&ada), "Hi", &[]).await.error(), (403, 200, Some(2_534_041)));
    desk.meta.sim("instagram", json!({"page_id": seed::DENTAL, "messages_allowed": true})).await;
    write(&desk, "instagram", json!({"text": "Heard"})).await;
    assert_eq!(desk.events("message", 1).await[0]["message"]["text"], "Heard");
    // The dashboard's test has ids that do not exist.
    desk.meta.sim("events", json!({"object": "instagram", "dashboard_test": true})).await;
    assert_eq!(desk.events("message", 2).await[1]["message"]["mid"], "random_mid");
}

#[tokio::test]
async fn nothing_comes_without_a_subscription() {
    let desk = Desk::start().await;
    let fields = json!({"page_id": seed::DENTAL, "subscribed_fields": ["message_reads"]});
    desk.meta.sim("pages", fields).await;
    write(&desk, "messenger", json!({"text": "Not subscribed"})).await;
    // Any field of the page is enough for its Instagram account.
    write(&desk, "instagram", json!({"text": "Subscribed"})).await;
    assert_eq!(desk.events("message", 1).await[0]["message"]["text"], "Subscribed");
    desk.meta.sim("pages", json!({"page_id": seed::DENTAL, "subscribed_fields": null})).await;
    write(&desk, "instagram", json!({"text": "No page"})).await;
    desk.meta.sim("pages", json!({"page_id": seed::DENTAL, "subscribed_fields": ["messages"]})).await;
    write(&desk, "messenger", json!({"text": "Last"})).await;
    let texts: Vec<_> = desk.events("message", 2).await.iter().map(|event| event["message"]["text"].clone()).collect();
    assert_eq!(texts, ["Subscribed", "Last"]);
    assert_eq!(desk.meta.truth("threads").await.len(), 2, "all of it happened");
}

#[tokio::test]
async fn deliveries_are_dropped_doubled_and_reordered() {
    let desk = Desk::start().await;
    write(&desk, "messenger", json!({"text": "lost", "deliver": "drop"})).await;
    write(&desk, "messenger", json!({"text": "twice", "deliver": "duplicate"})).await;
    let texts: Vec<_> = desk.events("message", 2).await.iter().map(|event| event["message"]["text"].clone()).collect();
    assert_eq!(texts, ["twice", "twice"]);
    // A reordered message is overtaken by one that follows soon. On a busy machine that takes several attempts.
    let all = |posts: &[crate::receiver::Post]| -> Vec<Value> {
        elements(posts, "messaging").iter().map(|event| event["message"]["text"].clone()).collect()
    };
    let mut overtaken = false;
    for attempt in 0..20 {
        let (first, second) = (format!("first {attempt}"), format!("second {attempt}"));
        write(&desk, "messenger", json!({"text": first, "deliver": "reorder"})).await;
        write(&desk, "messenger", json!({"text": second})).await;
        let both =
            |posts: &[crate::receiver::Post]| [&first, &second].iter().all(|text| all(posts).contains(&json!(text)));
        let texts = all(&desk.receiver.wait(both).await);
        let at = |text: &str| texts.iter().position(|it| it == text);
        overtaken = at(&second) < at(&first);
        if overtaken {
            break;
        }
    }
    assert!(overtaken);
    // The same message again.
    let mid = write(&desk, "messenger", json!({"text": "again"})).await["mid"].clone();
    desk.meta.sim("messages", json!({"mid": mid})).await;
    let again = |posts: &[crate::receiver::Post]| all(posts).iter().filter(|text| *text == "again").count();
    desk.receiver.wait(|posts| again(posts) == 2).await;
}

#[tokio::test]
async fn people_are_named_by_any_id() {
    let desk = Desk::start().await;
    let person = desk.meta.sim("people", json!({"name": "Bo", "channels": {"instagram": {"username": "bo.w"}}})).await;
    for name in ["Bo", "bo.w", person["id"].as_str().unwrap()] {
        let body = json!({"channel": "messenger", "page_id": seed::DENTAL, "person": name});
        assert_eq!(desk.meta.sim("messages", body).await["person"]["person_id"], person["person_id"], "{name}");
    }
    let described = json!({"id": "5553", "name": "Cy"});
    let body = json!({"channel": "instagram", "instagram_id": desk.instagram_id, "person": described});
    assert_eq!(person_id(&desk.meta.sim("messages", body).await), "5553");
    let body = json!({"channel": "instagram", "instagram_id": desk.instagram_id, "person": "5553"});
    assert_eq!(desk.meta.sim("messages", body).await["person"]["name"], "Cy");
    assert_eq!(desk.events("message", 5).await[4]["sender"]["id"], "5553");
}
