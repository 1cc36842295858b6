//! Query parameters. Lists keep their filters there, so that an address can be bookmarked, shared and revisited.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The query parameters of a request. Those without a value count as absent.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Asked(BTreeMap<String, String>);

impl Asked {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(ToOwned::to_owned)
    }

    /// Returns the address of `path` with the same parameters, except those that are `changed`.
    pub(crate) fn at(&self, path: &str, changed: &[(&str, &str)]) -> String {
        let mut words: BTreeMap<&str, &str> =
            self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        words.extend(changed.iter().copied());
        let mut query = url::form_urlencoded::Serializer::for_suffix(format!("{path}?"), path.len() + 1);
        query.extend_pairs(words.iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_words_but_for_those_that_change() {
        let words = [("status", "new"), ("tag", ""), ("cursor", "old")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let asked = Asked(words.into());
        assert_eq!(asked.at("/leads", &[("cursor", "a&b")]), "/leads?cursor=a%26b&status=new");
        assert_eq!(asked.at("/leads", &[("cursor", "")]), "/leads?status=new");
        assert_eq!((asked.get("tag"), asked.get("status")), (None, Some("new")));
    }
}
