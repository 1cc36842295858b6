//! What ads did: a row for each ad's day, a row for each account's day, and for each campaign's day a sheet with all of
//! its ads in short.
//!
//! A reading compares what Meta gives with the sheets, writes the rows that changed, and then the sheets. If it dies in
//! between, the next one finds the old sheets and writes the same rows again.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::keys::{self, Key};
use super::{Item, Row, Table, TableError, put_request};
use crate::ids::{AdObjectId, LinkId, OrgScope};
use crate::model::ads::insights::{AdDay, AdLine, Day, Sheet};

/// Ads to an item: DynamoDB holds 400 KB.
const ADS_PER_PART: usize = 2500;

/// A sheet as items: one, or several if it is large. A sheet never loses an ad, and so no part is ever left over.
fn parts(sheet: &Sheet) -> Vec<Sheet> {
    let lines: Vec<(&AdObjectId, &AdLine)> = sheet.ads.iter().collect();
    let part = |lines: &[(&AdObjectId, &AdLine)]| Sheet {
        day: sheet.day,
        campaign_id: sheet.campaign_id.clone(),
        ads: lines.iter().map(|(id, line)| ((*id).clone(), (*line).clone())).collect(),
    };
    lines.chunks(ADS_PER_PART).map(part).collect()
}

/// Where a list of sheets goes on.
pub struct SheetPlace(Item);

impl Table {
    /// The account's own days in a range, oldest first.
    ///
    /// # Errors
    /// If the table cannot be read.
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

    /// Stores days of the account's.
    ///
    /// # Errors
    /// If the table cannot be written; then some may be.
    pub async fn put_account_days(&self, scope: &OrgScope, link: &LinkId, days: &[Day]) -> Result<(), TableError> {
        let put = |day: &Day| put_request(&Row::new(&keys::account_day(scope, link, day.day), "account_day", day));
        self.write_many(days.iter().map(put).collect::<Result<_, _>>()?).await
    }

    /// Days of these ads, as far as they are stored.
    ///
    /// # Errors
    /// If the table cannot be read.
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

    /// Up to `limit` ads of one day after an ad, in the order of their ids, and whether there are more.
    ///
    /// # Errors
    /// If the table cannot be read.
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
    /// If the table cannot be written; then some may be.
    pub async fn put_ad_days(&self, scope: &OrgScope, link: &LinkId, days: &[AdDay]) -> Result<(), TableError> {
        let put =
            |day: &AdDay| put_request(&Row::new(&keys::ad_day(scope, link, day.day.day, &day.ad_id), "ad_day", day));
        self.write_many(days.iter().map(put).collect::<Result<_, _>>()?).await
    }

    /// Some sheets of a range of days, in the order of days, and where to go on. A large sheet may come in parts.
    ///
    /// # Errors
    /// If the table cannot be read.
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

    /// All sheets of a range of days, by day and campaign.
    ///
    /// # Errors
    /// If the table cannot be read.
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

    /// The days that there are sheets of.
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
    /// If the table cannot be written; then some may be.
    pub async fn put_sheets(&self, scope: &OrgScope, link: &LinkId, sheets: &[Sheet]) -> Result<(), TableError> {
        // A few at a time: as DynamoDB wants it, an item takes many times its room.
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
