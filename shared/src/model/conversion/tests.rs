use serde_json::json;
use strum::IntoEnumIterator;

use super::payload::ConversionEvent;
use super::*;
use crate::ids::LeadgenId;
use crate::model::lead::FoundBy;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn lead() -> Lead {
    let leadgen_id = LeadgenId::parse("9007199254740993").unwrap();
    let created = "2026-11-20T10:00:00Z".parse().unwrap();
    Lead {
        email: Some(" Jane.Roe@Example.COM ".into()),
        phone: Some("+44 7700 900123".into()),
        leadgen_id: Some(leadgen_id.clone()),
        ..Lead::new(LeadId::from_leadgen(&leadgen_id), FoundBy::Webhook, created, created)
    }
}

fn settings() -> ConversionSettings {
    let events = [(Status::Qualified, "Marketing Qualified Lead".to_owned())].into();
    ConversionSettings { dataset_id: DatasetId::parse("77").unwrap(), events, test: None }
}

#[test]
fn a_status_change_looks_as_meta_specifies() {
    let lead = Lead { value: Some("250.10".parse().unwrap()), currency: Some("EUR".into()), ..lead() };
    let reached: Timestamp = "2026-11-21T09:30:00.9Z".parse().unwrap();
    let conversion = Conversion::new(&lead, Status::Qualified, reached);
    let settings = settings();
    let name = conversion.decide(&lead, Ok(&settings), reached).unwrap();
    let event = ConversionEvent::new(&conversion, &lead, name).unwrap();
    let text = serde_json::to_string(&event).unwrap();
    assert!(text.contains(r#""lead_id":9007199254740993,"#), "{text}");
    assert_eq!(
        serde_json::to_value(&event).unwrap(),
        json!({
            "event_name": "Marketing Qualified Lead",
            "event_time": 1_795_253_400,
            "action_source": "system_generated",
            "event_id": format!("{}:qualified", lead.id),
            "user_data": {
                "lead_id": 9_007_199_254_740_993_u64,
                "em": ["22fff12b355cb9cb6303835fe8227cbb155ee22d300caccba72b326d1a6fb98a"],
                "ph": ["033134b911b137918338415ee3d20a064b24773d36a3b02e8b99fdd3fcd6b4cd"]
            },
            "custom_data": { "event_source": "crm", "lead_event_source": "Leadwire", "value": 250.1, "currency": "EUR" }
        })
    );
}

#[test]
fn details_are_normalised_as_meta_does_before_they_are_hashed() {
    let hashes = |email: &str, phone: &str| {
        let lead = Lead { email: Some(email.into()), phone: Some(phone.into()), ..lead() };
        let event = ConversionEvent::new(&Conversion::first(&lead), &lead, "e").unwrap();
        let user = &serde_json::to_value(&event).unwrap()["user_data"];
        [user["em"][0].as_str().map(str::to_owned), user["ph"][0].as_str().map(str::to_owned)]
    };
    // The first two are printed by Meta.
    let [em, ph] = hashes("John_Smith@gmail.com", "+1 650-555-1212");
    assert_eq!(em.unwrap(), "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f");
    assert_eq!(ph.unwrap(), "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176");
    let [em, ph] = hashes(" Jane.Doe@Example.org ", "+31 (0)6 1234 5678");
    assert_eq!(em.unwrap(), "7f73355bf032dcbb8e5a3f51f1e4a8ba92ef1344de2d95382634cf91da6d6181");
    assert_eq!(ph.unwrap(), "e03d152bbe638d9fe7a04f9b88a67674bf15b73c0981755c16eb78d177721e03");
    // Neither an address nor a number with its country: nothing is sent, rather than a hash of something else.
    for phone in ["6505551212", "+1 650 555 1212 ext. 3", "+12", "call me"] {
        assert_eq!(hashes("jane at home", phone), [None, None], "{phone}");
    }
}

#[test]
fn an_event_is_never_before_its_lead_and_never_older_than_meta_takes() {
    let lead = Lead { created_time: at(1_795_168_800), ..lead() };
    let (settings, reached) = (settings(), |second| Conversion::new(&lead, Status::Qualified, at(second)));
    assert_eq!(reached(1_795_168_795).reached_at, at(1_795_168_800));
    let late = reached(1_795_507_200);
    assert_eq!(late.reached_at, at(1_795_507_200));
    let after = |days: i64| at(1_795_507_200 + days * 24 * 3600);
    assert!(late.decide(&lead, Ok(&settings), after(6)).is_ok());
    assert_eq!(late.decide(&lead, Ok(&settings), after(8)), Err(UnsentReason::TooOld));
    assert_eq!(late.decide(&lead, Ok(&settings), after(7)), Err(UnsentReason::TooOld));
    // Time passes, and the event stays as it is.
    assert_eq!(late.reached_at, at(1_795_507_200));
}

#[test]
fn only_leads_of_meta_are_reported_and_every_other_one_says_why() {
    let decide = |lead: &Lead| {
        let conversion = Conversion::new(lead, Status::Qualified, lead.created_time);
        conversion.decide(lead, Ok(&settings()), lead.created_time).map(str::to_owned)
    };
    assert!(decide(&lead()).is_ok());
    assert_eq!(decide(&Lead { test: true, ..lead() }), Err(UnsentReason::TestLead));
    assert_eq!(decide(&Lead { leadgen_id: None, ..lead() }), Err(UnsentReason::NotFromMeta));
    assert_eq!(decide(&Lead { source: "Import".into(), ..lead() }), Err(UnsentReason::NotFromMeta));
    let huge = LeadgenId::parse("99999999999999999999999").ok();
    assert_eq!(decide(&Lead { leadgen_id: huge, ..lead() }), Err(UnsentReason::NotFromMeta));
    let lost = Conversion::new(&lead(), Status::Lost, lead().created_time);
    assert_eq!(lost.decide(&lead(), Ok(&settings()), lead().created_time), Err(UnsentReason::StatusNotMapped));
}

#[test]
fn every_status_has_an_event_of_its_own_by_default() {
    let events = default_events();
    let names: std::collections::BTreeSet<&String> = events.values().collect();
    assert!(Status::iter().all(|status| events.contains_key(&status)));
    assert_eq!(names.len(), events.len());
}

#[test]
fn a_test_code_ends_by_itself() {
    let test = Some(TestEventCode { code: "TEST1".into(), until: at(100) });
    let settings = ConversionSettings { test, ..settings() };
    assert_eq!((settings.test_event_code(at(99)), settings.test_event_code(at(100))), (Some("TEST1"), None));
}

#[test]
fn the_trace_says_what_became_of_a_stage() {
    let lead = lead();
    let pending = Conversion::new(&lead, Status::Qualified, at(1_795_253_400));
    let step = |conversion: &Conversion| {
        let step = conversion.step();
        (step.at.as_second(), step.step, step.cause)
    };
    assert_eq!(step(&pending), (1_795_253_400, StepKind::ConversionPending, "qualified".into()));
    let sent = pending.clone().sent("MQL", &DatasetId::parse("77").unwrap(), at(1_795_253_460));
    assert_eq!(step(&sent), (1_795_253_460, StepKind::ConversionSent, "qualified".into()));
    for reason in UnsentReason::iter() {
        let unsent = pending.clone().unsent(reason, Some("Meta's words.".into()), at(5)).step();
        assert_eq!((unsent.step, unsent.cause.as_str()), (StepKind::ConversionNotSent, <&str>::from(reason)));
        assert!(unsent.detail.ends_with("Meta's words."), "{}", unsent.detail);
    }
}
