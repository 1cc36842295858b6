//! The control interface for tests: JSON under `/_sim`.
//!
//! | call | effect |
//! |---|---|
//! | `POST leads {form_id, count?, platform?, partner_name?, answers?, deliver?, deliver_after_ms?, readable_after_ms?, organic?, age_s?}` | submits forms, returns `{"ids"}` |
//! | `POST storm {seed, leads, form_ids, over_ms?, shares?, late_ms?, readable_after_ms?, same_person?}` | submits many leads with delivery problems, returns `{"leads", "injected"}` |
//! | `POST limits {page_id \| account_id, calls, window_s?, block_s?, type?}`, `GET limits`, `DELETE limits` | sets, lists or removes rate limits of pages and ad accounts |
//! | `POST ads {account_id, currency, timezone, campaigns, adsets_per_campaign, ads_per_adset, days, seed, …}` | creates an ad account of any size |
//! | `GET ads/{account_id}/totals[?since=&until=&by=]` | the sums that its own reports would show |
//! | `POST ads/{account_id}/change {touch?, status? + ids?, rename?, budget?, account?, metrics?, …}` | changes it while a client reads it |
//! | `POST ads/{account_id}/reports {next?, times?, polls?, over_ms?}` | the outcome of its next reports |
//! | `POST ads/oddities {list_lag_ms?, in_process_ms?, review_ms?, languages?: {user_id: "en" \| "de"}}` | the lag of lists, the pace of reviews, the languages of errors |
//! | `POST reviews {ad_id, outcome: "approved" \| "disapproved", feedback?}` | ends the review of an ad |
//! | `POST posts {page_id \| instagram_id, message?, link?, media?, age_s?}` | makes a post by hand, with another app |
//! | `POST people {id?, name?, channels?, blocked?, deliver?}` | adds or changes a person outside |
//! | `POST comments {object, post_id \| media_id, text?, person?, parent_id?, verb?, comment_id?, ad_id?, deliver?, …}` | a person comments, or changes a comment |
//! | `POST reactions {post_id \| comment_id \| message_id, person?, type, verb?, deliver?, at?}` | a person reacts or shares |
//! | `POST messages {channel, page_id \| instagram_id \| phone_number_id, person?, text?, attachments?, kind?, mid?, deliver?, at?, …}` | a person writes, or does something in a thread |
//! | `POST messaging {…}`, `GET messaging` | switches of comments and messages |
//! | `POST web {url, status?, content_type?, width?, height?, bytes?, duration_s?, location?, timeout?, processing_error?, processing_ms?, times?}` | what an address returns to Meta |
//! | `GET web`, `DELETE web[?id=]` | lists entries and fetches, removes entries |
//! | `POST publishing {…}`, `GET publishing` | switches of publishing |
//! | `POST instagram {instagram_id \| page_id, quota_total?, linked?}` | changes an Instagram account |
//! | `POST faults {path, kind, when?, code?, subcode?, status?, message?, method?, skip?, times?, probability?, seed?, hold_ms?}` | makes calls fail from now on |
//! | `GET faults`, `DELETE faults[?id=]` | lists or removes the rules in force |
//! | `POST tokens {action, user_id and/or page_id, …}` | expires, invalidates or restores tokens, withdraws permissions |
//! | `POST events {object?, id, field+value \| changes \| messaging \| raw \| dashboard_test}` | sends other webhooks |
//! | `POST pages {page_id, lead_access?, lead_terms?, subscribed_fields?: [fields] \| null}` | grants or revokes the app's access to a page's leads; accepts or withdraws the page's terms for lead ads; changes the app's subscription |
//! | `POST forms {form_id, status: "ACTIVE" \| "ARCHIVED"}` | archives or reactivates a form |
//! | `POST forms {page_id, name, locale?, questions, consents?}` | creates a form, returns `{"id"}` |
//! | `GET forms/{id}/export.csv[?encoding=utf-16 \| utf-8]` | the form's leads in Meta's download format |
//! | `POST app {mode?: "live" \| "development", new_app?, deauthorize_url?, deletion_url?}` | changes the app's settings |
//! | `POST privacy {user_id, kind: "deauthorize" \| "deletion", times?, send?}` | removes the app for a person and sends the callback; returns `{"answers"}`, or `{"signed_request"}` with `send: false` |
//! | `POST users {pages?, languages?}` | adds a person with pages and forms of their own, returns `{"id", "business_id", "pages"}` |
//! | `POST system_users {business_id?, pages?: count \| [ids], ad_accounts?: count \| [ids], scopes?, expires_in_days?: 60 \| null, name?}` | adds a system user, returns `{"id", "token", "business_id", "pages", "ad_accounts"}` |
//! | `POST system_users/{id}/tokens {scopes?, expires_in_days?}` | creates another token of a system user, returns `{"token"}` |
//! | `POST clock {advance_s}`, `GET clock` | advances or reads the clock |
//! | `GET stats`, `GET state` | counters; the whole state |
//! | `POST reset` | returns to the seed world |
//!
//! Invalid calls are rejected with 400 and `{"error": "<sentence>"}`.

mod ads;
mod app;
mod clock;
mod content_state;
mod datasets;
mod events;
mod export;
mod faults;
mod forms;
mod inbox;
mod leads;
mod limits;
mod pages;
mod posts;
mod privacy;
mod publishing;
mod reviews;
mod state;
mod storm;
mod system_users;
mod tokens;
mod users;
mod web;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use crate::server::Sim;

pub(crate) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/_sim/leads", post(leads::submit))
        .route("/_sim/storm", post(storm::brew))
        .route("/_sim/limits", post(limits::set).get(limits::list).delete(limits::lift))
        .route("/_sim/ads", post(ads::create))
        .route("/_sim/ads/oddities", post(ads::change_settings))
        .route("/_sim/reviews", post(reviews::decide))
        .route("/_sim/ads/{account_id}/totals", get(ads::totals))
        .route("/_sim/ads/{account_id}/change", post(ads::change))
        .route("/_sim/ads/{account_id}/reports", post(ads::reports))
        .route("/_sim/faults", post(faults::add).get(faults::list).delete(faults::remove))
        .route("/_sim/tokens", post(tokens::act))
        .route("/_sim/events", post(events::send))
        .route("/_sim/pages", post(pages::change))
        .route("/_sim/posts", post(posts::make))
        .route("/_sim/people", post(inbox::people::add))
        .route("/_sim/comments", post(inbox::comments::comment))
        .route("/_sim/reactions", post(inbox::reactions::react))
        .route("/_sim/messages", post(inbox::messages::write))
        .route("/_sim/messaging", post(inbox::switches::change).get(inbox::switches::read))
        .route("/_sim/web", post(web::register).get(web::list).delete(web::remove))
        .route("/_sim/publishing", post(publishing::change).get(publishing::read))
        .route("/_sim/instagram", post(publishing::change_account))
        .route("/_sim/forms", post(forms::change))
        .route("/_sim/forms/{form_id}/export.csv", get(export::download))
        .route("/_sim/app", post(app::change))
        .route("/_sim/privacy", post(privacy::call))
        .route("/_sim/users", post(users::join))
        .route("/_sim/system_users", post(system_users::hire))
        .route("/_sim/system_users/{id}/tokens", post(system_users::generate_token))
        .route("/_sim/clock", post(clock::advance).get(clock::read))
        .route("/_sim/stats", get(state::stats))
        .route("/_sim/state", get(state::truth))
        .route("/_sim/reset", post(state::reset))
        .route("/_sim/{*rest}", any(unknown))
}

/// Rejects unknown control calls. Otherwise a misspelt one would look like a Graph error.
async fn unknown(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": format!("there is no control call {}", uri.path())}))).into_response()
}

/// A mistake in a control call, described in a sentence.
#[derive(Debug)]
pub(crate) struct Mistake(String);

impl Mistake {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl IntoResponse for Mistake {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"error": self.0}))).into_response()
    }
}

/// A JSON body of any content type. Unknown members are rejected, because a misspelt one would otherwise be ignored.
pub(crate) struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Mistake;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| Mistake::new(error.to_string()))?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes).map(Self).map_err(|error| Mistake::new(error.to_string()))
    }
}

/// Distinguishes a member that is `null` (`Some(None)`) from an absent one (`None`, with `#[serde(default)]`).
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
