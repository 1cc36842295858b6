//! An inbox with an example of everything that the console shows of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::json::Json;
use crate::tenant::Tenant;
use crate::world::{wait_for, world};

/// Lets people comment and write on a page, answers some of them, and returns the ids of a conversation and of its person.
///
/// # Panics
/// Panics if the simulator or the API rejects a step.
pub(crate) async fn fill_inbox(tenant: &Tenant, page: &str) -> [String; 2] {
    let sim = async |path: &str, body: Value| world().call_sim(Method::POST, path, &body).await;
    let write = async |person: &str, text: &str| {
        let body = json!({ "channel": "messenger", "page_id": page, "person": person, "text": text });
        sim("messages", body).await;
    };
    let post = sim("posts", json!({ "page_id": page, "message": "Open day at the harbour" })).await;
    let comment = async |person: &str, text: &str| {
        let body = json!({ "object": "page", "post_id": post["id"], "person": person, "text": text });
        sim("comments", body).await
    };
    let first = comment("Maren Holt", "Until when are you open on Saturday? We would come with the children.").await;
    wait_for("the first comment", async || (tenant.items("/api/conversations").await.len() == 1).then_some(())).await;
    let body = json!({ "object": "page", "post_id": post["id"], "parent_id": first["id"], "person": "Tom Berger", "text": "Last year it was until six." });
    sim("comments", body).await;
    comment("Tom Berger", "Great evening!").await;
    sim("reactions", json!({ "post_id": post["id"], "person": "Maren Holt", "type": "love" })).await;
    write("Jonas Weber", "Hi, is the blue tent still available?").await;
    write("Maren Holt", "Hello, I have asked below your post as well. Is there parking?").await;
    let picture = json!({ "channel": "messenger", "page_id": page, "person": "Maren Holt", "kind": "image", "attachments": ["image"] });
    let picture = sim("messages", picture).await;
    let conversation = wait_for("the inbox", async || {
        let all = tenant.items("/api/conversations").await;
        let chat = all.iter().find(|it| it.text("channel") == "messenger" && it["unread"] == 2).cloned();
        chat.filter(|_| all.len() == 4)
    })
    .await;
    let path = format!("/api/conversations/{}", conversation.text("id"));
    for text in ["Hello Maren, yes: 40 places right behind the hall, and they are free.", "See you on Saturday!"] {
        let (status, sent) = tenant.call(Method::POST, &format!("{path}/messages"), &json!({ "text": text })).await;
        assert_eq!(status, 202, "{sent}");
    }
    sim("reactions", json!({ "message_id": picture["mid"], "person": "Maren Holt", "type": "❤" })).await;
    wait_for("the answers and the picture", async || {
        let messages = tenant.items(&format!("{path}/messages")).await;
        let has_picture = messages.iter().any(|message| message["attachments"][0]["status"] == "ready");
        let are_sent = messages.iter().all(|message| message["status"] != "sending");
        (messages.len() == 4 && has_picture && are_sent).then_some(())
    })
    .await;
    tenant.call_ok(Method::PATCH, &path, &json!({ "assigned_to": "sofia" })).await;
    [conversation.text("id").to_owned(), conversation.text("contact.id").to_owned()]
}
