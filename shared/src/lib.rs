//! Leadwire: the product, in one crate without features. What a function does not reach is not linked into it, and what
//! the tests run is what is deployed.
//!
//! Layers, each knowing only those below it; `tests/e2e/tests/it/tidy.rs` checks the arrows:
//!
//! | layer | modules | does not know |
//! |---|---|---|
//! | translation | [`auth`], [`http`], [`worker`] | what the product does |
//! | rooms | [`leads`], [`connections`], [`ads`], [`publishing`], [`campaigns`], [`conversions`], [`deliveries`], [`operations`], [`orgs`], with [`directory`] below them and [`mod@rooms`], which builds them | HTTP requests, SQS records, Lambda events, cookies |
//! | between | [`meta_app`], [`tokens`], [`audit`], [`cursor`], [`error`] | rooms |
//! | edges | [`graph`], [`table`], [`vault`], [`queue`], [`bus`], [`mail`], [`receiver`], [`cloudwatch`] | each other |
//! | messages | [`jobs`] | who sends or receives them |
//! | ground | [`model`], [`ids`], [`clock`], [`secret`], [`retry`], [`language`], [`mod@env`], [`aws`], [`trace`], [`telemetry`], [`metrics`] | any service |
//!
//! `ARCHITECTURE.md` beside this package has the glossary, the traces and where to add things.

pub mod clock;
pub mod ids;
pub mod inbox;
pub mod language;
pub mod model;
pub mod retry;
pub mod secret;

pub mod aws;
pub mod env;
pub mod metrics;
pub mod telemetry;
pub mod trace;

pub mod jobs;

pub mod bus;
pub mod cloudwatch;
pub mod graph;
pub mod mail;
pub mod queue;
pub mod receiver;
pub mod table;
pub mod vault;

pub mod audit;
pub mod cursor;
pub mod error;
pub mod exports;
pub mod files;
pub mod meta_app;
pub mod tokens;

pub mod ads;
pub mod campaigns;
pub mod connections;
pub mod conversions;
pub mod deliveries;
pub mod directory;
pub mod leads;
pub mod notices;
pub mod once;
pub mod operations;
pub mod orgs;
pub mod people;
pub mod publishing;
pub mod rooms;

pub mod auth;
pub mod http;
pub mod worker;

#[cfg(test)]
mod derived_tests;
#[cfg(test)]
mod stored_test_support;
#[cfg(test)]
mod variants_tests;
