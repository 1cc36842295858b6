//! The stories, by what they are about.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "what is not there fails the story")]

mod access;
mod browser;
mod callback;
mod connecting;
mod deliveries;
mod directory;
mod expiry;
mod health;
mod leads;
mod least_privilege;
mod lifecycle;
mod privacy;
mod secrecy;
mod sweep;
mod system_users;
mod tidy;
