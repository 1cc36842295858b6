//! Samples of what belongs to an org and its people: directory, mails, logins, connections, records of acts.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::json;

use crate::ids::{AuditId, EndpointId, InstagramAccountId, IntegrationId, LeadId, OrgScope, PageId, UserId};
use crate::model::audit::{AuditActor, AuditChange, AuditFace, AuditOutcome, AuditRecord};
use crate::model::caller::{Caller, Role};
use crate::model::connection::login::{Login, LoginClaim, LoginFailure, LoginOutcome};
use crate::model::connection::problem::{Impact, IntegrationProblem, IntegrationProblemCode};
use crate::model::connection::state::{ConnectionEnd, EndReason, TokenKind};
use crate::model::connection::{
    ConnectedBy, Connection, FoundCounts, Integration, Lifecycle, PageSelection, tests as connections,
};
use crate::model::conversion::{ConversionFault, ConversionSettings, TestEventCode, default_events};
use crate::model::lead::assignment::{Assignment, TurnLease};
use crate::model::lead::cadence::Rhythm;
use crate::model::limit::OrgLimit;
use crate::model::mail_preference::{MailKind, MailProblem, MailProblemReason};
use crate::model::org::{Org, Permission, Plan, SpendLimit, User};
use crate::model::session::Session;
use crate::table::Table;
use crate::table::erasure::{Erasure, Receipt};
use crate::table::inbox::InboxAccount;
use crate::table::notice::{NoticeAbout, NoticeTo};
use crate::table::tests::{at, scope};

/// The org of the samples.
pub(super) fn demo() -> OrgScope {
    scope("demo")
}

/// The time at which all of them are written.
pub(super) fn now() -> Timestamp {
    at("2026-01-02T03:04:05Z")
}

pub(super) fn user_id(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

pub(super) fn page() -> PageId {
    PageId::parse("7").unwrap()
}

pub(super) fn integration_id() -> IntegrationId {
    IntegrationId::parse("int_1").unwrap()
}

pub(super) async fn write(table: &Table) {
    write_directory(table).await;
    write_mails(table).await;
    write_logins(table).await;
    write_connections(table).await;
    write_acts(table).await;
}

async fn write_directory(table: &Table) {
    let plan = |features: &[&str]| Plan {
        name: "pro".to_owned(),
        features: features.iter().map(|feature| (*feature).to_owned()).collect(),
    };
    let org = Org {
        id: demo().org().clone(),
        name: "Northwind Group".to_owned(),
        plan: plan(&["meta"]),
        default_country: Some("DE".to_owned()),
        daily_spend_limit: Some(SpendLimit { amount: Decimal::new(2050, 2), currency: "EUR".to_owned() }),
        keep_leads_days: Some(365),
        updated_at: now(),
    };
    let small = scope("basic");
    let basic = Org {
        id: small.org().clone(),
        plan: plan(&[]),
        default_country: None,
        daily_spend_limit: None,
        keep_leads_days: None,
        ..org.clone()
    };
    table.put_org(&demo(), &org).await.unwrap();
    table.put_org(&small, &basic).await.unwrap();
    let ann = User {
        id: user_id("ann"),
        name: "Ann Example".to_owned(),
        email: "ann@demo.example".to_owned(),
        role: Some("admin".to_owned()),
        active: true,
        permissions: [Permission::LeadManagement, Permission::Inbox]
            .map(|permission| permission.name().to_owned())
            .to_vec(),
        language: Some("de-AT".to_owned()),
        updated_at: now(),
    };
    let bob = User {
        id: user_id("bob"),
        email: "bob@demo.example".to_owned(),
        role: None,
        permissions: Vec::new(),
        language: None,
        ..ann.clone()
    };
    // Without a lease, and with one.
    table.put_user(&small, &User { permissions: ann.permissions.clone(), ..bob.clone() }).await.unwrap();
    table.put_user(&demo(), &ann).await.unwrap();
    table.put_user(&demo(), &bob).await.unwrap();
    let lease = TurnLease { holder: "w1".to_owned(), until: now() };
    assert!(table.take_turn_lease(&demo(), None, &lease).await.unwrap());
    assert_eq!(table.count_request(&demo(), OrgLimit::Imports, now()).await.unwrap(), None);
}

async fn write_mails(table: &Table) {
    let (ann, bob) = (user_id("ann"), user_id("bob"));
    for mails in [MailKind::AssignedLeads, MailKind::Alerts] {
        table.switch_mails(&demo(), &ann, mails, false, now()).await.unwrap();
    }
    let problem = MailProblem { reason: MailProblemReason::Bounced, address: "ann@demo.example".to_owned(), at: now() };
    table.set_mail_problem(&demo(), &ann, &problem).await.unwrap();
    table.switch_mails(&demo(), &bob, MailKind::AssignedLeads, true, now()).await.unwrap();
    // Twenty at once, and the next one gathered.
    for lead in 1..=21 {
        let lead = LeadId::parse(&format!("meta-{lead}")).unwrap();
        table.claim_assignee_mail(&demo(), &lead, &ann, now()).await.unwrap();
    }
    let after = now() + SignedDuration::from_hours(2);
    assert!(table.lease_digest(&demo(), &ann, false, after).await.unwrap().is_some());
    table.claim_assignee_mail(&demo(), &LeadId::parse("meta-1").unwrap(), &bob, now()).await.unwrap();
    table.settle_assignee_mail(&demo(), &LeadId::parse("meta-1").unwrap(), &bob).await.unwrap();
}

async fn write_logins(table: &Table) {
    let caller = |name: Option<&str>| Caller {
        user: user_id("ann"),
        name: name.map(str::to_owned),
        email: name.map(|_| "ann@demo.example".to_owned()),
        role: Role::SuperAdmin,
        orgs: vec![demo().org().clone()],
        is_program: false,
    };
    table.put_session("one", &Session::begin(caller(Some("Ann")), Some("sealed".to_owned()), now())).await.unwrap();
    assert!(table.select_org("one", demo().org()).await.unwrap());
    table.put_session("two", &Session::begin(caller(None), None, now())).await.unwrap();
    let login = |nonce: &str, outcome: Option<LoginOutcome>| Login {
        nonce: nonce.to_owned(),
        org: demo().org().clone(),
        user: ConnectedBy { user_id: user_id("ann"), name: Some("Ann".to_owned()) },
        return_url: "https://crm.example/back".parse().unwrap(),
        redirect_uri: "https://leads.example/connect/callback/facebook".parse().unwrap(),
        integration_id: integration_id(),
        reconnects: true,
        replace: true,
        renews: true,
        browser: Some("hash".to_owned()),
        scopes: vec!["leads_retrieval".to_owned()],
        name: Some("Ours".to_owned()),
        description: Some("All of the north".to_owned()),
        assignment: Some(Assignment::User { user_id: user_id("ann") }),
        expires_at: now(),
        claim: Some(LoginClaim { at: now(), outcome }),
    };
    let problems = vec![IntegrationProblemCode::ScopeMissing];
    let outcomes = [
        LoginOutcome::Connected { integration_id: integration_id(), pages: 2, problems, renewed: true },
        LoginOutcome::OtherAccount { integration_id: integration_id(), lost_pages: vec![page()] },
        LoginOutcome::Denied,
        LoginOutcome::Failed(LoginFailure::NoPages),
    ];
    for (number, outcome) in outcomes.into_iter().enumerate() {
        table.begin_login(&login(&format!("n{number}"), Some(outcome))).await.unwrap();
    }
    let minimal = Login { browser: None, name: None, description: None, assignment: None, ..login("n9", None) };
    table.begin_login(&Login { claim: None, ..minimal }).await.unwrap();
}

fn end(reason: EndReason) -> ConnectionEnd {
    ConnectionEnd { reason, since: now(), evidence: "190: expired".to_owned() }
}

/// An integration of which everything is known.
pub(super) fn integration() -> Integration {
    let problem = |page_id| IntegrationProblem {
        code: IntegrationProblemCode::TaskMissing,
        impact: Impact::LeadsBlocked,
        page_id,
        message: "What is wrong".to_owned(),
        fix: "What to do".to_owned(),
    };
    Integration {
        org: demo().org().clone(),
        id: integration_id(),
        name: "Ours".to_owned(),
        description: "All of the north".to_owned(),
        assignment: Assignment::User { user_id: user_id("ann") },
        inbox_assignment: Assignment::RoundRobin,
        notify_assignee: true,
        connected_by: ConnectedBy { user_id: user_id("ann"), name: Some("Ann".to_owned()) },
        credentials: vec!["stack/integration/int_1.1.0".to_owned()],
        token_kind: TokenKind::SystemUser,
        person: Some("hash".to_owned()),
        token_expires_at: Some(now()),
        data_access_expires_at: Some(now()),
        asked_scopes: vec!["leads_retrieval".to_owned()],
        scopes: vec!["leads_retrieval".to_owned()],
        granted_for: [("leads_retrieval".to_owned(), vec!["7".to_owned()])].into(),
        problems: vec![problem(Some(page())), problem(None)],
        ended: Some(end(EndReason::TokenExpired)),
        missed_since: Some(now()),
        checked_at: Some(now()),
        notices_since: now(),
        lifecycle: Lifecycle::Releasing,
        conversions: Some(ConversionSettings {
            dataset_id: crate::ids::DatasetId::parse("55").unwrap(),
            events: default_events(),
            test: Some(TestEventCode { code: "TEST1".to_owned(), until: now() }),
        }),
        conversion_fault: Some(ConversionFault {
            code: "throttled".to_owned(),
            message: "Meta limits".to_owned(),
            failures: 2,
            paused_until: now(),
        }),
        created_at: now(),
        connected_at: now(),
    }
}

/// A connection of which everything is known.
pub(super) fn connection() -> Connection {
    Connection {
        org: demo().org().clone(),
        integration_id: integration_id(),
        page_id: page(),
        page_name: "Northwind".to_owned(),
        page_url: "https://www.facebook.com/7".to_owned(),
        selection: PageSelection::Deselected,
        tasks: vec!["ADVERTISE".to_owned()],
        instagram_account_id: InstagramAccountId::parse("71").ok(),
        instagram_username: Some("northwind".to_owned()),
        credentials: "stack/integration/int_1.1.0".to_owned(),
        subscribed_fields: vec!["leadgen".to_owned()],
        connected_at: now(),
        leads_count: 15,
        found: FoundCounts { found_webhook: 5, found_sweep: 4, found_sync: 3, found_import: 2, found_backfill: 1 },
        swept_until: Some(now()),
        last_lead_at: Some(now()),
        last_test_lead_at: Some(now()),
        last_webhook_at: Some(now()),
        rhythm: Rhythm { usual_silence_s: 3600 },
        quiet_since: Some(now()),
        ended: Some(end(EndReason::PageRoleLost)),
    }
}

async fn write_connections(table: &Table) {
    assert!(table.insert_integration(&demo(), &integration(), Some(now())).await.unwrap());
    let by = ConnectedBy { user_id: user_id("ann"), name: None };
    let draft = Integration {
        id: IntegrationId::parse("int_2").unwrap(),
        ..Integration::draft(demo().org().clone(), by, now())
    };
    assert!(table.insert_integration(&demo(), &draft, None).await.unwrap());
    let gone = Integration { id: IntegrationId::parse("int_3").unwrap(), ended: None, ..draft };
    assert!(table.insert_integration(&demo(), &gone, Some(now())).await.unwrap());
    table.save_connection(&demo(), &connection()).await.unwrap();
    let bare = Connection {
        org: demo().org().clone(),
        integration_id: integration_id(),
        page_id: PageId::parse("8").unwrap(),
        ..connections::connection()
    };
    table.save_connection(&demo(), &bare).await.unwrap();
    let number = InboxAccount {
        network: "whatsapp".to_owned(),
        account: "501".to_owned(),
        org: demo().org().clone(),
        integration_id: integration_id(),
        page_id: None,
        waba_id: Some("500".to_owned()),
        name: Some("+49 30 901820".to_owned()),
    };
    let account = InboxAccount {
        network: "instagram".to_owned(),
        account: "71".to_owned(),
        page_id: Some(page()),
        waba_id: None,
        ..number.clone()
    };
    table.put_inbox_account(&demo(), &number).await.unwrap();
    table.put_inbox_account(&demo(), &account).await.unwrap();
    table.remember_person(&demo(), &integration_id(), "abcdef").await.unwrap();
    let erasure = Erasure { requested_at: now(), integrations: vec![(demo().org().clone(), integration_id())] };
    table.record_erasure("code1", &erasure).await.unwrap();
    let (integration, endpoint) = (integration_id(), EndpointId::parse("end_1").unwrap());
    for about in [NoticeAbout::Integration(&integration), NoticeAbout::Endpoint(&endpoint)] {
        let notice = NoticeTo { about, since: now(), notice: "7d", to: "ann" };
        table.claim_notice(&demo(), notice, now()).await.unwrap();
    }
    let sent = NoticeTo { about: NoticeAbout::Integration(&integration), since: now(), notice: "3d", to: "ann" };
    table.claim_notice(&demo(), sent, now()).await.unwrap();
    table.notice_sent(&demo(), sent, now()).await.unwrap();
}

async fn write_acts(table: &Table) {
    let record = AuditRecord {
        id: AuditId::parse("act_1").unwrap(),
        at: now(),
        who: AuditActor {
            id: user_id("auth0|ann"),
            user_id: Some(user_id("ann")),
            name: Some("Ann".to_owned()),
            role: Role::Admin,
            program: false,
        },
        face: AuditFace::Console,
        source: Some("203.0.113.7".to_owned()),
        act: "lead.change".to_owned(),
        subjects: vec!["meta-1".to_owned()],
        outcome: AuditOutcome::Failed,
        code: Some("lead_unknown".to_owned()),
        changes: vec![AuditChange {
            field: "assignment".to_owned(),
            before: Some(json!("new")),
            after: Some(json!({ "strategy": "unassigned" })),
            withheld: false,
        }],
    };
    table.put_audit(&demo(), &record).await.unwrap();
    let (who, changes) = (AuditActor { user_id: None, name: None, ..record.who.clone() }, Vec::new());
    let bare = AuditRecord { who, changes, source: None, code: None, id: AuditId::parse("act_2").unwrap(), ..record };
    table.put_audit(&demo(), &bare).await.unwrap();
    let receipt = Receipt {
        id: crate::ids::ReceiptId::parse("receipt_1").unwrap(),
        requested_at: now(),
        requested_by: user_id("ann"),
        leads: 1,
        submissions: 2,
        contacts: 3,
    };
    table.put_receipt(&demo(), &receipt).await.unwrap();
}
