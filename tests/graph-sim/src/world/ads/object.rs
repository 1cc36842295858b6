//! What campaigns, ad sets and ads are: names, times, statuses, goals, budgets.

use super::calendar::Day;
use super::changes::Change;
use super::dice::{self, Dice};
use super::status::{self, Effective, Status, Trouble};
use super::tree::{FIRST_GHOST, Level};
use super::{Ads, names};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// What a campaign is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Objective {
    Leads,
    Sales,
    Traffic,
    Engagement,
}

impl Objective {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Leads => "OUTCOME_LEADS",
            Self::Sales => "OUTCOME_SALES",
            Self::Traffic => "OUTCOME_TRAFFIC",
            Self::Engagement => "OUTCOME_ENGAGEMENT",
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Leads => "Leads",
            Self::Sales => "Sales",
            Self::Traffic => "Traffic",
            Self::Engagement => "Engagement",
        }
    }
}

/// An amount to spend, by the day or altogether.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) daily: bool,
    /// In smallest units.
    pub(crate) amount: i64,
}

/// What an object was born with and what was set later, as far as delivery is concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// The last day it ran by itself; `None` if it was born running.
    pub(crate) until: Option<Day>,
    /// What was set later, and from which day on.
    pub(crate) turns: &'a [(Day, Status)],
}

impl Run<'_> {
    pub(crate) fn on(&self, day: Day) -> bool {
        match self.turns.iter().rev().find(|(since, _)| *since <= day) {
            Some((_, status)) => *status == Status::Active,
            None => self.until.is_none_or(|until| day <= until),
        }
    }
}

impl Ads {
    fn dice(&self, level: Level, index: u32, about: u64) -> Dice {
        Dice::new(self.seed ^ (about << 8) ^ level as u64, u64::from(index))
    }

    fn change(&self, level: Level, index: u32) -> Option<&Change> {
        self.changes.of(level, index)
    }

    pub(crate) fn name(&self, level: Level, index: u32) -> String {
        if let Some(name) = self.change(level, index).and_then(|change| change.name.clone()) {
            return name;
        }
        if let Some(named) = self.tree.named(level, index) {
            return named.name.clone();
        }
        let mut dice = self.dice(level, index, 1);
        match level {
            Level::Campaign => names::campaign(&mut dice, index, self.objective(index)),
            Level::AdSet => names::adset(&mut dice, index),
            Level::Ad => names::ad(&mut dice, index),
        }
    }

    /// The first campaign of every account is for leads.
    pub(crate) fn objective(&self, campaign: u32) -> Objective {
        if campaign == 0 || self.tree.form(Level::Campaign, campaign).is_some() {
            return Objective::Leads;
        }
        match dice::throw(self.seed ^ 0x0b1e, u64::from(campaign)) % 10 {
            0..4 => Objective::Leads,
            4..7 => Objective::Sales,
            7..9 => Objective::Traffic,
            _ => Objective::Engagement,
        }
    }

    /// Whether an ad set's leads fill in Meta's own forms; otherwise they come from the website.
    pub(crate) fn on_meta(&self, adset: u32) -> bool {
        self.tree.form(Level::AdSet, adset).is_some() || dice::throw(self.seed ^ 0xf0_4a, u64::from(adset)) % 10 < 6
    }

    /// What Meta looks for people to do: an ad set's `optimization_goal`.
    pub(crate) fn goal(&self, adset: u32) -> &'static str {
        match self.objective(self.tree.campaign_of(adset)) {
            Objective::Leads if self.on_meta(adset) => "LEAD_GENERATION",
            Objective::Leads | Objective::Sales => "OFFSITE_CONVERSIONS",
            Objective::Traffic => "LINK_CLICKS",
            Objective::Engagement => "CONVERSATIONS",
        }
    }

    /// What was set last, or what it was born with.
    fn set(&self, level: Level, index: u32) -> (Status, Option<Trouble>) {
        if let Some((_, status)) = self.change(level, index).and_then(|change| change.turns.last()) {
            return (*status, None);
        }
        if index >= FIRST_GHOST || self.tree.form(level, index).is_some() {
            return (Status::Active, None);
        }
        status::born(self.seed, level, index)
    }

    pub(crate) fn status(&self, level: Level, index: u32) -> Status {
        self.set(level, index).0
    }

    pub(crate) fn effective(&self, level: Level, index: u32) -> Effective {
        let (own, trouble) = self.set(level, index);
        match level {
            Level::Campaign => status::effective(own, trouble, &[]),
            Level::AdSet => {
                let campaign = self.status(Level::Campaign, self.tree.campaign_of(index));
                status::effective(own, trouble, &[campaign])
            }
            Level::Ad => {
                let adset = self.tree.adset_of(index);
                let campaign = self.status(Level::Campaign, self.tree.campaign_of(adset));
                status::effective(own, trouble, &[campaign, self.status(Level::AdSet, adset)])
            }
        }
    }

    /// When an object ran and runs, whatever those above it do.
    pub(crate) fn run(&self, level: Level, index: u32) -> Run<'_> {
        let turns = self.change(level, index).map(|change| change.turns.as_slice()).unwrap_or_default();
        if index >= FIRST_GHOST || self.tree.form(level, index).is_some() {
            return Run { until: None, turns };
        }
        let until = match status::born(self.seed, level, index) {
            (Status::Active, None | Some(Trouble::Issues)) => None,
            (_, Some(Trouble::Review)) => Some(self.first - 1),
            _ => {
                // It stopped some day of the history.
                let days = i64::from(self.made - self.first).max(1);
                let ran = dice::throw(self.seed ^ 0x5709, u64::from(index) * 4 + level as u64);
                Some(self.first + Day::try_from(ran % days.unsigned_abs()).unwrap_or_default())
            }
        };
        Run { until, turns }
    }

    /// When the account was opened: before all it holds.
    pub(crate) fn opened_ms(&self) -> i64 {
        self.first_ms - 400 * DAY_MS
    }

    /// When it was made: before its first day of delivery, a campaign before its ad sets, those before their ads.
    pub(crate) fn created_ms(&self, level: Level, index: u32) -> i64 {
        if let Some(form) = self.tree.form(level, index).filter(|_| index < FIRST_GHOST) {
            return form.created_ms;
        }
        let before = match level {
            Level::Campaign => 60,
            Level::AdSet => 30,
            Level::Ad => 1,
        };
        let mut dice = self.dice(level, index, 2);
        let days = before + dice.below(before.min(25));
        self.first_ms - days * DAY_MS - dice.below(DAY_MS / 1000) * 1000
    }

    /// When it was changed last: between its making and the day the account was made on, or when the control interface
    /// said so.
    pub(crate) fn updated_ms(&self, level: Level, index: u32) -> i64 {
        if let Some(updated) = self.change(level, index).and_then(|change| change.updated_ms) {
            return updated;
        }
        let created = self.created_ms(level, index);
        let since = (self.made_ms - created).max(1);
        created + self.dice(level, index, 3).below(since) / 1000 * 1000
    }

    /// Whether the campaign has the budget, and not its ad sets.
    pub(crate) fn has_campaign_budget(&self, campaign: u32) -> bool {
        self.dice(Level::Campaign, campaign, 4).percent(50)
    }

    /// The budget of a campaign or ad set; one of the two levels has it.
    pub(crate) fn budget(&self, level: Level, index: u32) -> Option<Budget> {
        let has = match level {
            Level::Campaign => self.has_campaign_budget(index),
            Level::AdSet => !self.has_campaign_budget(self.tree.campaign_of(index)),
            Level::Ad => false,
        };
        let changed = self.change(level, index).and_then(|change| change.budget);
        if !has && changed.is_none() {
            return None;
        }
        let mut dice = self.dice(level, index, 5);
        let daily = dice.percent(75);
        let amount = dice.between(5, 400) * 100 * if daily { 1 } else { 30 };
        Some(Budget { daily, amount: changed.unwrap_or(amount) })
    }
}
