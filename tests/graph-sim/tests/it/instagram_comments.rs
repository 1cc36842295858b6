//! Comments on Instagram, copies of media in ads, and mentions.

use serde_json::{Value, json};

use crate::client::{Answer, PUBLISHING_SCOPES};
use crate::desk::Desk;

async fn comment(desk: &Desk, mut body: Value) -> Value {
    body["object"] = json!("instagram");
    desk.meta.sim("comments", body).await
}

async fn post(desk: &Desk, path: &str, form: &[(&str, &str)]) -> Answer {
    desk.meta.post(path, &desk.token, form).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("expected a text, got {value}")).to_owned()
}

#[tokio::test]
async fn comments_are_announced_and_listed_newest_first() {
    let desk = Desk::start().await;
    let medium = desk.medium().await;
    let first = text(&comment(&desk, json!({"media_id": medium, "text": "price?", "person": "lena"})).await["id"]);
    let value = desk.changes("comments", 1).await.remove(0);
    assert_eq!(
        (&value["id"], &value["text"], &value["from"]["username"].is_string()),
        (&json!(first), &json!("price?"), &true)
    );
    assert_eq!(value["media"], json!({"id": medium, "media_product_type": "FEED"}));
    assert!(value["parent_id"].is_null());
    let reply = text(&comment(&desk, json!({"parent_id": first, "text": "me too"})).await["id"]);
    assert_eq!(desk.changes("comments", 2).await[1]["parent_id"], first);
    // A reply to a reply lands on the root.
    comment(&desk, json!({"parent_id": reply, "text": "and me"})).await;
    assert_eq!(desk.changes("comments", 3).await[2]["parent_id"], first);
    for number in 0..60 {
        desk.meta.advance(1).await;
        comment(&desk, json!({"media_id": medium, "text": number.to_string(), "deliver": "drop"})).await;
    }
    let list = desk.meta.get(&format!("/{medium}/comments?fields=text,username,from,timestamp"), &desk.token).await;
    let texts = list.column("text");
    assert_eq!((texts.len(), texts[0].as_str()), (50, "59"));
    let next = list.json["paging"]["next"].as_str().unwrap().to_owned();
    let query = next.split_once('?').unwrap().1;
    let rest = desk.meta.get(&format!("/{medium}/comments?{query}&limit=80"), &desk.token).await.column("text");
    assert_eq!((rest.len(), rest.last().map(String::as_str)), (11, Some("price?")));
    let replies = desk.meta.get(&format!("/{first}?fields=text,replies{{text,parent_id}}"), &desk.token).await.json;
    assert_eq!(replies["replies"]["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(desk.meta.get(&format!("/{first}/replies"), &desk.token).await.column("text"), ["me too", "and me"]);
    let count =
        desk.meta.get(&format!("/{medium}?fields=comments_count"), &desk.token).await.json["comments_count"].clone();
    assert_eq!(count, 63);
}

#[tokio::test]
async fn the_account_answers_hides_and_deletes_without_webhooks_of_changes() {
    let desk = Desk::start().await;
    let medium = desk.medium().await;
    let first = text(&comment(&desk, json!({"media_id": medium, "text": "price?"})).await["id"]);
    desk.changes("comments", 1).await;
    let reply = text(&comment(&desk, json!({"parent_id": first, "text": "me too"})).await["id"]);
    desk.changes("comments", 2).await;
    assert_eq!(post(&desk, &format!("/{reply}/replies"), &[("message", "no")]).await.error(), (400, 100, None));
    let own = post(&desk, &format!("/{first}/replies"), &[("message", "20 €")]).await.id();
    let value = desk.changes("comments", 3).await.remove(2);
    assert_eq!(
        (&value["id"], &value["from"]["id"], &value["parent_id"]),
        (&json!(own), &json!(desk.instagram_id), &json!(first))
    );
    assert!(value["from"]["self_ig_scoped_id"].is_string());
    post(&desk, &format!("/{medium}/comments"), &[("message", "Thanks all")]).await.id();
    desk.changes("comments", 4).await;
    assert_eq!(post(&desk, &format!("/{first}"), &[("hide", "true")]).await.json, json!({"success": true}));
    assert_eq!(post(&desk, &format!("/{own}"), &[("hide", "true")]).await.json, json!({"success": true}));
    assert_eq!(post(&desk, &format!("/{first}"), &[]).await.error(), (400, 100, None));
    assert_eq!(post(&desk, &format!("/{first}/replies"), &[("message", "no")]).await.error(), (400, 100, None));
    let truth = desk.meta.truth("comments").await;
    assert_eq!((&truth[0]["hidden"], &truth[2]["hidden"]), (&json!(true), &json!(false)), "own ones stay visible");
    assert_eq!(desk.meta.delete(&format!("/{reply}"), &desk.token).await.json, json!({"success": true}));
    let refused = json!({"object": "instagram", "verb": "edit", "comment_id": first, "text": "x"});
    let response = desk.meta.http().post(desk.meta.url("/_sim/comments")).json(&refused).send().await.unwrap();
    assert_eq!(response.status(), 400, "Instagram has no edits");
    comment(&desk, json!({"media_id": medium, "text": "Last"})).await;
    let texts: Vec<_> = desk.changes("comments", 5).await.iter().map(|value| value["text"].clone()).collect();
    assert_eq!(texts, ["price?", "me too", "20 €", "Thanks all", "Last"]);
    post(&desk, &format!("/{medium}"), &[("comment_enabled", "false")]).await;
    assert_eq!(post(&desk, &format!("/{medium}/comments"), &[("message", "no")]).await.error(), (400, 100, None));
    // Other tokens.
    let token = desk.meta.login(graph_sim::seed::JONAS, PUBLISHING_SCOPES, "").await;
    let answer = desk.meta.post(&format!("/{medium}/comments"), &token, &[("message", "no")]).await;
    assert_eq!(answer.error(), (403, 10, None));
}

#[tokio::test]
async fn an_ad_shows_a_copy_of_the_medium() {
    let desk = Desk::start().await;
    let medium = desk.medium().await;
    let answer = comment(&desk, json!({"media_id": medium, "text": "Price?", "ad_id": "120001"})).await;
    let copy = text(&answer["media_id"]);
    assert_ne!(copy, medium);
    let value = desk.changes("comments", 1).await.remove(0);
    assert_eq!((&value["media"]["id"], &value["media"]["ad_id"]), (&json!(copy), &json!("120001")));
    assert_eq!(
        (&value["media"]["original_media_id"], &value["media"]["media_product_type"]),
        (&json!(medium), &json!("AD"))
    );
    let again = comment(&desk, json!({"media_id": medium, "text": "Hello?", "ad_id": "120001"})).await;
    assert_eq!(again["media_id"], copy.as_str());
    let list = desk.meta.get(&format!("/{copy}/comments"), &desk.token).await;
    assert_eq!(list.column("text"), ["Hello?", "Price?"]);
    assert_eq!(desk.meta.get(&format!("/{medium}/comments"), &desk.token).await.column("text").len(), 0);
    let media = desk.meta.get(&format!("/{}/media", desk.instagram_id), &desk.token).await;
    assert_eq!(media.column("id"), [medium]);
}

#[tokio::test]
async fn ids_can_be_numbers() {
    let desk = Desk::start().await;
    let medium = desk.medium().await;
    desk.meta.sim("messaging", json!({"numeric_ids": true})).await;
    let id = text(&comment(&desk, json!({"media_id": medium})).await["id"]);
    let value = desk.changes("comments", 1).await.remove(0);
    let number = |text: &str| json!(text.parse::<u64>().unwrap());
    assert_eq!((&value["id"], &value["media"]["id"]), (&number(&id), &number(&medium)));
    assert!(value["from"]["id"].is_u64() && value["from"]["username"].is_string());
}

#[tokio::test]
async fn mentions_are_read_by_their_ids() {
    let desk = Desk::start().await;
    let body = json!({"instagram_id": desk.instagram_id, "mention": "comment", "text": "Ask @them", "person": "Ada"});
    let ids = comment(&desk, body).await;
    assert_eq!(
        desk.changes("mentions", 1).await[0],
        json!({"media_id": ids["media_id"], "comment_id": ids["comment_id"]})
    );
    let read =
        async |fields: &str| desk.meta.get(&format!("/{}?fields={fields}", desk.instagram_id), &desk.token).await;
    let comment_id = text(&ids["comment_id"]);
    let fields = format!("mentioned_comment.comment_id({comment_id}){{text,username,timestamp,media{{id,permalink}}}}");
    let mention = read(&fields).await.json["mentioned_comment"].clone();
    assert_eq!((&mention["text"], &mention["media"]["id"]), (&json!("Ask @them"), &ids["media_id"]));
    let body = json!({"instagram_id": desk.instagram_id, "mention": "post", "text": "With @them"});
    let media_id = text(&comment(&desk, body).await["media_id"]);
    let fields = format!("mentioned_media.media_id({media_id}){{caption,media_type,permalink,username}}");
    assert_eq!(read(&fields).await.json["mentioned_media"]["caption"], "With @them");
    assert_eq!(read("mentioned_media.media_id(1){caption}").await.error(), (400, 100, None));
    let form = [("media_id", media_id.as_str()), ("message", "Thanks")];
    post(&desk, &format!("/{}/mentions", desk.instagram_id), &form).await.id();
    assert_eq!(desk.meta.truth("mentions").await[1]["replies"][0]["text"], "Thanks");
}

#[tokio::test]
async fn a_comment_is_answered_privately_through_the_page() {
    let desk = Desk::start().await;
    let medium = desk.medium().await;
    let id = text(&comment(&desk, json!({"media_id": medium, "person": "Ada"})).await["id"]);
    let recipient = json!({"comment_id": id}).to_string();
    let form = [("recipient", recipient.as_str()), ("message", r#"{"text":"In private"}"#)];
    let path = format!("/{}/messages", desk.instagram_id);
    assert_eq!(post(&desk, &path, &form).await.error(), (400, 3, None));
    let answer = desk.send(&form).await;
    assert_eq!(desk.events("message", 1).await[0]["message"]["mid"], answer.json["message_id"]);
    assert_eq!(desk.meta.truth("threads").await[0]["channel"], "instagram");
    assert_eq!(desk.send(&form).await.error(), (400, 10_900, None));
    let person = text(&answer.json["recipient_id"]);
    assert_eq!(desk.send_text(&person, "More", &[]).await.error(), (400, 10, Some(2_534_022)));
}
