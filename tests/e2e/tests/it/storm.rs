//! A storm of leads over everything, small enough for every run. `cargo storm` runs the large one.

use std::time::Duration;

use e2e::storm::{self, Storm};

#[tokio::test]
async fn a_storm_loses_and_doubles_nothing_and_stays_fair() {
    let timeout = Duration::from_secs(240);
    let report =
        storm::run(Storm { seed: 7, leads: 240, orgs: 2, pages: 2, per_second: 50, alone: false, timeout }).await;
    assert!(report.violations.is_empty(), "{report:#?}");
    assert!(report.injected["drop"].as_u64() > Some(0) && report.found_by["sweep"] > 0, "{report:#?}");
}
