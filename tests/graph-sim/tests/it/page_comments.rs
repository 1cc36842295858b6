//! Comments on a page's posts, reactions to them, and private replies.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{Answer, PUBLISHING_SCOPES};
use crate::desk::Desk;

/// Comments as a person and returns the id.
async fn comment(desk: &Desk, mut body: Value) -> String {
    body["object"] = json!("page");
    body["person"] = json!("Ada Example");
    desk.meta.sim("comments", body).await["id"].as_str().expect("an id").to_owned()
}

async fn update(desk: &Desk, id: &str, form: &[(&str, &str)]) -> Answer {
    desk.meta.post(&format!("/{id}"), &desk.token, form).await
}

/// Replies privately to a comment.
async fn reply_privately(desk: &Desk, comment_id: &str) -> Answer {
    let recipient = json!({"comment_id": comment_id}).to_string();
    desk.send(&[("recipient", &recipient), ("message", r#"{"text":"In private"}"#)]).await
}

#[tokio::test]
async fn what_people_do_to_their_comments_is_announced() {
    let desk = Desk::start().await;
    let post = desk.post().await;
    desk.changes("feed", 1).await;
    let id = comment(&desk, json!({"post_id": post, "text": "Is it open?"})).await;
    let feed = desk.changes("feed", 2).await;
    let add = &feed[1];
    assert_eq!(
        (&add["item"], &add["verb"], &add["message"]),
        (&json!("comment"), &json!("add"), &json!("Is it open?"))
    );
    assert_eq!((&add["comment_id"], &add["post_id"], &add["parent_id"]), (&json!(id), &json!(post), &json!(post)));
    assert_eq!((&add["from"]["name"], &add["post"]["id"]), (&json!("Ada Example"), &json!(post)));
    let reply = comment(&desk, json!({"parent_id": id, "text": "Anyone?"})).await;
    assert_eq!(desk.changes("feed", 3).await[2]["parent_id"], id);
    desk.meta.sim("comments", json!({"object": "page", "verb": "edit", "comment_id": id, "text": "On Sunday?"})).await;
    let edited = desk.changes("feed", 4).await.remove(3);
    assert_eq!((&edited["verb"], &edited["message"]), (&json!("edited"), &json!("On Sunday?")));
    desk.meta.sim("comments", json!({"object": "page", "verb": "hide", "comment_id": id})).await;
    let hidden = desk.changes("feed", 5).await.remove(4);
    assert_eq!(
        (&hidden["verb"], &hidden["from"]["id"], &hidden["message"]),
        (&json!("hide"), &json!(seed::DENTAL), &json!("On Sunday?"))
    );
    desk.meta.sim("comments", json!({"object": "page", "verb": "remove", "comment_id": id})).await;
    let removed = desk.changes("feed", 6).await.remove(5);
    assert_eq!((&removed["verb"], &removed["message"]), (&json!("remove"), &Value::Null));
    let truth = desk.meta.truth("comments").await;
    assert_eq!(
        (&truth[0]["text"], &truth[0]["hidden"], &truth[0]["removed"]),
        (&json!("On Sunday?"), &json!(true), &json!(true))
    );
    assert_eq!((&truth[1]["id"], &truth[1]["removed"]), (&json!(reply), &json!(true)), "replies go with it");
    assert_eq!(desk.meta.get(&format!("/{id}"), &desk.token).await.error(), (400, 100, Some(33)));
    // Oddities.
    desk.meta.sim("messaging", json!({"names_authors": false, "edit_verb": "edit"})).await;
    let id = comment(&desk, json!({"post_id": post, "attachment": "photo"})).await;
    let photo = desk.changes("feed", 7).await.remove(6);
    assert_eq!((&photo["from"], &photo["message"], photo["photo"].is_string()), (&Value::Null, &Value::Null, true));
    desk.meta.sim("comments", json!({"object": "page", "verb": "edit", "comment_id": id, "text": "x"})).await;
    assert_eq!(desk.changes("feed", 8).await[7]["verb"], "edit");
}

#[tokio::test]
async fn comments_are_read_flat_or_at_the_top_and_in_order() {
    let desk = Desk::start().await;
    let post = desk.post().await;
    let mut ids = Vec::new();
    for text in ["K1", "K4"] {
        ids.push(comment(&desk, json!({"post_id": post, "text": text})).await);
        desk.meta.advance(1).await;
    }
    for text in ["K2", "K3"] {
        ids.push(comment(&desk, json!({"parent_id": ids[0], "text": text})).await);
        desk.meta.advance(1).await;
    }
    let list = async |query: &str| {
        let answer = desk.meta.get(&format!("/{post}/comments?fields=message&{query}"), &desk.token).await;
        answer.column("message").join(" ")
    };
    assert_eq!(list("order=chronological").await, "K1 K4");
    assert_eq!(list("filter=stream&order=chronological").await, "K1 K4 K2 K3");
    assert_eq!(list("filter=stream&order=reverse_chronological").await, "K3 K2 K4 K1");
    assert_eq!(list("").await, "K1 K4", "ranked: the one with replies first");
    assert_eq!(list("filter=stream&order=chronological&limit=3").await, "K1 K4 K2");
    let fields = "message,from,parent{id,message},comment_count,can_hide,can_reply_privately,created_time";
    let answer = desk.meta.get(&format!("/{}?fields={fields}", ids[2]), &desk.token).await.json;
    assert_eq!((&answer["parent"]["message"], &answer["from"]["name"]), (&json!("K1"), &json!("Ada Example")));
    assert_eq!((&answer["can_hide"], &answer["can_reply_privately"]), (&json!(true), &json!(true)));
    let path = format!("/{}/comments?fields=message", ids[0]);
    assert_eq!(desk.meta.get(&path, &desk.token).await.column("message"), ["K3", "K2"]);
    // In a sweep, with counts.
    let fields = "id,comments.filter(stream).order(reverse_chronological).limit(2){message,parent{id}},\
                  reactions.limit(0).summary(total_count),shares";
    let path = format!("/{}/published_posts?fields={fields}", seed::DENTAL);
    let row = desk.meta.get(&path, &desk.token).await.json["data"][0].clone();
    assert_eq!(row["comments"]["data"][0]["parent"]["id"], ids[0]);
    assert!(row["comments"]["paging"]["next"].is_string());
    assert_eq!((&row["reactions"]["summary"]["total_count"], &row["shares"]), (&json!(0), &Value::Null));
    let answer = desk.meta.get(&format!("/{post}/comments?limit=0&summary=true"), &desk.token).await.json;
    assert_eq!(answer["summary"], json!({"total_count": 2, "order": "ranked", "can_comment": true}));
    // Without a permission the author stays unknown.
    let user = desk.meta.login(seed::JONAS, PUBLISHING_SCOPES, "").await;
    let token = desk.meta.page_of(&user, seed::DENTAL).await;
    let answer = desk.meta.get(&format!("/{}?fields=message,from", ids[0]), &token).await.json;
    assert_eq!((&answer["message"], &answer["from"]), (&json!("K1"), &Value::Null));
}

#[tokio::test]
async fn the_page_answers_hides_and_deletes() {
    let desk = Desk::start().await;
    let post = desk.post().await;
    let id = comment(&desk, json!({"post_id": post, "text": "Open?"})).await;
    desk.changes("feed", 2).await;
    let answer = desk.meta.post(&format!("/{id}/comments"), &desk.token, &[("message", "Yes")]).await;
    let own = answer.id();
    let feed = desk.changes("feed", 3).await.remove(2);
    assert_eq!(
        (&feed["from"]["id"], &feed["comment_id"], &feed["parent_id"]),
        (&json!(seed::DENTAL), &json!(own), &json!(id))
    );
    assert_eq!(update(&desk, &own, &[("message", "Until six")]).await.json, json!({"success": true}));
    assert_eq!(update(&desk, &id, &[("message", "Not ours")]).await.error(), (403, 200, None));
    assert_eq!(update(&desk, &own, &[("is_hidden", "true")]).await.error(), (403, 200, None));
    assert_eq!(update(&desk, &id, &[]).await.error(), (400, 100, None));
    assert_eq!(update(&desk, &id, &[("is_hidden", "true")]).await.json, json!({"success": true}));
    let read = desk.meta.get(&format!("/{id}?fields=is_hidden,comment_count"), &desk.token).await.json;
    assert_eq!((&read["is_hidden"], &read["comment_count"]), (&json!(true), &json!(1)));
    assert_eq!(
        desk.meta.get(&format!("/{own}?fields=message,application"), &desk.token).await.json["application"]["id"],
        seed::APP_ID
    );
    let empty = desk.meta.post(&format!("/{post}/comments"), &desk.token, &[]).await;
    assert_eq!(empty.error(), (400, 100, None));
    let picture = [("attachment_url", "https://cdn.example/a.jpg")];
    desk.meta.post(&format!("/{post}/comments"), &desk.token, &picture).await.id();
    assert_eq!(desk.meta.delete(&format!("/{id}"), &desk.token).await.json, json!({"success": true}));
    let truth = desk.meta.truth("comments").await;
    assert_eq!((&truth[1]["by_app"], &truth[1]["text"]), (&json!(seed::APP_ID), &json!("Until six")));
    let user = desk.meta.login(seed::JONAS, PUBLISHING_SCOPES, "").await;
    let token = desk.meta.page_of(&user, seed::DENTAL).await;
    let answer = desk.meta.post(&format!("/{post}/comments"), &token, &[("message", "No")]).await;
    assert_eq!(answer.error(), (403, 200, None));
    assert!(answer.message().contains("pages_manage_engagement"), "{}", answer.text);
}

#[tokio::test]
async fn a_comment_is_answered_privately_once_and_within_a_week() {
    let desk = Desk::start().await;
    let post = desk.post().await;
    let id = comment(&desk, json!({"post_id": post})).await;
    let old = comment(&desk, json!({"post_id": post})).await;
    desk.meta.advance(3 * 24 * 3600).await;
    let answer = reply_privately(&desk, &id).await;
    let truth = desk.meta.truth("comments").await.remove(0);
    assert_eq!(
        (&answer.json["recipient_id"], &answer.json["message_id"]),
        (&truth["from"]["id"], &truth["private_reply"])
    );
    assert_eq!(desk.events("message", 1).await[0]["message"]["mid"], answer.json["message_id"]);
    assert_eq!(reply_privately(&desk, &id).await.error(), (400, 10_900, None));
    let read =
        desk.meta.get(&format!("/{id}?fields=can_reply_privately,private_reply_conversation"), &desk.token).await;
    assert_eq!(read.json["can_reply_privately"], false);
    assert!(read.json["private_reply_conversation"]["id"].as_str().unwrap().starts_with("t_"));
    // It opens no window.
    let person = answer.json["recipient_id"].as_str().unwrap();
    assert_eq!(desk.send_text(person, "More", &[]).await.error(), (400, 10, Some(2_018_278)));
    desk.meta.advance(5 * 24 * 3600).await;
    assert_eq!(reply_privately(&desk, &old).await.error(), (400, 100, Some(2_534_025)));
    assert_eq!(reply_privately(&desk, "1_2").await.error(), (400, 100, Some(2_534_025)));
}

#[tokio::test]
async fn reactions_and_shares_are_announced_and_counted() {
    let desk = Desk::start().await;
    let post = desk.post().await;
    let id = comment(&desk, json!({"post_id": post})).await;
    let react = async |body: Value| {
        let mut body = body;
        body["person"] = json!("Bo");
        desk.meta.sim("reactions", body).await;
    };
    desk.changes("feed", 2).await;
    react(json!({"post_id": post, "type": "anger"})).await;
    desk.changes("feed", 3).await;
    react(json!({"comment_id": id, "type": "love"})).await;
    desk.changes("feed", 4).await;
    react(json!({"comment_id": id, "type": "wow", "verb": "edit"})).await;
    let feed = desk.changes("feed", 5).await;
    let seen: Vec<_> = feed[2..].iter().map(|it| (&it["item"], &it["verb"], &it["reaction_type"])).collect();
    assert_eq!(seen[0], (&json!("reaction"), &json!("add"), &json!("anger")));
    assert_eq!(seen[2], (&json!("reaction"), &json!("edit"), &json!("wow")));
    assert_eq!((&feed[3]["comment_id"], &feed[3]["post_id"]), (&json!(id), &json!(post)));
    let list =
        desk.meta.get(&format!("/{post}/reactions?fields=name,type&summary=total_count"), &desk.token).await.json;
    assert_eq!((&list["data"][0]["type"], &list["data"][0]["name"]), (&json!("ANGRY"), &json!("Bo")));
    assert_eq!(list["summary"]["total_count"], 1);
    let list =
        desk.meta.get(&format!("/{post}/reactions?type=LIKE&limit=0&summary=total_count"), &desk.token).await.json;
    assert_eq!(list["summary"]["total_count"], 0);
    assert_eq!(desk.meta.get(&format!("/{id}/reactions"), &desk.token).await.column("type"), ["WOW"]);
    react(json!({"comment_id": id, "type": "wow", "verb": "remove"})).await;
    desk.changes("feed", 6).await;
    assert_eq!(desk.meta.get(&format!("/{id}/reactions"), &desk.token).await.column("type").len(), 0);
    react(json!({"post_id": post, "type": "share"})).await;
    let share = desk.changes("feed", 7).await.remove(6);
    assert_eq!((&share["item"], share["share_id"].is_string()), (&json!("share"), true));
    let read = desk.meta.get(&format!("/{post}?fields=shares"), &desk.token).await.json;
    assert_eq!(read["shares"], json!({"count": 1}));
    let truth = desk.meta.truth("reactions").await;
    assert_eq!(
        (&truth[0]["active"], &truth[1]["active"], &truth[1]["type"]),
        (&json!(true), &json!(false), &json!("wow"))
    );
    desk.meta.sim("messaging", json!({"doubles_likes": true})).await;
    react(json!({"post_id": post, "type": "like"})).await;
    let feed = desk.changes("feed", 9).await;
    assert_eq!((&feed[7]["item"], &feed[8]["item"]), (&json!("like"), &json!("reaction")));
    desk.meta
        .sim("comments", json!({"object": "page", "page_id": seed::DENTAL, "mention": "post", "text": "Great"}))
        .await;
    assert_eq!(desk.changes("mention", 1).await[0]["message"], "Great");
}
