//! Campaigns: found by id, in order of time.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use serde::Serialize;

use super::commit::CommitOutcome;
use super::keys::{self, Key};
use super::request::OnceRequest;
use super::row::Row;
use super::shape::ItemKind;
use super::{Item, Table, TableError, if_held, pause, text};
use crate::ids::{CampaignId, OrgScope, PageId};
use crate::jobs::PublishWork;
use crate::model::campaigns::LeadCampaign;
use crate::model::campaigns::step::CampaignStep;
use crate::model::publishing::progress::{LEASE, PublishLease};

/// A campaign with what the index needs of it.
#[derive(Serialize)]
struct CampaignRow<'a> {
    page_id: &'a PageId,
    #[serde(flatten)]
    campaign: &'a LeadCampaign,
}

impl Table {
    /// Stores a campaign. With a request, only if it was not carried out before: then what it made is returned.
    pub async fn insert_campaign(
        &self,
        scope: &OrgScope,
        campaign: &LeadCampaign,
        request: Option<&OnceRequest>,
    ) -> Result<Option<OnceRequest>, TableError> {
        const MAX_TRIES: u32 = 5;
        for attempt in 1..=MAX_TRIES {
            let mut writes: Vec<TransactWriteItem> =
                request.map(|request| self.request_write(scope, request)).into_iter().collect::<Result<_, _>>()?;
            writes.push(self.insert(campaign_item(scope, campaign)?)?);
            if self.transact(writes).await? == CommitOutcome::Committed {
                return Ok(None);
            }
            if let Some(request) = request
                && let Some(known) = self.request(scope, &request.operation, &request.hash).await?
            {
                return Ok(Some(known));
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Reads a campaign.
    pub async fn campaign(&self, scope: &OrgScope, id: &CampaignId) -> Result<Option<LeadCampaign>, TableError> {
        self.get(&keys::campaign(scope, id)).await
    }

    /// Reads campaigns, in the order of `ids`. Missing ones are omitted.
    pub async fn campaigns_by_id(
        &self,
        scope: &OrgScope,
        ids: &BTreeSet<CampaignId>,
    ) -> Result<Vec<LeadCampaign>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|id| keys::campaign(scope, id)).collect();
        self.read_all(&keys).await
    }

    /// Stores a changed campaign, as its next revision. `false` if another writer changed it first.
    pub async fn put_campaign(&self, scope: &OrgScope, campaign: &mut LeadCampaign) -> Result<bool, TableError> {
        let seen = campaign.revision;
        campaign.revision += 1;
        let request = self.client.put_item().table_name(&self.name).set_item(Some(campaign_item(scope, campaign)?));
        let stored = request
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", AttributeValue::N(seen.to_string()))
            .send()
            .await;
        Ok(if_held(stored)?.is_some())
    }

    /// Claims a campaign for one worker. `None` if another is at it, or nothing is left to do.
    pub async fn claim_campaign(
        &self,
        scope: &OrgScope,
        id: &CampaignId,
        now: Timestamp,
    ) -> Result<Option<LeadCampaign>, TableError> {
        const MAX_TRIES: u32 = 8;
        for attempt in 1..=MAX_TRIES {
            let Some(mut campaign) = self.campaign(scope, id).await? else { return Ok(None) };
            let is_held = campaign.progress.lease.as_ref().is_some_and(|lease| lease.until > now);
            if is_held || campaign.next_step(now) == CampaignStep::Nothing {
                return Ok(None);
            }
            campaign.progress.lease = Some(PublishLease { until: now + LEASE });
            if self.put_campaign(scope, &mut campaign).await? {
                return Ok(Some(campaign));
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Lists up to `limit` of the org's campaigns, newest first, after `before`. Also returns whether there are more.
    pub async fn campaigns(
        &self,
        scope: &OrgScope,
        before: Option<&CampaignId>,
        limit: usize,
    ) -> Result<(Vec<LeadCampaign>, bool), TableError> {
        let mut start = before.map(|id| keys::campaign(scope, id).attributes());
        let mut campaigns = Vec::new();
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(keys::campaigns_pk(scope)))
                .scan_index_forward(false)
                .set_exclusive_start_key(start)
                .limit(i32::try_from(limit - campaigns.len()).unwrap_or(i32::MAX))
                .send()
                .await?;
            start = page.last_evaluated_key;
            campaigns.extend(self.entities(page.items.into_iter().flatten())?);
            // Some may have been left out.
            if start.is_none() || campaigns.len() >= limit {
                return Ok((campaigns, start.is_some()));
            }
        }
    }
}

fn campaign_item(scope: &OrgScope, campaign: &LeadCampaign) -> Result<Item, TableError> {
    let key = keys::campaign(scope, &campaign.id);
    let body = CampaignRow { page_id: &campaign.spec.page_id, campaign };
    let row = Row::new(&key, ItemKind::Campaign, &body);
    match campaign.attention_at() {
        Some(at) => row.indexed(keys::publish_due(scope, &PublishWork::Campaign(campaign.id.clone()), at)).item(),
        None => row.item(),
    }
}
