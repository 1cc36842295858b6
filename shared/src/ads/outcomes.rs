//! The closed loop: what ads cost beside what became of the leads they brought.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use utoipa::ToSchema;

use super::figures::{self, KnownObjects, ReportError};
use super::parents::{AdParentOut, AdParents, ReportSubject, refuse_unknown};
use super::place::{AdObjectState, AdPlace};
use super::{AccountFilter, Ads, Days, first_unfinished};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{AdObjectId, LeadId, OrgScope};
use crate::model::ads::account::AdAccount;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::outcome::{
    AdSpend, LeadOutcome, OUTCOME_DIMENSIONS, OutcomeDimension, OutcomeFigures, OutcomeSums, sum_outcomes,
};
use crate::model::ads::report::{Dimension, Origin, RowKey, Sums};
use crate::model::lead::Lead;
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
    /// The campaign and the ad set; with a selection, only leads of their ads are counted.
    pub within: AdParents,
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
    /// The first of these days that is not over in every time zone of the report, so that its numbers are incomplete.
    /// `null` if all days are over.
    #[schema(value_type = Option<String>, format = Date)]
    pub unfinished_since: Option<Date>,
    /// The campaign and the ad set that the report is limited to, the widest first.
    pub parents: Vec<AdParentOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// What became of the leads of one campaign, form or other object, and what a campaign, an ad set or an ad lies in.
#[derive(Debug, Serialize, ToSchema)]
pub struct OutcomeRow {
    /// The object's id. `null` for the leads that have none and, by form, page or assignee, for the spend on ads that
    /// brought no lead.
    pub id: Option<String>,
    pub name: Option<String>,
    #[serde(flatten)]
    pub place: AdPlace,
    #[serde(flatten)]
    pub state: AdObjectState,
    #[serde(flatten)]
    pub figures: OutcomeFigures,
}

impl Ads {
    /// What became of the leads that were submitted in these days, beside what their ads cost.
    ///
    /// # Errors
    /// Refuses a range of days that is empty, too long or has too many leads, and an unknown campaign or ad set.
    pub async fn outcomes(&self, access: &MetaAccess, query: &OutcomeQuery) -> Result<OutcomeReport, ActError> {
        let (scope, now) = (&access.scope, crate::clock::now());
        let ReportSubject { accounts, mut parents } =
            self.report_subject(scope, &query.accounts, &query.within).await?;
        let days = query.days.range(&accounts, USUAL_DAYS, now)?;
        let zone = query.zone.clone().unwrap_or(TimeZone::UTC);
        let mut spends = self.ad_spends(scope, &accounts, days).await?;
        let leads = self.leads_of_days(scope, &Zones::new(&accounts, &spends, zone.clone()), days).await?;
        let mut leads: Vec<LeadOutcome> = leads.into_iter().map(|(_, lead)| lead).collect();
        let within = &query.within;
        leads.retain(|lead| within.admits(lead.campaign_id.as_deref(), lead.adset_id.as_deref()));
        spends.retain(|ad| within.admits(Some(&ad.origin.campaign), Some(&ad.origin.adset)));
        if query.accounts != AccountFilter::default() {
            // By the accounts' own campaigns: one can bring a lead on a day on which it costs nothing.
            let ids = leads.iter().filter_map(|lead| lead.campaign_id.as_deref());
            let ids = ids.filter_map(|id| Some((AdObjectKind::Campaign, AdObjectId::parse(id).ok()?)));
            let ids: BTreeSet<(AdObjectKind, AdObjectId)> = ids.collect();
            let of_accounts = accounts.iter().map(|account| (account.ad_account_id.to_string(), ids.clone())).collect();
            let own = figures::find_objects(&self.table, scope, &accounts, of_accounts).await?;
            let own: BTreeSet<&str> = own.keys().map(|(_, id)| id.as_str()).collect();
            leads.retain(|lead| lead.campaign_id.as_deref().is_some_and(|id| own.contains(id)));
        }
        let (rows, total) = sum_outcomes(query.by, &leads, &spends);
        refuse_unknown(&parents, rows.is_empty())?;
        let items = self.name_outcomes(scope, query.by, &accounts, rows).await?;
        name_by_rows(&mut parents, &items);
        let ((parked, _), waiting) =
            tokio::try_join!(self.table.parked_from(scope, None, MAX_HELD), self.table.waiting(scope, None, MAX_HELD))?;
        let (since, until) = days;
        // The other zone is that of leads of no account.
        let counts_others = query.accounts == AccountFilter::default() && within.is_empty();
        let zones = accounts.iter().map(AdAccount::zone).chain(Some(zone).filter(|_| counts_others));
        let unfinished_since = first_unfinished(zones, days, now);
        let (totals, not_imported) = (total.figures(), parked.len() + waiting.len());
        Ok(OutcomeReport { items, totals, not_imported, since, until, unfinished_since, parents, next_cursor: None })
    }

    /// What each ad cost in these days.
    pub(super) async fn ad_spends(
        &self,
        scope: &OrgScope,
        accounts: &[AdAccount],
        days: (Date, Date),
    ) -> Result<Vec<AdSpend>, ActError> {
        let by = [Dimension::Account, Dimension::Campaign, Dimension::Adset, Dimension::Ad];
        match figures::report(&self.table, scope, accounts, &by, &AdParents::default(), days).await {
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
        let known = match object_kind(by) {
            Some(kind) => self.find_row_objects(scope, accounts, kind, &rows).await?,
            None => KnownObjects::new(),
        };
        let mut names: HashMap<String, String> =
            known.iter().map(|((_, id), known)| (id.to_string(), known.name.clone())).collect();
        if by == OutcomeDimension::Assignee {
            let users = self.table.users(scope).await?;
            names.extend(users.into_iter().map(|user| (user.id.to_string(), user.name)));
        }
        // What no linked account knows is named by one of its leads.
        let unnamed = rows.iter().filter(|(key, _)| key.as_ref().is_some_and(|key| !names.contains_key(key)));
        let examples: BTreeSet<LeadId> = unnamed.filter_map(|(_, sums)| sums.example.clone()).collect();
        for stored in self.table.find_leads(scope, &examples).await? {
            if let StoredLead::Lead(lead) = stored {
                for (id, name) in names_on_lead(&lead) {
                    names.entry(id).or_insert(name);
                }
            }
        }
        let row = |(id, sums): (Option<String>, OutcomeSums)| {
            let object = object_kind(by)
                .zip(id.as_deref())
                .and_then(|(kind, id)| known.get(&(kind, AdObjectId::parse(id).ok()?)));
            let mut origin =
                object_kind(by).filter(|_| id.is_some()).map(|kind| origin(kind, &sums)).unwrap_or_default();
            if let (true, Some(object)) = (origin.account.is_empty(), object) {
                origin.account = object.account.to_string();
            }
            let mut place = AdPlace::new(origin, accounts, &known);
            for (id, name) in [(&place.campaign_id, &mut place.campaign_name), (&place.adset_id, &mut place.adset_name)]
            {
                *name = name.take().or_else(|| names.get(id.as_ref()?).cloned());
            }
            OutcomeRow {
                name: id.as_ref().and_then(|id| names.get(id).cloned()),
                id,
                place,
                state: object.map(|object| object.state.clone()).unwrap_or_default(),
                figures: sums.figures(),
            }
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// Finds the objects that rows are about and those that they lie in.
    async fn find_row_objects(
        &self,
        scope: &OrgScope,
        accounts: &[AdAccount],
        kind: AdObjectKind,
        rows: &[(Option<String>, OutcomeSums)],
    ) -> Result<KnownObjects, ActError> {
        let mut wanted: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for (id, sums) in rows {
            let Some(id) = id else { continue };
            let Origin { account, campaign, adset } = origin(kind, sums);
            let ids = [(kind, id), (AdObjectKind::Campaign, &campaign), (AdObjectKind::Adset, &adset)];
            let ids: Vec<_> =
                ids.into_iter().filter_map(|(kind, id)| Some((kind, AdObjectId::parse(id).ok()?))).collect();
            // Without spend, it is not known which account has the object.
            let of_accounts = accounts.iter().map(|account| account.ad_account_id.as_str());
            for candidate in of_accounts.filter(|candidate| account.is_empty() || account == *candidate) {
                wanted.entry(candidate.to_owned()).or_default().extend(ids.iter().cloned());
            }
        }
        Ok(figures::find_objects(&self.table, scope, accounts, wanted).await?)
    }
}

/// What the object of a row lies in.
fn origin(kind: AdObjectKind, sums: &OutcomeSums) -> Origin {
    let wider_than = |narrower: AdObjectKind, id: &String| if kind > narrower { id.clone() } else { String::new() };
    Origin {
        account: sums.origin.account.clone(),
        campaign: wider_than(AdObjectKind::Campaign, &sums.origin.campaign),
        adset: wider_than(AdObjectKind::Adset, &sums.origin.adset),
    }
}

/// Names the campaign and the ad set of a report that no linked account has as its leads do.
fn name_by_rows(parents: &mut [AdParentOut], rows: &[OutcomeRow]) {
    for parent in parents.iter_mut().filter(|parent| parent.name.is_none()) {
        let id = Some(parent.id.to_string());
        parent.name = rows.iter().find_map(|OutcomeRow { id: own, name, place, .. }| {
            let names = [(own, name), (&place.campaign_id, &place.campaign_name), (&place.adset_id, &place.adset_name)];
            names.into_iter().find(|(known, _)| **known == id).and_then(|(_, name)| name.clone())
        });
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

/// The kind of the objects that rows are about; `None` if they are not of ads.
#[must_use]
pub fn object_kind(by: OutcomeDimension) -> Option<AdObjectKind> {
    match by {
        OutcomeDimension::Campaign => Some(AdObjectKind::Campaign),
        OutcomeDimension::Adset => Some(AdObjectKind::Adset),
        OutcomeDimension::Ad => Some(AdObjectKind::Ad),
        OutcomeDimension::Form | OutcomeDimension::Page | OutcomeDimension::Assignee => None,
    }
}

/// The ids of what a lead came from, with their names.
fn names_on_lead(lead: &Lead) -> impl Iterator<Item = (String, String)> {
    let from = &lead.attribution;
    let names = [
        (from.campaign_id.clone(), from.campaign_name.clone()),
        (from.adset_id.clone(), from.adset_name.clone()),
        (from.ad_id.clone(), from.ad_name.clone()),
        (from.form_id.as_ref().map(ToString::to_string), from.form_name.clone()),
        (lead.page_id.as_ref().map(ToString::to_string), lead.page_name.clone()),
    ];
    names.into_iter().filter_map(|(id, name)| id.zip(name))
}

fn ad_spend(key: &RowKey, sums: &Sums) -> AdSpend {
    let value = |at: usize| key.values.get(at).cloned().unwrap_or_default();
    AdSpend {
        origin: Origin { account: value(0), campaign: value(1), adset: value(2) },
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
        let zone_of = |ad: &AdSpend| Some((ad.origin.campaign.clone(), zones.get(ad.origin.account.as_str())?.clone()));
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
