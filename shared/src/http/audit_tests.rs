use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::{get, put};
use http::{HeaderMap, StatusCode};
use lambda_runtime::tower::ServiceExt;

use super::*;
use crate::audit::AuditQuery;
use crate::directory::{Access, Directory, UserIn};
use crate::error::ErrorCode;
use crate::http::limit_duration;
use crate::ids::{OrgScope, UserId};
use crate::leads::crash_tests::dies_at;
use crate::model::audit::AuditRecord;
use crate::model::caller::{Caller, Role};
use crate::secret::HmacKey;
use crate::table::Table;
use crate::table::tests::{empty_table, scope};

const ACTS: &[RouteAct] = &[
    act("PUT", "/users/{id}", AuditAct::UserChange),
    act("PUT", "/shown", AuditAct::OrgChange),
    ("PUT", "/preview", ActRule::Nothing),
];

/// A user who acts for org `a`.
struct Member(Access);

impl FromRequestParts<Directory> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Directory) -> Result<Self, Problem> {
        let orgs = vec![scope("a").org().clone()];
        let role = if parts.headers.contains_key("x-stranger") { Role::Other } else { Role::Admin };
        let user = UserId::parse("boss").unwrap();
        let caller = Caller { user, name: None, email: None, role, orgs, is_program: false };
        Ok(Self(Access::new(caller, Some("a"))?.begin(trail_of(parts)).await?))
    }
}

/// A face with two routes that change something, over `table`.
fn face(log: &AuditLog, table: &Table) -> Router {
    let audited = AuditedFace {
        log: log.clone(),
        face: AuditFace::Api,
        acts: ACTS,
        source: |parts| parts.extensions.get::<&str>().map(|source| (*source).to_owned()),
    };
    let change = async |State(directory): State<Directory>, Member(access): Member, body: String| {
        let input: UserIn = serde_json::from_str(&body).unwrap();
        directory.put_user(&access, "ann", input).await.map(|_| ()).map_err(Problem::from)
    };
    let shown = async |Member(_): Member| {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(ShownProblem(ErrorCode::NameInvalid.into()));
        response
    };
    let done = async |Member(_): Member| StatusCode::OK;
    Router::new()
        .route("/users/{id}", put(change).get(done))
        .route("/shown", put(shown))
        .route("/preview", put(done))
        .route("/unnamed", put(done))
        .nest("/nested", Router::new().route("/users/{id}", get(done)))
        .layer(axum::middleware::from_fn(limit_duration))
        .layer(axum::middleware::from_fn(move |request, next| record_act(audited.clone(), request, next)))
        .with_state(Directory { table: table.clone(), key: HmacKey::new("k".into()) })
}

async fn call(
    (log, table): (&AuditLog, &Table),
    method: Method,
    path: &str,
    headers: HeaderMap,
    body: &str,
) -> StatusCode {
    let mut request = http::Request::new(Body::from(body.to_owned()));
    *request.method_mut() = method;
    *request.uri_mut() = path.parse().unwrap();
    *request.headers_mut() = headers;
    request.extensions_mut().insert("192.0.2.1");
    face(log, table).oneshot(request).await.unwrap().status()
}

async fn new_log() -> AuditLog {
    AuditLog { table: empty_table().await, key: HmacKey::new("k".into()) }
}

async fn recorded(log: &AuditLog, scope: &OrgScope) -> Vec<AuditRecord> {
    log.list(scope, &AuditQuery::default(), None, 100).await.unwrap().items
}

const ANN: &str = r#"{ "name": "Ann", "email": "ann@example.com", "permissions": ["inbox"] }"#;

#[tokio::test]
async fn a_request_is_recorded_with_what_came_of_it() {
    let log = new_log().await;
    let with = |name: &'static str| HeaderMap::from_iter([(name.parse().unwrap(), "198.51.100.9".parse().unwrap())]);
    for (method, path, header, body, status) in [
        (Method::PUT, "/users/ann", "x-forwarded-for", ANN, 200),
        (Method::PUT, "/users/ann", "accept", r#"{ "name": "", "email": "ann@example.com" }"#, 400),
        (Method::PUT, "/shown", "accept", "", 200),
        // These belong to no org.
        (Method::PUT, "/users/ann", "x-stranger", ANN, 403),
        (Method::PUT, "/preview", "accept", "", 200),
        (Method::GET, "/users/ann", "accept", "", 200),
        (Method::GET, "/nested/users/ann", "accept", "", 200),
        (Method::PUT, "/nothing", "accept", "", 404),
        // No one gave it a name.
        (Method::PUT, "/unnamed", "accept", "", 503),
    ] {
        let got = call((&log, &log.table), method.clone(), path, with(header), body).await;
        assert_eq!(got, status, "{method} {path} {header}");
    }
    let mut acts = recorded(&log, &scope("a")).await;
    acts.reverse();
    let brief: Vec<_> = acts.iter().map(|act| (act.act.as_str(), act.outcome, act.code.as_deref())).collect();
    assert_eq!(
        brief,
        [
            ("user.change", AuditOutcome::Done, None),
            ("user.change", AuditOutcome::Refused, Some("length_invalid")),
            ("org.change", AuditOutcome::Refused, Some("name_invalid")),
        ]
    );
    assert_eq!((acts[0].source.as_deref(), &acts[0].subjects[..]), (Some("192.0.2.1"), &["ann".to_owned()][..]));
    let fields: Vec<_> = acts[0].changes.iter().map(|change| (change.field.as_str(), change.withheld)).collect();
    assert_eq!(fields, [("name", true), ("email", true), ("active", false), ("permissions", false)]);
    assert!(!serde_json::to_string(&acts).unwrap().contains("ann@example.com"));
    assert_eq!(recorded(&log, &scope("b")).await, []);
}

#[tokio::test]
async fn nothing_is_changed_if_it_cannot_be_recorded() {
    let log = new_log().await;
    let deaf = AuditLog { table: log.table.missing(), ..log.clone() };
    assert_eq!(call((&deaf, &log.table), Method::PUT, "/users/ann", HeaderMap::new(), ANN).await, 503);
    assert_eq!(log.table.users(&scope("a")).await.unwrap(), []);
}

#[tokio::test]
async fn no_crash_hides_an_act() {
    let (mut points, mut unknown) = (0, 0);
    for point in 0.. {
        assert!(point < 200, "the work does not come to an end");
        let log = new_log().await;
        let finished = dies_at(point, call((&log, &log.table), Method::PUT, "/users/ann", HeaderMap::new(), ANN)).await;
        let acts = recorded(&log, &scope("a")).await;
        let is_changed = !log.table.users(&scope("a")).await.unwrap().is_empty();
        assert!(!is_changed || acts.len() == 1, "{point}: {acts:?}");
        if finished.is_some() {
            assert_eq!(acts[0].outcome, AuditOutcome::Done);
            points = point;
            break;
        }
        let is_unknown = acts.first().is_some_and(|act| act.outcome == AuditOutcome::Unknown);
        unknown += usize::from(is_changed && is_unknown);
    }
    assert!(points > 3 && unknown > 0, "{points} points, {unknown} of them after the change and before its record");
}
