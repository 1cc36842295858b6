//! Connecting an org to Meta, and keeping it so.
//!
//! [`begin()`] sends a person to Meta's login, [`Connector`] takes them back with what Meta gave, or takes a system user's
//! token instead. [`choose_pages`] and [`remove()`] change what was connected, [`mod@health`] says how it is.

mod accept;
mod begin;
mod finish;
pub mod health;
#[cfg(test)]
mod health_tests;
mod pages;
mod person;
pub mod problems;
mod remove;
mod settings;
mod system_user;

pub use accept::{Accepted, Connector};
pub use begin::{Begin, BeginError, Dialog, begin};
pub use finish::{Answer, FinishError, Onward, Outcome};
pub use pages::{ChooseError, choose_pages, release, subscribe};
pub use person::person_hash;
pub use remove::{erase, let_go, remove};
pub use settings::{SettingsError, check_settings};
pub use system_user::{PasteError, Pasted};
