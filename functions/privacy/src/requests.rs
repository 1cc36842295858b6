//! Meta's two callbacks: deauthorization and data deletion.
//!
//! Each may arrive twice, late, or for a person who never connected anything. The request is carried out once, and
//! never on a connection that was made after the callback was signed.

use std::convert::Infallible;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use leadwire::connections::{erase, person_hash, release_credentials};
use leadwire::error::WorkError;
use leadwire::graph::signed_request::{SignedRequest, SignedRequestError};
use leadwire::http::headers::protect;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::OrgScope;
use leadwire::jobs::CheckJob;
use leadwire::meta_app::AppSecrets;
use leadwire::meta_app::MetaApp;
use leadwire::model::connection::state::{ConnectionEnd, EndReason};
use leadwire::model::connection::{Integration, Lifecycle};
use leadwire::queue::Queue;
use leadwire::secret::HmacKey;
use leadwire::table::Table;
use leadwire::table::erasure::Erasure;
use url::Url;

use crate::status;

/// Path of the deauthorization callback.
const DEAUTHORIZE_PATH: &str = "/connect/deauthorize/facebook";
/// Path of the data deletion callback and of its status page.
const DELETION_PATH: &str = "/connect/deletion/facebook";
/// Time spent on the consequences of a callback before Meta gets its response.
const MAX_DURATION: Duration = Duration::from_secs(12);
/// Meta's timestamps are whole seconds, ours milliseconds. A connection made within the same second as the request
/// counts as made before it.
const TIMESTAMP_PRECISION: SignedDuration = SignedDuration::from_secs(1);

/// Serves the callbacks and the status page.
pub(crate) struct Callbacks {
    pub(crate) meta: MetaApp,
    pub(crate) secrets: AppSecrets,
    pub(crate) table: Table,
    pub(crate) checks: Queue<CheckJob>,
    pub(crate) root_key: HmacKey,
    pub(crate) public_url: Option<Url>,
}

impl Callbacks {
    pub(crate) async fn answer(&self, request: Request) -> Result<Response<Body>, Infallible> {
        let response = match (request.method(), request.uri().path()) {
            (&Method::POST, DEAUTHORIZE_PATH) => self.deauthorize(&request).await,
            (&Method::POST, DELETION_PATH) => self.delete(&request).await,
            (&Method::GET, DELETION_PATH) => Ok(self.status(&request).await),
            _ => Err(Problem::new(ProblemCode::NoSuchRoute, "Meta calls POST here.")),
        };
        let mut response = response.unwrap_or_else(|problem| problem.response());
        protect(response.headers_mut());
        Ok(response)
    }

    /// Ends what the person connected: they removed the app.
    async fn deauthorize(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let signed_request = self.signed(request).await?;
        let (reason, evidence) = (EndReason::AppRemoved, "Meta's deauthorize callback");
        let marked = self.mark(&signed_request, reason, evidence, Lifecycle::Releasing).await?;
        self.finish(&marked, Lifecycle::Releasing).await;
        Ok(json(&serde_json::json!({ "success": true })))
    }

    /// Deletes what is stored about the person at their request.
    async fn delete(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let signed_request = self.signed(request).await?;
        let code = self.code(&signed_request);
        let (reason, evidence) = (EndReason::DataDeleted, "Meta's data deletion callback");
        let marked = self.mark(&signed_request, reason, evidence, Lifecycle::Erasing).await?;
        let integrations =
            marked.iter().map(|(scope, integration)| (scope.org().clone(), integration.id.clone())).collect();
        let erasure = Erasure { requested_at: leadwire::clock::now(), integrations };
        self.table.record_erasure(&code, &erasure).await?;
        self.finish(&marked, Lifecycle::Erasing).await;
        tracing::info!(integrations = marked.len(), "data deletion");
        let mut url = self.origin(request)?;
        url.set_path(DELETION_PATH);
        url.query_pairs_mut().append_pair("code", &code);
        Ok(json(&serde_json::json!({ "url": url, "confirmation_code": code })))
    }

    /// Marks every integration that the person connected before the request as ended, and returns the marked ones.
    ///
    /// From then on no lead is read with the person's token. The next check of the integration continues the cleanup.
    async fn mark(
        &self,
        signed_request: &SignedRequest,
        reason: EndReason,
        evidence: &str,
        lifecycle: Lifecycle,
    ) -> Result<Vec<(OrgScope, Integration)>, Problem> {
        let now = leadwire::clock::now();
        let ended = ConnectionEnd { reason, since: now, evidence: evidence.to_owned() };
        let mut marked = Vec::new();
        for (scope, integration) in self.connected_by(signed_request).await? {
            if self.table.begin_ending(&scope, &integration, &ended, lifecycle, now).await? {
                marked.push((scope, integration));
            }
        }
        Ok(marked)
    }

    /// Cleans up the marked integrations as far as time allows, because Meta waits for the response.
    ///
    /// The check does the rest and notifies the org's admins: at once if the queue accepts the job, otherwise when the
    /// planner schedules it.
    async fn finish(&self, marked: &[(OrgScope, Integration)], lifecycle: Lifecycle) {
        let all = async {
            for (scope, integration) in marked {
                let done = if lifecycle == Lifecycle::Erasing {
                    erase(&self.meta, &self.table, scope, integration).await
                } else {
                    release_credentials(&self.meta, &self.table, scope, integration).await
                };
                if let Err(error) = done {
                    tracing::warn!(%error, org = %scope.org(), integration = %integration.id, "a person's request was interrupted and continues in the background");
                }
            }
        };
        if tokio::time::timeout(MAX_DURATION, all).await.is_err() {
            tracing::warn!("a person's request takes longer than Meta waits and continues in the background");
        }
        for (scope, integration) in marked {
            if let Err(error) = self.checks.send(&[CheckJob::new(scope, &integration.id)]).await {
                tracing::warn!(%error, org = %scope.org(), "the check could not be queued, so the admins are notified later");
            }
        }
    }

    async fn status(&self, request: &Request) -> Response<Body> {
        let query = request.query_string_parameters();
        let code = query.first("code").unwrap_or_default();
        // The code becomes a table key: reject everything that does not have the form of ours.
        let is_code = code.len() == CODE_LENGTH && code.bytes().all(|b| b.is_ascii_hexdigit());
        let erasure = if is_code { self.table.erasure(code).await } else { Ok(None) };
        let found = match erasure {
            Ok(Some(erasure)) => self.table.still_erasing(&erasure).await.map(|open| Some((erasure, open))),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match found {
            Ok(Some((erasure, open))) => status::status_page(&erasure, open),
            Ok(None) => status::unknown_page(),
            Err(error) => {
                tracing::error!(%error, "an erasure could not be looked up");
                status::unavailable()
            }
        }
    }

    /// Returns the request's payload if Meta signed it.
    async fn signed(&self, request: &Request) -> Result<SignedRequest, Problem> {
        let missing = || {
            Problem::field(
                "signed_request",
                ProblemCode::SignedRequestMissing,
                "Meta sends a form with signed_request.",
            )
        };
        let text = url::form_urlencoded::parse(request.body().as_ref())
            .find_map(|(name, value)| (name == "signed_request").then(|| value.into_owned()))
            .ok_or_else(missing)?;
        let apps = self.secrets.apps().await.map_err(WorkError::from)?;
        let verified = match SignedRequest::verify(&text, apps.iter()) {
            // The app secret may have been rotated since it was cached.
            Err(SignedRequestError::Signature) => {
                let apps = self.secrets.refreshed_apps().await.map_err(WorkError::from)?;
                SignedRequest::verify(&text, apps.iter())
            }
            verified => verified,
        };
        verified.map_err(|error| {
            tracing::warn!(%error, "a callback was not signed by Meta");
            let code = match error {
                SignedRequestError::Unreadable => ProblemCode::SignedRequestInvalid,
                SignedRequestError::Signature => ProblemCode::SignatureWrong,
            };
            Problem::field("signed_request", code, format!("{error}."))
        })
    }

    /// Lists what this person connected before the request.
    async fn connected_by(&self, signed_request: &SignedRequest) -> Result<Vec<(OrgScope, Integration)>, Problem> {
        let person = person_hash(&self.root_key, &signed_request.user_id);
        let mut connected = Vec::new();
        for (scope, id) in self.table.integrations_of_person(&person).await? {
            match self.table.integration(&scope, &id).await? {
                // Another person may have connected it since, or this person's login is not finished yet.
                Some(integration) if integration.person.as_ref() != Some(&person) => {}
                Some(integration) if is_before(integration.connected_at, signed_request.issued_at) => {
                    connected.push((scope, integration));
                }
                Some(_) => {
                    tracing::info!(org = %scope.org(), integration = %id, "connected again since Meta's callback was signed");
                }
                None => {}
            }
        }
        Ok(connected)
    }

    /// Returns the confirmation code of a request. The same request always gets the same code, so that Meta may repeat
    /// it. The code cannot be computed without our key.
    fn code(&self, signed_request: &SignedRequest) -> String {
        let message = format!("erasure.{}.{}", signed_request.user_id, signed_request.issued_at.as_second());
        hex::encode(self.root_key.sign(message.as_bytes())).chars().take(CODE_LENGTH).collect()
    }

    fn origin(&self, request: &Request) -> Result<Url, Problem> {
        let context = request.request_context_ref();
        let domain = match context {
            Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
            _ => None,
        };
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        leadwire::http::origin(self.public_url.as_ref(), domain.or(host))
    }
}

/// In hex digits: 160 bits.
const CODE_LENGTH: usize = 40;

fn is_before(connected_at: Timestamp, issued_at: Timestamp) -> bool {
    connected_at < issued_at + TIMESTAMP_PRECISION
}

fn json(body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_callback_does_not_reach_a_newer_connection() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(is_before(at("2026-01-01T00:00:00Z"), at("2026-01-02T00:00:00Z")));
        assert!(is_before(at("2026-01-01T00:00:00.9Z"), at("2026-01-01T00:00:00Z")), "the same second");
        assert!(!is_before(at("2026-01-01T00:00:01Z"), at("2026-01-01T00:00:00Z")));
    }
}
