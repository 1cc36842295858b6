//! A CRM on this machine that receives events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

/// A receiver of events, for as long as the story runs.
pub struct Crm {
    /// Its address.
    pub url: String,
    inbox: Arc<Mutex<Received>>,
}

/// What a receiver got, and what it answers.
#[derive(Default)]
struct Received {
    events: Vec<ReceivedEvent>,
    answers: VecDeque<u16>,
}

/// A request that a receiver got.
#[derive(Debug, Clone)]
pub struct ReceivedEvent {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The status that it was answered with.
    pub status: u16,
}

impl ReceivedEvent {
    /// The body as JSON.
    ///
    /// # Panics
    /// Panics if it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// A header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the scheme's own library accepts its signature under a secret.
    ///
    /// # Panics
    /// Panics if the secret has another form than the scheme's.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        Webhook::new(secret).expect("a secret").verify(&self.body, &self.headers).is_ok()
    }
}

impl Crm {
    /// Starts a receiver that accepts everything.
    ///
    /// # Panics
    /// Panics if there is no free port.
    pub async fn start() -> Self {
        let inbox = Arc::<Mutex<Received>>::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/events", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(receive).with_state(inbox.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inbox }
    }

    /// Answers the next requests with these statuses, and those after them with 204.
    ///
    /// # Panics
    /// Panics if a request before this one did.
    pub fn answer(&self, statuses: &[u16]) {
        self.inbox.lock().expect("the receiver").answers.extend(statuses);
    }

    /// Returns all requests, in order.
    ///
    /// # Panics
    /// Panics if a request before this one did.
    #[must_use]
    pub fn received(&self) -> Vec<ReceivedEvent> {
        self.inbox.lock().expect("the receiver").events.clone()
    }

    /// Returns the requests with events of this name.
    #[must_use]
    pub fn received_of(&self, name: &str) -> Vec<ReceivedEvent> {
        self.received().into_iter().filter(|event| event.json()["type"] == name).collect()
    }
}

async fn receive(State(inbox): State<Arc<Mutex<Received>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut inbox = inbox.lock().expect("the receiver");
    let status = inbox.answers.pop_front().unwrap_or(204);
    inbox.events.push(ReceivedEvent { headers, body, status });
    StatusCode::from_u16(status).expect("a status")
}
