//! The trace of one submission, built from its own record and from the steps recorded beside it.

use serde::Serialize;
use utoipa::ToSchema;

use super::Leads;
use crate::error::{ActError, Missing};
use crate::ids::{LeadId, OrgScope};
use crate::model::conversion::Conversion;
use crate::model::lead::trace::{self, Step};
use crate::table::lead::StoredLead;
use crate::table::{Table, TableError};

/// The trace of a submission.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trace {
    /// The steps, in order.
    pub items: Vec<Step>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl Leads {
    /// Reads what happened to a submission, in order. The submission may have become a lead, joined one, or not been
    /// ingested yet.
    ///
    /// # Errors
    /// Not found if nothing is known about it.
    pub async fn trace(&self, scope: &OrgScope, id: &LeadId) -> Result<Trace, ActError> {
        let items = read_trace(&self.table.for_display(), scope, id).await?;
        if items.is_empty() {
            return Err(ActError::not_found(Missing::Lead));
        }
        Ok(Trace { items, next_cursor: None })
    }
}

/// Reads what happened to a submission, in order. Of one that is not known, nothing.
///
/// # Errors
/// If the table fails.
pub async fn read_trace(table: &Table, scope: &OrgScope, id: &LeadId) -> Result<Vec<Step>, TableError> {
    let (mut steps, stored) = tokio::try_join!(table.steps(scope, id), table.find_lead(scope, id))?;
    if let Some(stored) = stored {
        let known = [&stored];
        let (published, conversions) =
            tokio::try_join!(table.published_at(scope, &known), table.conversions(scope, id))?;
        let published_at = published.into_iter().flatten().next();
        match stored {
            StoredLead::Lead(lead) => {
                steps.extend(trace::of_lead(&lead, published_at));
                steps.extend(conversions.iter().map(Conversion::step));
                if lead.submissions_count > 0 {
                    steps.extend(table.submissions(scope, id).await?.iter().map(trace::joined));
                }
            }
            StoredLead::Submission(submission) => steps.extend(trace::of_submission(&submission, published_at)),
        }
    }
    // Steps of one instant are listed in the order in which such steps happen.
    steps.sort_by_key(|step| (step.at, step.step));
    Ok(steps)
}
