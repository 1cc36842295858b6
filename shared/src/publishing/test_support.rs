//! Meta as tests of publishing need it: one page, one Instagram account, and calls that fail before or after their work.
//! It follows Meta's documented behaviour and knows nothing of how posts are published.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_eventbridge::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Publisher;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::graph::GraphClient;
use crate::ids::{OrgScope, PostId};
use crate::jobs::PublishJob;
use crate::meta_app::MetaApp;
use crate::model::connection::Integration;
use crate::model::lead::assignment::Assignment;
use crate::model::org::{Org, Plan};
use crate::model::publishing::Post;
use crate::queue::Queue;
use crate::table::tests::{at, connection, empty_table, integration, scope};
use crate::vault::Vault;

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// The method and the end of the path, such as `POST 7/feed`.
    pub(super) call: &'static str,
    /// Whether Meta does the work all the same.
    pub(super) after: bool,
    /// The code and the subcode of the error; `None` is an answer that is no answer.
    pub(super) error: Option<(i64, Option<i64>)>,
}

#[derive(Default)]
pub(super) struct Meta {
    /// The time, which only tests change.
    pub(super) now: Timestamp,
    /// The posts that are public, as `/published_posts` shows them.
    pub(super) posts: Vec<Value>,
    /// Photos that were uploaded and not deleted, by id.
    pub(super) photos: BTreeMap<String, String>,
    /// Videos, by id, with their text.
    pub(super) videos: Vec<Value>,
    /// Containers by id.
    pub(super) containers: BTreeMap<String, Container>,
    /// Public media of the Instagram account.
    pub(super) media: Vec<Value>,
    /// How often a container says that it is in progress.
    pub(super) polls: u32,
    /// Posts that the Instagram account may still publish today.
    pub(super) quota: u32,
    /// What goes wrong next, each once.
    pub(super) faults: VecDeque<Fault>,
    /// The calls, as `POST 7/feed`.
    pub(super) calls: Vec<String>,
    /// The ids of the events on the bus.
    pub(super) events: Vec<String>,
    /// The jobs in queues, with the delay in seconds.
    pub(super) queued: Vec<(Value, i64)>,
    /// The address of a photo that Meta refuses.
    pub(super) refuse_photo: Option<String>,
    /// How many containers Meta drops when they are asked for.
    pub(super) expire_containers: u32,
    /// Whether the page has lost its Instagram account.
    pub(super) is_unlinked: bool,
    ids: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Container {
    pub(super) form: BTreeMap<String, String>,
    pub(super) polls: u32,
    pub(super) published: bool,
    /// What it says instead of being ready.
    pub(super) failed: Option<String>,
}

#[derive(Clone, Default)]
pub(super) struct FakeMeta(Arc<Mutex<Meta>>);

impl FakeMeta {
    pub(super) fn world(&self) -> MutexGuard<'_, Meta> {
        self.0.lock().unwrap()
    }

    pub(super) fn calls(&self, call: &str) -> usize {
        self.world().calls.iter().filter(|made| made.as_str() == call).count()
    }

    pub(super) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        endpoint
    }
}

async fn answer(
    State(meta): State<FakeMeta>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let mut world = meta.world();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let json_body = || serde_json::from_slice::<Value>(&body).unwrap();
    let done = |answer: Value| (StatusCode::OK, answer.to_string());
    match target {
        "AWSEvents.PutEvents" => {
            let request = json_body();
            let entries = request["Entries"].as_array().unwrap();
            for entry in entries {
                let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
                world.events.push(detail["id"].as_str().unwrap().to_owned());
            }
            return done(
                json!({ "FailedEntryCount": 0, "Entries": entries.iter().map(|_| json!({"EventId": "e"})).collect::<Vec<_>>() }),
            );
        }
        "secretsmanager.GetSecretValue" => {
            let secret = match json_body()["SecretId"].as_str() {
                Some("app") => json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" }),
                _ => json!({ "pages": { "7": "page-token" }, "user_token": "t", "me": { "id": "1", "name": "Una" } }),
            };
            return done(json!({ "SecretString": secret.to_string() }));
        }
        "AmazonSQS.SendMessage" => {
            let request = json_body();
            let job = serde_json::from_str(request["MessageBody"].as_str().unwrap()).unwrap();
            world.queued.push((job, request["DelaySeconds"].as_i64().unwrap_or(0)));
            return done(json!({ "MessageId": "m" }));
        }
        "AmazonSQS.SendMessageBatch" => {
            let request = json_body();
            let sent: Vec<Value> = request["Entries"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| json!({ "Id": entry["Id"], "MessageId": "m" }))
                .collect();
            return done(json!({ "Successful": sent, "Failed": [] }));
        }
        _ => {}
    }
    let path = uri.path().split('/').skip(2).collect::<Vec<_>>().join("/");
    let mut form: BTreeMap<String, String> = BTreeMap::new();
    form.extend(url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned());
    form.extend(url::form_urlencoded::parse(&body).into_owned());
    let call = format!("{method} {path}");
    world.calls.push(call.clone());
    let fault = world.faults.iter().position(|fault| call.ends_with(fault.call)).and_then(|at| world.faults.remove(at));
    if let Some(fault) = &fault
        && !fault.after
    {
        return failed(fault);
    }
    let result = world.graph(method.as_str(), &path, &form);
    if let Some(fault) = fault {
        return failed(&fault);
    }
    match result {
        Ok(answer) => done(answer),
        Err((code, subcode)) => failed(&Fault { call: "", after: false, error: Some((code, subcode)) }),
    }
}

fn failed(fault: &Fault) -> (StatusCode, String) {
    match fault.error {
        Some((code, subcode)) => {
            let status =
                if matches!(code, 1 | 2) { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
            let error = json!({ "message": "m", "type": "OAuthException", "code": code, "error_subcode": subcode, "error_user_msg": "Meta's own words" });
            (status, json!({ "error": error }).to_string())
        }
        None => (StatusCode::BAD_GATEWAY, "<html>".to_owned()),
    }
}

impl Meta {
    fn id(&mut self) -> String {
        self.ids += 1;
        format!("9{:03}", self.ids)
    }

    fn graph(
        &mut self,
        method: &str,
        path: &str,
        form: &BTreeMap<String, String>,
    ) -> Result<Value, (i64, Option<i64>)> {
        let text = |name: &str| form.get(name).map(String::as_str);
        let time = self.now.to_string();
        match (method, path) {
            ("POST", "7/photos") => {
                assert_eq!(text("published"), Some("false"));
                if text("url") == self.refuse_photo.as_deref() {
                    return Err((100, None));
                }
                let (id, url) = (self.id(), text("url").unwrap().to_owned());
                self.photos.insert(id.clone(), url);
                Ok(json!({ "id": id }))
            }
            ("POST", "7/feed") => {
                let photos: Vec<Value> = serde_json::from_str(text("attached_media").unwrap_or("[]")).unwrap();
                let urls: Vec<&String> =
                    photos.iter().map(|photo| &self.photos[photo["media_fbid"].as_str().unwrap()]).collect();
                let post = json!({ "message": text("message"), "link": text("link"), "urls": urls, "created_time": time, "application": { "id": "1" } });
                let id = format!("7_{}", self.id());
                let mut post = post;
                post["id"] = json!(id);
                post["permalink_url"] = json!(format!("https://www.facebook.com/{id}"));
                self.posts.push(post.clone());
                Ok(json!({ "id": id, "permalink_url": post["permalink_url"] }))
            }
            ("GET", "7/published_posts") => Ok(json!({ "data": self.posts.iter().rev().collect::<Vec<_>>() })),
            ("POST", "7/videos") => {
                let id = self.id();
                self.videos.push(json!({ "id": id, "description": text("description").unwrap_or_default(), "created_time": time, "polls": 0 }));
                Ok(json!({ "id": id }))
            }
            ("GET", "7/videos") => Ok(json!({ "data": self.videos })),
            ("DELETE", id) => self.photos.remove(id).map(|_| json!({ "success": true })).ok_or((100, Some(33))),
            ("POST", "178/media") => {
                let id = self.id();
                self.containers.insert(id.clone(), Container { form: form.clone(), ..Container::default() });
                if let Some(children) = text("children") {
                    let is_ready = |id: &str| self.containers[id].polls >= self.polls;
                    if !children.split(',').all(is_ready) {
                        return Err((9007, Some(2_207_027)));
                    }
                }
                Ok(json!({ "id": id }))
            }
            ("GET", "178/content_publishing_limit") => Ok(
                json!({ "data": [{ "quota_usage": 50 - self.quota, "config": { "quota_total": 50, "quota_duration": 86400 } }] }),
            ),
            ("POST", "178/media_publish") => {
                let id = text("creation_id").unwrap().to_owned();
                let polls = self.polls;
                let container = self.containers.get_mut(&id).unwrap();
                if container.published || container.polls < polls {
                    return Err((9007, Some(2_207_027)));
                }
                container.published = true;
                let caption = container.form.get("caption").cloned();
                let medium = self.id();
                self.media.push(json!({ "id": medium, "caption": caption, "timestamp": time, "permalink": format!("https://www.instagram.com/p/{medium}/"), "container": id }));
                Ok(json!({ "id": medium }))
            }
            ("GET", "178/media" | "178/stories") => Ok(json!({ "data": self.media.iter().rev().collect::<Vec<_>>() })),
            ("POST", "") => Ok(self.accounts(form)),
            ("GET", id) => self.node(id),
            other => panic!("Meta has no {other:?}"),
        }
    }

    fn node(&mut self, id: &str) -> Result<Value, (i64, Option<i64>)> {
        if let Some(container) = self.containers.get_mut(id) {
            container.polls += 1;
            if self.expire_containers > 0 {
                self.expire_containers -= 1;
                return Ok(json!({ "id": id, "status_code": "EXPIRED" }));
            }
            let code = match &container.failed {
                _ if container.published => "PUBLISHED",
                Some(_) => "ERROR",
                None if container.polls < self.polls => "IN_PROGRESS",
                None => "FINISHED",
            };
            return Ok(
                json!({ "id": id, "status_code": code, "status": container.failed.clone().unwrap_or_default() }),
            );
        }
        if let Some(video) = self.videos.iter_mut().find(|video| video["id"] == id) {
            let polls = video["polls"].as_u64().unwrap() + 1;
            video["polls"] = json!(polls);
            let ready = polls > u64::from(self.polls);
            return Ok(
                json!({ "id": id, "status": { "video_status": if ready { "ready" } else { "processing" } }, "post_id": ready.then_some("7_77") }),
            );
        }
        let found = self.media.iter().chain(&self.posts).find(|found| found["id"] == id);
        found.cloned().ok_or((100, Some(33)))
    }
}

/// A publisher for org `a`, whose page 7 has the Instagram account 178.
pub(super) struct Fixture {
    pub(super) publisher: Publisher,
    pub(super) meta: FakeMeta,
    pub(super) scope: OrgScope,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let meta = FakeMeta::default();
        let endpoint = meta.serve().await;
        {
            let mut world = meta.world();
            (world.now, world.polls, world.quota) = (at("2026-01-02T00:00:00Z"), 2, 50);
        }
        let region = Region::from_static("us-east-1");
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(
                    $sdk::Config::builder()
                        .behavior_version(BehaviorVersion::v2026_01_12())
                        .region(region.clone())
                        .endpoint_url(&endpoint)
                        .credentials_provider(Credentials::for_tests())
                        .build(),
                )
            };
        }
        let app = serde_json::from_value(json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" })).unwrap();
        let sqs = client!(aws_sdk_sqs);
        let publisher = Publisher {
            meta: MetaApp {
                graph: GraphClient::new(endpoint.parse().unwrap(), "v26.0".into(), app).unwrap(),
                vault: Vault::new(client!(aws_sdk_secretsmanager)),
                app_secret_id: "app".into(),
            },
            table: empty_table().await,
            bus: Bus::new(client!(aws_sdk_eventbridge), "bus".into()),
            queue: Queue::new(sqs.clone(), format!("{endpoint}/publish")),
            checks: Queue::new(sqs, format!("{endpoint}/checks")),
        };
        let (scope, table) = (scope("a"), &publisher.table);
        let plan = Plan { name: "pro".into(), features: vec!["meta".into()] };
        let org = Org {
            id: scope.org().clone(),
            name: "A".into(),
            plan,
            default_country: None,
            updated_at: at("2026-01-01T00:00:00Z"),
        };
        table.put_org(&scope, &org).await.unwrap();
        let scopes = ["pages_manage_posts", "pages_read_engagement", "instagram_basic", "instagram_content_publish"];
        let integration = Integration {
            scopes: scopes.map(ToOwned::to_owned).to_vec(),
            token_expires_at: None,
            ..integration(Assignment::Unassigned)
        };
        table.insert_integration(&scope, &integration, None).await.unwrap();
        table.save_connection(&scope, &connection("a")).await.unwrap();
        Self { publisher, meta, scope }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.meta.world().now
    }

    pub(super) async fn insert(&self, post: &Post) {
        self.publisher.table.insert_posts(&self.scope, std::slice::from_ref(post), None).await.unwrap();
    }

    pub(super) async fn post(&self, id: &PostId) -> Post {
        self.publisher.table.post(&self.scope, id).await.unwrap().unwrap()
    }

    /// Runs a worker once.
    pub(super) async fn work(&self, job: &PublishJob) -> Result<(), WorkError> {
        let clock = || self.now();
        self.publisher.publish(job, Duration::from_secs(120), &clock).await
    }

    /// Delivers messages, and has the schedule look for posts, until nothing is left to do. Time passes as it would.
    pub(super) async fn run(&self) {
        for round in 0.. {
            assert!(round < 400, "the posts do not come to an end");
            let next = self.meta.world().queued.pop();
            let job = match next {
                Some((job, delay)) => {
                    let mut world = self.meta.world();
                    world.now += SignedDuration::from_secs(delay);
                    serde_json::from_value(job).unwrap()
                }
                None => {
                    let due = self.publisher.table.due_posts(None).await.unwrap();
                    let Some((at, job)) = due.into_iter().next() else { return };
                    let mut world = self.meta.world();
                    world.now = world.now.max(at);
                    job
                }
            };
            self.work(&job).await.unwrap();
        }
    }
}
