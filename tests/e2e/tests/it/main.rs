//! The stories, by what they are about.

mod access;
mod browser;
mod callback;
mod connecting;
mod deliveries;
mod directory;
mod leads;
mod least_privilege;
mod secrecy;
