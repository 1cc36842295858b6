//! Every page there is, and what holds for all of them.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, FromRequestParts, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum_extra::extract::cookie::Key;
use http::{HeaderName, HeaderValue, StatusCode, header};
use shared::admin::Services;
use shared::http::Problem;
use url::Url;

use crate::login::Door;
use crate::visitor::Visitor;
use crate::{ads, assets, delivery, forms, frame, integrations, leads, login, orgs};

/// Everything the pages need.
#[derive(Clone)]
pub(crate) struct Console(Arc<Inside>);

pub(crate) struct Inside {
    pub(crate) services: Services,
    pub(crate) door: Door,
    pub(crate) public_url: Option<Url>,
    cookies: Key,
}

impl Console {
    pub(crate) fn new(services: Services, door: Door, public_url: Option<Url>) -> Self {
        // Two signatures of our own key are as long as a key for cookies has to be, and nobody else can make them.
        let halves = [services.key.sign(b"console cookies 1"), services.key.sign(b"console cookies 2")];
        Self(Arc::new(Inside { cookies: Key::from(&halves.concat()), services, door, public_url }))
    }
}

impl Deref for Console {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl FromRef<Console> for Key {
    fn from_ref(console: &Console) -> Self {
        console.cookies.clone()
    }
}

/// The console.
pub(crate) fn router(console: Console) -> Router {
    Router::new()
        .route("/", get(frame::home))
        .route("/login", get(login::begin))
        .route("/login/callback", get(login::callback))
        .route("/logout", post(login::logout))
        .route("/orgs", get(orgs::list).post(orgs::select))
        .nest("/integrations", integrations::routes())
        .nest("/leads", leads::routes())
        .nest("/forms", forms::routes())
        .nest("/delivery", delivery::routes())
        .nest("/ads", ads::routes())
        .route("/assets/{file}", get(assets::serve))
        .fallback(async || Problem::new(StatusCode::NOT_FOUND, "no_such_page", "There is nothing at this address."))
        .layer(middleware::from_fn(shared::http::in_time))
        .layer(middleware::from_fn_with_state(console.clone(), problems_as_pages))
        .layer(middleware::from_fn(guarded))
        .layer(DefaultBodyLimit::max(assets::LARGEST_BODY))
        .with_state(console)
}

/// Whatever a page answers as a problem is shown as a page, in the frame of whoever asked; to a script that asked for a
/// part of one, as a part.
async fn problems_as_pages(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = parts.clone();
    parts.extensions.clone_from(&asked.extensions);
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    let mut asked = asked;
    let page = if frame::wants_a_part(&asked.headers) {
        frame::part_of_problem(&problem).into_response()
    } else {
        let visitor = Visitor::from_request_parts(&mut asked, &console).await.ok();
        frame::page_of_problem(visitor.as_ref(), &problem).into_response()
    };
    (StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), page).into_response()
}

/// What browsers are told about every answer: how long it took here; and that nothing from elsewhere is loaded, no script stands in
/// a page, and nobody shows a page inside of theirs.
async fn guarded(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
        form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let begun = Instant::now();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(took) = HeaderValue::from_str(&format!("app;dur={:.1}", begun.elapsed().as_secs_f64() * 1000.0)) {
        headers.insert(HeaderName::from_static("server-timing"), took);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // People's names and numbers do not stay in a browser's cache after they have signed out.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
