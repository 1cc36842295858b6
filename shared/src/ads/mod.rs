//! Ads reporting: which ad accounts an org reads, reading them, and what the numbers add up to.
//!
//! [`link()`] verifies an account and stores it, [`begin()`] has it read, [`AdsSyncer`] reads it in turns: a turn ends when the
//! account is read, when Meta wants it left alone, or when the time of whoever reads is over, and the next turn goes on
//! where it stopped. One reading of an account is under way at a time. [`figures`] adds up.

mod account_days;
mod ad_days;
mod begin;
mod calls;
mod context;
pub mod figures;
mod link;
mod objects;
mod question;
mod slice;
mod steps;
mod sync;
mod token;

pub use begin::{Begun, begin};
pub use link::{Desk, LinkError, NewAccount, Token, change, link, unlink};
pub use sync::{AdsSyncer, SliceOutcome};
