//! The redirect target of Meta's login: finishes the login and sends the browser back to where it began.

use std::convert::Infallible;
use std::time::Duration;

use lambda_http::http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use leadwire::bus::Bus;
use leadwire::connections::{Connector, DialogResult, FinishError, FinishedLogin};
use leadwire::http::cookies::{login_cookie, visit_cookie};
use leadwire::meta_app::MetaApp;
use leadwire::model::connection::login::{BrowserSecrets, LoginOutcome};
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};
use url::Url;

/// Less than the 30 seconds after which the gateway ends the request and the browser would learn nothing.
const FINISH_TIMEOUT: Duration = Duration::from_secs(24);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let aws = aws::load(aws::TimeoutProfile::Request)?;
    let vault = Vault::new(aws_sdk_secretsmanager::Client::new(&aws));
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let connector = Connector {
        table: Table::new(aws_sdk_dynamodb::Client::new(&aws), env::table_name()?),
        bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), env::event_bus_name()?),
        leads: Queue::new(sqs.clone(), env::lead_queue_url()?),
        checks: Queue::new(sqs, env::expiry_notice_queue_url()?),
        credentials_prefix: env::credentials_prefix()?,
        key: vault.signing_key(&env::signing_secret_id()?).await?,
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
    };
    let public_url = env::public_url()?;
    run(service_fn(|request| answer(&connector, public_url.as_ref(), request))).await
}

async fn answer(
    connector: &Connector,
    public_url: Option<&Url>,
    request: Request,
) -> Result<Response<Body>, Infallible> {
    if is_prefetch(&request) {
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        return Ok(response);
    }
    let query = request.query_string_parameters();
    let text = |name: &str| query.first(name).map(ToOwned::to_owned);
    // Meta redirects to the origin under which the login began.
    let Ok(origin) = leadwire::http::origin(public_url, host(&request)) else {
        return Ok(page(StatusCode::BAD_REQUEST, "This login cannot be finished", "The request names no host."));
    };
    let cookies = cookies(&request);
    let secret = |name: &str| cookies.iter().find(|(known, _)| known == name).map(|(_, secret)| secret.clone());
    let result = DialogResult {
        state: text("state").unwrap_or_default(),
        code: text("code"),
        error: text("error"),
        error_reason: text("error_reason"),
        secrets: BrowserSecrets { login: secret(login_cookie(&origin)), visit: secret(visit_cookie(&origin)) },
        fingerprint: fingerprint(&request),
    };
    let mut response = match connector.finish(result, FINISH_TIMEOUT, leadwire::clock::now()).await {
        Ok(finished) => redirect(&origin, &finished),
        Err(error @ FinishError::UnknownState) => {
            tracing::warn!("a login returned with an invalid state");
            page(StatusCode::BAD_REQUEST, "This login cannot be finished", &error.to_string())
        }
        Err(error @ FinishError::InProgress) => {
            page(StatusCode::SERVICE_UNAVAILABLE, "Not finished yet", &error.to_string())
        }
        Err(FinishError::Table(error)) => {
            tracing::error!(%error, "a login could not be looked up");
            page(
                StatusCode::SERVICE_UNAVAILABLE,
                "Not finished yet",
                "The login could not be read. Reload this page in a moment.",
            )
        }
    };
    // The request's URL contains Meta's code: keep it out of caches and referrers.
    for (name, value) in [(header::CACHE_CONTROL, "no-store"), (header::REFERRER_POLICY, "no-referrer")] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    Ok(response)
}

/// The gateway's domain, which takes precedence over the client's header.
fn host(request: &Request) -> Option<&str> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
        _ => None,
    }
}

fn cookies(request: &Request) -> Vec<(String, String)> {
    let headers = request.headers().get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Whether the browser only prefetches or probes this URL. Such a request must not finish the login.
fn is_prefetch(request: &Request) -> bool {
    let header_contains = |name: &str, word: &str| {
        let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.into_iter().any(|value| value.to_ascii_lowercase().contains(word))
    };
    request.method() == Method::HEAD
        || header_contains("sec-purpose", "prefetch")
        || header_contains("purpose", "prefetch")
        || header_contains("x-moz", "prefetch")
        || header_contains("x-purpose", "preview")
}

/// Distinguishes browsers without a cookie.
fn fingerprint(request: &Request) -> String {
    let headers = ["user-agent", "accept-language", "x-forwarded-for"]
        .map(|name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default());
    headers.join("\n")
}

fn redirect(origin: &Url, finished: &FinishedLogin) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::FOUND;
    let location = with_outcome(finished.return_url.clone(), &finished.outcome);
    if let Ok(location) = header::HeaderValue::from_str(location.as_str()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if let Some(secret) = &finished.visit_secret {
        let name = visit_cookie(origin);
        let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
        let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600{secure}");
        if let Ok(cookie) = header::HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// Adds a login's outcome to the return address: `status`, and `integrationId`, `pages` and `problems`, or `code` and
/// `message`.
fn with_outcome(mut return_url: Url, outcome: &LoginOutcome) -> Url {
    const DENIED: &str = "Meta reports that access was refused. If you did not cancel the dialog, the Meta app may still be in development mode, which looks the same.";
    let mut query = return_url.query_pairs_mut();
    match outcome {
        LoginOutcome::Connected { integration_id, pages, problems } => {
            query.append_pair("status", "connected").append_pair("integrationId", integration_id.as_str());
            query.append_pair("pages", &pages.to_string());
            if !problems.is_empty() {
                let codes: Vec<&str> = problems.iter().map(|code| (*code).into()).collect();
                query.append_pair("problems", &codes.join(","));
            }
        }
        LoginOutcome::Denied => {
            query.append_pair("status", "denied").append_pair("code", "access_denied").append_pair("message", DENIED);
        }
        LoginOutcome::Failed(failure) => {
            let code = (*failure).into();
            query.append_pair("status", "error").append_pair("code", code).append_pair("message", failure.message());
        }
    }
    drop(query);
    return_url
}

/// A page for when there is nowhere to redirect to. Its texts are fixed and contain nothing from the request.
fn page(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>{title}</title>\
         <body style=\"font:1rem/1.5 system-ui;max-width:32rem;margin:15vh auto;padding:0 1rem\"><h1>{title}</h1><p>{text}</p><p><a href=\"/\">Go to the console</a></p></body></html>"
    );
    let mut response = Response::new(Body::Text(html));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
