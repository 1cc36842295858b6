//! Ad performance: a row per ad and day, a row per account and day, and per campaign and day a sheet that summarises
//! its ads.
//!
//! A sync compares Meta's data with the sheets, writes the rows that changed, and then the sheets. If it dies in
//! between, the next sync finds the old sheets and writes the same rows again.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::keys::{self, Key};
use super::{Item, Row, Table, TableError, put_request};
use crate::ids::{AdObjectId, LinkId, OrgScope};
use crate::model::ads::insights::{AdDay, AdLine, Day, Sheet};

/// Ads per item: DynamoDB holds 400 KB.
const ADS_PER_PART: usize = 2500;

/// Splits a sheet into items, several if it is large. A sheet never loses an ad, so no stale part is left over.
fn parts(sheet: &Sheet) -> Vec<Sheet> {
    let lines: Vec<(&AdObjectId, &AdLine)> = sheet.ads.iter().collect();
    let part = |lines: &[(&AdObjectId, &AdLine)]| Sheet {
        day: sheet.day,
        campaign_id: sheet.campaign_id.clone(),
        ads: lines.iter().map(|(id, line)| ((*id).clone(), (*line).clone())).collect(),
    };
    lines.chunks(ADS_PER_PART).map(part).collect()
}

/// Where a list of sheets resumes.
pub struct SheetPlace(Item);

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
        let put = |day: &Day| put_request(&Row::new(&keys::account_day(scope, link, day.day), "account_day", day));
        self.write_many(days.iter().map(put).collect::<Result<_, _>>()?).await
    }

    /// Reads those of these ads' days that are stored.
    pub async fn ad_days(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        which: &[(Date, AdObjectId)],
    ) -> Result<HashMap<(Date, AdObjectId), AdDay>, TableError> {
        let keys: Vec<Key> = which.iter().map(|(day, ad)| keys::ad_day(scope, link, *day, ad)).collect();
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
        Ok((items.into_iter().map(super::entity).collect::<Result<_, _>>()?, more.is_some()))
    }

    /// Stores days of ads.
    ///
    /// # Errors
    /// After an error, some may be stored.
    pub async fn put_ad_days(&self, scope: &OrgScope, link: &LinkId, days: &[AdDay]) -> Result<(), TableError> {
        let put =
            |day: &AdDay| put_request(&Row::new(&keys::ad_day(scope, link, day.day.day, &day.ad_id), "ad_day", day));
        self.write_many(days.iter().map(put).collect::<Result<_, _>>()?).await
    }

    /// Reads some sheets of a range of days, oldest first, and returns where to resume. A large sheet may come in
    /// parts.
    pub async fn sheets_from(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        (since, until): (Date, Date),
        place: Option<SheetPlace>,
    ) -> Result<(Vec<Sheet>, Option<SheetPlace>), TableError> {
        let (from, to) = keys::days_between(since, until);
        let pk = keys::sheets_pk(scope, link);
        let (items, next) = self.query_between(&pk, (&from, &to), place.map(|place| place.0), None).await?;
        let sheets = items.into_iter().map(super::entity).collect::<Result<Vec<Sheet>, _>>()?;
        Ok((sheets, next.map(SheetPlace)))
    }

    /// Reads all sheets of a range of days, by day and campaign.
    pub async fn sheets(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        days: (Date, Date),
    ) -> Result<BTreeMap<(Date, AdObjectId), Sheet>, TableError> {
        let (mut all, mut place): (BTreeMap<_, Sheet>, _) = (BTreeMap::new(), None);
        loop {
            let (sheets, next) = self.sheets_from(scope, link, days, place).await?;
            for sheet in sheets {
                match all.get_mut(&(sheet.day, sheet.campaign_id.clone())) {
                    Some(known) => known.ads.extend(sheet.ads),
                    None => drop(all.insert((sheet.day, sheet.campaign_id.clone()), sheet)),
                }
            }
            place = next;
            if place.is_none() {
                return Ok(all);
            }
        }
    }

    /// Lists the days that have sheets.
    pub(super) async fn sheet_days(&self, scope: &OrgScope, link: &LinkId) -> Result<Vec<Date>, TableError> {
        let (mut days, mut place) = (Vec::new(), None);
        loop {
            let (sheets, next) = self.sheets_from(scope, link, (Date::ZERO, Date::MAX), place).await?;
            days.extend(sheets.iter().map(|sheet| sheet.day));
            days.dedup();
            place = next;
            if place.is_none() {
                return Ok(days);
            }
        }
    }

    /// Stores sheets.
    ///
    /// # Errors
    /// After an error, some may be stored.
    pub async fn put_sheets(&self, scope: &OrgScope, link: &LinkId, sheets: &[Sheet]) -> Result<(), TableError> {
        // A few at a time: an item in DynamoDB's types takes many times the memory.
        const AT_ONCE: usize = 10;
        for sheets in sheets.chunks(AT_ONCE) {
            let mut writes = Vec::new();
            for sheet in sheets {
                for (number, part) in parts(sheet).iter().enumerate() {
                    let key = keys::sheet(scope, link, sheet.day, &sheet.campaign_id, number);
                    writes.push(put_request(&Row::new(&key, "sheet", part))?);
                }
            }
            self.write_many(writes).await?;
        }
        Ok(())
    }
}
