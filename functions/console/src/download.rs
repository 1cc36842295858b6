//! Files that people download.

use axum::response::{IntoResponse, Response};
use http::header;

/// A spreadsheet as CSV. It begins with the mark by which Excel knows that it is UTF-8.
///
/// The encoding is said to be none: otherwise the runtime would take the file for a text, and lose the mark.
pub(crate) fn csv(name: &str, file: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_ENCODING, "identity".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, file).into_response()
}
