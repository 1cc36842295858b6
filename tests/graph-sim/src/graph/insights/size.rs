//! Limits the size of a query: its rows, the ad days to add up, and fields that a test made fail.
//!
//! Each 25 fields or fraction thereof count as one row.

use super::rows::{Objects, Rows, Sights};
use crate::graph::error::GraphError;
use crate::world::ads::tree::Level;

const FIELDS_PER_ROW: usize = 25;

impl Rows {
    /// Checks the size of a direct query.
    ///
    /// # Errors
    /// Returns 100/1487534 for too many rows, 100/1504018 for too many ad days.
    pub(super) fn check_sync(&self) -> Result<(), GraphError> {
        let most = self.ads.thresholds;
        self.check_fields()?;
        if self.has_more_rows(most.sync_rows) {
            return Err(GraphError::too_much_data());
        }
        if self.ad_days() > most.sync_ad_days {
            return Err(GraphError::insights_timeout());
        }
        Ok(())
    }

    /// Checks for fields that a test made fail.
    ///
    /// # Errors
    /// Returns 100/1487534 for such a field.
    pub(super) fn check_fields(&self) -> Result<(), GraphError> {
        let covered = |day| self.query.periods.iter().any(|period| (period.since..=period.until).contains(&day));
        let breaks = self
            .ads
            .changes
            .broken
            .iter()
            .any(|(ad, day, field)| self.query.fields.contains(field) && covered(*day) && self.takes_in(*ad));
        if breaks { Err(GraphError::too_much_data()) } else { Ok(()) }
    }

    /// Returns whether an ad's numbers are part of any row.
    fn takes_in(&self, ad: u32) -> bool {
        let tree = &self.ads.tree;
        let object = self.query.level.map_or(0, |level| tree.above(ad, level));
        let in_scope = self.scope.is_none_or(|(level, index)| tree.above(ad, level) == index);
        in_scope && self.is_visible(object) && self.ads_of(object).any(|own| own == ad)
    }

    /// Returns an upper bound of the ad days to add up.
    fn ad_days(&self) -> u64 {
        let tree = &self.ads.tree;
        let ads = match self.scope {
            None => tree.count(Level::Ad),
            Some((level, index)) => u32::try_from(tree.below(level, index, Level::Ad).len()).unwrap_or(u32::MAX),
        };
        let named = match self.objects() {
            Objects::These(list) if self.query.level == Some(Level::Ad) => {
                u32::try_from(list.len()).unwrap_or(u32::MAX)
            }
            _ => ads,
        };
        let days: usize = self.sights().iter().map(Vec::len).sum();
        u64::from(ads.min(named)).saturating_mul(u64::try_from(days).unwrap_or(u64::MAX))
    }

    /// Returns whether there are more than `most` rows. Each breakdown value counts as a row, and wide rows count as
    /// several. Stops counting at the limit.
    pub(super) fn has_more_rows(&self, most: u64) -> bool {
        let objects = self.objects();
        let sights = self.sights();
        let width = self.query.fields.len().div_ceil(FIELDS_PER_ROW).max(1) * self.query.cells.len();
        let as_u64 = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let width = as_u64(width);
        let periods = as_u64(sights.iter().filter(|days| !days.is_empty()).count());
        if as_u64(objects.len()).saturating_mul(periods).saturating_mul(width) <= most {
            return false;
        }
        let mut rows = 0_u64;
        for object in (0..objects.len()).filter_map(|position| objects.at(position)) {
            if self.is_visible(object) {
                rows = rows.saturating_add(self.periods_with_rows(object, &sights).saturating_mul(width));
            }
            if rows > most {
                return true;
            }
        }
        false
    }

    fn periods_with_rows(&self, object: u32, sights: &Sights) -> u64 {
        let deliveries: Vec<_> = self.ads_of(object).map(|ad| self.ads.delivery(ad)).collect();
        let mut periods = 0;
        for days in sights {
            let delivers = |delivery: &_| -> bool {
                let delivery: &crate::world::ads::delivery::Delivery<'_> = delivery;
                days.iter().any(|sight| delivery.delivers(sight.day))
            };
            if deliveries.iter().any(delivers) {
                periods += 1;
            }
        }
        periods
    }
}
