//! The product's data and rules: plain structs, and functions of data and `now`.
//!
//! Nothing here touches an SDK, the runtime, the clock or the environment, so every decision can be unit-tested.

pub mod ads;
pub mod assignee_mail;
pub mod audit;
pub mod campaigns;
pub mod connection;
pub mod conversion;
pub mod delivery;
pub mod inbox;
pub mod lead;
pub mod operations;

pub mod caller;
pub mod days;
pub mod event;
pub mod failure;
pub mod json_input;
pub mod limit;
pub mod mail_feedback;
pub mod mail_preference;
pub mod org;
pub mod publishing;
pub mod session;
pub mod spreadsheet;
pub mod web_address;
pub mod webhook;
