//! Ad performance: a row per ad and day, a row per account and day, and per campaign and day a [`CampaignDay`] that
//! summarises its ads.
//!
//! A sync compares Meta's data with the campaign days, writes the rows that changed, and then the campaign days. If it
//! dies in between, the next sync finds the old campaign days and writes the same rows again.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Item, Table, TableError, put_request};
use crate::ids::{AdObjectId, LinkId, OrgScope};
use crate::model::ads::insights::{AdDay, AdDaySummary, CampaignDay, Day};

/// Ads per item: DynamoDB holds 400 KB.
const ADS_PER_PART: usize = 2500;

/// Splits a campaign day into items, several if it is large. A campaign day never loses an ad, so no stale part is left
/// over.
fn parts(campaign_day: &CampaignDay) -> Vec<CampaignDay> {
    let lines: Vec<(&AdObjectId, &AdDaySummary)> = campaign_day.ads.iter().collect();
    let part = |lines: &[(&AdObjectId, &AdDaySummary)]| CampaignDay {
        day: campaign_day.day,
        campaign_id: campaign_day.campaign_id.clone(),
        ads: lines.iter().map(|(id, line)| ((*id).clone(), (*line).clone())).collect(),
    };
    lines.chunks(ADS_PER_PART).map(part).collect()
}

/// Where a list of campaign days resumes.
pub struct CampaignDayCursor(Item);

impl Table {
    /// Reads the account's own days in a range, oldest first.
    pub async fn account_days(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        since: Date,
        until: Date,
    ) -> Result<Vec<Day>, TableError> {
        let (from, to) = keys::days_between(since, until);
        let (mut days, mut start) = (Vec::new(), None);
        loop {
            let (items, next) = self.query_between(&keys::ads_pk(scope, link), (&from, &to), start, None).await?;
            days.extend(items.into_iter().map(super::entity).collect::<Result<Vec<Day>, _>>()?);
            match next {
                Some(next) => start = Some(next),
                None => return Ok(days),
            }
        }
    }

    /// Stores the account's own days.
    ///
    /// # Errors
    /// After an error, some may be stored.
    pub async fn put_account_days(&self, scope: &OrgScope, link: &LinkId, days: &[Day]) -> Result<(), TableError> {
        let put =
            |day: &Day| put_request(&Row::new(&keys::account_day(scope, link, day.day), ItemKind::AccountDay, day));
        self.write_many(days.iter().map(put).collect::<Result<_, _>>()?).await
    }

    /// Reads those of these ads' days that are stored.
    pub async fn ad_days(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        days: &[(Date, AdObjectId)],
    ) -> Result<HashMap<(Date, AdObjectId), AdDay>, TableError> {
        let keys: Vec<Key> = days.iter().map(|(day, ad)| keys::ad_day(scope, link, *day, ad)).collect();
        let days: Vec<AdDay> = self.read_all(&keys).await?;
        Ok(days.into_iter().map(|day| ((day.day.day, day.ad_id.clone()), day)).collect())
    }

    /// Lists up to `limit` ads of one day after an ad, in id order. Also returns whether there are more.
    pub async fn list_ad_days(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        day: Date,
        after: Option<&AdObjectId>,
        limit: usize,
    ) -> Result<(Vec<AdDay>, bool), TableError> {
        let start = after.map(|ad| keys::ad_day(scope, link, day, ad).attributes());
        let pk = keys::ad_days_pk(scope, link, day);
        let (items, more) = self.query_between(&pk, ("AD#", "AD#~"), start, Some(limit)).await?;
        Ok((self.entities(items)?, more.is_some()))
    }

    /// Stores days of ads.
    ///
    /// # Errors
    /// After an error, some may be stored.
    pub async fn put_ad_days(&self, scope: &OrgScope, link: &LinkId, days: &[AdDay]) -> Result<(), TableError> {
        let put = |day: &AdDay| {
            put_request(&Row::new(&keys::ad_day(scope, link, day.day.day, &day.ad_id), ItemKind::AdDay, day))
        };
        self.write_many(days.iter().map(put).collect::<Result<_, _>>()?).await
    }

    /// Reads some campaign days of a range of days, oldest first, and returns where to resume. A large campaign day may
    /// come in parts.
    pub async fn campaign_days_from(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        (since, until): (Date, Date),
        cursor: Option<CampaignDayCursor>,
    ) -> Result<(Vec<CampaignDay>, Option<CampaignDayCursor>), TableError> {
        let (from, to) = keys::days_between(since, until);
        let pk = keys::campaign_days_pk(scope, link);
        let (items, next) = self.query_between(&pk, (&from, &to), cursor.map(|cursor| cursor.0), None).await?;
        let campaign_days = items.into_iter().map(super::entity).collect::<Result<Vec<CampaignDay>, _>>()?;
        Ok((campaign_days, next.map(CampaignDayCursor)))
    }

    /// Reads all campaign days of a range of days, by day and campaign.
    pub async fn campaign_days(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        days: (Date, Date),
    ) -> Result<BTreeMap<(Date, AdObjectId), CampaignDay>, TableError> {
        let (mut all, mut cursor): (BTreeMap<_, CampaignDay>, _) = (BTreeMap::new(), None);
        loop {
            let (campaign_days, next) = self.campaign_days_from(scope, link, days, cursor).await?;
            for campaign_day in campaign_days {
                match all.get_mut(&(campaign_day.day, campaign_day.campaign_id.clone())) {
                    Some(known) => known.ads.extend(campaign_day.ads),
                    None => drop(all.insert((campaign_day.day, campaign_day.campaign_id.clone()), campaign_day)),
                }
            }
            cursor = next;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Lists the days that have campaign days.
    pub(super) async fn days_with_campaign_days(
        &self,
        scope: &OrgScope,
        link: &LinkId,
    ) -> Result<Vec<Date>, TableError> {
        let (mut days, mut cursor) = (Vec::new(), None);
        loop {
            let (campaign_days, next) = self.campaign_days_from(scope, link, (Date::ZERO, Date::MAX), cursor).await?;
            days.extend(campaign_days.iter().map(|campaign_day| campaign_day.day));
            days.dedup();
            cursor = next;
            if cursor.is_none() {
                return Ok(days);
            }
        }
    }

    /// Stores campaign days.
    ///
    /// # Errors
    /// After an error, some may be stored.
    pub async fn put_campaign_days(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        campaign_days: &[CampaignDay],
    ) -> Result<(), TableError> {
        // A few at a time: an item in DynamoDB's types takes many times the memory.
        const CONCURRENCY: usize = 10;
        for campaign_days in campaign_days.chunks(CONCURRENCY) {
            let mut writes = Vec::new();
            for campaign_day in campaign_days {
                for (number, part) in parts(campaign_day).iter().enumerate() {
                    let key = keys::campaign_day(scope, link, campaign_day.day, &campaign_day.campaign_id, number);
                    writes.push(put_request(&Row::new(&key, ItemKind::CampaignDay, part))?);
                }
            }
            self.write_many(writes).await?;
        }
        Ok(())
    }
}
