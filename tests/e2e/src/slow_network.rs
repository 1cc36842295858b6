//! The console over a slow network.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, Uri, header};
use futures_util::stream::{self, StreamExt};
use tokio::net::TcpListener;

use crate::world::world;

/// Serves the shared system at another address, where pages arrive in pieces. Returns the address. It ends with the
/// story.
///
/// # Panics
/// Panics if there is no free port.
pub async fn open_slow_network() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(forward)).await });
    url
}

/// # Panics
/// Panics if something else than a page is opened, by which the browser has no answer and the story fails.
async fn forward(uri: Uri, mut headers: HeaderMap) -> Response<Body> {
    let is_opened = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    for header in [header::HOST, header::ACCEPT_ENCODING] {
        headers.remove(header);
    }
    let answer = world().http.get(format!("{}{uri}", world().endpoints.url)).headers(headers).send().await;
    let mut answer = answer.expect("the console answers");
    let (status, mut headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    for header in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        headers.remove(header);
    }
    let bytes = answer.bytes().await.expect("the console answers whole");
    let is_page = bytes.starts_with(b"<!DOCTYPE html>");
    assert!(is_page || !is_opened, "{uri} is no page: {status}");
    let mut response = Response::new(if is_page { in_pieces(&bytes) } else { Body::from(bytes) });
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

/// Eight pieces, each some frames of the screen after the one before it.
fn in_pieces(page: &Bytes) -> Body {
    let length = page.len().div_ceil(8).max(1);
    let pieces: Vec<Bytes> = page.chunks(length).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::iter(pieces).then(async |piece| {
        tokio::time::sleep(Duration::from_millis(60)).await;
        Ok::<_, Infallible>(piece)
    }))
}
