//! Parked work: leads that could not be imported. Each is stored with the reason until it is replayed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys;
use super::row::Row;
use super::{Table, TableError, text};
use crate::ids::{LeadId, LeadgenId, OrgScope, PageId};
use crate::jobs::LeadJob;
use crate::model::failure::FailureCode;

/// A lead that waits until the cause of its failure is removed.
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

impl Table {
    /// Parks a lead. Parking it again replaces the entry.
    pub async fn park(&self, scope: &OrgScope, parked: &ParkedLead) -> Result<(), TableError> {
        let key = keys::parked(scope, &LeadId::from_leadgen(&parked.leadgen_id));
        self.put(Row::new(&key, "parked", parked)).await
    }

    /// Lists the org's parked leads.
    pub async fn parked(&self, scope: &OrgScope) -> Result<Vec<ParkedLead>, TableError> {
        self.query(&keys::parked_pk(scope), "LEAD#").await
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
        let mut parked: Vec<ParkedLead> =
            page.items.into_iter().flatten().map(super::entity).collect::<Result<_, _>>()?;
        let more = parked.len() > limit || page.last_evaluated_key.is_some();
        parked.truncate(limit);
        let last = parked.last().filter(|_| more).map(|lead| LeadId::from_leadgen(&lead.leadgen_id));
        Ok((parked, last))
    }

    /// Deletes a parked lead as it was read. If it was parked again meanwhile, its replay has failed and it stays.
    pub async fn unpark(&self, scope: &OrgScope, seen: &ParkedLead) -> Result<(), TableError> {
        let key = keys::parked(scope, &LeadId::from_leadgen(&seen.leadgen_id));
        self.delete_if_still(&key, "parked_at", &seen.parked_at).await
    }
}
