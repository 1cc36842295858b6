//! Adds up a report from the stored days of its accounts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt, stream};
use jiff::civil::Date;

use super::parents::AdParents;
use super::place::AdObjectState;
use crate::ids::{AdAccountId, AdObjectId, OrgScope};
use crate::model::ads::account::AdAccount;
use crate::model::ads::insights::CampaignDay;
use crate::model::ads::metrics::MainMetrics;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::report::{Dimension, Figure, Report, RowKey, Sums};
use crate::table::{Table, TableError};

/// Pieces, or accounts, read concurrently.
const CONCURRENCY: usize = 6;
/// Days per piece of an account's range. Pieces are read concurrently.
const DAYS_PER_PIECE: i32 = 31;

/// Rows of a report at most, because they are added up in memory.
pub(super) const MAX_ROWS: usize = 100_000;

/// The error of a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It would have too many rows.
    #[error("the report would have more than {MAX_ROWS} rows")]
    TooManyRows,
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Adds up a report over accounts, limited to a campaign or an ad set.
pub async fn report(
    table: &Table,
    scope: &OrgScope,
    accounts: &[AdAccount],
    by: &[Dimension],
    within: &AdParents,
    (since, until): (Date, Date),
) -> Result<BTreeMap<RowKey, Sums>, ReportError> {
    let mut parts = Vec::new();
    for account in accounts {
        parts.extend(pieces(since, until).map(|days| piece(table, scope, account, by, within, days)));
    }
    let mut parts = stream::iter(parts).buffer_unordered(CONCURRENCY);
    let mut all: BTreeMap<RowKey, Sums> = BTreeMap::new();
    while let Some(part) = parts.next().await {
        for (key, sums) in part? {
            all.entry(key).or_default().add(&sums);
        }
        if all.len() > MAX_ROWS {
            return Err(ReportError::TooManyRows);
        }
    }
    Ok(all)
}

fn pieces(since: Date, until: Date) -> impl Iterator<Item = (Date, Date)> {
    let mut next = Some(since).filter(|since| *since <= until);
    std::iter::from_fn(move || {
        let from = next?;
        let to = crate::model::days::back(from, 1 - DAYS_PER_PIECE).min(until);
        next = Some(crate::model::days::back(to, -1)).filter(|next| *next <= until);
        Some((from, to))
    })
}

async fn piece(
    table: &Table,
    scope: &OrgScope,
    account: &AdAccount,
    by: &[Dimension],
    within: &AdParents,
    days: (Date, Date),
) -> Result<BTreeMap<RowKey, Sums>, TableError> {
    let mut report = Report::by(by.to_vec());
    let figure = Figure {
        client: account.client.id.as_str(),
        account: account.ad_account_id.as_str(),
        campaign: "",
        adset: "",
        ad: "",
        day: days.0,
        currency: &account.currency,
        metrics: MainMetrics::default(),
        frequency: None,
    };
    // Rows below the account come from the ads' summaries.
    if Report::needs_ads(by) || !within.is_empty() {
        let (mut cursor, mut last) = (None, None::<CampaignDay>);
        loop {
            let (campaign_days, next) = table.campaign_days_from(scope, &account.id, days, cursor).await?;
            for campaign_day in campaign_days {
                match &mut last {
                    // The parts of a large campaign_day follow each other. After a crash, an ad can be in two of them.
                    Some(last) if (last.day, &last.campaign_id) == (campaign_day.day, &campaign_day.campaign_id) => {
                        last.ads.extend(campaign_day.ads);
                    }
                    _ => {
                        let whole = last.replace(campaign_day);
                        whole.iter().for_each(|campaign_day| add(&mut report, &figure, within, campaign_day));
                    }
                }
            }
            cursor = next;
            if cursor.is_none() {
                last.iter().for_each(|campaign_day| add(&mut report, &figure, within, campaign_day));
                return Ok(report.rows());
            }
        }
    }
    // The others come from Meta's own figures for the account.
    for day in table.account_days(scope, &account.id, days.0, days.1).await? {
        let frequency = day.metrics.frequency;
        report.add(&Figure { day: day.day, metrics: day.metrics.main, frequency, ..figure.clone() });
    }
    Ok(report.rows())
}

fn add(report: &mut Report, figure: &Figure<'_>, within: &AdParents, campaign_day: &CampaignDay) {
    let campaign = campaign_day.campaign_id.as_str();
    let ads = campaign_day.ads.iter().filter(|(_, summary)| within.admits(Some(campaign), Some(summary.0.as_str())));
    for (ad, summary) in ads {
        let (adset, metrics) = (&summary.0, summary.metrics());
        let (adset, ad) = (adset.as_str(), ad.as_str());
        report.add(&Figure { campaign, adset, ad, day: campaign_day.day, metrics, ..figure.clone() });
    }
}

/// What reports say of a stored object.
#[derive(Debug, Clone)]
pub struct KnownObject {
    /// The ad account that has it.
    pub account: AdAccountId,
    /// Its name.
    pub name: String,
    /// Whether it runs, and what it may spend.
    pub state: AdObjectState,
}

/// Stored objects by their ids.
pub type KnownObjects = HashMap<(AdObjectKind, AdObjectId), KnownObject>;

/// Reads those of these objects that are stored. They are looked for in the account by whose id they are given.
pub async fn find_objects(
    table: &Table,
    scope: &OrgScope,
    accounts: &[AdAccount],
    objects: BTreeMap<String, BTreeSet<(AdObjectKind, AdObjectId)>>,
) -> Result<KnownObjects, TableError> {
    let mut reads = Vec::new();
    for account in accounts {
        let ids: Vec<_> = objects.get(account.ad_account_id.as_str()).into_iter().flatten().cloned().collect();
        reads.push(async move { Ok::<_, TableError>((account, table.ad_objects(scope, &account.id, &ids).await?)) });
    }
    let mut reads = stream::iter(reads).buffer_unordered(CONCURRENCY);
    let mut known = HashMap::new();
    while let Some(read) = reads.next().await {
        let (account, found) = read?;
        known.extend(found.into_iter().map(|(id, object)| {
            let state = AdObjectState::new(&object, account);
            (id, KnownObject { account: account.ad_account_id.clone(), name: object.name().to_owned(), state })
        }));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_each_day_once() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let (since, until) = (day("2026-01-15"), day("2026-03-20"));
        let all: Vec<(Date, Date)> = pieces(since, until).collect();
        assert_eq!(all.first().map(|piece| piece.0), Some(since));
        assert_eq!(all.last().map(|piece| piece.1), Some(until));
        assert!(all.windows(2).all(|pair| pair[0].1.tomorrow().unwrap() == pair[1].0));
        assert_eq!(pieces(until, since).count(), 0);
        assert_eq!(pieces(since, since).collect::<Vec<_>>(), [(since, since)]);
    }
}
