//! The cold start of the release packages: from the start of the process to its first request for an event.
//!
//! The absolute times are this machine's, whose CPU is faster than a small Lambda's. The baselines run in the same rounds.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use local::packages::{Architecture, Budgets, Packages};

/// A function without anything, and one with the clients of `webhook`. The budgets are multiples of the second.
const BASELINES: [&str; 2] = ["baseline-empty", "baseline-clients"];

/// Starts every function `rounds` times.
pub(crate) async fn measure(rounds: u32) -> Result<()> {
    let packages = Packages::build(Architecture::host(), &BASELINES).await?;
    let budgets = Budgets::read()?.start;
    let baselines = BASELINES.map(|name| (name.to_owned(), Vec::new()));
    let functions = packages.functions().iter().map(|function| (function.name.clone(), function.variables.clone()));
    let programs: Vec<(String, Vec<String>)> = baselines.into_iter().chain(functions).collect();
    // In turns, so that a busy moment of this machine does not hit one function alone.
    let mut starts: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for _ in 0..rounds {
        for (name, variables) in &programs {
            let started = packages.start(name, variables).await?;
            starts.entry(name).or_default().push(started.start_time());
        }
    }
    let milliseconds = |name: &str, part: usize| {
        let starts = starts.get(name).cloned().unwrap_or_default();
        percentile(starts, part).as_secs_f64() * 1000.0
    };
    let baseline = milliseconds("baseline-clients", 50);
    let mut over = Vec::new();
    println!("\n{:<18} {:>9} {:>9} {:>9} {:>9}", "function", "median ms", "p90 ms", "multiple", "budget");
    for (name, _) in &programs {
        let (median, slow) = (milliseconds(name, 50), milliseconds(name, 90));
        let multiple = median / baseline;
        let budget = budgets.get(name);
        let text = budget.map(|budget| format!("{budget:.1}")).unwrap_or_default();
        println!("{name:<18} {median:>9.1} {slow:>9.1} {multiple:>9.2} {text:>9}");
        if budget.is_some_and(|budget| multiple > *budget) {
            over.push(name.as_str());
        }
    }
    ensure!(over.is_empty(), "over the budget: {}", over.join(", "));
    Ok(())
}

fn percentile(mut durations: Vec<Duration>, part: usize) -> Duration {
    durations.sort();
    durations.get(durations.len() * part / 100).copied().unwrap_or_default()
}
