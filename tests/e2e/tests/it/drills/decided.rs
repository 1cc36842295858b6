//! What the operator decides to do, without an alarm.

use e2e::json::Json;
use e2e::ops::ops;
use e2e::world::{Drill, wait_for, world};
use serde_json::{Value, json};

use super::physical;

const FUNCTION: &str = "/2015-03-31/functions/leadwire-lead-retention";

async fn lambda(method: http::Method, path: &str, input: Value) -> Value {
    world().aws().rest("lambda", method, &format!("{FUNCTION}{path}"), &input).await.unwrap()
}

/// The version that the alias names, and what its log level is.
async fn live() -> (String, String) {
    let alias = lambda(http::Method::GET, "/aliases/live", Value::Null).await;
    let version = alias.text("FunctionVersion").to_owned();
    let path = format!("/configuration?Qualifier={version}");
    let configuration = lambda(http::Method::GET, &path, Value::Null).await;
    (version, configuration.text("LoggingConfig.ApplicationLogLevel").to_owned())
}

/// Here functions are deployed without their alias, so this gives one of them its own.
#[tokio::test]
async fn a_function_is_rolled_back_to_the_version_before() {
    let _drill = Drill::begin().await;
    let first = lambda(http::Method::POST, "/versions", json!({ "Description": "release 1" })).await;
    let first = first.text("Version").to_owned();
    lambda(http::Method::POST, "/aliases", json!({ "Name": "live", "FunctionVersion": first })).await;
    assert_eq!(live().await, (first.clone(), "INFO".to_owned()));
    // Something about the function changes, and turns out wrong.
    let changed = ops("log-level lead-retention debug").await.done();
    assert!(changed.contains("the alias live moved to it"), "{changed}");
    let (second, level) = live().await;
    assert_eq!((second == first, level.as_str()), (false, "DEBUG"));

    let versions = lambda(http::Method::GET, "/versions", Value::Null).await;
    versions.find("Versions", "Version", first.as_str());
    let back = json!({ "FunctionVersion": first, "RoutingConfig": { "AdditionalVersionWeights": {} } });
    lambda(http::Method::PUT, "/aliases/live", back).await;
    assert_eq!(live().await, (first, "INFO".to_owned()));
    ops("log-level lead-retention --back").await.done();
    lambda(http::Method::DELETE, "/aliases/live", Value::Null).await;
}

#[tokio::test]
async fn a_table_is_restored_from_a_backup_and_the_doctor_says_what_it_lacks() {
    let _drill = Drill::begin().await;
    let (aws, table) = (world().aws(), physical("Table").await);
    let dynamodb = async |operation: &str, input: Value| {
        aws.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), &input).await.unwrap()
    };
    let items = async |table: &str| world().scan_table(table, "").await.len();
    let before = items(&table).await;
    assert!(before > 0);
    let backup = dynamodb("CreateBackup", json!({ "TableName": table, "BackupName": "drill" })).await;
    let listed = dynamodb("ListBackups", json!({ "BackupType": "ALL" })).await;
    listed.find("BackupSummaries", "BackupName", "drill");
    let restored = format!("{table}-restored");
    let source = backup.text("BackupDetails.BackupArn");
    dynamodb("RestoreTableFromBackup", json!({ "TargetTableName": restored, "BackupArn": source })).await;
    wait_for("the restored table", async || {
        let found = dynamodb("DescribeTable", json!({ "TableName": restored })).await;
        (found["Table"]["TableStatus"] == "ACTIVE").then_some(())
    })
    .await;
    assert_eq!(items(&restored).await, before);
    dynamodb("DeleteTable", json!({ "TableName": restored })).await;

    // A restored table begins without it.
    let recovery = async |is_on: bool| {
        let wanted = json!({ "PointInTimeRecoveryEnabled": is_on });
        let input = json!({ "TableName": table, "PointInTimeRecoverySpecification": wanted });
        dynamodb("UpdateContinuousBackups", input).await;
        let findings = ops("doctor --json").await.json();
        let about = |finding: &&Value| finding["area"] == "table" && finding.to_string().contains("point-in-time");
        findings.as_array().unwrap().iter().find(about).unwrap().clone()
    };
    let lacking = recovery(false).await;
    assert_eq!(lacking["grade"], "wrong");
    assert!(lacking.text("fix").contains("update-continuous-backups"), "{lacking}");
    assert_eq!(recovery(true).await["grade"], "ok");
}
