//! Requests that are carried out once: a repetition finds what the first one made.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, keys};
use crate::aws::AwsError;
use crate::ids::OrgScope;

/// How long a request is remembered.
const REQUEST_TTL: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A request with an id that its caller chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnceRequest {
    /// What was asked for.
    pub operation: String,
    /// Hash of the caller's id.
    pub hash: String,
    /// Hash of all that was asked for. Another one under the same id is a mistake of the caller.
    pub fingerprint: String,
    /// The ids of what was made, in order.
    pub made: Vec<String>,
    /// When it was first made.
    pub at: Timestamp,
}

impl Table {
    /// Reads a request that was carried out before.
    pub async fn request(
        &self,
        scope: &OrgScope,
        operation: &str,
        hash: &str,
    ) -> Result<Option<OnceRequest>, TableError> {
        self.get(&keys::request(scope, operation, hash)).await
    }

    /// Remembers a request, or what it made in the end.
    pub async fn put_request(&self, scope: &OrgScope, request: &OnceRequest) -> Result<(), TableError> {
        let key = keys::request(scope, &request.operation, &request.hash);
        self.put(Row::new(&key, ItemKind::Request, request).ttl((request.at + REQUEST_TTL).as_second())).await
    }

    /// The write that remembers a request. The transaction fails if it was remembered before.
    pub(super) fn request_write(
        &self,
        scope: &OrgScope,
        request: &OnceRequest,
    ) -> Result<TransactWriteItem, TableError> {
        let key = keys::request(scope, &request.operation, &request.hash);
        let row = Row::new(&key, ItemKind::Request, request).ttl((request.at + REQUEST_TTL).as_second());
        let put = Put::builder().table_name(&self.name).set_item(Some(row.item()?));
        let put = put.condition_expression("attribute_not_exists(pk)").build();
        let put = put.map_err(|error| TableError::Failed(AwsError::new(error)))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
