//! Meta as tests of publishing need it: one page, one Instagram account, and calls that fail before or after their work.
//! It follows Meta's documented behaviour and knows nothing of how posts are published.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

/// What goes wrong with a call.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// The method and the end of the path, such as `POST 7/feed`.
    pub(crate) call: &'static str,
    /// Whether Meta does the work all the same.
    pub(crate) after: bool,
    /// The code and the subcode of the error; `None` is an answer that is no answer.
    pub(crate) error: Option<(i64, Option<i64>)>,
}

#[derive(Default)]
pub(crate) struct Meta {
    /// The time, which only tests change.
    pub(crate) now: Timestamp,
    /// The posts that are public, as `/published_posts` shows them.
    pub(crate) posts: Vec<Value>,
    /// Photos that were uploaded and not deleted, by id.
    pub(crate) photos: BTreeMap<String, String>,
    /// Videos, by id, with their text.
    pub(crate) videos: Vec<Value>,
    /// Containers by id.
    pub(crate) containers: BTreeMap<String, Container>,
    /// Public media of the Instagram account.
    pub(crate) media: Vec<Value>,
    /// How often a container says that it is in progress.
    pub(crate) polls: u32,
    /// Posts that the Instagram account may still publish today.
    pub(crate) quota: u32,
    /// What goes wrong next, each once.
    pub(crate) faults: VecDeque<Fault>,
    /// The calls, as `POST 7/feed`.
    pub(crate) calls: Vec<String>,
    /// The ids of the events on the bus.
    pub(crate) events: Vec<String>,
    /// What was put into queues in batches.
    pub(crate) batched: Vec<Value>,
    /// The jobs in queues, with the delay in seconds.
    pub(crate) queued: Vec<(Value, i64)>,
    /// Uploaded files, by the name of the file in the bucket.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The address of a photo that Meta refuses.
    pub(crate) refuse_photo: Option<String>,
    /// How many containers Meta drops when they are asked for.
    pub(crate) expire_containers: u32,
    /// Whether the page has lost its Instagram account.
    pub(crate) is_unlinked: bool,
    /// Campaigns, ad sets, creatives and ads that exist, by id, with their edge and their form.
    pub(crate) ads: BTreeMap<String, (&'static str, BTreeMap<String, String>)>,
    /// How many calls of this kind no fault befalls.
    pub(crate) skip: Option<(&'static str, usize)>,
    /// What Meta's review says of an ad, and why.
    pub(crate) review: (Option<&'static str>, Value),
    /// Messages and comments that were sent: where to, and with what.
    pub(crate) answers: Vec<Value>,
    /// Where Meta has the file 900 of WhatsApp.
    pub(crate) whatsapp_file: Option<String>,
    /// Whether Meta ignores the lead form of a creative.
    pub(crate) forgets_form: bool,
    ids: u32,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Container {
    pub(crate) form: BTreeMap<String, String>,
    pub(crate) polls: u32,
    pub(crate) published: bool,
    /// What it says instead of being ready.
    pub(crate) failed: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct FakeMeta(Arc<Mutex<Meta>>);

impl FakeMeta {
    pub(crate) fn world(&self) -> MutexGuard<'_, Meta> {
        self.0.lock().unwrap()
    }

    pub(crate) fn calls(&self, call: &str) -> usize {
        self.world().calls.iter().filter(|made| made.as_str() == call).count()
    }

    pub(crate) async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        endpoint
    }
}

async fn answer(State(meta): State<FakeMeta>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    match uri.path().strip_prefix("/files/") {
        Some(key) => meta.world().file(&method, key, &headers, &body),
        None if uri.path() == "/lookaside/900" => meta.world().whatsapp_file(&headers),
        None => answer_call(&meta, &method, &uri, &headers, &body).into_response(),
    }
}

fn answer_call(meta: &FakeMeta, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> (StatusCode, String) {
    let mut world = meta.world();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let json_body = || serde_json::from_slice::<Value>(body).unwrap();
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
                Some("broken") => return failed(&Fault { call: "", after: false, error: Some((3, None)) }),
                Some("app") => json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" }),
                _ => {
                    json!({ "pages": { "7": "page-token", "103": "page-token" }, "user_token": "t", "me": { "id": "1", "name": "Una" } })
                }
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
            world.batched.push(request.clone());
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
    form.extend(url::form_urlencoded::parse(body).into_owned());
    form.insert("body".to_owned(), String::from_utf8_lossy(body).into_owned());
    let call = format!("{method} {path}");
    world.calls.push(call.clone());
    if let Some((skipped, left @ 1..)) = &mut world.skip
        && call.ends_with(*skipped)
    {
        *left -= 1;
        return match world.graph(method.as_str(), &path, &form) {
            Ok(answer) => done(answer),
            Err((code, subcode)) => failed(&Fault { call: "", after: false, error: Some((code, subcode)) }),
        };
    }
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
                assert_eq!(text("published").unwrap_or("false"), "false");
                if self.refuse_photo.is_some() && text("url") == self.refuse_photo.as_deref() {
                    return Err((100, None));
                }
                // A file is one of the parts of the body.
                let (id, url) = (self.id(), text("url").unwrap_or("a file").to_owned());
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
            ("POST", "act_1/campaigns" | "act_1/adsets" | "act_1/adcreatives" | "act_1/ads") => {
                self.make_ad(path, form)
            }
            ("GET", "act_1/campaigns") => Ok(self.list_ads("campaigns", |_| true)),
            ("GET", "act_1/adlabels") => {
                let labels = self.ads.values().filter_map(|(_, form)| form.get("adlabels"));
                let label = |labels: &String| {
                    let name = serde_json::from_str::<Value>(labels).unwrap()[0]["name"].clone();
                    json!({ "id": "5", "name": name })
                };
                Ok(json!({ "data": labels.map(label).collect::<Vec<_>>() }))
            }
            ("GET", "act_1/adcreativesbylabels") => Ok(self.list_ads("adcreatives", |_| true)),
            ("GET", path) if path.ends_with("/adsets") => {
                let parent = path.trim_end_matches("/adsets").to_owned();
                Ok(self.list_ads("adsets", |form| form["campaign_id"] == parent))
            }
            ("GET", path) if path.ends_with("/ads") => {
                let parent = path.trim_end_matches("/ads").to_owned();
                Ok(self.list_ads("ads", |form| form["adset_id"] == parent))
            }
            ("POST", id) if self.ads.contains_key(id) => {
                let object = self.ads.get_mut(id).unwrap();
                object.1.insert("status".to_owned(), text("status").unwrap().to_owned());
                Ok(json!({ "success": true }))
            }
            ("DELETE", id) if self.ads.contains_key(id) => {
                self.delete_ad(id);
                Ok(json!({ "success": true }))
            }
            ("DELETE", id) if self.videos.iter().any(|video| video["id"] == id) => {
                self.videos.retain(|video| video["id"] != id);
                Ok(json!({ "success": true }))
            }
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
            ("POST", path) if path.ends_with("/messages") || path.starts_with('k') => self.take_answer(path, form),
            ("GET", path) if path.ends_with("/conversations") || path.starts_with('k') => self.answers_of(path),
            ("GET", "900") => self.whatsapp_media(),
            ("GET", id) => self.node(id),
            other => panic!("Meta has no {other:?}"),
        }
    }

    fn make_ad(&mut self, path: &str, form: &BTreeMap<String, String>) -> Result<Value, (i64, Option<i64>)> {
        let edge =
            ["campaigns", "adsets", "adcreatives", "ads"].into_iter().find(|edge| path.ends_with(&format!("/{edge}")));
        let edge = edge.unwrap();
        if edge == "ads" {
            let creative: Value = serde_json::from_str(&form["creative"]).unwrap();
            let creative = creative["creative_id"].as_str().unwrap();
            if !self.ads[creative].1["object_story_spec"].contains("lead_gen_form_id") {
                return Err((100, Some(3_390_001)));
            }
        }
        if form.contains_key("execution_options") {
            return Ok(json!({ "success": true }));
        }
        let id = self.id();
        let mut form = form.clone();
        if self.forgets_form && edge == "adcreatives" {
            form.insert("object_story_spec".to_owned(), "{}".to_owned());
        }
        self.ads.insert(id.clone(), (edge, form));
        Ok(json!({ "id": id }))
    }

    fn list_ads(&self, wanted: &str, is_of: impl Fn(&BTreeMap<String, String>) -> bool) -> Value {
        let listed = self.ads.iter().filter(|(_, (edge, form))| *edge == wanted && is_of(form));
        let node =
            |(id, (_, form)): (&String, &(&str, BTreeMap<String, String>))| json!({ "id": id, "name": form["name"] });
        json!({ "data": listed.map(node).collect::<Vec<_>>() })
    }

    /// Deletes an object with what is below it.
    fn delete_ad(&mut self, id: &str) {
        self.ads.remove(id);
        let below = |form: &BTreeMap<String, String>| {
            ["campaign_id", "adset_id"].iter().any(|parent| form.get(*parent).is_some_and(|parent| parent == id))
        };
        let below: Vec<String> =
            self.ads.iter().filter(|(_, (_, form))| below(form)).map(|(id, _)| id.clone()).collect();
        below.iter().for_each(|id| self.delete_ad(id));
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
        if let Some((_, form)) = self.ads.get(id) {
            let story: Value =
                form.get("object_story_spec").map_or(Value::Null, |story| serde_json::from_str(story).unwrap());
            let (status, (review, feedback)) = (form.get("status"), self.review.clone());
            return Ok(
                json!({ "id": id, "object_story_spec": story, "status": status, "effective_status": review, "ad_review_feedback": feedback }),
            );
        }
        let found = self.media.iter().chain(&self.posts).find(|found| found["id"] == id);
        found.cloned().ok_or((100, Some(33)))
    }
}
