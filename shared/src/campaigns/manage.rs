//! Campaigns in lists and one by one, launched, paused and archived.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Campaigns;
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing, WorkError};
use crate::graph::campaigns::DeliveryStatus;
use crate::ids::{AdAccountId, AdObjectId, CampaignId, FormId, PageId, UserId};
use crate::model::ads::currency::format_amount;
use crate::model::audit::Word;
use crate::model::caller::Role;
use crate::model::campaigns::{
    Budget, CampaignError, CampaignStatus, CreativeSpec, LeadCampaign, MetaNames, MetaObjects, Review,
    SpecialAdCategory, Targeting,
};
use crate::model::event::Event;
use crate::tr;

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadCampaignOut {
    pub id: CampaignId,
    pub name: String,
    pub ad_account_id: AdAccountId,
    pub page_id: PageId,
    pub form_id: FormId,
    /// What the ad account and the form were called when it was created.
    pub names: MetaNames,
    pub status: CampaignStatus,
    /// What Meta's review says of the ad.
    pub review: Review,
    /// Meta's ids.
    pub meta: MetaObjects,
    /// Why it could not be made or launched.
    pub errors: Vec<CampaignError>,
    pub currency: String,
    /// What it may spend a day.
    pub daily_budget: Option<String>,
    /// What it may spend until its end.
    pub lifetime_budget: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_time: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end_time: Option<Timestamp>,
    pub countries: Vec<String>,
    /// Empty if it is about none of them.
    pub special_ad_categories: Vec<SpecialAdCategory>,
    pub special_ad_category_countries: Vec<String>,
    /// Who sees it.
    pub targeting: Targeting,
    /// What they see.
    pub creative: CreativeSpec,
    pub dsa_payor: Option<String>,
    pub created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

impl From<LeadCampaign> for LeadCampaignOut {
    fn from(campaign: LeadCampaign) -> Self {
        let spec = campaign.spec;
        let amount = format_amount(spec.budget.amount(), &spec.currency);
        let (daily_budget, lifetime_budget) = match spec.budget {
            Budget::Daily(_) => (Some(amount), None),
            Budget::Lifetime(_) => (None, Some(amount)),
        };
        Self {
            id: campaign.id,
            name: spec.name,
            ad_account_id: spec.ad_account_id,
            page_id: spec.page_id,
            form_id: spec.form_id,
            names: campaign.names,
            status: campaign.status,
            review: campaign.review,
            meta: campaign.meta,
            errors: campaign.errors,
            currency: spec.currency,
            daily_budget,
            lifetime_budget,
            start_time: spec.start_time,
            end_time: spec.end_time,
            countries: spec.targeting.countries.clone(),
            special_ad_categories: spec.special_ad_categories,
            special_ad_category_countries: spec.special_ad_category_countries,
            targeting: spec.targeting,
            creative: spec.creative,
            dsa_payor: spec.dsa_payor,
            created_by: campaign.created_by,
            created_at: campaign.created_at,
        }
    }
}

/// A page of campaigns.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadCampaignList {
    pub items: Vec<LeadCampaignOut>,
    pub next_cursor: Option<String>,
}

/// Which campaign to launch or to pause.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignChoice {
    pub campaign_id: CampaignId,
    /// Accepted and not needed: launching twice is launching once.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

/// How old what is known of a campaign at Meta may be.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

impl Campaigns {
    /// Lists the org's campaigns, newest first, from the start or from the cursor `after`.
    pub async fn list(
        &self,
        access: &MetaAccess,
        after: Option<&str>,
        limit: usize,
    ) -> Result<LeadCampaignList, ActError> {
        let cursor = ListCursor::new(&self.key, &access.scope, "campaigns");
        let before: Option<CampaignId> = cursor.decode(after)?;
        let (campaigns, more) = self.table.for_display().campaigns(&access.scope, before.as_ref(), limit).await?;
        let next_cursor = campaigns.last().filter(|_| more).map(|last| cursor.encode(&last.id));
        Ok(LeadCampaignList { items: campaigns.into_iter().map(LeadCampaignOut::from).collect(), next_cursor })
    }

    /// Reads what these campaigns are called. Missing ones are omitted.
    pub async fn names(
        &self,
        access: &MetaAccess,
        ids: &BTreeSet<CampaignId>,
    ) -> Result<BTreeMap<CampaignId, String>, ActError> {
        let campaigns = self.table.for_display().campaigns_by_id(&access.scope, ids).await?;
        Ok(campaigns.into_iter().map(|campaign| (campaign.id, campaign.spec.name)).collect())
    }

    /// Reads a campaign, with its state at Meta as of a minute ago at most. If Meta cannot be asked, as it was last seen.
    pub async fn read(&self, access: &MetaAccess, id: &CampaignId) -> Result<LeadCampaignOut, ActError> {
        let campaign = self.find(access, id).await?;
        let is_fresh = campaign.seen_at.is_some_and(|at| crate::clock::now().duration_since(at) < FRESH);
        if is_fresh || !matches!(campaign.status, CampaignStatus::Paused | CampaignStatus::Active) {
            return Ok(campaign.into());
        }
        match self.refresh(access, campaign.clone()).await {
            Ok(refreshed) => Ok(refreshed.into()),
            Err(error) => {
                tracing::info!(%error, campaign = %id, "the state of a campaign was not read from Meta");
                Ok(campaign.into())
            }
        }
    }

    /// Launches a campaign: its ad, its ad set and then itself. Launching it again changes nothing.
    ///
    /// It is stored as active before its spend is compared with the org's limit, so that of two launches at once at least
    /// one sees both.
    ///
    /// # Errors
    /// [`ErrorCode::CampaignNotReady`] before it is complete, [`ErrorCode::SpendLimitReached`], and Meta's refusal.
    pub async fn launch(&self, access: &MetaAccess, id: &CampaignId) -> Result<LeadCampaignOut, ActError> {
        let campaign = self.find(access, id).await?;
        let before = campaign.status;
        let objects = match (before, &campaign.meta) {
            (
                CampaignStatus::Paused | CampaignStatus::Active,
                MetaObjects { campaign_id: Some(own), adset_id: Some(adset), ad_id: Some(ad), .. },
            ) => [ad.clone(), adset.clone(), own.clone()],
            _ => return Err(not_ready(before)),
        };
        access.trail.about(id);
        let campaign = self.store_status(access, campaign, CampaignStatus::Active).await?;
        access.trail.changed("status", &before, &campaign.status);
        access.trail.changed("daily_spend", &None, &Some(campaign.daily_spend()));
        access.trail.changed("currency", &None, &Some(Word(&campaign.spec.currency)));
        let refusal = match self.check_spend(access, &campaign).await {
            Ok(()) => {
                let launched = self.set_delivery(access, &campaign, &objects, DeliveryStatus::Active).await;
                let Err(error) = launched else { return Ok(self.tell(access, campaign).await?.into()) };
                // A call whose answer was lost may have started it.
                let paused = self.set_delivery(access, &campaign, &objects[2..], DeliveryStatus::Paused).await;
                if paused.is_err() {
                    tracing::warn!(campaign = %id, "a launch failed, and the campaign may run; it counts as active until it was looked at");
                    return Err(error);
                }
                error
            }
            Err(refusal) => refusal,
        };
        if before == CampaignStatus::Paused {
            let status = self.store_status(access, campaign, before).await?.status;
            access.trail.changed("status", &before, &status);
        }
        Err(refusal)
    }

    /// Compares what the org's active campaigns spend a day with its limit.
    async fn check_spend(&self, access: &MetaAccess, campaign: &LeadCampaign) -> Result<(), ActError> {
        if access.caller.role == Role::SuperAdmin {
            return Ok(());
        }
        let org = self.table.org(&access.scope).await?;
        let Some(limit) = org.and_then(|org| org.daily_spend_limit) else { return Ok(()) };
        let refuse = |message: String| Err(ActError::refuse(ErrorCode::SpendLimitReached, message));
        let (amount, currency) = (limit.amount, &limit.currency);
        if campaign.spec.currency != *currency {
            let theirs = &campaign.spec.currency;
            return refuse(tr!(
                "The org's limit is in {currency}, the campaign in {theirs}. A superadmin can launch it.",
                currency = currency,
                theirs = theirs
            ));
        }
        let (mut spend, mut before) = (Decimal::ZERO, None);
        loop {
            let (campaigns, more) = self.table.campaigns(&access.scope, before.as_ref(), 100).await?;
            let active = campaigns.iter().filter(|one| one.status == CampaignStatus::Active);
            spend +=
                active.filter(|one| one.spec.currency == *currency).map(LeadCampaign::daily_spend).sum::<Decimal>();
            before = campaigns.last().map(|last| last.id.clone());
            if !more || before.is_none() {
                break;
            }
        }
        if spend <= amount {
            return Ok(());
        }
        let spend = format_amount(spend.round_dp(2), currency);
        refuse(tr!(
            "With this campaign, the org's campaigns may spend {spend} {currency} a day, and its limit is {amount} {currency}. A superadmin can launch it.",
            spend = spend,
            amount = amount,
            currency = currency
        ))
    }

    /// Pauses a campaign. Its ad set and its ad keep their own state.
    ///
    /// # Errors
    /// As [`Campaigns::launch`].
    pub async fn pause(&self, access: &MetaAccess, id: &CampaignId) -> Result<LeadCampaignOut, ActError> {
        self.switch_off(access, id, DeliveryStatus::Paused, CampaignStatus::Paused).await
    }

    /// Archives a campaign, which ends it.
    ///
    /// # Errors
    /// As [`Campaigns::launch`].
    pub async fn archive(&self, access: &MetaAccess, id: &CampaignId) -> Result<LeadCampaignOut, ActError> {
        self.switch_off(access, id, DeliveryStatus::Archived, CampaignStatus::Archived).await
    }

    async fn switch_off(
        &self,
        access: &MetaAccess,
        id: &CampaignId,
        delivery: DeliveryStatus,
        status: CampaignStatus,
    ) -> Result<LeadCampaignOut, ActError> {
        let campaign = self.find(access, id).await?;
        let own = match (campaign.status, &campaign.meta.campaign_id) {
            (CampaignStatus::Archived, _) if status == CampaignStatus::Archived => return Ok(campaign.into()),
            (CampaignStatus::Paused | CampaignStatus::Active, Some(own)) => own.clone(),
            _ => return Err(not_ready(campaign.status)),
        };
        access.trail.about(id);
        self.set_delivery(access, &campaign, &[own], delivery).await?;
        let before = campaign.status;
        let campaign = self.store_status(access, campaign, status).await?;
        access.trail.changed("status", &before, &campaign.status);
        Ok(self.tell(access, campaign).await?.into())
    }

    /// Publishes what has changed. If this fails after it was stored, the schedule publishes it.
    async fn tell(&self, access: &MetaAccess, mut campaign: LeadCampaign) -> Result<LeadCampaign, ActError> {
        if !campaign.progress.told {
            self.bus.publish(&[Event::campaign_changed(&campaign)]).await?;
            campaign.progress.told = true;
            self.table.put_campaign(&access.scope, &mut campaign).await?;
        }
        Ok(campaign)
    }

    async fn find(&self, access: &MetaAccess, id: &CampaignId) -> Result<LeadCampaign, ActError> {
        let campaign = self.table.campaign(&access.scope, id).await?;
        campaign.ok_or_else(|| ActError::not_found(Missing::Campaign))
    }

    /// Switches objects at Meta, one after the other. Each call may be repeated.
    async fn set_delivery(
        &self,
        access: &MetaAccess,
        campaign: &LeadCampaign,
        objects: &[AdObjectId],
        status: DeliveryStatus,
    ) -> Result<(), ActError> {
        let target = self.advertiser(access, &campaign.spec.page_id, crate::clock::now()).await?;
        let switch = async {
            let token = self.tokens.meta.vault.user_token(&target.integration.credentials).await?;
            let graph = self.tokens.meta.graph().await?;
            for object in objects {
                graph.set_delivery(object, status, &token).await?;
            }
            Ok::<_, WorkError>(())
        };
        match switch.await {
            Ok(()) => Ok(()),
            Err(WorkError::Graph(error @ crate::graph::GraphError::Refused(_))) => {
                Err(ActError::refuse(ErrorCode::MetaRefused, tr!("Meta refuses this: {error}.", error = error)))
            }
            Err(error) => Err(self.tokens.explain(&access.scope, &target.integration.id, error).await),
        }
    }

    /// Stores a new status.
    async fn store_status(
        &self,
        access: &MetaAccess,
        mut campaign: LeadCampaign,
        status: CampaignStatus,
    ) -> Result<LeadCampaign, ActError> {
        const MAX_TRIES: u32 = 5;
        for _ in 0..MAX_TRIES {
            if campaign.status != status {
                campaign.status = status;
                // Until it is seen at Meta, it is what was asked for.
                campaign.seen_at = None;
                campaign.change(crate::clock::now());
            }
            if self.table.put_campaign(&access.scope, &mut campaign).await? {
                return Ok(campaign);
            }
            campaign = self.find(access, &campaign.id.clone()).await?;
        }
        Err(not_ready(campaign.status))
    }

    /// Reads the state of a campaign from Meta and stores it: people also use Ads Manager.
    async fn refresh(&self, access: &MetaAccess, mut campaign: LeadCampaign) -> Result<LeadCampaign, ActError> {
        let (Some(own), Some(ad)) = (campaign.meta.campaign_id.clone(), campaign.meta.ad_id.clone()) else {
            return Ok(campaign);
        };
        let now = crate::clock::now();
        let target = self.advertiser(access, &campaign.spec.page_id, now).await?;
        let read = async {
            let token = self.tokens.meta.vault.user_token(&target.integration.credentials).await?;
            Ok::<_, WorkError>(self.tokens.meta.graph().await?.seen_campaign(&own, &ad, &token).await?)
        };
        let seen = read.await.map_err(ActError::from)?;
        campaign.see(seen.status, seen.review, now);
        let is_changed = !campaign.progress.told;
        // Another writer knows better.
        if self.table.put_campaign(&access.scope, &mut campaign).await? && is_changed {
            return self.tell(access, campaign).await;
        }
        Ok(campaign)
    }
}

fn not_ready(status: CampaignStatus) -> ActError {
    let message = match status {
        CampaignStatus::Creating => tr!("The campaign is not complete yet."),
        CampaignStatus::Failed => tr!("The campaign could not be created; nothing of it is at Meta."),
        CampaignStatus::Archived => tr!("The campaign is archived."),
        CampaignStatus::Paused | CampaignStatus::Active => tr!("The campaign is being changed at this moment."),
    };
    ActError::refuse(ErrorCode::CampaignNotReady, message)
}
