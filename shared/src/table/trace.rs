//! The trace of a submission: events that its lead does not record, or no longer does. These are failed attempts,
//! changes by hand, and the time of publication to the CRM.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::lead::StoredLead;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError};
use crate::ids::{LeadId, OrgScope};
use crate::model::lead::trace::{Step, StepKind};

/// How long attempts and publications are stored. Steps that changed a lead are stored for good.
const TRACE_TTL: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Serialize, Deserialize)]
pub(super) struct Publication {
    published_at: Timestamp,
}

impl Table {
    /// Records a step in a submission's life.
    pub async fn note(&self, scope: &OrgScope, lead: &LeadId, step: &Step) -> Result<(), TableError> {
        let key = keys::step(scope, lead, step.at, step.step);
        let row = Row::new(&key, ItemKind::Step, step);
        let expires = matches!(
            step.step,
            StepKind::Tried | StepKind::Parked | StepKind::Waiting | StepKind::Replayed | StepKind::Dismissed
        );
        self.put(if expires { row.ttl((step.at + TRACE_TTL).as_second()) } else { row }).await
    }

    /// Returns the recorded steps of a submission's life, oldest first.
    pub async fn steps(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Step>, TableError> {
        self.query(&keys::lead(scope, lead).pk, keys::STEP_PREFIX).await
    }

    /// Records that the leads stored together were published to the CRM.
    ///
    /// # Errors
    /// After an error, they may be published again.
    pub async fn mark_published(&self, scope: &OrgScope, publication: &str, now: Timestamp) -> Result<(), TableError> {
        let key = keys::publication(scope, publication);
        self.put(
            Row::new(&key, ItemKind::Publication, &Publication { published_at: now })
                .ttl((now + TRACE_TTL).as_second()),
        )
        .await
    }

    /// Returns when each of these was published to the CRM, `None` if that is unknown. One may have been published with
    /// its batch and by itself; the earlier time counts.
    pub async fn published_at(
        &self,
        scope: &OrgScope,
        stored: &[&StoredLead],
    ) -> Result<Vec<Option<Timestamp>>, TableError> {
        let together = |stored: &StoredLead| {
            stored.provenance().publication_id.as_ref().map(|publication| keys::publication(scope, publication))
        };
        let alone = |stored: &StoredLead| keys::publication(scope, stored.id().as_str());
        let wanted: Vec<Key> = stored.iter().flat_map(|one| together(one).into_iter().chain([alone(one)])).collect();
        let found = self.batch_get(&wanted).await?;
        let find_publication = |key: Key| found.get(&key).cloned().map(super::entity::<Publication>).transpose();
        let published = |one: &StoredLead| {
            let both = [together(one).map(find_publication).transpose()?.flatten(), find_publication(alone(one))?];
            Ok(both.into_iter().flatten().map(|publication| publication.published_at).min())
        };
        stored.iter().map(|one| published(one)).collect()
    }
}
