//! Acts in an org are recorded in its audit, as those of everyone else.

use anyhow::Result;
use leadwire::audit::{ActRule, Trail};
use leadwire::directory::Access;
use leadwire::error::ActError;
use leadwire::ids::OrgScope;
use leadwire::model::audit::{AuditAct, AuditFace, AuditOutcome};

use crate::UnusableLine;
use crate::product::Product;

impl Product<'_> {
    /// Records that the operator does something in an org. It must not be done if that fails.
    pub(crate) async fn begin(&self, scope: &OrgScope, act: AuditAct) -> Result<Access> {
        let trail = self.audit().await?.trail(AuditFace::Operator, None, ActRule::Act(act));
        let access =
            Access::new(self.caller.clone(), Some(scope.org().as_str())).map_err(|error| anyhow::anyhow!("{error}"))?;
        access.begin(trail).await.map_err(explain)
    }
}

/// Completes the record of an act.
pub(crate) async fn end<T>(trail: &Trail, outcome: Result<T, ActError>) -> Result<T> {
    match outcome {
        Ok(done) => {
            trail.finish(AuditOutcome::Done, None).await;
            Ok(done)
        }
        Err(error @ ActError::Work(_)) => {
            trail.finish(AuditOutcome::Failed, None).await;
            Err(explain(error))
        }
        Err(error) => {
            trail.finish(AuditOutcome::Refused, Some(error.code().name())).await;
            Err(explain(error))
        }
    }
}

/// An error of a room, for the operator: a refusal is one of the command line.
pub(crate) fn explain(error: ActError) -> anyhow::Error {
    match error {
        ActError::Work(error) => anyhow::Error::new(error),
        refused => UnusableLine(refused.to_string()).into(),
    }
}
