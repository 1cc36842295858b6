//! What an ad delivered on a day: impressions, clicks and spend. [`super::events`] derives the results from them.

use std::collections::HashMap;

use super::calendar::{Day, QUARTERS, Sight};
use super::counts::{Metrics, People};
use super::creative::Kind;
use super::object::{Objective, Run};
use super::tree::{FIRST_GHOST, Level};
use super::{Ads, dice, events};

/// The number of sides of the dice that decide on delivery.
const SIDES: u64 = 1 << 24;

/// Converts a share to a number of sides.
pub(super) fn threshold(share: f64) -> u64 {
    // Going through millionths is exact enough and avoids a truncating cast from a float.
    let millionths = format!("{:.0}", share.clamp(0.0, 1.0) * 1e6).parse::<u64>().unwrap_or_default();
    millionths * SIDES / 1_000_000
}

/// An ad with everything its numbers depend on. It is built once and serves many days.
#[derive(Debug, Clone)]
pub(crate) struct Delivery<'a> {
    ad: u32,
    shifts: &'a HashMap<(u32, Day), i64>,
    key: u64,
    share: u64,
    first: Day,
    /// The last day on which the ad, its ad set and its campaign all still ran. `Day::MAX` if one of them was changed
    /// later: `runs` decides then.
    until: Day,
    /// The runs of the ad, the ad set and the campaign; `None` if none of them was changed.
    runs: Option<[Run<'a>; 3]>,
    /// Impressions on a typical day.
    volume: i64,
    /// Cost of a thousand impressions in the smallest currency unit.
    cpm: i64,
    /// Clicks per ten thousand impressions.
    ctr: i64,
    video: bool,
    pub(super) objective: Objective,
    pub(super) on_meta: bool,
    /// Whether leads on the website also count as the custom conversion.
    pub(super) custom: bool,
}

impl Ads {
    pub(crate) fn delivery(&self, ad: u32) -> Delivery<'_> {
        let adset = self.tree.adset_of(ad);
        let campaign = self.tree.campaign_of(adset);
        let runs = [self.run(Level::Ad, ad), self.run(Level::AdSet, adset), self.run(Level::Campaign, campaign)];
        let turned = runs.iter().any(|run| !run.turns.is_empty());
        let until = runs.iter().filter_map(|run| run.until).min().unwrap_or(Day::MAX);
        let key = dice::throw(self.seed ^ 0xde11, u64::from(ad));
        let mut dice = dice::Dice::new(key, 0);
        let objective = self.objective(campaign);
        let form = self.tree.form(Level::Ad, ad).filter(|_| ad < FIRST_GHOST);
        let first = form.map_or(self.first, |form| self.calendar.day_of(form.created_ms).max(self.first));
        Delivery {
            ad,
            shifts: &self.changes.shifts,
            key,
            share: self.active_share,
            first,
            until: if turned { Day::MAX } else { until },
            runs: turned.then_some(runs),
            volume: dice.between(300, 4_000),
            cpm: dice.between(350, 1_600),
            ctr: dice.between(70, 380),
            video: self.creative_kind(self.creative_of(ad)) == Kind::Video,
            objective,
            on_meta: self.on_meta(adset),
            custom: campaign.is_multiple_of(2),
        }
    }
}

impl Delivery<'_> {
    fn key_of(&self, day: Day) -> u64 {
        dice::throw(self.key, u64::from(day.unsigned_abs()))
    }

    fn runs_on(&self, day: Day) -> bool {
        if day < self.first || day > self.until {
            return false;
        }
        match &self.runs {
            Some(runs) => runs.iter().all(|run| run.on(day)),
            None => true,
        }
    }

    /// Whether the ad delivers on a day. Early in the day there may be no impressions yet.
    pub(crate) fn delivers(&self, day: Day) -> bool {
        self.runs_on(day) && self.key_of(day) % SIDES < self.share
    }

    /// The metrics of a day as far as they are known; `None` without delivery.
    pub(crate) fn metrics(&self, sight: &Sight) -> Option<Metrics> {
        let day = sight.day;
        if !self.runs_on(day) {
            return None;
        }
        let key = self.key_of(day);
        if key % SIDES >= self.share {
            return None;
        }
        let noise = i64::try_from(key >> 24).unwrap_or_default();
        // 1970-01-01 was a Thursday. Weekends have less traffic.
        let weekday = (day + 3).rem_euclid(7);
        let quiet = if weekday >= 5 { 80 } else { 100 };
        let whole = (self.volume * (60 + noise % 81) / 100) * quiet / 100;
        let impressions = whole * sight.passed / sight.length;
        if impressions == 0 {
            return None;
        }
        let ctr = self.ctr * (80 + (noise >> 7) % 41) / 100;
        let clicks = impressions * ctr / 10_000;
        let mut metrics = Metrics::default();
        let counts = &mut metrics.counts;
        counts.impressions = impressions;
        counts.link_clicks = clicks * 7 / 10;
        counts.other_clicks =
            clicks - counts.link_clicks + self.shifts.get(&(self.ad, day)).copied().unwrap_or_default();
        counts.outbound_clicks = counts.link_clicks * 9 / 10;
        counts.landing_page_views = if self.on_meta { 0 } else { counts.link_clicks * 8 / 10 };
        counts.reactions = impressions * (1 + (noise >> 13) % 6) / 1_000;
        counts.comments = counts.reactions / 9;
        counts.video_hundreds = if self.video { impressions * 6 / 1_000 } else { 0 };
        let price = self.cpm * (85 + (noise >> 16) % 31) / 100;
        let spend = impressions * price / 1_000;
        counts.spend = corrected(spend, (noise >> 21) % 4 == 0, sight);
        events::count(self, key, whole * ctr / 10_000 * 7 / 10, sight, counts);
        metrics.reach = People::of((impressions * (72 + (noise >> 23) % 24) / 100).max(1));
        metrics.clickers = People::of(clicks * 94 / 100);
        Some(metrics)
    }
}

/// For one in four pairs of ad and day the first bill is two percent too high. Half of that comes back a day after the
/// day ends, the rest two days later.
fn corrected(spend: i64, too_high: bool, sight: &Sight) -> i64 {
    let over = sight.age - sight.length;
    if !too_high || over >= 3 * QUARTERS {
        spend
    } else if over >= QUARTERS {
        spend + spend / 100
    } else {
        spend + spend / 50
    }
}
