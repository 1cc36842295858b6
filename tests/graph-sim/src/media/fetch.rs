//! Fetches a file from the address a client named, as Meta's servers do.
//!
//! Loopback addresses are called over HTTP. All others belong to the simulated internet ([`crate::world::web`]).

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HOST, HeaderValue, LOCATION, RANGE, USER_AGENT};
use url::{Host, Url};

use super::Media;
use crate::server::Sim;

/// The name of Meta's fetcher.
const AGENT: &str = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)";
const PICTURE_WITHIN: Duration = Duration::from_secs(10);
const VIDEO_WITHIN: Duration = Duration::from_secs(75);
const MAX_REDIRECTS: usize = 5;
/// Larger files are not read to their end. Every limit of Meta is below.
const MAX_BYTES: usize = 1024 * 1024 * 1024;

/// A file that an endpoint needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) url: String,
    pub(crate) expected: Expected,
}

/// What a file is for. Meta's fetchers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    PagePhoto,
    InstagramPicture,
    Video,
    /// A picture, recording or document of a message.
    MessageFile,
}

/// Why there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The address does not parse, or its scheme is not HTTP.
    Address,
    /// No connection.
    Unreachable,
    /// No response in time.
    TimedOut,
    /// A status other than 200, a picture answered with 206, or too many redirects.
    Status,
}

/// A fetched file.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) media: Media,
    /// Whether the address redirected to the file.
    pub(crate) redirected: bool,
}

/// A response, before its status is judged.
struct Response {
    status: u16,
    location: Option<String>,
    media: Media,
}

/// Fetches one file.
///
/// # Errors
/// Returns a [`Failure`] unless the address ends in a file with status 200, or with 206 where that is accepted.
pub(crate) async fn fetch(sim: &Arc<Sim>, wanted: &Wanted) -> Result<Fetched, Failure> {
    let mut url = parse(&wanted.url).ok_or(Failure::Address)?;
    for hop in 0..=MAX_REDIRECTS {
        let response = if is_local(&url) { call(sim, &url, wanted.expected).await } else { look_up(sim, &url) };
        let status = response.as_ref().ok().map(|response| response.status);
        let accepts_partial = {
            let mut world = sim.world();
            let now = world.clock.now_s();
            world.web.record(url.as_str(), status, now);
            world.web.partial_files.accepts(wanted.expected, is_local(&url))
        };
        let response = response?;
        match response.status {
            200 => return Ok(Fetched { media: response.media, redirected: hop > 0 }),
            206 if accepts_partial => return Ok(Fetched { media: response.media, redirected: hop > 0 }),
            301 | 302 | 303 | 307 | 308 => {
                let target = response.location.and_then(|location| url.join(&location).ok());
                url = target.ok_or(Failure::Status)?;
            }
            _ => return Err(Failure::Status),
        }
    }
    Err(Failure::Status)
}

/// Parses an address that Meta would call.
fn parse(text: &str) -> Option<Url> {
    Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn look_up(sim: &Arc<Sim>, url: &Url) -> Result<Response, Failure> {
    let response = sim.world().web.get(url.as_str());
    let status = response.status.ok_or(Failure::TimedOut)?;
    Ok(Response { status, location: response.location, media: response.media })
}

/// Calls a loopback address. Asks for the range that Meta's fetcher asks for: everything.
async fn call(sim: &Arc<Sim>, url: &Url, expected: Expected) -> Result<Response, Failure> {
    let mut target = url.clone();
    let mut request_host = None;
    if let Some(name) = url.host_str().filter(|name| name.ends_with(".localhost")) {
        // Not every resolver knows names below localhost.
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        request_host = HeaderValue::from_str(&format!("{name}{port}")).ok();
        target.set_host(Some("127.0.0.1")).map_err(|_| Failure::Address)?;
    }
    let within = if expected == Expected::Video { VIDEO_WITHIN } else { PICTURE_WITHIN };
    let mut request = sim.http.get(target).timeout(within).header(USER_AGENT, AGENT).header(RANGE, "bytes=0-");
    if let Some(host) = request_host {
        request = request.header(HOST, host);
    }
    let failure = |error: reqwest::Error| if error.is_timeout() { Failure::TimedOut } else { Failure::Unreachable };
    let mut response = request.send().await.map_err(failure)?;
    let status = response.status().as_u16();
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_BYTES {
            break;
        }
    }
    Ok(Response { status, location, media: Media::examine(&bytes) })
}
