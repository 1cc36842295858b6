//! Tests the simulator from outside, over HTTP, as a client and as a webhook receiver.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets what it does not expect should stop there"
)]

mod ad_writer;
mod advertiser;
mod client;
mod desk;
mod files;
mod receiver;

mod ad_reviews;
mod ad_rights;
mod ads_account;
mod ads_changes;
mod ads_edges;
mod ads_limits;
mod batch;
mod businesses;
mod control;
mod conversions;
mod deliveries;
mod development;
mod effects;
mod export;
mod faults;
mod feed_webhooks;
mod fields;
mod forms;
mod grants;
mod inbox_conversations;
mod inbox_messages;
mod inbox_sends;
mod insights;
mod insights_days;
mod insights_queries;
mod instagram;
mod instagram_comments;
mod instagram_files;
mod lead_access;
mod lead_ads;
mod leads;
mod limits;
mod login;
mod new_forms;
mod other_clients;
mod page_comments;
mod page_photos;
mod page_posts;
mod page_stories;
mod page_videos;
mod pages;
mod privacy;
mod reports;
mod retention;
mod retries;
mod signing;
mod size;
mod storm;
mod subscriptions;
mod system_users;
mod test_leads;
mod tokens;
mod transport;
mod web;
mod webhooks;
mod whatsapp;
mod whatsapp_sends;
mod withdrawals;
mod written_ads;
mod written_adsets;
mod written_campaigns;
mod written_creatives;
mod written_forms;
