//! What Meta lists is read to its end, known once, and what fails of it costs the rest nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::{Json, Router};
use http::Uri;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::case_test_support::{T, body, second};
use super::sync::SocialSync;
use super::tests::{World, at, message};
use crate::error::WorkError;
use crate::graph::GraphClient;
use crate::ids::{InstagramAccountId, PageId};
use crate::jobs::SocialSyncJob;
use crate::model::inbox::Channel;
use crate::model::inbox::event::InboxEvent;
use crate::queue::Queue;
use crate::secret::AccessToken;

/// Edges with their elements, by path.
type Edges = BTreeMap<&'static str, Vec<Value>>;

/// One element a page. The first page of an edge may also stand within the node above.
fn page(edges: &Edges, edge: &str, after: Option<&str>) -> Value {
    let from: usize = after.map_or(0, |after| after.parse().unwrap());
    let elements = edges.get(edge).map_or(&[][..], Vec::as_slice);
    let mut element = elements.get(from).cloned().unwrap_or(Value::Null);
    for below in ["comments", "replies"] {
        let edge = format!("{}/{below}", element["id"].as_str().unwrap_or_default());
        if edges.contains_key(edge.as_str()) {
            element[below] = page(edges, &edge, None);
        }
    }
    let data: Vec<Value> = Some(element).into_iter().filter(|element| !element.is_null()).collect();
    let next = (from + 1 < elements.len()).then_some("https://graph.example/next");
    json!({ "data": data, "paging": { "cursors": { "after": (from + 1).to_string() }, "next": next } })
}

async fn serve(State(edges): State<Edges>, uri: Uri, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let edge = uri.path().split('/').skip(2).collect::<Vec<_>>().join("/");
    let mut edges = edges;
    // Without a filter, Meta shows only the comments at the top.
    if !query["fields"].contains("filter(stream)") && query.get("filter").is_none_or(|filter| filter != "stream") {
        for comments in edges.values_mut() {
            comments.retain(|comment| comment["parent"].is_null());
        }
    }
    Json(page(&edges, &edge, query.get("after").map(String::as_str)))
}

async fn graph() -> GraphClient {
    let comment = |id: &str, parent: Option<&str>, at: i64| {
        let parent = parent.map(|parent| json!({ "id": parent }));
        json!({ "id": id, "message": id, "from": { "id": "355", "name": "Visitor B" }, "parent": parent,
            "created_time": second(T + at).to_string(), "is_hidden": null })
    };
    let mut first = comment("K1", None, 1);
    let photo = json!({ "image": { "src": "https://cdn.example/k1.jpg", "width": 9 } });
    first["attachment"] = json!({ "type": "photo", "media": photo, "url": "https://facebook.example/photo/1" });
    let reply = |id: &str, at: i64| {
        json!({ "id": id, "text": id, "from": { "id": "5550", "username": "visitor_a" },
            "timestamp": second(T + at).to_string() })
    };
    graph_of(Edges::from([
        ("103/published_posts", vec![json!({ "id": "103_208", "created_time": second(T).to_string() })]),
        ("103_208/comments", vec![comment("K3", Some("K1"), 3), comment("K2", Some("K1"), 2), first]),
        ("17800/media", vec![json!({ "id": "18050", "timestamp": second(T).to_string() })]),
        ("18050/comments", vec![reply("I4", 9), reply("I1", 4)]),
        ("I1/replies", vec![reply("I2", 5), reply("I3", 6)]),
    ]))
    .await
}

async fn graph_of(edges: Edges) -> GraphClient {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(serve).with_state(edges);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let app = serde_json::from_value(json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" })).unwrap();
    GraphClient::new(endpoint.parse().unwrap(), "v26.0".into(), app).unwrap()
}

async fn listed(graph: &GraphClient) -> Vec<InboxEvent> {
    let (ages, token) = ((second(T), second(T)), AccessToken::new("t".to_owned()));
    let mut events = graph.page_comments(&PageId::parse("103").unwrap(), ages, &token).await.unwrap();
    let account = InstagramAccountId::parse("17800").unwrap();
    events.extend(graph.instagram_comments(&account, ages, &token).await.unwrap());
    events.sort_by_key(InboxEvent::written_at);
    events
}

#[tokio::test]
async fn comments_of_all_levels_and_pages_are_read_once_below_their_parents() {
    let (world, graph) = (World::connected().await, graph().await);
    // The webhook told of one reply.
    let value = json!({ "item": "comment", "verb": "add", "comment_id": "K2", "parent_id": "K1", "post_id": "103_208",
        "message": "K2", "created_time": T + 2, "from": { "id": "355", "name": "Visitor B" } });
    world.deliver(&body("page", "103", "changes", &json!([{ "field": "feed", "value": value }]))).await;
    let events = listed(&graph).await;
    assert_eq!(events.len(), 7);
    let mut found = Vec::new();
    for _ in 0..2 {
        found.push(world.engagement.take_missed(&world.owner, &events, world.now()).await.unwrap());
        let mut texts: Vec<_> = world.conversations().await.into_iter().map(|(_, texts)| texts.join(" ")).collect();
        texts.sort();
        assert_eq!(texts, ["I1 I2 I3", "I4", "K1 K2 K3"]);
    }
    assert_eq!(found, [6, 0]);
    // A picture is copied, not linked.
    let state = world.message(Channel::FacebookComment, "K1").await.unwrap();
    assert_eq!(state.files_coming().count(), 1);
}

#[tokio::test]
async fn however_many_people_wrote_all_of_them_are_listed() {
    let thread = |number: i64| {
        let message = json!({ "id": format!("m{number}"), "message": "Hi", "from": { "id": (number + 5_000).to_string() },
            "created_time": second(T + number).to_string() });
        json!({ "id": format!("t{number}"), "updated_time": second(T + number).to_string(), "messages": { "data": [message] } })
    };
    // The newest first, the last three before the time that is asked for.
    let threads: Vec<Value> = (-3..300).rev().map(thread).collect();
    let graph = graph_of(Edges::from([("103/conversations", threads)])).await;
    let page = PageId::parse("103").unwrap();
    let token = AccessToken::new("t".to_owned());
    let listed = graph.listed_messages(&page, Channel::Messenger, "103", second(T), &token).await.unwrap();
    assert_eq!(listed.len(), 300);
}

#[tokio::test]
async fn one_conversation_that_cannot_be_read_does_not_keep_the_others_from_what_was_missed() {
    let world = World::new().await;
    world.take(&message("m1", "p", "One", 1)).await;
    world.engagement.table.damage("conversation").await;
    let listed = [message("m2", "p", "Two", 2), message("m3", "q", "Three", 3)];
    let taken = world.engagement.take_missed(&world.owner, &listed, at(1_000)).await;
    assert!(taken.is_err(), "it is listed again");
    assert!(world.message(Channel::Messenger, "m2").await.is_none_or(|state| state.content.is_none()));
    assert_eq!(world.message(Channel::Messenger, "m3").await.unwrap().text(), Some("Three"));
}

#[tokio::test]
async fn a_sync_goes_on_with_the_pages_that_its_last_try_did_not_reach() {
    let world = World::new().await;
    let publisher = &world.fixture.publisher;
    let checks = Queue::new(world.fixture.sqs.clone(), format!("{}/checks", world.fixture.endpoint));
    let sync = SocialSync { meta: publisher.meta.clone(), engagement: world.engagement.clone(), checks };
    let sync = async |planned_at, time_left| {
        let (org, integration_id) = (world.owner.scope.org().clone(), world.owner.integration_id.clone());
        let job = SocialSyncJob { org, integration_id, planned_at };
        let outcome =
            sync.sync(&job, Duration::from_secs(time_left), &|| planned_at + SignedDuration::from_secs(1)).await;
        (outcome, std::mem::take(&mut world.fixture.meta.world().calls).len())
    };
    let (cut, calls) = sync(at(0), 5).await;
    assert!(matches!(cut, Err(WorkError::OutOfTime)) && calls == 0, "{cut:?} {calls}");
    let (done, calls) = sync(at(0), 300).await;
    assert!(done.is_ok() && calls > 0, "{done:?} {calls}");
    let (again, calls) = sync(at(0), 300).await;
    assert!(again.is_ok() && calls == 0, "what was synced since the job was sent is done: {again:?} {calls}");
    assert!(sync(at(1_800), 300).await.1 > 0);
}
