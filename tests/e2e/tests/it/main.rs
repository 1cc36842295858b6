//! The stories, by what they are about.

#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "what is not there fails the story")]

mod access;
mod browser;
mod callback;
mod connecting;
mod deliveries;
mod directory;
mod leads;
mod least_privilege;
mod secrecy;
mod tidy;
