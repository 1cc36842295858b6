//! Asking for a campaign: checked before anything is made, stored once for each request, then made in the background.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::time::Duration;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Campaigns, RIGHTS};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing, WorkError};
use crate::graph::GraphError;
use crate::graph::campaigns::WritableAccount;
use crate::ids::{AdAccountId, CampaignId, FormId, InstagramAccountId, PageId};
use crate::jobs::PublishJob;
use crate::model::ads::currency::Amount;
use crate::model::audit::Word;
use crate::model::campaigns::draft::{CampaignDraft, CampaignMistake};
use crate::model::campaigns::{BidStrategy, CallToAction, CampaignStatus, LeadCampaign, MetaNames, SpecialAdCategory};
use crate::model::json_input::{maybe_whole, object};
use crate::model::limit::OrgLimit;
use crate::once::OnceKey;
use crate::publishing::target::{Target, find_target, no_target};
use crate::tr;

/// A campaign to create. It is created paused, and spends nothing until it is launched.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CampaignIn {
    /// The ad account that pays, with `act_`.
    pub ad_account_id: AdAccountId,
    /// The page that advertises, which the org has connected.
    pub page_id: PageId,
    /// 1 to 350 characters.
    #[schema(min_length = 1, max_length = 350, pattern = r"\S")]
    pub name: String,
    /// `OUTCOME_LEADS`, which is the default.
    pub objective: Option<String>,
    /// The form that people fill in: one of the page.
    pub lead_form_id: FormId,
    /// What it may spend a day, in the account's currency, such as `20.00`.
    #[schema(value_type = Option<Amount>)]
    pub daily_budget: Option<Decimal>,
    /// What it may spend until `endTime`. Either this or `dailyBudget`.
    #[schema(value_type = Option<Amount>)]
    pub lifetime_budget: Option<Decimal>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_time: Option<Timestamp>,
    /// At least 24 hours after the start.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub end_time: Option<Timestamp>,
    /// Whether the campaign is about jobs, homes, loans, politics or gambling. An empty list says that it is not.
    pub special_ad_categories: Vec<SpecialAdCategory>,
    /// The countries to whose laws the categories refer.
    #[serde(default)]
    pub special_ad_category_countries: Vec<String>,
    #[serde(deserialize_with = "object")]
    pub targeting: TargetingIn,
    #[serde(deserialize_with = "object")]
    pub creative: CreativeIn,
    /// The Instagram account that shows it there; without one, Meta shows the page's name.
    pub instagram_account_id: Option<InstagramAccountId>,
    /// `LOWEST_COST_WITHOUT_CAP` by default.
    pub bid_strategy: Option<BidStrategy>,
    /// The cap, in the account's currency.
    #[schema(value_type = Option<Amount>)]
    pub bid_amount: Option<Decimal>,
    /// Who pays, for ads in the European Union. By default what the ad account says.
    pub dsa_payor: Option<String>,
    /// Whom it benefits, for ads in the European Union. By default what the ad account says.
    pub dsa_beneficiary: Option<String>,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

/// Who sees a campaign.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetingIn {
    /// ISO 3166 codes, such as `NL`; at most 25.
    #[schema(min_items = 1, max_items = 25, pattern = "^[A-Z]{2}$")]
    pub countries: Vec<String>,
    #[serde(default, deserialize_with = "maybe_whole")]
    #[schema(minimum = 18, maximum = 65)]
    pub age_min: Option<u8>,
    /// 65 includes everyone older.
    #[serde(default, deserialize_with = "maybe_whole")]
    #[schema(minimum = 18, maximum = 65)]
    pub age_max: Option<u8>,
    /// Whether Meta may show it to others too. By default `true` without ages and special categories.
    pub advantage_audience: Option<bool>,
}

/// What people see.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreativeIn {
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub message: String,
    #[schema(min_length = 1, max_length = 255)]
    pub headline: Option<String>,
    /// A picture at a public address.
    pub image: Option<String>,
    /// The hash of a picture in the ad account. Either this or `image`.
    pub image_hash: Option<String>,
    /// The address that is shown. Meta opens the form, whatever it is.
    pub link: Option<String>,
    /// `SIGN_UP` by default.
    pub call_to_action: Option<CallToAction>,
}

/// A campaign that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedCampaign {
    /// Leadwire's id of it.
    pub campaign_id: CampaignId,
    /// How far it is.
    pub status: CampaignStatus,
}

impl Campaigns {
    /// Takes a campaign to make.
    ///
    /// # Errors
    /// Refuses what Meta is known to refuse, and a page or an ad account that cannot be used. Nothing was stored then.
    pub async fn create(
        &self,
        access: &MetaAccess,
        input: CampaignIn,
        once: Option<OnceKey>,
    ) -> Result<CreatedCampaign, ActError> {
        let now = crate::clock::now();
        if let Some(once) = &once
            && let Some(known) = self.table.request(&access.scope, once.operation(), once.hash()).await?
        {
            return self.created_before(access, once.known_ids(&known)?.first().map(String::as_str)).await;
        }
        let target = self.advertiser(access, &input.page_id, now).await?;
        let account = self.account(access, &target, &input.ad_account_id).await?;
        if !account.is_active {
            let message = tr!("Meta has disabled or closed this ad account. Settle what Meta asks for in Ads Manager.");
            return Err(ActError::invalid("adAccountId", ErrorCode::AdAccountNotActive, message));
        }
        let form = self.check_form(access, &target, &input.lead_form_id).await?;
        let spec = draft(input).check(&account.facts, now).map_err(refusal)?;
        let campaign = LeadCampaign {
            id: CampaignId::new(),
            org: access.scope.org().clone(),
            spec,
            names: MetaNames { ad_account: account.name, form },
            status: CampaignStatus::Creating,
            review: Default::default(),
            meta: Default::default(),
            errors: Vec::new(),
            seen_at: None,
            changed_at: now,
            created_by: access.caller.user.clone(),
            created_at: now,
            progress: Default::default(),
            revision: 0,
        };
        let request = once.as_ref().map(|once| once.record(vec![campaign.id.to_string()], now));
        let known = self.table.insert_campaign(&access.scope, &campaign, request.as_ref()).await?;
        if let (Some(known), Some(once)) = (known, &once) {
            return self.created_before(access, once.known_ids(&known)?.first().map(String::as_str)).await;
        }
        access.trail.about(&campaign.id);
        access.trail.changed("daily_spend", &None, &Some(campaign.daily_spend()));
        access.trail.changed("currency", &None, &Some(Word(&campaign.spec.currency)));
        if let Err(error) = self.queue.send_later(&PublishJob::campaign(&campaign), Duration::ZERO).await {
            tracing::warn!(%error, campaign = %campaign.id, "a campaign could not be queued; the schedule will");
        }
        Ok(CreatedCampaign { campaign_id: campaign.id, status: campaign.status })
    }

    async fn created_before(&self, access: &MetaAccess, id: Option<&str>) -> Result<CreatedCampaign, ActError> {
        let id = id.and_then(|id| CampaignId::parse(id).ok()).ok_or_else(|| ActError::not_found(Missing::Campaign))?;
        let campaign = self.table.campaign(&access.scope, &id).await?;
        let campaign = campaign.ok_or_else(|| ActError::not_found(Missing::Campaign))?;
        Ok(CreatedCampaign { campaign_id: campaign.id, status: campaign.status })
    }

    /// Checks that the org can advertise for a page, as far as is known without asking Meta.
    ///
    /// # Errors
    /// Refuses a page that the org has not connected, and says which permission is missing.
    pub async fn check_page(&self, access: &MetaAccess, page: &PageId) -> Result<(), ActError> {
        self.advertiser(access, page, crate::clock::now()).await.map(drop)
    }

    /// Finds the connection of a page through which it can advertise.
    pub(super) async fn advertiser(
        &self,
        access: &MetaAccess,
        page: &PageId,
        now: Timestamp,
    ) -> Result<Target, ActError> {
        access.count(&self.table, OrgLimit::MetaCalls).await?;
        let found = find_target(&self.table, &access.scope, page, RIGHTS, now).await?;
        found.map_err(|reason| no_target("pageId", page, reason))
    }

    async fn account(
        &self,
        access: &MetaAccess,
        target: &Target,
        id: &AdAccountId,
    ) -> Result<WritableAccount, ActError> {
        let read = async {
            let token = self.tokens.meta.vault.user_token(&target.integration.credentials).await?;
            Ok::<_, WorkError>(self.tokens.meta.graph().await?.writable_account(id, &token).await?)
        };
        match read.await {
            Ok(account) => Ok(account),
            Err(WorkError::Graph(GraphError::NotVisible(_) | GraphError::NotPermitted(_))) => {
                let message = tr!("The connected account cannot use the ad account {id}.", id = id);
                Err(ActError::invalid("adAccountId", ErrorCode::AdAccountUnknown, message))
            }
            Err(error) => Err(self.tokens.explain(&access.scope, &target.integration.id, error).await),
        }
    }
}

fn draft(input: CampaignIn) -> CampaignDraft {
    let (targeting, creative) = (input.targeting, input.creative);
    CampaignDraft {
        name: input.name,
        ad_account_id: input.ad_account_id,
        page_id: input.page_id,
        form_id: input.lead_form_id,
        objective: input.objective,
        daily_budget: input.daily_budget,
        lifetime_budget: input.lifetime_budget,
        start_time: input.start_time,
        end_time: input.end_time,
        special_ad_categories: input.special_ad_categories,
        special_ad_category_countries: input.special_ad_category_countries,
        countries: targeting.countries,
        age_min: targeting.age_min,
        age_max: targeting.age_max,
        advantage_audience: targeting.advantage_audience,
        message: creative.message,
        headline: creative.headline,
        image: creative.image,
        image_hash: creative.image_hash,
        link: creative.link,
        call_to_action: creative.call_to_action,
        instagram_account_id: input.instagram_account_id,
        bid_strategy: input.bid_strategy,
        bid_amount: input.bid_amount,
        dsa_payor: input.dsa_payor,
        dsa_beneficiary: input.dsa_beneficiary,
    }
}

fn refusal(mistake: CampaignMistake) -> ActError {
    ActError::invalid(mistake.field, ErrorCode::CampaignInvalid, mistake.message)
}
