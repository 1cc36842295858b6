//! A webhook receiver that records its requests and returns the status a test wants.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use graph_sim::seed;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::client::{Meta, app_token};

/// One recorded request.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
    pub(crate) json: Value,
}

impl Post {
    /// The page id and leadgen id of every leadgen change.
    pub(crate) fn leads(&self) -> Vec<(String, String)> {
        let entries = self.json["entry"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        entries
            .iter()
            .flat_map(|entry| entry["changes"].as_array().cloned().unwrap_or_default())
            .map(|change| (text(&change["value"]["page_id"]), text(&change["value"]["leadgen_id"])))
            .collect()
    }

    pub(crate) fn pages(&self) -> Vec<String> {
        let entries = self.json["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

#[derive(Debug, Default)]
struct Shared {
    posts: Mutex<Vec<Post>>,
    status: AtomicU16,
}

/// A receiver that listens until it is dropped.
pub(crate) struct Receiver {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Starts a receiver. `/hook` returns the challenge, `/quoted` returns it in quotes, and `/closed` rejects it.
    /// `/deletion` confirms with a code.
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared { posts: Mutex::default(), status: AtomicU16::new(200) });
        let router = Router::new()
            .route("/hook", get(challenge).post(keep))
            .route("/quoted", get(quoted))
            .route("/deletion", post(confirm))
            .route("/closed", get(async || StatusCode::FORBIDDEN))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { url, shared, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sets the status of all further responses.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.shared.posts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the recorded requests satisfy `enough`.
    pub(crate) async fn wait(&self, enough: impl Fn(&[Post]) -> bool) -> Vec<Post> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let posts = self.posts();
            if enough(&posts) {
                return posts;
            }
            assert!(Instant::now() < deadline, "not enough after {} posts: {posts:?}", posts.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for a number of leadgen changes over all requests, including duplicates.
    pub(crate) async fn wait_for_leads(&self, count: usize) -> Vec<Post> {
        self.wait(|posts| posts.iter().map(|post| post.leads().len()).sum::<usize>() >= count).await
    }

    /// Subscribes the app to page changes and installs it on `pages`, with Mara's tokens.
    pub(crate) async fn subscribe(&self, meta: &Meta, pages: &[&str], fields: &str) {
        let form = [("object", "page"), ("callback_url", &self.url("/hook")), ("fields", fields)];
        let answer = meta.post(&format!("/{}/subscriptions", seed::APP_ID), &app_token(), &form).await;
        assert_eq!(answer.json["success"], true, "{}", answer.text);
        let user = meta.mara().await;
        for page_id in pages {
            let token = meta.page_of(&user, page_id).await;
            let answer =
                meta.post(&format!("/{page_id}/subscribed_apps"), &token, &[("subscribed_fields", fields)]).await;
            assert_eq!(answer.json["success"], true, "{}", answer.text);
        }
    }
}

async fn challenge(RawQuery(query): RawQuery) -> (StatusCode, String) {
    let parameters: Vec<_> = url::form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes()).collect();
    let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_string());
    let right = value("hub.mode").as_deref() == Some("subscribe")
        && value("hub.verify_token").as_deref() == Some(seed::VERIFY_TOKEN);
    if right {
        (StatusCode::OK, value("hub.challenge").unwrap_or_default())
    } else {
        (StatusCode::FORBIDDEN, String::new())
    }
}

async fn quoted(query: RawQuery) -> String {
    format!("\"{}\"", challenge(query).await.1)
}

async fn keep(State(shared): State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    let json = serde_json::from_slice(&bytes).unwrap_or_default();
    shared.posts.lock().unwrap_or_else(PoisonError::into_inner).push(Post { headers, bytes, json });
    StatusCode::from_u16(shared.status.load(Ordering::SeqCst)).expect("a status")
}

async fn confirm(shared: State<Arc<Shared>>, headers: HeaderMap, bytes: Bytes) -> impl IntoResponse {
    let status = keep(shared, headers, bytes).await;
    (status, Json(json!({"url": "https://client.example/status?code=a1", "confirmation_code": "a1"})))
}
