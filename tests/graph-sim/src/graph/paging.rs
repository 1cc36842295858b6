//! Cursor paging of edges.
//!
//! Reproduces Meta's behaviour:
//! - `cursors.after` is present on the last page too; only `next` shows whether more follows.
//! - The list is divided into pages before elements hidden from the caller are removed, so a page can be short or empty
//!   while `next` exists.
//! - Cursors are opaque.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::fields::Field;
use super::node::{self, Node};
use super::session::Call;

/// Page size without a `limit`.
const DEFAULT_LIMIT: usize = 25;

/// The query of an edge, read by its own URL or inside another node's fields.
#[derive(Debug, Clone)]
pub(crate) struct EdgeQuery {
    /// `{node-id}/{edge}`, for paging URLs.
    pub(crate) path: String,
    pub(crate) fields: Option<Vec<Field>>,
    /// Arguments, and other parameters that paging URLs repeat.
    pub(crate) params: BTreeMap<String, String>,
}

/// An element of an edge.
pub(crate) enum Item {
    /// Read with the requested fields.
    Node(Node),
    /// Returned as is.
    Value(Value),
    /// Counted but not returned.
    Withheld,
}

impl EdgeQuery {
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }
}

/// The kind of elements an edge contains.
pub(crate) struct Elements {
    /// The type of its nodes. Unknown fields are rejected even if the list is empty. `None` for plain values.
    pub(crate) node_type: Option<&'static str>,
    /// The default fields of a node.
    pub(crate) defaults: &'static [&'static str],
    /// Maximum page size.
    pub(crate) max_limit: usize,
}

/// Returns one response page of `items`, each with the key that its cursor encodes.
pub(crate) fn page(
    call: &mut Call<'_>,
    query: &EdgeQuery,
    items: Vec<(String, Item)>,
    elements: &Elements,
) -> Result<Value, GraphError> {
    if let (Some(node_type), Some(fields)) = (elements.node_type, &query.fields) {
        node::check_fields(node_type, fields)?;
    }
    let limit = limit(query, elements.max_limit)?;
    // Find the range of the page.
    let total = items.len();
    let keys: Vec<String> = items.iter().map(|(key, _)| key.clone()).collect();
    let (start, end) = match (query.param("after"), query.param("before")) {
        (Some(after), _) => {
            let start = position(&keys, after)? + 1;
            (start, (start + limit).min(total))
        }
        (None, Some(before)) => {
            let end = position(&keys, before)?;
            (end.saturating_sub(limit), end)
        }
        (None, None) => (0, limit.min(total)),
    };
    let mut data = Vec::new();
    // Read its elements.
    for (_, item) in items.into_iter().skip(start).take(end.saturating_sub(start)) {
        match item {
            Item::Node(node) => data.push(node::read(call, &node, query.fields.as_deref(), elements.defaults)?),
            Item::Value(value) => data.push(node::only(value, query.fields.as_deref())),
            Item::Withheld => {}
        }
    }
    let mut answer = Map::new();
    answer.insert("data".to_owned(), Value::Array(data));
    // An empty page has no cursors.
    if let (Some(first), Some(last)) = (keys.get(start), end.checked_sub(1).and_then(|at| keys.get(at)))
        && start < end
    {
        let further = Further {
            before: format!("{start}|{first}"),
            after: format!("{}|{last}", end - 1),
            next: end < total,
            previous: start > 0,
        };
        answer.insert("paging".to_owned(), links(call, query, limit, &further));
    }
    if wants_count(query) {
        answer.insert("summary".to_owned(), json!({"total_count": total}));
    }
    Ok(Value::Object(answer))
}

/// The surroundings of a page: the contents of its cursors, and whether elements lie beyond them.
pub(crate) struct Further {
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) next: bool,
    pub(crate) previous: bool,
}

/// Returns `paging` of a page that is not empty.
pub(crate) fn links(call: &Call<'_>, query: &EdgeQuery, limit: usize, further: &Further) -> Value {
    let base = format!("{}/v{}.0/{}", call.world.public_url, call.version, query.path);
    links_from(&base, &query.params, limit, further)
}

/// Like [`links`], with the URL of the edge in `base`.
pub(crate) fn links_from(base: &str, params: &BTreeMap<String, String>, limit: usize, further: &Further) -> Value {
    let (before, after) = (URL_SAFE_NO_PAD.encode(&further.before), URL_SAFE_NO_PAD.encode(&further.after));
    let mut paging = Map::new();
    paging.insert("cursors".to_owned(), json!({"before": before, "after": after}));
    for (name, wanted, direction, cursor) in
        [("next", further.next, "after", &after), ("previous", further.previous, "before", &before)]
    {
        if wanted {
            paging.insert(name.to_owned(), json!(link(base, params, limit, direction, cursor)));
        }
    }
    Value::Object(paging)
}

/// Returns whether the query requests the total count.
pub(crate) fn wants_count(query: &EdgeQuery) -> bool {
    query.param("summary").is_some_and(|summary| summary == "true" || summary == "1" || summary.contains("total_count"))
}

/// Returns the requested page size, or the default.
///
/// # Errors
/// Returns 100 if `limit` is not a number.
pub(crate) fn limit(query: &EdgeQuery, max_limit: usize) -> Result<usize, GraphError> {
    let Some(text) = query.param("limit") else { return Ok(DEFAULT_LIMIT.min(max_limit)) };
    let limit: u64 =
        text.parse().map_err(|_| GraphError::invalid("(#100) Param limit must be a non-negative integer"))?;
    Ok(usize::try_from(limit).unwrap_or(max_limit).min(max_limit))
}

pub(crate) fn invalid_cursor() -> GraphError {
    GraphError::invalid("(#100) Invalid cursors values")
}

/// Decodes a cursor.
pub(crate) fn read_cursor(cursor: &str) -> Result<String, GraphError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid_cursor)
}

/// Returns the position of a cursor's element. If the element was removed since, its index is used.
fn position(keys: &[String], cursor: &str) -> Result<usize, GraphError> {
    let text = read_cursor(cursor)?;
    let (index, key) = text.split_once('|').ok_or_else(invalid_cursor)?;
    let index: usize = index.parse().map_err(|_| invalid_cursor())?;
    Ok(keys.iter().position(|known| known == key).unwrap_or_else(|| index.min(keys.len())))
}

fn link(base: &str, params: &BTreeMap<String, String>, limit: usize, direction: &str, cursor: &str) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in params {
        if !matches!(name.as_str(), "limit" | "after" | "before") {
            encoded.append_pair(name, value);
        }
    }
    encoded.append_pair("limit", &limit.to_string()).append_pair(direction, cursor);
    format!("{base}?{}", encoded.finish())
}
