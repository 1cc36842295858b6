//! Computes rows: which objects have rows, and their contents.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::period::Period;
use super::query::{Query, Wanted};
use super::row;
use crate::graph::ads::condition::Test;
use crate::world::ads::Ads;
use crate::world::ads::calendar::{Day, Sight};
use crate::world::ads::counts::Metrics;
use crate::world::ads::dice;
use crate::world::ads::tree::Level;

/// A query with a copy of all data it needs. Later changes of the world do not affect it.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(super) account_id: String,
    pub(super) account_name: String,
    pub(super) ads: Arc<Ads>,
    /// The object to report on; `None` for the whole account.
    pub(super) scope: Option<(Level, u32)>,
    /// The time of the data.
    pub(super) data_ms: i64,
    pub(super) query: Query,
}

/// Identifies a row: the object's position in [`Objects`], the indices of period and cell, and which of two equal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) object: usize,
    pub(super) period: usize,
    pub(super) cell: usize,
    pub(super) copy: usize,
}

/// The objects that may have rows, in order.
pub(super) enum Objects {
    /// The whole account.
    Account,
    /// Consecutive indices, then ghosts.
    Run(Range<u32>, Vec<u32>),
    These(Vec<u32>),
}

impl Objects {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Account => 1,
            Self::Run(range, ghosts) => range.len() + ghosts.len(),
            Self::These(list) => list.len(),
        }
    }

    /// Returns the index of the object at a position; 0 for the account.
    pub(super) fn at(&self, position: usize) -> Option<u32> {
        match self {
            Self::Account => (position == 0).then_some(0),
            Self::Run(range, ghosts) => match position.checked_sub(range.len()) {
                Some(beyond) => ghosts.get(beyond).copied(),
                None => Some(range.start + u32::try_from(position).ok()?),
            },
            Self::These(list) => list.get(position).copied(),
        }
    }
}

/// For each period, its days that have begun.
pub(super) type Sights = Vec<Vec<Sight>>;

impl Rows {
    pub(super) fn sights(&self) -> Sights {
        let sights =
            |period: &Period| self.ads.calendar.sights(period.since.max(self.ads.first), period.until, self.data_ms);
        self.query.periods.iter().map(sights).collect()
    }

    pub(super) fn objects(&self) -> Objects {
        let Some(level) = self.query.level else { return Objects::Account };
        let tree = &self.ads.tree;
        let range = match self.scope {
            Some((above, index)) => tree.below(above, index, level),
            None => 0..tree.count(level),
        };
        let ghosts: Vec<u32> = tree.ghosts().filter(|ghost| level == Level::Ad && self.is_in_scope(*ghost)).collect();
        let Some(named) = self.named(level) else { return Objects::Run(range, ghosts) };
        Objects::These(named.into_iter().filter(|index| range.contains(index) || ghosts.contains(index)).collect())
    }

    /// Returns the objects that match the conditions on ids. `None` without such conditions.
    fn named(&self, level: Level) -> Option<BTreeSet<u32>> {
        let tree = &self.ads.tree;
        let mut left: Option<BTreeSet<u32>> = None;
        for condition in &self.query.conditions {
            let Test::Is(indices) = &condition.test else { continue };
            let objects: BTreeSet<u32> = if condition.level > level {
                let up = |index: &u32| match (condition.level, level) {
                    (Level::Ad, level) => tree.above(*index, level),
                    _ => tree.campaign_of(*index),
                };
                indices.iter().map(up).collect()
            } else {
                let mut objects: BTreeSet<u32> =
                    indices.iter().flat_map(|index| tree.below(condition.level, *index, level)).collect();
                if level == Level::Ad {
                    objects
                        .extend(tree.ghosts().filter(|ghost| indices.contains(&tree.above(*ghost, condition.level))));
                }
                objects
            };
            left = Some(match left {
                Some(left) => left.intersection(&objects).copied().collect(),
                None => objects,
            });
        }
        left
    }

    fn is_in_scope(&self, ad: u32) -> bool {
        self.scope.is_none_or(|(level, index)| self.ads.tree.above(ad, level) == index)
    }

    /// Returns whether an object may have rows. Archived and deleted ones must be requested.
    pub(super) fn is_visible(&self, object: u32) -> bool {
        match (self.query.level, self.scope) {
            (None, _) => true,
            (Some(level), Some((own, _))) if own == level => true,
            (Some(level), _) => self.query.visible.shows(self.ads.effective(level, object)),
        }
    }

    /// Returns the ads of an object that match the conditions.
    pub(super) fn ads_of(&self, object: u32) -> impl Iterator<Item = u32> {
        let tree = &self.ads.tree;
        let (range, ghosts) = match self.query.level {
            None => (0..tree.count(Level::Ad), tree.ghosts()),
            Some(Level::Ad) => (object..object + 1, 0..0),
            Some(level) => (tree.below(level, object, Level::Ad), tree.ghosts()),
        };
        let belongs = move |ghost: &u32| {
            self.query.level.is_none_or(|level| tree.above(*ghost, level) == object) && self.is_in_scope(*ghost)
        };
        range.chain(ghosts.filter(belongs)).filter(|ad| self.fulfils(*ad))
    }

    fn fulfils(&self, ad: u32) -> bool {
        self.query.conditions.iter().all(|condition| condition.holds_for(&self.ads, Level::Ad, ad))
    }

    /// Returns the rows of the object at a position, in order.
    pub(super) fn of_object(&self, objects: &Objects, position: usize, sights: &Sights) -> Vec<(Key, Metrics)> {
        let Some(object) = objects.at(position).filter(|object| self.is_visible(*object)) else { return Vec::new() };
        let cells = self.query.cells.len();
        let mut sums = vec![Metrics::default(); self.query.periods.len() * cells];
        for ad in self.ads_of(object) {
            let delivery = self.ads.delivery(ad);
            for (days, sums) in sights.iter().zip(sums.chunks_mut(cells)) {
                for sight in days {
                    let Some(metrics) = delivery.metrics(sight) else { continue };
                    if let [sum] = &mut *sums {
                        sum.add(&metrics);
                        continue;
                    }
                    let key = dice::throw(self.ads.seed ^ u64::from(ad), u64::from(sight.day.unsigned_abs()));
                    for (sum, cell) in sums.iter_mut().zip(&self.query.cells) {
                        sum.add(&cell.part(&metrics, key));
                    }
                }
            }
        }
        self.rows_from(object, position, &sums)
    }

    fn rows_from(&self, object: u32, position: usize, sums: &[Metrics]) -> Vec<(Key, Metrics)> {
        let mut rows = Vec::new();
        for (period, cells) in sums.chunks(self.query.cells.len()).enumerate() {
            let twice = self.single_day(period).is_some_and(|day| {
                self.query.level == Some(Level::Ad) && self.ads.changes.twice.contains(&(object, day))
            });
            for (cell, metrics) in cells.iter().enumerate() {
                if !metrics.is_empty() && self.query.wanted.iter().all(|wanted| self.has(metrics, wanted)) {
                    for copy in 0..=usize::from(twice) {
                        rows.push((Key { object: position, period, cell, copy }, *metrics));
                    }
                }
            }
        }
        rows
    }

    fn has(&self, metrics: &Metrics, wanted: &Wanted) -> bool {
        let value = row::number(&self.ads.currency, metrics, &wanted.field);
        value.is_some_and(|value| wanted.comparison.holds(&value, &wanted.value))
    }

    /// Returns the day of a period that covers a single day.
    pub(super) fn single_day(&self, period: usize) -> Option<Day> {
        let period = self.query.periods.get(period)?;
        (period.since == period.until).then_some(period.since)
    }
}
