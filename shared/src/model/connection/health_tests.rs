//! Tests of the health report: each cause fails its own check.

use crate::model::connection::Integration;
use crate::model::connection::check::{Check, CheckId, CheckStatus};
use crate::model::connection::diagnosis::{LeadsDenied, Observed, PageObservation, Subscription};
use crate::model::connection::health::*;
use crate::model::connection::state::{ConnectionEnd, EndReason};
use crate::model::connection::tests::{connection, integration};
use crate::model::failure::FailureCode;
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn page() -> PageHealth {
    PageHealth {
        observation: PageObservation {
            tasks: Ok(vec!["ADVERTISE".to_owned(), "MANAGE".to_owned()]),
            subscription: Ok(Subscription::Fields(vec!["leadgen".to_owned()])),
            lead_access: Ok(Ok(())),
            ..PageObservation::from_stored(&connection())
        },
        lost: None,
        forms: Ok(vec![("Form".to_owned(), true)]),
        connected_at: at("2026-01-01T00:00:00Z"),
        last_webhook_at: Some(at("2026-03-01T11:00:00Z")),
        last_lead_at: Some(at("2026-03-01T11:00:00Z")),
        last_test_lead_at: None,
        quiet_since: None,
    }
}

fn seen(pages: Vec<PageHealth>) -> HealthObservation {
    let scopes = vec!["leads_retrieval".to_owned()];
    let integration = Integration { asked_scopes: scopes.clone(), scopes, ..integration() };
    let whatsapp = Some(vec![("+49 30 1".to_owned(), Ok(true))]);
    HealthObservation { integration, token: Ok(()), pages, queued: Ok(0), parked: vec![], waiting: vec![], whatsapp }
}

fn end(reason: EndReason) -> ConnectionEnd {
    ConnectionEnd { reason, since: at("2026-03-01T11:00:00Z"), evidence: String::new() }
}

fn status(seen: &HealthObservation, id: CheckId) -> CheckStatus {
    let report = report(seen, at("2026-03-01T12:00:00Z"));
    let check = report.iter().find(|check| check.id == id).unwrap();
    assert!(!check.evidence.is_empty());
    assert!(check.status != CheckStatus::Fail || check.fix.is_some(), "{id} fails and names no fix");
    check.status
}

#[test]
fn all_is_well_when_all_is_well() {
    let report = report(&seen(vec![page(), page()]), at("2026-03-01T12:00:00Z"));
    assert!(report.iter().all(|check| check.status == CheckStatus::Pass && check.fix.is_none()), "{report:#?}");
}

#[test]
fn each_cause_fails_its_own_check_and_no_other() {
    type Cause = (CheckId, fn(&mut HealthObservation));
    let causes: [Cause; 13] = [
        (CheckId::Token, |seen| seen.integration.ended = Some(end(EndReason::PasswordChanged))),
        (CheckId::Token, |seen| seen.pages[1].lost = Some(EndReason::PageRoleLost)),
        (CheckId::Scopes, |seen| seen.integration.asked_scopes.push("pages_manage_ads".to_owned())),
        (CheckId::PageTasks, |seen| seen.pages[1].observation.tasks = Ok(vec!["MANAGE".to_owned()])),
        (CheckId::Subscription, |seen| {
            seen.pages[1].observation.subscription = Ok(Subscription::Fields(vec!["feed".to_owned()]));
        }),
        (CheckId::LeadAccess, |seen| {
            seen.pages[1].observation.lead_access =
                Ok(Err(LeadsDenied { reason: "no".to_owned(), fix: "do".to_owned() }));
        }),
        (CheckId::Forms, |seen| seen.pages[1].forms = Ok(vec![("Old".to_owned(), false)])),
        (CheckId::Forms, |seen| seen.pages[1].forms = Ok(vec![])),
        (CheckId::LastWebhook, |seen| seen.pages.iter_mut().for_each(|page| page.last_webhook_at = None)),
        (CheckId::Backlog, |seen| seen.parked.push(FailureCode::TokenDead)),
        (CheckId::Backlog, |seen| seen.waiting.push(FailureCode::Throttled)),
        (CheckId::Backlog, |seen| seen.queued = Ok(5000)),
        (CheckId::Whatsapp, |seen| {
            let other = [("+49 30 2".to_owned(), Ok(false)), ("+49 30 3".to_owned(), Err("no answer".to_owned()))];
            seen.whatsapp.as_mut().unwrap().extend(other);
        }),
    ];
    for (id, cause) in causes {
        let mut seen = seen(vec![page(), page()]);
        cause(&mut seen);
        for check in report(&seen, at("2026-03-01T12:00:00Z")) {
            let expect = if check.id == id { CheckStatus::Fail } else { CheckStatus::Pass };
            assert_eq!(status(&seen, check.id), expect, "{} when {id} is wrong", check.id);
        }
    }
}

#[test]
fn tests_without_real_leads_point_to_development_mode() {
    let quiet = || PageHealth { last_lead_at: None, last_webhook_at: None, ..page() };
    assert_eq!(status(&seen(vec![quiet()]), CheckId::AppMode), CheckStatus::Unknown);
    let tested = PageHealth { last_test_lead_at: Some(at("2026-03-01T11:00:00Z")), ..quiet() };
    assert_eq!(status(&seen(vec![tested]), CheckId::AppMode), CheckStatus::Fail);
    assert_eq!(status(&seen(vec![quiet()]), CheckId::LastLead), CheckStatus::Unknown);
}

/// A page with this name that is silent, after its last lead at this time.
fn silent(name: &str, last_lead_at: &str) -> PageHealth {
    let observation = PageObservation { name: name.to_owned(), ..page().observation };
    PageHealth {
        observation,
        last_lead_at: Some(at(last_lead_at)),
        last_webhook_at: Some(at(last_lead_at)),
        quiet_since: Some(at("2026-02-20T00:00:00Z")),
        ..page()
    }
}

fn find(seen: &HealthObservation, id: CheckId) -> Check {
    report(seen, at("2026-03-01T12:00:00Z")).into_iter().find(|check| check.id == id).unwrap()
}

#[test]
fn a_lively_page_hides_no_silent_one_and_silence_alone_fails_nothing() {
    let lively =
        PageHealth { observation: PageObservation { name: "Lively".to_owned(), ..page().observation }, ..page() };
    let check = find(&seen(vec![lively, silent("Silent", "2026-02-01T00:00:00Z")]), CheckId::LastLead);
    assert_eq!((check.status, check.page_ids.len()), (CheckStatus::Unknown, 1), "{check:?}");
    assert!(check.evidence.contains("Silent has sent no lead since 2026-02-01T00:00:00Z"), "{check:?}");
    assert!(check.evidence.contains("Lively has sent some") && check.fix.is_some(), "{check:?}");
    let both = [silent("One", "2026-02-02T00:00:00Z"), silent("Two", "2026-02-01T00:00:00Z")];
    let check = find(&seen(both.into()), CheckId::LastLead);
    assert_eq!((check.status, check.page_ids.len()), (CheckStatus::Unknown, 2));
    assert!(
        check.evidence.contains("Leadwire can receive leads: One") && !check.evidence.contains(": Two"),
        "{check:?}"
    );
    // Nothing shows that leads can arrive if no page had one since.
    let check = find(&seen(vec![silent("One", "2026-02-02T00:00:00Z")]), CheckId::LastLead);
    assert!(check.status == CheckStatus::Unknown && !check.evidence.contains("can receive"), "{check:?}");
}

#[test]
fn a_page_without_leads_or_with_few_is_not_called_silent() {
    let new = PageHealth { last_lead_at: None, last_webhook_at: None, ..page() };
    let rare = PageHealth { quiet_since: None, ..silent("Rare", "2026-01-02T00:00:00Z") };
    let lost = PageHealth { lost: Some(EndReason::PageRoleLost), ..silent("Lost", "2026-02-01T00:00:00Z") };
    let seen = seen(vec![page(), new, rare, lost]);
    assert_eq!(status(&seen, CheckId::LastLead), CheckStatus::Pass);
    assert_eq!(status(&seen, CheckId::LastWebhook), CheckStatus::Pass);
}

#[test]
fn a_page_whose_leads_come_without_webhooks_is_named_and_fails_only_if_all_do() {
    let unreported = || PageHealth { last_webhook_at: Some(at("2026-02-20T00:00:00Z")), ..page() };
    let check = find(&seen(vec![page(), unreported()]), CheckId::LastWebhook);
    assert_eq!((check.status, check.page_ids.len()), (CheckStatus::Unknown, 1), "{check:?}");
    assert!(check.fix.is_some());
    assert_eq!(status(&seen(vec![unreported(), unreported()]), CheckId::LastWebhook), CheckStatus::Fail);
    let never = PageHealth { last_webhook_at: None, ..page() };
    assert_eq!(status(&seen(vec![page(), never]), CheckId::LastWebhook), CheckStatus::Unknown);
}

#[test]
fn what_cannot_be_seen_is_unknown_and_hides_no_failure() {
    let with = |subscription: Observed<Subscription>| {
        let page = page();
        PageHealth { observation: PageObservation { subscription, ..page.observation.clone() }, ..page }
    };
    let dark = || with(Err("no answer".to_owned()));
    assert_eq!(status(&seen(vec![page(), dark()]), CheckId::Subscription), CheckStatus::Unknown);
    let lost = with(Ok(Subscription::Fields(vec![])));
    assert_eq!(status(&seen(vec![dark(), lost]), CheckId::Subscription), CheckStatus::Fail);
}
