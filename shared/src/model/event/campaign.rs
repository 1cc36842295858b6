//! Events of campaigns.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Event, EventKind};
use crate::ids::{AdAccountId, CampaignId, FormId, OrgId, PageId};
use crate::model::campaigns::{CampaignError, CampaignStatus, LeadCampaign, MetaObjects, Review};

/// `campaign.changed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignChanged {
    id: String,
    org: OrgId,
    campaign_id: CampaignId,
    name: String,
    ad_account_id: AdAccountId,
    page_id: PageId,
    form_id: FormId,
    status: CampaignStatus,
    /// What Meta's review says of the ad.
    review: Review,
    /// Meta's ids.
    meta: MetaObjects,
    /// Why it could not be created.
    errors: Vec<CampaignError>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl Event {
    /// A campaign has another status, or Meta's review another result.
    #[must_use]
    pub fn campaign_changed(campaign: &LeadCampaign) -> Self {
        let changed = CampaignChanged {
            id: format!("campaign.changed:{}:{}:{}", campaign.org, campaign.id, campaign.changed_at),
            org: campaign.org.clone(),
            campaign_id: campaign.id.clone(),
            name: campaign.spec.name.clone(),
            ad_account_id: campaign.spec.ad_account_id.clone(),
            page_id: campaign.spec.page_id.clone(),
            form_id: campaign.spec.form_id.clone(),
            status: campaign.status,
            review: campaign.review.clone(),
            meta: campaign.meta.clone(),
            errors: campaign.errors.clone(),
            at: campaign.changed_at,
        };
        Self::new(EventKind::CampaignChanged, &changed)
    }
}
