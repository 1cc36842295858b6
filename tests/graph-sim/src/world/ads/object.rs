//! The properties of campaigns, ad sets and ads: names, times, statuses, goals and budgets.

use super::calendar::Day;
use super::changes::Change;
use super::dice::{self, Dice};
use super::ids::Object;
use super::status::{self, Effective, Status, Trouble};
use super::tree::{FIRST_GHOST, FIRST_WRITTEN, Level};
use super::{Ads, names};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// The objective of a campaign.
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

    fn parse(name: &str) -> Option<Self> {
        [Self::Leads, Self::Sales, Self::Traffic, Self::Engagement].into_iter().find(|known| known.name() == name)
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

/// An amount to spend, per day or in total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) daily: bool,
    /// In the smallest currency unit.
    pub(crate) amount: i64,
}

/// An object's initial status and its later changes, as far as they affect delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// The last day on which the object ran in its initial status; `None` if it started out running.
    pub(crate) until: Option<Day>,
    /// Statuses set later, each with the first day on which it applies.
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

    /// The objective of a campaign. The first campaign of every account is for leads.
    pub(crate) fn objective(&self, campaign: u32) -> Objective {
        if campaign >= FIRST_WRITTEN {
            return Objective::parse(self.objective_name(campaign)).unwrap_or(Objective::Engagement);
        }
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

    /// The objective of a campaign as Meta names it. Written campaigns may have any of Meta's objectives.
    pub(crate) fn objective_name(&self, campaign: u32) -> &str {
        let written = self.written_text(Level::Campaign, campaign, "objective");
        written.unwrap_or_else(|| if campaign >= FIRST_WRITTEN { "" } else { self.objective(campaign).name() })
    }

    /// A text field that the API set.
    fn written_text(&self, level: Level, index: u32, field: &str) -> Option<&str> {
        self.change(level, index)?.fields.get(field)?.as_str()
    }

    /// Whether an ad set's leads come from Meta's own forms; otherwise they come from the website.
    pub(crate) fn on_meta(&self, adset: u32) -> bool {
        self.tree.form(Level::AdSet, adset).is_some() || dice::throw(self.seed ^ 0xf0_4a, u64::from(adset)) % 10 < 6
    }

    /// The action that Meta optimizes for: an ad set's `optimization_goal`.
    pub(crate) fn goal(&self, adset: u32) -> &str {
        if let Some(written) = self.written_text(Level::AdSet, adset, "optimization_goal") {
            return written;
        }
        match self.objective(self.tree.campaign_of(adset)) {
            Objective::Leads if self.on_meta(adset) => "LEAD_GENERATION",
            Objective::Leads | Objective::Sales => "OFFSITE_CONVERSIONS",
            Objective::Traffic => "LINK_CLICKS",
            Objective::Engagement => "CONVERSATIONS",
        }
    }

    /// The status set last, or the initial one.
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
                let above =
                    [self.status(Level::Campaign, self.tree.campaign_of(adset)), self.status(Level::AdSet, adset)];
                match self.written.reviews.get(&index) {
                    Some(review) => review.stage.effective(own, &above),
                    None => status::effective(own, trouble, &above),
                }
            }
        }
    }

    /// The days on which an object ran or runs, regardless of its parents.
    pub(crate) fn run(&self, level: Level, index: u32) -> Run<'_> {
        let turns = self.change(level, index).map(|change| change.turns.as_slice()).unwrap_or_default();
        if index >= FIRST_GHOST || self.tree.form(level, index).is_some() {
            return Run { until: None, turns };
        }
        let until = match status::born(self.seed, level, index) {
            (Status::Active, None | Some(Trouble::Issues)) => None,
            (_, Some(Trouble::Review)) => Some(self.first - 1),
            _ => {
                // It stopped on some day of the history.
                let days = i64::from(self.made - self.first).max(1);
                let ran = dice::throw(self.seed ^ 0x5709, u64::from(index) * 4 + level as u64);
                Some(self.first + Day::try_from(ran % days.unsigned_abs()).unwrap_or_default())
            }
        };
        Run { until, turns }
    }

    /// The moment the account was opened: before everything in it.
    pub(crate) fn opened_ms(&self) -> i64 {
        self.first_ms - 400 * DAY_MS
    }

    /// The creation time. It precedes the first day of delivery; a campaign precedes its ad sets, and an ad set its
    /// ads.
    pub(crate) fn created_ms(&self, level: Level, index: u32) -> i64 {
        if let Some(record) = self.written.record(Object::Of(level, index)) {
            return record.created_ms;
        }
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

    /// The time of the last change: between the creation of the object and the day on which the account was created, or
    /// the time set by the control interface.
    pub(crate) fn updated_ms(&self, level: Level, index: u32) -> i64 {
        if let Some(updated) = self.change(level, index).and_then(|change| change.updated_ms) {
            return updated;
        }
        let created = self.created_ms(level, index);
        let since = (self.made_ms - created).max(1);
        created + self.dice(level, index, 3).below(since) / 1000 * 1000
    }

    /// Whether the campaign has the budget, rather than its ad sets.
    pub(crate) fn has_campaign_budget(&self, campaign: u32) -> bool {
        if let Some(own) = self.change(Level::Campaign, campaign).and_then(|change| change.own_budget) {
            return own.is_some();
        }
        self.dice(Level::Campaign, campaign, 4).percent(50)
    }

    /// The budget of a campaign or ad set. Exactly one of the two levels has it, unless it was changed.
    pub(crate) fn budget(&self, level: Level, index: u32) -> Option<Budget> {
        let has = match level {
            Level::Campaign => self.has_campaign_budget(index),
            Level::AdSet => !self.has_campaign_budget(self.tree.campaign_of(index)),
            Level::Ad => false,
        };
        let changed = self.change(level, index).and_then(|change| change.budget);
        if let Some(own) = self.change(level, index).and_then(|change| change.own_budget) {
            return own.map(|own| Budget { amount: changed.unwrap_or(own.amount), ..own });
        }
        if !has && changed.is_none() {
            return None;
        }
        let mut dice = self.dice(level, index, 5);
        let daily = dice.percent(75);
        let amount = dice.between(5, 400) * 100 * if daily { 1 } else { 30 };
        Some(Budget { daily, amount: changed.unwrap_or(amount) })
    }
}
