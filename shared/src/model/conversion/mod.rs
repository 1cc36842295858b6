//! Conversion events: what Meta learns of a lead's progress in the CRM, so that it finds more people like those who
//! became customers.
//!
//! A lead reports each stage once, with the time at which it reached it. Only Meta's own leads are reported, because
//! nothing else carries an id by which Meta can match it.

pub mod payload;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::{DatasetId, LeadId};
use crate::model::lead::trace::{Step, StepKind};
use crate::model::lead::{Lead, SOURCE, Status};
use crate::tr;

/// Meta refuses events that are older than seven days, and with them the whole request. The rest is for the request's
/// own way and for clocks that differ.
pub const MAX_AGE: SignedDuration = SignedDuration::from_secs(7 * 24 * 3600 - 300);
/// A test code stops being sent after this. Meta counts events with a test code like all others.
pub const TEST_CODE_TTL: SignedDuration = SignedDuration::from_hours(24);
/// Within this time after its submission, a lead must reach a later stage to count for Meta's optimisation.
pub const COVERAGE_WINDOW: SignedDuration = SignedDuration::from_hours(28 * 24);

/// What an integration reports to Meta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionSettings {
    /// The dataset that receives the events.
    pub dataset_id: DatasetId,
    /// The event of each status. A status without one is not reported.
    pub events: BTreeMap<Status, String>,
    /// Marks events as tests, for a while.
    pub test: Option<TestEventCode>,
}

/// A code of Meta's Test Events page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestEventCode {
    /// The code.
    pub code: String,
    /// When it stops being sent.
    pub until: Timestamp,
}

impl ConversionSettings {
    /// The test code to send at `now`.
    #[must_use]
    pub fn test_event_code(&self, now: Timestamp) -> Option<&str> {
        self.test.as_ref().filter(|test| now < test.until).map(|test| test.code.as_str())
    }
}

/// The events of an org that has not chosen its own: one for each status, because Meta asks for every stage.
#[must_use]
pub fn default_events() -> BTreeMap<Status, String> {
    [
        (Status::New, "New Lead"),
        (Status::Contacted, "Contacted Lead"),
        (Status::Qualified, "Qualified Lead"),
        (Status::Converted, "Converted Lead"),
        (Status::Lost, "Lost Lead"),
    ]
    .map(|(status, event)| (status, event.to_owned()))
    .into()
}

/// Why an integration's events wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConversionFault {
    /// A stable code.
    pub code: String,
    /// What failed, as readable text.
    pub message: String,
    /// Number of failures in a row.
    pub failures: u32,
    /// When sending is tried again.
    #[schema(value_type = String, format = DateTime)]
    pub paused_until: Timestamp,
}

impl ConversionFault {
    /// The pause after the next failure in a row, if the error itself does not say how long.
    #[must_use]
    pub fn pause(failures: u32) -> Duration {
        const FIRST: Duration = Duration::from_mins(1);
        const MAX: Duration = Duration::from_hours(1);
        crate::retry::backoff(failures, FIRST, MAX)
    }
}

/// A stage that a lead reached, and whether Meta knows. There is one for each lead and stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    /// The lead.
    pub lead_id: LeadId,
    /// The stage.
    pub stage: Status,
    /// When the lead reached it, in whole seconds. It is sent like this, however late.
    pub reached_at: Timestamp,
    /// When the person sent the form.
    pub lead_created: Timestamp,
    /// Whether Meta knows.
    pub state: ConversionState,
    /// When it was sent, or when it was decided not to.
    pub settled_at: Option<Timestamp>,
    /// Why it is not sent.
    pub reason: Option<UnsentReason>,
    /// Meta's words, if Meta refused it.
    pub detail: Option<String>,
    /// The name under which it was sent.
    pub event_name: Option<String>,
    /// The dataset that received it.
    pub dataset_id: Option<DatasetId>,
    /// Of the first stage: a later one was sent within Meta's window.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub followed: bool,
}

/// Whether Meta knows of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum ConversionState {
    /// It is to be sent.
    Pending,
    /// Meta accepted it.
    Sent,
    /// It is not sent, for a reason. If the lead reaches the stage again, that is decided again.
    NotSent,
}

/// Why Meta is not told of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum UnsentReason {
    /// The lead has no id of Meta's.
    NotFromMeta,
    /// It is one of Meta's test leads.
    TestLead,
    /// It was deleted.
    LeadDeleted,
    /// The plan of the org does not include Meta.
    MetaNotInPlan,
    /// No integration of the org imports the page's leads.
    PageNotConnected,
    /// The page's integration has no dataset.
    NoDataset,
    /// The integration reports no event for the status.
    StatusNotMapped,
    /// The stage was reached more than seven days ago.
    TooOld,
    /// Meta refused the event.
    Refused,
}

impl UnsentReason {
    /// The reason as a sentence.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::NotFromMeta => tr!("The lead did not come from a form at Meta, so Meta could not match it."),
            Self::TestLead => tr!("Test leads are not reported."),
            Self::LeadDeleted => tr!("The lead was deleted."),
            Self::MetaNotInPlan => tr!("The plan of this org does not include the Meta integration."),
            Self::PageNotConnected => tr!("The lead's page is not connected."),
            Self::NoDataset => tr!("The integration has no dataset. Choose one to report later stages."),
            Self::StatusNotMapped => tr!("The integration reports no event for this status."),
            Self::TooOld => {
                tr!("Meta accepts events for only seven days, and this stage was reached more than seven days ago.")
            }
            Self::Refused => tr!("Meta refused the event."),
        }
    }
}

/// Why a lead is not reported, whatever its integration's settings. `None` if it may be.
#[must_use]
pub fn lead_refusal(lead: &Lead) -> Option<UnsentReason> {
    if lead.test {
        Some(UnsentReason::TestLead)
    } else if lead.source != SOURCE || payload::meta_lead_id(lead).is_none() {
        Some(UnsentReason::NotFromMeta)
    } else {
        None
    }
}

impl Conversion {
    /// A stage that a lead reached at `at`, still to be sent. It is never before the submission, whose time is Meta's.
    #[must_use]
    pub fn new(lead: &Lead, stage: Status, at: Timestamp) -> Self {
        let at = at.max(lead.created_time);
        Self {
            lead_id: lead.id.clone(),
            stage,
            reached_at: Timestamp::from_second(at.as_second()).unwrap_or(at),
            lead_created: lead.created_time,
            state: ConversionState::Pending,
            settled_at: None,
            reason: None,
            detail: None,
            event_name: None,
            dataset_id: None,
            followed: false,
        }
    }

    /// The first stage of a lead: that the person sent the form.
    #[must_use]
    pub fn first(lead: &Lead) -> Self {
        Self::new(lead, Status::New, lead.created_time)
    }

    /// The same, decided not to be sent.
    #[must_use]
    pub fn unsent(self, reason: UnsentReason, detail: Option<String>, now: Timestamp) -> Self {
        let state = ConversionState::NotSent;
        Self { state, settled_at: Some(now), reason: Some(reason), detail, ..self }
    }

    /// The same, accepted by Meta.
    #[must_use]
    pub fn sent(self, event_name: &str, dataset: &DatasetId, now: Timestamp) -> Self {
        let (event_name, dataset_id) = (Some(event_name.to_owned()), Some(dataset.clone()));
        Self { state: ConversionState::Sent, settled_at: Some(now), event_name, dataset_id, ..self }
    }

    /// The event's id, which is the same at every attempt.
    #[must_use]
    pub fn event_id(&self) -> String {
        format!("{}:{}", self.lead_id, self.stage)
    }

    /// Whether Meta would refuse it for its age.
    #[must_use]
    pub fn is_too_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.reached_at) > MAX_AGE
    }

    /// Whether it shows Meta that the lead was worked on in time.
    #[must_use]
    pub fn is_follow_up(&self) -> bool {
        self.stage != Status::New && self.reached_at.duration_since(self.lead_created) <= COVERAGE_WINDOW
    }

    /// The stage that a change at `at` to `stage` stores, with `settings` of the integration that reports the lead's page.
    #[must_use]
    pub fn of_change(
        lead: &Lead,
        stage: Status,
        settings: Result<&ConversionSettings, UnsentReason>,
        at: Timestamp,
    ) -> Self {
        let conversion = if stage == Status::New { Self::first(lead) } else { Self::new(lead, stage, at) };
        match conversion.decide(lead, settings, at) {
            Ok(_) => conversion,
            Err(reason) => conversion.unsent(reason, None, at),
        }
    }

    /// The name of its event, or why it is not sent. `settings` are those of the integration that reports the lead's page.
    pub fn decide<'a>(
        &self,
        lead: &Lead,
        settings: Result<&'a ConversionSettings, UnsentReason>,
        now: Timestamp,
    ) -> Result<&'a str, UnsentReason> {
        if let Some(reason) = lead_refusal(lead) {
            return Err(reason);
        }
        let event = settings?.events.get(&self.stage).ok_or(UnsentReason::StatusNotMapped)?;
        if self.is_too_old(now) { Err(UnsentReason::TooOld) } else { Ok(event) }
    }

    /// Its step in the lead's trace.
    #[must_use]
    pub fn step(&self) -> Step {
        let at = self.settled_at.unwrap_or(self.reached_at);
        let stage = self.stage;
        match (self.state, self.reason) {
            (ConversionState::Sent, _) => {
                let event = self.event_name.as_deref().unwrap_or_default();
                let dataset = self.dataset_id.as_ref().map_or("", DatasetId::as_str);
                let detail = tr!(
                    "Meta's dataset {dataset} received the status {stage} as {event}.",
                    dataset = dataset,
                    stage = in_words(stage),
                    event = event
                );
                Step::new(at, StepKind::ConversionSent, stage.to_string(), detail)
            }
            (ConversionState::NotSent, Some(reason)) => {
                let words = self.detail.as_deref().map(|words| format!(" {words}")).unwrap_or_default();
                let what = tr!("The status {stage} was not reported to Meta.", stage = in_words(stage));
                let detail = format!("{what} {}{words}", reason.message());
                Step::new(at, StepKind::ConversionNotSent, <&str>::from(reason), detail)
            }
            (ConversionState::Pending | ConversionState::NotSent, _) => {
                let detail = tr!("The status {stage} will be reported to Meta.", stage = in_words(stage));
                Step::new(at, StepKind::ConversionPending, stage.to_string(), detail)
            }
        }
    }
}

/// A stage within a sentence.
fn in_words(stage: Status) -> Cow<'static, str> {
    match stage {
        Status::New => tr!("a lead's status" => "new"),
        Status::Contacted => tr!("a lead's status" => "contacted"),
        Status::Qualified => tr!("a lead's status" => "qualified"),
        Status::Converted => tr!("a lead's status" => "won"),
        Status::Lost => tr!("a lead's status" => "lost"),
    }
}

#[cfg(test)]
mod tests;
