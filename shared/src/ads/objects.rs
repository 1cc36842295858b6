//! Lists of campaigns, ad sets and ads, as of the last sync.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parents::AdParents;
use super::{AccountFilter, Ads};
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::ActError;
use crate::ids::{AdAccountId, AdObjectId};
use crate::model::ads::account::{AdAccount, Client};
use crate::model::ads::object::{Ad, AdObject, AdObjectKind, AdSet, Campaign};

/// Objects read for one page. With a filter that few objects match, the page may be short although more follow.
const MAX_READ: usize = 2000;

/// Selects objects. An object must match everything that is set; a campaign, for example, matches no `adset_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectFilter {
    /// The accounts.
    pub accounts: AccountFilter,
    /// Only objects in this campaign and this ad set.
    pub within: AdParents,
    /// Only objects with one of these effective statuses of Meta's (`ACTIVE`…); any status if empty.
    pub effective_status: Vec<String>,
}

/// A campaign with its owner.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignOut {
    #[serde(flatten)]
    pub owner: Owner,
    #[serde(flatten)]
    pub campaign: Campaign,
}

/// An ad set with its owner.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdSetOut {
    #[serde(flatten)]
    pub owner: Owner,
    #[serde(flatten)]
    pub adset: AdSet,
}

/// An ad with its owner.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdOut {
    #[serde(flatten)]
    pub owner: Owner,
    #[serde(flatten)]
    pub ad: Ad,
}

/// The account and client that an object belongs to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Owner {
    pub account_id: AdAccountId,
    pub client: Client,
    /// ISO 4217 code of the currency of its budgets.
    pub currency: String,
}

/// A page of campaigns.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignList {
    pub items: Vec<CampaignOut>,
    pub next_cursor: Option<String>,
}

/// A page of ad sets.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdSetList {
    pub items: Vec<AdSetOut>,
    pub next_cursor: Option<String>,
}

/// A page of ads.
#[derive(Debug, Serialize, ToSchema)]
pub struct AdList {
    pub items: Vec<AdOut>,
    pub next_cursor: Option<String>,
}

impl Ads {
    /// Lists campaigns, up to `limit` after the cursor `after`.
    pub async fn campaigns(
        &self,
        access: &MetaAccess,
        query: &ObjectFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<CampaignList, ActError> {
        let (objects, next_cursor) = self.list_objects(access, AdObjectKind::Campaign, query, after, limit).await?;
        let items = objects.into_iter().filter_map(|(owner, object)| match object {
            AdObject::Campaign(campaign) => Some(CampaignOut { owner, campaign }),
            AdObject::Adset(_) | AdObject::Ad(_) => None,
        });
        Ok(CampaignList { items: items.collect(), next_cursor })
    }

    /// Lists ad sets, up to `limit` after the cursor `after`.
    pub async fn adsets(
        &self,
        access: &MetaAccess,
        query: &ObjectFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AdSetList, ActError> {
        let (objects, next_cursor) = self.list_objects(access, AdObjectKind::Adset, query, after, limit).await?;
        let items = objects.into_iter().filter_map(|(owner, object)| match object {
            AdObject::Adset(adset) => Some(AdSetOut { owner, adset }),
            AdObject::Campaign(_) | AdObject::Ad(_) => None,
        });
        Ok(AdSetList { items: items.collect(), next_cursor })
    }

    /// Lists ads, up to `limit` after the cursor `after`.
    pub async fn ads(
        &self,
        access: &MetaAccess,
        query: &ObjectFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AdList, ActError> {
        let (objects, next_cursor) = self.list_objects(access, AdObjectKind::Ad, query, after, limit).await?;
        let items = objects.into_iter().filter_map(|(owner, object)| match object {
            AdObject::Ad(ad) => Some(AdOut { owner, ad }),
            AdObject::Campaign(_) | AdObject::Adset(_) => None,
        });
        Ok(AdList { items: items.collect(), next_cursor })
    }

    async fn list_objects(
        &self,
        access: &MetaAccess,
        kind: AdObjectKind,
        query: &ObjectFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<(Owner, AdObject)>, Option<String>), ActError> {
        let scope = &access.scope;
        let list = format!("ads {kind:?} {query:?}");
        let cursor = ListCursor::new(&self.key, scope, &list);
        let start: Option<ObjectPosition> = cursor.decode(after)?;
        let mut accounts = self.selected_accounts(access, &query.accounts).await?;
        let mut after = None;
        if let Some(ObjectPosition(account, object)) = start {
            accounts.retain(|known| known.ad_account_id >= account);
            after = object.filter(|_| accounts.first().is_some_and(|first| first.ad_account_id == account));
        }
        let (mut admitted, mut read) = (Vec::new(), 0);
        let mut accounts = accounts.into_iter();
        let mut current = accounts.next();
        while let Some(account) = &current {
            let (objects, more) =
                self.table.list_ad_objects(scope, &account.id, kind, after.as_ref(), limit.max(100)).await?;
            read += objects.len();
            for object in objects {
                if admitted.len() == limit {
                    let last = ObjectPosition(account.ad_account_id.clone(), after);
                    return Ok((admitted, Some(cursor.encode(&last))));
                }
                after = Some(object.id().clone());
                if query.admits(&object) {
                    admitted.push((owner(account), object));
                }
            }
            if !more {
                (current, after) = (accounts.next(), None);
            }
            if let (Some(account), true) = (&current, admitted.len() == limit || read >= MAX_READ) {
                let last = ObjectPosition(account.ad_account_id.clone(), after);
                return Ok((admitted, Some(cursor.encode(&last))));
            }
        }
        Ok((admitted, None))
    }
}

/// The position in a list: the account, and the last object of it that was read.
#[derive(Serialize, Deserialize)]
struct ObjectPosition(AdAccountId, Option<AdObjectId>);

impl ObjectFilter {
    fn admits(&self, object: &AdObject) -> bool {
        let (campaign, adset) = object.containers();
        self.within.admits(campaign.map(AdObjectId::as_str), adset.map(AdObjectId::as_str))
            && (self.effective_status.is_empty()
                || self.effective_status.iter().any(|status| status == object.effective_status()))
    }
}

fn owner(account: &AdAccount) -> Owner {
    Owner {
        account_id: account.ad_account_id.clone(),
        client: account.client.clone(),
        currency: account.currency.clone(),
    }
}
