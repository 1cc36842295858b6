//! Many items at once: reads and writes of as many as DynamoDB takes in a request, and what it defers.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use super::keys::Key;
use super::row::Row;
use super::{Consistency, Item, Table, TableError, pause};
use crate::aws::AwsError;

impl Table {
    /// Reads the items at `keys`. Missing items are omitted.
    pub(super) async fn batch_get(&self, keys: &[Key]) -> Result<HashMap<Key, Item>, TableError> {
        self.batch_get_as(keys, Consistency::Strong).await
    }

    pub(super) async fn batch_get_as(
        &self,
        keys: &[Key],
        consistency: Consistency,
    ) -> Result<HashMap<Key, Item>, TableError> {
        const MAX_KEYS: usize = 100;
        const MAX_ROUNDS: u32 = 8;
        let mut found = HashMap::with_capacity(keys.len());
        // DynamoDB rejects duplicate keys.
        let keys: Vec<&Key> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
        for keys in keys.chunks(MAX_KEYS) {
            let mut open: Vec<Item> = keys.iter().map(|key| key.attributes()).collect();
            for round in 1.. {
                let wanted = KeysAndAttributes::builder().consistent_read(consistency == Consistency::Strong);
                let wanted = wanted.set_keys(Some(open)).build();
                let wanted = wanted.map_err(|error| TableError::Failed(AwsError::new(error)))?;
                let answer = self.client.batch_get_item().request_items(&self.name, wanted).send().await?;
                let items = answer.responses.into_iter().flat_map(|mut tables| tables.remove(&self.name)).flatten();
                found.extend(items.filter_map(|item| Some((Key::from_item(&item)?, item))));
                open = answer
                    .unprocessed_keys
                    .into_iter()
                    .flat_map(|mut tables| tables.remove(&self.name))
                    .flat_map(|left| left.keys)
                    .collect();
                if open.is_empty() {
                    break;
                }
                if round == MAX_ROUNDS {
                    return Err(TableError::Contended(round));
                }
                pause(round).await;
            }
        }
        Ok(found)
    }

    /// Puts and deletes many items, and retries those that DynamoDB defers. After an error, some writes may be done.
    pub(super) async fn write_many(&self, writes: Vec<WriteRequest>) -> Result<(), TableError> {
        const MAX_WRITES: usize = 25;
        let batches: Vec<Vec<WriteRequest>> = writes.chunks(MAX_WRITES).map(<[_]>::to_vec).collect();
        write_all(batches.into_iter().map(|batch| self.write_batch(batch)).collect()).await
    }

    async fn write_batch(&self, mut open: Vec<WriteRequest>) -> Result<(), TableError> {
        const MAX_ROUNDS: u32 = 10;
        for round in 1..=MAX_ROUNDS {
            let answer = self.client.batch_write_item().request_items(&self.name, open).send().await?;
            open =
                answer.unprocessed_items.into_iter().flat_map(|mut left| left.remove(&self.name)).flatten().collect();
            if open.is_empty() {
                return Ok(());
            }
            pause(round).await;
        }
        Err(TableError::Contended(MAX_ROUNDS))
    }
}

pub(super) fn put_request<E: Serialize>(row: &Row<'_, E>) -> Result<WriteRequest, TableError> {
    let request = PutRequest::builder().set_item(Some(row.item()?)).build();
    let request = request.map_err(|error| TableError::ItemRejected(AwsError::new(error)))?;
    Ok(WriteRequest::builder().put_request(request).build())
}

pub(super) fn delete_request(key: &Key) -> Result<WriteRequest, TableError> {
    let request = DeleteRequest::builder().set_key(Some(key.attributes())).build();
    let request = request.map_err(|error| TableError::ItemRejected(AwsError::new(error)))?;
    Ok(WriteRequest::builder().delete_request(request).build())
}

/// Runs several writes with limited concurrency.
pub(crate) async fn write_all<T>(writes: Vec<impl Future<Output = Result<T, TableError>>>) -> Result<(), TableError> {
    const CONCURRENCY: usize = 8;
    stream::iter(writes).buffer_unordered(CONCURRENCY).try_for_each(|_| async { Ok(()) }).await
}
