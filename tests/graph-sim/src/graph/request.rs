//! One Graph request, sent alone or inside a batch.

use std::collections::BTreeMap;

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::version;

/// A request, reduced to what Meta evaluates.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub(crate) method: String,
    /// The version named in the path.
    pub(crate) version: Option<u32>,
    /// Path segments after the version, decoded.
    pub(crate) path: Vec<String>,
    /// Query and body parameters together: Meta does not distinguish them. Values other than strings are JSON text.
    pub(crate) params: BTreeMap<String, String>,
    /// Whether the token was a query parameter. `paging.next` repeats it only then.
    pub(crate) token_in_query: bool,
    /// Uploaded files by the name of their part.
    pub(crate) files: Vec<(String, Bytes)>,
    /// Names of uploaded files by the name of their part.
    pub(crate) file_names: BTreeMap<String, String>,
}

impl Request {
    /// Parses a path such as `/v26.0/me/accounts`.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let mut segments: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect();
        let version = segments.first().and_then(|segment| version::parse(segment));
        if version.is_some() {
            segments.remove(0);
        }
        Self {
            method: method.to_uppercase(),
            version,
            path: segments,
            params: BTreeMap::new(),
            token_in_query: false,
            files: Vec::new(),
            file_names: BTreeMap::new(),
        }
    }

    /// Adds a query string or a form-encoded body.
    pub(crate) fn add_form(&mut self, encoded: &str) {
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            self.params.insert(name.into_owned(), value.into_owned());
        }
    }

    /// Adds the members of a JSON object. Lists and objects are stored as JSON text, as in a form.
    pub(crate) fn add_json(&mut self, body: Value) {
        if let Value::Object(members) = body {
            for (name, value) in members {
                let text = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                self.params.insert(name, text);
            }
        }
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// Returns the file of a parameter, or else the first file that is not the picture of a video: Meta does not insist
    /// on the name.
    pub(crate) fn file(&self, name: &str) -> Option<&Bytes> {
        let named = self.files.iter().find(|(known, _)| known == name);
        named.or_else(|| self.files.iter().find(|(known, _)| known != "thumb")).map(|(_, bytes)| bytes)
    }

    /// Returns whether this is an upload, which Meta takes on a host of its own: `/video-upload/v26.0/{video}`.
    pub(crate) fn is_upload(&self) -> bool {
        self.path.first().is_some_and(|first| matches!(first.as_str(), "video-upload" | "ig-api-upload"))
    }

    /// Returns the path without version, such as `/` or `/me/accounts`.
    pub(crate) fn plain_path(&self) -> String {
        format!("/{}", self.path.join("/"))
    }
}

/// Returns whether a path segment has the form of an id: a number, `act_` and a number, or two numbers joined by `_`.
pub(crate) fn is_id(segment: &str) -> bool {
    segment.strip_prefix("act_").unwrap_or(segment).chars().all(|c| c.is_ascii_digit() || c == '_')
}

fn decode(segment: &str) -> String {
    // A path segment is decoded like a form value, except that `+` and `&` are literal.
    let escaped = segment.replace('+', "%2B").replace('&', "%26");
    let whole = format!("x={escaped}");
    url::form_urlencoded::parse(whole.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Parses JSON in a parameter. Like Meta, accepts the single quotes of Meta's own examples, which some clients send.
pub(crate) fn json<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&text.replace('\'', "\"")).ok())
}

/// Parses a list parameter: JSON (`["a","b"]`) or comma-separated.
pub(crate) fn list(text: &str) -> Vec<String> {
    if let Some(list) = json::<Vec<String>>(text) {
        return list;
    }
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}
