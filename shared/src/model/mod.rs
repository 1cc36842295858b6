//! The product's data and rules: plain structs, and functions of (data, now). No SDK, no runtime, no clock, no
//! environment: whatever is decided here can be decided in a unit test.

pub mod ads;
pub mod connection;
pub mod lead;

pub mod caller;
pub mod event;
#[cfg(test)]
mod event_tests;
pub mod org;
pub mod session;
pub mod webhook;
