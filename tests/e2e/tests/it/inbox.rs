//! The inbox: what people write on Meta's channels, as the org's members see and answer it.

use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

async fn sim(path: &str, body: Value) -> Value {
    world().call_sim(Method::POST, path, &body).await
}

/// The conversations of the org on a channel, once there are so many.
async fn conversations(tenant: &Tenant, channel: &str, number: usize) -> Vec<Value> {
    wait_for("the conversations", async || {
        let found = tenant.items(&format!("/api/conversations?channel={channel}")).await;
        (found.len() == number).then_some(found)
    })
    .await
}

/// The messages of a conversation, oldest first.
async fn messages(tenant: &Tenant, conversation: &Value) -> Vec<Value> {
    let path = format!("/api/conversations/{}/messages?limit=100", conversation.text("id"));
    let mut items = tenant.items(&path).await;
    items.reverse();
    items
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["text"].as_str().unwrap_or("-")).collect()
}

/// Answers, and waits until the answer has this status.
async fn answer(tenant: &Tenant, conversation: &Value, body: Value, status: &str) -> Value {
    let path = format!("/api/conversations/{}/messages", conversation.text("id"));
    let (code, sent) = tenant.call(Method::POST, &path, &body).await;
    assert_eq!((code, sent.text("status")), (202, "sending"), "{sent}");
    wait_for("the answer's end", async || {
        let channels = ["", "?channel=messenger", "?channel=instagram"];
        for channel in channels {
            for one in tenant.items(&format!("/api/conversations{channel}")).await {
                let all = messages(tenant, &one).await;
                if let Some(found) =
                    all.iter().find(|message| message["id"] == sent["id"] && message["status"] == status)
                {
                    return Some(found.clone());
                }
            }
        }
        None
    })
    .await
}

#[tokio::test]
async fn a_person_is_one_over_a_comment_and_a_chat_and_is_answered_on_both() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("inbox-page").connect().await;
    let page = &person.pages[0];
    let post = sim("posts", json!({ "page_id": page, "message": "Open day" })).await;
    let comment = sim(
        "comments",
        json!({ "object": "page", "post_id": post["id"], "text": "Until when?", "person": "Ada Inbox" }),
    )
    .await;
    sim("messages", json!({ "channel": "messenger", "page_id": page, "text": "Hello", "person": "Ada Inbox" })).await;
    let below = conversations(&tenant, "facebook_comment", 1).await.remove(0);
    let chat = conversations(&tenant, "messenger", 1).await.remove(0);
    assert_eq!(below["contact"]["id"], chat["contact"]["id"], "{below} {chat}");
    assert_eq!(
        (below.text("post.id"), below.text("status"), below["unread"].as_u64()),
        (post.text("id"), "open", Some(1))
    );
    assert_eq!(below.text("contact.name"), "Ada Inbox");
    assert!(chat["reply"]["allowed"].as_bool().unwrap() && chat["reply"]["until"].is_string());

    let public = answer(&tenant, &below, json!({ "text": "Until six" }), "sent").await;
    let private = answer(&tenant, &below, json!({ "text": "See you there", "private": true }), "sent").await;
    let direct = answer(&tenant, &chat, json!({ "text": "Hi Ada", "request_id": "r1" }), "sent").await;
    let again = tenant
        .call(
            Method::POST,
            &format!("/api/conversations/{}/messages", chat.text("id")),
            &json!({ "text": "Hi Ada", "request_id": "r1" }),
        )
        .await;
    assert_eq!((again.0, &again.1["id"]), (202, &direct["id"]));

    // At Meta there is one of each, and what Meta tells of them adds nothing here.
    let state = world().sim_state().await;
    let replies = state.list("comments").iter().filter(|one| one["parent_id"] == comment["id"]).count();
    assert_eq!(replies, 1);
    let thread = state.list("threads").iter().find(|thread| thread["page_id"] == page.as_str()).unwrap().clone();
    let outgoing: Vec<&Value> =
        thread.list("messages").iter().filter(|message| message["direction"] == "out").collect();
    assert_eq!(outgoing.len(), 2, "{thread}");
    sim("messages", json!({ "kind": "read", "mid": direct["meta_id"] })).await;
    wait_for("that it was read", async || {
        messages(&tenant, &chat)
            .await
            .iter()
            .any(|one| one["id"] == direct["id"] && one["status"] == "read")
            .then_some(())
    })
    .await;
    assert_eq!(texts(&messages(&tenant, &below).await), ["Until when?", "Until six"]);
    assert_eq!(texts(&messages(&tenant, &chat).await), ["Hello", "See you there", "Hi Ada"]);
    assert_ne!(public["meta_id"], private["meta_id"]);
    assert_eq!(tenant.items("/api/conversations").await.len(), 2);
    assert_eq!(tenant.items("/api/contacts").await.len(), 1);
}

#[tokio::test]
async fn what_its_author_changes_or_takes_back_is_changed_and_gone_here() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("inbox-changes").connect().await;
    let page = &person.pages[0];
    let write = |body: Value| {
        let mut body = body;
        body["page_id"] = json!(page);
        body["channel"] = json!("messenger");
        body["person"] = json!("Bea Changes");
        async move { sim("messages", body).await }
    };
    let picture = write(json!({ "attachments": ["image"], "kind": "image" })).await;
    let liar = write(json!({ "attachments": [{ "type": "image", "lie": "html" }], "kind": "image" })).await;
    let text = write(json!({ "text": "At five?" })).await;
    let chat = conversations(&tenant, "messenger", 1).await.remove(0);
    let with = async |mid: &Value| {
        let all = messages(&tenant, &chat).await;
        all.into_iter().find(|message| message["meta_id"] == *mid)
    };
    let file = wait_for("the picture", async || {
        let message = with(&picture["mid"]).await?;
        (message["attachments"][0]["status"] == "ready").then(|| message["attachments"][0].clone())
    })
    .await;
    let shown = reqwest::get(file.text("url")).await.unwrap();
    assert_eq!((shown.status().as_u16(), shown.headers()["content-type"].to_str().unwrap()), (200, "image/jpeg"));
    let lie = wait_for("the liar", async || {
        let message = with(&liar["mid"]).await?;
        (message["attachments"][0]["status"] == "ready").then(|| message["attachments"][0].clone())
    })
    .await;
    let saved = reqwest::get(lie.text("url")).await.unwrap();
    assert_eq!(saved.headers()["content-type"], "application/octet-stream");
    assert!(saved.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));

    sim("messages", json!({ "kind": "edit", "mid": text["mid"], "text": "At six?" })).await;
    sim("messages", json!({ "kind": "delete", "mid": picture["mid"] })).await;
    let gone = wait_for("the changes", async || {
        let (edited, deleted) = (with(&text["mid"]).await?, with(&picture["mid"]).await?);
        (edited["text"] == "At six?" && deleted["deleted"] == true).then_some(deleted)
    })
    .await;
    assert_eq!((gone["text"].clone(), gone.text("attachments.0.status")), (Value::Null, "deleted"));
    wait_for("the file's end", async || {
        let status = reqwest::get(file.text("url")).await.unwrap().status().as_u16();
        (status == 404 || status == 403).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_whatsapp_person_is_the_lead_with_that_number() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("inbox-whatsapp").connect().await;
    let state = world().sim_state().await;
    let business = format!("{} Ltd", state.find("users", "id", person.id.as_str()).text("name"));
    let account = state.find("whatsapp", "name", business.as_str());
    assert_eq!(account["subscribed"], true, "{account}");
    let health = tenant.get(&format!("/api/meta/integrations/{integration}/health")).await;
    let known = health.find("items", "id", "whatsapp").text("evidence").to_owned();
    assert!(known.contains(account.text("phone_numbers.0.display_phone_number")), "{known}");
    let number = account.text("phone_numbers.0.id").to_owned();
    let someone =
        sim("people", json!({ "name": "Cem Lead", "channels": { "whatsapp": { "phone": "447700900123" } } })).await;
    let body = json!({ "channel": "whatsapp", "phone_number_id": number, "person": someone["id"], "text": "Is it still there?" });
    sim("messages", body).await;
    let chat = conversations(&tenant, "whatsapp", 1).await.remove(0);
    assert_eq!(chat.text("contact.name"), "Cem Lead");
    let sent = answer(&tenant, &chat, json!({ "text": "Yes, until Friday" }), "delivered").await;
    assert!(sent.text("meta_id").starts_with("wamid."));
}

#[tokio::test]
async fn who_mentions_us_is_known_has_a_member_and_is_gone_when_they_ask_for_it() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("inbox-mention").connect().await;
    let ann = json!({ "name": "Ann", "email": "ann@inbox-mention.example", "active": true, "permissions": ["inbox"] });
    tenant.call_ok(Method::PUT, "/api/users/ann", &ann).await;
    let path = format!("/api/meta/integrations/{integration}");
    let (status, problem) = tenant
        .call(Method::PATCH, &path, &json!({ "inbox_assignment": { "strategy": "user", "user_id": "no" } }))
        .await;
    assert_eq!((status, problem.text("field")), (400, "inbox_assignment.user_id"), "{problem}");
    tenant.call_ok(Method::PATCH, &path, &json!({ "inbox_assignment": { "strategy": "round_robin" } })).await;
    let state = world().sim_state().await;
    let account = state.find("instagram", "page_id", person.pages[0].as_str()).text("id").to_owned();
    let on_instagram = |more: Value| {
        let mut body = json!({ "object": "instagram", "instagram_id": account, "person": "Lena Mention" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    sim("comments", on_instagram(json!({ "mention": "post", "text": "Love this shop" }))).await;
    let contact = wait_for("who mentioned us", async || tenant.items("/api/contacts").await.pop()).await;
    let signal = &contact["signals"][0];
    assert_eq!((signal.text("type"), signal.text("value")), ("mention", "Love this shop"), "{contact}");
    assert!(signal.text("permalink").starts_with("https://www.instagram.com/"));

    let media = sim("posts", json!({ "instagram_id": account, "message": "New" })).await;
    sim("comments", on_instagram(json!({ "media_id": media["id"], "text": "Is it blue?" }))).await;
    let below = conversations(&tenant, "instagram_comment", 1).await.remove(0);
    assert_eq!((&below["contact"]["id"], below.text("assigned_to")), (&contact["id"], "ann"));

    let contact = format!("/api/contacts/{}", contact.text("id"));
    for _ in 0..2 {
        assert_eq!(tenant.call(Method::DELETE, &contact, &Value::Null).await.0, 204);
    }
    assert!(tenant.items("/api/contacts").await.is_empty());
    assert!(tenant.items("/api/conversations").await.is_empty());
}

#[tokio::test]
async fn only_who_may_use_the_inbox_does() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("inbox-rights").connect().await;
    let stranger = OrgFixture::new("inbox-stranger").connect().await.tenant;
    sim(
        "messages",
        json!({ "channel": "messenger", "page_id": person.pages[0], "text": "Hello", "person": "Dan Rights" }),
    )
    .await;
    let chat = conversations(&tenant, "messenger", 1).await.remove(0);
    let path = format!("/api/conversations/{}", chat.text("id"));
    assert_eq!(stranger.call(Method::GET, &path, &Value::Null).await.0, 404);
    assert!(stranger.items("/api/conversations").await.is_empty());
    let body = json!({ "title": "Hours", "text": "Until six." });
    let saved = tenant.call_ok(Method::POST, "/api/saved-replies", &body).await;
    let saved_path = format!("/api/saved-replies/{}", saved.text("id"));
    assert!(stranger.items("/api/saved-replies").await.is_empty());
    assert_eq!(stranger.call(Method::PUT, &saved_path, &body).await.0, 404);
    tenant.call_ok(Method::PUT, &saved_path, &json!({ "title": "Hours", "text": "Until seven." })).await;
    assert_eq!(tenant.items("/api/saved-replies").await[0]["text"], "Until seven.");
    assert_eq!(tenant.call(Method::DELETE, &saved_path, &Value::Null).await.0, 204);
    assert!(tenant.items("/api/saved-replies").await.is_empty());
    let (status, problem) = tenant.call(Method::PATCH, &path, &json!({ "status": "snoozed" })).await;
    assert_eq!((status, problem.text("field")), (400, "snoozed_until"), "{problem}");
    let (status, problem) = tenant.call(Method::PATCH, &path, &json!({ "assigned_to": "nobody" })).await;
    assert_eq!((status, problem.text("field")), (400, "assigned_to"), "{problem}");
    tenant.call_ok(Method::PATCH, &path, &json!({ "status": "closed", "read": true })).await;
    let closed = tenant.items("/api/conversations?status=closed").await;
    assert_eq!((closed.len(), closed[0]["unread"].as_u64()), (1, Some(0)));
    assert!(tenant.items("/api/conversations?status=open").await.is_empty());
    // They write again.
    sim(
        "messages",
        json!({ "channel": "messenger", "page_id": person.pages[0], "text": "Still there?", "person": "Dan Rights" }),
    )
    .await;
    wait_for("the conversation to open", async || {
        (tenant.items("/api/conversations?status=open").await.len() == 1).then_some(())
    })
    .await;
}
