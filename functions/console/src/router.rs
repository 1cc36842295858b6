//! All pages, and what applies to every one of them.

use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, OriginalUri, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use leadwire::http::audit::record_act;
use leadwire::http::{Problem, ProblemCode};
use leadwire::tr;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::session::Visitor;
use crate::state::Console;
use crate::waiting::Waiting;
use crate::{
    account, acts, ads, assets, audit, campaigns, delivery, form, forms, home, inbox, integrations, language, layout,
    leads, login, operations, orgs, posts, request, settings, steps, styleguide, unsubscribe, webhooks,
};

/// The console's router.
pub(crate) fn router(console: Console) -> Router {
    let audited = acts::audited(&console);
    Router::new()
        .route("/", get(layout::home))
        .route("/home", get(home::show))
        .route("/home/figures", get(home::figures))
        .route("/home/steps", post(steps::hide))
        .route("/login", get(login::begin))
        .route("/login/callback", get(login::callback))
        .route("/logout", post(login::logout))
        .route("/unsubscribe/{token}", get(unsubscribe::ask).post(unsubscribe::stop))
        .route("/orgs", get(orgs::list).post(orgs::select))
        .route("/operations", get(operations::show))
        .route("/operations/figures", get(operations::figures))
        .nest("/integrations", integrations::routes())
        .nest("/leads", leads::routes())
        .nest("/inbox", inbox::routes())
        .nest("/forms", forms::routes())
        .nest("/webhooks", webhooks::routes())
        .nest("/delivery", delivery::routes())
        .nest("/posts", posts::routes())
        .nest("/ads", ads::routes())
        .nest("/campaigns", campaigns::routes())
        .route("/settings", get(settings::show))
        .route("/settings/api", get(settings::api))
        .route("/account", get(account::show))
        .route("/account/mails", post(account::switch_mails))
        .route("/account/steps", post(steps::show))
        .route("/language/{tag}", get(language::choose))
        .route("/audit", get(audit::show))
        .route("/_styleguide", get(styleguide::show))
        .route("/assets/{file}", get(assets::serve))
        .fallback(async || Problem::new(ProblemCode::NoSuchPage, tr!("There is nothing at this address.")))
        .method_not_allowed_fallback(redirect_to_page)
        .layer(middleware::from_fn(leadwire::http::limit_duration))
        // Outside the limit of time: what takes too long is recorded too.
        .layer(middleware::from_fn(move |request, next| record_act(audited.clone(), request, next)))
        .layer(middleware::from_fn_with_state(console.clone(), problems_as_pages))
        .layer(middleware::from_fn_with_state(console.clone(), add_headers))
        .layer(middleware::from_fn(language::speak))
        .layer(middleware::from_fn(leadwire::http::follow_request))
        .layer(
            CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new("font/"))),
        )
        .layer(DefaultBodyLimit::max(form::MAX_BODY_BYTES))
        .with_state(console)
}

/// Redirects from an action to the page that contains it.
///
/// An action has an address but no page. Browsers arrive there through the address bar, a dialog without the script, or
/// a login.
async fn redirect_to_page(method: Method, OriginalUri(address): OriginalUri) -> Response {
    let page = address.path().rsplit_once('/').map_or("", |(page, _)| page);
    if !method.is_safe() || page.is_empty() {
        let detail = tr!("This address does not do that. Go back and try again.");
        return Problem::new(ProblemCode::MethodNotAllowed, detail).into_response();
    }
    let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::to(&format!("{page}{query}")).into_response()
}

/// Renders problems as pages in the visitor's frame, or as fragments if the script requested one.
async fn problems_as_pages(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let mut request_parts = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    let reported = response.extensions().get::<Problem>().cloned();
    // Rejections of the router itself have no text of ours.
    let is_error = status.is_client_error() || status.is_server_error();
    let unknown_address = || {
        Problem::new(
            ProblemCode::AddressInvalid,
            tr!("This address is not complete, or not correct. Check it, or go to the start page."),
        )
    };
    let Some(problem) = reported.or_else(|| is_error.then(unknown_address)) else { return response };
    drop(response);
    let page = if request::wants_fragment(&request_parts.headers) {
        layout::problem_fragment(&problem).into_response()
    } else {
        let visitor = Visitor::from_request_parts(&mut request_parts, &console).await.ok();
        layout::problem_page(visitor.as_ref(), &problem, request_parts.method.is_safe()).into_response()
    };
    (StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), page).into_response()
}

/// Adds headers to every response: how long it took here and how long of that the table was waited for, and security
/// headers. With these, pages load nothing from other origins, run no inline scripts, and cannot be framed by other sites.
/// Pages of posts, campaigns and the inbox alone show pictures from elsewhere, and use the bucket.
async fn add_headers(State(console): State<Console>, request: Request, next: Next) -> Response {
    let (pictures, files) =
        match ["/posts", "/campaigns", "/inbox"].iter().any(|section| request.uri().path().starts_with(section)) {
            true => (format!(" https: {}", console.files_origin), format!(" {}", console.files_origin)),
            false => (String::new(), String::new()),
        };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'{pictures}; connect-src 'self'{files}; \
        media-src 'self'{files}; \
        form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let started = Instant::now();
    let (mut response, waited) = Waiting::count(next.run(request)).await;
    let headers = response.headers_mut();
    let took = format!("app;dur={:.1}, {}", started.elapsed().as_secs_f64() * 1000.0, waited.entry());
    if let Ok(took) = HeaderValue::from_str(&took) {
        headers.insert(HeaderName::from_static("server-timing"), took);
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        // Browsers respect it over TLS only.
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // People's names and numbers must not remain in a browser's cache after they sign out.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
