//! The login dialog: `/dialog/oauth`, with or without a version.
//!
//! A person sees a page, chooses identity, pages and permissions, and allows or refuses. A program adds `_sim=allow` or
//! `_sim=deny` to the URL and gets the redirect directly. For a program, `_user=<id>` chooses who logs in, `_pages=a,b`
//! limits the pages, and `_deny_scopes=a,b` declines permissions.
//!
//! As at Meta, a declined permission is not requested again and stays declined, unless the URL says
//! `auth_type=rerequest`. A Login-for-Business configuration is granted completely or not at all.

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

/// Shows the page, or for a program returns the redirect.
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

/// Handles the submitted page.
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

/// Shows the problem to the person, as Meta does. Nothing is returned to the client.
fn refuse(problem: &str) -> Response {
    (StatusCode::BAD_REQUEST, consent_page::problem(problem)).into_response()
}
