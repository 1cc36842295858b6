//! The trail of each request of a face: begun when it is known who acts for which org, completed with the response.

use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use http::request::Parts;

use crate::audit::{ActRule, AuditLog, Trail};
use crate::http::{Problem, ProblemCode};
use crate::model::audit::{AuditAct, AuditFace, AuditOutcome};

/// An entry of a face's acts: method, path of the route, and what it does.
pub type RouteAct = (&'static str, &'static str, ActRule);

/// How a face records what is done through it.
#[derive(Debug, Clone)]
pub struct AuditedFace {
    /// Keeps the records.
    pub log: AuditLog,
    /// Which face it is.
    pub face: AuditFace,
    /// What its routes do. A route whose method can change something has an entry, or is refused.
    pub acts: &'static [RouteAct],
    /// The address that a request comes from, as the gateway saw it. No header of the request decides it.
    pub source: fn(&Parts) -> Option<String>,
}

/// The problem that was shown instead of an act's outcome, on a page of its own or on the next one. Added to a response
/// whose status does not say so.
#[derive(Debug, Clone, Copy)]
pub struct ShownProblem(pub ProblemCode);

/// Shorthand for an entry.
#[must_use]
pub const fn act(method: &'static str, path: &'static str, act: AuditAct) -> RouteAct {
    (method, path, ActRule::Act(act))
}

/// The trail of a request.
#[must_use]
pub fn trail_of(parts: &Parts) -> Trail {
    parts.extensions.get().cloned().unwrap_or_default()
}

/// Records the act of a request.
pub async fn record_act(face: AuditedFace, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Some(rule) = face.rule_of(&parts) else { return next.run(Request::from_parts(parts, body)).await };
    let trail = face.log.trail(face.face, (face.source)(&parts), rule);
    if let Ok(parameters) = RawPathParams::from_request_parts(&mut parts, &()).await {
        parameters.iter().for_each(|(_, id)| trail.about_id(id));
    }
    parts.extensions.insert(trail.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    let (outcome, code) = outcome_of(&response);
    trail.finish(outcome, code.map(ProblemCode::name)).await;
    response
}

impl AuditedFace {
    /// What a request does. `None` for one that only reads.
    fn rule_of(&self, parts: &Parts) -> Option<ActRule> {
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let is_this = |(method, known, _): &&RouteAct| *method == parts.method.as_str() && *known == path;
        let known = self.acts.iter().find(is_this).map(|(_, _, rule)| *rule);
        let is_read = parts.method.is_safe() || parts.method == Method::OPTIONS;
        known.or_else(|| (!is_read).then_some(ActRule::Unnamed))
    }
}

fn outcome_of(response: &Response) -> (AuditOutcome, Option<ProblemCode>) {
    let status = response.status();
    let problem = response.extensions().get::<Problem>().map(|problem| problem.code);
    let shown = response.extensions().get::<ShownProblem>().map(|shown| shown.0);
    match (problem.or(shown), status.is_client_error(), status.is_server_error()) {
        (Some(code), ..) if code.status().is_server_error() => (AuditOutcome::Failed, Some(code)),
        (Some(code), ..) => (AuditOutcome::Refused, Some(code)),
        (None, _, true) => (AuditOutcome::Failed, None),
        (None, true, _) => (AuditOutcome::Refused, None),
        (None, ..) => (AuditOutcome::Done, None),
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
