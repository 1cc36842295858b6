//! The keys of recorded acts. A month is a partition: an org that acts rarely is listed with few reads, and one that never
//! rests writes to another partition next month.

use jiff::Timestamp;

use super::Key;
use crate::ids::{AuditId, OrgScope};

/// Formats a time so that text order is time order, to the microsecond.
pub(in crate::table) fn act_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The partition of a month, such as `2026-11`.
pub(in crate::table) fn acts_of_month(scope: &OrgScope, month: &str) -> String {
    format!("ORG#{}#AUDIT#{month}", scope.org())
}

pub(in crate::table) fn act(scope: &OrgScope, at: Timestamp, id: &AuditId) -> Key {
    let sk = act_time(at);
    let month = sk.get(..7).unwrap_or_default();
    Key { pk: acts_of_month(scope, month), sk: format!("{sk}#{id}") }
}
