//! The stories, by subject.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "what is not there fails the story")]

mod access;
mod ads;
mod ads_command;
mod ads_oddities;
mod ads_schedule;
mod ads_sync;
mod callback;
mod campaigns;
mod connecting;
mod console;
mod console_access;
mod console_campaigns;
mod console_inbox;
mod console_input;
mod console_looks;
mod console_posts;
mod console_quality;
mod console_webhooks;
mod conversions;
mod deliveries;
mod directory;
mod documents;
mod expiry;
mod forms;
mod health;
mod imports;
mod inbox;
mod inbox_storm;
mod lead_notice;
mod leads;
mod least_privilege;
mod lifecycle;
mod people;
mod privacy;
mod programs;
mod proof;
mod publishing;
mod publishing_storm;
mod secrecy;
mod storm;
mod sweep;
mod system_users;
mod tidy;
mod webhooks;
