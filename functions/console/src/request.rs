//! What a request says: its query parameters, whether it wants a fragment, and the paths it may lead to.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use serde::Deserialize;
use url::Url;

/// The query parameters of a list. Filters are kept there, so that an address can be bookmarked, shared and revisited.
/// Parameters without a value count as absent.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct ListQuery(BTreeMap<String, String>);

impl ListQuery {
    /// The parameters that a form repeats.
    pub(crate) fn new<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(ToOwned::to_owned)
    }

    /// The parameters whose names begin like this, with their values.
    pub(crate) fn beginning_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let parameters = self.0.iter().map(|(name, value)| (name.as_str(), value.trim()));
        parameters.filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty())
    }

    /// Returns the address of `path` with the same parameters, except those that are `changed`.
    pub(crate) fn at(&self, path: &str, changed: &[(&str, &str)]) -> String {
        let mut parameters: BTreeMap<&str, &str> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        parameters.extend(changed.iter().copied());
        let mut query = url::form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
        query.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
        query.finish().trim_end_matches('?').to_owned()
    }
}

/// The header with which our script requests a fragment.
const FRAGMENT_HEADER: &str = "x-part";

/// Whether our script requests a fragment to insert into a page.
pub(crate) fn wants_fragment(headers: &HeaderMap) -> bool {
    headers.contains_key(FRAGMENT_HEADER)
}

/// The path of the page that the request comes from.
pub(crate) fn referer_path(headers: &HeaderMap) -> Option<String> {
    let url = Url::parse(headers.get(header::REFERER)?.to_str().ok()?).ok()?;
    local_path(&url[url::Position::BeforePath..]).map(ToOwned::to_owned)
}

/// Returns the path if it is one of this console and cannot lead a browser elsewhere.
pub(crate) fn local_path(path: &str) -> Option<&str> {
    // The path is stored in a cookie, which holds 4 KB.
    const MAX_PATH_BYTES: usize = 1000;
    let is_path = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    (is_path && path.len() <= MAX_PATH_BYTES && path.bytes().all(|byte| byte.is_ascii_graphic())).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_words_but_for_those_that_change() {
        let parameters = [("status", "new"), ("tag", ""), ("cursor", "old")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let query = ListQuery(parameters.into());
        assert_eq!(query.at("/leads", &[("cursor", "a&b")]), "/leads?cursor=a%26b&status=new");
        assert_eq!(query.at("/leads", &[("cursor", "")]), "/leads?status=new");
        assert_eq!(query.at("/leads", &[("cursor", ""), ("status", "")]), "/leads");
        assert_eq!((query.get("tag"), query.get("status")), (None, Some("new")));
    }

    #[test]
    fn nobody_is_sent_elsewhere_after_logging_in() {
        for elsewhere in [
            "",
            "x",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\tb",
            "/a\u{1}b",
            "/ä",
            "javascript:1",
        ] {
            assert_eq!(local_path(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(local_path("/leads?status=new&tag=a"), Some("/leads?status=new&tag=a"));
    }
}
