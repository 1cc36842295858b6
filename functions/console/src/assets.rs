//! Stylesheet, script, letters and logo, embedded in the binary. Their names contain a hash of their content, so that browsers
//! may cache them for ever.

use std::borrow::Cow;
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
    content: Cow<'static, [u8]>,
    /// The name with the hash.
    file: String,
}

impl Asset {
    fn new(name: &'static str, kind: &'static str, content: impl Into<Cow<'static, [u8]>>) -> Self {
        let content = content.into();
        let hash = hex::encode(Sha256::digest(&content));
        let (stem, end) = name.split_once('.').unwrap_or((name, ""));
        let file = format!("{stem}.{}.{end}", hash.get(..12).unwrap_or_default());
        Self { name, kind, content, file }
    }
}

const STYLE: &str = concat!(
    include_str!("assets/console.css"),
    include_str!("assets/leads.css"),
    include_str!("assets/inbox.css"),
    include_str!("assets/forms.css"),
    include_str!("assets/phone.css"),
);
const SCRIPT: &str = concat!(
    include_str!("assets/keys.js"),
    include_str!("assets/inbox.js"),
    include_str!("assets/leads.js"),
    include_str!("assets/palette.js"),
    include_str!("assets/console.js"),
);
/// The letters of most texts, and those of the other languages with Latin letters.
const LATIN: &[u8] = include_bytes!("assets/figtree/latin.woff2");
const LATIN_EXTENDED: &[u8] = include_bytes!("assets/figtree/latin-ext.woff2");

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let fonts = [("latin.woff2", LATIN), ("latin-ext.woff2", LATIN_EXTENDED)];
    let mut assets = Vec::from(fonts.map(|(name, content)| Asset::new(name, "font/woff2", content)));
    let style = assets.iter().fold(STYLE.to_owned(), |style, font| style.replace(font.name, &font.file));
    assets.push(Asset::new("console.css", "text/css; charset=utf-8", style.into_bytes()));
    assets.push(Asset::new("console.js", "text/javascript; charset=utf-8", SCRIPT.as_bytes()));
    assets.push(Asset::new("mark.svg", "image/svg+xml", include_bytes!("assets/mark.svg").as_slice()));
    assets
});

/// The address of an asset.
pub(crate) fn path(name: &str) -> String {
    let file = ASSETS.iter().find(|asset| asset.name == name).map_or(name, |asset| &asset.file);
    format!("/assets/{file}")
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
        ("Close", tr!("Close")),
        ("Copied", tr!("Copied")),
        ("Create a campaign", tr!("Create a campaign")),
        ("Exports", tr!("Exports")),
        ("Find leads: {text}", tr!("Find leads: {text}")),
        ("Go to a section, or find something", tr!("Go to a section, or find something")),
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
    let Some(asset) = ASSETS.iter().find(|asset| asset.file == file) else {
        return Problem::new(ProblemCode::NoSuchPage, tr!("There is nothing at this address.")).into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, &*asset.content).into_response()
}

#[cfg(test)]
mod tests {
    use leadwire::language::{Locale, speak_now};

    use super::*;

    #[test]
    fn the_style_names_the_letters_by_their_content() {
        let style = ASSETS.iter().find(|asset| asset.name == "console.css").unwrap();
        let style = std::str::from_utf8(&style.content).unwrap();
        for asset in ASSETS.iter().filter(|asset| asset.kind == "font/woff2") {
            assert!(style.contains(&format!("url({})", asset.file)), "{}", asset.file);
        }
    }

    #[test]
    fn the_script_finds_all_of_its_texts() {
        let texts = speak_now(Locale::usual(Language::German), texts).unwrap();
        let texts: BTreeMap<String, String> = serde_json::from_str(&texts).unwrap();
        let said: Vec<&str> = SCRIPT.split("say(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(said.len() > 10, "{said:?}");
        for text in said {
            assert!(texts.contains_key(text), "{text}");
        }
        let (_, named) = SCRIPT.split_once("const BEGINNINGS = {").unwrap();
        let (named, _) = named.split_once("};").unwrap();
        for text in named.split("\", \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(texts.contains_key(text), "{text}");
        }
        for text in texts.keys() {
            assert!(SCRIPT.contains(&format!("\"{text}\"")), "{text} is not said any more");
        }
    }
}
