//! A storm of leads over everything, small enough for every run. `cargo storm` runs the large one.

use std::time::Duration;

use e2e::storm::{Storm, pass};

#[tokio::test]
async fn a_storm_loses_and_doubles_nothing_and_stays_fair() {
    let patience = Duration::from_secs(240);
    let account = pass(Storm { seed: 7, leads: 240, orgs: 2, pages: 2, per_second: 50, alone: false, patience }).await;
    assert!(account.wrong.is_empty(), "{account:#?}");
    assert!(account.injected["drop"].as_u64() > Some(0) && account.found_by["sweep"] > 0, "{account:#?}");
}
