//! The keys of mails to assignees.

use jiff::Timestamp;

use super::{IndexKey, Key, instant, lead, org_pk};
use crate::ids::{LeadId, OrgId, OrgScope, UserId};

/// Index partition of the people for whom leads are gathered, by when these are mailed.
pub(in crate::table) const DIGESTS_DUE: &str = "DIGESTS_DUE";
/// Sort key prefix of the leads that are gathered for a person.
pub(in crate::table) const GATHERED_PREFIX: &str = "LEAD#";
/// Sort key prefix of what keeps mails from people.
pub(in crate::table) const MAIL_PREFERENCE_PREFIX: &str = "MAIL#";

/// That a person was told of a lead.
pub(in crate::table) fn assignee_mail(scope: &OrgScope, id: &LeadId, user: &UserId) -> Key {
    Key { pk: lead(scope, id).pk, sk: format!("MAIL#{user}") }
}

pub(in crate::table) fn mails_pk(scope: &OrgScope, user: &UserId) -> String {
    format!("ORG#{}#MAILS#{user}", scope.org())
}

pub(in crate::table) fn mail_hour(scope: &OrgScope, user: &UserId) -> Key {
    Key { pk: mails_pk(scope, user), sk: "HOUR".to_owned() }
}

pub(in crate::table) fn gathered_lead(scope: &OrgScope, user: &UserId, id: &LeadId) -> Key {
    Key { pk: mails_pk(scope, user), sk: format!("{GATHERED_PREFIX}{id}") }
}

pub(in crate::table) fn digest_due(scope: &OrgScope, user: &UserId, at: Timestamp) -> IndexKey {
    IndexKey { gsi1pk: DIGESTS_DUE.to_owned(), gsi1sk: format!("{}#{}#{user}", instant(at), scope.org()) }
}

/// Parses whose digest a position is.
pub(in crate::table) fn parse_digest_due(gsi1sk: &str) -> Option<(OrgId, UserId)> {
    let (_, rest) = gsi1sk.split_once('#')?;
    let (org, user) = rest.split_once('#')?;
    Some((OrgId::parse(org).ok()?, UserId::parse(user).ok()?))
}

pub(in crate::table) fn mail_preference(scope: &OrgScope, user: &UserId) -> Key {
    Key { pk: org_pk(scope), sk: format!("{MAIL_PREFERENCE_PREFIX}{user}") }
}
