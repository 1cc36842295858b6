//! The closed loop: what ads cost beside what became of the leads they brought.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::csv::CsvFile;
use super::figures::{self, ReportError};
use super::{AccountFilter, Ads, Days};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{AdObjectId, LeadId, OrgScope};
use crate::model::ads::account::AdAccount;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::outcome::{
    AdSpend, LeadOutcome, OUTCOME_DIMENSIONS, OutcomeDimension, OutcomeFigures, OutcomeSums, sum_outcomes,
};
use crate::model::ads::report::{Dimension, RowKey, Sums};
use crate::model::lead::Lead;
use crate::model::spreadsheet::harmless;
use crate::table::lead::StoredLead;
use crate::tr;

/// Days of a report by default.
const USUAL_DAYS: i32 = 30;
/// Leads that are counted in one report. Each is a few hundred bytes of an index.
const MAX_LEADS: usize = 100_000;
/// Rows of one response. Lambda limits it to 6 MB.
const MAX_ROWS: usize = 2000;
/// Parked and waiting leads that are counted.
const MAX_HELD: usize = 1000;

/// A query for outcomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutcomeQuery {
    /// What rows are about.
    pub by: OutcomeDimension,
    /// The accounts; with a selection, only leads of their ads are counted.
    pub accounts: AccountFilter,
    /// The days; by default 30.
    pub days: Days,
    /// The time zone of the days of leads that belong to no linked account; by default UTC.
    pub zone: Option<TimeZone>,
}

/// What became of leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeReport {
    /// The rows by currency, the one with the highest spend first.
    pub items: Vec<OutcomeRow>,
    /// The sums of all rows.
    pub totals: OutcomeFigures,
    /// Leads of any days that Meta has and that could not be imported yet: parked or waiting ones, at most 1000 of each.
    pub not_imported: usize,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub since: Date,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    pub until: Date,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// What became of the leads of one campaign, form or other object.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeRow {
    /// The object's id. `null` for the leads that have none and, by form, page or assignee, for the spend on ads that
    /// brought no lead.
    pub id: Option<String>,
    pub name: Option<String>,
    #[serde(flatten)]
    pub figures: OutcomeFigures,
}

impl Ads {
    /// What became of the leads that were submitted in these days, beside what their ads cost.
    ///
    /// # Errors
    /// Refuses a range of days that is empty, too long or has too many leads.
    pub async fn outcomes(&self, access: &MetaAccess, query: &OutcomeQuery) -> Result<OutcomeReport, ActError> {
        let (scope, now) = (&access.scope, crate::clock::now());
        let accounts = self.selected_accounts(access, &query.accounts).await?;
        let days = query.days.range(&accounts, USUAL_DAYS, now)?;
        let zone = query.zone.clone().unwrap_or(TimeZone::UTC);
        let spends = self.ad_spends(scope, &accounts, days).await?;
        let leads = self.leads_of_days(scope, &Zones::new(&accounts, &spends, zone), days).await?;
        let mut leads: Vec<LeadOutcome> = leads.into_iter().map(|(_, lead)| lead).collect();
        if query.accounts != AccountFilter::default() {
            // By the accounts' own campaigns: one can bring a lead on a day on which it costs nothing.
            let ids = leads.iter().filter_map(|lead| lead.campaign_id.as_deref());
            let own = self.object_names(scope, &accounts, AdObjectKind::Campaign, ids).await?;
            leads.retain(|lead| lead.campaign_id.as_ref().is_some_and(|id| own.contains_key(id)));
        }
        let (rows, total) = sum_outcomes(query.by, &leads, &spends);
        let items = self.name_outcomes(scope, query.by, &accounts, rows).await?;
        let ((parked, _), waiting) =
            tokio::try_join!(self.table.parked_from(scope, None, MAX_HELD), self.table.waiting(scope, None, MAX_HELD))?;
        let (since, until) = days;
        let (totals, not_imported) = (total.figures(), parked.len() + waiting.len());
        Ok(OutcomeReport { items, totals, not_imported, since, until, next_cursor: None })
    }

    /// What each ad cost in these days.
    pub(super) async fn ad_spends(
        &self,
        scope: &OrgScope,
        accounts: &[AdAccount],
        days: (Date, Date),
    ) -> Result<Vec<AdSpend>, ActError> {
        let by = [Dimension::Account, Dimension::Campaign, Dimension::Adset, Dimension::Ad];
        match figures::report(&self.table, scope, accounts, &by, days).await {
            Ok(rows) => Ok(rows.iter().map(|(key, sums)| ad_spend(key, sums)).collect()),
            Err(ReportError::Table(error)) => Err(error.into()),
            Err(ReportError::TooManyRows) => Err(too_many_rows(figures::MAX_ROWS)),
        }
    }

    /// The leads that were submitted in these days, each with its day.
    pub(super) async fn leads_of_days(
        &self,
        scope: &OrgScope,
        zones: &Zones,
        (since, until): (Date, Date),
    ) -> Result<Vec<(Date, LeadOutcome)>, ActError> {
        let leads = self.table.lead_outcomes(scope, widest(since, until), MAX_LEADS).await?;
        let leads = leads.ok_or_else(|| {
            too_many(tr!("More than {leads} leads were submitted: choose fewer days.", leads = MAX_LEADS))
        })?;
        let with_day = leads.into_iter().map(|lead| (zones.day(&lead), lead));
        Ok(with_day.filter(|(day, _)| (since..=until).contains(day)).collect())
    }

    /// The same as a file for spreadsheets.
    pub async fn outcomes_csv(&self, access: &MetaAccess, query: &OutcomeQuery) -> Result<CsvFile, ActError> {
        let report = self.outcomes(access, query).await?;
        let file_name = format!("meta-outcomes-{}-{}.csv", report.since, report.until);
        Ok(CsvFile { file_name, bytes: render(query.by, &report.items) })
    }

    /// Rows with names, by currency, the one with the highest spend first.
    pub(super) async fn name_outcomes(
        &self,
        scope: &OrgScope,
        by: OutcomeDimension,
        accounts: &[AdAccount],
        rows: BTreeMap<Option<String>, OutcomeSums>,
    ) -> Result<Vec<OutcomeRow>, ActError> {
        let mut rows: Vec<(Option<String>, OutcomeSums)> = rows.into_iter().collect();
        // Amounts in different currencies cannot be compared.
        let rank = |sums: &OutcomeSums| {
            let figures = sums.figures();
            (figures.currency.is_none(), figures.currency, Reverse(figures.spend), Reverse(figures.leads))
        };
        rows.sort_by_cached_key(|(key, sums)| (key.is_none(), rank(sums)));
        if rows.len() > MAX_ROWS {
            return Err(too_many_rows(MAX_ROWS));
        }
        let ids = || rows.iter().filter_map(|(key, _)| key.as_deref());
        let mut names: HashMap<String, String> = match kind(by) {
            Some(kind) => self.object_names(scope, accounts, kind, ids()).await?,
            None if by == OutcomeDimension::Assignee => {
                let users = self.table.users(scope).await?;
                users.into_iter().map(|user| (user.id.to_string(), user.name)).collect()
            }
            None => HashMap::new(),
        };
        // What no linked account knows is named by one of its leads.
        let unnamed = rows.iter().filter(|(key, _)| key.as_ref().is_some_and(|key| !names.contains_key(key)));
        let examples: BTreeSet<LeadId> = unnamed.filter_map(|(_, sums)| sums.example.clone()).collect();
        for stored in self.table.find_leads(scope, &examples).await? {
            if let StoredLead::Lead(lead) = stored
                && let Some((id, name)) = name_on_lead(by, &lead)
            {
                names.entry(id).or_insert(name);
            }
        }
        let row = |(id, sums): (Option<String>, OutcomeSums)| OutcomeRow {
            name: id.as_ref().and_then(|id| names.get(id).cloned()),
            id,
            figures: sums.figures(),
        };
        Ok(rows.into_iter().map(row).collect())
    }

    async fn object_names(
        &self,
        scope: &OrgScope,
        accounts: &[AdAccount],
        kind: AdObjectKind,
        ids: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, String>, ActError> {
        let ids: BTreeSet<(AdObjectKind, AdObjectId)> =
            ids.filter_map(|id| Some((kind, AdObjectId::parse(id).ok()?))).collect();
        let of_accounts = accounts.iter().map(|account| (account.ad_account_id.to_string(), ids.clone())).collect();
        let names = figures::names(&self.table, scope, accounts, of_accounts).await?;
        Ok(names.into_iter().map(|((_, id), name)| (id.to_string(), name)).collect())
    }
}

/// Parses what rows are about.
pub fn parse_outcome_dimension(text: &str) -> Result<OutcomeDimension, ActError> {
    let known = || OUTCOME_DIMENSIONS.map(|(name, _)| name).join(", ");
    let message = || tr!("One of {names}.", names = known());
    text.parse().map_err(|()| ActError::invalid("group_by", ErrorCode::GroupByInvalid, message()))
}

fn too_many(message: String) -> ActError {
    ActError::invalid("since", ErrorCode::TooManyRows, message)
}

fn too_many_rows(most: usize) -> ActError {
    too_many(tr!("The report would have more than {rows} rows: choose fewer days.", rows = most))
}

fn kind(by: OutcomeDimension) -> Option<AdObjectKind> {
    match by {
        OutcomeDimension::Campaign => Some(AdObjectKind::Campaign),
        OutcomeDimension::Adset => Some(AdObjectKind::Adset),
        OutcomeDimension::Ad => Some(AdObjectKind::Ad),
        OutcomeDimension::Form | OutcomeDimension::Page | OutcomeDimension::Assignee => None,
    }
}

fn name_on_lead(by: OutcomeDimension, lead: &Lead) -> Option<(String, String)> {
    let from = &lead.attribution;
    let (id, name) = match by {
        OutcomeDimension::Campaign => (from.campaign_id.clone(), from.campaign_name.clone()),
        OutcomeDimension::Adset => (from.adset_id.clone(), from.adset_name.clone()),
        OutcomeDimension::Ad => (from.ad_id.clone(), from.ad_name.clone()),
        OutcomeDimension::Form => (from.form_id.as_ref().map(ToString::to_string), from.form_name.clone()),
        OutcomeDimension::Page => (lead.page_id.as_ref().map(ToString::to_string), lead.page_name.clone()),
        OutcomeDimension::Assignee => (None, None),
    };
    id.zip(name)
}

fn ad_spend(key: &RowKey, sums: &Sums) -> AdSpend {
    let value = |at: usize| key.values.get(at).cloned().unwrap_or_default();
    AdSpend {
        account: value(0),
        campaign: value(1),
        adset: value(2),
        ad: value(3),
        spend: sums.metrics.spend,
        currency: key.currency.clone(),
        conversions: sums.metrics.conversions,
    }
}

/// The time zones in which leads have their days: those of their accounts.
pub(super) struct Zones {
    of_campaigns: HashMap<String, TimeZone>,
    other: TimeZone,
}

impl Zones {
    pub(super) fn new(accounts: &[AdAccount], spends: &[AdSpend], other: TimeZone) -> Self {
        let zones: HashMap<&str, TimeZone> =
            accounts.iter().map(|account| (account.ad_account_id.as_str(), account.zone())).collect();
        let zone_of = |ad: &AdSpend| Some((ad.campaign.clone(), zones.get(ad.account.as_str())?.clone()));
        Self { of_campaigns: spends.iter().filter_map(zone_of).collect(), other }
    }

    fn day(&self, lead: &LeadOutcome) -> Date {
        let zone = lead.campaign_id.as_ref().and_then(|campaign| self.of_campaigns.get(campaign));
        zone.unwrap_or(&self.other).to_datetime(lead.created).date()
    }
}

/// The instants that belong to these days in some time zone.
fn widest(since: Date, until: Date) -> (Timestamp, Timestamp) {
    let utc = |day: Date| day.to_zoned(TimeZone::UTC).map(|at| at.timestamp()).unwrap_or_default();
    let (first, last) = (utc(since), utc(until.tomorrow().unwrap_or(until)));
    (first - jiff::SignedDuration::from_hours(14), last + jiff::SignedDuration::from_hours(12))
}

fn render(by: OutcomeDimension, rows: &[OutcomeRow]) -> Vec<u8> {
    let mut file = ::csv::Writer::from_writer(Vec::new());
    let word = OUTCOME_DIMENSIONS.iter().find(|(_, known)| *known == by).map_or("", |(name, _)| name);
    let header = [format!("{word}_id"), format!("{word}_name")];
    let counts = ["leads", "repeats", "open", "contacted", "qualified", "won", "lost", "meta_conversions"];
    let amounts =
        ["currency", "spend", "value", "cost_per_lead", "cost_per_qualified", "cost_per_won", "return_on_spend"];
    // Writing to memory does not fail.
    let _ = file.write_record(header.iter().map(String::as_str).chain(counts).chain(amounts));
    for OutcomeRow { id, name, figures: of } in rows {
        let text = |text: &Option<String>| harmless(text.as_deref().unwrap_or_default());
        let mut line = vec![text(id), text(name)];
        let counts = [of.leads, of.repeats, of.open, of.contacted, of.qualified, of.won, of.lost, of.meta_conversions];
        line.extend(counts.map(|count| count.to_string()));
        line.push(of.currency.clone().unwrap_or_default());
        let amounts =
            [of.spend, of.value, of.cost_per_lead, of.cost_per_qualified, of.cost_per_won, of.return_on_spend];
        line.extend(amounts.map(|amount| amount.map_or_else(String::new, |amount| amount.to_string())));
        let _ = file.write_record(line);
    }
    file.into_inner().unwrap_or_default()
}
