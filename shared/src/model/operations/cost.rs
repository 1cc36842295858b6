//! What a day costs, by the prices of `tests/bench/cost.toml`: of the parts that CloudWatch counts for each function and
//! table. Of typical traffic, these are some three quarters of what `cargo cost` counts.

use super::measure::{BilledTable, Measure, MetricAnswers};
use super::stack::{FUNCTIONS, INDEXES};

/// Prices of us-east-1 in USD, as in `tests/bench/cost.toml`; a test of the bench compares the two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListPrices {
    /// A call of a function.
    pub function_call: f64,
    /// A GiB of memory for a second, on arm64.
    pub gb_second: f64,
    /// A write unit of a table that is billed by use.
    pub write_unit: f64,
    /// A read unit of it.
    pub read_unit: f64,
}

/// The prices that the estimate uses.
pub const LIST_PRICES: ListPrices =
    ListPrices { function_call: 0.20e-6, gb_second: 1.33334e-5, write_unit: 0.625e-6, read_unit: 0.125e-6 };

/// An estimate of what a day has cost, in USD, without any free tier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayCost {
    /// Calls and time of the functions.
    pub lambda: f64,
    /// What was written to the tables and read from them.
    pub dynamodb: f64,
}

impl DayCost {
    /// The estimate from what CloudWatch counted in a day. `None` unless it counted calls of functions and use of tables:
    /// a part of a sum looks like a low bill.
    #[must_use]
    pub fn estimate(answers: &MetricAnswers) -> Option<Self> {
        let sum = |measure| answers.series(measure).sum();
        let runs = FUNCTIONS.map(|function| sum(Measure::FunctionRuns(function.name)));
        runs.iter().flatten().next()?;
        let gb_seconds = FUNCTIONS.map(|function| {
            let milliseconds = sum(Measure::FunctionMilliseconds(function.name)).unwrap_or_default();
            milliseconds / 1000.0 * f64::from(function.memory_mb) / 1024.0
        });
        let tables = || [BilledTable::Sessions, BilledTable::Main].into_iter().chain(INDEXES.map(BilledTable::Index));
        let writes: Vec<f64> = tables().filter_map(|table| sum(Measure::WriteUnits(table))).collect();
        let reads: Vec<f64> = tables().filter_map(|table| sum(Measure::ReadUnits(table))).collect();
        if writes.is_empty() && reads.is_empty() {
            return None;
        }
        let prices = LIST_PRICES;
        Some(Self {
            lambda: runs.iter().flatten().sum::<f64>() * prices.function_call
                + gb_seconds.iter().sum::<f64>() * prices.gb_second,
            dynamodb: writes.iter().sum::<f64>() * prices.write_unit + reads.iter().sum::<f64>() * prices.read_unit,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::series::MetricSeries;
    use super::*;

    fn answers(values: &[(Measure, f64)]) -> MetricAnswers {
        let series = values.iter().map(|(_, value)| MetricSeries(vec![(Timestamp::UNIX_EPOCH, *value)])).collect();
        MetricAnswers::new(values.iter().map(|(measure, _)| *measure).collect(), series)
    }

    #[test]
    fn a_day_costs_what_its_parts_cost() {
        let cost = DayCost::estimate(&answers(&[
            (Measure::FunctionRuns("webhook"), 1e6),
            (Measure::FunctionMilliseconds("webhook"), 4e6),
            (Measure::FunctionRuns("api"), 1e6),
            (Measure::FunctionMilliseconds("api"), 1e6),
            (Measure::WriteUnits(BilledTable::Main), 1e6),
            (Measure::WriteUnits(BilledTable::Index("gsi1")), 1e6),
            (Measure::ReadUnits(BilledTable::Sessions), 4e6),
        ]));
        let cost = cost.unwrap();
        // 4,000 s of a quarter of a GiB, and 1,000 s of one.
        assert!((cost.lambda - (0.4 + 2000.0 * 1.33334e-5)).abs() < 1e-9, "{cost:?}");
        assert!((cost.dynamodb - (1.25 + 0.5)).abs() < 1e-9, "{cost:?}");
    }

    #[test]
    fn half_a_bill_is_none() {
        assert_eq!(DayCost::estimate(&MetricAnswers::default()), None);
        assert_eq!(DayCost::estimate(&answers(&[(Measure::FunctionRuns("webhook"), 1e6)])), None);
        assert_eq!(DayCost::estimate(&answers(&[(Measure::WriteUnits(BilledTable::Main), 1e6)])), None);
    }
}
