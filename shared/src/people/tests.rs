use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::audit::{ActRule, AuditLog, AuditQuery};
use crate::ids::UserId;
use crate::inbox::tests::World;
use crate::jobs::LeadBatch;
use crate::leads::crash_tests::dies_at;
use crate::model::audit::{AuditAct, AuditFace, AuditOutcome};
use crate::model::conversion::Conversion;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::plan;
use crate::model::lead::export::LeadExport;
use crate::model::lead::query::LeadQuery;
use crate::model::lead::trace::{Step, StepKind};
use crate::model::lead::{Answer, Lead, Status};
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::table::commit::CommitOutcome;
use crate::table::tests::{at, lead};
use crate::tokens::Tokens;

const JANE: &str = "jane.roe@example.com";
const OTHER: &str = "other@example.com";

/// Org `a` with Jane, who sent three forms under two addresses and two numbers and writes on WhatsApp, and with another
/// person.
struct Town {
    world: World,
    leads: Leads,
    exports: Exports,
}

impl Town {
    async fn new() -> Self {
        let world = World::connected().await;
        let publisher = &world.fixture.publisher;
        let queue = |name: &str| format!("{}/{name}", world.fixture.endpoint);
        let leads = Leads {
            table: publisher.table.clone(),
            bus: publisher.bus.clone(),
            tokens: Tokens {
                meta: publisher.meta.clone(),
                table: publisher.table.clone(),
                checks: publisher.checks.clone(),
            },
            queue: Queue::<LeadBatch>::new(world.fixture.sqs.clone(), queue("leads")),
            searches: Queue::new(world.fixture.sqs.clone(), queue("searches")),
            key: HmacKey::new("k".into()),
        };
        let exports = Exports {
            table: leads.table.clone(),
            files: publisher.files.clone(),
            queue: Queue::new(world.fixture.sqs.clone(), queue("exports")),
            key: HmacKey::new("k".into()),
        };
        let town = Self { world, leads, exports };
        let table = &town.leads.table;
        for (id, email, phone) in [
            (1, Some(JANE), Some("+31612345679")),
            (2, Some("JANE@second.example"), Some("+31612345679")),
            (3, Some(JANE), Some("+31612345678")),
            (9, Some(OTHER), None),
        ] {
            assert!(town.arrive(&jane(id, email, phone)).await);
            let detail = if email == Some(OTHER) { "Other failed" } else { "Jane Roe failed" };
            let step = Step::new(at("2026-01-03T00:00:00Z"), StepKind::Tried, "x", detail.to_owned());
            table.note(&town.world.fixture.scope, &lead(id, None).id, &step).await.unwrap();
        }
        let conversion = Conversion::new(&lead(1, None), Status::Qualified, at("2026-01-03T00:00:00Z"));
        table.insert_conversions(&town.world.fixture.scope, &[conversion]).await.unwrap();
        let query = LeadQuery { text: Some(JANE.to_owned()), ..LeadQuery::default() };
        let export = LeadExport::new(query, UserId::parse("u").unwrap(), crate::clock::now());
        table.insert_export(&town.world.fixture.scope, &export).await.unwrap();
        town.change_lead().await;
        town.writes("31612345679", "Jane Roe", "wamid.J").await;
        town.writes("31612345670", "Other", "wamid.O").await;
        town
    }

    /// A member notes what only Jane can have said, and the act is recorded.
    async fn change_lead(&self) {
        let (table, scope) = (self.table(), &self.world.fixture.scope);
        let log = AuditLog { table: table.clone(), key: HmacKey::new("k".into()) };
        let trail = log.trail(AuditFace::Api, Some("192.0.2.7".into()), ActRule::Act(AuditAct::LeadChange));
        let id = lead(1, None).id;
        trail.about(&id);
        let member = self.world.fixture.access().await;
        let access = (*member).clone().begin(trail.clone()).await.unwrap();
        let note = json!({ "note": "Jane Roe wants it red", "lost_reason": "Roe has one", "status": "lost" });
        self.leads.change(&access, &id, serde_json::from_value(note).unwrap()).await.unwrap();
        trail.finish(AuditOutcome::Done, None).await;
        let acts = log.list(scope, &AuditQuery::default(), None, 10).await.unwrap().items;
        let fields = acts[0].changes.iter().map(|change| (change.field.as_str(), change.withheld)).collect::<Vec<_>>();
        assert_eq!(fields, [("status", false), ("note", true), ("lost_reason", true)]);
        assert_eq!(acts[0].subjects, [id.to_string()]);
    }

    /// Stores a submission as a worker does. `false` if it is stored already.
    async fn arrive(&self, lead: &Lead) -> bool {
        let (table, scope) = (&self.leads.table, &self.world.fixture.scope);
        let leads = [lead.clone()];
        let snapshot = table.dedupe_snapshot(scope, &leads).await.unwrap();
        let plan = plan(&leads, &snapshot, &Assignment::Unassigned);
        if plan.is_empty() {
            return false;
        }
        let outcome = table.commit(scope, &[], &plan, at("2026-01-02T00:00:00Z")).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
        true
    }

    async fn writes(&self, phone: &str, name: &str, mid: &str) {
        let value = json!({ "messaging_product": "whatsapp", "metadata": { "phone_number_id": "PN1" },
            "contacts": [{ "wa_id": phone, "profile": { "name": name } }],
            "messages": [{ "id": mid, "from": phone, "timestamp": "1795507200", "type": "text", "text": { "body": format!("{name} here") } }] });
        let change = json!({ "field": "messages", "value": value });
        self.world
            .deliver(&json!({ "object": "whatsapp_business_account", "entry": [{ "id": "W1", "changes": [change] }] }))
            .await;
    }

    async fn erase(&self, person: &PersonIn) -> Result<Receipt, ActError> {
        let access = self.world.fixture.access().await;
        self.people().erase(&access, person).await
    }

    fn people(&self) -> People<'_> {
        People { leads: &self.leads, inbox: &self.world.inbox, exports: &self.exports }
    }

    /// What is stored and has a text in it that could only be Jane's.
    async fn traces_of_jane(&self) -> Vec<String> {
        let stored = self.table().everything().await;
        let of_jane = ["jane", "roe", "31612345679", "31612345678"];
        let hashes: Vec<String> = [
            (Some(JANE), None),
            (Some("jane@second.example"), None),
            (None, Some("+31612345679")),
            (None, Some("+31612345678")),
        ]
        .into_iter()
        .flat_map(|(email, phone)| person_keys(email, phone))
        .map(|key| key.hash)
        .collect();
        let texts = stored.iter().map(|item| format!("{item:?}"));
        let is_of_jane = |text: &String| {
            let lower = text.to_lowercase();
            of_jane.iter().any(|word| lower.contains(word)) || hashes.iter().any(|hash| lower.contains(hash))
        };
        texts.filter(is_of_jane).collect()
    }

    fn table(&self) -> &Table {
        &self.leads.table
    }
}

fn jane(id: u64, email: Option<&str>, phone: Option<&str>) -> Lead {
    let name = if email == Some(OTHER) { "Other" } else { "Jane Roe" };
    let answer = Answer { name: "full_name".into(), label: "Name".into(), values: vec![name.into()] };
    Lead { full_name: Some(name.into()), phone: phone.map(Into::into), answers: vec![answer], ..lead(id, email) }
}

fn by_email(email: &str) -> PersonIn {
    PersonIn { email: Some(email.to_owned()), ..PersonIn::default() }
}

#[tokio::test]
async fn a_forgotten_person_is_nowhere_and_does_not_come_back() {
    let id = |number| lead(number, None).id;
    let by_lead = |number| PersonIn { lead_id: Some(id(number)), ..PersonIn::default() };
    let by_phone = |phone: &str| PersonIn { phone: Some(phone.to_owned()), ..PersonIn::default() };
    for person in [
        by_email(" Jane.Roe@EXAMPLE.com"),
        by_email("jane@second.example"),
        by_phone("+31 6 12345678"),
        by_lead(1),
        by_lead(3),
    ] {
        let town = Town::new().await;
        assert!(town.traces_of_jane().await.len() > 8);
        let others =
            town.table().everything().await.iter().filter(|item| format!("{item:?}").contains("Other")).count();
        let receipt = town.erase(&person).await.unwrap();
        assert_eq!((receipt.leads, receipt.submissions, receipt.contacts), (1, 2, 1), "{person:?}");
        assert_eq!(town.traces_of_jane().await, Vec::<String>::new(), "{person:?}");
        let left = town.table().everything().await.iter().filter(|item| format!("{item:?}").contains("Other")).count();
        assert_eq!(left, others, "another person loses nothing");
        // What Meta still lists is known, and is not a lead again.
        assert!(!town.arrive(&jane(2, Some("JANE@second.example"), None)).await);
        let scope = &town.world.fixture.scope;
        let stored = town.table().find_stored(scope, &[id(1), id(2), id(3), id(9)]).await.unwrap();
        assert_eq!(stored, BTreeSet::from([id(1), id(2), id(3), id(9)]));
        assert_eq!(town.table().find_lead(scope, &id(1)).await.unwrap(), None);
        // Asked again, nothing is left. A new form of the person is a new lead.
        let again = town.erase(&person).await.unwrap();
        assert_eq!((again.leads, again.submissions, again.contacts), (0, 0, 0));
        assert!(town.arrive(&jane(4, Some(JANE), None)).await);
        assert_eq!(town.erase(&by_email(JANE)).await.unwrap().leads, 1);
        let access = town.world.fixture.access().await;
        let receipts = town.people().receipts(&access).await.unwrap().items;
        assert_eq!(receipts.iter().map(|receipt| receipt.leads).collect::<Vec<_>>(), [1, 0, 1]);
        assert!(!serde_json::to_string(&receipts).unwrap().to_lowercase().contains("jane"));
    }
}

#[tokio::test]
async fn an_erasure_that_stops_at_any_point_goes_on_when_it_is_repeated() {
    let mut points = 0;
    for point in 0.. {
        assert!(point < 300, "the work does not come to an end");
        let town = Town::new().await;
        let person = by_email("jane@second.example");
        let finished = dies_at(point, town.erase(&person)).await;
        town.erase(&person).await.unwrap();
        assert_eq!(town.traces_of_jane().await, Vec::<String>::new(), "{point}");
        if finished.is_some() {
            points = point;
            break;
        }
    }
    assert!(points > 10, "only {points} points at which it could stop");
}

#[tokio::test]
async fn a_form_that_comes_during_the_erasure_is_erased_with_the_rest_or_is_a_lead_of_its_own() {
    for point in 0..40 {
        let town = Town::new().await;
        // It reads while the lead is there, and writes when that may be gone.
        let late = [jane(5, Some(JANE), None)];
        let (table, scope) = (town.table(), &town.world.fixture.scope);
        let snapshot = table.dedupe_snapshot(scope, &late).await.unwrap();
        let plan = plan(&late, &snapshot, &Assignment::Unassigned);
        let _ = dies_at(point, town.erase(&by_email(JANE))).await;
        let outcome = table.commit(scope, &[], &plan, at("2026-01-02T00:00:00Z")).await.unwrap();
        town.erase(&by_email(JANE)).await.unwrap();
        if outcome == CommitOutcome::Committed {
            assert_eq!(town.traces_of_jane().await, Vec::<String>::new(), "{point}");
        } else {
            assert!(town.arrive(&late[0]).await);
            assert!(matches!(
                table.find_lead(scope, &late[0].id).await.unwrap(),
                Some(crate::table::lead::StoredLead::Lead(_))
            ));
        }
    }
}

#[tokio::test]
async fn who_is_meant_is_said_once_and_wholly() {
    let town = Town::new().await;
    let both = PersonIn { phone: Some("+31612345679".to_owned()), ..by_email(JANE) };
    let half = PersonIn { phone: Some("123".to_owned()), ..PersonIn::default() };
    for (person, field) in
        [(PersonIn::default(), None), (both, None), (by_email("jane@"), Some("email")), (half, Some("phone"))]
    {
        let Err(ActError::Refused(refusal)) = town.erase(&person).await else { panic!("{person:?}") };
        assert_eq!(refusal.field.as_deref(), field, "{person:?}");
    }
    assert!(town.traces_of_jane().await.len() > 8);
}
