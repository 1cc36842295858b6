//! A notifier with a table in this process, and a fake of SES that follows what AWS documents.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AssigneeMail, AssigneeNotifier};
use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope, UserId};
use crate::jobs::AssigneeMailJob;
use crate::mail::{Mail, Mailer};
use crate::model::assignee_mail::AssignedLead;
use crate::model::connection::Integration;
use crate::model::lead::Lead;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::WritePlan;
use crate::model::org::{Org, Plan};
use crate::secret::HmacKey;
use crate::table::tests::{at, connection, empty_table, integration, lead, scope, user};

#[derive(Default)]
pub(super) struct MailsState {
    /// The requests that SES accepted.
    pub(super) sent: Vec<Value>,
    /// What SES answers to the next requests instead, and whether it sends the mail all the same.
    pub(super) faults: VecDeque<(u16, &'static str, bool)>,
}

#[derive(Clone, Default)]
pub(super) struct FakeMails(Arc<Mutex<MailsState>>);

impl FakeMails {
    pub(super) fn state(&self) -> MutexGuard<'_, MailsState> {
        self.0.lock().unwrap()
    }

    /// The subjects of what was sent, in order.
    pub(super) fn subjects(&self) -> Vec<String> {
        let subject = |mail: &Value| mail["Content"]["Simple"]["Subject"]["Data"].as_str().unwrap().to_owned();
        self.state().sent.iter().map(subject).collect()
    }
}

async fn answer(State(mails): State<FakeMails>, body: Bytes) -> (StatusCode, [(&'static str, String); 1], String) {
    let mut state = mails.state();
    let fault = state.faults.pop_front();
    if fault.is_none_or(|(.., is_sent)| is_sent) {
        state.sent.push(serde_json::from_slice(&body).unwrap());
    }
    let (status, kind, _) = fault.unwrap_or((200, "", true));
    let body = json!({ "MessageId": "m", "message": "no" }).to_string();
    (StatusCode::from_u16(status).unwrap(), [("x-amzn-errortype", kind.to_owned())], body)
}

/// A notifier for org `a`, whose page 7 mails its leads, and whose user `u` is assigned them.
pub(super) struct MailFixture {
    pub(super) notifier: AssigneeNotifier,
    pub(super) mails: FakeMails,
    pub(super) scope: OrgScope,
}

fn compose(mail: &AssigneeMail<'_>) -> Mail {
    let ids: Vec<&str> = mail.leads.iter().map(|lead| lead.id.as_str()).collect();
    Mail { subject: ids.join(" "), text: mail.unsubscribe.to_owned(), html: String::new() }
}

pub(super) fn id_of(lead: u64) -> LeadId {
    LeadId::parse(&format!("meta-{lead}")).unwrap()
}

pub(super) fn user_id() -> UserId {
    UserId::parse("u").unwrap()
}

pub(super) fn start() -> Timestamp {
    at("2026-01-02T00:00:00Z")
}

impl MailFixture {
    pub(super) async fn new() -> Self {
        let mails = FakeMails::default();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", socket.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(mails.clone());
        tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        let notifier = AssigneeNotifier {
            table: empty_table().await,
            mailer: Some(Mailer::new(&crate::aws::fake(&endpoint), "leads@example.com".into())),
            configuration_set: "set".into(),
            console: "https://leads.example.com/".parse().unwrap(),
            key: HmacKey::new("k".into()),
            compose,
        };
        let fixture = Self { notifier, mails, scope: scope("a") };
        let (scope, table) = (&fixture.scope, &fixture.notifier.table);
        let plan = Plan { name: "pro".into(), features: vec!["meta".into()] };
        let org = Org {
            id: scope.org().clone(),
            name: "A".into(),
            plan,
            default_country: None,
            daily_spend_limit: None,
            keep_leads_days: None,
            updated_at: start(),
        };
        table.put_org(scope, &org).await.unwrap();
        let ours = Integration { notify_assignee: true, ..integration(Assignment::RoundRobin) };
        table.insert_integration(scope, &ours, None).await.unwrap();
        table.save_connection(scope, &connection("a")).await.unwrap();
        table.put_user(scope, &user("u", true)).await.unwrap();
        fixture
    }

    /// Stores leads that are assigned to the user.
    pub(super) async fn arrive(&self, ids: std::ops::Range<u64>) {
        for id in ids {
            self.store(Lead { assigned_to: Some(user_id()), ..lead(id, None) }).await;
        }
    }

    pub(super) async fn store(&self, lead: Lead) {
        let plan = WritePlan { creates: vec![lead], ..WritePlan::default() };
        self.notifier.table.commit(&self.scope, &[], &plan, start()).await.unwrap();
    }

    pub(super) fn arrived(&self, id: u64) -> AssigneeMailJob {
        AssigneeMailJob::Arrived(self.assigned(id))
    }

    pub(super) fn assigned(&self, id: u64) -> AssignedLead {
        AssignedLead { org: self.scope.org().clone(), lead_id: id_of(id), user_id: user_id() }
    }

    pub(super) fn digest(&self) -> AssigneeMailJob {
        AssigneeMailJob::Digest { org: self.scope.org().clone(), user_id: user_id(), early: false }
    }

    /// Runs a worker once.
    pub(super) async fn run(&self, job: &AssigneeMailJob, now: Timestamp) -> Result<(), WorkError> {
        self.notifier.notify(job, now).await
    }
}
