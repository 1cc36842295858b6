//! Parsing of what the client sent. Errors name the field.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http::request::Parts;
use jiff::Timestamp;
use jiff::civil::Date;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::InvalidId;
use serde::de::DeserializeOwned;

/// A JSON body.
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let unreadable = |_| Problem::new(ProblemCode::BodyInvalid, "The body could not be read.");
        let bytes = Bytes::from_request(request, state).await.map_err(unreadable)?;
        parse(&bytes).map(Self)
    }
}

/// The query parameters by name, each given once.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let invalid_query =
            || Problem::field("query", ProblemCode::QueryInvalid, "The parameters of the address cannot be read.");
        let Query(pairs) =
            Query::<Vec<(String, String)>>::from_request_parts(parts, state).await.map_err(|_| invalid_query())?;
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs {
            let short_name: String = name.chars().take(64).collect();
            if parameters.insert(name, value).is_some() {
                return Err(Problem::field(&short_name, ProblemCode::ParameterRepeated, "Give each parameter once."));
            }
        }
        Ok(Self(parameters))
    }
}

impl Parameters {
    /// Rejects parameters that are not among `known`.
    pub(crate) fn check(&self, known: &[&str]) -> Result<(), Problem> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(unknown) => {
                let short_name: String = unknown.chars().take(64).collect();
                let detail = format!("Use one of: {}.", known.join(", "));
                Err(Problem::field(&short_name, ProblemCode::ParameterUnknown, detail))
            }
        }
    }

    /// A parameter. An empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A time. A day means its start in UTC.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.get(name).map(|text| fields::time(name, text)).transpose()
    }

    /// A day.
    pub(crate) fn day(&self, name: &str) -> Result<Option<Date>, Problem> {
        self.get(name).map(|text| fields::day(name, text)).transpose()
    }

    /// An id.
    pub(crate) fn id<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T, InvalidId>) -> Result<Option<T>, Problem> {
        self.get(name).map(|text| fields::id(name, text, parse)).transpose()
    }

    /// One of `known`.
    pub(crate) fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<&str>, Problem> {
        self.get(name).map(|text| fields::one_of(name, text, known)).transpose()
    }

    /// Whether something is wanted: `true`, or else `false`.
    pub(crate) fn is_set(&self, name: &str) -> Result<bool, Problem> {
        Ok(self.one_of(name, &["true", "false"])? == Some("true"))
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let invalid = |_| Problem::field(name, ProblemCode::ParameterInvalid, "A whole number that is not negative.");
        self.get(name).map(|text| text.parse().map_err(invalid)).transpose()
    }

    /// The number of items per page.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        fields::limit(self.get("limit"), fields::DEFAULT_LIMIT, fields::MAX_LIMIT)
    }
}

/// Parses a JSON body that was already read.
///
/// Every body is an object. serde would also take an array of the values of its fields, whose meaning would change with
/// the order of the fields.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::new(ProblemCode::BodyInvalid, "A JSON object."));
    }
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(bytes)).map_err(|error| {
        let path = error.path().to_string();
        let detail = format!("{}.", error.into_inner());
        if matches!(path.as_str(), "." | "?") {
            Problem::new(ProblemCode::BodyInvalid, detail)
        } else {
            Problem::field(&path, ProblemCode::FieldInvalid, detail)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_by_its_name() {
        #[derive(serde::Deserialize, Debug)]
        struct Inner {
            #[expect(dead_code, reason = "only parsed")]
            b: u8,
        }
        #[derive(serde::Deserialize, Debug)]
        struct Outer {
            #[expect(dead_code, reason = "only parsed")]
            a: Vec<Inner>,
        }
        let field = |body: &str| parse::<Outer>(body.as_bytes()).unwrap_err().field;
        assert_eq!(field(r#"{"a":[{"b":1},{"b":"x"}]}"#).as_deref(), Some("a[1].b"));
        assert_eq!(field("{").as_deref(), None);
        assert_eq!(field("").as_deref(), None);
        assert!(parse::<Inner>(b" {\"b\":1}").is_ok());
        assert!(parse::<Inner>(b"[1]").is_err(), "by position, a field could be taken for another");
    }
}
