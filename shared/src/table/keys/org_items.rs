//! Where the items of one org are, for what concerns all of them.

use jiff::{SignedDuration, Timestamp};

use super::{
    Key, acts_of_month, ads_syncs_pk, campaigns_pk, dismissed, endpoints_pk, exports_pk, file_volume, imports_pk,
    inbox_turn, latency, mails_pk, org, org_limit, org_pk, page_pk, parked_pk, receipts_pk, rotation, runs_pk,
    saved_replies, waiting_pk,
};
use crate::ids::{EndpointId, IntegrationId, LeadId, LinkId, OrgScope, PageId, UserId};
use crate::model::audit::AUDIT_TTL;
use crate::model::limit::OrgLimit;

/// Whether an item is of this org: its partition names the org, or its sort key does in a partition that orgs share.
pub(in crate::table) fn is_of_org(scope: &OrgScope, key: &Key) -> bool {
    let (own, within) = (org_pk(scope), format!("{}#", org_pk(scope)));
    let in_own = key.pk == own || key.pk.starts_with(&within);
    let is_shared = ["PAGE#", "ACCOUNT#", "META_PERSON#"].iter().any(|shared| key.pk.starts_with(shared));
    let names_it = ["", "SWEEP#", "SOCIAL#"].iter().any(|kind| key.sk.starts_with(&format!("{kind}{within}")));
    in_own || is_shared && names_it
}

/// The partitions of an org that are found by its id alone, but for its own, its acts and its receipts.
pub(in crate::table) fn fixed_partitions(scope: &OrgScope) -> Vec<String> {
    let (day, lead) = (jiff::civil::Date::ZERO, LeadId::from_content(""));
    vec![
        parked_pk(scope),
        dismissed(scope, &lead).pk,
        waiting_pk(scope),
        runs_pk(scope),
        exports_pk(scope),
        org_limit(scope, OrgLimit::MetaCalls, 0).pk,
        latency(scope, day).pk,
        file_volume(scope, day).pk,
        ads_syncs_pk(scope),
        campaigns_pk(scope),
        saved_replies(scope),
        inbox_turn(scope).pk,
        rotation(scope).pk,
        imports_pk(scope),
        endpoints_pk(scope),
    ]
}

/// The partitions with what is kept of an org after it has left: its acts and the receipts of erasures.
pub(in crate::table) fn record_partitions(scope: &OrgScope, now: Timestamp) -> Vec<String> {
    let months = AUDIT_TTL.as_hours() / (24 * 28) + 1;
    let mut partitions: Vec<String> = (0..=months)
        .map(|month| (now - SignedDuration::from_hours(24 * 28 * month)).strftime("%Y-%m").to_string())
        .map(|month| acts_of_month(scope, &month))
        .collect();
    partitions.dedup();
    partitions.push(receipts_pk(scope));
    partitions
}

/// The partition of what belongs to one integration.
pub(in crate::table) fn integration_pk(scope: &OrgScope, id: &IntegrationId) -> String {
    format!("{}#INTEGRATION#{id}", org_pk(scope))
}

/// The partitions of what belongs to one user.
pub(in crate::table) fn user_partitions(scope: &OrgScope, user: &UserId) -> [String; 2] {
    [mails_pk(scope, user), super::lead_views_pk(scope, user)]
}

/// The partition of a page, and what the sort keys of an org's items in it begin with.
pub(in crate::table) fn page_prefixes(scope: &OrgScope, page: &PageId) -> [(String, String); 3] {
    ["", "SWEEP#", "SOCIAL#"].map(|kind| (page_pk(page), format!("{kind}{}#", org_pk(scope))))
}

/// The ids in the sort keys of an org's own partition.
pub(in crate::table) enum OrgPart {
    /// A user.
    User(UserId),
    /// An integration.
    Integration(IntegrationId),
    /// A linked ad account.
    AdAccount,
}

impl OrgPart {
    /// What an item of an org's own partition is the beginning of, if of anything.
    pub(in crate::table) fn parse(key: &Key) -> Option<Self> {
        if let Some(id) = key.sk.strip_prefix(super::USER_PREFIX) {
            return UserId::parse(id).ok().map(Self::User);
        }
        if let Some(id) = key.sk.strip_prefix(super::INTEGRATION_PREFIX) {
            return IntegrationId::parse(id).ok().map(Self::Integration);
        }
        key.sk.starts_with(super::AD_ACCOUNT_PREFIX).then_some(Self::AdAccount)
    }
}

/// Whether this is the org's own item, without which it is in no list.
pub(in crate::table) fn is_org_itself(scope: &OrgScope, key: &Key) -> bool {
    *key == org(scope)
}

/// The partition of one linking of an ad account, for which its days are listed.
pub(in crate::table) fn ads_partitions(scope: &OrgScope, link: &LinkId) -> [String; 2] {
    [super::ads_pk(scope, link), super::campaign_days_pk(scope, link)]
}

/// The day in the sort key of an account day or a campaign day.
pub(in crate::table) fn parse_day(key: &Key) -> Option<jiff::civil::Date> {
    key.sk.strip_prefix("DAY#")?.split('#').next()?.parse().ok()
}

/// The lead or the submission that an item is.
pub(in crate::table) fn parse_lead(key: &Key) -> Option<LeadId> {
    let (_, id) = key.pk.rsplit_once("LEAD#").filter(|_| key.sk == "LEAD")?;
    LeadId::parse(id).ok()
}

/// The partitions with leads that are none yet.
pub(in crate::table) fn held_partitions(scope: &OrgScope) -> [String; 3] {
    [parked_pk(scope), waiting_pk(scope), dismissed(scope, &LeadId::from_content("")).pk]
}

/// The lead that an item of these partitions is about.
pub(in crate::table) fn parse_held(key: &Key) -> Option<LeadId> {
    let (_, id) = key.sk.rsplit_once("LEAD#")?;
    LeadId::parse(id).ok()
}

/// The partition with the notices about one endpoint.
pub(in crate::table) fn endpoint_pk(scope: &OrgScope, id: &EndpointId) -> String {
    format!("{}#ENDPOINT#{id}", org_pk(scope))
}

/// Whether an item is one of an org's acts or receipts.
pub(in crate::table) fn is_record(key: &Key) -> bool {
    let kind = key.pk.split('#').nth(2);
    kind.is_some_and(|kind| ["AUDIT", "RECEIPTS"].contains(&kind))
}
