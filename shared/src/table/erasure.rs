//! Records of erasures: what was deleted on request, and nothing about the person who requested it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError};
use crate::ids::{IntegrationId, OrgId, OrgScope, ReceiptId, UserId};
use crate::model::connection::Lifecycle;

/// Two years, so that a person can still look up the confirmation code.
const ERASURE_TTL: SignedDuration = SignedDuration::from_hours(24 * 730);

/// The record of one erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// When it was requested.
    pub requested_at: Timestamp,
    /// The integrations that used the person's login at that time.
    pub integrations: Vec<(OrgId, IntegrationId)>,
}

/// What is kept of the erasure of a person on an org's request: nothing about the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Its id.
    pub id: ReceiptId,
    /// When it was requested.
    #[schema(value_type = String, format = DateTime)]
    pub requested_at: Timestamp,
    /// Who requested it.
    pub requested_by: UserId,
    /// Leads that were erased, each with its history.
    pub leads: usize,
    /// Their later submissions that were erased.
    pub submissions: usize,
    /// Contacts of the inbox that were erased, each with its conversations and files.
    pub contacts: usize,
}

impl Table {
    /// Stores the receipt of an erasure.
    pub async fn put_receipt(&self, scope: &OrgScope, receipt: &Receipt) -> Result<(), TableError> {
        let key = keys::receipt(scope, &receipt.id);
        self.put(Row::new(&key, ItemKind::Receipt, receipt).ttl((receipt.requested_at + ERASURE_TTL).as_second())).await
    }

    /// Lists the org's receipts, oldest first.
    pub async fn receipts(&self, scope: &OrgScope) -> Result<Vec<Receipt>, TableError> {
        self.query(&keys::receipts_pk(scope), "RECEIPT#").await
    }

    /// Records an erasure. An existing record stays as it is, because Meta may request an erasure twice.
    pub async fn record_erasure(&self, code: &str, erasure: &Erasure) -> Result<(), TableError> {
        let until = (erasure.requested_at + ERASURE_TTL).as_second();
        let change = self.change(&keys::erasure(code)).kind(ItemKind::Erasure).set("ttl", &until)?;
        change.set_all(erasure, &["requested_at", "integrations"])?.send().await.map(drop)
    }

    /// Reads the erasure with this confirmation code.
    pub async fn erasure(&self, code: &str) -> Result<Option<Erasure>, TableError> {
        self.get(&keys::erasure(code)).await
    }

    /// Returns how many integrations of an erasure are not erased yet. They are marked before the erasure is recorded.
    /// If Meta requested one twice, it counts as erased once the later request is done.
    pub async fn still_erasing(&self, erasure: &Erasure) -> Result<usize, TableError> {
        let mut open = 0;
        for (org, id) in &erasure.integrations {
            let integration = self.integration(&OrgScope::new(org.clone()), id).await?;
            open += usize::from(
                integration.is_some_and(|found| matches!(found.lifecycle, Lifecycle::Erasing | Lifecycle::Removing)),
            );
        }
        Ok(open)
    }
}
