//! `breakdowns`: divides the numbers of each ad and day among ages, countries and placements.
//!
//! The parts add up to the whole on every level. People are divided like every other number, so reach adds up within
//! one ad and day, but not beyond that, as without breakdowns.

use std::collections::BTreeMap;

use crate::graph::error::GraphError;
use crate::world::ads::counts::{Metrics, People};
use crate::world::ads::dice;

/// Breakdown names, and their combinations of values with weights.
struct Dimension {
    names: &'static [&'static str],
    values: &'static [(&'static [&'static str], i64)],
}

const DIMENSIONS: &[Dimension] = &[
    Dimension {
        names: &["age"],
        values: &[
            (&["18-24"], 14),
            (&["25-34"], 30),
            (&["35-44"], 24),
            (&["45-54"], 16),
            (&["55-64"], 10),
            (&["65+"], 5),
            (&["Unknown"], 1),
        ],
    },
    Dimension { names: &["gender"], values: &[(&["female"], 55), (&["male"], 43), (&["unknown"], 2)] },
    Dimension {
        names: &["country"],
        values: &[(&["DE"], 46), (&["AT"], 14), (&["CH"], 10), (&["US"], 20), (&["FR"], 8), (&["unknown"], 2)],
    },
    Dimension {
        names: &["region"],
        values: &[
            (&["Bayern"], 30),
            (&["Berlin"], 25),
            (&["California"], 25),
            (&["Île-de-France"], 15),
            (&["Unknown"], 5),
        ],
    },
    Dimension {
        names: &["comscore_market"],
        values: &[(&["New York"], 40), (&["Los Angeles"], 30), (&["Chicago"], 20), (&["Unknown"], 10)],
    },
    Dimension {
        names: &["publisher_platform", "platform_position", "device_platform", "impression_device"],
        values: &[
            (&["facebook", "feed", "mobile_app", "iphone"], 20),
            (&["facebook", "feed", "mobile_app", "android_smartphone"], 18),
            (&["facebook", "feed", "desktop", "desktop"], 8),
            (&["facebook", "facebook_reels", "mobile_app", "android_smartphone"], 9),
            (&["facebook", "marketplace", "mobile_web", "android_smartphone"], 4),
            (&["instagram", "feed", "mobile_app", "iphone"], 12),
            (&["instagram", "instagram_stories", "mobile_app", "iphone"], 11),
            (&["instagram", "instagram_reels", "mobile_app", "android_smartphone"], 10),
            (&["audience_network", "an_classic", "mobile_app", "android_tablet"], 5),
            (&["messenger", "messenger_inbox", "mobile_app", "other"], 3),
        ],
    },
    Dimension {
        names: &["hourly_stats_aggregated_by_advertiser_time_zone"],
        values: &[
            (&["00:00:00 - 00:59:59"], 2),
            (&["03:00:00 - 03:59:59"], 1),
            (&["06:00:00 - 06:59:59"], 6),
            (&["09:00:00 - 09:59:59"], 14),
            (&["12:00:00 - 12:59:59"], 20),
            (&["15:00:00 - 15:59:59"], 18),
            (&["18:00:00 - 18:59:59"], 24),
            (&["21:00:00 - 21:59:59"], 15),
        ],
    },
];

/// One combination of breakdown values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) values: Vec<(&'static str, &'static str)>,
    /// Start and end of its share on the scale of weights.
    from: i64,
    to: i64,
    /// Total of the weights.
    whole: i64,
}

/// Returns the cells of a list of breakdowns; a single one for an empty list.
///
/// # Errors
/// Returns 100 for an unknown breakdown.
pub(super) fn cells(names: &[String]) -> Result<Vec<Cell>, GraphError> {
    let known = || DIMENSIONS.iter().flat_map(|dimension| dimension.names);
    for (at, name) in names.iter().enumerate() {
        if !known().any(|known| known == name) {
            let mut values: Vec<&str> = known().copied().collect();
            values.sort_unstable();
            let values = values.join(", ");
            let message = format!("(#100) breakdowns[{at}] must be one of the following values: {values}");
            return Err(GraphError::invalid(message));
        }
    }
    // Multiply the requested combinations of all dimensions.
    let mut combined: Vec<(Vec<(&str, &str)>, i64)> = vec![(Vec::new(), 1)];
    for dimension in DIMENSIONS {
        let asked = dimension.asked(names);
        if !asked.is_empty() {
            let pairs = combined.iter().flat_map(|(left, weight)| {
                asked.iter().map(move |(right, more)| ([left.as_slice(), right.as_slice()].concat(), weight * more))
            });
            combined = pairs.collect();
        }
    }
    let whole = combined.iter().map(|(_, weight)| weight).sum();
    let mut from = 0;
    let cells = combined.into_iter().map(|(values, weight)| {
        let cell = Cell { values, from, to: from + weight, whole };
        from += weight;
        cell
    });
    Ok(cells.collect())
}

impl Dimension {
    /// Returns the value combinations of the requested names. Empty if none of its names is requested.
    fn asked(&self, names: &[String]) -> Vec<(Vec<(&'static str, &'static str)>, i64)> {
        let mut weights: BTreeMap<Vec<(&str, &str)>, i64> = BTreeMap::new();
        for (values, weight) in self.values {
            let pairs = self.names.iter().zip(*values);
            let asked: Vec<(&str, &str)> = pairs
                .filter(|(name, _)| names.iter().any(|asked| asked == *name))
                .map(|(name, value)| (*name, *value))
                .collect();
            if !asked.is_empty() {
                *weights.entry(asked).or_default() += weight;
            }
        }
        weights.into_iter().collect()
    }
}

impl Cell {
    /// Returns the cell's share of an ad's delivery on one day.
    pub(super) fn part(&self, metrics: &Metrics, key: u64) -> Metrics {
        let mut at = 0;
        let mut share = |number: i64| {
            at += 1;
            // The cut varies from number to number. Otherwise a single lead would always go to the last cell.
            let cut = i64::try_from(dice::throw(key, at) % self.whole.unsigned_abs()).unwrap_or_default();
            (number * self.to + cut) / self.whole - (number * self.from + cut) / self.whole
        };
        let mut part = *metrics;
        part.counts.each(&mut share);
        part.reach = People::of(share(metrics.reach.number()));
        part.clickers = People::of(share(metrics.clickers.number()));
        part
    }
}

#[cfg(test)]
mod tests {
    use super::cells;
    use crate::world::ads::counts::{Counts, Metrics, People};

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let counts = Counts { impressions: 1237, link_clicks: 41, spend: 995, meta_leads_week: 1, ..Counts::default() };
        let whole = Metrics { counts, reach: People::of(1000), clickers: People::of(40) };
        for list in
            [&["age", "gender"][..], &["country"], &["publisher_platform", "platform_position", "impression_device"]]
        {
            let cells = cells(&names(list)).unwrap();
            let mut sum = Counts::default();
            let mut reach = 0;
            for cell in &cells {
                let part = cell.part(&whole, 77);
                sum.add(&part.counts);
                reach += part.reach.number();
            }
            assert_eq!((sum, reach), (whole.counts, 1000), "{list:?}");
        }
    }

    #[test]
    fn combinations_are_all_there_and_platforms_without_positions_come_once() {
        assert_eq!(cells(&[]).unwrap().len(), 1);
        assert_eq!(cells(&names(&["age", "gender"])).unwrap().len(), 21);
        assert_eq!(cells(&names(&["publisher_platform"])).unwrap().len(), 4);
        assert_eq!(cells(&names(&["mood"])).unwrap_err().code, 100);
    }
}
