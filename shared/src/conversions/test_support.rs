//! A sender with a table in this process, and a fake of Meta's Conversions API that follows what Meta documents.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{ConversionSender, Conversions};
use crate::error::WorkError;
use crate::ids::{DatasetId, IntegrationId, LeadId, OrgScope, PageId};
use crate::jobs::ConversionJob;
use crate::meta_app::MetaApp;
use crate::model::connection::{Connection, Integration};
use crate::model::conversion::{Conversion, ConversionSettings, default_events};
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::WritePlan;
use crate::model::lead::{Lead, Status};
use crate::model::org::{Org, Plan};
use crate::queue::Queue;
use crate::table::lead::LeadChange;
use crate::table::tests::{at, connection, empty_table, integration, lead, scope};
use crate::tokens::Tokens;

/// What goes wrong with a request.
pub(super) struct DatasetFault {
    /// Whether Meta takes the events all the same.
    pub(super) after: bool,
    pub(super) answer: (u16, Value),
}

#[derive(Default)]
pub(super) struct DatasetState {
    pub(super) now: Timestamp,
    /// The sizes of the requests.
    pub(super) requests: Vec<usize>,
    /// The events that Meta took, in order.
    pub(super) taken: Vec<Value>,
    pub(super) faults: VecDeque<DatasetFault>,
    /// Whether Meta refuses all requests for dataset 88, naming none of the events.
    pub(super) refuses_88: bool,
    /// Leads that Meta does not know.
    pub(super) unknown: BTreeSet<u64>,
    /// Checks of integrations that were requested.
    pub(super) checks: usize,
    pub(super) test_codes: Vec<Value>,
}

#[derive(Clone, Default)]
pub(super) struct FakeDataset(Arc<Mutex<DatasetState>>);

impl FakeDataset {
    pub(super) fn state(&self) -> MutexGuard<'_, DatasetState> {
        self.0.lock().unwrap()
    }

    /// How often each event arrived, by its id.
    pub(super) fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for event in &self.state().taken {
            *times.entry(event["event_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        times
    }
}

async fn answer(State(meta): State<FakeDataset>, uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body = || serde_json::from_slice::<Value>(&body).unwrap();
    let (status, answer) = match target {
        "secretsmanager.GetSecretValue" => {
            let secret = match body()["SecretId"].as_str() {
                Some("app") => json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" }),
                _ => json!({ "pages": { "7": "p" }, "user_token": "t", "me": { "id": "1", "name": "Una" } }),
            };
            (200, json!({ "SecretString": secret.to_string() }))
        }
        "AmazonSQS.SendMessageBatch" => {
            meta.state().checks += 1;
            (200, json!({ "Successful": [{ "Id": "0", "MessageId": "m", "MD5OfMessageBody": "" }], "Failed": [] }))
        }
        _ if uri.path().ends_with("/88/events") && meta.state().refuses_88 => {
            (400, json!({ "error": { "code": 100, "message": "Invalid parameter" } }))
        }
        _ if uri.path().ends_with("/77/events") || uri.path().ends_with("/88/events") => {
            receive(&mut meta.state(), &body())
        }
        _ => list(uri.path()),
    };
    (StatusCode::from_u16(status).unwrap(), answer.to_string())
}

fn receive(state: &mut DatasetState, body: &Value) -> (u16, Value) {
    let events = body["data"].as_array().unwrap();
    state.requests.push(events.len());
    state.test_codes.push(body["test_event_code"].clone());
    let fault = state.faults.pop_front();
    if let Some(DatasetFault { after: false, answer }) = fault {
        return answer;
    }
    let refuse = |index: usize| {
        let text = format!("Meta knows no such lead: event_index {index}.");
        (400, json!({ "error": { "code": 100, "message": "Invalid parameter", "error_user_msg": text } }))
    };
    let now = state.now.as_second();
    let is_wrong = |event: &Value| {
        let time = event["event_time"].as_i64().unwrap();
        let is_unknown = event["user_data"]["lead_id"].as_u64().is_none_or(|id| state.unknown.contains(&id));
        is_unknown || time > now || time < now - 7 * 24 * 3600
    };
    if events.len() > 1000 {
        return refuse(1000);
    }
    if let Some(index) = events.iter().position(is_wrong) {
        return refuse(index);
    }
    state.taken.extend(events.iter().cloned());
    match fault {
        Some(fault) => fault.answer,
        None => (200, json!({ "events_received": events.len(), "messages": [] })),
    }
}

/// The lists through which datasets are found. A batch has the portfolio's and the account's.
fn list(path: &str) -> (u16, Value) {
    let data =
        |ids: &[&str]| json!({ "data": ids.iter().map(|id| json!({ "id": id, "name": "N" })).collect::<Vec<_>>() });
    if path.ends_with("/me/adaccounts") {
        return (200, data(&["act_1"]));
    }
    if path.ends_with("/me/businesses") {
        return (200, data(&["5"]));
    }
    let refused = json!({ "error": { "code": 200, "message": "no" } }).to_string();
    let answers = [(200, data(&["77", "78"]).to_string()), (200, data(&["77"]).to_string()), (403, refused)];
    (200, answers.into_iter().map(|(code, body)| json!({ "code": code, "headers": [], "body": body })).collect())
}

/// A sender for org `a`, whose page 7 reports to dataset 77.
pub(super) struct ConversionFixture {
    pub(super) sender: ConversionSender,
    pub(super) meta: FakeDataset,
    pub(super) scope: OrgScope,
}

pub(super) fn settings() -> ConversionSettings {
    ConversionSettings { dataset_id: DatasetId::parse("77").unwrap(), events: default_events(), test: None }
}

pub(super) fn id_of(lead: u64) -> LeadId {
    LeadId::parse(&format!("meta-{lead}")).unwrap()
}

impl ConversionFixture {
    pub(super) async fn new() -> Self {
        let meta = FakeDataset::default();
        meta.state().now = at("2026-01-02T00:00:00Z");
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", socket.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(meta.clone());
        tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        let aws = crate::aws::fake(&endpoint);
        let sender = ConversionSender {
            meta: MetaApp::fake(&endpoint, &aws),
            table: empty_table().await,
            checks: Queue::new(aws_sdk_sqs::Client::new(&aws), format!("{endpoint}/checks")),
        };
        let fixture = Self { sender, meta, scope: scope("a") };
        fixture.set_plan(&["meta"]).await;
        let (scope, table) = (&fixture.scope, &fixture.sender.table);
        let ours = Integration { conversions: Some(settings()), ..integration(Assignment::Unassigned) };
        table.insert_integration(scope, &ours, None).await.unwrap();
        table.save_connection(scope, &connection("a")).await.unwrap();
        fixture
    }

    /// Connects page 8 through an integration of its own, which reports to dataset 88.
    pub(super) async fn connect_another(&self) {
        let (scope, table, id) = (&self.scope, &self.sender.table, IntegrationId::parse("int_2").unwrap());
        let conversions = Some(ConversionSettings { dataset_id: DatasetId::parse("88").unwrap(), ..settings() });
        let other = Integration { id: id.clone(), conversions, ..integration(Assignment::Unassigned) };
        table.insert_integration(scope, &other, None).await.unwrap();
        let page = Connection { integration_id: id, page_id: PageId::parse("8").unwrap(), ..connection("a") };
        table.save_connection(scope, &page).await.unwrap();
    }

    pub(super) async fn set_plan(&self, features: &[&str]) {
        let plan = Plan { name: "pro".into(), features: features.iter().map(|it| (*it).to_owned()).collect() };
        let org = Org {
            id: self.scope.org().clone(),
            name: "A".into(),
            plan,
            default_country: None,
            daily_spend_limit: None,
            keep_leads_days: None,
            updated_at: self.now(),
        };
        self.sender.table.put_org(&self.scope, &org).await.unwrap();
    }

    pub(super) fn conversions(&self) -> Conversions {
        let ConversionSender { meta, table, checks } = self.sender.clone();
        Conversions { tokens: Tokens { meta, table, checks } }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.meta.state().now
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.meta.state().now += SignedDuration::from_secs(seconds);
    }

    /// Stores a lead, as it is before anything is reported.
    pub(super) async fn store(&self, lead: Lead) -> LeadId {
        let id = lead.id.clone();
        let plan = WritePlan { creates: vec![lead], ..WritePlan::default() };
        self.sender.table.commit(&self.scope, &[], &plan, self.now()).await.unwrap();
        id
    }

    /// Stores leads of Meta's, which report their first stage.
    pub(super) async fn arrive(&self, ids: std::ops::Range<u64>) {
        self.arrive_at("7", ids).await;
    }

    /// Stores leads of a page.
    pub(super) async fn arrive_at(&self, page: &str, ids: std::ops::Range<u64>) {
        for id in ids {
            let lead = Lead { page_id: Some(PageId::parse(page).unwrap()), ..lead(id, Some("a@example.com")) };
            self.sender.table.insert_conversions(&self.scope, &[Conversion::first(&lead)]).await.unwrap();
            self.store(lead).await;
        }
    }

    /// Changes the status of a lead as members do.
    pub(super) async fn change(&self, id: &LeadId, status: Status) {
        self.change_with(id, status, LeadChange::default()).await;
    }

    /// Changes the status of a lead, and what else `change` has.
    pub(super) async fn change_with(&self, id: &LeadId, status: Status, change: LeadChange) {
        let (table, now) = (&self.sender.table, self.now());
        let found = table.find_lead(&self.scope, id).await.unwrap().unwrap();
        let crate::table::lead::StoredLead::Lead(lead) = found else { panic!("{id} is no lead") };
        let route = table.reporting_integration(&self.scope, lead.page_id.as_ref()).await.unwrap();
        let settings = route.map(|(_, settings)| settings);
        let report =
            |lead: &Lead, status| Conversion::of_change(lead, status, settings.as_ref().map_err(|reason| *reason), now);
        let change = LeadChange { status: Some(status), ..change };
        table.change_lead(&self.scope, id, &change, report).await.unwrap().unwrap();
    }

    /// Runs a worker once.
    pub(super) async fn send(&self) -> Result<(), WorkError> {
        let job = ConversionJob { org: self.scope.org().clone(), early: false };
        self.sender.send(&job, Duration::from_secs(120), &|| self.now()).await
    }

    /// The causes and kinds of what the trace says of a lead's stages.
    pub(super) async fn trace(&self, id: &LeadId) -> Vec<(crate::model::lead::trace::StepKind, String)> {
        let conversions = self.sender.table.conversions(&self.scope, id).await.unwrap();
        conversions.iter().map(Conversion::step).map(|step| (step.step, step.cause)).collect()
    }
}
