//! Pictures and videos for uploads, and a server that offers them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The head of a JPEG file of the given dimensions, made unique by `seed`.
pub(crate) fn jpeg(width: u16, height: u16, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, seed, 0xff, 0xc0, 0, 11, 8];
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([3, 0, 0, 0, 0xff, 0xd9]);
    bytes
}

/// The head of a PNG file.
pub(crate) fn png() -> Vec<u8> {
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\x38\0\0\x04\x38".to_vec()
}

/// An MP4 file of the given length, followed by `padding` bytes.
pub(crate) fn mp4(seconds: u32, padding: usize) -> Vec<u8> {
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len() + 8).expect("a small box");
        [&length.to_be_bytes()[..], kind, content].concat()
    };
    let mut header = vec![0; 12];
    header.extend(1000_u32.to_be_bytes());
    header.extend((seconds * 1000).to_be_bytes());
    let movie = boxed(b"moov", &boxed(b"mvhd", &header));
    [boxed(b"ftyp", b"isom"), movie, boxed(b"mdat", &vec![0; padding])].concat()
}

/// A server of uploaded files on loopback.
pub(crate) struct FileServer {
    url: String,
    task: JoinHandle<()>,
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FileServer {
    /// Offers `bytes` under `/whole/…`, with support for ranges under `/ranges/…`, and redirects from `/moved`.
    pub(crate) async fn start(bytes: Vec<u8>) -> Self {
        let router = Router::new()
            .route("/whole/{name}", get(async |State(bytes): State<Bytes>| bytes))
            .route("/ranges/{name}", get(ranges))
            .route("/moved", get(async || Redirect::temporary("/whole/a")))
            .with_state(Bytes::from(bytes));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { url, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

async fn ranges(State(bytes): State<Bytes>, Path(_): Path<String>, headers: HeaderMap) -> Response {
    let partial = headers.get("range").is_some_and(|range| range == "bytes=0-");
    let status = if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    (status, bytes).into_response()
}
