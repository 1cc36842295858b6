//! Items as lines of text, in DynamoDB's own JSON: `{"pk": {"S": "…"}, …}`.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::OrgItem;
use crate::ids::OrgScope;
use crate::table::{Item, keys};

/// A line that is no item of the org.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLine {
    /// It is not JSON.
    #[error("it is not JSON")]
    NotJson,
    /// It is not an item in DynamoDB's JSON with a `pk` and an `sk`.
    #[error("it is not an item in DynamoDB's JSON")]
    NotAnItem,
    /// It is an item of another org.
    #[error("it is an item of another org")]
    Foreign,
}

impl OrgItem {
    /// The item as a line, without its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        // Sorted, so that equal items are equal lines.
        let sorted: std::collections::BTreeMap<_, _> = self.item.iter().collect();
        let fields: Map<String, Value> =
            sorted.into_iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
        Value::Object(fields).to_string()
    }

    /// Reads an item of the org from a line.
    ///
    /// # Errors
    /// Says what is wrong with the line, without its content.
    pub fn from_line(scope: &OrgScope, line: &str) -> Result<Self, InvalidLine> {
        let parsed: Value = serde_json::from_str(line).map_err(|_| InvalidLine::NotJson)?;
        let fields = parsed.as_object().ok_or(InvalidLine::NotAnItem)?;
        let item = fields.iter().map(|(name, value)| Some((name.clone(), from_json(value)?)));
        let item: Item = item.collect::<Option<_>>().ok_or(InvalidLine::NotAnItem)?;
        let found = Self::new(item).ok_or(InvalidLine::NotAnItem)?;
        if keys::is_of_org(scope, &found.key) { Ok(found) } else { Err(InvalidLine::Foreign) }
    }
}

fn to_json(value: &AttributeValue) -> Value {
    let bytes = |blob: &Blob| STANDARD.encode(blob.as_ref());
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::B(blob) => json!({ "B": bytes(blob) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(blobs) => json!({ "BS": blobs.iter().map(bytes).collect::<Vec<_>>() }),
        AttributeValue::L(values) => json!({ "L": values.iter().map(to_json).collect::<Vec<_>>() }),
        AttributeValue::M(fields) => {
            let sorted: std::collections::BTreeMap<_, _> = fields.iter().collect();
            let fields: Map<String, Value> =
                sorted.into_iter().map(|(name, value)| (name.clone(), to_json(value))).collect();
            json!({ "M": fields })
        }
        // Of a later version of the SDK. DynamoDB has had these ten types since 2014.
        _ => Value::Null,
    }
}

fn from_json(value: &Value) -> Option<AttributeValue> {
    let (kind, value) = value.as_object().filter(|fields| fields.len() == 1)?.iter().next()?;
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let texts = |value: &Value| value.as_array()?.iter().map(text).collect::<Option<Vec<String>>>();
    let blob = |value: &Value| Some(Blob::new(STANDARD.decode(value.as_str()?).ok()?));
    Some(match kind.as_str() {
        "S" => AttributeValue::S(text(value)?),
        "N" => AttributeValue::N(text(value)?),
        "BOOL" => AttributeValue::Bool(value.as_bool()?),
        "NULL" => AttributeValue::Null(true),
        "B" => AttributeValue::B(blob(value)?),
        "SS" => AttributeValue::Ss(texts(value)?),
        "NS" => AttributeValue::Ns(texts(value)?),
        "BS" => AttributeValue::Bs(value.as_array()?.iter().map(blob).collect::<Option<_>>()?),
        "L" => AttributeValue::L(value.as_array()?.iter().map(from_json).collect::<Option<_>>()?),
        "M" => {
            let fields = value.as_object()?.iter().map(|(name, value)| Some((name.clone(), from_json(value)?)));
            AttributeValue::M(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
