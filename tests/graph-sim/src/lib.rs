//! Meta's side of Lead Ads and ads reporting over HTTP, simulated: the Graph API, the login dialog, lead forms, the webhook
//! sender, and ad accounts of any size with their insights.
//!
//! A client under test is pointed at one address for Graph and dialog alike, subscribes its webhook as it would at
//! Meta, and is then treated as Meta treats clients: scopes, page tasks and token kinds are enforced, unknown fields
//! refused, lists paged in Meta's odd ways, webhooks signed over escaped bytes, repeated, reordered and retried.
//! Tests steer it through the control interface under `/_sim` (see the `control` module): submit leads, inject faults,
//! kill tokens, make ad accounts, advance the clock, read the truth.
//!
//! The world a simulator starts with is described in [`seed`]. It lives in memory and knows nothing of its clients.
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
mod graph;
mod lead_ads;
mod limit;
mod web_page;
mod webhook;
mod world;

mod clock;
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
