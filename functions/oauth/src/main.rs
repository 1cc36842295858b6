//! The redirect target of Meta's login: finishes the login and sends the browser back to where it began.

mod invitation;

use std::convert::Infallible;
use std::time::Duration;

use lambda_http::http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};
use leadwire::bus::Bus;
use leadwire::connections::{Connector, Dialog, DialogResult, FinishError, FinishedLogin};
use leadwire::http::bare_page;
use leadwire::http::cookies::login_cookie;
use leadwire::http::headers::protect;
use leadwire::http::trace_of;
use leadwire::ids::PageId;
use leadwire::meta_app::MetaApp;
use leadwire::model::connection::login::{LoginOutcome, ReturnUrls};
use leadwire::queue::Queue;
use leadwire::table::Table;
use leadwire::vault::Vault;
use leadwire::{aws, env, telemetry};
use maud::html;
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
        root_key: vault.signing_key(&env::root_secret_id()?).await?,
        meta: MetaApp::open(vault, env::meta_app_secret_id()?, env::graph_base_url()?, env::graph_version()?).await?,
    };
    let dialog =
        Dialog { root: env::dialog_base_url()?, version: env::graph_version()?, return_urls: ReturnUrls::parse("")? };
    let public_url = env::public_url()?;
    let answer = |request: Request| {
        trace_of(request.extensions()).follow(answer(&connector, &dialog, public_url.as_ref(), request))
    };
    run(service_fn(answer)).await
}

async fn answer(
    connector: &Connector,
    dialog: &Dialog,
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
    if request.uri().path() == invitation::PATH {
        let mut response = match *request.method() {
            Method::POST => invitation::agree(connector, dialog, &origin, &request).await,
            _ => invitation::ask(connector, dialog, &origin, &request).await,
        };
        protect(response.headers_mut());
        return Ok(response);
    }
    let result = DialogResult {
        state: text("state").unwrap_or_default(),
        code: text("code"),
        error: text("error"),
        error_reason: text("error_reason"),
        secret: browser_secret(&origin, &request),
    };
    let mut response = match connector.finish(result, FINISH_TIMEOUT, leadwire::clock::now()).await {
        Ok(finished) => redirect(&finished),
        Err(error) => page_for(&error),
    };
    // The request's URL contains Meta's code: keep it out of caches and referrers.
    protect(response.headers_mut());
    Ok(response)
}

/// Says why a login does not go on, where there is no other place to go.
fn page_for(error: &FinishError) -> Response<Body> {
    match error {
        FinishError::UnknownState | FinishError::NotAsked => {
            tracing::warn!(%error, "a login was not accepted");
            page(StatusCode::BAD_REQUEST, "This login cannot be finished", &error.to_string())
        }
        FinishError::InProgress => page(StatusCode::SERVICE_UNAVAILABLE, "Not finished yet", &error.to_string()),
        FinishError::Table(error) => {
            tracing::error!(%error, "a login could not be looked up");
            let text = "The login could not be read. Reload this page in a moment.";
            page(StatusCode::SERVICE_UNAVAILABLE, "Not finished yet", text)
        }
    }
}

/// The gateway's domain, which takes precedence over the client's header.
fn host(request: &Request) -> Option<&str> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
        _ => None,
    }
}

/// The secret in the cookie of a browser that began a login, or agreed to one.
fn browser_secret(origin: &Url, request: &Request) -> Option<String> {
    let headers = request.headers().get_all(header::COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut pairs = headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == login_cookie(origin))?;
    let is_secret = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    ((32..=64).contains(&secret.len()) && is_secret).then(|| secret.to_owned())
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

fn redirect(finished: &FinishedLogin) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::FOUND;
    let location = with_outcome(finished.return_url.clone(), &finished.outcome);
    if let Ok(location) = header::HeaderValue::from_str(location.as_str()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Adds a login's outcome to the return address: `status`, and `integrationId`, `pages` and `problems`, or `code` and
/// `message`, with `integrationId` and `lostPages` if another account logged in.
fn with_outcome(mut return_url: Url, outcome: &LoginOutcome) -> Url {
    const DENIED: &str = "Meta reports that access was refused. If you did not cancel the dialog, the Meta app may still be in development mode, which looks the same.";
    // What the caller's own address says under these names would come first, and be believed.
    const OTHER_ACCOUNT: &str = "The login was another Facebook account's than the connected one, and connected pages would be lost. Nothing was changed.";
    const NAMES: [&str; 8] =
        ["status", "integrationId", "pages", "problems", "renewed", "code", "message", "lostPages"];
    let own = return_url
        .query_pairs()
        .filter(|(name, _)| !NAMES.contains(&&**name))
        .map(|(n, v)| (n.into_owned(), v.into_owned()));
    let own: Vec<(String, String)> = own.collect();
    let mut query = return_url.query_pairs_mut();
    query.clear().extend_pairs(own);
    match outcome {
        LoginOutcome::Connected { integration_id, pages, problems, renewed } => {
            query.append_pair("status", "connected").append_pair("integrationId", integration_id.as_str());
            query.append_pair("pages", &pages.to_string());
            if !problems.is_empty() {
                let codes: Vec<&str> = problems.iter().map(|code| (*code).into()).collect();
                query.append_pair("problems", &codes.join(","));
            }
            if *renewed {
                query.append_pair("renewed", "true");
            }
        }
        LoginOutcome::OtherAccount { integration_id, lost_pages } => {
            query.append_pair("status", "error").append_pair("code", "other_account");
            query.append_pair("message", OTHER_ACCOUNT).append_pair("integrationId", integration_id.as_str());
            let ids: Vec<&str> = lost_pages.iter().map(PageId::as_str).collect();
            query.append_pair("lostPages", &ids.join(","));
        }
        LoginOutcome::Denied => {
            query.append_pair("status", "denied").append_pair("code", "access_denied").append_pair("message", DENIED);
        }
        LoginOutcome::Failed(failure) => {
            let code = (*failure).into();
            query.append_pair("status", "error").append_pair("code", code).append_pair("message", &failure.message());
        }
    }
    drop(query);
    return_url
}

/// A page for when there is nowhere to redirect to. Its texts are fixed and contain nothing from the request.
fn page(status: StatusCode, title: &str, text: &str) -> Response<Body> {
    let content = html! { p { (text) } p { a href="/" { "Go to the console" } } };
    bare_page(status, title, &content).map(Body::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_s_address_says_of_the_outcome_is_not_believed() {
        let theirs = "https://crm.example/done?status=connected&integrationId=int_fake&keep=1";
        let url = with_outcome(theirs.parse().unwrap(), &LoginOutcome::Denied);
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs[0], ("keep".to_owned(), "1".to_owned()));
        assert_eq!(pairs[1], ("status".to_owned(), "denied".to_owned()));
        assert!(pairs.iter().all(|(name, _)| name != "integrationId"));
    }
}
