//! Lists of campaigns, ad sets and ads, as they were last read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::http::{Problem, cursor, place};
use shared::ids::{AdAccountId, AdObjectId, OrgScope};
use shared::model::ad_account::{AdAccount, Client};
use shared::model::ad_object::{Ad, AdObject, AdObjectKind, AdSet, Campaign};
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::input::{self, Parameters};
use crate::router::Api;

/// Objects looked at for one answer; of a filter that few meet, the answer may be short and go on.
const MOST_READ: usize = 2000;

/// A campaign with whose it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignOut {
    #[serde(flatten)]
    of: Owner,
    #[serde(flatten)]
    campaign: Campaign,
}

/// An ad set with whose it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdSetOut {
    #[serde(flatten)]
    of: Owner,
    #[serde(flatten)]
    adset: AdSet,
}

/// An ad with whose it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdOut {
    #[serde(flatten)]
    of: Owner,
    #[serde(flatten)]
    ad: Ad,
}

/// Whose an object is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Owner {
    account_id: AdAccountId,
    client: Client,
    /// Of its budgets, ISO 4217.
    currency: String,
}

/// Campaigns.
#[derive(Serialize, ToSchema)]
pub(crate) struct CampaignList {
    items: Vec<CampaignOut>,
    next_cursor: Option<String>,
}

/// Ad sets.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdSetList {
    items: Vec<AdSetOut>,
    next_cursor: Option<String>,
}

/// Ads.
#[derive(Serialize, ToSchema)]
pub(crate) struct AdList {
    items: Vec<AdOut>,
    next_cursor: Option<String>,
}

/// The campaigns
#[utoipa::path(
    get, path = "/api/meta-ads/campaigns", tag = "ads", operation_id = "listCampaigns",
    params(
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query),
        ("effective_status" = Option<String>, Query, description = "`ACTIVE`, or several separated by commas"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100, 25 if left out"),
        ("orgid" = String, Header, description = "The org to act for")
    ),
    responses((status = 200, body = CampaignList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn campaigns(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    parameters: Parameters,
) -> Result<Json<CampaignList>, Problem> {
    let (found, next_cursor) = list(&api, &scope, &parameters, AdObjectKind::Campaign).await?;
    let items = found.into_iter().filter_map(|(of, object)| match object {
        AdObject::Campaign(campaign) => Some(CampaignOut { of, campaign }),
        AdObject::Adset(_) | AdObject::Ad(_) => None,
    });
    Ok(Json(CampaignList { items: items.collect(), next_cursor }))
}

/// The ad sets
#[utoipa::path(
    get, path = "/api/meta-ads/adsets", tag = "ads", operation_id = "listAdSets",
    params(
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query), ("campaign_id" = Option<String>, Query),
        ("effective_status" = Option<String>, Query, description = "`ACTIVE`, or several separated by commas"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100, 25 if left out"),
        ("orgid" = String, Header, description = "The org to act for")
    ),
    responses((status = 200, body = AdSetList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn adsets(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdSetList>, Problem> {
    let (found, next_cursor) = list(&api, &scope, &parameters, AdObjectKind::Adset).await?;
    let items = found.into_iter().filter_map(|(of, object)| match object {
        AdObject::Adset(adset) => Some(AdSetOut { of, adset }),
        AdObject::Campaign(_) | AdObject::Ad(_) => None,
    });
    Ok(Json(AdSetList { items: items.collect(), next_cursor }))
}

/// The ads
#[utoipa::path(
    get, path = "/api/meta-ads/ads", tag = "ads", operation_id = "listAds",
    params(
        ("account_id" = Option<String>, Query), ("client_id" = Option<String>, Query), ("campaign_id" = Option<String>, Query),
        ("adset_id" = Option<String>, Query),
        ("effective_status" = Option<String>, Query, description = "`ACTIVE`, or several separated by commas"),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100, 25 if left out"),
        ("orgid" = String, Header, description = "The org to act for")
    ),
    responses((status = 200, body = AdList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn ads(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    parameters: Parameters,
) -> Result<Json<AdList>, Problem> {
    let (found, next_cursor) = list(&api, &scope, &parameters, AdObjectKind::Ad).await?;
    let items = found.into_iter().filter_map(|(of, object)| match object {
        AdObject::Ad(ad) => Some(AdOut { of, ad }),
        AdObject::Campaign(_) | AdObject::Adset(_) => None,
    });
    Ok(Json(AdList { items: items.collect(), next_cursor }))
}

/// Where a list goes on: in which account, after which object.
#[derive(Serialize, Deserialize)]
struct Place(AdAccountId, Option<AdObjectId>);

struct Filter {
    campaign: Option<AdObjectId>,
    adset: Option<AdObjectId>,
    statuses: Vec<String>,
}

impl Filter {
    fn admits(&self, object: &AdObject) -> bool {
        let (status, campaign, adset) = match object {
            AdObject::Campaign(campaign) => (&campaign.effective_status, None, None),
            AdObject::Adset(adset) => (&adset.effective_status, Some(&adset.campaign_id), None),
            AdObject::Ad(ad) => (&ad.effective_status, Some(&ad.campaign_id), Some(&ad.adset_id)),
        };
        let is_among = |wanted: &Option<AdObjectId>, given| wanted.is_none() || wanted.as_ref() == given;
        is_among(&self.campaign, campaign)
            && is_among(&self.adset, adset)
            && (self.statuses.is_empty() || self.statuses.contains(status))
    }
}

async fn list(
    api: &Api,
    scope: &OrgScope,
    parameters: &Parameters,
    kind: AdObjectKind,
) -> Result<(Vec<(Owner, AdObject)>, Option<String>), Problem> {
    let known: &[&str] = match kind {
        AdObjectKind::Campaign => &["account_id", "client_id", "effective_status", "cursor", "limit"],
        AdObjectKind::Adset => &["account_id", "client_id", "campaign_id", "effective_status", "cursor", "limit"],
        AdObjectKind::Ad => {
            &["account_id", "client_id", "campaign_id", "adset_id", "effective_status", "cursor", "limit"]
        }
    };
    parameters.check(known)?;
    let limit = input::limit(parameters.get("limit"))?;
    let filter = Filter {
        campaign: parameters.id("campaign_id", AdObjectId::parse)?,
        adset: parameters.id("adset_id", AdObjectId::parse)?,
        statuses: parameters
            .get("effective_status")
            .map(|list| list.split(',').map(|status| status.trim().to_uppercase()).collect())
            .unwrap_or_default(),
    };
    let name = parameters.list(&format!("ads {kind:?}"));
    let start: Option<Place> =
        parameters.get("cursor").map(|given| place(&api.key, scope, &name, given)).transpose()?;
    let mut accounts = parameters.accounts(&api.table, scope).await?;
    let mut after = None;
    if let Some(Place(account, object)) = start {
        accounts.retain(|known| known.ad_account_id >= account);
        after = object.filter(|_| accounts.first().is_some_and(|first| first.ad_account_id == account));
    }
    let (mut found, mut read) = (Vec::new(), 0);
    let mut accounts = accounts.into_iter();
    let mut current = accounts.next();
    while let Some(account) = &current {
        let (objects, more) =
            api.table.list_ad_objects(scope, &account.id, kind, after.as_ref(), limit.max(100)).await?;
        read += objects.len();
        for object in objects {
            if found.len() == limit {
                let last = Place(account.ad_account_id.clone(), after);
                return Ok((found, Some(cursor(&api.key, scope, &name, &last))));
            }
            after = Some(object.id().clone());
            if filter.admits(&object) {
                found.push((owner(account), object));
            }
        }
        if !more {
            (current, after) = (accounts.next(), None);
        }
        if let (Some(account), true) = (&current, found.len() == limit || read >= MOST_READ) {
            let last = Place(account.ad_account_id.clone(), after);
            return Ok((found, Some(cursor(&api.key, scope, &name, &last))));
        }
    }
    Ok((found, None))
}

fn owner(account: &AdAccount) -> Owner {
    Owner {
        account_id: account.ad_account_id.clone(),
        client: account.client.clone(),
        currency: account.currency.clone(),
    }
}
