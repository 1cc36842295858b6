//! Every event reaches every endpoint, whatever fails.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::test_support::{Behaviour, DeliveryFixture};
use crate::error::ErrorCode;
use crate::ids::LeadId;
use crate::jobs::DeliveryJob;
use crate::leads::crash_tests::dies_at;
use crate::metrics::tests::{take_counts, take_written};
use crate::metrics::{DeliveryOutcome, Metric};
use crate::model::delivery::{DisabledReason, EventDeliveryState, EventSubject, TryFault, UndeliveredReason};

#[tokio::test]
async fn each_endpoint_has_each_event_it_chose_once() {
    let fixture = DeliveryFixture::new().await;
    let all = fixture.add("/all", None).await;
    fixture.add("/some", Some(&["lead.created"])).await;
    fixture.add("/others", Some(&["post.failed"])).await;
    fixture.publish(0..5).await;
    // The bus repeats an event.
    fixture.publish(2..4).await;
    fixture.drain().await;
    fixture.publish(0..5).await;
    fixture.run_minutes(30).await;
    for path in ["/all", "/some"] {
        let accepted = fixture.accepted(path);
        assert_eq!((accepted.len(), accepted.values().max()), (5, Some(&1)), "{path}: {accepted:?}");
    }
    assert_eq!(fixture.requests("/others"), 0);
    assert_eq!(fixture.states(&all).await, ["delivered"].into());
    assert_eq!(fixture.log(&all).await.len(), 5);
    let body = fixture.world().arrived[0].body.clone();
    assert_eq!(
        (&body["type"], &body["timestamp"]),
        (&Value::from("lead.created"), &Value::from("2026-01-02T00:00:00Z"))
    );
    assert_eq!(body["data"]["org"], "a");
}

#[tokio::test]
async fn an_endpoint_that_is_down_for_three_hours_gets_every_event_and_few_requests_meanwhile() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    let well = fixture.add("/well", None).await;
    fixture.behave("/hook", Behaviour::Refuse(503));
    for round in 0..6 {
        fixture.publish(round * 10..round * 10 + 10).await;
        fixture.drain().await;
        fixture.run_minutes(30).await;
    }
    let while_down = fixture.requests("/hook");
    assert!(fixture.accepted("/hook").is_empty());
    assert!((20..600).contains(&while_down), "60 events, and {while_down} requests");
    assert_eq!(fixture.states(&well).await, ["delivered"].into(), "the other endpoint notices nothing");
    fixture.behave("/hook", Behaviour::Accept);
    fixture.run_minutes(75).await;
    let accepted = fixture.accepted("/hook");
    assert_eq!((accepted.len(), accepted.values().max()), (60, Some(&1)), "{accepted:?}");
    assert_eq!(fixture.states(&endpoint).await, ["delivered"].into());
    assert_eq!(fixture.requests("/hook"), while_down + 60);
    let table = &fixture.deliverer.table;
    assert!(table.deliveries_due(None).await.unwrap().is_empty());
    assert_eq!(table.endpoint(&fixture.scope, &endpoint).await.unwrap().unwrap().health.failures, 0);
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_loses_no_event() {
    let mut points = (0, 0);
    for point in 0.. {
        assert!(point < 200, "the work does not come to an end");
        let fixture = DeliveryFixture::new().await;
        let endpoint = fixture.add("/hook", None).await;
        let events: Vec<DeliveryJob> = (0..2).map(|number| fixture.event(number)).collect();
        let stored = dies_at(point, fixture.work(&events)).await;
        // Its message comes again.
        fixture.work(&events).await;
        let jobs: Vec<DeliveryJob> =
            fixture.world().messages.drain(..).map(|(_, job)| serde_json::from_value(job).unwrap()).collect();
        let tried = dies_at(point, fixture.work(&jobs)).await;
        // Not one of its messages comes again: the index alone must know.
        fixture.world().messages.clear();
        fixture.run_minutes(30).await;
        let accepted = fixture.accepted("/hook");
        assert_eq!(accepted.len(), 2, "{point}: {accepted:?}");
        assert!(accepted.values().all(|times| *times <= 2), "{point}: {accepted:?}");
        assert_eq!(fixture.states(&endpoint).await, ["delivered"].into(), "{point}");
        assert!(fixture.deliverer.table.deliveries_due(None).await.unwrap().is_empty(), "{point}");
        points = (
            points.0.max(if stored.is_none() { point } else { 0 }),
            points.1.max(if tried.is_none() { point } else { 0 }),
        );
        if stored.is_some() && tried.is_some() {
            break;
        }
    }
    assert!(points.0 > 3 && points.1 > 3, "only {points:?} points at which it could die");
}

#[tokio::test]
async fn two_workers_deliver_once_and_a_lost_answer_repeats_the_same_event() {
    let fixture = DeliveryFixture::new().await;
    fixture.add("/hook", None).await;
    fixture.publish(0..8).await;
    let messages = fixture.world().messages.clone();
    let jobs: Vec<DeliveryJob> = messages.into_iter().map(|(_, job)| serde_json::from_value(job).unwrap()).collect();
    tokio::join!(fixture.work(&jobs), fixture.work(&jobs), fixture.work(&jobs));
    fixture.drain().await;
    assert!(fixture.accepted("/hook").values().all(|times| *times == 1), "{:?}", fixture.accepted("/hook"));
    fixture.behave("/hook", Behaviour::LoseAnswer);
    fixture.publish(8..9).await;
    fixture.drain().await;
    fixture.behave("/hook", Behaviour::Accept);
    fixture.run_minutes(5).await;
    assert_eq!(fixture.accepted("/hook")["meta-8"], 2);
    let world = fixture.world();
    let [.., before, after] = world.arrived.as_slice() else { panic!("two requests") };
    assert_eq!((&before.id, &before.body), (&after.id, &after.body));
    assert!(before.at < after.at, "each try has its own time");
}

#[tokio::test]
async fn a_lost_message_delays_an_event_and_no_more() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    fixture.world().loses_messages = true;
    fixture.publish(0..3).await;
    fixture.run_minutes(6).await;
    assert_eq!(fixture.requests("/hook"), 0);
    fixture.world().loses_messages = false;
    fixture.run_minutes(16).await;
    assert_eq!(fixture.accepted("/hook").len(), 3);
    assert_eq!(fixture.states(&endpoint).await, ["delivered"].into());
}

#[tokio::test]
async fn a_slow_receiver_delays_no_other_and_its_events_take_turns() {
    let fixture = DeliveryFixture::new().await;
    fixture.add("/slow", None).await;
    fixture.add("/quick", None).await;
    fixture.behave("/slow", Behaviour::Dawdle(400));
    fixture.publish(0..2).await;
    fixture.drain().await;
    let paths: Vec<String> = fixture.world().arrived.iter().map(|arrived| arrived.path.clone()).collect();
    let second = paths.iter().enumerate().filter(|(_, path)| *path == "/slow").map(|(position, _)| position).nth(1);
    let last_quick = paths.iter().rposition(|path| path == "/quick");
    assert!(last_quick < second, "{paths:?}");
    assert_eq!(fixture.accepted("/quick").len(), 2);
}

#[tokio::test]
async fn tries_are_counted_by_what_came_of_them() {
    let fixture = DeliveryFixture::new().await;
    fixture.add("/well", None).await;
    let gone = fixture.add("/gone", None).await;
    fixture.behave("/gone", Behaviour::Refuse(503));
    take_written();
    fixture.publish(0..2).await;
    fixture.drain().await;
    let counted = |outcome, number: f64| (Metric::Deliveries(outcome), number);
    let counts = take_counts();
    assert!(counts.contains(&counted(DeliveryOutcome::Delivered, 2.0)), "{counts:?}");
    assert!(counts.contains(&counted(DeliveryOutcome::Retried, 2.0)), "{counts:?}");
    assert_eq!(counts.len(), 2, "{counts:?}");
    // For good.
    fixture.behave("/gone", Behaviour::Refuse(410));
    fixture.run_minutes(30).await;
    assert!(!fixture.deliveries.endpoint(&fixture.access, &gone).await.unwrap().active);
    let counts = take_counts();
    assert_eq!(counts.last(), Some(&counted(DeliveryOutcome::Failed, 2.0)), "{counts:?}");
}

#[tokio::test]
async fn an_event_is_tried_for_a_day_and_a_receiver_may_ask_for_time() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    fixture.behave("/hook", Behaviour::AskToWait(1_800));
    fixture.publish(0..1).await;
    fixture.drain().await;
    let delivery = fixture.only(&endpoint).await;
    let wait = delivery.next_try_at.unwrap().duration_since(fixture.now());
    assert_eq!(wait, SignedDuration::from_mins(30), "as it asked");
    fixture.run_minutes(29).await;
    assert_eq!(fixture.requests("/hook"), 1);
    fixture.run_minutes(2).await;
    assert_eq!(fixture.requests("/hook"), 2);
    fixture.behave("/hook", Behaviour::Refuse(500));
    fixture.run_minutes(23 * 60).await;
    assert_eq!(fixture.only(&endpoint).await.state, EventDeliveryState::Pending, "the day is not over");
    fixture.run_minutes(60).await;
    let failed = fixture.only(&endpoint).await;
    assert_eq!((failed.state, failed.reason), (EventDeliveryState::Failed, Some(UndeliveredReason::RetriesExhausted)));
    let last = failed.tries.last().unwrap();
    assert_eq!((last.status, last.reason), (Some(500), Some(TryFault::StatusRefused)));
    assert!(last.at >= failed.created_at + SignedDuration::from_hours(24), "the last try is at the end");
    let requests = fixture.requests("/hook");
    fixture.run_minutes(120).await;
    assert_eq!(fixture.requests("/hook"), requests, "then it is left alone");
}

#[tokio::test]
async fn an_endpoint_that_fails_for_three_days_is_deactivated_and_its_admins_hear_of_it_once() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    fixture.behave("/hook", Behaviour::Refuse(500));
    fixture.world().mail_failures = 1;
    for day in 0..4 {
        fixture.publish(day..day + 1).await;
        fixture.drain().await;
        // A worker is at it once a day here, so that days pass quickly.
        for _ in 0..24 {
            fixture.pass(3_600);
            fixture.sweep().await;
            fixture.drain().await;
        }
    }
    fixture.run_minutes(60).await;
    let now = fixture.deliveries.endpoint(&fixture.access, &endpoint).await.unwrap();
    assert_eq!((now.active, now.reason), (false, Some(DisabledReason::Failing)));
    let mut mails = fixture.world().mails.clone();
    mails.sort();
    assert_eq!(mails, ["ann@example.com", "bob@example.com"]);
    let requests = fixture.requests("/hook");
    fixture.publish(9..10).await;
    fixture.run_minutes(10).await;
    let latest = fixture.log(&endpoint).await.remove(0);
    assert_eq!(latest.reason, Some(UndeliveredReason::EndpointInactive));
    assert_eq!(fixture.requests("/hook"), requests);
    assert!(!fixture.states(&endpoint).await.contains("pending"));
    // An admin repairs it, and sends what is missing.
    fixture.behave("/hook", Behaviour::Accept);
    let refused = fixture.deliveries.resend(&fixture.access, &endpoint, &latest.id).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::EndpointInactive);
    let active = super::EndpointPatch { active: Some(true), ..Default::default() };
    fixture.deliveries.change_endpoint(&fixture.access, &endpoint, active).await.unwrap();
    for missing in fixture.log(&endpoint).await {
        fixture.deliveries.resend(&fixture.access, &endpoint, &missing.id).await.unwrap();
    }
    fixture.world().now = crate::clock::now();
    fixture.drain().await;
    assert_eq!(fixture.states(&endpoint).await, ["delivered"].into());
    assert_eq!(fixture.world().mails.len(), 2);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_asked_again() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    fixture.behave("/hook", Behaviour::Refuse(410));
    fixture.publish(0..6).await;
    fixture.drain().await;
    fixture.run_minutes(60).await;
    assert_eq!(fixture.requests("/hook"), 1);
    assert_eq!(fixture.states(&endpoint).await, ["failed", "not_delivered"].into());
    assert_eq!(fixture.world().mails.len(), 2);
    // Of a deleted endpoint nothing stays to be tried.
    let other = fixture.add("/other", None).await;
    fixture.behave("/other", Behaviour::Refuse(500));
    fixture.publish(6..7).await;
    fixture.drain().await;
    fixture.deliveries.delete_endpoint(&fixture.access, &other).await.unwrap();
    fixture.run_minutes(30).await;
    assert!(fixture.deliverer.table.deliveries_due(None).await.unwrap().is_empty());
    assert_eq!(fixture.requests("/other"), 1);
}

#[tokio::test]
async fn an_erased_person_is_not_sent_any_more() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    fixture.behave("/hook", Behaviour::Refuse(500));
    fixture.publish(0..2).await;
    fixture.drain().await;
    let stored = format!("{:?}", fixture.deliverer.table.everything().await);
    assert!(stored.contains("x@y.example"));
    for lead in ["meta-0", "meta-1"] {
        let about = EventSubject::Lead(LeadId::parse(lead).unwrap());
        fixture.deliverer.table.erase_events(&fixture.scope, &about, fixture.now()).await.unwrap();
    }
    // Events that were on their way are as good as erased.
    fixture.publish(0..1).await;
    let late = fixture.event(1);
    for point in 0..20 {
        let _ = crate::leads::crash_tests::dies_at(point, fixture.work(std::slice::from_ref(&late))).await;
        fixture.work(std::slice::from_ref(&late)).await;
    }
    let stored = format!("{:?}", fixture.deliverer.table.everything().await);
    assert!(!stored.contains("x@y.example"), "the log has nothing of the person");
    fixture.behave("/hook", Behaviour::Accept);
    fixture.run_minutes(30).await;
    assert!(fixture.accepted("/hook").is_empty());
    for delivery in fixture.log(&endpoint).await {
        assert_eq!(delivery.reason, Some(UndeliveredReason::ContentErased));
        let refused = fixture.deliveries.resend(&fixture.access, &endpoint, &delivery.id).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::ContentErased);
    }
}

#[tokio::test]
async fn lists_go_on_where_they_stopped_and_tests_are_in_none() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    for number in 0..7 {
        fixture.pass(1);
        fixture.publish(number..number + 1).await;
    }
    fixture.drain().await;
    assert!(fixture.deliveries.test(&fixture.access, &endpoint).await.unwrap().delivered);
    fixture.behave("/hook", Behaviour::Refuse(418));
    let tested = fixture.deliveries.test(&fixture.access, &endpoint).await.unwrap();
    assert_eq!((tested.delivered, tested.attempt.attempt.status), (false, Some(418)));
    let mut query = super::DeliveryQuery { state: Some(EventDeliveryState::Delivered), cursor: None };
    let mut leads = Vec::new();
    for _ in 0..4 {
        let page = fixture.deliveries.deliveries(&fixture.access, &endpoint, &query, 2).await.unwrap();
        leads.extend(page.items.iter().filter_map(|delivery| delivery.lead_id.clone()).map(|lead| lead.to_string()));
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(leads, ["meta-6", "meta-5", "meta-4", "meta-3", "meta-2", "meta-1", "meta-0"]);
    let pending = super::DeliveryQuery { state: Some(EventDeliveryState::Pending), cursor: None };
    assert!(fixture.deliveries.deliveries(&fixture.access, &endpoint, &pending, 10).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_secret_that_was_rotated_twice_in_a_day_still_signs() {
    let fixture = DeliveryFixture::new().await;
    let endpoint = fixture.add("/hook", None).await;
    for _ in 0..2 {
        fixture.deliveries.rotate_secret(&fixture.access, &endpoint).await.unwrap();
    }
    let stored = fixture.deliverer.table.endpoint(&fixture.scope, &endpoint).await.unwrap().unwrap();
    assert_eq!(stored.signing_versions(crate::clock::now()), [3, 2, 1]);
    let (one, two) = tokio::join!(
        fixture.deliveries.rotate_secret(&fixture.access, &endpoint),
        fixture.deliveries.rotate_secret(&fixture.access, &endpoint)
    );
    assert_eq!(one.is_ok() as u8 + two.is_ok() as u8, 1, "the fifth secret is refused");
    let later = crate::clock::now() + SignedDuration::from_hours(25);
    let stored = fixture.deliverer.table.endpoint(&fixture.scope, &endpoint).await.unwrap().unwrap();
    assert_eq!(stored.signing_versions(later), [4]);
}

#[tokio::test]
async fn what_there_is_no_time_for_comes_again() {
    let fixture = DeliveryFixture::new().await;
    fixture.add("/hook", None).await;
    fixture.publish(0..1).await;
    let jobs: Vec<DeliveryJob> =
        fixture.world().messages.drain(..).map(|(_, job)| serde_json::from_value(job).unwrap()).collect();
    let jobs: Vec<&DeliveryJob> = jobs.iter().collect();
    let outcomes = fixture.deliverer.work(&jobs, Duration::from_secs(10), &|| fixture.now()).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(fixture.requests("/hook"), 0);
    fixture.pass(1);
    fixture.drain().await;
    assert_eq!(fixture.requests("/hook"), 1);
}
