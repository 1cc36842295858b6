//! Messages that releases sent are read by this one: when a release starts, those of the one before are still in the queues,
//! and after a rollback those of the one after.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    AdsSyncJob, AnswerJob, AssigneeMailJob, AttachmentJob, CheckJob, ConversionJob, DeliveryJob, EngagementJob,
    ExportJob, Job, LeadBatch, LeadJob, PublishJob, PublishWork, RetentionJob, SocialSyncJob, SweepJob, SweepKind,
    TryJob,
};
use crate::ids::{
    AdAccountId, CampaignId, DeliveryId, EndpointId, ExportId, FormId, IntegrationId, LeadId, LinkId, MessageId, OrgId,
    PageId, PostId, RunId, UserId,
};
use crate::model::assignee_mail::AssignedLead;
use crate::model::lead::FoundBy;
use crate::model::webhook::{EngagementNotice, LeadNotice};
use crate::stored_test_support::{
    Files, assert_recorded, keeps, never_filled, objects_in, of_all_releases, pattern, record,
};

/// Where an object has keys of data instead of fields, or is a variant with its value.
const NO_FIELDS: [(&str, &str); 4] = [
    ("SweepJob", "/kind"),
    ("AssigneeMailJob", "/detail/mail/tags"),
    ("DeliveryJob", "/detail"),
    ("DeliveryJob", "/detail/lead"),
];

fn org() -> OrgId {
    OrgId::parse("demo").unwrap()
}

fn page() -> PageId {
    PageId::parse("7").unwrap()
}

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// A message of each form of each job, by the name of its type.
fn written() -> Files {
    fn all<J: Job>(jobs: &[J]) -> Value {
        jobs.iter().map(|job| serde_json::to_value(job).unwrap()).collect()
    }
    let integration_id = IntegrationId::parse("int_1").unwrap();
    let [message, run] = ["msg_1", "run_1"];
    let (message, run) = (MessageId::parse(message).unwrap(), RunId::parse(run).unwrap());
    let sweep = |kind| SweepJob { org: org(), integration_id: integration_id.clone(), kind };
    let ads = |run| AdsSyncJob {
        org: org(),
        ad_account_id: AdAccountId::parse("act_1").unwrap(),
        link: LinkId::parse("ada_1").unwrap(),
        run,
    };
    let publish = |work, early| PublishJob { org: org(), work, page_id: page(), early };
    let assigned = || AssignedLead {
        org: org(),
        lead_id: LeadId::parse("meta-1").unwrap(),
        user_id: UserId::parse("ann").unwrap(),
    };
    let feedback = json!({
        "kind": "feedback",
        "detail": {
            "mail": { "tags": { "org": ["ZGVtbw"], "user": ["YW5u"] } },
            "bounce": { "bounceType": "Permanent", "bouncedRecipients": [{ "emailAddress": "ann@demo.example" }] },
            "complaint": { "complainedRecipients": [{ "emailAddress": "ann@demo.example" }] },
        },
    });
    let event = json!({
        "detail-type": "lead.created", "time": "2026-01-02T03:04:05Z",
        "detail": { "org": "demo", "id": "1", "lead": { "id": "meta-1" } },
    });
    let tried = |early| TryJob {
        org: org(),
        endpoint: EndpointId::parse("end_1").unwrap(),
        delivery: DeliveryId::parse("evt_1").unwrap(),
        early,
    };
    let retention =
        |cursor: Option<&str>| RetentionJob { org: org(), cursor: cursor.map(str::to_owned), planned_at: now() };
    let digest = |early| AssigneeMailJob::Digest { org: org(), user_id: UserId::parse("ann").unwrap(), early };
    let files = [
        ("LeadBatch", all(&[LeadBatch { leads: vec![lead_job(true), lead_job(false)] }])),
        ("EngagementJob", all(&[engagement()])),
        ("AnswerJob", all(&[AnswerJob { org: org(), message: message.clone() }])),
        ("AttachmentJob", all(&[AttachmentJob { org: org(), message, position: 1 }])),
        (
            "SweepJob",
            all(&[
                sweep(SweepKind::Regular { planned_at: now() }),
                sweep(SweepKind::Everything),
                sweep(SweepKind::CatchUp { since: now() }),
                sweep(SweepKind::Run(run.clone(), page())),
            ]),
        ),
        (
            "SocialSyncJob",
            all(&[SocialSyncJob { org: org(), integration_id: integration_id.clone(), planned_at: now() }]),
        ),
        ("CheckJob", all(&[CheckJob { org: org(), integration_id: integration_id.clone() }])),
        ("AdsSyncJob", all(&[ads(Some(run)), ads(None)])),
        (
            "PublishJob",
            all(&[
                publish(PublishWork::Post(PostId::parse("post_1").unwrap()), true),
                publish(PublishWork::Campaign(CampaignId::parse("cmp_1").unwrap()), false),
            ]),
        ),
        (
            "ConversionJob",
            all(&[ConversionJob { org: org(), early: true }, ConversionJob { org: org(), early: false }]),
        ),
        (
            "AssigneeMailJob",
            all(&[
                AssigneeMailJob::Arrived(assigned()),
                AssigneeMailJob::Reassigned(assigned()),
                digest(true),
                digest(false),
                serde_json::from_value(feedback).unwrap(),
            ]),
        ),
        (
            "DeliveryJob",
            all(&[
                DeliveryJob::Try(tried(true)),
                DeliveryJob::Try(tried(false)),
                DeliveryJob::Event(serde_json::from_value(event).unwrap()),
            ]),
        ),
        ("ExportJob", all(&[ExportJob { org: org(), export: ExportId::parse("exp_1").unwrap() }])),
        ("RetentionJob", all(&[retention(Some("position.signature")), retention(None)])),
    ];
    files.map(|(name, jobs)| (name.to_owned(), jobs)).into()
}

fn lead_job(is_full: bool) -> LeadJob {
    let notice = LeadNotice {
        leadgen_id: crate::ids::LeadgenId::parse("1").unwrap(),
        page_id: page(),
        form_id: is_full.then(|| FormId::parse("3").unwrap()),
        created_time: is_full.then_some(1_767_323_045),
    };
    let job = LeadJob::new(notice, now(), FoundBy::Webhook);
    if !is_full {
        return job;
    }
    LeadJob {
        orgid: Some("demo".to_owned()),
        only_for: Some(org()),
        unassigned: true,
        run: RunId::parse("run_1").ok(),
        ..job
    }
}

fn engagement() -> EngagementJob {
    let notice = EngagementNotice {
        object: "page".to_owned(),
        entry_id: "7".to_owned(),
        field: "feed".to_owned(),
        value: r#"{"item":"comment","message":"Hi"}"#.to_owned(),
    };
    EngagementJob { notice, received_at: now() }
}

/// Reads a message and writes it again. `None` if it cannot be read.
fn again(name: &str, message: &Value) -> Option<Value> {
    fn job<J: Job>(message: &Value) -> Option<Value> {
        // As a worker reads it.
        let job: J = serde_json::from_str(&message.to_string()).ok()?;
        serde_json::to_value(job).ok()
    }
    match name {
        "LeadBatch" => job::<LeadBatch>(message),
        "EngagementJob" => job::<EngagementJob>(message),
        "AnswerJob" => job::<AnswerJob>(message),
        "AttachmentJob" => job::<AttachmentJob>(message),
        "SweepJob" => job::<SweepJob>(message),
        "SocialSyncJob" => job::<SocialSyncJob>(message),
        "CheckJob" => job::<CheckJob>(message),
        "AdsSyncJob" => job::<AdsSyncJob>(message),
        "PublishJob" => job::<PublishJob>(message),
        "ConversionJob" => job::<ConversionJob>(message),
        "AssigneeMailJob" => job::<AssigneeMailJob>(message),
        "DeliveryJob" => job::<DeliveryJob>(message),
        "ExportJob" => job::<ExportJob>(message),
        "RetentionJob" => job::<RetentionJob>(message),
        other => panic!("{other} is no job"),
    }
}

#[test]
#[ignore = "it writes what a release sends: see “Stored shapes” in shared/ARCHITECTURE.md"]
fn every_job_is_recorded() {
    record("jobs", &written());
}

#[test]
fn jobs_are_sent_as_the_newest_files_say() {
    assert_recorded("jobs", &written());
    for (name, messages) in written() {
        let empty = never_filled(messages.as_array().unwrap());
        assert!(empty.is_empty(), "no message of {name} fills these: {empty:?}");
    }
}

/// The types that are jobs, by the sources.
#[test]
fn every_job_has_messages() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folder = fs::read_dir(source.join("jobs")).unwrap().map(|entry| entry.unwrap().path());
    let texts = folder.chain([source.join("jobs.rs")]).map(|path| fs::read_to_string(path).unwrap());
    let mut jobs = BTreeSet::new();
    for text in texts {
        let makers = text.lines().filter_map(|line| line.strip_prefix("impl Job for ")?.strip_suffix(" {"));
        jobs.extend(makers.map(str::to_owned));
    }
    assert_eq!(written().into_keys().collect::<BTreeSet<_>>(), jobs, "left has messages, right exists");
}

#[test]
fn messages_of_every_release_are_read_and_lose_nothing() {
    for (release, files) in of_all_releases("jobs") {
        for (name, messages) in &files {
            for message in messages.as_array().unwrap() {
                let read = again(name, message).unwrap_or_else(|| panic!("{name} of {release}: {message}"));
                assert!(keeps(&read, message), "{name} of {release}: {message} became {read}");
            }
        }
    }
}

#[test]
fn a_field_of_a_later_release_anywhere_in_a_message_keeps_it_from_nothing() {
    let (_, files) = of_all_releases("jobs").pop().unwrap();
    for (name, messages) in &files {
        for message in messages.as_array().unwrap() {
            for place in objects_in(message) {
                if NO_FIELDS.contains(&(name, pattern(&place).as_str())) {
                    continue;
                }
                let mut later = message.clone();
                let fields = later.pointer_mut(&place).and_then(Value::as_object_mut).unwrap();
                fields.insert("of_a_later_release".to_owned(), json!({ "x": [1] }));
                assert_eq!(again(name, &later).as_ref(), again(name, message).as_ref(), "{name} at {place}");
            }
        }
    }
}
