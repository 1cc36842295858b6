//! Reports add up.

use std::collections::BTreeMap;

use jiff::civil::Date;
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::model::ads::metrics::MainMetrics;
use crate::model::ads::report::{DIMENSIONS, Dimension, Figure, Report, totals};

fn day(number: u8) -> Date {
    Date::constant(2026, 1, 1).checked_add(jiff::Span::new().days(i64::from(number))).unwrap()
}

fn metrics(impressions: u64, clicks: u64, cents: i64, reach: Option<u64>) -> MainMetrics {
    MainMetrics {
        impressions,
        clicks,
        spend: Decimal::new(cents, 2),
        conversions: clicks / 2,
        reach,
        ..MainMetrics::default()
    }
}

fn figure<'a>(ad: &'a str, campaign: &'a str, day: Date, currency: &'a str, metrics: MainMetrics) -> Figure<'a> {
    Figure { client: "c", account: "act_1", campaign, adset: "s", ad, day, currency, metrics, frequency: None }
}

#[test]
fn ratios_come_from_sums() {
    let mut report = Report::by(vec![Dimension::Client]);
    report.add(&figure("1", "k", day(0), "USD", metrics(1000, 10, 500, Some(900))));
    report.add(&figure("2", "k", day(0), "USD", metrics(3000, 2, 100, Some(2000))));
    let rows = report.rows();
    let sums = rows.values().next().unwrap();
    let figures = sums.figures("USD");
    let metrics = figures.metrics;
    assert_eq!((metrics.impressions, metrics.clicks, metrics.spend.to_string()), (4000, 12, "6.00".to_owned()));
    let text = |ratio: Option<Decimal>| ratio.unwrap().to_string();
    assert_eq!([text(figures.ctr), text(figures.cpc), text(figures.cpm)], ["0.3", "0.5", "1.5"]);
    assert_eq!(sums.metrics.reach, None, "the same people may have seen both");
}

#[test]
fn reach_is_there_where_meta_gave_it() {
    let mut report = Report::by(vec![Dimension::Ad, Dimension::Day]);
    report.add(&figure("1", "k", day(0), "USD", metrics(1000, 10, 500, Some(900))));
    assert_eq!(report.rows().values().next().unwrap().metrics.reach, Some(900));
}

#[test]
fn nothing_divided_by_nothing_is_nothing() {
    let mut report = Report::by(vec![Dimension::Ad]);
    report.add(&figure("1", "k", day(0), "USD", metrics(0, 0, 0, None)));
    let rows = report.rows();
    let sums = rows.values().next().unwrap();
    let figures = sums.figures("USD");
    assert_eq!((figures.ctr, figures.cpc, figures.cpm), (None, None, None));
}

#[test]
fn currencies_are_never_added() {
    let mut report = Report::by(vec![Dimension::Client]);
    report.add(&figure("1", "k", day(0), "USD", metrics(1, 1, 500, None)));
    report.add(&figure("2", "k", day(0), "JPY", metrics(1, 1, 70_000, None)));
    let rows = report.rows();
    let spends: Vec<_> = totals(&rows).into_iter().map(|(currency, sums)| (currency, sums.metrics.spend)).collect();
    assert_eq!(spends, [("JPY".to_owned(), Decimal::new(70_000, 2)), ("USD".to_owned(), Decimal::new(500, 2))]);
}

proptest! {
    /// The rows of every report add up to the same totals, whatever its dimensions.
    #[test]
    fn every_grouping_adds_up_to_the_same(
        figures in prop::collection::vec((0..5_u8, 0..3_u8, 0..6_u8, 0..2_u8, 0..10_000_u64, 0..500_u64, 0..1_000_000_i64), 1..60)
    ) {
        let mut expected: Option<BTreeMap<String, (u64, u64, u64, Decimal)>> = None;
        for (_, dimension) in DIMENSIONS {
            let mut report = Report::by(vec![dimension, Dimension::Day]);
            for (ad, campaign, at, currency, impressions, clicks, cents) in &figures {
                let (ad, campaign) = (ad.to_string(), campaign.to_string());
                let currency = ["USD", "JPY"][usize::from(*currency)];
                report.add(&figure(&ad, &campaign, day(*at), currency, metrics(*impressions, *clicks, *cents, None)));
            }
            let sums: BTreeMap<_, _> = totals(&report.rows())
                .into_iter()
                .map(|(currency, sums)| (currency, (sums.metrics.impressions, sums.metrics.clicks, sums.metrics.conversions, sums.metrics.spend)))
                .collect();
            prop_assert_eq!(expected.get_or_insert_with(|| sums.clone()), &sums);
        }
    }
}
