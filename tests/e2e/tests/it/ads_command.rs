//! The command line that syncs ad accounts.

use std::time::Duration;

use e2e::ad_accounts::SMALL_ACCOUNT;
use e2e::ad_accounts::{create_ad_accounts, link_ad_account, wait_until_ready};
use e2e::ads_harness::{AdsHarness, ORG_ID};
use e2e::fixtures::OrgFixture;
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

/// Runs the program; returns its exit code, standard output and standard error.
async fn run(harness: &AdsHarness, arguments: &[&str]) -> (Option<i32>, String, String) {
    let environment = harness.environment().into_iter().map(|(name, value)| (name.to_owned(), value));
    run_with(environment.collect(), arguments).await
}

async fn run_with(environment: Vec<(String, String)>, arguments: &[&str]) -> (Option<i32>, String, String) {
    // Starting the system builds all programs.
    let _ = world();
    let here = std::env::current_exe().unwrap();
    let program =
        here.ancestors().find(|folder| folder.join("meta-ads").exists()).expect("a built meta-ads").join("meta-ads");
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment).env("AWS_LAMBDA_LOG_LEVEL", "error");
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await.expect("an end").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn it_works_on_the_running_system_too() {
    let tenant = OrgFixture::new("ads-command").create().await;
    let token = create_ad_accounts(&[("700600001", "USD", "Europe/Berlin")]).await;
    link_ad_account(&tenant, "700600001", "one", &token).await;
    wait_until_ready(&tenant, "700600001").await;
    let file = std::fs::read_to_string(world().logs.join("../../environment.sh")).unwrap();
    let variable = |line: &str| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    };
    let environment = file.lines().filter_map(variable).collect();
    let (code, printed, complaint) = run_with(environment, &["--org", "ads-command", "--days", "10"]).await;
    assert_eq!(code, Some(0), "{printed} {complaint}");
    assert!(printed.contains("AdInsights"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_reads_an_account_and_sees_what_became_of_it() {
    let harness = AdsHarness::open().await;
    let account = harness.link_account(&SMALL_ACCOUNT).await;
    let (code, printed, _) = run(&harness, &["--org", ORG_ID, "--account", "act_9001", "--days", "30"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("Account 9001") && printed.contains("AdInsights"), "{printed}");
    crate::ads_sync::assert_matches_meta(&harness, &account, 30).await;
    assert_eq!(run(&harness, &["--org", ORG_ID]).await.0, Some(0));

    assert_eq!(run(&harness, &["--days", "3"]).await.0, Some(2), "no org");
    for days in ["0", "-1", "1000000", "x"] {
        assert_eq!(run(&harness, &["--org", ORG_ID, &format!("--days={days}")]).await.0, Some(2), "{days}");
    }
    let (code, _, complaint) = run(&harness, &["--org", ORG_ID, "--account", "act_1"]).await;
    assert_eq!(code, Some(1));
    assert!(complaint.contains("act_1"), "{complaint}");
    assert_eq!(run(&harness, &["--org", "nobody"]).await.0, Some(1));

    let limit = json!({ "account_id": "9001", "calls": 1, "window_s": 600, "block_s": 120, "type": "ads_management" });
    harness.call_sim(Method::POST, "limits", &limit).await;
    let (code, printed, _) = run(&harness, &["--org", ORG_ID, "--patience", "1"]).await;
    assert_eq!(code, Some(3), "{printed}");
    harness.call_sim(Method::DELETE, "limits", &Value::Null).await;
    harness.expire_pause(&account).await;
    harness.call_sim(Method::POST, "ads/9001/change", &json!({ "account": { "currency": "JPY" } })).await;
    let (code, printed, _) = run(&harness, &["--org", ORG_ID, "--days", "28"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("currency_changed"), "{printed}");
}
