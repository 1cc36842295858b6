//! Stories over the running system: what an admin, the CRM and Meta do and see, through the same template, functions
//! and roles as in production.
//!
//! One system serves all stories of a run. Each story has its own org, and pages that no other story uses.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is a part of tests: what is not there fails the story"
)]

pub mod ad_accounts;
pub mod ads_harness;
pub mod alarms;
pub mod aws_probe;
pub mod browser;
pub mod console;
pub mod crm;
pub mod description;
pub mod fake_aws;
pub mod fixtures;
mod inbox;
pub mod inbox_storm;
pub mod json;
pub mod looks;
pub mod meta;
pub mod ops;
mod page_check;
pub mod roles;
pub mod slow_network;
pub mod storm;
pub mod tenant;
pub mod world;
