//! The keys of ad accounts and of what is synced of them.

use jiff::civil::Date;

use super::{IndexKey, Key, org_pk};
use crate::ids::{AdAccountId, AdObjectId, LinkId, OrgScope, RunId};
use crate::model::ads::object::AdObjectKind;

/// Sort key prefix of ad accounts.
pub(in crate::table) const AD_ACCOUNT_PREFIX: &str = "AD_ACCOUNT#";
/// Index partition of all ad accounts.
pub(in crate::table) const AD_ACCOUNTS: &str = "AD_ACCOUNTS";

pub(in crate::table) fn ad_account(scope: &OrgScope, id: &AdAccountId) -> Key {
    Key { pk: org_pk(scope), sk: format!("{AD_ACCOUNT_PREFIX}{id}") }
}

pub(in crate::table) fn ad_account_index(scope: &OrgScope, id: &AdAccountId) -> IndexKey {
    IndexKey { gsi1pk: AD_ACCOUNTS.to_owned(), gsi1sk: format!("{}#{id}", scope.org()) }
}

/// The key of an ad account's pause. It names no org: Meta's limits belong to the ad account, whichever org reads it.
pub(in crate::table) fn ad_pause(id: &AdAccountId) -> Key {
    Key { pk: format!("AD_ACCOUNT#{id}"), sk: "PAUSE".to_owned() }
}

pub(in crate::table) fn app_pause() -> Key {
    Key { pk: "META_APP".to_owned(), sk: "PAUSE".to_owned() }
}

/// The partition of an ad account's objects and account days, and the prefix of its other ad partitions.
pub(in crate::table) fn ads_pk(scope: &OrgScope, link: &LinkId) -> String {
    format!("ORG#{}#ADS#{link}", scope.org())
}

pub(in crate::table) fn ad_object_prefix(kind: AdObjectKind) -> &'static str {
    match kind {
        AdObjectKind::Campaign => "OBJECT#campaign#",
        AdObjectKind::Adset => "OBJECT#adset#",
        AdObjectKind::Ad => "OBJECT#ad#",
    }
}

pub(in crate::table) fn ad_object(scope: &OrgScope, link: &LinkId, kind: AdObjectKind, id: &AdObjectId) -> Key {
    Key { pk: ads_pk(scope, link), sk: format!("{}{id}", ad_object_prefix(kind)) }
}

/// Sort key prefix of days.
const DAY_PREFIX: &str = "DAY#";

pub(in crate::table) fn account_day(scope: &OrgScope, link: &LinkId, day: Date) -> Key {
    Key { pk: ads_pk(scope, link), sk: format!("{DAY_PREFIX}{day}") }
}

pub(in crate::table) fn campaign_days_pk(scope: &OrgScope, link: &LinkId) -> String {
    format!("{}#SHEETS", ads_pk(scope, link))
}

pub(in crate::table) fn campaign_day(
    scope: &OrgScope,
    link: &LinkId,
    day: Date,
    campaign: &AdObjectId,
    part: usize,
) -> Key {
    Key { pk: campaign_days_pk(scope, link), sk: format!("{DAY_PREFIX}{day}#{campaign}#{part}") }
}

/// Returns bounds that enclose all sort keys of these days.
pub(in crate::table) fn days_between(since: Date, until: Date) -> (String, String) {
    (format!("{DAY_PREFIX}{since}"), format!("{DAY_PREFIX}{until}#~"))
}

pub(in crate::table) fn ad_days_pk(scope: &OrgScope, link: &LinkId, day: Date) -> String {
    format!("{}#{DAY_PREFIX}{day}", ads_pk(scope, link))
}

pub(in crate::table) fn ad_day(scope: &OrgScope, link: &LinkId, day: Date, ad: &AdObjectId) -> Key {
    Key { pk: ad_days_pk(scope, link, day), sk: format!("AD#{ad}") }
}

pub(in crate::table) fn ads_syncs_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#ADS_SYNCS", scope.org())
}

pub(in crate::table) fn ads_sync(scope: &OrgScope, run: &RunId, link: &LinkId) -> Key {
    Key { pk: ads_syncs_pk(scope), sk: format!("SYNC#{run}#{link}") }
}
