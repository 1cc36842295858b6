//! An org is removed, wherever that stops, and is as it was after it was copied and put back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::audit::{ActRule, AuditLog};
use crate::bus::Bus;
use crate::directory::Access;
use crate::error::WorkError;
use crate::exports::Exports;
use crate::files::Files;
use crate::ids::{AdAccountId, ClientId, OrgScope, UserId};
use crate::leads::crash_tests::dies_at;
use crate::meta_app::MetaApp;
use crate::model::ads::account::{AdAccount, Client, TokenSource};
use crate::model::audit::{AuditAct, AuditFace, AuditOutcome};
use crate::model::caller::Caller;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::plan;
use crate::model::org::{Org, Plan};
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::table::commit::CommitOutcome;
use crate::table::org_items::{OrgWalk, ReadPace};
use crate::table::tests::{at, connection, empty_table, integration, lead, user};

/// AWS and Meta, as far as a removal needs them.
#[derive(Clone, Default)]
struct Outside(Arc<Mutex<Things>>);

#[derive(Default)]
struct Things {
    files: BTreeSet<String>,
    deleted_secrets: BTreeSet<String>,
    unsubscribed: usize,
}

impl Outside {
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        endpoint
    }

    fn things(&self) -> std::sync::MutexGuard<'_, Things> {
        self.0.lock().unwrap()
    }
}

async fn answer(State(outside): State<Outside>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> String {
    let mut things = outside.things();
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let query: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    match (target, &method) {
        ("secretsmanager.GetSecretValue", _) => {
            let app = json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" });
            let tokens = json!({ "pages": { "7": "t" }, "user_token": "t", "me": { "id": "1", "name": "Una" } });
            let secret = if input["SecretId"] == "app" { app } else { tokens };
            json!({ "SecretString": secret.to_string() }).to_string()
        }
        ("secretsmanager.DeleteSecret", _) => {
            things.deleted_secrets.insert(input["SecretId"].as_str().unwrap().to_owned());
            "{}".to_owned()
        }
        ("AWSEvents.PutEvents", _) => {
            let entries = input["Entries"].as_array().unwrap().iter().map(|_| json!({ "EventId": "e" }));
            json!({ "FailedEntryCount": 0, "Entries": entries.collect::<Vec<_>>() }).to_string()
        }
        ("AmazonSQS.SendMessage", _) => json!({ "MessageId": "m" }).to_string(),
        ("", &Method::GET) if query.contains_key("prefix") => {
            let listed = things.files.iter().filter(|file| file.starts_with(&query["prefix"]));
            let listed: String = listed.map(|file| format!("<Contents><Key>{file}</Key></Contents>")).collect();
            format!("<ListBucketResult><Name>files</Name>{listed}</ListBucketResult>")
        }
        ("", &Method::DELETE) => {
            things.files.remove(uri.path().trim_start_matches("/files/"));
            String::new()
        }
        _ => {
            // Meta's batches.
            let form: std::collections::BTreeMap<String, String> =
                url::form_urlencoded::parse(&body).into_owned().collect();
            let calls: Vec<Value> =
                form.get("batch").and_then(|batch| serde_json::from_str(batch).ok()).unwrap_or_default();
            things.unsubscribed += calls.len();
            let done = json!({ "code": 200, "body": json!({ "success": true }).to_string() });
            Value::Array(calls.iter().map(|_| done.clone()).collect()).to_string()
        }
    }
}

/// Org `a` with an integration, a page, leads, a user, an ad account with its own token, and files; and org `ab`.
struct Estate {
    outside: Outside,
    table: Table,
    meta: MetaApp,
    bus: Bus,
    exports: Exports,
    syncs: Queue<crate::jobs::AdsSyncJob>,
}

const NOW: &str = "2026-01-05T00:00:00Z";

impl Estate {
    async fn new() -> Self {
        let outside = Outside::default();
        let endpoint = outside.serve().await;
        let aws = crate::aws::fake(&endpoint);
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let table = empty_table().await;
        outside.things().files =
            ["uploads/a/1", "exports/a/e/leads.csv", "attachments/a/m/0", "uploads/ab/1"].map(ToOwned::to_owned).into();
        let estate = Self {
            exports: Exports {
                table: table.clone(),
                files: Files::new(&aws, "files".into()),
                queue: Queue::new(sqs.clone(), format!("{endpoint}/exports")),
                key: HmacKey::new("k".into()),
            },
            meta: MetaApp::fake(&endpoint, &aws),
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), "bus".into()),
            syncs: Queue::new(sqs, format!("{endpoint}/syncs")),
            outside,
            table,
        };
        for org in ["a", "ab"] {
            estate.settle(org).await;
        }
        estate
    }

    async fn settle(&self, org: &str) {
        let (table, scope) = (&self.table, crate::table::tests::scope(org));
        let plan_of_org = Plan { name: "pro".into(), features: vec!["meta".into()] };
        let pushed = Org {
            id: scope.org().clone(),
            name: org.to_uppercase(),
            plan: plan_of_org,
            default_country: None,
            daily_spend_limit: None,
            keep_leads_days: None,
            updated_at: at(NOW),
        };
        table.put_org(&scope, &pushed).await.unwrap();
        table.put_user(&scope, &user("ann", true)).await.unwrap();
        let mut connected = integration(Assignment::Unassigned);
        connected.org = scope.org().clone();
        connected.credentials = vec![format!("stack/integration/{org}")];
        table.insert_integration(&scope, &connected, None).await.unwrap();
        table.save_connection(&scope, &connection(org)).await.unwrap();
        let client = Client { id: ClientId::parse("c").unwrap(), name: "C".into() };
        let token = TokenSource::Secret(format!("stack/integration/ada_{org}"));
        let id = AdAccountId::parse("act_1").unwrap();
        let by = (UserId::parse("u").unwrap(), at(NOW));
        let account = AdAccount::new(scope.org().clone(), id, client, token, by);
        assert!(table.insert_ad_account(&scope, &account).await.unwrap());
        for (id, email) in [(1, "jane@example.com"), (2, "jane@example.com"), (3, "joe@example.com")] {
            let leads = [lead(id, Some(email))];
            let snapshot = table.dedupe_snapshot(&scope, &leads).await.unwrap();
            let planned = plan(&leads, &snapshot, &Assignment::Unassigned);
            assert_eq!(table.commit(&scope, &[], &planned, at(NOW)).await.unwrap(), CommitOutcome::Committed);
        }
    }

    async fn remove(&self) -> OrgRemoval {
        let orgs =
            Orgs { table: &self.table, meta: &self.meta, bus: &self.bus, exports: &self.exports, syncs: &self.syncs };
        let log = AuditLog { table: self.table.clone(), key: HmacKey::new("k".into()) };
        let trail = log.trail(AuditFace::Operator, None, ActRule::Act(AuditAct::OrgRemove));
        let access = Access::new(Caller::operator("arn:aws:iam::1:user/ann"), Some("a")).unwrap();
        let access = access.begin(trail.clone()).await.unwrap();
        let receipt = orgs.remove(&access, &ReadPace::new(1_000_000), crate::clock::now()).await.unwrap();
        trail.finish(AuditOutcome::Done, None).await;
        receipt
    }

    /// The items of an org, as lines, and their kinds.
    async fn lines(&self, scope: &OrgScope) -> Vec<String> {
        let (pace, mut lines) = (ReadPace::new(1_000_000), Vec::new());
        let walk = OrgWalk { table: &self.table, scope, pace: &pace };
        let write = |line: &str| {
            lines.push(line.to_owned());
            Ok::<_, WorkError>(())
        };
        assert_eq!(copy_org(walk, crate::clock::now(), write).await.unwrap(), lines.len());
        lines
    }
}

#[tokio::test]
async fn a_copy_that_cannot_be_written_ends_at_once() {
    let (estate, scope, pace) = (Estate::new().await, crate::table::tests::scope("a"), ReadPace::new(1_000_000));
    let (walk, mut lines) = (OrgWalk { table: &estate.table, scope: &scope, pace: &pace }, 0);
    let write = |_: &str| {
        lines += 1;
        if lines == 2 { Err(WorkError::OutOfTime) } else { Ok(()) }
    };
    assert!(matches!(copy_org(walk, crate::clock::now(), write).await, Err(WorkError::OutOfTime)));
    assert_eq!(lines, 2);
}

#[tokio::test]
async fn of_a_removed_org_only_its_records_are_left() {
    let (estate, a, ab) = (Estate::new().await, crate::table::tests::scope("a"), crate::table::tests::scope("ab"));
    let neighbour = estate.lines(&ab).await;
    let receipt = estate.remove().await;
    assert_eq!((receipt.integrations, receipt.ad_accounts, receipt.files), (1, 1, 3));
    assert_eq!((receipt.items["lead"], receipt.items["submission"], receipt.items["org"]), (2, 1, 1));
    assert_eq!(receipt.records_kept, 1);
    let left = estate.lines(&a).await;
    assert_eq!(left.len(), 1, "{left:#?}");
    assert!(left[0].contains("org.remove") && left[0].contains("arn:aws:iam::1:user:ann"), "{left:?}");
    assert_eq!(estate.lines(&ab).await, neighbour, "another org loses nothing");
    let things = estate.outside.things();
    let secrets = ["stack/integration/a", "stack/integration/ada_a"].map(ToOwned::to_owned);
    assert_eq!(things.deleted_secrets, secrets.into());
    assert_eq!(things.files, ["uploads/ab/1".to_owned()].into());
    assert_eq!(things.unsubscribed, 0, "the other org uses the page");
}

#[tokio::test]
async fn a_removal_that_stops_at_any_point_goes_on_when_it_is_repeated() {
    for point in (0..).step_by(7) {
        let estate = Estate::new().await;
        let done = dies_at(point, estate.remove()).await.is_some();
        estate.remove().await;
        let a = crate::table::tests::scope("a");
        let kinds = estate.lines(&a).await;
        assert!(kinds.iter().all(|line| line.contains("\"org.remove\"")), "stopped at {point}: {kinds:#?}");
        let things = estate.outside.things();
        assert_eq!((things.deleted_secrets.len(), things.files.len()), (2, 1), "stopped at {point}");
        if done {
            return;
        }
    }
}

#[tokio::test]
async fn a_removed_org_is_brought_back_by_its_copy() {
    let (estate, a) = (Estate::new().await, crate::table::tests::scope("a"));
    let copy = estate.lines(&a).await;
    estate.remove().await;
    let now: Timestamp = at(NOW);
    let header = CopyHeader::new("s".into(), "t".into(), a.org().clone(), now, copy.len());
    let parsed = CopyHeader::parse(&serde_json::to_string(&header).unwrap()).unwrap();
    assert_eq!(parsed, header);
    let lines = || copy.clone().into_iter();
    let counted = restore_org(&estate.table, &a, &header, lines, now, true).await.unwrap();
    let restored = restore_org(&estate.table, &a, &header, lines, now, false).await.unwrap();
    assert_eq!((restored, restored.stored), (counted, copy.len()));
    let back: BTreeSet<String> =
        estate.lines(&a).await.into_iter().filter(|line| !line.contains("org.remove")).collect();
    assert_eq!(back, copy.into_iter().collect());
}

#[tokio::test]
async fn a_damaged_copy_changes_nothing() {
    let (estate, a, ab) = (Estate::new().await, crate::table::tests::scope("a"), crate::table::tests::scope("ab"));
    let (copy, foreign) = (estate.lines(&a).await, estate.lines(&ab).await);
    estate.remove().await;
    let before = estate.table.everything().await.len();
    let header = |items| CopyHeader::new("s".into(), "t".into(), a.org().clone(), at(NOW), items);
    let said = header(copy.len() + 1);
    let short = restore_org(&estate.table, &a, &said, || copy.clone().into_iter(), at(NOW), false).await;
    assert!(matches!(short, Err(CopyProblem::Count { .. })));
    let mixed = || copy.clone().into_iter().chain(foreign.clone());
    let said = header(copy.len() + foreign.len());
    let mixed = restore_org(&estate.table, &a, &said, mixed, at(NOW), false).await;
    assert!(matches!(mixed, Err(CopyProblem::Line(line, _)) if line == copy.len() + 2), "{mixed:?}");
    assert_eq!(estate.table.everything().await.len(), before);
    assert!(matches!(CopyHeader::parse("{\"leadwire_copy\":2}"), Err(CopyProblem::OtherShape(2))));
    assert!(matches!(CopyHeader::parse("{}"), Err(CopyProblem::NoHeader)));
}
