//! A simulator of Meta's side of Lead Ads, ads reporting, campaign writing, publishing and messaging over HTTP: the Graph
//! API, the login dialog, lead forms, the webhook sender, ad accounts of any size with their insights, what pages and
//! Instagram accounts publish, and what people write to them and to WhatsApp numbers.
//!
//! A client under test uses one address for both Graph and the dialog, subscribes its webhook as it would at Meta, and
//! is then treated as Meta treats clients. Scopes, page tasks and token kinds are enforced, unknown fields are
//! rejected, and lists are paged in Meta's odd ways. Webhooks are signed over escaped bytes, repeated, reordered and
//! retried. Tests control the simulator through the interface under `/_sim` (see the `control` module): they submit
//! leads, inject faults, invalidate tokens, create ad accounts, advance the clock and read the true state.
//!
//! The initial world of a simulator is described in [`seed`]. It lives in memory and has no knowledge of its clients.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let meta = graph_sim::start(graph_sim::Options::default()).await?;
//! println!("point the client at {}", meta.url());
//! # Ok(())
//! # }
//! ```

mod control;
mod dialog;
mod fault;
mod file_host;
mod graph;
mod lead_ads;
mod limit;
mod media;
mod web_page;
mod webhook;
mod world;

mod clock;
mod connection;
mod escaped_json;
mod options;
mod privacy;
mod report;
pub mod seed;
mod server;
pub mod signing;
mod stats;
mod usage;

pub use options::Options;
pub use server::{Handle, start};
