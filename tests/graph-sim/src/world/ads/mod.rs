//! What an account advertises, and the results.
//!
//! None of it is stored. Names, statuses, budgets and the numbers of every ad on every day follow from a seed
//! ([`dice`]), the place of an object in its account ([`tree`]) and the data time ([`calendar`]). Only changes
//! ([`changes`]) and what is written through the API ([`written`]) are stored. An account of a hundred thousand ads
//! therefore costs as much as one of ten, and copying it for a frozen report costs next to nothing.

pub(crate) mod calendar;
pub(crate) mod changes;
pub(crate) mod counts;
pub(crate) mod creative;
pub(crate) mod currency;
pub(crate) mod delivery;
pub(crate) mod dice;
mod events;
pub(crate) mod ids;
mod names;
pub(crate) mod object;
pub(crate) mod status;
pub(crate) mod totals;
pub(crate) mod tree;
pub(crate) mod written;

use jiff::tz::TimeZone;

use self::calendar::{Calendar, Day};
use self::changes::Changes;
use self::creative::Mix;
use self::currency::Currency;
use self::tree::Tree;
use self::written::Written;
use crate::clock::Clock;

/// The size of an account and the parameters of its dice.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) campaigns: u32,
    pub(crate) adsets_each: u32,
    pub(crate) ads_each: u32,
    /// Days of delivery before the day on which the account is created.
    pub(crate) days: i32,
    pub(crate) seed: u64,
    /// The share of the ads that deliver on a given day.
    pub(crate) active_share: f64,
    pub(crate) creatives: Mix,
}

/// The limits for a single request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    /// Rows of one synchronous insights query.
    pub(crate) sync_rows: u64,
    /// Ad days that one synchronous insights query may add up.
    pub(crate) sync_ad_days: u64,
    /// Rows of one report.
    pub(crate) async_rows: u64,
    /// `limit` times the weight of the fields, for a list of objects.
    pub(crate) object_weight: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { sync_rows: 20_000, sync_ad_days: 2_000_000, async_rows: 1_000_000, object_weight: 20_000 }
    }
}

/// The advertising side of an account.
#[derive(Debug, Clone)]
pub(crate) struct Ads {
    /// Six digits shared by the ids of this account's objects and of no other account's.
    pub(crate) prefix: u64,
    pub(crate) seed: u64,
    pub(crate) tree: Tree,
    pub(crate) calendar: Calendar,
    pub(crate) currency: Currency,
    /// The first day with delivery.
    pub(crate) first: Day,
    /// The moment at which `first` begins.
    first_ms: i64,
    /// The day on which the account was created.
    made: Day,
    made_ms: i64,
    active_share: u64,
    pub(crate) creatives: Mix,
    pub(crate) changes: Changes,
    pub(crate) thresholds: Thresholds,
    /// What was written through the API.
    pub(crate) written: Written,
}

impl Ads {
    pub(crate) fn new(prefix: u64, plan: &Plan, calendar: Calendar, currency: Currency, clock: &Clock) -> Self {
        let made = calendar.day_of(calendar.data_ms(clock));
        let first = made - plan.days;
        Self {
            prefix,
            seed: dice::mix(plan.seed),
            tree: Tree::new(plan.campaigns, plan.adsets_each, plan.ads_each),
            first,
            first_ms: calendar.start_ms(first),
            made,
            made_ms: calendar.start_ms(made),
            calendar,
            currency,
            active_share: delivery::threshold(plan.active_share),
            creatives: plan.creatives,
            changes: Changes::default(),
            thresholds: Thresholds::default(),
            written: Written::default(),
        }
    }

    /// Moves the account to another time zone. Days keep their numbers and begin at other moments.
    pub(crate) fn move_to(&mut self, zone: TimeZone) {
        self.calendar.zone = zone;
        self.first_ms = self.calendar.start_ms(self.first);
        self.made_ms = self.calendar.start_ms(self.made);
    }

    /// The current day according to the data time.
    pub(crate) fn today(&self, clock: &Clock) -> Day {
        self.calendar.day_of(self.calendar.data_ms(clock))
    }
}
