//! Changes of several leads that fail half way, that are sent twice, and that are undone after use.

use super::Leads;
use super::test_support::{FakeServices, ingest};
use crate::directory::Access;
use crate::error::ErrorCode;
use crate::ids::{BulkChangeId, LeadId, OrgId, UserId};
use crate::model::caller::{Caller, Role};
use crate::model::lead::assignment::{Assigned, Assignment, Reason, Strategy};
use crate::model::lead::bulk::LeadField;
use crate::model::lead::dedupe::WritePlan;
use crate::model::lead::{Lead, Status};
use crate::secret::HmacKey;
use crate::table::lead_list::LeadFilter;
use crate::table::tests::{at, lead, scope};
use crate::tokens::Tokens;

/// It was Bob's turn.
const BY_TURN: Assigned = Assigned { strategy: Strategy::RoundRobin, reason: Reason::Turn };

struct BulkFixture {
    leads: Leads,
    access: Access,
    services: FakeServices,
    ids: Vec<LeadId>,
}

fn user(id: &str) -> Option<UserId> {
    UserId::parse(id).ok()
}

impl BulkFixture {
    /// Org `a` with five leads of Bob, whose turn it was.
    async fn new() -> Self {
        let (ingest, services) = ingest(Assignment::RoundRobin).await;
        let (table, bus) = (ingest.writer.table, ingest.writer.bus);
        let of_bob = |id| Lead { assigned_to: user("bob"), assignment: BY_TURN, ..lead(id, None) };
        let creates: Vec<Lead> = (1..=5).map(of_bob).collect();
        let ids = creates.iter().map(|lead| lead.id.clone()).collect();
        let plan = WritePlan { creates, ..WritePlan::default() };
        table.commit(&scope("a"), &[], &plan, at("2026-01-01T00:00:00Z")).await.unwrap();
        let tokens = Tokens { meta: ingest.meta, table: table.clone(), checks: ingest.checks };
        let key = HmacKey::new("k".into());
        let leads = Leads { table, bus, tokens, queue: services.queue(), searches: services.queue(), key };
        let admin = Caller {
            user: UserId::parse("u").unwrap(),
            name: None,
            email: None,
            role: Role::Admin,
            orgs: vec![OrgId::parse("a").unwrap()],
            is_program: false,
        };
        Self { leads, access: Access::new(admin, Some("a")).unwrap(), services, ids }
    }

    async fn assignees(&self) -> Vec<(Option<UserId>, Assigned)> {
        let filter = LeadFilter::default();
        let leads = self.leads.table.leads(&scope("a"), &filter, None, 9).await.unwrap().0;
        leads.into_iter().map(|lead| (lead.assigned_to, lead.assignment)).collect()
    }
}

#[tokio::test]
async fn what_is_stored_and_not_published_is_told_and_can_be_undone_as_if_it_had_never_been() {
    let town = BulkFixture::new().await;
    let (change, to) = (BulkChangeId::new(), LeadField::AssignedTo(user("ann")));
    town.services.recorded().rejects_events = true;
    let outcome = town.leads.change_several(&town.access, (&change, 0), &town.ids, &to).await.unwrap();
    assert!(outcome.failure.is_some() && outcome.can_be_undone, "{outcome:?}");
    assert_eq!(outcome.changed, 0);
    assert!(town.assignees().await.iter().all(|(to, _)| *to == user("ann")), "each was brought to its end");
    town.services.recorded().rejects_events = false;

    // The same again, as the reader is told to do, takes nothing from the way back.
    let outcome = town.leads.change_several(&town.access, (&change, 0), &town.ids, &to).await.unwrap();
    assert!(outcome.failure.is_none() && outcome.can_be_undone, "{outcome:?}");
    assert_eq!(outcome.changed, 5);
    let undone = town.leads.undo_several(&town.access, &change).await.unwrap();
    assert_eq!((undone.restored, undone.kept, undone.has_more), (5, 0, false));
    assert_eq!(town.assignees().await, vec![(user("bob"), BY_TURN); 5], "with the turn that it was");
}

#[tokio::test]
async fn nothing_is_changed_for_someone_who_takes_no_leads() {
    let town = BulkFixture::new().await;
    for no_one in ["dee", "eve"] {
        let (change, to) = (BulkChangeId::new(), LeadField::AssignedTo(user(no_one)));
        let error = town.leads.change_several(&town.access, (&change, 0), &town.ids, &to).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::UserUnknown);
        let error = town.leads.undo_several(&town.access, &change).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::NotFound, "there is no way back from nothing");
    }
    assert_eq!(town.assignees().await, vec![(user("bob"), BY_TURN); 5]);
}

#[tokio::test]
async fn parts_are_undone_from_the_last_one_and_an_undoing_that_failed_goes_on() {
    let town = BulkFixture::new().await;
    let (change, lost) = (BulkChangeId::new(), LeadField::Status(Status::Lost));
    let gone = LeadId::parse("meta-77").unwrap();
    let last = [&town.ids[3..], &[gone]].concat();
    for (part, leads) in [(0, &town.ids[..3]), (1, &last)] {
        let outcome = town.leads.change_several(&town.access, (&change, part), leads, &lost).await.unwrap();
        assert!(outcome.failure.is_none());
        assert_eq!((outcome.changed, outcome.gone), if part == 0 { (3, 0) } else { (2, 1) });
    }
    town.services.recorded().rejects_events = true;
    assert!(town.leads.undo_several(&town.access, &change).await.is_err());
    town.services.recorded().rejects_events = false;
    let last = town.leads.undo_several(&town.access, &change).await.unwrap();
    assert!(last.has_more, "the first part is left");
    let first = town.leads.undo_several(&town.access, &change).await.unwrap();
    assert_eq!((first.restored, first.has_more), (3, false));
    let filter = LeadFilter { status: Some(Status::New), ..LeadFilter::default() };
    assert_eq!(town.leads.table.count_listed(&scope("a"), &filter).await.unwrap(), (5, true));
}
