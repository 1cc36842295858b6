//! Connections: connecting an org to Meta, keeping it connected, and ending the connection.
//!
//! [`Connections`] has the operations of the API and the console. It sends a person to Meta's login, and [`Connector`]
//! handles their return, or accepts a system user's token instead. The free functions are steps shared with the daily
//! check.

mod accept;
mod accounts;
mod agree;
mod businesses;
mod finish;
pub mod health;
#[cfg(test)]
mod health_tests;
mod integrations;
mod login;
mod manage;
mod observe;
mod pages;
mod person;
mod remove;
mod settings;
mod system_user;

pub use accept::{Accepted, Connector};
pub use agree::Invitation;
pub use businesses::{BusinessAdAccountOut, BusinessList, BusinessOut, BusinessPageOut, TenureOut};
pub use finish::{DialogResult, FinishError, FinishedLogin};
pub use health::Health;
pub use integrations::{
    ConnectedPerson, ConnectionList, ConnectionOut, FoundByOut, IntegrationList, IntegrationOut, IntegrationStatus,
    PageList,
};
pub use login::{CONSOLE_RETURN_PATH, Dialog, INVITATION_PATH, LoginRequest};
pub use manage::{Disconnected, NewIntegration, PagesIn, Removal, SettingsIn, TokenIn};
pub use observe::diagnose;
pub use pages::{release, subscribe};
pub use person::person_hash;
pub use remove::{erase, release_credentials, remove};

use crate::tokens::Tokens;

/// The admins' operations on the org's connections.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Stores what Meta grants.
    pub connector: Connector,
    /// The Graph API with the integrations' tokens.
    pub tokens: Tokens,
    /// Meta's login dialog.
    pub dialog: Dialog,
}
