//! Who is mailed of what, whatever fails, is repeated or happens at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::test_support::{MailFixture, id_of, start, user_id};
use super::{MailSwitch, Unsubscribe};
use crate::jobs::AssigneeMailJob;
use crate::leads::crash_tests::dies_at;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::{FoundBy, Lead};
use crate::model::mail_preference::{MailKind, MailPreference, MailProblemReason};
use crate::model::org::User;
use crate::table::lead::LeadChange;
use crate::table::tests::{lead, user};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn names(ids: impl IntoIterator<Item = u64>) -> Vec<String> {
    ids.into_iter().map(|id| id_of(id).to_string()).collect()
}

#[tokio::test]
async fn a_lead_is_mailed_once_however_often_its_event_comes() {
    let fixture = MailFixture::new().await;
    fixture.arrive(1..3).await;
    let again = AssigneeMailJob::Reassigned(fixture.assigned(1));
    for job in [fixture.arrived(1), fixture.arrived(1), again, fixture.arrived(2)] {
        fixture.run(&job, start()).await.unwrap();
    }
    assert_eq!(fixture.mails.subjects(), names([1, 2]));
    let mail = fixture.mails.state().sent[0].clone();
    assert_eq!(mail["Destination"]["ToAddresses"], json!(["u@example.com"]));
    assert_eq!(mail["ConfigurationSetName"], "set");
    let headers = mail["Content"]["Simple"]["Headers"].as_array().unwrap();
    let header =
        |name: &str| headers.iter().find(|header| header["Name"] == name).map(|header| header["Value"].clone());
    assert_eq!(header("List-Unsubscribe-Post"), Some(json!("List-Unsubscribe=One-Click")));
    let link = header("List-Unsubscribe").unwrap().as_str().unwrap().to_owned();
    assert!(link.starts_with("<https://leads.example.com/unsubscribe/") && link.ends_with('>'), "{link}");
}

#[tokio::test]
async fn two_workers_at_the_same_instant_mail_once() {
    let fixture = MailFixture::new().await;
    fixture.arrive(1..2).await;
    let job = fixture.arrived(1);
    join_all((0..8).map(|_| fixture.run(&job, start()))).await;
    assert_eq!(fixture.mails.subjects(), names([1]));
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_loses_no_mail_and_doubles_none_before_ses() {
    let mut points = 0;
    loop {
        let fixture = MailFixture::new().await;
        fixture.arrive(1..2).await;
        let is_done = dies_at(points, fixture.run(&fixture.arrived(1), start())).await.is_some();
        let before = fixture.mails.subjects().len();
        // As long as the dead worker could still live, no other sends.
        let held = fixture.run(&fixture.arrived(1), start() + MINUTE).await;
        assert!(fixture.mails.subjects().len() <= 1 && (held.is_ok() || before <= 1), "point {points}");
        fixture.run(&fixture.arrived(1), start() + 6 * MINUTE).await.unwrap();
        let sent = fixture.mails.subjects();
        // Twice only if it died after SES took the mail and before that was stored.
        assert!(sent.len() == 1 || sent.len() == 2 && before == 1 && held.is_err(), "point {points}: {sent:?}");
        if is_done {
            assert_eq!(sent.len(), 1);
            break;
        }
        points += 1;
    }
    assert!(points > 5, "{points}");
}

#[tokio::test]
async fn the_twenty_first_lead_of_an_hour_and_later_ones_come_in_one_mail() {
    let fixture = MailFixture::new().await;
    fixture.arrive(1..26).await;
    for id in 1..26 {
        fixture.run(&fixture.arrived(id), start() + MINUTE).await.unwrap();
        fixture.run(&fixture.arrived(id), start() + MINUTE).await.unwrap();
    }
    assert_eq!(fixture.mails.subjects(), names(1..21));
    let table = &fixture.notifier.table;
    let due = async |minutes: i32| table.due_digests(Some(start() + minutes * MINUTE)).await.unwrap().len();
    assert_eq!((due(60).await, due(61).await), (0, 1));
    fixture.run(&fixture.digest(), start() + 60 * MINUTE).await.unwrap();
    assert_eq!(fixture.mails.subjects().len(), 20, "not before the hour ends");
    // One of them was taken over by a colleague meanwhile, and two workers get the message.
    let unassigned = Assigned { strategy: Strategy::Unassigned, reason: Reason::Manual };
    let taken = LeadChange { assigned: Some((None, unassigned)), ..LeadChange::default() };
    table.change_lead(&fixture.scope, &id_of(25), &taken, |_, _| unreachable!()).await.unwrap();
    let digest = fixture.digest();
    join_all((0..4).map(|_| fixture.run(&digest, start() + 61 * MINUTE))).await;
    fixture.run(&digest, start() + 70 * MINUTE).await.unwrap();
    let subjects = fixture.mails.subjects();
    assert_eq!(subjects.len(), 21, "{subjects:?}");
    let gathered: BTreeSet<String> = subjects[20].split(' ').map(str::to_owned).collect();
    assert_eq!(gathered, names(21..25).into_iter().collect(), "a lead that someone else has by now is left out");
    assert_eq!(due(10_000).await, 0);
    fixture.arrive(26..27).await;
    fixture.run(&fixture.arrived(26), start() + 71 * MINUTE).await.unwrap();
    assert_eq!(fixture.mails.subjects().last(), names([26]).last(), "a new hour has begun");
}

#[tokio::test]
async fn a_digest_whose_worker_dies_is_mailed_by_the_next_one() {
    for point in 0..60 {
        let fixture = MailFixture::new().await;
        fixture.arrive(1..23).await;
        for id in 1..23 {
            fixture.run(&fixture.arrived(id), start()).await.unwrap();
        }
        let late = start() + 61 * MINUTE;
        let is_done = dies_at(point, fixture.run(&fixture.digest(), late)).await.is_some();
        let before = fixture.mails.subjects().len() - 20;
        fixture.run(&fixture.digest(), late + 6 * MINUTE).await.unwrap();
        let digests = fixture.mails.subjects().len() - 20;
        assert!(digests == 1 || digests == 2 && before == 1, "point {point}: {digests}");
        assert!(fixture.notifier.table.due_digests(None).await.unwrap().is_empty(), "point {point}");
        if is_done {
            assert!(point > 5);
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn what_ses_cannot_do_now_is_tried_again_and_what_it_never_will_is_not() {
    let fixture = MailFixture::new().await;
    fixture.arrive(1..4).await;
    fixture.mails.state().faults.extend([(429, "TooManyRequestsException", false); 25]);
    for _ in 0..25 {
        assert!(fixture.run(&fixture.arrived(1), start()).await.is_err());
    }
    fixture.run(&fixture.arrived(1), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), names([1]), "failed attempts do not count as mails of the hour");
    fixture.mails.state().faults.push_back((400, "MessageRejected", false));
    fixture.run(&fixture.arrived(2), start()).await.unwrap();
    fixture.run(&fixture.arrived(2), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), names([1]));
}

#[tokio::test]
async fn who_is_not_to_be_mailed_is_not() {
    let fixture = MailFixture::new().await;
    let table = &fixture.notifier.table;
    let assigned = |id| Lead { assigned_to: Some(user_id()), ..lead(id, None) };
    for (id, found_by) in [(1, FoundBy::Import), (2, FoundBy::Backfill), (3, FoundBy::Sync)] {
        fixture.store(Lead { found_by, ..assigned(id) }).await;
        fixture.run(&fixture.arrived(id), start()).await.unwrap();
    }
    // By then it is someone else's.
    fixture.store(lead(4, None)).await;
    fixture.run(&fixture.arrived(4), start()).await.unwrap();
    fixture.run(&fixture.arrived(999), start()).await.unwrap();
    // The person has left, or the integration is silent.
    fixture.arrive(5..7).await;
    table.put_user(&fixture.scope, &user("u", false)).await.unwrap();
    fixture.run(&fixture.arrived(5), start()).await.unwrap();
    table.put_user(&fixture.scope, &user("u", true)).await.unwrap();
    let id = crate::ids::IntegrationId::parse("int_1").unwrap();
    let off = crate::table::integration::IntegrationSettings { notify_assignee: Some(false), ..Default::default() };
    table.set_settings(&fixture.scope, &id, &off).await.unwrap();
    fixture.run(&fixture.arrived(6), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), Vec::<String>::new());
    // By hand, an imported lead is mailed.
    let on = crate::table::integration::IntegrationSettings { notify_assignee: Some(true), ..Default::default() };
    table.set_settings(&fixture.scope, &id, &on).await.unwrap();
    fixture.run(&AssigneeMailJob::Reassigned(fixture.assigned(1)), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), names([1]));
}

#[tokio::test]
async fn stopped_mails_stay_stopped_when_the_directory_is_pushed() {
    let fixture = MailFixture::new().await;
    let table = fixture.notifier.table.clone();
    fixture.arrive(1..4).await;
    fixture.run(&fixture.arrived(1), start()).await.unwrap();
    let text = fixture.mails.state().sent[0]["Content"]["Simple"]["Body"]["Text"]["Data"].clone();
    let token = text.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let key = fixture.notifier.key.clone();
    let whose = Unsubscribe::verify(&key, &token).unwrap();
    MailSwitch { table: table.clone(), key }.stop(&whose).await.unwrap();
    table.put_user(&fixture.scope, &User { name: "New name".into(), ..user("u", true) }).await.unwrap();
    fixture.run(&fixture.arrived(2), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), names([1]));
    table.switch_mails(&fixture.scope, &user_id(), MailKind::AssignedLeads, true, start()).await.unwrap();
    fixture.run(&fixture.arrived(3), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), names([1, 3]));
}

#[tokio::test]
async fn an_address_that_bounces_or_complains_gets_no_more_mails() {
    let fixture = MailFixture::new().await;
    fixture.arrive(1..3).await;
    fixture.run(&fixture.arrived(1), start()).await.unwrap();
    let tags: Value = fixture.mails.state().sent[0]["EmailTags"].clone();
    let tag = |name: &str| {
        let found = tags.as_array().unwrap().iter().find(|tag| tag["Name"] == name).unwrap();
        json!([found["Value"]])
    };
    let mail = json!({ "tags": { "org": tag("org"), "user": tag("user") }, "messageId": "m" });
    let bounce = |kind: &str, address: &str| {
        let bounce =
            json!({ "bounceType": kind, "bouncedRecipients": [{ "emailAddress": address, "status": "5.1.1" }] });
        json!({ "kind": "feedback", "detail": { "eventType": "Bounce", "mail": mail, "bounce": bounce } })
    };
    let report = async |event: Value| {
        let job: AssigneeMailJob = serde_json::from_value(event).unwrap();
        fixture.run(&job, start()).await.unwrap();
        fixture.notifier.table.mail_preference(&fixture.scope, &user_id()).await.unwrap()
    };
    assert_eq!(report(bounce("Transient", "u@example.com")).await, MailPreference::default());
    assert_eq!(report(bounce("Permanent", "earlier@example.com")).await, MailPreference::default());
    let after = report(bounce("Permanent", "U@example.com")).await;
    assert_eq!(after.problem.as_ref().map(|problem| problem.reason), Some(MailProblemReason::Bounced));
    fixture.run(&fixture.arrived(2), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), names([1]));
    let complaint = json!({ "complainedRecipients": [{ "emailAddress": "u@example.com" }] });
    let after = report(json!({ "kind": "feedback", "detail": { "mail": mail, "complaint": complaint } })).await;
    assert_eq!(after.problem.map(|problem| problem.reason), Some(MailProblemReason::Complained));
    // Another address is another one.
    let moved = User { email: "new@example.com".into(), ..user("u", true) };
    fixture.notifier.table.put_user(&fixture.scope, &moved).await.unwrap();
    fixture.run(&fixture.arrived(2), start()).await.unwrap();
    assert_eq!(fixture.mails.subjects(), names([1, 2]));
}
