//! Pages of rows. Rows are computed object by object until the page is full, so the first page of a large report is as
//! fast as that of a small one. Only sorting and summaries process everything.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::row;
use super::rows::{Key, Objects, Rows, Sights};
use crate::graph::error::GraphError;
use crate::graph::paging::{self, Further};
use crate::world::ads::counts::Metrics;

/// The default and the maximum page size.
const USUAL: usize = 25;
const LARGEST: usize = 500;

/// Computes one response page.
pub(super) fn page(rows: &Rows, base: &str, params: &BTreeMap<String, String>) -> Result<Value, GraphError> {
    let limit = limit(params.get("limit").map(String::as_str))?;
    let after = params.get("after").map(|cursor| read(cursor)).transpose()?;
    let before = params.get("before").filter(|_| after.is_none()).map(|cursor| read(cursor)).transpose()?;
    // Find the rows of the page.
    let (objects, sights) = (rows.objects(), rows.sights());
    let source = Source { rows, objects: &objects, sights: &sights };
    let (found, next, previous) = match (&rows.query.sort, before) {
        (Some((field, falling)), _) => source.sorted(field, *falling, after, before, limit),
        (None, Some(before)) => (source.before(before, limit), true, false),
        (None, None) => {
            let mut found = source.after(after, limit + 1);
            let next = found.len() > limit;
            found.truncate(limit);
            (found, next, after.is_some())
        }
    };
    let data: Vec<Value> = found
        .iter()
        .filter_map(|(key, metrics)| Some(row::render(rows, objects.at(key.object)?, *key, metrics)))
        .collect();
    let mut answer = Map::new();
    answer.insert("data".to_owned(), Value::Array(data));
    if let (Some((first, _)), Some((last, _))) = (found.first(), found.last()) {
        let further = Further { before: write(*first), after: write(*last), next, previous };
        answer.insert("paging".to_owned(), paging::links_from(base, params, limit, &further));
    }
    if let Some(fields) = &rows.query.summary {
        let mut sum = Metrics::default();
        source.all().for_each(|(_, metrics)| sum.add(&metrics));
        answer.insert("summary".to_owned(), row::summary(rows, fields, &sum));
    }
    Ok(Value::Object(answer))
}

fn limit(text: Option<&str>) -> Result<usize, GraphError> {
    let Some(text) = text else { return Ok(USUAL) };
    let invalid = || GraphError::invalid("(#100) Param limit must be a positive integer");
    let limit: u64 = text.parse().ok().filter(|limit| *limit > 0).ok_or_else(invalid)?;
    Ok(usize::try_from(limit).unwrap_or(LARGEST).min(LARGEST))
}

/// A cursor encodes the key of the row before or after it.
fn write(key: Key) -> String {
    format!("{}.{}.{}.{}", key.object, key.period, key.cell, key.copy)
}

fn read(cursor: &str) -> Result<Key, GraphError> {
    let text = paging::read_cursor(cursor)?;
    let parts: Option<Vec<usize>> = text.split('.').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some(&[object, period, cell, copy]) => Ok(Key { object, period, cell, copy }),
        _ => Err(paging::invalid_cursor()),
    }
}

/// Rows with everything needed to compute them.
struct Source<'a> {
    rows: &'a Rows,
    objects: &'a Objects,
    sights: &'a Sights,
}

impl Source<'_> {
    fn from(&self, position: usize) -> impl Iterator<Item = (Key, Metrics)> {
        (position..self.objects.len()).flat_map(|at| self.rows.of_object(self.objects, at, self.sights))
    }

    fn all(&self) -> impl Iterator<Item = (Key, Metrics)> {
        self.from(0)
    }

    fn after(&self, key: Option<Key>, limit: usize) -> Vec<(Key, Metrics)> {
        let start = key.map_or(0, |key| key.object);
        self.from(start).filter(|(own, _)| key.is_none_or(|key| *own > key)).take(limit).collect()
    }

    fn before(&self, key: Key, limit: usize) -> Vec<(Key, Metrics)> {
        let mut found: Vec<(Key, Metrics)> = Vec::new();
        for at in (0..=key.object.min(self.objects.len().saturating_sub(1))).rev() {
            let rows = self.rows.of_object(self.objects, at, self.sights);
            found.extend(rows.into_iter().rev().filter(|(own, _)| *own < key));
            if found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        found.reverse();
        found
    }

    /// Returns the page around a cursor in sorted order, and whether rows follow and precede it.
    fn sorted(
        &self,
        field: &str,
        falling: bool,
        after: Option<Key>,
        before: Option<Key>,
        limit: usize,
    ) -> (Vec<(Key, Metrics)>, bool, bool) {
        let value = |metrics: &Metrics| row::number(&self.rows.ads.currency, metrics, field);
        let mut order: Vec<(Key, Option<f64>)> = self.all().map(|(key, metrics)| (key, value(&metrics))).collect();
        order.sort_by(|(_, a), (_, b)| {
            let rising = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            if falling { rising.reverse() } else { rising }
        });
        let place = |key: Key| order.iter().position(|(own, _)| *own == key);
        let (start, end) = match (after, before) {
            (Some(after), _) => {
                let start = place(after).map_or(order.len(), |at| at + 1);
                (start, (start + limit).min(order.len()))
            }
            (None, Some(before)) => {
                let end = place(before).unwrap_or(0);
                (end.saturating_sub(limit), end)
            }
            (None, None) => (0, limit.min(order.len())),
        };
        let found = order.get(start..end).unwrap_or_default();
        let found = found.iter().filter_map(|(key, _)| {
            let rows = self.rows.of_object(self.objects, key.object, self.sights);
            rows.into_iter().find(|(own, _)| own == key)
        });
        (found.collect(), end < order.len(), start > 0)
    }
}
