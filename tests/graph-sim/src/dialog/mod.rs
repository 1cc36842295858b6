//! The login dialog: `/dialog/oauth`, with or without a version.
//!
//! A person sees a page: who they are, which pages, which permissions, allow or refuse. A program adds
//! `_sim=allow` or `_sim=deny` to the address and gets the redirect itself; `_user=<id>` chooses who logs in, `_pages=a,b`
//! limits the pages, `_deny_scopes=a,b` unticks permissions.
//!
//! As at Meta, a permission once declined is not asked for again, and so stays declined, unless the address says
//! `auth_type=rerequest`; a Login-for-Business configuration is granted whole or not at all.

mod answer;
mod consent_page;
mod question;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use self::question::Question;
use crate::server::Sim;

pub(crate) fn router() -> Router<Arc<Sim>> {
    let dialog = get(show).post(decide);
    Router::new().route("/dialog/oauth", dialog.clone()).route("/{version}/dialog/oauth", dialog)
}

/// The page, or for a program the redirect.
async fn show(State(sim): State<Arc<Sim>>, RawQuery(query): RawQuery) -> Response {
    let mut world = sim.world();
    let question = match Question::read(&world, query.as_deref().unwrap_or_default()) {
        Ok(question) => question,
        Err(problem) => return refuse(&problem),
    };
    match question.param("_sim") {
        None => consent_page::page(&world, &question).into_response(),
        Some("deny") => answer::denied(&question),
        Some("allow") => match answer::from_address(&world, &question) {
            Ok(consent) => answer::allowed(&mut world, &question, &consent),
            Err(problem) => refuse(&problem),
        },
        Some(other) => refuse(&format!("_sim must be allow or deny, not {other}")),
    }
}

/// The page's form, filled in.
async fn decide(State(sim): State<Arc<Sim>>, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    let mut world = sim.world();
    let question = match Question::read(&world, &body) {
        Ok(question) => question,
        Err(problem) => return refuse(&problem),
    };
    if question.param("_decision") != Some("allow") {
        return answer::denied(&question);
    }
    let consent = answer::from_form(&question, &body);
    answer::allowed(&mut world, &question, &consent)
}

/// Meta shows these problems to the person; nothing goes back to the client.
fn refuse(problem: &str) -> Response {
    (StatusCode::BAD_REQUEST, consent_page::problem(problem)).into_response()
}
