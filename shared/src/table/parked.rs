//! Leads that could not be ingested. A parked lead is stored with the reason until an admin removes the cause. A waiting
//! lead is held back by a temporary failure, and the sweep replays it once Meta answers for its page again.

use aws_sdk_dynamodb::types::Select;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, Table, TableError, text};
use crate::ids::{LeadId, LeadgenId, OrgScope, PageId};
use crate::jobs::LeadJob;
use crate::model::failure::FailureCode;

/// Meta deletes leads after 90 days, so a waiting lead older than this can no longer be fetched.
const WAITING_TTL: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A lead that could not be ingested, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ParkedLead {
    /// Meta's id of the submission.
    pub leadgen_id: LeadgenId,
    /// The page it was sent to.
    pub page_id: PageId,
    /// Stable code for programs: `token_dead`, `not_permitted`, `not_visible`…
    pub reason: FailureCode,
    /// The message from Meta or the table, for people.
    pub evidence: String,
    /// When it was last parked.
    #[schema(value_type = String, format = DateTime)]
    pub parked_at: Timestamp,
    /// The job that a replay puts back into the queue.
    #[schema(value_type = Object)]
    pub job: LeadJob,
}

/// What keeps a lead out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// A cause that an admin must remove.
    Parked,
    /// A temporary failure. The lead waits until Meta answers for its page again.
    Waiting,
    /// A user does not want it to be tried again.
    Dismissed,
}

impl Hold {
    fn key(self, scope: &OrgScope, lead: &ParkedLead) -> Key {
        let id = LeadId::from_leadgen(&lead.leadgen_id);
        match self {
            Self::Parked => keys::parked(scope, &id),
            Self::Waiting => keys::waiting(scope, &lead.page_id, &id),
            Self::Dismissed => keys::dismissed(scope, &id),
        }
    }
}

impl Table {
    /// Holds a lead. Holding it again replaces the entry.
    pub async fn hold(&self, scope: &OrgScope, hold: Hold, lead: &ParkedLead) -> Result<(), TableError> {
        let key = hold.key(scope, lead);
        match hold {
            Hold::Parked => self.put(Row::new(&key, ItemKind::Parked, lead)).await,
            Hold::Waiting => {
                self.put(Row::new(&key, ItemKind::Waiting, lead).ttl((lead.parked_at + WAITING_TTL).as_second())).await
            }
            Hold::Dismissed => {
                self.put(Row::new(&key, ItemKind::Dismissed, lead).ttl((lead.parked_at + WAITING_TTL).as_second()))
                    .await
            }
        }
    }

    /// Deletes a held lead as it was read. If it was held again meanwhile, its replay has failed and it stays.
    pub async fn release(&self, scope: &OrgScope, hold: Hold, seen: &ParkedLead) -> Result<(), TableError> {
        self.delete_if_still(&hold.key(scope, seen), "parked_at", &seen.parked_at).await
    }

    /// Whether a user dismissed the lead.
    pub async fn is_dismissed(&self, scope: &OrgScope, id: &LeadId) -> Result<bool, TableError> {
        let wanted = [(id, keys::dismissed(scope, id))].into_iter();
        Ok(!self.find_existing(wanted, Consistency::Strong).await?.is_empty())
    }

    /// Returns whether any of the org's leads wait.
    pub async fn has_waiting(&self, scope: &OrgScope) -> Result<bool, TableError> {
        Ok(!self.waiting(scope, None, 1).await?.is_empty())
    }

    /// Lists up to `limit` of the waiting leads of a page, or of all pages.
    pub async fn waiting(
        &self,
        scope: &OrgScope,
        page: Option<&PageId>,
        limit: usize,
    ) -> Result<Vec<ParkedLead>, TableError> {
        let prefix = keys::waiting_prefix(page);
        let bounds = (prefix.as_str(), &*format!("{prefix}~"));
        let (items, _) = self.query_between(&keys::waiting_pk(scope), bounds, None, Some(limit)).await?;
        self.entities(items)
    }

    /// Counts the org's parked leads, up to `limit`. May be a moment behind.
    pub async fn count_parked(&self, scope: &OrgScope, limit: usize) -> Result<usize, TableError> {
        let counted = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(keys::parked_pk(scope)))
            .select(Select::Count)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await?;
        Ok(usize::try_from(counted.count).unwrap_or_default())
    }

    /// Lists up to `limit` of the org's parked leads after `after`. Also returns where to resume.
    pub async fn parked_from(
        &self,
        scope: &OrgScope,
        after: Option<&LeadId>,
        limit: usize,
    ) -> Result<(Vec<ParkedLead>, Option<LeadId>), TableError> {
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(keys::parked_pk(scope)))
            .set_exclusive_start_key(after.map(|lead| keys::parked(scope, lead).attributes()))
            .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX))
            .send()
            .await?;
        let mut items = page.items.unwrap_or_default();
        let more = items.len() > limit || page.last_evaluated_key.is_some();
        items.truncate(limit);
        // By the key, because the last one may be left out.
        let last = items.last().filter(|_| more).and_then(Key::from_item);
        let last = last.and_then(|key| LeadId::parse(key.sk.strip_prefix(keys::PARKED_PREFIX)?).ok());
        Ok((self.entities(items)?, last))
    }
}
