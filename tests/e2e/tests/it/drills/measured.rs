//! What only AWS measures. Its metrics are put as AWS would, because nothing here throttles or counts like it.

use e2e::alarms::{Alarm, measure};
use e2e::ops::ops;
use e2e::world::{Drill, world};

#[tokio::test]
async fn a_table_that_throttles_is_found_and_silences_what_it_causes() {
    let _drill = Drill::begin().await;
    let alarm = Alarm { id: "TableWriteThrottlesAlarm", minute: 4.0 };
    alarm.begin_above(10.0).await;
    measure("AWS/DynamoDB", "WriteThrottleEvents", &[("TableName", &world().endpoints.table)], 40.0).await;
    alarm.is_raised("DynamoDB throttles").await;
    Alarm { id: "PlatformAlarm", ..alarm }.is_raised("Platform").await;
    let leads = Alarm { id: "LeadsAlarm", ..alarm }.judge().await;
    assert_eq!(leads["suppressed"], true, "{leads}");
    alarm.is_over().await;
    Alarm { id: "PlatformAlarm", ..alarm }.is_over().await;
}

#[tokio::test]
async fn many_conflicts_are_found() {
    let _drill = Drill::begin().await;
    let alarm = Alarm { id: "TransactionConflictsAlarm", minute: 4.0 };
    alarm.begin_above(200.0).await;
    measure("AWS/DynamoDB", "TransactionConflict", &[("TableName", &world().endpoints.table)], 201.0).await;
    alarm.is_raised("Transaction conflicts").await;
    alarm.is_over().await;
}

#[tokio::test]
async fn an_account_that_is_nearly_full_is_found() {
    let _drill = Drill::begin().await;
    let alarm = Alarm { id: "ConcurrencyAlarm", minute: 10.0 };
    alarm.begin_above(800.0).await;
    measure("AWS/Lambda", "ConcurrentExecutions", &[], 801.0).await;
    alarm.is_raised("Concurrency").await;
    let doctor = ops("doctor --size small").await;
    assert!(doctor.out.contains("Concurrent executions"), "{doctor}");
    alarm.is_over().await;
}

#[tokio::test]
async fn a_chain_that_lambda_stops_is_found() {
    let _drill = Drill::begin().await;
    let alarm = Alarm { id: "LeadSweepRecursionAlarm", minute: 4.0 };
    let function = [("FunctionName", "leadwire-lead-sweep")];
    measure("AWS/Lambda", "RecursiveInvocationsDropped", &function, 1.0).await;
    alarm.is_raised("Recursion stopped").await;
    alarm.is_over().await;
}

#[tokio::test]
async fn bounces_of_the_account_are_found() {
    let _drill = Drill::begin().await;
    let alarm = Alarm { id: "MailBouncesAlarm", minute: 0.3 };
    measure("AWS/SES", "Reputation.BounceRate", &[], 0.05).await;
    alarm.is_raised("Mail bounces and complaints").await;
    alarm.is_over().await;
}
