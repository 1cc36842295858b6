//! The `feed` webhooks of what a page publishes.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::Meta;
use crate::receiver::{Post, Receiver};

/// The values of all `feed` changes, in the order of their arrival.
fn values(posts: &[Post]) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    posts
        .iter()
        .flat_map(|post| list(&post.json["entry"]))
        .flat_map(|entry| list(&entry["changes"]))
        .filter(|change| change["field"] == "feed")
        .map(|change| change["value"].clone())
        .collect()
}

async fn next(receiver: &Receiver, count: usize) -> Vec<Value> {
    values(&receiver.wait(|posts| values(posts).len() >= count).await)
}

async fn started() -> (Meta, Receiver, String) {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "feed").await;
    let page = meta.publisher(seed::DENTAL).await;
    (meta, receiver, page)
}

#[tokio::test]
async fn a_scheduled_post_is_announced_twice_and_its_time_is_old() {
    let (meta, receiver, page) = started().await;
    let at = meta.sim_get("clock").await["now"].as_i64().unwrap() + 3600;
    let text = at.to_string();
    let form = [("message", "Later"), ("published", "false"), ("scheduled_publish_time", text.as_str())];
    let id = meta.post(&format!("/{}/feed", seed::DENTAL), &page, &form).await.id();
    let first = next(&receiver, 1).await.remove(0);
    assert_eq!(
        (&first["item"], &first["verb"], &first["published"], &first["post_id"], &first["message"]),
        (&json!("status"), &json!("add"), &json!(0), &json!(id), &json!("Later"))
    );
    assert_eq!(first["from"], json!({"id": seed::DENTAL, "name": "Harbour Lane Dental"}));
    meta.advance(3601).await;
    let live = next(&receiver, 2).await.remove(1);
    assert_eq!((&live["verb"], &live["published"], &live["post_id"]), (&json!("add"), &json!(1), &json!(id)));
    let entry_time = receiver.posts().last().unwrap().json["entry"][0]["time"].as_i64().unwrap();
    assert!(live["created_time"].as_i64().unwrap() < at && at <= entry_time);
}

#[tokio::test]
async fn photos_videos_edits_and_deletions_have_their_own_items() {
    let (meta, receiver, page) = started().await;
    let path = |edge: &str| format!("/{}/{edge}", seed::DENTAL);
    let photo = meta.post(&path("photos"), &page, &[("url", "https://cdn.example/a.jpg")]).await;
    let value = next(&receiver, 1).await.remove(0);
    assert_eq!(
        (&value["item"], &value["photo_id"], &value["published"]),
        (&json!("photo"), &photo.json["id"], &json!(1))
    );
    let video = meta.post(&path("videos"), &page, &[("file_url", "https://cdn.example/a.mp4")]).await.id();
    let value = next(&receiver, 2).await.remove(1);
    assert_eq!((&value["item"], &value["verb"], &value["published"]), (&json!("video"), &json!("edited"), &json!(0)));
    meta.advance(5).await;
    let value = next(&receiver, 3).await.remove(2);
    assert_eq!((&value["verb"], &value["published"], &value["video_id"]), (&json!("add"), &json!(1), &json!(video)));
    let post = photo.json["post_id"].as_str().unwrap();
    meta.post(&format!("/{post}"), &page, &[("message", "Edited")]).await;
    let value = next(&receiver, 4).await.remove(3);
    assert_eq!((&value["verb"], &value["message"]), (&json!("edited"), &json!("Edited")));
    meta.delete(&format!("/{post}"), &page).await;
    let value = next(&receiver, 5).await.remove(4);
    assert_eq!(
        (&value["item"], &value["verb"], &value["recipient_id"]),
        (&json!("post"), &json!("remove"), &json!(seed::DENTAL))
    );
    meta.sim("posts", json!({"page_id": seed::DENTAL, "message": "By hand"})).await;
    assert_eq!(next(&receiver, 6).await[5]["message"], "By hand");
}

#[tokio::test]
async fn nothing_is_announced_without_a_subscription_or_in_development() {
    let (meta, receiver, page) = started().await;
    let feed = |page: &str| format!("/{page}/feed");
    let bakery = meta.publisher(seed::BAKERY).await;
    meta.post(&feed(seed::BAKERY), &bakery, &[("message", "Unsubscribed")]).await.id();
    meta.sim("app", json!({"mode": "development"})).await;
    meta.post(&feed(seed::DENTAL), &page, &[("message", "Development")]).await.id();
    assert_eq!(meta.truth("posts").await[0]["public"], false);
    meta.sim("app", json!({"mode": "live"})).await;
    assert!(meta.truth("posts").await.iter().all(|post| post["public"] == true), "going live exposes it");
    meta.post(&feed(seed::DENTAL), &page, &[("message", "Live")]).await.id();
    let messages: Vec<_> = next(&receiver, 1).await.into_iter().map(|value| value["message"].clone()).collect();
    assert_eq!(messages, ["Live"]);
}
