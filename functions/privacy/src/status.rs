//! The page behind a confirmation code. It tells the person in plain words what was deleted.
//!
//! It contains no name, and nothing else that would help a visitor who guessed a code.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use leadwire::http::bare_page;
use leadwire::table::erasure::Erasure;
use maud::{Markup, html};

/// The status of a deletion request.
pub(crate) fn status_page(erasure: &Erasure, open: usize) -> Response<Body> {
    let requested_on = erasure.requested_at.strftime("%-d %B %Y, %H:%M UTC").to_string();
    let count = erasure.integrations.len();
    let (title, state) = match (count, open) {
        (0, _) => ("Nothing was stored", "Nothing here belonged to this Facebook account.".to_owned()),
        (_, 0) => (
            "Your data is deleted",
            format!(
                "{} made with this Facebook account {} deleted: access tokens, the account's name and id, and the list of its pages.",
                if count == 1 { "The connection".to_owned() } else { format!("The {count} connections") },
                if count == 1 { "was" } else { "were" }
            ),
        ),
        (_, open) => (
            "Your data is being deleted",
            format!(
                "{open} of {count} connections made with this Facebook account are still being deleted. This usually takes a few minutes."
            ),
        ),
    };
    page(
        StatusCode::OK,
        title,
        &html! {
            p { "Requested on " (requested_on) "." }
            p { (state) }
            p {
                "Contact requests that people submit through lead forms belong to the companies that receive them. To have such a "
                "request deleted, contact that company."
            }
        },
    )
}

/// The response to every code that was not issued here. It is the same for all of them.
pub(crate) fn unknown_page() -> Response<Body> {
    page(
        StatusCode::NOT_FOUND,
        "No such request",
        &html! {
            p { "There is no deletion request with this code. Use the complete address that Meta shows." }
        },
    )
}

/// The response when the status cannot be read.
pub(crate) fn unavailable() -> Response<Body> {
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not available at the moment",
        &html! {
            p { "Reload this page in a few minutes." }
        },
    )
}

fn page(status: StatusCode, title: &str, content: &Markup) -> Response<Body> {
    bare_page(status, title, content).map(Body::Text)
}
