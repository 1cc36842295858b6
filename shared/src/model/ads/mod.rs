//! Ad accounts, their objects and numbers, and how these are synced and reported.

pub mod account;
pub mod conversions;
pub mod creative;
pub mod currency;
pub mod due;
pub mod insights;
pub mod metrics;
pub mod object;
pub mod outcome;
#[cfg(test)]
mod outcome_tests;
pub mod report;
#[cfg(test)]
mod report_tests;
pub mod seen_days;
pub mod sync;
pub mod sync_problem;
