//! A lead as the CRM sees it.

pub mod assignment;
pub mod cadence;
pub mod dedupe;
pub mod file;
pub mod form;
pub mod identity;
pub mod latency;
pub mod mapping;
#[cfg(test)]
mod mapping_tests;
pub mod phone;
pub mod run;
pub mod standard_fields;
pub mod trace;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{FormId, LeadId, LeadgenId, PageId, UserId};
use crate::model::lead::assignment::Assigned;

/// Where leads of Meta's come from, as the CRM names it.
pub const SOURCE: &str = "Meta";
/// Where a lead comes from that was in a file of another program's.
pub const FILE_SOURCE: &str = "Import";
/// Its tag: no form of Meta's showed it.
pub const FILE_TAG: &str = "Imported File";

/// A person who left their details in a Lead Ads form. A repeat submission of the same person does not make a second
/// lead: it is kept beside this one, as a [`Submission`] with its own answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lead {
    /// Ours, stable.
    pub id: LeadId,
    /// Meta's id of the submission that created the lead; absent for leads out of a file that does not name it.
    pub leadgen_id: Option<LeadgenId>,
    /// `Meta`, or `Import` for a lead out of a file that is not Meta's.
    pub source: String,
    /// `Facebook Lead Ad` or `Instagram Lead Ad`, by where the form was shown; `Imported File` where none was.
    pub tags: Vec<String>,
    /// Meta's word for where the form was shown: `fb`, `ig`, or whatever else Meta says.
    pub platform: Option<String>,
    /// The page that owns the form; absent for leads out of a file whose form belongs to no connected page.
    pub page_id: Option<PageId>,
    /// Its name at the time of the submission.
    pub page_name: Option<String>,
    /// The form.
    pub form_id: Option<FormId>,
    /// Its name; absent when Meta does not let us read the form.
    pub form_name: Option<String>,
    /// Absent for organic leads, as are the other five of the ad.
    pub campaign_id: Option<String>,
    /// The campaign's name.
    pub campaign_name: Option<String>,
    /// The ad set.
    pub adset_id: Option<String>,
    /// The ad set's name.
    pub adset_name: Option<String>,
    /// The ad.
    pub ad_id: Option<String>,
    /// The ad's name.
    pub ad_name: Option<String>,
    /// When the person sent the form, by Meta's clock.
    #[schema(value_type = String, format = DateTime)]
    pub created_time: Timestamp,
    /// When Leadwire first heard of it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// How Leadwire heard of it.
    pub found_by: FoundBy,
    /// Where the CRM stands with the person.
    pub status: Status,
    /// Who works on it.
    pub assigned_to: Option<UserId>,
    /// How it came to whom it belongs.
    pub assignment: Assigned,
    /// From the form's name questions.
    pub full_name: Option<String>,
    /// From the form's e-mail question, as it was typed.
    pub email: Option<String>,
    /// From the form's phone question: E.164 where the number could be read, else as it was typed.
    pub phone: Option<String>,
    /// Whatever else the form's questions or the form's mapping give a field: `city`, `company_name`…
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Every answer of the form, in its order.
    pub answers: Vec<Answer>,
    /// Every consent box of the form.
    pub consents: Vec<Consent>,
    /// Whether this is one of Meta's test leads.
    pub test: bool,
    /// How often the same person has sent a form since.
    #[serde(default)]
    pub submissions_count: u32,
    /// How it came in.
    #[serde(default)]
    pub passage: Passage,
}

/// How a submission came in: what its trace is made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Passage {
    /// When Meta showed it to us; absent for leads out of a file.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fetched_at: Option<Timestamp>,
    /// How often that was tried.
    pub tries: u32,
    /// The version of the form's own mapping by which it was read; absent if it was read by Meta's question types.
    pub mapping: Option<u32>,
    /// When it was written. It is in the CRM from then on.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub stored_at: Option<Timestamp>,
    /// Names the telling of its event, which is written down once for everything that was told together.
    pub telling: Option<String>,
}

/// One question's answer. Questions with several choices have several values; an unanswered one may have none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The question's key.
    pub name: String,
    /// The question as the person read it; the key where the form could not be read.
    pub label: String,
    /// What was answered.
    pub values: Vec<String>,
}

/// One consent box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Consent {
    /// The box's key in the form.
    pub key: String,
    /// Whether it was ticked.
    pub checked: bool,
}

/// How Leadwire came to know of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Meta's webhook told.
    Webhook,
    /// The regular comparison with Meta found it.
    Sweep,
    /// Somebody pressed "Sync now".
    Sync,
    /// It was in a file.
    Import,
    /// Somebody asked for leads from before the connection.
    Backfill,
}

impl FoundBy {
    /// Whether it came when it was sent, or soon after: only then does it say how long leads take, and when a page is quiet.
    #[must_use]
    pub fn is_of_its_time(self) -> bool {
        !matches!(self, Self::Import | Self::Backfill)
    }
}

/// Where the CRM stands with a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has worked on it.
    New,
    /// Somebody has been in touch.
    Contacted,
    /// It is worth pursuing.
    Qualified,
    /// It became a customer.
    Converted,
    /// It came to nothing.
    Lost,
}

/// A later submission by somebody who already is a lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Submission {
    /// Whose it is.
    pub lead_id: LeadId,
    /// Ours; it leads to the lead.
    pub id: LeadId,
    /// Meta's id of the submission.
    pub leadgen_id: Option<LeadgenId>,
    /// Which of the person's details was recognised.
    pub matched_by: PersonKeyKind,
    /// Where it was shown, in Meta's word.
    pub platform: Option<String>,
    /// The page it came through.
    pub page_id: Option<PageId>,
    /// The form it came through.
    pub form_id: Option<FormId>,
    /// The form's name, where it could be read.
    pub form_name: Option<String>,
    /// When the person sent it.
    #[schema(value_type = String, format = DateTime)]
    pub created_time: Timestamp,
    /// When Leadwire first heard of it.
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// How Leadwire heard of it.
    pub found_by: FoundBy,
    /// Its own answers, never mixed with the lead's.
    pub answers: Vec<Answer>,
    /// Its own consent boxes.
    pub consents: Vec<Consent>,
    /// How it came in.
    #[serde(default)]
    pub passage: Passage,
}

/// What tells that two submissions are one person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonKeyKind {
    /// The same e-mail address, apart from case and surrounding space.
    Email,
    /// The same phone number in E.164.
    Phone,
}

/// The CRM's tag for a lead by Meta's `platform`. Whatever is not Instagram is shown by Facebook.
#[must_use]
pub fn tag(platform: Option<&str>) -> &'static str {
    match platform {
        Some("ig") => "Instagram Lead Ad",
        _ => "Facebook Lead Ad",
    }
}
