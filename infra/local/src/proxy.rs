//! The single origin of a running system: serves `/_local/…` itself and forwards everything else to the deployed HTTP
//! API.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The maximum request size of an AWS HTTP API, in bytes.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// Hop-by-hop headers, which must not be forwarded.
const HOP_BY_HOP_HEADERS: [HeaderName; 5] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TE, header::CONTENT_LENGTH];

/// Binds the port. A port already in use is reported with advice.
pub(crate) async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("port {port} is in use: stop what listens there, or choose another with --port")
        }
        _ => anyhow!("cannot listen on port {port}: {error}"),
    })
}

struct Proxy {
    http: reqwest::Client,
    /// The base URL of the deployed API, stage included, without a trailing slash.
    api: String,
    /// How many answers of the API were a 5xx.
    server_errors: Arc<AtomicU64>,
}

/// Starts serving. Aborting the returned handle closes the listener. `server_errors` counts the answers of the API that are
/// a 5xx.
pub(crate) fn serve(
    listener: TcpListener,
    api: String,
    local: Router,
    server_errors: Arc<AtomicU64>,
) -> Result<JoinHandle<()>> {
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(60))
        .build()?;
    let proxy = Arc::new(Proxy { http, api, server_errors });
    let forward = move |peer: ConnectInfo<SocketAddr>, request: Request| forward(Arc::clone(&proxy), peer.0, request);
    let router = local.layer(middleware::from_fn(require_loopback_host)).fallback(forward);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    Ok(tokio::spawn(async move {
        let _ = axum::serve(listener, service).await;
    }))
}

/// Guards against other sites' pages. Such a page can point its own domain at the loopback address, but the browser then
/// sends that domain as `Host`; and it can send a form to this address, but the browser then names the page's `Origin`.
async fn require_loopback_host(request: Request, next: Next) -> Response {
    if is_from_this_machine(request.headers()) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

fn is_from_this_machine(headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost" | "[::1]")
    };
    let origin = header(header::ORIGIN).map(|origin| origin.strip_prefix("http://").is_some_and(is_ours));
    is_ours(header(header::HOST).unwrap_or_default()) && origin != Some(false)
}

async fn forward(proxy: Arc<Proxy>, peer: SocketAddr, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    if parts.uri.path().split('/').any(is_dot_segment) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = forwarded_headers(&parts.headers);
    for (name, value) in [("x-forwarded-for", peer.ip().to_string()), ("x-forwarded-proto", "http".to_owned())] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    if let Some(host) = parts.headers.get(header::HOST) {
        headers.insert("x-forwarded-host", host.clone());
    }
    let answer =
        proxy.http.request(parts.method, format!("{}{path}", proxy.api)).headers(headers).body(body).send().await;
    match answer {
        Ok(answer) => {
            let (status, headers) = (answer.status(), forwarded_headers(answer.headers()));
            if status.is_server_error() {
                proxy.server_errors.fetch_add(1, Ordering::Relaxed);
            }
            let mut response = Body::from(answer.bytes().await.unwrap_or_default()).into_response();
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            response
        }
        Err(error) => (StatusCode::BAD_GATEWAY, format!("the local AWS does not answer: {error}")).into_response(),
    }
}

/// Whether a path segment is `.` or `..`, possibly percent-encoded. Such a path would leave the API and reach other
/// MiniStack endpoints.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Returns the headers without the hop-by-hop ones. Repeated headers are preserved.
fn forwarded_headers(headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = headers.clone();
    for name in HOP_BY_HOP_HEADERS {
        forwarded.remove(name);
    }
    forwarded
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::HeaderName;
    use axum::response::AppendHeaders;
    use axum::routing::get;

    use super::*;

    /// Starts a proxy in front of an API that echoes the body, sets two cookies, and reports the path and host it saw.
    async fn start_proxy() -> String {
        let api = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}/api-id/$default", api.local_addr().unwrap());
        let echo = async |request: Request| {
            let seen = [
                (header::SET_COOKIE, "a=1".to_owned()),
                (header::SET_COOKIE, "b=2".to_owned()),
                (HeaderName::from_static("seen-path"), request.uri().to_string()),
                (
                    HeaderName::from_static("seen-host"),
                    request.headers()["x-forwarded-host"].to_str().unwrap().to_owned(),
                ),
            ];
            (AppendHeaders(seen), to_bytes(request.into_body(), MAX_BODY_BYTES).await.unwrap())
        };
        tokio::spawn(async move { axum::serve(api, Router::new().fallback(echo)).await });
        let listener = listen(0).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        serve(listener, address, Router::new().route("/_local/x", get(async || "here")), Arc::default()).unwrap();
        url
    }

    #[tokio::test]
    async fn requests_and_answers_pass_unchanged() {
        let url = start_proxy().await;
        let body: Vec<u8> = (0..=255).collect();
        let request = reqwest::Client::new().post(format!("{url}/connect/x?a=%20b+c")).body(body.clone());
        let answer = request.send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("seen-path"), "/api-id/$default/connect/x?a=%20b+c");
        assert_eq!(format!("http://{}", header("seen-host")), url);
        assert_eq!(answer.headers().get_all(header::SET_COOKIE).iter().count(), 2);
        assert_eq!(answer.bytes().await.unwrap(), Bytes::from(body));
    }

    #[tokio::test]
    async fn local_routes_are_for_this_machine_only() {
        let url = format!("{}/_local/x", start_proxy().await);
        let http = reqwest::Client::new();
        assert_eq!(http.get(&url).send().await.unwrap().text().await.unwrap(), "here");
        assert_eq!(http.get(&url).header(header::HOST, "elsewhere.example").send().await.unwrap().status(), 403);
        for (origin, expect) in [("http://localhost:8080", 200), ("https://elsewhere.example", 403), ("null", 403)] {
            let answer = http.get(&url).header(header::ORIGIN, origin).send().await.unwrap();
            assert_eq!(answer.status(), expect, "{origin}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_api() {
        for (segment, dots) in [("..", true), (".", true), ("%2E%2e", true), ("...", false), ("a..b", false)] {
            assert_eq!(is_dot_segment(segment), dots, "{segment}");
        }
    }
}
