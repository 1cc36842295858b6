//! Stylesheet, script and logo, embedded in the binary. Their names contain a hash of their content, so that browsers
//! may cache them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header;
use leadwire::http::{Problem, ProblemCode};
use maud::{Markup, PreEscaped};
use sha2::{Digest, Sha256};

struct Asset {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset {
        name: "console.css",
        kind: "text/css; charset=utf-8",
        text: concat!(
            include_str!("assets/console.css"),
            include_str!("assets/inbox.css"),
            include_str!("assets/forms.css"),
            include_str!("assets/phone.css"),
        ),
    },
    Asset {
        name: "console.js",
        kind: "text/javascript; charset=utf-8",
        text: concat!(
            include_str!("assets/inbox.js"),
            include_str!("assets/leads.js"),
            include_str!("assets/palette.js"),
            include_str!("assets/console.js")
        ),
    },
    Asset { name: "mark.svg", kind: "image/svg+xml", text: include_str!("assets/mark.svg") },
];

/// The names with their hashes, in the order of [`ASSETS`].
static NAMES: LazyLock<[String; 3]> = LazyLock::new(|| {
    ASSETS.map(|asset| {
        let hash = hex::encode(Sha256::digest(asset.text.as_bytes()));
        let (stem, end) = asset.name.split_once('.').unwrap_or((asset.name, ""));
        format!("{stem}.{}.{end}", hash.get(..12).unwrap_or_default())
    })
});

/// The address of an asset.
pub(crate) fn path(name: &str) -> String {
    let entry = ASSETS.iter().zip(NAMES.iter()).find(|(asset, _)| asset.name == name);
    format!("/assets/{}", entry.map_or(name, |(_, hashed)| hashed))
}

/// The logo as inline SVG, which takes the colour of the text.
pub(crate) fn mark() -> Markup {
    PreEscaped(include_str!("assets/mark.svg").to_owned())
}

/// Serves an asset. The name of an earlier version is not found: a browser that still shows such a page already has its
/// assets.
pub(crate) async fn serve(Path(file): Path<String>) -> Response {
    let entry = ASSETS.iter().zip(NAMES.iter()).find(|(_, name)| **name == file);
    let Some((asset, _)) = entry else {
        return Problem::new(ProblemCode::NoSuchPage, "There is nothing at this address.").into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}
