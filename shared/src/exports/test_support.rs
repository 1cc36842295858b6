//! An org with leads, a table in this process, a bucket that holds parts until they are completed, and a queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Exporter, Exports};
use crate::directory::Access;
use crate::files::Files;
use crate::ids::{ExportId, OrgId, OrgScope, UserId};
use crate::jobs::ExportJob;
use crate::model::caller::{Caller, Role};
use crate::model::lead::Lead;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::plan;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::commit::CommitOutcome;
use crate::table::tests::{at, empty_table, scope};

#[derive(Default)]
pub(super) struct Bucket {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// Parts by the upload's id and their number.
    pub(super) uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    uploads_begun: usize,
    pub(super) messages: Vec<ExportJob>,
    /// The next completion is done, and its answer gets lost.
    pub(super) loses_completion: bool,
}

#[derive(Clone, Default)]
struct FakeBucket(Arc<Mutex<Bucket>>);

async fn answer(
    State(bucket): State<FakeBucket>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut bucket = bucket.0.lock().unwrap();
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let key = uri.path().trim_start_matches("/files/").to_owned();
    if headers.contains_key("x-amz-target") {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let entries = body["Entries"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        for entry in &entries {
            bucket.messages.push(serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap());
        }
        let sent: Vec<Value> = entries
            .iter()
            .map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" }))
            .collect();
        return json!({ "MessageId": "m", "Successful": sent, "Failed": [] }).to_string().into_response();
    }
    if method == Method::POST && query.contains_key("uploads") {
        bucket.uploads_begun += 1;
        let id = format!("upload {}", bucket.uploads_begun);
        bucket.uploads.insert(id.clone(), BTreeMap::new());
        let xml = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        return xml.into_response();
    }
    let Some(upload) = query.get("uploadId") else { return bucket.file(&method, key, &headers, &body) };
    let Some(parts) = bucket.uploads.get_mut(upload) else {
        let xml = "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>";
        return (StatusCode::NOT_FOUND, xml).into_response();
    };
    match method {
        Method::PUT => {
            let number = query["partNumber"].parse().unwrap();
            assert_eq!(parts.insert(number, body.to_vec()), None, "part {number} was sent twice");
            ([("etag", format!("\"etag {number}\""))], "").into_response()
        }
        Method::DELETE => {
            bucket.uploads.remove(upload);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => {
            let wanted = String::from_utf8(body.to_vec()).unwrap();
            let numbers: Vec<u32> = wanted
                .split("<PartNumber>")
                .skip(1)
                .map(|rest| rest.split('<').next().unwrap().parse().unwrap())
                .collect();
            assert!(numbers.is_sorted(), "{numbers:?}");
            let file = numbers.iter().flat_map(|number| parts[number].clone()).collect();
            bucket.uploads.remove(upload);
            bucket.files.insert(key, file);
            if std::mem::take(&mut bucket.loses_completion) {
                return StatusCode::FORBIDDEN.into_response();
            }
            "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>".into_response()
        }
    }
}

impl Bucket {
    fn file(&mut self, method: &Method, key: String, headers: &HeaderMap, body: &Bytes) -> Response {
        match *method {
            Method::PUT => drop(self.files.insert(key, body.to_vec())),
            Method::DELETE => drop(self.files.remove(&key)),
            _ => {
                let Some(file) = self.files.get(&key) else { return StatusCode::NOT_FOUND.into_response() };
                let status = if headers.contains_key("range") { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
                assert!(!file.is_empty(), "S3 has no range of an empty file");
                return (status, [("content-type", "text/csv")], file.clone()).into_response();
            }
        }
        StatusCode::OK.into_response()
    }
}

/// Org `a`.
pub(super) struct ExportFixture {
    pub(super) exporter: Exporter,
    pub(super) exports: Exports,
    pub(super) access: Access,
    pub(super) scope: OrgScope,
    bucket: FakeBucket,
}

impl ExportFixture {
    /// Files are sent in parts of `part_bytes`; leads are read `page` at a time.
    pub(super) async fn new(part_bytes: usize, page: usize) -> Self {
        let bucket = FakeBucket::default();
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", socket.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(bucket.clone());
        tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        let aws = crate::aws::fake(&origin);
        let scope = scope("a");
        let caller = Caller {
            user: UserId::parse("u").unwrap(),
            name: None,
            email: None,
            role: Role::Admin,
            orgs: vec![OrgId::parse("a").unwrap()],
            is_program: false,
        };
        let exports = Exports {
            table: empty_table().await,
            files: Files::new(&aws, "files".into()),
            queue: Queue::new(aws_sdk_sqs::Client::new(&aws), format!("{origin}/queue")),
            key: HmacKey::new("key".into()),
        };
        let exporter = Exporter { sizes: (part_bytes, page), ..Exporter::new(exports.clone()) };
        Self { exporter, exports, access: Access::new(caller, Some("a")).unwrap(), scope, bucket }
    }

    pub(super) fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.0.lock().unwrap()
    }

    /// Stores a lead, as a worker does.
    pub(super) async fn store(&self, lead: Lead) {
        let leads = [lead];
        let table = &self.exports.table;
        let snapshot = table.dedupe_snapshot(&self.scope, &leads).await.unwrap();
        let plan = plan(&leads, &snapshot, &Assignment::Unassigned);
        let outcome = table.commit(&self.scope, &[], &plan, at("2026-01-02T00:00:00Z")).await.unwrap();
        assert_eq!(outcome, CommitOutcome::Committed);
    }

    pub(super) fn job(&self, id: &ExportId) -> ExportJob {
        ExportJob { org: self.scope.org().clone(), export: id.clone() }
    }

    pub(super) async fn work(&self, job: &ExportJob, time: Duration) {
        self.exporter.export(job, time, &|| self.now()).await.unwrap();
    }

    /// Handles messages until there are no more.
    pub(super) async fn drain(&self, time: Duration) {
        loop {
            let Some(job) = self.bucket().messages.pop() else { return };
            self.work(&job, time).await;
        }
    }

    #[expect(clippy::unused_self, reason = "the clock of the fixture")]
    pub(super) fn now(&self) -> Timestamp {
        crate::clock::now()
    }

    /// The rows of a complete file after the first, by their ids.
    pub(super) fn ids_in_file(&self, id: &ExportId) -> Vec<String> {
        let bucket = self.bucket();
        let file = &bucket.files[&format!("exports/a/{id}/leads.csv")];
        let mut reader = ::csv::Reader::from_reader(&file[3..]);
        assert_eq!(reader.headers().unwrap().get(0), Some("id"));
        reader.records().map(|row| row.unwrap()[0].to_owned()).collect()
    }
}
