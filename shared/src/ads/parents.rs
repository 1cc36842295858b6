//! The campaign and the ad set that lists and reports are limited to: one rule for all of them.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::figures;
use super::{AccountFilter, Ads};
use crate::error::{ActError, ErrorCode};
use crate::ids::{AdObjectId, OrgScope};
use crate::model::ads::account::AdAccount;
use crate::model::ads::object::AdObjectKind;
use crate::tr;

/// Selects what lies in a campaign and in an ad set: in both, if both are set. The default selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdParents {
    /// Only what lies in this campaign.
    pub campaign_id: Option<AdObjectId>,
    /// Only what lies in this ad set.
    pub adset_id: Option<AdObjectId>,
}

/// A campaign or an ad set that a report is limited to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdParentOut {
    pub kind: AdObjectKind,
    pub id: AdObjectId,
    /// `null` if no linked account has it, for example because Meta deleted it before.
    pub name: Option<String>,
}

/// What a report is about: the accounts that are read, and the campaign and the ad set that it is limited to.
pub(super) struct ReportSubject {
    pub(super) accounts: Vec<AdAccount>,
    pub(super) parents: Vec<AdParentOut>,
}

impl AdParents {
    /// Whether it selects what lies in this campaign and this ad set. What lies in none matches no id.
    #[must_use]
    pub fn admits(&self, campaign: Option<&str>, adset: Option<&str>) -> bool {
        let matches = |wanted: &Option<AdObjectId>, id: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| id == Some(wanted.as_str()))
        };
        matches(&self.campaign_id, campaign) && matches(&self.adset_id, adset)
    }

    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids().next().is_none()
    }

    /// The ids that are set, the widest first.
    fn ids(&self) -> impl Iterator<Item = (AdObjectKind, AdObjectId)> {
        let campaign = self.campaign_id.clone().map(|id| (AdObjectKind::Campaign, id));
        let adset = self.adset_id.clone().map(|id| (AdObjectKind::Adset, id));
        campaign.into_iter().chain(adset)
    }
}

impl Ads {
    /// Finds what a report is about. Only the account that has the campaign and the ad set is read.
    pub(super) async fn report_subject(
        &self,
        scope: &OrgScope,
        filter: &AccountFilter,
        within: &AdParents,
    ) -> Result<ReportSubject, ActError> {
        let all = self.table.ad_accounts(scope).await?;
        let mut accounts = filter.select(all.clone())?;
        // In the accounts that are not selected as well: there, too, it is no unknown one.
        let wanted: BTreeSet<(AdObjectKind, AdObjectId)> = within.ids().collect();
        let of_accounts = all.iter().map(|account| (account.ad_account_id.to_string(), wanted.clone())).collect();
        let found = match wanted.is_empty() {
            true => Default::default(),
            false => figures::find_objects(&self.table, scope, &all, of_accounts).await?,
        };
        for known in found.values() {
            accounts.retain(|account| account.ad_account_id == known.account);
        }
        let parents = within.ids().map(|(kind, id)| {
            let name = found.get(&(kind, id.clone())).map(|known| known.name.clone());
            AdParentOut { kind, id, name }
        });
        Ok(ReportSubject { accounts, parents: parents.collect() })
    }
}

/// Refuses a campaign or an ad set that no account has, unless something came from it: it may have been deleted before its
/// account was linked, or its account is not linked.
pub(super) fn refuse_unknown(parents: &[AdParentOut], is_empty: bool) -> Result<(), ActError> {
    let Some(unknown) = parents.iter().find(|parent| is_empty && parent.name.is_none()) else { return Ok(()) };
    let (field, message) = match unknown.kind {
        AdObjectKind::Campaign => (
            "campaign_id",
            tr!("No linked ad account has this campaign, and there are no numbers of it on these days."),
        ),
        AdObjectKind::Adset | AdObjectKind::Ad => {
            ("adset_id", tr!("No linked ad account has this ad set, and there are no numbers of it on these days."))
        }
    };
    Err(ActError::invalid(field, ErrorCode::NotFound, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(campaign: &str, adset: &str) -> AdParents {
        let id = |text: &str| AdObjectId::parse(text).ok();
        AdParents { campaign_id: id(campaign), adset_id: id(adset) }
    }

    #[test]
    fn what_lies_in_both_is_admitted_and_what_lies_in_none_only_by_an_empty_selection() {
        for (selection, campaign, adset, admits) in [
            (within("", ""), None, None, true),
            (within("", ""), Some("1"), Some("2"), true),
            (within("1", ""), Some("1"), None, true),
            (within("1", ""), Some("1"), Some("2"), true),
            (within("1", ""), Some("11"), Some("2"), false),
            (within("1", ""), None, Some("1"), false),
            (within("1", "2"), Some("1"), Some("2"), true),
            (within("1", "2"), Some("1"), Some("3"), false),
            (within("1", "2"), Some("3"), Some("2"), false),
            (within("1", "2"), Some("1"), None, false),
            (within("", "2"), Some("9"), Some("2"), true),
        ] {
            assert_eq!(selection.admits(campaign, adset), admits, "{selection:?}: {campaign:?} {adset:?}");
        }
        assert!(within("", "").is_empty() && !within("", "2").is_empty());
    }

    #[test]
    fn an_unknown_parent_is_refused_by_its_field_if_nothing_came_from_it() {
        let parent = |kind, name: Option<&str>| AdParentOut {
            kind,
            id: AdObjectId::parse("1").unwrap(),
            name: name.map(ToOwned::to_owned),
        };
        let known = parent(AdObjectKind::Campaign, Some("Spring"));
        for (unknown, field) in [(AdObjectKind::Campaign, "campaign_id"), (AdObjectKind::Adset, "adset_id")] {
            let parents = [known.clone(), parent(unknown, None)];
            assert!(refuse_unknown(&parents, false).is_ok(), "deleted before its account was linked");
            let refused = refuse_unknown(&parents, true).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::NotFound);
            assert!(matches!(&refused, ActError::Refused(refusal) if refusal.field.as_deref() == Some(field)));
        }
        assert!(refuse_unknown(&[known], true).is_ok(), "it only has nothing on these days");
    }
}
