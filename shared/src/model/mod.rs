//! The product's data and rules: plain structs, and functions of (data, now). No SDK, no runtime, no clock, no
//! environment: whatever is decided here can be decided in a unit test.

pub mod ad_account;
pub mod ad_object;
pub mod ad_trouble;
pub mod ads_sync;
pub mod assignment;
pub mod caller;
pub mod conversions;
pub mod creative;
pub mod currency;
pub mod delivery;
pub mod event;
#[cfg(test)]
mod event_tests;
pub mod form;
pub mod health;
#[cfg(test)]
mod health_tests;
pub mod identity;
pub mod insights;
pub mod integration;
pub mod latency;
pub mod lead;
pub mod lead_file;
pub mod lead_job;
pub mod login;
pub mod mapping;
#[cfg(test)]
mod mapping_tests;
pub mod merging;
pub mod org;
pub mod phone;
pub mod report;
#[cfg(test)]
mod report_tests;
pub mod rhythm;
pub mod run;
pub mod session;
pub mod standard_fields;
pub mod standing;
pub mod trace;
