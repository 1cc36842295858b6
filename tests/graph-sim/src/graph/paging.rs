//! Cursor paging of edges.
//!
//! Meta's habits, kept: `cursors.after` is there on the last page too and only `next` tells whether there is more; the
//! list is cut into pages before what the caller may not see is taken out, so a page can be short or empty while
//! `next` exists; cursors are opaque.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::fields::Field;
use super::node::{self, Node};
use super::session::Call;

/// Page size when none is asked for.
const DEFAULT_LIMIT: usize = 25;

/// How an edge is asked for: by its own address, or inside another node's fields.
#[derive(Debug, Clone)]
pub(crate) struct EdgeQuery {
    /// `{node-id}/{edge}`, for the addresses of further pages.
    pub(crate) path: String,
    pub(crate) fields: Option<Vec<Field>>,
    /// Arguments, and what else the addresses of further pages repeat.
    pub(crate) params: BTreeMap<String, String>,
}

/// An element of an edge.
pub(crate) enum Item {
    /// Read with the fields asked for.
    Node(Node),
    /// As it is.
    Value(Value),
    /// Counted, and not shown.
    Withheld,
}

impl EdgeQuery {
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }
}

/// What an edge holds.
pub(crate) struct Elements {
    /// The type of its nodes: unknown fields are refused even when the list is empty. `None` for plain values.
    pub(crate) node_type: Option<&'static str>,
    /// The fields of a node when none are asked for.
    pub(crate) defaults: &'static [&'static str],
    /// The largest page.
    pub(crate) max_limit: usize,
}

/// One response page of `items`, each with the key its cursor holds on to.
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
    for (_, item) in items.into_iter().skip(start).take(end.saturating_sub(start)) {
        match item {
            Item::Node(node) => data.push(node::read(call, &node, query.fields.as_deref(), elements.defaults)?),
            Item::Value(value) => data.push(node::only(value, query.fields.as_deref())),
            Item::Withheld => {}
        }
    }
    let mut answer = Map::new();
    answer.insert("data".to_owned(), Value::Array(data));
    if let (Some(first), Some(last)) = (keys.get(start), end.checked_sub(1).and_then(|at| keys.get(at)))
        && start < end
    {
        let (before, after) = (cursor(first, start), cursor(last, end - 1));
        let mut paging = json!({"cursors": {"before": before, "after": after}});
        if let Some(members) = paging.as_object_mut() {
            if end < total {
                members.insert("next".to_owned(), json!(link(call, query, limit, "after", &after)));
            }
            if start > 0 {
                members.insert("previous".to_owned(), json!(link(call, query, limit, "before", &before)));
            }
        }
        answer.insert("paging".to_owned(), paging);
    }
    if query
        .param("summary")
        .is_some_and(|summary| summary == "true" || summary == "1" || summary.contains("total_count"))
    {
        answer.insert("summary".to_owned(), json!({"total_count": total}));
    }
    Ok(Value::Object(answer))
}

fn limit(query: &EdgeQuery, max_limit: usize) -> Result<usize, GraphError> {
    let Some(text) = query.param("limit") else { return Ok(DEFAULT_LIMIT.min(max_limit)) };
    let limit: u64 =
        text.parse().map_err(|_| GraphError::invalid("(#100) Param limit must be a non-negative integer"))?;
    Ok(usize::try_from(limit).unwrap_or(max_limit).min(max_limit))
}

/// The cursor of the element with `key` at `index`. The index helps when the element itself is gone by the next call.
fn cursor(key: &str, index: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{index}|{key}"))
}

fn position(keys: &[String], cursor: &str) -> Result<usize, GraphError> {
    let invalid = || GraphError::invalid("(#100) Invalid cursors values");
    let text =
        URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    let (index, key) = text.split_once('|').ok_or_else(invalid)?;
    let index: usize = index.parse().map_err(|_| invalid())?;
    Ok(keys.iter().position(|known| known == key).unwrap_or_else(|| index.min(keys.len())))
}

fn link(call: &Call<'_>, query: &EdgeQuery, limit: usize, direction: &str, cursor: &str) -> String {
    let mut encoded = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &query.params {
        if !matches!(name.as_str(), "limit" | "after" | "before") {
            encoded.append_pair(name, value);
        }
    }
    encoded.append_pair("limit", &limit.to_string()).append_pair(direction, cursor);
    format!("{}/v{}.0/{}?{}", call.world.public_url, call.version, query.path, encoded.finish())
}
