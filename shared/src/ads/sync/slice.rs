//! A range of an account's days: the stored numbers, compared with what Meta returns.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::client::Interrupt;
use super::context::SyncContext;
use crate::clock;
use crate::graph::GraphError;
use crate::graph::insight_rows::AdRow;
use crate::graph::insights::RowPage;
use crate::ids::AdObjectId;
use crate::model::ads::creative::Creative;
use crate::model::ads::insights::{AdDay, AdDaySummary, CampaignDay, Day};
use crate::model::ads::object::{Ad, AdObject, AdObjectKind};
use crate::model::ads::sync::{Fields, ObjectType};
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::phrase;

/// A range of an account's days, with their campaign days and the keys of those that changed.
pub(super) struct Slice {
    pub(super) since: Date,
    pub(super) until: Date,
    campaign_days: BTreeMap<(Date, AdObjectId), CampaignDay>,
    dirty: BTreeSet<(Date, AdObjectId)>,
}

impl Slice {
    /// Creates a slice from the stored summaries of its days.
    pub(super) fn new(since: Date, until: Date, campaign_days: BTreeMap<(Date, AdObjectId), CampaignDay>) -> Self {
        Self { since, until, campaign_days, dirty: BTreeSet::new() }
    }

    /// Processes a response page: stores the changed rows, unless they are left to a later sync, and adds them to the
    /// campaign days for [`Slice::store_campaign_days`].
    pub(super) async fn store_page(
        &mut self,
        context: &mut SyncContext<'_>,
        page: RowPage<AdRow>,
        fields: Fields,
    ) -> Result<(), Interrupt> {
        let mut rows: BTreeMap<(Date, AdObjectId), AdRow> = BTreeMap::new();
        let mut failed = Vec::new();
        for row in page.rows {
            match row {
                // If a row comes twice, the last one counts.
                Ok(row) if (self.since..=self.until).contains(&row.day.day) => {
                    rows.insert((row.day.day, row.ad.0.clone()), row);
                }
                Ok(row) => failed.push(format!("ad {}: {} was not asked for", row.ad.0, row.day.day)),
                Err(evidence) => failed.push(evidence),
            }
        }
        let read = rows.len() as u64;
        for row in rows.values_mut() {
            row.day.metrics.main.conversions = context.account.conversions.count(&row.day.metrics.actions);
        }
        let mut deferred = BTreeMap::new();
        if fields == Fields::All {
            rows.retain(|key, row| {
                context.writes_lagging_rows(key.0) || self.mark(row) != Some(row.day.metrics.mark())
            });
            if context.defers_rows() {
                let in_progress = context.sync.until;
                (deferred, rows) = rows.into_iter().partition(|(key, _)| Some(key.0) == in_progress);
            }
            if !deferred.is_empty() {
                context.defer_rows().await?;
            }
        }
        let restated = self.store_rows(context, &mut rows, fields).await?;
        rows.append(&mut deferred);
        let unknown: Vec<&AdRow> = rows.values().filter(|row| self.mark(row).is_none()).collect();
        store_unlisted_ads(context, &unknown).await?;
        let log = context.sync.log(ObjectType::AdInsights);
        for evidence in failed {
            log.fail(SyncProblemCode::UnreadableRow, evidence);
        }
        log.read += read;
        log.changed += rows.len() as u64;
        log.unchanged += read - rows.len() as u64;
        log.restated += restated;
        for (_, row) in rows {
            let key = (row.day.day, row.campaign.0.clone());
            let campaign_day = self.campaign_days.entry(key.clone()).or_insert_with(|| CampaignDay {
                day: key.0,
                campaign_id: key.1.clone(),
                ads: BTreeMap::new(),
            });
            campaign_day.ads.insert(row.ad.0, AdDaySummary::new(row.adset.0, &row.day.metrics));
            self.dirty.insert(key);
        }
        Ok(())
    }

    /// Stores rows, with their first numbers where Meta restates them, and returns the number of restated rows. Fields
    /// that were not requested stay as stored. Rows that then equal their summary are removed from `rows`.
    async fn store_rows(
        &self,
        context: &SyncContext<'_>,
        rows: &mut BTreeMap<(Date, AdObjectId), AdRow>,
        fields: Fields,
    ) -> Result<u64, Interrupt> {
        let (table, scope, link) = (context.table, context.scope, &context.account.id);
        let known = |(key, row): (&(Date, AdObjectId), &AdRow)| self.mark(row).is_some().then(|| key.clone());
        let known: Vec<(Date, AdObjectId)> = rows.iter().filter_map(known).collect();
        let stored = table.ad_days(scope, link, &known).await?;
        let (now, mut restated, mut written) = (clock::now(), 0, Vec::with_capacity(rows.len()));
        rows.retain(|key, row| {
            let before = stored.get(key);
            let metrics = &mut row.day.metrics;
            if let Some(before) = before {
                fields.keep(metrics, &before.day.metrics);
            }
            // A row that was left to this sync can be older than the account's days.
            let as_of = context.account.ad_rows_as_of(key.0);
            let confirmed = as_of.is_some_and(|at| context.account.today(at) > key.0);
            let counted = &context.account.conversions;
            let day = Day::next(before.map(|before| &before.day), key.0, metrics.clone(), counted, confirmed, now);
            restated += u64::from(confirmed && day.as_ref().is_some_and(|day| day.first_seen.is_some()));
            written.extend(day.map(|day| AdDay {
                ad_id: row.ad.0.clone(),
                ad_name: row.ad.1.clone(),
                adset_id: row.adset.0.clone(),
                adset_name: row.adset.1.clone(),
                campaign_id: row.campaign.0.clone(),
                campaign_name: row.campaign.1.clone(),
                day,
            }));
            // A row that was already stored is kept here if its summary in the campaign day was not.
            self.mark(row) != Some(row.day.metrics.mark())
        });
        table.put_ad_days(scope, link, &written).await?;
        Ok(restated)
    }

    /// The campaigns with numbers.
    pub(super) fn campaigns(&self) -> impl Iterator<Item = &AdObjectId> {
        self.campaign_days.keys().map(|(_, campaign)| campaign)
    }

    /// The ads with numbers: campaign, ad set, ad.
    pub(super) fn ads(&self) -> impl Iterator<Item = (&AdObjectId, &AdObjectId, &AdObjectId)> {
        self.campaign_days
            .values()
            .flat_map(|campaign_day| campaign_day.ads.iter().map(|(ad, line)| (&campaign_day.campaign_id, &line.0, ad)))
    }

    /// Stores the changed campaign days.
    pub(super) async fn store_campaign_days(&mut self, context: &SyncContext<'_>) -> Result<(), Interrupt> {
        let dirty = std::mem::take(&mut self.dirty);
        let campaign_days: Vec<CampaignDay> = dirty.iter().filter_map(|key| self.campaign_days.remove(key)).collect();
        Ok(context.table.put_campaign_days(context.scope, &context.account.id, &campaign_days).await?)
    }

    /// The fingerprint of the stored row.
    fn mark(&self, row: &AdRow) -> Option<u64> {
        Some(self.campaign_days.get(&(row.day.day, row.campaign.0.clone()))?.ads.get(&row.ad.0)?.mark())
    }
}

/// Reads the ads with numbers that no list contained. An ad that Meta does not return by id either is stored by name.
async fn store_unlisted_ads(context: &mut SyncContext<'_>, rows: &[&AdRow]) -> Result<(), Interrupt> {
    let ids: BTreeSet<AdObjectId> = rows.iter().map(|row| row.ad.0.clone()).collect();
    let ids: Vec<AdObjectId> = ids.into_iter().collect();
    let known = context.table.ad_object_marks(context.scope, &context.account.id, AdObjectKind::Ad, &ids).await?;
    let unknown = ids.into_iter().filter(|id| !known.contains_key(id)).map(|id| (AdObjectKind::Ad, id));
    let unknown: Vec<(AdObjectKind, AdObjectId)> = unknown.collect();
    if unknown.is_empty() {
        return Ok(());
    }
    context.client.add_calls(unknown.len());
    let (graph, token) = context.client.graph();
    let fetched = graph.ad_objects_by_id(&unknown, &context.account.currency, token).await;
    let stand_in = |id: &AdObjectId| {
        let row = rows.iter().find(|row| row.ad.0 == *id)?;
        Some(AdObject::Ad(Ad {
            id: id.clone(),
            name: row.ad.1.clone(),
            adset_id: row.adset.0.clone(),
            campaign_id: row.campaign.0.clone(),
            status: "UNKNOWN".to_owned(),
            effective_status: "UNKNOWN".to_owned(),
            creative: Creative::default(),
            created_time: None,
            updated_time: None,
            issues: vec![phrase!("Meta has numbers for this ad but does not show the ad itself.").to_owned()],
        }))
    };
    let mut objects = Vec::with_capacity(unknown.len());
    for ((_, id), outcome) in unknown.iter().zip(fetched) {
        match outcome {
            Ok(object) => objects.push(object),
            Err(GraphError::NotVisible(_) | GraphError::NotPermitted(_) | GraphError::Refused(_)) => {
                objects.extend(stand_in(id));
            }
            Err(error) => return Err(context.client.interrupt_for(error).await?),
        }
    }
    Ok(context.table.put_ad_objects(context.scope, &context.account.id, &objects).await?)
}
