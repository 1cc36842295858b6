//! Reading sorted parts of the lead indexes, in either order of time, and counting them.

use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;

use super::keys::{self, Key};
use super::lead_list::Condition;
use super::{Item, Table, TableError, text};
use crate::model::lead::query::LeadOrder;

/// The leads of an index whose sort keys begin in the same way, sorted by time.
#[derive(Debug)]
pub(super) struct Part {
    /// 1, 2 or 3, as in the names of the index and its keys.
    index: u8,
    pk: String,
    prefix: String,
}

impl Part {
    pub(super) fn new(index: u8, pk: String, prefix: String) -> Self {
        Self { index, pk, prefix }
    }
}

/// Reads a part a few leads at a time.
pub(super) struct PartReader<'a> {
    part: &'a Part,
    conditions: &'a [Condition],
    order: LeadOrder,
    from: String,
    to: String,
    /// Only leads beyond this position.
    beyond: Option<String>,
    /// Leads that were read, with their positions.
    buffer: VecDeque<(String, Key)>,
    start: Option<Item>,
    is_done: bool,
}

impl<'a> PartReader<'a> {
    /// Reads the leads from `from` to before `to`, and beyond a position.
    pub(super) fn new(
        part: &'a Part,
        conditions: &'a [Condition],
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        (order, beyond): (LeadOrder, Option<String>),
    ) -> Self {
        // An instant's text is shorter than the positions of the leads submitted in it, so a range of instants is a
        // range of positions. Years begin with a digit or a minus sign; the defaults sort at or below and above these.
        let mut to = to.map_or_else(|| "~".to_owned(), keys::instant);
        let mut from = from.map_or_else(|| "-".to_owned(), keys::instant);
        match (&beyond, order) {
            (None, _) => {}
            (Some(position), LeadOrder::NewestFirst) => to = to.min(position.clone()),
            (Some(position), LeadOrder::OldestFirst) => from = from.max(position.clone()),
        }
        Self { part, conditions, order, from, to, beyond, buffer: VecDeque::new(), start: None, is_done: false }
    }

    /// The position of the next lead, if it was read.
    pub(super) fn next(&self) -> Option<&str> {
        self.buffer.front().map(|(position, _)| position.as_str())
    }

    /// Whether there may be a next lead that was not read.
    pub(super) fn is_unknown(&self) -> bool {
        self.buffer.is_empty() && !self.is_done
    }

    /// The position up to which the part was read, if its next lead is not known.
    pub(super) fn horizon(&self) -> Option<String> {
        let sk = self.start.as_ref().filter(|_| self.is_unknown())?.get(&self.name("sk"))?.as_s().ok()?;
        Some(sk.strip_prefix(&self.part.prefix)?.to_owned())
    }

    /// Takes the next lead.
    pub(super) fn take(&mut self) -> Option<(String, Key)> {
        self.buffer.pop_front()
    }

    fn name(&self, kind: &str) -> String {
        format!("gsi{}{kind}", self.part.index)
    }

    /// Reads up to `limit` entries of the index, and keeps those that match.
    pub(super) async fn read(&mut self, table: &Table, limit: usize) -> Result<(), TableError> {
        if self.from > self.to {
            self.is_done = true;
            return Ok(());
        }
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let page = self.query(table).limit(limit).send().await?;
        let (sk, prefix) = (self.name("sk"), &self.part.prefix);
        let entry = |item: &Item| {
            let position = item.get(&sk)?.as_s().ok()?.strip_prefix(prefix.as_str())?.to_owned();
            Some((position, Key::from_item(item)?))
        };
        let entries: Vec<(String, Key)> = page.items.iter().flatten().filter_map(entry).collect();
        self.buffer.extend(entries.into_iter().filter(|(position, _)| Some(position) != self.beyond.as_ref()));
        self.start = page.last_evaluated_key;
        self.is_done = self.start.is_none();
        Ok(())
    }

    /// Counts the matching leads that were not read. Takes the entries it looks at from `left`, which the readers of a
    /// list share, and stops once none is left; then it also returns `false`.
    pub(super) async fn count(&mut self, table: &Table, left: &AtomicUsize) -> Result<(usize, bool), TableError> {
        let mut matching = 0;
        while self.from <= self.to && !self.is_done {
            if left.load(Relaxed) == 0 {
                return Ok((matching, false));
            }
            let page = self.query(table).select(Select::Count).send().await?;
            matching += usize::try_from(page.count).unwrap_or_default();
            let seen = usize::try_from(page.scanned_count).unwrap_or_default();
            left.store(left.load(Relaxed).saturating_sub(seen), Relaxed);
            self.start = page.last_evaluated_key;
            self.is_done = self.start.is_none();
        }
        Ok((matching, true))
    }

    fn query(&mut self, table: &Table) -> QueryFluentBuilder {
        let prefix = &self.part.prefix;
        let mut query = table
            .client
            .query()
            .table_name(&table.name)
            .index_name(format!("gsi{}", self.part.index))
            .scan_index_forward(self.order == LeadOrder::OldestFirst)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", self.name("pk"))
            .expression_attribute_names("#sk", self.name("sk"))
            .expression_attribute_values(":pk", text(&self.part.pk))
            .expression_attribute_values(":from", text(format!("{prefix}{}", self.from)))
            .expression_attribute_values(":to", text(format!("{prefix}{}", self.to)))
            .set_exclusive_start_key(self.start.take());
        let mut conditions = Vec::new();
        for (number, Condition { name, value }) in self.conditions.iter().enumerate() {
            query = query.expression_attribute_names(format!("#f{number}"), *name);
            conditions.push(match (*name, value) {
                (_, None) => format!("attribute_not_exists(#f{number})"),
                ("tags", Some(_)) => format!("contains(#f{number}, :f{number})"),
                (_, Some(_)) => format!("#f{number} = :f{number}"),
            });
            if let Some(value) = value {
                query = query.expression_attribute_values(format!(":f{number}"), text(value));
            }
        }
        if conditions.is_empty() { query } else { query.filter_expression(conditions.join(" AND ")) }
    }
}

impl Table {
    /// Returns the different texts that follow `prefix` in the sort keys of an index, up to the next separator. Each takes
    /// one small request, so this is for what has few of them.
    pub(super) async fn beginnings(&self, index: u8, pk: &str, prefix: &str) -> Result<Vec<String>, TableError> {
        const MAX: usize = 1000;
        let mut found = Vec::new();
        // Before all texts, the empty one included; a key's value may not be empty.
        let mut from = if prefix.is_empty() { "!".to_owned() } else { prefix.to_owned() };
        while found.len() < MAX {
            let query = self.client.query().table_name(&self.name).index_name(format!("gsi{index}")).limit(1);
            let page = query
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
                .expression_attribute_names("#pk", format!("gsi{index}pk"))
                .expression_attribute_names("#sk", format!("gsi{index}sk"))
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":from", text(&from))
                .expression_attribute_values(":to", text(format!("{prefix}~")))
                .send()
                .await?;
            let items = page.items.unwrap_or_default();
            let sk = items.first().and_then(|item| item.get(&format!("gsi{index}sk"))?.as_s().ok());
            let Some((next, _)) = sk.and_then(|sk| sk.strip_prefix(prefix)?.split_once('#')) else { break };
            // The character after the separator: behind all keys that begin with this text.
            from = format!("{prefix}{next}$");
            found.push(next.to_owned());
        }
        Ok(found)
    }
}
