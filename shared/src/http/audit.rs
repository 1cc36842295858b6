//! The audit as the faces write it: before an act, and when its answer is there.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{Extensions, header};

use super::{Problem, ProblemCode};
use crate::ids::OrgScope;
use crate::model::audit::{AuditFace, AuditOutcome, AuditRecord, ChangeLog, subjects_of};
use crate::model::caller::Caller;
use crate::table::Table;

/// An act that was requested. Clones are the same act.
#[derive(Debug, Clone)]
pub struct RequestedAct(Arc<ActInProgress>);

#[derive(Debug)]
struct ActInProgress {
    name: String,
    face: AuditFace,
    source: Option<String>,
    subjects: Vec<String>,
    changes: ChangeLog,
    begun: Mutex<Option<(OrgScope, AuditRecord)>>,
}

/// What a response says of its act, where its status does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActVerdict {
    /// It was done, although the response is a page.
    Done,
    /// It was refused, although the response leads to another page.
    Refused(ProblemCode),
}

/// Begins the record of the request's act, if it is one, once it is known who acts and for which org. Returns the log of
/// its changes. Without a record, nothing is changed.
///
/// # Errors
/// If the record cannot be stored.
pub async fn begin(
    extensions: &Extensions,
    table: &Table,
    (scope, caller): (&OrgScope, &Caller),
) -> Result<ChangeLog, Problem> {
    let Some(RequestedAct(act)) = extensions.get::<RequestedAct>() else { return Ok(ChangeLog::default()) };
    let is_begun = act.begun.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    if !is_begun {
        let now = crate::clock::now();
        let mut record = AuditRecord::begin(caller, &act.name, (act.face, act.source.clone()), now);
        record.subjects.clone_from(&act.subjects);
        table.begin_audit(scope, &record).await?;
        *act.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some((scope.clone(), record));
    }
    Ok(act.changes.clone())
}

/// Runs a request from the network address `source` that is an act by the name that `name` gives its method and pattern. Whatever reads is none, and what
/// has no name neither.
pub async fn audited(
    (face, source): (AuditFace, Option<String>),
    table: &Table,
    name: impl Fn(&str, &str) -> Option<String>,
    mut request: Request,
    next: Next,
) -> Response {
    let pattern = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let pattern = pattern.filter(|_| !request.method().is_safe());
    let Some((name, pattern)) = pattern.and_then(|it| Some((name(request.method().as_str(), &it)?, it))) else {
        return next.run(request).await;
    };
    let subjects = subjects_of(&pattern, request.uri().path());
    let changes = ChangeLog::default();
    let act = Arc::new(ActInProgress { name, face, source, subjects, changes, begun: Mutex::default() });
    request.extensions_mut().insert(RequestedAct(act.clone()));
    let response = next.run(request).await;
    let begun = act.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((scope, mut record)) = begun {
        if is_form(face, &response) {
            if let Err(error) = table.drop_audit(&scope, &record).await {
                tracing::warn!(%error, "the record of a form that was shown again could not be deleted");
            }
            return response;
        }
        (record.outcome, record.code) = outcome(&response);
        record.changes = act.changes.changes();
        if let Err(error) = table.end_audit(&scope, &record).await {
            tracing::error!(%error, metric = "audit_lost", org = %scope.org(), ?record, "what came of an act could not be recorded");
        }
    }
    response
}

/// Whether a page answers a form: it shows what was wrong with it, or the next step, and nothing was done.
fn is_form(face: AuditFace, response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    face == AuditFace::Console
        && response.status().is_success()
        && response.extensions().get::<ActVerdict>().is_none()
        && content_type.is_some_and(|kind| kind.starts_with("text/html"))
}

fn outcome(response: &Response) -> (AuditOutcome, Option<String>) {
    let status = response.status();
    let code = response.extensions().get::<Problem>().map(|problem| problem.code.name().to_owned());
    match response.extensions().get::<ActVerdict>() {
        Some(ActVerdict::Done) => (AuditOutcome::Done, None),
        Some(ActVerdict::Refused(code)) => (AuditOutcome::Refused, Some(code.name().to_owned())),
        None if status.is_server_error() => (AuditOutcome::Failed, code),
        None if status.is_client_error() => (AuditOutcome::Refused, code),
        None => (AuditOutcome::Done, None),
    }
}
