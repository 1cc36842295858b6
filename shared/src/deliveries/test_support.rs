//! A worker with a table in this process, a queue whose messages can get lost, receivers that can fail, and a clock that
//! tests set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Deliverer, Deliveries, EndpointIn, send_due_deliveries};
use crate::directory::{Access, MetaAccess};
use crate::ids::{EndpointId, OrgId, OrgScope, UserId};
use crate::jobs::DeliveryJob;
use crate::mail::Mailer;
use crate::model::caller::{Caller, Role};
use crate::model::delivery::EventDelivery;
use crate::model::org::{Org, Plan, User, Wanted};
use crate::model::web_address::EndpointAddresses;
use crate::queue::Queue;
use crate::receiver::Receiver;
use crate::secret::HmacKey;
use crate::table::tests::{at, empty_table, scope};

/// What a receiver does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Accepts it.
    Accept,
    /// Refuses it with this status.
    Refuse(u16),
    /// Refuses it and asks for a rest of so many seconds.
    AskToWait(u64),
    /// Accepts it, and the answer gets lost.
    LoseAnswer,
    /// Takes this many milliseconds to refuse it.
    Dawdle(u64),
}

/// A request that a receiver got.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) path: String,
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) body: Value,
    pub(super) accepted: bool,
}

#[derive(Default)]
pub(super) struct DeliveryWorld {
    pub(super) now: Timestamp,
    /// Messages with the time from which they are received.
    pub(super) messages: Vec<(Timestamp, Value)>,
    pub(super) loses_messages: bool,
    pub(super) arrived: Vec<Arrived>,
    /// By the path of the receiver's address.
    pub(super) behaviours: BTreeMap<String, Behaviour>,
    /// The addressees of mails.
    pub(super) mails: Vec<String>,
    /// How often a mail is refused for the moment.
    pub(super) mail_failures: usize,
}

#[derive(Clone, Default)]
pub(super) struct FakeReceivers(Arc<Mutex<DeliveryWorld>>);

async fn answer(State(world): State<FakeReceivers>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let json_body = serde_json::from_slice::<Value>(&body).unwrap();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target {
        "AmazonSQS.SendMessage" => {
            let mut world = world.0.lock().unwrap();
            let delay = json_body["DelaySeconds"].as_i64().unwrap_or(0);
            assert!(delay <= 900, "SQS refuses a longer delay");
            world.send(&json_body["MessageBody"], delay);
            json!({ "MessageId": "m" }).to_string().into_response()
        }
        "AmazonSQS.SendMessageBatch" => {
            let mut world = world.0.lock().unwrap();
            let entries = json_body["Entries"].as_array().unwrap();
            entries.iter().for_each(|entry| world.send(&entry["MessageBody"], 0));
            let sent: Vec<Value> = entries
                .iter()
                .map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" }))
                .collect();
            json!({ "Successful": sent, "Failed": [] }).to_string().into_response()
        }
        _ if uri.path() == "/v2/email/outbound-emails" => {
            let mut world = world.0.lock().unwrap();
            if world.mail_failures > 0 {
                world.mail_failures -= 1;
                return (StatusCode::TOO_MANY_REQUESTS, [("x-amzn-errortype", "TooManyRequestsException")], "{}")
                    .into_response();
            }
            let to = json_body.pointer("/Destination/ToAddresses/0").and_then(Value::as_str).unwrap().to_owned();
            world.mails.push(to);
            json!({ "MessageId": "m" }).to_string().into_response()
        }
        _ => receive(&world, uri.path(), &headers, json_body).await,
    }
}

async fn receive(world: &FakeReceivers, path: &str, headers: &HeaderMap, body: Value) -> Response {
    let behaviour = {
        let mut world = world.0.lock().unwrap();
        let behaviour = world.behaviours.get(path).copied().unwrap_or(Behaviour::Accept);
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        let seconds = headers["webhook-timestamp"].to_str().unwrap().parse().unwrap();
        let at = Timestamp::from_second(seconds).unwrap();
        assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
        let accepted = matches!(behaviour, Behaviour::Accept | Behaviour::LoseAnswer);
        world.arrived.push(Arrived { path: path.to_owned(), id, at, body, accepted });
        behaviour
    };
    match behaviour {
        Behaviour::Accept => StatusCode::NO_CONTENT.into_response(),
        Behaviour::Refuse(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Behaviour::AskToWait(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", seconds.to_string())]).into_response()
        }
        // The connection breaks at a panic of its task.
        Behaviour::LoseAnswer => std::panic::resume_unwind(Box::new("the answer is lost")),
        Behaviour::Dawdle(millis) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl DeliveryWorld {
    fn send(&mut self, body: &Value, delay_s: i64) {
        if !self.loses_messages {
            let job = serde_json::from_str(body.as_str().unwrap()).unwrap();
            self.messages.push((self.now + SignedDuration::from_secs(delay_s), job));
        }
    }
}

/// A worker for org `a`, whose receivers are all at one address.
pub(super) struct DeliveryFixture {
    pub(super) deliverer: Deliverer,
    pub(super) deliveries: Deliveries,
    pub(super) access: MetaAccess,
    pub(super) scope: OrgScope,
    pub(super) origin: String,
    receivers: FakeReceivers,
}

impl DeliveryFixture {
    pub(super) async fn new() -> Self {
        let receivers = FakeReceivers::default();
        receivers.0.lock().unwrap().now = at("2026-01-02T00:00:00Z");
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", socket.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(receivers.clone());
        tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        let aws = crate::aws::fake(&origin);
        let table = empty_table().await;
        let scope = scope("a");
        let plan = Plan { name: "pro".into(), features: vec!["meta".into()] };
        let updated_at = at("2026-01-01T00:00:00Z");
        let id = scope.org().clone();
        let org = Org {
            id,
            name: "A".into(),
            plan,
            default_country: None,
            daily_spend_limit: None,
            keep_leads_days: None,
            updated_at,
        };
        table.put_org(&scope, &org).await.unwrap();
        for name in ["ann", "bob"] {
            let admin = User { role: Some("admin".into()), ..crate::table::tests::user(name, true) };
            table.put_user(&scope, &admin).await.unwrap();
        }
        let user = UserId::parse("u").unwrap();
        let org_id = Some(OrgId::parse("a").unwrap());
        let caller = Caller {
            user,
            name: None,
            email: None,
            role: Role::Admin,
            orgs: org_id.into_iter().collect(),
            is_program: false,
        };
        let access = MetaAccess::check(Access::new(caller, Some("a")).unwrap(), Some(&org)).unwrap();
        let queue = Queue::new(aws_sdk_sqs::Client::new(&aws), format!("{origin}/queue"));
        let receiver = Receiver::new(EndpointAddresses::OrThisMachine).unwrap();
        let key = HmacKey::new("key".into());
        let deliverer = Deliverer {
            table: table.clone(),
            queue: queue.clone(),
            receiver: receiver.clone(),
            root_key: key.clone(),
            mailer: Some(Mailer::new(&aws, "us@example.com".into())),
            console: "https://leads.example.com".parse().unwrap(),
        };
        let deliveries = Deliveries { table, queue, receiver, root_key: key.clone(), key };
        Self { deliverer, deliveries, access, scope, origin, receivers }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, DeliveryWorld> {
        self.receivers.0.lock().unwrap()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world().now
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.world().now += SignedDuration::from_secs(seconds);
    }

    pub(super) fn behave(&self, path: &str, behaviour: Behaviour) {
        self.world().behaviours.insert(path.to_owned(), behaviour);
    }

    /// Adds an endpoint at a path.
    pub(super) async fn add(&self, path: &str, events: Option<&[&str]>) -> EndpointId {
        let events = events.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let input =
            EndpointIn { url: format!("{}{path}", self.origin), description: String::new(), events, active: true };
        self.deliveries.add_endpoint(&self.access, input).await.unwrap().endpoint.id
    }

    /// An event as EventBridge passes it on.
    pub(super) fn event(&self, number: usize) -> DeliveryJob {
        let lead = format!("meta-{number}");
        let event = json!({
            "version": "0", "id": "x", "detail-type": "lead.created", "source": "leadwire", "account": "1",
            "time": "2026-01-02T00:00:00Z", "region": "r", "resources": [],
            "detail": { "id": format!("lead.created:a:{lead}"), "org": "a", "lead": { "id": lead, "email": "x@y.example" } },
        });
        serde_json::from_value(event).unwrap()
    }

    /// Handles jobs as one invocation, and returns which are to come again.
    pub(super) async fn work(&self, jobs: &[DeliveryJob]) -> Vec<bool> {
        let jobs: Vec<&DeliveryJob> = jobs.iter().collect();
        let outcomes = self.deliverer.work(&jobs, Duration::from_secs(60), &|| self.now()).await;
        outcomes.into_iter().map(|outcome| outcome.is_err()).collect()
    }

    /// Publishes events, and handles them.
    pub(super) async fn publish(&self, numbers: std::ops::Range<usize>) {
        let jobs: Vec<DeliveryJob> = numbers.map(|number| self.event(number)).collect();
        assert!(self.work(&jobs).await.iter().all(|failed| !failed));
    }

    /// Handles the messages that have arrived.
    pub(super) async fn drain(&self) {
        loop {
            let batch = {
                let mut world = self.world();
                let now = world.now;
                let (mut ready, waiting): (Vec<_>, Vec<_>) = world.messages.drain(..).partition(|(at, _)| *at <= now);
                let later = ready.split_off(ready.len().min(10));
                world.messages = later.into_iter().chain(waiting).collect();
                ready
            };
            if batch.is_empty() {
                return;
            }
            let jobs: Vec<DeliveryJob> =
                batch.iter().map(|(_, job)| serde_json::from_value(job.clone()).unwrap()).collect();
            let failed = self.work(&jobs).await;
            let mut world = self.world();
            let again = world.now + SignedDuration::from_secs(5);
            world
                .messages
                .extend(batch.into_iter().zip(failed).filter(|(_, failed)| *failed).map(|((_, job), _)| (again, job)));
        }
    }

    /// Hands out what is due, as the planner does every minute.
    pub(super) async fn sweep(&self) {
        let Deliverer { table, queue, .. } = &self.deliverer;
        let until = crate::clock::now() + SignedDuration::from_hours(1);
        send_due_deliveries(table, queue, Wanted::default(), self.now(), until).await.unwrap();
    }

    /// Lets minutes pass, with the planner and the queue at work.
    pub(super) async fn run_minutes(&self, minutes: usize) {
        for _ in 0..minutes {
            self.pass(60);
            self.sweep().await;
            self.drain().await;
        }
    }

    pub(super) async fn log(&self, endpoint: &EndpointId) -> Vec<EventDelivery> {
        self.deliverer.table.deliveries(&self.scope, endpoint, None, None, 100).await.unwrap().0
    }

    pub(super) async fn states(&self, endpoint: &EndpointId) -> BTreeSet<&'static str> {
        self.log(endpoint).await.iter().map(|delivery| <&str>::from(delivery.state)).collect()
    }

    pub(super) async fn only(&self, endpoint: &EndpointId) -> EventDelivery {
        let mut log = self.log(endpoint).await;
        assert_eq!(log.len(), 1);
        log.remove(0)
    }

    /// How often the receiver at a path accepted each event.
    pub(super) fn accepted(&self, path: &str) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for arrived in self.world().arrived.iter().filter(|arrived| arrived.path == path && arrived.accepted) {
            *times.entry(arrived.body["data"]["lead"]["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        times
    }

    pub(super) fn requests(&self, path: &str) -> usize {
        self.world().arrived.iter().filter(|arrived| arrived.path == path).count()
    }
}
