//! Starts and stops the simulator: the listener, the sender task, and their shared state.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

use crate::connection::{Closer, Connections};
use crate::graph;
use crate::options::Options;
use crate::webhook::sender;
use crate::world::World;
use crate::{control, dialog, file_host, lead_ads};

/// Maximum number of concurrent webhook posts. Further posts wait.
const POSTS_AT_ONCE: usize = 64;

/// State shared by all requests and the sender.
pub(crate) struct Sim {
    world: Mutex<World>,
    /// Wakes the sender when there may be something to send.
    pub(crate) wake: Notify,
    /// Limits concurrent webhook posts. Hundreds at once would exhaust the sockets, and a receiver that is only busy
    /// would appear unreachable.
    pub(crate) posts: Semaphore,
    /// Client for webhooks and callback verification.
    pub(crate) http: reqwest::Client,
}

impl Sim {
    /// Locks the world. Never hold the guard across an await.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // Each change leaves the world consistent, so a panic elsewhere does not invalidate it.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running simulator. Dropping it stops the simulator.
#[derive(Debug)]
pub struct Handle {
    url: String,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Handle {
    /// The origin of the Graph API, dialog, lead forms and control interface, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address the simulator listens on.
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

/// Starts a simulator on the current tokio runtime. It accepts requests once this returns.
///
/// # Errors
/// Returns an error if the address cannot be bound or the HTTP client for webhooks cannot be built.
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
        let service = router(sim).into_make_service_with_connect_info::<Closer>();
        if let Err(error) = axum::serve(Connections(listener), service).await {
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
        .merge(file_host::router())
        .fallback(graph::http::serve)
        .with_state(sim)
}
