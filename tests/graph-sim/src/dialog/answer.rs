//! The person's decision, and the redirect that returns it to the client.

use std::collections::BTreeSet;

use axum::Json;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::Url;

use super::question::Question;
use crate::graph::request::list;
use crate::world::World;
use crate::world::ids;
use crate::world::token::LoginCode;

/// The person's decision.
#[derive(Debug)]
pub(crate) struct Consent {
    pub(crate) granted: Vec<String>,
    pub(crate) declined: Vec<String>,
    /// `None` means all pages, present and future.
    pub(crate) pages: Option<BTreeSet<String>>,
}

/// Reads the decision that a program makes through query parameters.
///
/// # Errors
/// Returns a message if `_pages` names a page on which the person has no role.
pub(crate) fn from_address(world: &World, question: &Question) -> Result<Consent, String> {
    let denied = list(question.param("_deny_scopes").unwrap_or_default());
    let (declined, granted) = question.scopes.iter().cloned().partition(|scope| denied.contains(scope));
    let pages = question.param("_pages").map(|text| list(text).into_iter().collect::<BTreeSet<_>>());
    let user = world.user(&question.user_id);
    if let Some(foreign) = pages.iter().flatten().find(|page_id| user.is_none_or(|user| user.role(page_id).is_none())) {
        return Err(format!("_pages: {} has no page {foreign}", question.user_id));
    }
    Ok(Consent { granted, declined, pages })
}

/// Reads the decision a person makes on the page. A checkbox is present if ticked and absent otherwise.
pub(crate) fn from_form(question: &Question, body: &str) -> Consent {
    let ticked = |wanted: &str| -> BTreeSet<String> {
        url::form_urlencoded::parse(body.as_bytes())
            .filter(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
            .collect()
    };
    let scopes = ticked("_scope");
    let (granted, declined) =
        question.scopes.iter().cloned().partition(|scope| scope == "public_profile" || scopes.contains(scope));
    let pages = (question.param("_which_pages") != Some("all")).then(|| ticked("_page"));
    Consent { granted, declined, pages }
}

/// Records the consent and redirects to the client with a code.
pub(crate) fn allowed(world: &mut World, question: &Question, consent: &Consent) -> Response {
    if question.all_or_nothing && !consent.declined.is_empty() {
        return denied(question);
    }
    world.record_consent(&question.user_id, &consent.granted, &consent.declined, consent.pages.clone());
    let code = ids::code_text();
    let issued = LoginCode {
        user_id: question.user_id.clone(),
        redirect_uri: question.redirect_uri.clone(),
        issued_s: world.clock.now_s(),
        used: false,
    };
    world.codes.insert(code.clone(), issued);
    let mut params = vec![("code", code)];
    if question.param("return_scopes") == Some("true") {
        params.push(("granted_scopes", consent.granted.join(",")));
        params.push(("denied_scopes", consent.declined.join(",")));
    }
    go_back(question, params)
}

/// Redirects to the client after the person refused. A Login-for-Business app in development mode looks the same to its
/// client.
pub(crate) fn denied(question: &Question) -> Response {
    go_back(
        question,
        vec![
            ("error", "access_denied".to_owned()),
            ("error_code", "200".to_owned()),
            ("error_description", "Permissions error".to_owned()),
            ("error_reason", "user_denied".to_owned()),
        ],
    )
}

fn go_back(question: &Question, mut params: Vec<(&str, String)>) -> Response {
    if let Some(state) = question.param("state") {
        params.push(("state", state.to_owned()));
    }
    let Some(uri) = &question.redirect_uri else {
        // The JavaScript SDK hands these values to the page that opened the dialog.
        let members: serde_json::Map<_, _> =
            params.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        return Json(members).into_response();
    };
    let Ok(mut address) = Url::parse(uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    address.query_pairs_mut().extend_pairs(params);
    // Facebook has long appended this fragment. Clients must tolerate it.
    address.set_fragment(Some("_=_"));
    match HeaderValue::from_str(address.as_str()) {
        Ok(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
