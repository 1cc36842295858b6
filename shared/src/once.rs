//! Requests that are carried out once: the same request under the same id of its caller is answered the same and does
//! nothing again.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{ActError, ErrorCode};
use crate::table::request::OnceRequest;

/// An input without what was not given, its fields in the order of their names. A field that a later release adds must not
/// make another request of one that is repeated after a deployment.
fn without_defaults(input: Value) -> Value {
    let is_given = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    };
    match input {
        Value::Array(items) => items.into_iter().map(without_defaults).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, without_defaults(value)));
            let fields: BTreeMap<String, Value> = fields.filter(|(_, value)| is_given(value)).collect();
            fields.into_iter().collect()
        }
        other => other,
    }
}

/// A request that is carried out once, under an id that its caller chose.
#[derive(Debug, Clone)]
pub struct OnceKey {
    operation: &'static str,
    field: &'static str,
    hash: String,
    fingerprint: String,
}

impl OnceKey {
    /// The key of a request. `field` names the caller's id in it, `input` is all that was asked for.
    ///
    /// # Errors
    /// Refuses an id of the wrong length.
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "an input is plain data")]
    pub fn new(
        operation: &'static str,
        field: &'static str,
        id: &str,
        input: &impl Serialize,
    ) -> Result<Self, ActError> {
        if !(1..=200).contains(&id.chars().count()) {
            return Err(ActError::invalid(field, ErrorCode::LengthInvalid, "1 to 200 characters."));
        }
        let hash = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let input = without_defaults(serde_json::to_value(input).expect("plain data")).to_string();
        Ok(Self { operation, field, hash: hash(id.as_bytes()), fingerprint: hash(input.as_bytes()) })
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The hash of the caller's id.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The record of the request, once it is known what it makes.
    #[must_use]
    pub fn record(&self, made: Vec<String>, at: Timestamp) -> OnceRequest {
        let (operation, hash) = (self.operation.to_owned(), self.hash.clone());
        OnceRequest { operation, hash, fingerprint: self.fingerprint.clone(), made, at }
    }

    /// The ids of what an earlier request made.
    ///
    /// # Errors
    /// Refuses an id that was used for another request.
    pub fn known_ids<'a>(&self, known: &'a OnceRequest) -> Result<&'a [String], ActError> {
        if known.fingerprint == self.fingerprint {
            return Ok(&known.made);
        }
        let message = "This id was used for a request with other content. Use a new id for a new request.";
        Err(ActError::invalid(self.field, ErrorCode::RequestReused, message))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_a_later_release_adds_makes_no_other_request() {
        let fingerprint = |input: Value| OnceKey::new("post", "request_id", "1", &input).unwrap().fingerprint;
        let before = fingerprint(json!({ "text": "Hi", "images": ["a"], "target": { "page": "7" } }));
        let target = json!({ "page": "7", "place": null });
        let after = json!({ "added": null, "text": "Hi", "tags": [], "images": ["a"], "target": target });
        assert_eq!(fingerprint(after), before);
        assert_ne!(fingerprint(json!({ "text": "Hi", "images": ["b"], "target": { "page": "7" } })), before);
        assert_ne!(fingerprint(json!({ "text": "Hi", "images": [null, "a"], "target": { "page": "7" } })), before);
    }
}
