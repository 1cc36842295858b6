//! The Graph API: from an HTTP request to Meta's response.
//!
//! `http` parses requests from HTTP, `answer` runs one of them (alone or as part of a `batch`), and `route` finds the
//! endpoint. The files named after nodes and edges implement the endpoints.

pub(crate) mod answer;
pub(crate) mod http;
pub(crate) mod request;

mod batch;
mod charge;
mod endpoint;
pub(crate) mod error;
mod fields;
mod known_errors;
mod legacy;
mod multipart;
mod node;
mod paging;
mod rejection;
mod route;
mod session;
mod sparse;
mod specs;
mod version;
mod write_params;

mod ad_account;
mod ads;
mod app;
mod app_subscriptions;
mod business;
mod content;
mod conversions;
mod datasets;
mod debug_token;
mod form;
mod form_questions;
mod form_write;
mod inbox;
pub(crate) mod insights;
mod lead;
mod lead_list;
mod oauth;
mod page;
mod page_backed;
mod permissions;
mod subscribed_apps;
mod system_user;
mod test_leads;
mod user;

pub(crate) use ads::truth::campaigns as written_campaigns;
pub(crate) use content::container_status_text;
pub(crate) use conversions::lead_id as event_lead_id;
pub(crate) use inbox::is_whatsapp_reader;
pub(crate) use insights::is_field as is_insights_field;
pub(crate) use lead::field_data as lead_field_data;
pub(crate) use subscribed_apps::is_field as is_page_field;
