//! Starting and stopping: the listener, the sender task, and what they share.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

use crate::graph;
use crate::options::Options;
use crate::webhook::sender;
use crate::world::World;
use crate::{control, dialog, lead_ads};

/// More webhook posts wait for their turn.
const POSTS_AT_ONCE: usize = 64;

/// What every request and the sender share.
pub(crate) struct Sim {
    world: Mutex<World>,
    /// Wakes the sender when there may be something to send.
    pub(crate) wake: Notify,
    /// Webhook posts under way: hundreds at once would run out of sockets, and a receiver that is only busy would look
    /// unreachable.
    pub(crate) posts: Semaphore,
    /// For webhooks and callback verification.
    pub(crate) http: reqwest::Client,
}

impl Sim {
    /// The world, locked. Never held while waiting for anything.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // Each change of the world is complete in itself; a panic elsewhere does not make it wrong.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running simulator; it stops when this is dropped.
#[derive(Debug)]
pub struct Handle {
    url: String,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Handle {
    /// The origin of everything: Graph API, dialog, lead forms, control. Without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Starts a simulator on the current tokio runtime; it answers when this returns.
///
/// # Errors
/// When the address cannot be listened on, or the HTTP client for webhooks cannot be built.
pub async fn start(options: Options) -> io::Result<Handle> {
    let listener = TcpListener::bind((options.host, options.port)).await?;
    let address = listener.local_addr()?;
    let url = format!("http://{address}");
    let public_url = options.public_url.as_deref().unwrap_or(&url).trim_end_matches('/').to_owned();
    let http = reqwest::Client::builder()
        .no_proxy()
        // Meta does not follow redirects of a callback.
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(io::Error::other)?;
    let sim = Arc::new(Sim {
        world: Mutex::new(World::new(&options, public_url)),
        wake: Notify::new(),
        posts: Semaphore::new(POSTS_AT_ONCE),
        http,
    });
    let sender = tokio::spawn(sender::run(Arc::clone(&sim)));
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router(sim)).await {
            tracing::error!(%error, "the simulator stopped answering");
        }
    });
    Ok(Handle { url, address, tasks: vec![server, sender] })
}

fn router(sim: Arc<Sim>) -> Router {
    Router::new()
        .merge(control::router())
        .merge(dialog::router())
        .merge(lead_ads::router())
        .fallback(graph::http::serve)
        .with_state(sim)
}
