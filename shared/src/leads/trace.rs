//! The life of one submission, put together from what it tells itself and what was written down beside it.

use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope};
use crate::model::lead::trace::{self, Step};
use crate::table::Table;
use crate::table::lead::Stored;

/// What happened to a submission, in the order in which it happened; empty if nobody has heard of it. The submission may
/// have become a lead, joined one, or not come in yet.
///
/// # Errors
/// If the table cannot be read.
pub async fn trace(table: &Table, scope: &OrgScope, id: &LeadId) -> Result<Vec<Step>, WorkError> {
    let mut steps = table.steps(scope, id).await?;
    if let Some(stored) = table.stored(scope, id).await? {
        let told_at = table.told_at(scope, &[&stored]).await?.into_iter().flatten().next();
        match stored {
            Stored::Lead(lead) => {
                steps.extend(trace::of_lead(&lead, told_at));
                if lead.submissions_count > 0 {
                    steps.extend(table.submissions(scope, id).await?.iter().map(trace::joined));
                }
            }
            Stored::Submission(submission) => steps.extend(trace::of_submission(&submission, told_at)),
        }
    }
    // What happened at one instant happened in the order in which such things happen.
    steps.sort_by_key(|step| (step.at, step.step));
    Ok(steps)
}
