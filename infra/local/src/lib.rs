//! Runs `infra/template.yaml` on this machine.
//!
//! A [`System`] is the whole product, started: MiniStack in place of AWS, the simulator in place of Meta, the functions
//! of this workspace deployed with the SAM CLI under the roles of the template, and one origin in front of them. `cargo
//! dev` runs a `System` for a developer; a test starts its own. Every process a `System` starts ends with the process
//! that started it, however that process ends.
//!
//! This crate knows the template, the HTTP API and the simulator's control interface. It uses nothing of the
//! product: it builds and runs what it needs of it.

mod alarms;
pub mod calendar;
mod command;
pub mod database;
mod deploy;
pub mod dev;
mod dev_api;
mod endpoints;
mod environment;
mod logins;
mod ministack;
pub mod packages;
mod progress;
mod proxy;
mod python;
mod routes;
pub mod schemathesis;
mod seed;
mod simulator;
pub mod stories;
mod stub_runtime;
mod supervisor;
mod system;
pub mod template;
mod test_programs;
mod user_pool;
pub mod verify;
mod workdir;

pub use aws_calls::{Aws, Stack};
pub use deploy::{Build, Profile};
pub use endpoints::{Endpoints, Org, User};
pub use progress::Progress;
pub use stub_runtime::{APP_SECRET, RunningFunction};
pub use system::{Options, System};
