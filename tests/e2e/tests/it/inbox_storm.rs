//! A storm of people over all channels, small enough for every run. `cargo inbox-storm` runs the large one.

use std::time::Duration;

use e2e::inbox_storm::{self, InboxStorm};

#[tokio::test]
async fn a_storm_of_people_is_told_word_for_word_and_answered_once() {
    let timeout = Duration::from_secs(500);
    let storm = InboxStorm { seed: 7, people: 14, turns: 4, over: Duration::ZERO, answered: 56, timeout };
    let report = inbox_storm::run(storm).await;
    assert_eq!(report.violations, Vec::<String>::new(), "{report:#?}");
    assert!(report.found_by.get("sync").is_some_and(|found| *found > 0), "{:?}", report.found_by);
}
