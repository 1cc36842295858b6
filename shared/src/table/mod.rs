//! The single DynamoDB table. [`keys`] holds every key format. Each entity has a file, each access pattern a method.
//!
//! A failed condition is a return value here, not an error. Reads are consistent unless a method says otherwise. The
//! index only finds keys; the items themselves are always read from the table. No secret is read or stored here.

pub mod ad_account;
pub mod ad_object;
pub mod ads_sync;
#[cfg(test)]
mod ads_tests;
pub mod assignee_mail;
pub mod audit;
mod batch;
#[cfg(test)]
mod beside_leads_tests;
mod bulk_change;
pub mod campaign;
mod change;
pub mod commit;
pub mod connection;
#[cfg(test)]
mod connection_tests;
pub mod contact;
pub mod conversion;
pub mod delivery;
pub mod directory;
pub mod endpoint;
pub mod erasure;
pub mod file_import;
mod file_volume;
mod form;
pub mod inbox;
pub mod insights;
pub mod integration;
pub mod keys;
pub mod latency;
pub mod lead;
pub mod lead_erasure;
pub mod lead_export;
pub mod lead_list;
#[cfg(test)]
mod lead_list_tests;
mod lead_outcomes;
mod lead_parts;
pub mod lead_search;
mod lead_view;
mod limit;
pub mod login;
mod mail_preference;
pub mod message;
pub mod notice;
pub mod org_items;
pub mod parked;
pub mod post;
mod publish_due;
pub mod request;
mod rotation;
mod row;
pub mod run;
mod schedule_call;
pub mod session;
mod shape;
pub mod snapshot;
pub mod sweep_progress;
#[cfg(test)]
pub(crate) mod tests;
pub mod trace;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::batch::write_all;
use self::batch::{delete_request, put_request};
use self::keys::Key;
use self::row::Row;
use self::shape::{ItemKind, SHAPES};
use crate::aws::AwsError;
use crate::retry::Verdict;

/// An item as DynamoDB returns it.
type Item = HashMap<String, AttributeValue>;

/// A range of an index partition.
#[derive(Clone, Copy)]
enum IndexRange<'a> {
    All,
    /// Up to and including this sort key.
    Until(&'a str),
    /// Sort keys that begin like this.
    Prefix(&'a str),
}

/// Whether a read sees every earlier write. One that may not costs half.
#[derive(Clone, Copy, PartialEq)]
enum Consistency {
    Strong,
    Eventual,
}

/// A handle to the table. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    /// Whether lists leave out what cannot be read, instead of failing.
    omits_unreadable: bool,
}

/// A read or write that failed, or whose outcome is unknown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TableError {
    /// DynamoDB throttled or refused the request, or was unreachable. After a write the outcome is unknown.
    #[error("DynamoDB failed: {0}")]
    Failed(#[source] AwsError),
    /// Other writers changed the same items at every attempt.
    #[error("lost to other writers {0} times")]
    Contended(u32),
    /// DynamoDB rejects the item itself: it is too large, or has an attribute that cannot be stored.
    #[error("DynamoDB rejected the item: {0}")]
    ItemRejected(#[source] AwsError),
    /// A stored item does not have the shape that this version of the program expects.
    #[error("a stored item cannot be read: {0}")]
    Unreadable(#[source] Arc<serde_dynamo::Error>),
}

impl TableError {
    /// Returns what becomes of the work that hit this error.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) | Self::Contended(_) | Self::Unreadable(_) => Verdict::Retry,
            Self::ItemRejected(_) => Verdict::GiveUp,
        }
    }
}

impl From<serde_dynamo::Error> for TableError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Unreadable(Arc::new(error))
    }
}

impl<E> From<SdkError<E>> for TableError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let is_rejected = error.code() == Some("ValidationException");
        let error = AwsError::new(error);
        if is_rejected { Self::ItemRejected(error) } else { Self::Failed(error) }
    }
}

/// What a conditional request returned; `None` if its condition did not hold.
fn if_held<O, E>(outcome: Result<O, SdkError<E>>) -> Result<Option<O>, TableError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match outcome {
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// Reads an item, in whichever shape it was written. What cannot be read is in the log with its key.
fn entity<E: DeserializeOwned>(item: Item) -> Result<E, TableError> {
    let (kind, key) = (ItemKind::from_item(&item), Key::from_item(&item));
    parse(item).inspect_err(|error| {
        let Key { pk, sk } = key.unwrap_or_default();
        // The key of a user's address has it.
        let sk = if sk.contains('@') { "" } else { &sk };
        tracing::error!(%error, ?kind, pk, sk, metric = "items_unreadable", "a stored item cannot be read");
    })
}

/// Reads an item whose loss does not matter.
fn parse<E: DeserializeOwned>(mut item: Item) -> Result<E, TableError> {
    SHAPES.upgrade(&mut item);
    Ok(serde_dynamo::from_item(item)?)
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

impl Key {
    fn attributes(&self) -> Item {
        [("pk".to_owned(), text(&self.pk)), ("sk".to_owned(), text(&self.sk))].into()
    }

    fn from_item(item: &Item) -> Option<Self> {
        let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Some(Self { pk: part("pk")?, sk: part("sk")? })
    }
}

impl Table {
    /// Creates a handle to the table called `name`.
    #[must_use]
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name, omits_unreadable: false }
    }

    /// The same table for lists that people look at: an item that this release cannot read is left out instead of costing
    /// the whole list. A later release may have written it, before a rollback.
    ///
    /// Not for what decides anything: there, an item that is left out would count as one that is absent.
    #[must_use]
    pub fn for_display(&self) -> Self {
        Self { omits_unreadable: true, ..self.clone() }
    }

    /// Reads an item of a list. `None` if lists leave it out.
    fn list_item<E: DeserializeOwned>(&self, item: Item) -> Result<Option<E>, TableError> {
        match entity(item) {
            Err(TableError::Unreadable(_)) if self.omits_unreadable => Ok(None),
            read => read.map(Some),
        }
    }

    /// Reads the items of a list.
    fn entities<E: DeserializeOwned>(&self, items: impl IntoIterator<Item = Item>) -> Result<Vec<E>, TableError> {
        items.into_iter().filter_map(|item| self.list_item(item).transpose()).collect()
    }

    async fn get_item(&self, key: &Key) -> Result<Option<Item>, TableError> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key.attributes()));
        Ok(request.consistent_read(true).send().await?.item)
    }

    async fn get<E: DeserializeOwned>(&self, key: &Key) -> Result<Option<E>, TableError> {
        self.get_item(key).await?.map(entity).transpose()
    }

    async fn put<E: Serialize>(&self, row: Row<'_, E>) -> Result<(), TableError> {
        self.client.put_item().table_name(&self.name).set_item(Some(row.item()?)).send().await?;
        Ok(())
    }

    /// Reads every item of a partition whose sort key begins with `prefix`, in sort key order.
    async fn query<E: DeserializeOwned>(&self, pk: &str, prefix: &str) -> Result<Vec<E>, TableError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", text(pk))
                .expression_attribute_values(":prefix", text(prefix))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            items.extend(page.items.into_iter().flatten());
            start = page.last_evaluated_key;
            if start.is_none() {
                return self.entities(items);
            }
        }
    }

    /// Deletes an item. Already deleted counts as success.
    async fn delete(&self, key: &Key) -> Result<(), TableError> {
        self.client.delete_item().table_name(&self.name).set_key(Some(key.attributes())).send().await?;
        Ok(())
    }

    /// Stores an item under a key that has none. `false` if it has one.
    async fn put_absent(&self, item: Item) -> Result<bool, TableError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        Ok(if_held(put.condition_expression("attribute_not_exists(pk)").send().await)?.is_some())
    }

    /// Deletes an item if one of its attributes still has the value that was seen. Otherwise does nothing; a changed or
    /// already deleted item counts as success.
    async fn delete_if_still(&self, key: &Key, name: &str, seen: &impl Serialize) -> Result<(), TableError> {
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key.attributes()));
        let deleted = request
            .condition_expression("#name = :seen")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":seen", serde_dynamo::to_attribute_value(seen)?)
            .send()
            .await;
        if_held(deleted).map(drop)
    }

    /// Reads the index entries under `gsi1pk` within a range, in index order.
    async fn index_items(&self, gsi1pk: &str, range: IndexRange<'_>) -> Result<Vec<Item>, TableError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let query = self.client.query().table_name(&self.name).index_name("gsi1");
            let query = query.expression_attribute_values(":pk", text(gsi1pk)).set_exclusive_start_key(start);
            let query = match range {
                IndexRange::All => query.key_condition_expression("gsi1pk = :pk"),
                IndexRange::Until(until) => query
                    .key_condition_expression("gsi1pk = :pk AND gsi1sk <= :until")
                    .expression_attribute_values(":until", text(until)),
                IndexRange::Prefix(prefix) => query
                    .key_condition_expression("gsi1pk = :pk AND begins_with(gsi1sk, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix)),
            };
            let page = query.send().await?;
            items.extend(page.items.into_iter().flatten());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Reads the keys that the index has under `gsi1pk` within a range, in index order.
    async fn index_keys(&self, gsi1pk: &str, range: IndexRange<'_>) -> Result<Vec<Key>, TableError> {
        Ok(self.index_items(gsi1pk, range).await?.iter().filter_map(Key::from_item).collect())
    }

    /// Reads the keys of a partition.
    async fn keys_of_partition(&self, pk: &str) -> Result<Vec<Key>, TableError> {
        let mut keys = Vec::new();
        let mut start = None;
        loop {
            let page = self.client.query().table_name(&self.name).key_condition_expression("pk = :pk");
            let page = page.expression_attribute_values(":pk", text(pk)).projection_expression("pk, sk");
            let page = page.consistent_read(true).set_exclusive_start_key(start).send().await?;
            keys.extend(page.items.into_iter().flatten().filter_map(|item| Key::from_item(&item)));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Reads up to `limit` items of a partition between two sort keys, after `after`. Also returns where to resume.
    async fn query_between(
        &self,
        pk: &str,
        (from, to): (&str, &str),
        after: Option<Item>,
        limit: Option<usize>,
    ) -> Result<(Vec<Item>, Option<Item>), TableError> {
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .set_exclusive_start_key(after)
            .set_limit(limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .send()
            .await?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }

    /// Deletes every item of a partition.
    async fn delete_partition(&self, pk: &str) -> Result<(), TableError> {
        let keys = self.keys_of_partition(pk).await?;
        self.write_many(keys.iter().map(delete_request).collect::<Result<_, _>>()?).await
    }

    /// Reads the entities at `keys`, in that order. Missing ones are omitted.
    async fn read_all<E: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<E>, TableError> {
        let mut found = self.batch_get(keys).await?;
        self.entities(keys.iter().filter_map(|key| found.remove(key)))
    }
}

/// Pauses before another attempt at a contended write.
pub(crate) async fn pause(attempt: u32) {
    use std::time::Duration;
    tokio::time::sleep(crate::retry::backoff(attempt, Duration::from_millis(20), Duration::from_millis(800))).await;
}
