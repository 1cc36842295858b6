//! Many posts at once, while calls fail before and after Meta did the work and workers are killed.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::world::{wait_at_most, world};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// Posts on each of three pages and three Instagram accounts.
const POSTS: usize = 8;

#[tokio::test]
async fn a_storm_publishes_each_post_once() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-storm").pages(3).connect().await;
    let state = world().sim_state().await;
    let accounts: Vec<String> = person
        .pages
        .iter()
        .map(|page| state.find("instagram", "page_id", page.as_str()).text("id").to_owned())
        .collect();
    let mut number = 0;
    let mut fault = async |path: String, method: &str, kind: &str, when: &str, probability: f64| {
        number += 1;
        let fault = json!({ "path": path, "method": method, "kind": kind, "when": when, "code": 2, "status": 500,
            "probability": probability, "seed": number, "times": 3 * POSTS, "hold_ms": 5_000 });
        world().call_sim(Method::POST, "faults", &fault).await;
    };
    for (page, account) in person.pages.iter().zip(&accounts) {
        for call in [
            format!("/{page}/feed"),
            format!("/{page}/photos"),
            format!("/{account}/media"),
            format!("/{account}/media_publish"),
        ] {
            for (kind, when) in [("close", "after"), ("close", "before"), ("error", "after"), ("error", "before")] {
                fault(format!("={call}"), "POST", kind, when, 0.08).await;
            }
        }
        fault(format!("={account}/media"), "GET", "error", "before", 0.1).await;
        fault(format!("=/{page}/published_posts"), "GET", "throttle", "before", 0.1).await;
    }

    // Each request is sent twice at once, as by a caller who is not sure.
    let wanted: Vec<(&str, String, Value)> = (0..POSTS)
        .flat_map(|number| {
            person.pages.iter().zip(&accounts).flat_map(move |(page, account)| {
                let text = format!("storm {number} on {page}");
                let images = if number % 2 == 0 { json!([]) } else { json!([format!("https://cdn.example/{number}.jpg")]) };
                let on_page = json!({ "pageId": page, "message": text, "images": images, "requestId": format!("p-{number}-{page}") });
                let gram = json!({ "instagramAccountId": account, "caption": text, "requestId": format!("i-{number}-{page}"),
                    "mediaUrl": format!("https://cdn.example/{number}.jpg") });
                [("post-to-page", text.clone(), on_page), ("post-to-instagram", text, gram)]
            })
        })
        .collect();
    let ask = async |operation: &str, body: &Value| {
        let path = format!("/api/upstream/call/facebook-provider/{operation}");
        let (status, answer) = tenant.call(Method::POST, &path, body).await;
        assert_eq!(status, 202, "{answer}");
        answer.text("postId").to_owned()
    };
    for requests in wanted.chunks(6) {
        join_all(requests.iter().map(async |(operation, _, body)| {
            let (one, two) = tokio::join!(ask(operation, body), ask(operation, body));
            assert_eq!(one, two);
        }))
        .await;
    }
    for _ in 0..3 {
        world().call_dev_api(Method::POST, "kill/publish-worker").await;
        tokio::time::sleep(Duration::from_secs(4)).await;
    }

    let posts = wait_at_most(Duration::from_secs(600), "the posts' end", async || {
        world().call_dev_api(Method::POST, &format!("fire/publish-worker?org={}", tenant.org)).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mut posts = Vec::new();
        for page in &person.pages {
            posts.extend(tenant.items(&format!("/api/posts?limit=100&page_id={page}")).await);
        }
        let is_done = |post: &Value| matches!(post.text("status"), "published" | "failed");
        posts.iter().all(is_done).then_some(posts)
    })
    .await;
    assert_eq!(posts.len(), wanted.len());
    let failed: Vec<&Value> = posts.iter().filter(|post| post["status"] != "published").collect();
    assert!(failed.is_empty(), "{failed:#?}");

    let state = world().sim_state().await;
    let mut public: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for post in state.list("posts").iter().filter(|post| post["status"] == "published") {
        *public.entry(("post-to-page", post["message"].as_str().unwrap_or_default().to_owned())).or_default() += 1;
    }
    for account in
        state.list("instagram").iter().filter(|account| accounts.iter().any(|id| account["id"] == id.as_str()))
    {
        for medium in account.list("media") {
            *public
                .entry(("post-to-instagram", medium["caption"].as_str().unwrap_or_default().to_owned()))
                .or_default() += 1;
        }
    }
    for (operation, text, _) in &wanted {
        assert_eq!(public.get(&(operation, text.clone())), Some(&1), "{operation}: {text}");
    }
    let ids: std::collections::BTreeSet<&str> = posts.iter().map(|post| post.text("meta_id")).collect();
    assert_eq!(ids.len(), posts.len(), "each has an object of its own");
}
