//! What happened to a submission that its lead does not tell, or not any more: tries that failed, changes by hand, and
//! when the CRM was told.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::lead::Stored;
use super::{Row, Table, TableError};
use crate::ids::{LeadId, OrgScope};
use crate::model::lead::trace::{Step, StepKind};

/// For so long it is known what was tried and when the CRM was told. What changed a lead is known for good.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Serialize, Deserialize)]
struct Telling {
    told_at: Timestamp,
}

impl Table {
    /// Writes down a step of a submission's life.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn note(&self, scope: &OrgScope, lead: &LeadId, step: &Step) -> Result<(), TableError> {
        let key = keys::step(scope, lead, step.at, step.step);
        let row = Row::new(&key, "step", step);
        let passes = matches!(step.step, StepKind::Tried | StepKind::Parked | StepKind::Replayed);
        self.put(if passes { row.ttl((step.at + KEPT).as_second()) } else { row }).await
    }

    /// What was written down of a submission's life, in the order in which it happened.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn steps(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Step>, TableError> {
        self.query(&keys::lead(scope, lead).pk, keys::STEP_PREFIX).await
    }

    /// Writes down that what was stored together was told to the CRM.
    ///
    /// # Errors
    /// If the table cannot be written; it may be told again then.
    pub async fn set_told(&self, scope: &OrgScope, telling: &str, now: Timestamp) -> Result<(), TableError> {
        let key = keys::telling(scope, telling);
        self.put(Row::new(&key, "telling", &Telling { told_at: now }).ttl((now + KEPT).as_second())).await
    }

    /// When the CRM was told of each of these; `None` where that is not known.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn told_at(&self, scope: &OrgScope, stored: &[&Stored]) -> Result<Vec<Option<Timestamp>>, TableError> {
        let together = |stored: &Stored| stored.passage().telling.as_ref().map(|telling| keys::telling(scope, telling));
        let alone = |stored: &Stored| keys::telling(scope, stored.id().as_str());
        let wanted: Vec<Key> = stored.iter().flat_map(|one| together(one).into_iter().chain([alone(one)])).collect();
        let found = self.batch_get(&wanted).await?;
        let told = |key: Key| found.get(&key).cloned().map(super::entity::<Telling>).transpose();
        let of = |one: &Stored| {
            let both = [together(one).map(told).transpose()?.flatten(), told(alone(one))?];
            Ok(both.into_iter().flatten().map(|telling| telling.told_at).min())
        };
        stored.iter().map(|one| of(one)).collect()
    }
}
