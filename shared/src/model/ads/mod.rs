//! Ad accounts, what is in them, what it did, and how it is read and reported.

pub mod account;
pub mod conversions;
pub mod creative;
pub mod currency;
pub mod insights;
pub mod object;
pub mod report;
#[cfg(test)]
mod report_tests;
pub mod sync;
pub mod sync_problem;
