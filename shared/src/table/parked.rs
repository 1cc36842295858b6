//! Parked work: leads that could not be brought in, with the reason, kept until somebody replays them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::keys;
use super::{Row, Table, TableError, text};
use crate::ids::{LeadId, LeadgenId, OrgScope, PageId};
use crate::jobs::LeadJob;

/// A lead that waits for somebody to remove what keeps it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ParkedLead {
    /// The submission.
    pub leadgen_id: LeadgenId,
    /// Its page.
    pub page_id: PageId,
    /// Stable, for programs: `token_dead`, `not_permitted`, `not_visible`…
    pub reason: String,
    /// What Meta or the table said, for people.
    pub evidence: String,
    /// When it was parked last.
    #[schema(value_type = String, format = DateTime)]
    pub parked_at: Timestamp,
    /// What is put back into the queue on replay.
    #[schema(value_type = Object)]
    pub job: LeadJob,
}

impl Table {
    /// Parks a lead. Parking it again only renews the reason.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn park(&self, scope: &OrgScope, parked: &ParkedLead) -> Result<(), TableError> {
        let key = keys::parked(scope, &LeadId::from_leadgen(&parked.leadgen_id));
        self.put(Row::new(&key, "parked", parked)).await
    }

    /// What the org has parked.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn parked(&self, scope: &OrgScope) -> Result<Vec<ParkedLead>, TableError> {
        self.query(&keys::parked_pk(scope), "LEAD#").await
    }

    /// Up to `limit` of what the org has parked, after a place, and where to go on.
    ///
    /// # Errors
    /// If the table cannot be read.
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

    /// Forgets a parked lead as it was read: one that was parked again meanwhile stays, because its replay has failed.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn unpark(&self, scope: &OrgScope, seen: &ParkedLead) -> Result<(), TableError> {
        let key = keys::parked(scope, &LeadId::from_leadgen(&seen.leadgen_id));
        self.delete_if_still(&key, "parked_at", &seen.parked_at).await
    }
}
