//! Samples of leads and of what is beside them.

use rust_decimal::Decimal;

use super::org_samples_tests::{demo, integration_id, now, page, user_id};
use crate::ids::{BulkChangeId, FormId, ImportId, LeadId, LeadgenId, RunId};
use crate::jobs::LeadJob;
use crate::model::connection::Connection;
use crate::model::conversion::{Conversion, ConversionState, UnsentReason};
use crate::model::delivery::EventSubject;
use crate::model::failure::FailureCode;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::bulk::{BulkChangePart, LeadField, ValueBefore};
use crate::model::lead::dedupe::WritePlan;
use crate::model::lead::form::{AnswerOption, ConsentBox, Form, Question};
use crate::model::lead::identity::person_keys;
use crate::model::lead::mapping::{Mapping, Rule};
use crate::model::lead::sweep_progress::{CountedForm, SweepProgress};
use crate::model::lead::trace::{Step, StepKind};
use crate::model::lead::view::LeadView;
use crate::model::lead::{Answer, Attribution, Consent, FoundBy, Lead, PersonKeyKind, Provenance, Status, Submission};
use crate::model::webhook::LeadNotice;
use crate::table::Table;
use crate::table::commit::CommitOutcome;
use crate::table::lead_erasure::LeadRemains;
use crate::table::parked::{Hold, ParkedLead};
use crate::trace::TraceId;

pub(super) async fn write(table: &Table) {
    write_leads(table).await;
    write_beside(table).await;
    write_conversions(table).await;
    write_held(table).await;
    super::file_samples_tests::write(table).await;
}

pub(super) fn lead_id(id: u64) -> LeadId {
    LeadId::from_leadgen(&leadgen_id(id))
}

pub(super) fn leadgen_id(id: u64) -> LeadgenId {
    LeadgenId::parse(&id.to_string()).unwrap()
}

pub(super) fn form_id() -> FormId {
    FormId::parse("3").unwrap()
}

pub(super) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A lead of which everything is known.
pub(super) fn lead() -> Lead {
    Lead {
        id: lead_id(1),
        leadgen_id: Some(leadgen_id(1)),
        source: "Meta".to_owned(),
        tags: vec!["Facebook Lead Ad".to_owned()],
        page_id: Some(page()),
        page_name: text("Northwind"),
        attribution: Attribution {
            platform: text("fb"),
            form_id: Some(form_id()),
            form_name: text("Trial"),
            campaign_id: text("31"),
            campaign_name: text("Spring"),
            adset_id: text("32"),
            adset_name: text("North"),
            ad_id: text("33"),
            ad_name: text("Harbour"),
            is_organic: Some(false),
            partner_name: text("A partner"),
        },
        created_time: now(),
        received_at: now(),
        found_by: FoundBy::Webhook,
        status: Status::Lost,
        note: text("Calls back in May"),
        value: Some(Decimal::new(185_050, 2)),
        currency: text("EUR"),
        lost_reason: text("Too expensive"),
        assigned_to: Some(user_id("ann")),
        assignment: Assigned { strategy: Strategy::RoundRobin, reason: Reason::Turn },
        full_name: text("Maria Lopez"),
        email: text("maria@person.example"),
        phone: text("+4930901820"),
        fields: [("city", "Bonn"), ("last_name", "Lopez")].map(|(name, value)| (name.into(), value.into())).into(),
        answers: vec![Answer {
            name: "q".to_owned(),
            label: "Which?".to_owned(),
            values: vec!["a".to_owned(), "b".to_owned()],
        }],
        consents: vec![Consent { key: "terms".to_owned(), text: text("I agree."), checked: true }],
        test: false,
        submissions_count: 2,
        provenance: provenance(),
    }
}

fn provenance() -> Provenance {
    Provenance {
        fetched_at: Some(now()),
        tries: 2,
        mapping: Some(3),
        stored_at: Some(now()),
        publication_id: text("p1"),
        import_id: ImportId::parse("imp_1").ok(),
        trace_id: TraceId::parse("trace-1"),
    }
}

async fn write_leads(table: &Table) {
    let bare = |id| Lead::new(lead_id(id), FoundBy::Import, now(), now());
    let submission = |id: u64, root: u64| Submission {
        lead_id: lead_id(root),
        id: lead_id(id),
        leadgen_id: Some(leadgen_id(id)),
        matched_by: PersonKeyKind::Email,
        platform: text("ig"),
        page_id: Some(page()),
        form_id: Some(form_id()),
        form_name: text("Trial"),
        created_time: now(),
        received_at: now(),
        found_by: FoundBy::Sweep,
        email: text("maria@person.example"),
        phone: text("+4930901820"),
        answers: lead().answers,
        consents: lead().consents,
        provenance: provenance(),
    };
    let later = Submission {
        leadgen_id: None,
        platform: None,
        page_id: None,
        form_id: None,
        form_name: None,
        email: None,
        phone: None,
        answers: Vec::new(),
        consents: Vec::new(),
        provenance: Provenance::default(),
        ..submission(4, 1)
    };
    let persons = person_keys(lead().email.as_deref(), lead().phone.as_deref());
    let claims = persons.iter().map(|person| (person.clone(), lead_id(1))).collect();
    let consent = Consent { text: None, ..lead().consents.remove(0) };
    let second = Lead { consents: vec![consent], ..bare(2) };
    let plan = WritePlan {
        creates: vec![lead(), second, bare(5), Lead { submissions_count: 1, ..bare(6) }],
        merges: vec![submission(3, 1), later, submission(7, 6)],
        claims,
        ..WritePlan::default()
    };
    let none: [&Connection; 0] = [];
    assert_eq!(table.commit(&demo(), &none, &plan, now()).await.unwrap(), CommitOutcome::Committed);
    // A lead is erased, and of another one a later submission, whose persons stay with it until then.
    let remains = LeadRemains { id: &lead_id(5), root: &lead_id(5), page: None, persons: &[] };
    assert!(table.erase_lead(&demo(), remains, now()).await.unwrap());
    let remains = LeadRemains { id: &lead_id(7), root: &lead_id(6), page: Some(&page()), persons: &persons };
    assert!(table.erase_lead(&demo(), remains, now()).await.unwrap());
    table.mark_erasure(&demo(), &EventSubject::Org, now()).await.unwrap();
}

async fn write_beside(table: &Table) {
    for step in [StepKind::Tried, StepKind::Reassigned] {
        table.note(&demo(), &lead_id(1), &Step::new(now(), step, "manual", "What happened")).await.unwrap();
    }
    table.mark_published(&demo(), "p1", now()).await.unwrap();
    table.count_latencies(&demo(), &[1, 50, 90_000], now()).await.unwrap();
    let view = LeadView { name: "Mine".to_owned(), filters: vec![("status".to_owned(), "new".to_owned())] };
    table.put_lead_view(&demo(), &user_id("ann"), &view).await.unwrap();
    let part = |part: u32, to: LeadField, before: LeadField| BulkChangePart {
        change: BulkChangeId::parse("blk_1").unwrap(),
        part,
        to,
        at: now(),
        before: [(lead_id(1), ValueBefore { field: before, assignment: lead().assignment })].into(),
    };
    let (ann, bob) = (Some(user_id("ann")), Some(user_id("bob")));
    let assigned = part(0, LeadField::AssignedTo(ann), LeadField::AssignedTo(bob));
    table.put_bulk_change(&demo(), &assigned).await.unwrap();
    let status = part(1, LeadField::Status(Status::New), LeadField::Status(Status::Lost));
    table.put_bulk_change(&demo(), &status).await.unwrap();
    let rule = Rule {
        field: "town".to_owned(),
        from: vec!["q".to_owned()],
        join: text(", "),
        default: text("Bonn"),
        choices: [("a".to_owned(), "A".to_owned())].into(),
    };
    let mapping =
        |version, rules, country| Mapping { version, rules, country, changed_at: now(), changed_by: user_id("ann") };
    assert!(table.put_mapping(&demo(), &form_id(), &mapping(1, vec![rule], text("DE"))).await.unwrap());
    let other = FormId::parse("4").unwrap();
    assert!(table.put_mapping(&demo(), &other, &mapping(1, vec![Rule::default()], None)).await.unwrap());
    let question = Question {
        key: "q".to_owned(),
        label: text("Which?"),
        kind: text("CUSTOM"),
        options: vec![AnswerOption { key: text("a"), value: text("A") }],
    };
    let consents = vec![ConsentBox { key: "terms".to_owned(), text: "I agree.".to_owned() }];
    let form = Form { name: "Trial".to_owned(), locale: text("de_DE"), questions: vec![question], consents };
    table.put_form(&page(), &form_id(), &form, now()).await.unwrap();
    table.put_form(&page(), &other, &Form::default(), now()).await.unwrap();
    table.pause(&page(), now()).await.unwrap();
    table.record_schedule_call("lead-sweep", now()).await.unwrap();
    let forms = [("3", Some([9, 1, 2])), ("4", None)].map(|(form, counts)| {
        (FormId::parse(form).unwrap(), CountedForm { counts, moved_at: now(), all_listed: true })
    });
    let connection = super::org_samples_tests::connection();
    let progress = SweepProgress { forms: forms.into(), full_at: Some(now()) };
    table.put_sweep_progress(&demo(), &connection, &progress).await.unwrap();
    table.set_social_synced(&demo(), &connection, now()).await.unwrap();
}

async fn write_conversions(table: &Table) {
    let conversion = |id, stage, state| Conversion {
        lead_id: lead_id(id),
        stage,
        reached_at: now(),
        lead_created: now(),
        state,
        settled_at: Some(now()),
        reason: Some(UnsentReason::Refused),
        detail: text("Meta's words"),
        event_name: text("Lost Lead"),
        dataset_id: crate::ids::DatasetId::parse("55").ok(),
        followed: false,
    };
    let pending = |id, stage| Conversion {
        settled_at: None,
        reason: None,
        detail: None,
        event_name: None,
        dataset_id: None,
        ..conversion(id, stage, ConversionState::Pending)
    };
    let stored = [
        pending(2, Status::New),
        pending(1, Status::New),
        pending(1, Status::Qualified),
        conversion(1, Status::Lost, ConversionState::NotSent),
    ];
    table.insert_conversions(&demo(), &stored).await.unwrap();
    let sent = [Status::New, Status::Qualified].map(|stage| conversion(1, stage, ConversionState::Sent));
    table.settle_sent(&demo(), &integration_id(), &sent).await.unwrap();
    let until = now() + jiff::SignedDuration::from_mins(1);
    assert!(table.lease_conversions(&demo(), until, false, now()).await.unwrap());
    table.release_conversions(&demo(), until, Some(now())).await.unwrap();
    assert!(table.lease_conversions(&demo(), until, true, now()).await.unwrap());
}

async fn write_held(table: &Table) {
    let parked = |id: u64, is_full: bool| {
        let filled = |value: &str| is_full.then(|| value.to_owned());
        let notice = LeadNotice {
            leadgen_id: leadgen_id(id),
            page_id: page(),
            form_id: is_full.then(form_id),
            created_time: is_full.then_some(1_767_323_045),
        };
        let job = LeadJob {
            orgid: filled("demo"),
            only_for: is_full.then(|| demo().org().clone()),
            unassigned: is_full,
            run: is_full.then(|| RunId::parse("run_1").unwrap()),
            ..LeadJob::new(notice, now(), FoundBy::Webhook)
        };
        ParkedLead {
            leadgen_id: leadgen_id(id),
            page_id: page(),
            reason: FailureCode::NotPermitted,
            evidence: "200: not permitted".to_owned(),
            parked_at: now(),
            job,
        }
    };
    for hold in [Hold::Parked, Hold::Waiting, Hold::Dismissed] {
        table.hold(&demo(), hold, &parked(8, true)).await.unwrap();
        table.hold(&demo(), hold, &parked(9, false)).await.unwrap();
    }
}
