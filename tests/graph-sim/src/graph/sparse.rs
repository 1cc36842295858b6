//! Paging of lists too long to materialise: numbered places, of which only some may hold an element.
//!
//! Behaves like [`super::paging`], but creates nothing outside the page.

use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::node::{self, Node};
use super::paging::{self, EdgeQuery, Elements};
use super::session::Call;

/// A list with gaps.
pub(crate) trait Sparse {
    /// Returns the number of places.
    fn places(&self) -> u32;
    /// Returns whether a place holds an element of the list.
    fn is_taken(&self, place: u32) -> bool;
    /// Returns the element at a place.
    fn node(&self, place: u32) -> Option<Node>;
}

/// Returns one response page.
pub(crate) fn page(
    call: &mut Call<'_>,
    query: &EdgeQuery,
    list: &dyn Sparse,
    elements: &Elements,
) -> Result<Value, GraphError> {
    if let (Some(node_type), Some(fields)) = (elements.node_type, &query.fields) {
        node::check_fields(node_type, fields)?;
    }
    let limit = paging::limit(query, elements.max_limit)?;
    let places = taken(query, list, limit)?;
    let mut data = Vec::new();
    for place in &places {
        if let Some(node) = list.node(*place) {
            data.push(node::read(call, &node, query.fields.as_deref(), elements.defaults)?);
        }
    }
    let mut answer = Map::new();
    answer.insert("data".to_owned(), Value::Array(data));
    if let (Some(first), Some(last)) = (places.first(), places.last()) {
        let further = paging::Further {
            before: first.to_string(),
            after: last.to_string(),
            next: (*last + 1..list.places()).any(|place| list.is_taken(place)),
            previous: (0..*first).any(|place| list.is_taken(place)),
        };
        answer.insert("paging".to_owned(), paging::links(call, query, limit, &further));
    }
    if paging::wants_count(query) {
        let count = (0..list.places()).filter(|place| list.is_taken(*place)).count();
        answer.insert("summary".to_owned(), json!({ "total_count": count }));
    }
    Ok(Value::Object(answer))
}

/// Returns the places of the page, in order.
fn taken(query: &EdgeQuery, list: &dyn Sparse, limit: usize) -> Result<Vec<u32>, GraphError> {
    let place = |cursor: &str| -> Result<u32, GraphError> {
        paging::read_cursor(cursor)?.parse().map_err(|_| paging::invalid_cursor())
    };
    match (query.param("after"), query.param("before")) {
        (None, Some(before)) => {
            let end = place(before)?.min(list.places());
            let mut places: Vec<u32> = (0..end).rev().filter(|place| list.is_taken(*place)).take(limit).collect();
            places.reverse();
            Ok(places)
        }
        (after, _) => {
            let start = after.map(place).transpose()?.map_or(0, |place| place.saturating_add(1));
            Ok((start..list.places()).filter(|place| list.is_taken(*place)).take(limit).collect())
        }
    }
}
