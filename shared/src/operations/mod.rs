//! How the whole system runs, over all orgs, for those who operate it.
//!
//! A look asks CloudWatch for some 150 metrics (200 for a day, with its cost): 0.0015 to 0.002 USD. A page that is watched
//! for a whole working day comes to 0.4 USD; one that no one looks at asks nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::cloudwatch::{CloudWatch, CloudWatchError};
use crate::error::ActError;
use crate::model::caller::{AccessDenied, Caller, Role};
use crate::model::operations::alarms::AlarmBoard;
use crate::model::operations::figures::{FlowFigures, MOMENT_BUCKET, MOMENT_LENGTH, SystemMoment};
use crate::model::operations::headline::{FlowHeadline, HeadlineTone};
use crate::model::operations::measure::{self, Measure, MetricAnswers};
use crate::model::operations::series::{LookBack, MetricWindow};
use crate::model::operations::stack::MonitoredStack;

/// How long a look is shown again. CloudWatch's figures are by the minute, and come a minute or two late.
const SHOWN_AGAIN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// Looks at the system. Cheap to clone; clones share what was seen.
#[derive(Debug, Clone)]
pub struct Operations {
    cloudwatch: CloudWatch,
    stack: MonitoredStack,
    seen: Arc<Mutex<HashMap<LookBack, Arc<OperationsView>>>>,
}

/// How the system runs. What could not be read is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationsView {
    /// When it was read.
    pub read_at: Timestamp,
    /// Whether leads flow.
    pub headline: FlowHeadline,
    /// How that is to be taken.
    pub tone: HeadlineTone,
    /// The alarms.
    pub alarms: Option<AlarmBoard>,
    /// How it stands at the moment.
    pub moment: Option<SystemMoment>,
    /// What happened in the time that is looked back at.
    pub flow: Option<FlowFigures>,
}

impl Operations {
    /// Looks at this deployment.
    #[must_use]
    pub fn new(cloudwatch: CloudWatch, stack: MonitoredStack) -> Self {
        Self { cloudwatch, stack, seen: Arc::default() }
    }

    /// The name of the deployment.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack.name
    }

    /// Looks at the system, at most once a minute.
    ///
    /// # Errors
    /// [`AccessDenied::SuperAdminOnly`]. A failure of CloudWatch is no error: what it did not answer is missing in the view.
    pub async fn view(&self, caller: &Caller, back: LookBack, now: Timestamp) -> Result<Arc<OperationsView>, ActError> {
        if caller.role != Role::SuperAdmin {
            return Err(AccessDenied::SuperAdminOnly.into());
        }
        if let Some(seen) = self.seen_lately(back, now) {
            return Ok(seen);
        }
        let view = Arc::new(self.look(back, now).await);
        if view.is_whole() {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(back, view.clone());
        }
        Ok(view)
    }

    fn seen_lately(&self, back: LookBack, now: Timestamp) -> Option<Arc<OperationsView>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&back).cloned();
        seen.filter(|view| now.duration_since(view.read_at) < SHOWN_AGAIN_FOR)
    }

    async fn look(&self, back: LookBack, now: Timestamp) -> OperationsView {
        let prefix = format!("{}-", self.stack.name);
        let lately = MetricWindow::until(now, MOMENT_LENGTH, MOMENT_BUCKET);
        let window = back.window(now);
        let (alarms, moment, flow) = tokio::join!(
            self.cloudwatch.alarms(&prefix),
            self.answers(measure::of_the_moment(), lately),
            self.answers(measure::of_a_time(back), window),
        );
        let alarms = or_nothing("alarms", alarms).map(|all| AlarmBoard::new(&self.stack.name, all));
        let moment = or_nothing("figures of the moment", moment).map(|answers| SystemMoment::new(&answers, now));
        let flow = or_nothing("figures", flow).map(|answers| FlowFigures::new(&answers, window));
        let headline = moment.as_ref().map_or(FlowHeadline::Unknown, FlowHeadline::new);
        let tone = headline.tone(alarms.as_ref().map(|board| board.on.len()));
        OperationsView { read_at: now, headline, tone, alarms, moment, flow }
    }

    async fn answers(&self, measures: Vec<Measure>, window: MetricWindow) -> Result<MetricAnswers, CloudWatchError> {
        let whole = window.end.duration_since(window.start);
        let questions: Vec<_> =
            measures.iter().map(|measure| measure.query(&self.stack, window.bucket, whole)).collect();
        Ok(MetricAnswers::new(measures, self.cloudwatch.metrics(&questions, window).await?))
    }
}

impl OperationsView {
    fn is_whole(&self) -> bool {
        self.alarms.is_some() && self.moment.is_some() && self.flow.is_some()
    }
}

/// What could not be read is missing, and the log says why.
fn or_nothing<T>(what: &str, read: Result<T, CloudWatchError>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, what, "a part of the operations page could not be read")).ok()
}

#[cfg(test)]
mod tests;
