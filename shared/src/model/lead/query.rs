//! Which of an org's leads are meant.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Status;
use crate::ids::{FormId, InvalidId, PageId, UserId};

/// A filter on leads. A lead must match every criterion that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadQuery {
    /// How a name begins, or an e-mail address, or a phone number.
    pub text: Option<String>,
    /// `Meta` or `Import`.
    pub source: Option<String>,
    /// `Facebook Lead Ad`, `Instagram Lead Ad` or `Imported File`.
    pub tag: Option<String>,
    /// The page that owns the form.
    pub page_id: Option<PageId>,
    /// The form.
    pub form_id: Option<FormId>,
    /// Meta's id of the campaign. Naming the form as well saves reading the leads of others.
    pub campaign_id: Option<String>,
    /// The assignee.
    pub assigned_to: Option<Assignee>,
    /// The lead status.
    pub status: Option<Status>,
    /// Submitted at or after this.
    pub from: Option<Timestamp>,
    /// Submitted before this.
    pub to: Option<Timestamp>,
    /// In which order. Leads that are found by `text` are in the order of their names.
    #[serde(default)]
    pub order: LeadOrder,
}

impl LeadQuery {
    /// What is asked for, as a text. A criterion that a later release adds changes it only where it is set, so that cursors
    /// that are stored, as those of exports, go on after a deployment.
    #[must_use]
    pub fn identity(&self) -> String {
        let fields = serde_json::to_value(self).unwrap_or_default();
        let fields = fields.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let fields: BTreeMap<&String, &Value> = fields.collect();
        serde_json::to_string(&fields).unwrap_or_default()
    }
}

/// The order of a list of leads, by the time of their submission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum LeadOrder {
    /// The newest one first.
    #[default]
    NewestFirst,
    /// The oldest one first.
    OldestFirst,
}

impl LeadOrder {
    /// Compares two positions in time: the one that the list has first is less.
    pub(crate) fn compare(self, one: &str, other: &str) -> Ordering {
        match self {
            Self::NewestFirst => other.cmp(one),
            Self::OldestFirst => one.cmp(other),
        }
    }
}

/// The assignee of a lead, or the absence of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Assignee {
    /// No one.
    Unassigned,
    /// This user.
    User(UserId),
}

impl Assignee {
    /// Stands for no assignee where a user's id is expected.
    pub const UNASSIGNED: &str = "unassigned";

    /// Parses a user's id or [`Assignee::UNASSIGNED`].
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if text == Self::UNASSIGNED { Ok(Self::Unassigned) } else { UserId::parse(text).map(Self::User) }
    }
}

impl From<Assignee> for String {
    fn from(assignee: Assignee) -> Self {
        match assignee {
            Assignee::Unassigned => Assignee::UNASSIGNED.to_owned(),
            Assignee::User(user) => user.to_string(),
        }
    }
}

impl TryFrom<String> for Assignee {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_no_part_of_a_query_s_identity() {
        let every = LeadQuery::default().identity();
        assert_eq!(every, r#"{"order":"newest_first"}"#);
        let page_id = PageId::parse("7").ok();
        let of_page = LeadQuery { page_id, ..LeadQuery::default() };
        assert_eq!(of_page.identity(), r#"{"order":"newest_first","page_id":"7"}"#);
        assert_ne!(LeadQuery { status: Some(Status::Lost), ..of_page.clone() }.identity(), of_page.identity());
    }
}
