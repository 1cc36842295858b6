//! A lead as the CRM sees it.

pub mod assignment;
mod attribution;
pub mod bulk;
pub mod cadence;
pub mod dedupe;
pub mod export;
pub mod file;
pub mod file_import;
pub mod form;
pub mod identity;
pub mod latency;
pub mod mapping;
#[cfg(test)]
mod mapping_tests;
pub mod name;
pub mod phone;
pub mod query;
pub mod run;
pub mod standard_fields;
pub mod sweep_progress;
pub mod trace;
pub mod view;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::{FormId, ImportId, LeadId, LeadgenId, PageId, UserId};
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
pub use crate::model::lead::attribution::Attribution;
use crate::model::lead::mapping::Mapped;
use crate::trace::TraceId;

/// The source of leads from Meta, as the CRM names it.
pub const SOURCE: &str = "Meta";
/// The source of leads imported from a file that is not Meta's.
pub const FILE_SOURCE: &str = "Import";
/// The tag of leads that were not submitted through a Meta form.
pub const FILE_TAG: &str = "Imported File";

/// The sources of leads.
pub const SOURCES: [&str; 2] = [SOURCE, FILE_SOURCE];
/// The tags of leads.
pub const TAGS: [&str; 3] = ["Facebook Lead Ad", "Instagram Lead Ad", FILE_TAG];

/// A person who left their details in a Lead Ads form.
///
/// A repeat submission by the same person does not create a second lead. It is stored with this one, as a
/// [`Submission`] with its own answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lead {
    /// Leadwire's stable id.
    pub id: LeadId,
    /// Meta's id of the submission that created the lead; absent for leads from a file that does not contain it.
    pub leadgen_id: Option<LeadgenId>,
    /// `Meta`, or `Import` for a lead from a file that is not Meta's.
    pub source: String,
    /// `Facebook Lead Ad` or `Instagram Lead Ad`, by where the form was shown; `Imported File` if no form was shown.
    pub tags: Vec<String>,
    /// The page that owns the form; absent for leads from a file whose form belongs to no connected page.
    pub page_id: Option<PageId>,
    /// The page's name at the time of the submission.
    pub page_name: Option<String>,
    /// Where the submission came from.
    #[serde(flatten)]
    pub attribution: Attribution,
    /// When the person sent the form, by Meta's clock.
    #[schema(value_type = String, format = DateTime)]
    pub created_time: Timestamp,
    /// When Leadwire learned of it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// How Leadwire learned of it.
    pub found_by: FoundBy,
    /// The CRM's progress with the person.
    pub status: Status,
    /// What the CRM noted about the lead.
    pub note: Option<String>,
    /// What the lead is worth, in the main unit of `currency`.
    #[schema(value_type = Option<String>)]
    pub value: Option<Decimal>,
    /// ISO 4217 code of the currency of `value`.
    pub currency: Option<String>,
    /// Why the lead was lost.
    pub lost_reason: Option<String>,
    /// The assignee.
    pub assigned_to: Option<UserId>,
    /// Why the lead has this assignee, or none.
    pub assignment: Assigned,
    /// The answer to the form's name questions.
    pub full_name: Option<String>,
    /// The answer to the form's e-mail question, as typed.
    pub email: Option<String>,
    /// The answer to the form's phone question: E.164 if the number could be parsed, otherwise as typed.
    pub phone: Option<String>,
    /// The other fields filled by the form's questions or its mapping: `city`, `company_name`…
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// All answers, in the form's order.
    pub answers: Vec<Answer>,
    /// All consent boxes of the form.
    pub consents: Vec<Consent>,
    /// Whether this is one of Meta's test leads.
    pub test: bool,
    /// Number of later submissions by the same person.
    #[serde(default)]
    pub submissions_count: u32,
    /// How the lead was ingested.
    #[serde(default, rename = "passage")]
    pub provenance: Provenance,
}

impl Lead {
    /// A lead of Meta's that has no answers yet and is assigned to no one. `created_time` is when the person submitted
    /// the form, `received_at` when Leadwire learned of it.
    #[must_use]
    pub fn new(id: LeadId, found_by: FoundBy, created_time: Timestamp, received_at: Timestamp) -> Self {
        Self {
            id,
            leadgen_id: None,
            source: SOURCE.to_owned(),
            tags: Vec::new(),
            page_id: None,
            page_name: None,
            attribution: Attribution::default(),
            created_time,
            received_at,
            found_by,
            status: Status::New,
            note: None,
            value: None,
            currency: None,
            lost_reason: None,
            assigned_to: None,
            assignment: Assigned { strategy: Strategy::Unassigned, reason: Reason::StrategyUnassigned },
            full_name: None,
            email: None,
            phone: None,
            fields: BTreeMap::new(),
            answers: Vec::new(),
            consents: Vec::new(),
            test: false,
            submissions_count: 0,
            provenance: Provenance::default(),
        }
    }

    /// The lead with the fields that its form's mapping fills.
    #[must_use]
    pub fn with(self, mapped: Mapped) -> Self {
        let Mapped { full_name, email, phone, fields, .. } = mapped;
        Self { full_name, email, phone, fields, ..self }
    }

    /// Whether no user changed it, and its person sent no other form.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        let is_as_it_came = self.status == Status::New && self.assignment.reason != Reason::Manual;
        let has_details = self.note.is_some() || self.value.is_some() || self.lost_reason.is_some();
        is_as_it_came && !has_details && self.submissions_count == 0
    }
}

/// How a submission was ingested. Its trace is built from this.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Provenance {
    /// When it was fetched from Meta; absent for leads from a file.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fetched_at: Option<Timestamp>,
    /// Number of attempts to fetch it.
    pub tries: u32,
    /// The version of the form's own mapping that was applied; absent if Meta's question types were used.
    pub mapping: Option<u32>,
    /// When it was stored. It is in the CRM from then on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub stored_at: Option<Timestamp>,
    /// The id of the publication of its event. Everything published together shares one record of it.
    #[serde(rename = "telling")]
    pub publication_id: Option<String>,
    /// The import that brought it, if it came from a file.
    #[serde(default)]
    pub import_id: Option<ImportId>,
    /// The id by which the logs name everything that followed from what brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<TraceId>,
}

impl Provenance {
    /// Runs `work`, such as a line of the log, as what follows from what brought the submission.
    pub fn within_trace<T>(&self, work: impl FnOnce() -> T) -> T {
        match &self.trace_id {
            Some(trace) => trace.within(work),
            None => work(),
        }
    }
}

/// The answer to one question. A multiple-choice question has several values; an unanswered one may have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The question's key.
    pub name: String,
    /// The question as shown to the person; the key if the form could not be read.
    pub label: String,
    /// The values of the answer.
    pub values: Vec<String>,
}

/// A consent box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consent {
    /// The box's key in the form.
    pub key: String,
    /// What the person agreed to or not, as the form showed it. Absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether the box was ticked.
    pub checked: bool,
}

/// How Leadwire learned of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumIter, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FoundBy {
    /// Meta's webhook announced it.
    Webhook,
    /// The regular comparison with Meta found it.
    Sweep,
    /// A user pressed "Sync now".
    Sync,
    /// It was imported from a file.
    Import,
    /// A user requested leads from before the connection.
    Backfill,
}

impl FoundBy {
    /// Whether such leads arrive at or soon after their submission. Only these count for latency and for a page's
    /// rhythm.
    #[must_use]
    pub fn is_of_its_time(self) -> bool {
        !matches!(self, Self::Import | Self::Backfill)
    }
}

/// The CRM's progress with a lead.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    EnumIter,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Not worked on yet.
    New,
    /// The person has been contacted.
    Contacted,
    /// Worth pursuing.
    Qualified,
    /// Became a customer.
    Converted,
    /// Will not become a customer.
    Lost,
}

/// A later submission by a person who is already a lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    /// The lead that the submission belongs to.
    pub lead_id: LeadId,
    /// Leadwire's own id, which also finds the lead.
    pub id: LeadId,
    /// Meta's id of the submission.
    pub leadgen_id: Option<LeadgenId>,
    /// Which of the person's details matched.
    pub matched_by: PersonKeyKind,
    /// Meta's code for where the form was shown.
    pub platform: Option<String>,
    /// The page that owns the form.
    pub page_id: Option<PageId>,
    /// The form's id.
    pub form_id: Option<FormId>,
    /// The form's name, if it could be read.
    pub form_name: Option<String>,
    /// When the person sent the form, by Meta's clock.
    #[schema(value_type = String, format = DateTime)]
    pub created_time: Timestamp,
    /// When Leadwire learned of it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// How Leadwire learned of it.
    pub found_by: FoundBy,
    /// The e-mail address in it.
    #[serde(default)]
    pub email: Option<String>,
    /// The phone number in it.
    #[serde(default)]
    pub phone: Option<String>,
    /// The submission's own answers, never mixed with the lead's.
    pub answers: Vec<Answer>,
    /// The submission's own consent boxes.
    pub consents: Vec<Consent>,
    /// How the submission was ingested.
    #[serde(default, rename = "passage")]
    pub provenance: Provenance,
}

/// The detail by which two submissions are recognised as the same person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum PersonKeyKind {
    /// The same e-mail address, ignoring case and surrounding space.
    Email,
    /// The same phone number in E.164.
    Phone,
}

/// The CRM's tag for Meta's `platform`. Everything that is not Instagram counts as Facebook.
#[must_use]
pub fn tag(platform: Option<&str>) -> &'static str {
    match platform {
        Some("ig") => "Instagram Lead Ad",
        _ => "Facebook Lead Ad",
    }
}
