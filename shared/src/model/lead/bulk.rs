//! A change of several leads at once, as it is kept to be undone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::assignment::Assigned;
use super::{Lead, Status};
use crate::ids::{BulkChangeId, LeadId, UserId};

/// A field that can be changed of several leads at once, with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadField {
    /// The assignee.
    AssignedTo(Option<UserId>),
    /// The lead status.
    Status(Status),
}

impl LeadField {
    /// Returns the same field with the value that a lead has.
    #[must_use]
    pub fn read(&self, lead: &Lead) -> Self {
        match self {
            Self::AssignedTo(_) => Self::AssignedTo(lead.assigned_to.clone()),
            Self::Status(_) => Self::Status(lead.status),
        }
    }
}

/// What one request changed of several leads. A change of many leads takes several requests, which are its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkChangePart {
    /// The change that this is a part of.
    pub change: BulkChangeId,
    /// Its place in the change, from 0 on.
    pub part: u32,
    /// What the leads have since.
    pub to: LeadField,
    /// When they were changed.
    pub at: Timestamp,
    /// The leads that had another value.
    pub before: BTreeMap<LeadId, ValueBefore>,
}

/// What a lead had before a change of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueBefore {
    /// The field that was changed, with its value.
    pub field: LeadField,
    /// How the lead had been assigned.
    pub assignment: Assigned,
}
