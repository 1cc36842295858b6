//! Integrations, their pages, their notices and their ends, against an in-process DynamoDB.

use super::integration::{Findings, IntegrationSettings};
use super::notice::{ClaimOutcome, NoticeAbout, NoticeTo};
use super::tests::{at, connection, empty_table, integration, scope};
use super::*;
use crate::ids::{IntegrationId, OrgId, OrgScope, PageId, UserId};
use crate::model::connection::login::{Login, LoginClaim, LoginOutcome};
use crate::model::connection::state::{ConnectionEnd, EndReason};
use crate::model::connection::{ConnectedBy, Connection, Integration, Lifecycle, PageSelection};
use crate::model::lead::assignment::Assignment;
use crate::table::erasure::Erasure;

fn ours() -> Integration {
    integration(Assignment::Unassigned)
}

async fn with_ours(next_check: &str) -> (Table, OrgScope) {
    let (table, a) = (empty_table().await, scope("a"));
    assert!(table.insert_integration(&a, &ours(), Some(at(next_check))).await.unwrap());
    (table, a)
}

fn findings(ended: Option<ConnectionEnd>) -> Findings {
    Findings {
        token_expires_at: None,
        data_access_expires_at: None,
        scopes: vec![],
        granted_for: Default::default(),
        ended,
        missed_since: None,
        notices_since: at("2026-01-01T00:00:00Z"),
        checked_at: at("2026-01-02T00:00:00Z"),
    }
}

fn revoked() -> ConnectionEnd {
    ConnectionEnd { reason: EndReason::PasswordChanged, since: at("2026-01-02T00:00:00Z"), evidence: "190/460".into() }
}

#[tokio::test]
async fn connecting_again_keeps_what_an_admin_set_and_ends_what_had_ended() {
    let (table, a) = with_ours("2026-01-02T00:00:00Z").await;
    let settings = IntegrationSettings { name: Some("Mine".into()), ..IntegrationSettings::default() };
    assert!(table.set_settings(&a, &ours().id, &settings).await.unwrap());
    assert!(table.record_findings(&a, &ours(), &findings(Some(revoked())), at("2026-01-03T00:00:00Z")).await.unwrap());
    let again =
        Integration { connected_at: at("2026-02-01T00:00:00Z"), created_at: at("2026-02-01T00:00:00Z"), ..ours() };
    assert!(table.replace_integration(&a, &again, Some(at("2026-02-02T00:00:00Z"))).await.unwrap());
    let now = table.integration(&a, &ours().id).await.unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.ended, now.created_at), ("Mine", None, ours().created_at));
    assert_eq!(now.connected_at, again.connected_at);
}

#[tokio::test]
async fn findings_about_an_earlier_token_are_dropped() {
    let (table, a) = with_ours("2026-01-02T00:00:00Z").await;
    let seen = ours();
    let again = Integration { connected_at: at("2026-02-01T00:00:00Z"), ..ours() };
    assert!(table.replace_integration(&a, &again, Some(at("2026-02-02T00:00:00Z"))).await.unwrap());
    assert!(!table.record_findings(&a, &seen, &findings(Some(revoked())), at("2026-01-03T00:00:00Z")).await.unwrap());
    assert!(
        !table.begin_ending(&a, &seen, &revoked(), Lifecycle::Releasing, at("2026-01-03T00:00:00Z")).await.unwrap()
    );
    table.schedule_check(&a, &seen, None).await.unwrap();
    assert_eq!(
        table.due_integrations(None).await.unwrap().len(),
        1,
        "nobody who saw the earlier one takes it off the list"
    );
    assert_eq!(table.integration(&a, &seen.id).await.unwrap().unwrap().ended, None);
}

#[tokio::test]
async fn settings_of_nobody_make_nobody() {
    let (table, a) = (empty_table().await, scope("a"));
    let settings = IntegrationSettings { name: Some("Mine".into()), ..IntegrationSettings::default() };
    assert!(!table.set_settings(&a, &ours().id, &settings).await.unwrap());
    assert!(!table.begin_removal(&a, &ours().id, at("2026-01-02T00:00:00Z")).await.unwrap());
    assert_eq!(table.integrations(&a).await.unwrap(), []);
}

#[tokio::test]
async fn whose_turn_has_come_is_found_without_a_scan_and_handed_out_once() {
    let (table, a) = with_ours("2026-01-02T00:00:00Z").await;
    let due = async |until: Option<&str>| table.due_integrations(until.map(at)).await.unwrap();
    assert!(due(Some("2026-01-01T23:59:59Z")).await.is_empty());
    let first = due(Some("2026-01-02T00:00:00Z")).await;
    assert_eq!((first[0].scope.clone(), first[0].id.clone()), (a.clone(), ours().id));
    assert_eq!(due(None).await, first, "everything, due or not");
    table.postpone_check(&first[0], at("2026-01-02T02:00:00Z")).await.unwrap();
    assert!(due(Some("2026-01-02T01:00:00Z")).await.is_empty());
    // A second planner saw it at its old position and comes too late.
    table.postpone_check(&first[0], at("2026-01-05T00:00:00Z")).await.unwrap();
    assert_eq!(due(Some("2026-01-02T02:00:00Z")).await.len(), 1);
    table.schedule_check(&a, &ours(), None).await.unwrap();
    assert!(due(None).await.is_empty(), "nothing to look at any more");
    table.postpone_check(&first[0], at("2026-01-05T00:00:00Z")).await.unwrap();
    assert!(due(None).await.is_empty(), "and nobody brings it back");
}

#[tokio::test]
async fn a_deletion_ends_only_what_is_still_being_deleted() {
    let (table, a) = with_ours("2026-01-09T00:00:00Z").await;
    table.delete_integration(&a, &ours().id).await.unwrap();
    assert_eq!(table.integrations(&a).await.unwrap().len(), 1, "it was not marked");
    assert!(table.begin_removal(&a, &ours().id, at("2026-01-02T00:00:00Z")).await.unwrap());
    assert_eq!(table.due_integrations(Some(at("2026-01-02T00:00:00Z"))).await.unwrap().len(), 1, "first in line");
    table.delete_integration(&a, &ours().id).await.unwrap();
    table.delete_integration(&a, &ours().id).await.unwrap();
    assert_eq!(table.integrations(&a).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_on_its_way_out_is_not_connected_again() {
    let (table, a) = with_ours("2026-01-09T00:00:00Z").await;
    assert!(!table.insert_integration(&a, &ours(), None).await.unwrap(), "there is one already");
    assert!(table.begin_ending(&a, &ours(), &revoked(), Lifecycle::Erasing, at("2026-01-02T00:00:00Z")).await.unwrap());
    assert!(!table.replace_integration(&a, &ours(), None).await.unwrap(), "it is being erased");
    table.end_erasure(&a, &ours()).await.unwrap();
    assert!(table.replace_integration(&a, &ours(), None).await.unwrap());
    assert!(table.begin_removal(&a, &ours().id, at("2026-01-02T00:00:00Z")).await.unwrap());
    assert!(!table.replace_integration(&a, &ours(), None).await.unwrap(), "it is being deleted");
    assert!(!table.record_findings(&a, &ours(), &findings(None), at("2026-01-03T00:00:00Z")).await.unwrap());
    assert_eq!(table.due_integrations(Some(at("2026-01-02T00:00:00Z"))).await.unwrap().len(), 1, "still first in line");
    table.delete_integration(&a, &ours().id).await.unwrap();
    assert!(!table.replace_integration(&a, &ours(), None).await.unwrap(), "it is gone");
    assert_eq!(table.integrations(&a).await.unwrap(), []);
}

#[tokio::test]
async fn a_notice_is_claimed_once_and_a_dead_claim_is_taken_over() {
    use ClaimOutcome::{Held, Mine, Sent};
    let (table, a, id) = (empty_table().await, scope("a"), ours().id);
    let recipient = NoticeTo {
        about: NoticeAbout::Integration(&id),
        since: at("2026-01-01T00:00:00Z"),
        notice: "7d",
        to: "user-ann",
    };
    let claim = async |recipient, now: &str| table.claim_notice(&a, recipient, at(now)).await.unwrap();
    assert_eq!(claim(recipient, "2026-01-02T00:00:00Z").await, Mine);
    assert_eq!(claim(recipient, "2026-01-02T00:04:59Z").await, Held, "somebody is at it");
    assert_eq!(claim(recipient, "2026-01-02T00:05:00Z").await, Mine, "whoever was at it is dead");
    table.release_notice(&a, recipient).await.unwrap();
    assert_eq!(claim(recipient, "2026-01-02T00:16:00Z").await, Mine, "it could not be sent, and is tried again");
    table.notice_sent(&a, recipient, at("2026-01-02T00:16:01Z")).await.unwrap();
    assert_eq!(claim(recipient, "2026-03-02T00:00:00Z").await, Sent);
    assert_eq!(claim(NoticeTo { to: "user-bob", ..recipient }, "2026-01-02T00:17:00Z").await, Mine);
    let next_life = NoticeTo { since: at("2026-02-01T00:00:00Z"), ..recipient };
    assert_eq!(claim(next_life, "2026-02-02T00:00:00Z").await, Mine);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_claims_at_once_one_is_granted() {
    let (table, a, id) = (empty_table().await, scope("a"), ours().id);
    let recipient = NoticeTo {
        about: NoticeAbout::Integration(&id),
        since: at("2026-01-01T00:00:00Z"),
        notice: "ended",
        to: "bus",
    };
    let claims: Vec<_> = (0..16).map(|_| table.claim_notice(&a, recipient, at("2026-01-02T00:00:00Z"))).collect();
    let granted = futures_util::future::join_all(claims).await;
    assert_eq!(granted.into_iter().filter(|granted| *granted.as_ref().unwrap() == ClaimOutcome::Mine).count(), 1);
}

#[tokio::test]
async fn a_person_s_integrations_are_found_in_every_org_by_the_hash_alone() {
    let (table, id) = (empty_table().await, ours().id);
    for org in ["a", "b"] {
        table.remember_person(&scope(org), &id, "hash").await.unwrap();
        table.remember_person(&scope(org), &id, "hash").await.unwrap();
    }
    assert_eq!(
        table.integrations_of_person("hash").await.unwrap(),
        [(scope("a"), id.clone()), (scope("b"), id.clone())]
    );
    table.forget_person(&scope("a"), &id, "hash").await.unwrap();
    assert_eq!(table.integrations_of_person("hash").await.unwrap(), [(scope("b"), id)]);
    assert!(table.integrations_of_person("has").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_erasure_is_done_when_its_integrations_are() {
    let (table, a) = with_ours("2026-01-09T00:00:00Z").await;
    let now = at("2026-01-02T00:00:00Z");
    let erasure = Erasure { requested_at: now, integrations: vec![(OrgId::parse("a").unwrap(), ours().id)] };
    table.record_erasure("code", &erasure).await.unwrap();
    assert!(table.begin_ending(&a, &ours(), &revoked(), Lifecycle::Erasing, now).await.unwrap());
    assert_eq!(table.still_erasing(&erasure).await.unwrap(), 1);
    // Meta asks again while the work is half done: the first request stands.
    let again = Erasure { requested_at: at("2026-01-03T00:00:00Z"), integrations: vec![] };
    table.record_erasure("code", &again).await.unwrap();
    assert_eq!(table.erasure("code").await.unwrap(), Some(erasure.clone()));
    let marked = table.integration(&a, &ours().id).await.unwrap().unwrap();
    table.end_erasure(&a, &marked).await.unwrap();
    assert_eq!(table.still_erasing(&erasure).await.unwrap(), 0);
    let left = table.integration(&a, &ours().id).await.unwrap().unwrap();
    assert_eq!((left.name, left.credentials.len(), left.connected_by.name), (ours().name, 0, None));
    assert_eq!(table.erasure("cod").await.unwrap(), None);
}

#[tokio::test]
async fn a_lesser_ending_never_replaces_a_greater_one() {
    use Lifecycle::{Erasing, Live, Releasing, Removing};
    let now = at("2026-01-02T00:00:00Z");
    for (first, second, expect) in [
        (Releasing, Erasing, Erasing),
        (Erasing, Releasing, Erasing),
        (Removing, Releasing, Removing),
        (Removing, Erasing, Removing),
    ] {
        let (table, a) = with_ours("2026-01-09T00:00:00Z").await;
        let id = ours().id;
        let lifecycle = async || table.integration(&a, &id).await.unwrap().unwrap().lifecycle;
        assert_eq!(lifecycle().await, Live);
        match first {
            Removing => assert!(table.begin_removal(&a, &id, now).await.unwrap()),
            first => assert!(table.begin_ending(&a, &ours(), &revoked(), first, now).await.unwrap()),
        }
        assert!(table.begin_ending(&a, &ours(), &revoked(), second, now).await.unwrap(), "{first:?} {second:?}");
        assert_eq!(lifecycle().await, expect, "{first:?} {second:?}");
        // Finishing the lesser one does not revive the integration.
        match second {
            Releasing => table.end_release(&a, &ours()).await.unwrap(),
            _ if expect == Removing => table.end_erasure(&a, &ours()).await.unwrap(),
            _ => {}
        }
        assert_eq!(lifecycle().await, expect, "{first:?} {second:?}");
        let erasure = Erasure { requested_at: now, integrations: vec![(OrgId::parse("a").unwrap(), id.clone())] };
        assert_eq!(table.still_erasing(&erasure).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn leads_are_taken_from_chosen_pages_only() {
    let (table, a) = (empty_table().await, scope("a"));
    table.save_connection(&a, &connection("a")).await.unwrap();
    for selection in [PageSelection::Deselected, PageSelection::Withdrawn] {
        assert!(table.select_page(&a, &connection("a"), selection, at("2026-02-01T00:00:00Z")).await.unwrap());
        assert!(table.connections_of_page(&connection("a").page_id).await.unwrap().is_empty());
        assert!(table.connections(&a).await.unwrap().is_empty());
        assert!(!table.is_connected(&a, &connection("a")).await.unwrap());
        assert_eq!(table.pages(&a).await.unwrap().len(), 1);
    }
    assert!(
        table.select_page(&a, &connection("a"), PageSelection::Connected, at("2026-03-01T00:00:00Z")).await.unwrap()
    );
    assert_eq!(table.connections(&a).await.unwrap()[0].connected_at, at("2026-03-01T00:00:00Z"));
}

#[tokio::test]
async fn a_connection_saved_again_keeps_what_it_has_counted() {
    let table = empty_table().await;
    let a = scope("a");
    let mut counted = connection("a");
    counted.leads_count = 5;
    counted.last_lead_at = Some(at("2026-02-01T00:00:00Z"));
    table.save_connection(&a, &counted).await.unwrap();
    let again = Connection { page_name: "Renamed".into(), connected_at: at("2026-05-01T00:00:00Z"), ..connection("a") };
    table.save_connection(&a, &again).await.unwrap();
    let expect = Connection { page_name: "Renamed".into(), ..counted.clone() };
    assert_eq!(table.connections(&a).await.unwrap(), std::slice::from_ref(&expect));
    table.delete_connection(&a, &expect).await.unwrap();
    table.record_page(&a, &expect, &["feed".into()], None).await.unwrap();
    assert!(!table.select_page(&a, &expect, PageSelection::Connected, at("2026-05-01T00:00:00Z")).await.unwrap());
    assert!(table.connections(&a).await.unwrap().is_empty(), "what was deleted is not brought back by a late answer");
}

#[tokio::test]
async fn the_same_page_in_two_orgs_is_two_connections() {
    let table = empty_table().await;
    table.save_connection(&scope("a"), &connection("a")).await.unwrap();
    table.save_connection(&scope("b"), &connection("b")).await.unwrap();
    assert_eq!(table.connections_of_page(&connection("a").page_id).await.unwrap().len(), 2);
    assert_eq!(table.connections(&scope("a")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_pages_of_an_integration_are_read_without_those_of_others() {
    let table = empty_table().await;
    let a = scope("a");
    let ids = [IntegrationId::new(), IntegrationId::new()];
    for (integration, page) in [(&ids[0], "1"), (&ids[0], "2"), (&ids[1], "3")] {
        let page_id = PageId::parse(page).unwrap();
        let page = Connection { integration_id: integration.clone(), page_id, ..connection("a") };
        table.save_connection(&a, &page).await.unwrap();
    }
    let pages = async |id: &IntegrationId| -> Vec<String> {
        let pages = table.pages_of(&a, id).await.unwrap();
        pages.into_iter().map(|page| page.page_id.to_string()).collect()
    };
    assert_eq!(pages(&ids[0]).await, ["1", "2"]);
    assert_eq!(pages(&ids[1]).await, ["3"]);
    assert!(pages(&IntegrationId::new()).await.is_empty());
    assert_eq!(table.pages(&a).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_login_can_be_claimed_once() {
    let table = empty_table().await;
    let login = Login {
        reconnects: false,
        replace: false,
        renews: false,
        nonce: "n".into(),
        org: OrgId::parse("a").unwrap(),
        user: ConnectedBy { user_id: UserId::parse("u").unwrap(), name: Some("U".into()) },
        return_url: "https://crm.example/x?y=1".parse().unwrap(),
        redirect_uri: "https://crm.example/cb".parse().unwrap(),
        integration_id: IntegrationId::new(),
        browser: None,
        scopes: vec!["a".into()],
        name: Some("N".into()),
        description: None,
        assignment: None,
        expires_at: at("2026-01-01T00:10:00Z"),
        claim: None,
    };
    table.begin_login(&login).await.unwrap();
    let claim = |time: &str| LoginClaim { at: at(time), outcome: None };
    let (one, other) = (claim("2026-01-01T00:00:00Z"), claim("2026-01-01T00:00:01Z"));
    let (first, second) = tokio::join!(table.claim_login(&login, &one), table.claim_login(&login, &other));
    assert_ne!(first.as_ref().unwrap(), second.as_ref().unwrap(), "one of two gets it");
    let won = if first.unwrap() { one } else { other };
    let ended = LoginClaim { outcome: Some(LoginOutcome::Denied), ..won };
    table.end_login(&login, &ended).await.unwrap();
    let stored = Login { claim: Some(ended), ..login };
    assert_eq!(table.login("n").await.unwrap(), Some((scope("a"), stored)));
    assert_eq!(table.login("unknown").await.unwrap(), None);
}
