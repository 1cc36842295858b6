//! How leads stand, in brief: how many came, from where, what they cost, and who has them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::Ads;
use super::outcomes::{OutcomeRow, Zones};
use crate::directory::MetaAccess;
use crate::error::ActError;
use crate::model::ads::outcome::{LeadOutcome, OutcomeDimension, sum_outcomes};
use crate::model::days::back;

/// Days of the overview, today included.
const DAYS: i32 = 30;
/// Days whose campaigns and forms are listed, today included.
const WEEK: i32 = 7;

/// How leads stand.
#[derive(Debug)]
pub struct LeadOverview {
    /// Leads by the day of their submission, oldest first: 30 days up to today, in the given zone or, for leads of linked ad
    /// accounts, in the account's.
    pub days: Vec<(Date, u64)>,
    /// The campaigns of the last 7 days.
    pub campaigns: Vec<OutcomeRow>,
    /// The forms of the last 7 days.
    pub forms: Vec<OutcomeRow>,
    /// Who has the leads of the last 30 days.
    pub assignees: Vec<OutcomeRow>,
}

impl LeadOverview {
    /// Leads of the last `days` days, up to `skip` days before today.
    #[must_use]
    pub fn count(&self, days: usize, skip: usize) -> u64 {
        self.days.iter().rev().skip(skip).take(days).map(|(_, leads)| leads).sum()
    }
}

impl Ads {
    /// How leads stand at `now`. `zone` says when days begin.
    ///
    /// # Errors
    /// Fails if more leads came in 30 days than can be counted.
    pub async fn overview(
        &self,
        access: &MetaAccess,
        zone: TimeZone,
        now: Timestamp,
    ) -> Result<LeadOverview, ActError> {
        let scope = &access.scope;
        let today = zone.to_datetime(now).date();
        let (month, week) = ((back(today, DAYS - 1), today), (back(today, WEEK - 1), today));
        let accounts = self.table.ad_accounts(scope).await?;
        let spends = self.ad_spends(scope, &accounts, week).await?;
        let leads = self.leads_of_days(scope, &Zones::new(&accounts, &spends, zone), month).await?;
        let mut days: BTreeMap<Date, u64> =
            month.0.series(jiff::Span::new().days(1)).take_while(|day| *day <= today).map(|day| (day, 0)).collect();
        for (day, _) in leads.iter().filter(|(_, lead)| !lead.test) {
            *days.entry(*day).or_default() += 1;
        }
        let of_week: Vec<LeadOutcome> =
            leads.iter().filter(|(day, _)| *day >= week.0).map(|(_, lead)| lead.clone()).collect();
        let of_month: Vec<LeadOutcome> = leads.into_iter().map(|(_, lead)| lead).collect();
        let rows = async |by, leads: &[LeadOutcome]| {
            let (rows, _) = sum_outcomes(by, leads, if by == OutcomeDimension::Assignee { &[] } else { &spends });
            self.name_outcomes(scope, by, &accounts, rows).await
        };
        let (campaigns, forms, assignees) = tokio::try_join!(
            rows(OutcomeDimension::Campaign, &of_week),
            rows(OutcomeDimension::Form, &of_week),
            rows(OutcomeDimension::Assignee, &of_month),
        )?;
        Ok(LeadOverview { days: days.into_iter().collect(), campaigns, forms, assignees })
    }
}
