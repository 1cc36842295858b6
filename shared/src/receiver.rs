//! The endpoints of CRMs: sends one event to one address.
//!
//! The addresses are entered by users, so a function could be made to reach what only it can. A name is therefore
//! resolved here, and only public addresses are connected to: the address that was checked is the one that is used,
//! whatever the name says a moment later. Redirects and proxies are not followed.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use url::{Host, Url};

use crate::ids::DeliveryId;
use crate::model::web_address::{EndpointAddresses, is_public, parse_endpoint};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The whole request. Every try ends within it.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// What is read of a response. It is not used; a receiver that sends a little may keep the connection.
const MAX_RESPONSE_BYTES: usize = 4_096;
/// How long a response may take after its status.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Receiver {
    http: reqwest::Client,
    allowed: EndpointAddresses,
}

/// An event with its signature.
#[derive(Debug, Clone, Copy)]
pub struct SignedEvent<'a> {
    /// `webhook-id`.
    pub id: &'a DeliveryId,
    /// `webhook-timestamp`.
    pub at: Timestamp,
    /// `webhook-signature`.
    pub signature: &'a str,
    /// The body, to the byte as it was signed.
    pub body: &'a str,
}

/// What a receiver answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// An event that was not answered. It may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiverError {
    /// The address, or every one that its name has, is not on the public internet.
    #[error("the address is not on the public internet")]
    NotPublic,
    /// The name has no address.
    #[error("the name of the host is unknown")]
    NameUnknown,
    /// There was no connection.
    #[error("no connection")]
    NotConnected,
    /// There was no response in time.
    #[error("timed out")]
    TimedOut,
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
}

impl Receiver {
    /// Creates a client that sends to these addresses.
    ///
    /// # Errors
    /// Fails if the machine's TLS setup is unusable.
    pub fn new(allowed: EndpointAddresses) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // Lambda freezes the process between events, and a connection that died meanwhile would fail a try.
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(2)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(CheckedNames(allowed))
            .build()?;
        Ok(Self { http, allowed })
    }

    /// Which addresses it sends to.
    #[must_use]
    pub fn addresses(&self) -> EndpointAddresses {
        self.allowed
    }

    /// Sends an event. Every status is an answer.
    pub async fn send(&self, url: &str, event: SignedEvent<'_>) -> Result<Reply, ReceiverError> {
        // An address without a name is not resolved, so it is checked here.
        let url = parse_endpoint(url, self.allowed).map_err(|_| ReceiverError::NotPublic)?;
        if !self.may_reach(&url) {
            return Err(ReceiverError::NotPublic);
        }
        let request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "Leadwire")
            .header("webhook-id", event.id.as_str())
            .header("webhook-timestamp", event.at.as_second())
            .header("webhook-signature", event.signature)
            .body(event.body.to_owned());
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let reply = Reply { status: response.status().as_u16(), retry_after: retry_after(&response, event.at) };
        let rest = async {
            let mut bytes = 0;
            while let Ok(Some(chunk)) = response.chunk().await {
                bytes += chunk.len();
                if bytes > MAX_RESPONSE_BYTES {
                    break;
                }
            }
        };
        // The status says it all. What follows may not cost the worker its time.
        let _ = tokio::time::timeout(RESPONSE_TIMEOUT, rest).await;
        Ok(reply)
    }

    fn may_reach(&self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Ipv4(ip)) => is_allowed(IpAddr::V4(ip), self.allowed),
            Some(Host::Ipv6(ip)) => is_allowed(IpAddr::V6(ip), self.allowed),
            Some(Host::Domain(_)) => true,
            None => false,
        }
    }
}

fn is_allowed(ip: IpAddr, allowed: EndpointAddresses) -> bool {
    is_public(ip) || allowed == EndpointAddresses::OrThisMachine && ip.is_loopback()
}

/// Resolves names to those of their addresses that may be connected to.
struct CheckedNames(EndpointAddresses);

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| ReceiverError::NameUnknown)?;
            let found: Vec<_> = found.filter(|address| is_allowed(address.ip(), allowed)).collect();
            if found.is_empty() {
                return Err(ReceiverError::NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn classify(error: &reqwest::Error) -> ReceiverError {
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(inner) = cause {
        if let Some(ours) = inner.downcast_ref::<ReceiverError>() {
            return *ours;
        }
        cause = inner.source();
    }
    match error {
        error if error.is_timeout() => ReceiverError::TimedOut,
        error if error.is_connect() => ReceiverError::NotConnected,
        _ => ReceiverError::Broken,
    }
}

/// Reads `Retry-After`: seconds, or a date.
fn retry_after(response: &reqwest::Response, now: Timestamp) -> Option<Duration> {
    let is_wait = matches!(
        response.status(),
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
    );
    let text = response.headers().get(RETRY_AFTER).filter(|_| is_wait)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(until.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const LOCAL: EndpointAddresses = EndpointAddresses::OrThisMachine;

    /// Answers every request with this text, and returns its address and the number of connections.
    async fn respond(answer: &'static str) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let connections = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                tokio::spawn(async move {
                    let _ = socket.read(&mut [0; 8_192]).await;
                    let _ = socket.write_all(answer.as_bytes()).await;
                    // A receiver that never finishes its response.
                    tokio::time::sleep(Duration::from_secs(60)).await;
                });
            }
        });
        (url, connections)
    }

    async fn send(receiver: &Receiver, url: &str) -> Result<Reply, ReceiverError> {
        let id = DeliveryId::parse("evt_1").unwrap();
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        receiver.send(url, SignedEvent { id: &id, at, signature: "v1,x", body: "{}" }).await
    }

    #[tokio::test]
    async fn a_status_is_an_answer_however_long_its_body_takes() {
        let receiver = Receiver::new(LOCAL).unwrap();
        let (url, _) = respond("HTTP/1.1 200 OK\r\ncontent-length: 900000000\r\n\r\nabc").await;
        let begun = std::time::Instant::now();
        assert_eq!(send(&receiver, &url).await, Ok(Reply { status: 200, retry_after: None }));
        assert!(begun.elapsed() < TIMEOUT);
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let receiver = Receiver::new(LOCAL).unwrap();
        let (target, connections) = respond("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let answer = format!("HTTP/1.1 307 Moved\r\nlocation: {target}\r\ncontent-length: 0\r\n\r\n");
        let (url, _) = respond(answer.leak()).await;
        assert_eq!(send(&receiver, &url).await.unwrap().status, 307);
        assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_receiver_says_when_it_is_ready_again() {
        let receiver = Receiver::new(LOCAL).unwrap();
        for (text, expected) in [("120", Some(120)), ("Thu, 01 Jan 2026 00:10:00 GMT", Some(600)), ("soon", None)] {
            let answer =
                format!("HTTP/1.1 503 Wait\r\nretry-after: {text}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let (url, _) = respond(answer.leak()).await;
            let reply = send(&receiver, &url).await.unwrap();
            assert_eq!(reply.retry_after, expected.map(Duration::from_secs), "{text}");
        }
    }

    /// `localhost` passes no check of text here: only the check of what it resolves to refuses it.
    #[tokio::test]
    async fn a_name_is_checked_by_the_address_that_is_connected_to() {
        let (url, connections) = respond("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let port = Url::parse(&url).unwrap().port().unwrap();
        let strict = reqwest::Client::builder().no_proxy().dns_resolver(CheckedNames(EndpointAddresses::Public));
        let error = strict.build().unwrap().post(format!("http://localhost:{port}/")).send().await.unwrap_err();
        assert_eq!(classify(&error), ReceiverError::NotPublic);
        let receiver = Receiver::new(EndpointAddresses::Public).unwrap();
        for private in [url.as_str(), "https://127.0.0.1/", "https://169.254.169.254/", "https://[::ffff:10.0.0.1]/"] {
            assert_eq!(send(&receiver, private).await, Err(ReceiverError::NotPublic), "{private}");
        }
        assert_eq!(connections.load(std::sync::atomic::Ordering::SeqCst), 0, "no connection was made");
    }

    #[tokio::test]
    async fn a_closed_port_and_a_silent_receiver_are_told_apart() {
        let receiver = Receiver::new(LOCAL).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        assert_eq!(send(&receiver, &closed).await, Err(ReceiverError::NotConnected));
        let (garbage, _) = respond("nonsense\r\n\r\n").await;
        assert_eq!(send(&receiver, &garbage).await, Err(ReceiverError::Broken));
    }
}
