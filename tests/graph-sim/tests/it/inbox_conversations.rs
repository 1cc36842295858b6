//! Reading conversations, messages and people back.

use graph_sim::seed;
use serde_json::json;

use crate::desk::{Desk, person_id};

#[tokio::test]
async fn conversations_have_their_people_and_messages() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada Example").await;
    desk.send_text(&ada, "Hi Ada", &[]).await;
    desk.meta.advance(5).await;
    desk.writes("Bo Example").await;
    desk.writes_on_instagram("Cy").await;
    let fields = "id,updated_time,can_reply,unread_count,participants,messages{id,created_time,from,to,message}";
    let list = desk.meta.get(&format!("/{}/conversations?fields={fields}", seed::DENTAL), &desk.token).await;
    let rows = list.json["data"].as_array().unwrap_or_else(|| panic!("{}", list.text));
    assert_eq!(rows.len(), 2, "newest first");
    assert_eq!(rows[0]["participants"]["data"][0]["name"], "Bo Example");
    assert_eq!(
        (&rows[0]["unread_count"], &rows[1]["unread_count"], &rows[1]["can_reply"]),
        (&json!(1), &json!(0), &json!(true))
    );
    let messages = rows[1]["messages"]["data"].as_array().unwrap();
    assert_eq!((&messages[0]["message"], &messages[0]["from"]["id"]), (&json!("Hi Ada"), &json!(seed::DENTAL)));
    assert_eq!((&messages[1]["message"], &messages[1]["from"]["id"]), (&json!("Hello"), &json!(ada)));
    assert_eq!(messages[1]["to"]["data"][0]["id"], seed::DENTAL);
    let path = format!("/{}/conversations?user_id={ada}", seed::DENTAL);
    assert_eq!(desk.meta.get(&path, &desk.token).await.column("id"), [rows[1]["id"].as_str().unwrap()]);
    let path = format!("/{}/conversations?platform=instagram&fields=participants", seed::DENTAL);
    let list = desk.meta.get(&path, &desk.token).await.json;
    assert_eq!(
        list["data"][0]["participants"]["data"][0]["username"].as_str().map(|name| name.starts_with("cy")),
        Some(true)
    );
    let path = format!("/{}/conversations?platform=telegram", seed::DENTAL);
    assert_eq!(desk.meta.get(&path, &desk.token).await.error(), (400, 100, None));
}

#[tokio::test]
async fn only_twenty_messages_of_a_thread_can_be_read() {
    let desk = Desk::start().await;
    for _ in 0..22 {
        desk.writes("Ada").await;
        desk.meta.advance(1).await;
    }
    let thread = desk.meta.truth("threads").await.remove(0);
    let id = thread["id"].as_str().unwrap();
    let list = desk.meta.get(&format!("/{id}/messages?fields=id,message&limit=50"), &desk.token).await;
    let rows = list.json["data"].as_array().unwrap();
    assert_eq!((rows.len(), rows.iter().filter(|row| row["message"].is_string()).count()), (22, 20));
    let mid = |at: usize| thread["messages"][at]["mid"].as_str().unwrap().to_owned();
    let read = async |mid: &str| desk.meta.get(&format!("/{mid}?fields=message,from"), &desk.token).await;
    assert_eq!(read(&mid(1)).await.error(), (400, 100, Some(9_000_001)));
    assert_eq!(read(&mid(2)).await.json["message"], "Hello");
    desk.meta.sim("messages", json!({"kind": "delete", "mid": mid(21)})).await;
    assert_eq!(read(&mid(21)).await.error(), (400, 100, Some(9_000_001)));
    assert_eq!(desk.meta.get(&format!("/{id}/messages?limit=50"), &desk.token).await.column("id").len(), 21);
}

#[tokio::test]
async fn profiles_need_that_the_person_wrote() {
    let desk = Desk::start().await;
    let ada = desk.writes("Ada Example").await;
    let read = async |id: &str, fields: &str| desk.meta.get(&format!("/{id}?fields={fields}"), &desk.token).await;
    let profile = read(&ada, "first_name,last_name,profile_pic").await.json;
    assert_eq!((&profile["first_name"], &profile["last_name"]), (&json!("Ada"), &json!("Example")));
    desk.meta.sim("messaging", json!({"profiles": false})).await;
    assert_eq!(read(&ada, "name").await.error(), (403, 10, None));
    desk.meta.sim("messaging", json!({"profiles": true})).await;
    // Those who only commented gave no consent.
    let post = desk.post().await;
    let comment = desk.meta.sim("comments", json!({"object": "page", "post_id": post, "person": "Bo"})).await;
    assert_eq!(read(&person_id(&comment), "name").await.error(), (400, 100, Some(2_018_218)));
    let medium = desk.medium().await;
    let comment = desk.meta.sim("comments", json!({"object": "instagram", "media_id": medium, "person": "Bo"})).await;
    let bo = person_id(&comment);
    assert_eq!(read(&bo, "name,username").await.error(), (403, 230, None));
    assert_eq!(desk.writes_on_instagram("Bo").await, bo);
    assert!(read(&bo, "name,username").await.json["username"].as_str().unwrap().starts_with("bo"));
    let foreign = desk.meta.page_of(&desk.user, seed::BAKERY).await;
    assert_eq!(desk.meta.get(&format!("/{ada}?fields=name"), &foreign).await.error(), (400, 100, Some(33)));
}
