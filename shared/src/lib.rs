//! The nouns, edges and acts of Leadwire. One crate without features: what a function does not reach is not linked
//! into it, and what the tests run is byte for byte what is deployed.
//!
//! Layers, each knowing only those below it:
//!
//! | layer | modules | does not know |
//! |---|---|---|
//! | admins' acts | [`admin`] | which face an admin uses, JSON or pages |
//! | translation | [`auth`], [`http`], [`worker`] | what the product does |
//! | acts | [`leads`], [`connections`], [`ads`] | HTTP requests, SQS records, Lambda events |
//! | edges | [`graph`], [`table`], [`vault`], [`queue`], [`bus`], [`mail`] | each other |
//! | ground | [`model`], [`ids`], [`clock`], [`secret`], [`retry`], [`mod@env`], [`aws`], [`telemetry`] | any service of ours |
//!
//! [`error`] sums up the edges' failures, so that one `verdict` decides what happens to a piece of work.

pub mod clock;
pub mod ids;
pub mod model;
pub mod retry;
pub mod secret;

pub mod aws;
pub mod env;
pub mod telemetry;

pub mod bus;
pub mod graph;
pub mod mail;
pub mod queue;
pub mod table;
pub mod vault;

pub mod ads;
pub mod connections;
pub mod error;
pub mod jobs;
pub mod leads;
pub mod meta_app;

pub mod auth;
pub mod http;
pub mod worker;

pub mod admin;
