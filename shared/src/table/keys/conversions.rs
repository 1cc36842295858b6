//! The keys of what Meta is told of leads.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{IndexKey, Key, instant, lead, org_pk};
use crate::ids::{IntegrationId, LeadId, OrgId, OrgScope};
use crate::model::lead::Status;

/// Index partition of the conversions that are to be sent, each under its org.
pub(in crate::table) const CONVERSIONS_DUE: &str = "CONVERSIONS_DUE";
/// Sort key prefix of a lead's conversions.
pub(in crate::table) const CONVERSION_PREFIX: &str = "CONVERSION#";

pub(in crate::table) fn conversion(scope: &OrgScope, id: &LeadId, stage: Status) -> Key {
    Key { pk: lead(scope, id).pk, sk: format!("{CONVERSION_PREFIX}{stage}") }
}

pub(in crate::table) fn conversion_due(scope: &OrgScope, id: &LeadId, stage: Status, at: Timestamp) -> IndexKey {
    let gsi1sk = format!("{}{}#{id}#{stage}", conversions_of_org(scope), instant(at));
    IndexKey { gsi1pk: CONVERSIONS_DUE.to_owned(), gsi1sk }
}

/// The beginning of the index sort keys of an org's conversions.
pub(in crate::table) fn conversions_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#", scope.org())
}

/// A sort key after all conversions of an org, and before those of any other that follows. No id has a character that
/// sorts before `#`.
pub(in crate::table) fn after_conversions_of_org(org: &OrgId) -> String {
    format!("ORG#{org}#~")
}

/// Parses the org from a position among the conversions that are to be sent.
pub(in crate::table) fn parse_conversion_due(gsi1sk: &str) -> Option<OrgId> {
    OrgId::parse(gsi1sk.strip_prefix("ORG#")?.split_once('#')?.0).ok()
}

pub(in crate::table) fn conversion_lease(scope: &OrgScope) -> Key {
    Key { pk: org_pk(scope), sk: "CONVERSION_LEASE".to_owned() }
}

pub(in crate::table) fn conversion_day(scope: &OrgScope, id: &IntegrationId, day: Date) -> Key {
    Key { pk: format!("ORG#{}#INTEGRATION#{id}", scope.org()), sk: format!("CONVERSIONS#DAY#{day}") }
}
