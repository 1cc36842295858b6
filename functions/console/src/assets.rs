//! Stylesheet, script and logo, embedded in the binary. Their names contain a hash of their content, so that browsers
//! may cache them for ever.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header;
use leadwire::http::{Problem, ProblemCode};
use leadwire::language::{self, Language};
use leadwire::tr;
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

/// The sign of the search as inline SVG, which takes the colour of the text.
pub(crate) fn magnifier() -> Markup {
    PreEscaped(include_str!("assets/magnifier.svg").to_owned())
}

/// The texts of the script in the current language, as JSON by their English, unless that is the language.
pub(crate) fn texts() -> Option<String> {
    if language::language() == Language::English {
        return None;
    }
    let texts = [
        ("API", tr!("API")),
        ("Post calendar", tr!("Post calendar")),
        ("Create a campaign", tr!("Create a campaign")),
        ("Exports", tr!("Exports")),
        ("Find leads: {text}", tr!("Find leads: {text}")),
        ("Go to a section or find a lead", tr!("Go to a section or find a lead")),
        ("Import leads from a file", tr!("Import leads from a file")),
        ("Link an ad account", tr!("Link an ad account")),
        ("Remove", tr!("Remove")),
        ("Search", tr!("Search")),
        ("Ad reports", tr!("Ad reports")),
        ("Ad results", tr!("Ad results")),
        ("The connection was interrupted.", tr!("The connection was interrupted.")),
        (
            "The connection was interrupted. Check whether your action took effect before you try again.",
            tr!("The connection was interrupted. Check whether your action took effect before you try again."),
        ),
        ("The upload failed ({status}).", tr!("The upload failed ({status}).")),
        (
            "This file is larger than 4 MB. Split it and upload the parts one by one.",
            tr!("This file is larger than 4 MB. Split it and upload the parts one by one."),
        ),
        ("This could not be loaded.", tr!("This could not be loaded.")),
        ("Try again", tr!("Try again")),
        ("Unassigned leads", tr!("Unassigned leads")),
        ("Webhooks", tr!("Webhooks")),
        ("Write a post", tr!("Write a post")),
        ("Uploading {file}…", tr!("Uploading {file}…")),
        ("Bytes left: {n}", tr!("Bytes left: {n}")),
        ("Bytes over the limit: {n}", tr!("Bytes over the limit: {n}")),
        ("Characters left: {n}", tr!("Characters left: {n}")),
        ("Characters over the limit: {n}", tr!("Characters over the limit: {n}")),
        ("{n} selected", tr!("{n} selected")),
    ];
    serde_json::to_string(&BTreeMap::from(texts)).ok()
}

/// Serves an asset. The name of an earlier version is not found: a browser that still shows such a page already has its
/// assets.
pub(crate) async fn serve(Path(file): Path<String>) -> Response {
    let entry = ASSETS.iter().zip(NAMES.iter()).find(|(_, name)| **name == file);
    let Some((asset, _)) = entry else {
        return Problem::new(ProblemCode::NoSuchPage, tr!("There is nothing at this address.")).into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.text).into_response()
}

#[cfg(test)]
mod tests {
    use leadwire::language::{Locale, speak_now};

    use super::*;

    #[test]
    fn the_script_finds_all_of_its_texts() {
        let texts = speak_now(Locale::usual(Language::German), texts).unwrap();
        let texts: BTreeMap<String, String> = serde_json::from_str(&texts).unwrap();
        let script = ASSETS.iter().find(|asset| asset.name == "console.js").unwrap().text;
        let said: Vec<&str> = script.split("say(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(said.len() > 10, "{said:?}");
        for text in said {
            assert!(texts.contains_key(text), "{text}");
        }
        let (_, named) = script.split_once("const BEGINNINGS = {").unwrap();
        let (named, _) = named.split_once("};").unwrap();
        for text in named.split("\", \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(texts.contains_key(text), "{text}");
        }
        for text in texts.keys() {
            assert!(script.contains(&format!("\"{text}\"")), "{text} is not said any more");
        }
    }
}
