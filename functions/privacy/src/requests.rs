//! Meta's two callbacks. Both may come twice, late, or for somebody who never connected anything; what they ask for is
//! done once, and never to a connection that was made after they were signed.

use std::convert::Infallible;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use shared::connect::{Meta, ask_for_check, deauthorize, erase, person_hash};
use shared::error::WorkError;
use shared::graph::signed_request::{SignedRequest, SignedRequestError};
use shared::http::Problem;
use shared::ids::OrgScope;
use shared::model::integration::Integration;
use shared::model::standing::{EndReason, Ended};
use shared::queue::Queue;
use shared::secret::HmacKey;
use shared::table::Table;
use shared::table::erasure::Erasure;
use url::Url;

use crate::status;

/// The path of the callback for deauthorization.
const DEAUTHORIZE: &str = "/connect/deauthorize/facebook";
/// The path of the callback for data deletion, and of its status page.
const DELETION: &str = "/connect/deletion/facebook";
/// Meta's seconds and our milliseconds: who connects and goes within the same second is gone.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(1);

/// Everything a request needs.
pub(crate) struct Desk {
    pub(crate) meta: Meta,
    pub(crate) table: Table,
    pub(crate) checks: Queue,
    pub(crate) key: HmacKey,
    pub(crate) public_url: Option<Url>,
}

impl Desk {
    pub(crate) async fn answer(&self, request: Request) -> Result<Response<Body>, Infallible> {
        let answered = match (request.method(), request.uri().path()) {
            (&Method::POST, DEAUTHORIZE) => self.deauthorize(&request).await,
            (&Method::POST, DELETION) => self.delete(&request).await,
            (&Method::GET, DELETION) => Ok(self.status(&request).await),
            _ => Err(Problem::new(StatusCode::NOT_FOUND, "no_such_route", "Meta calls POST here.")),
        };
        Ok(answered.unwrap_or_else(|problem| problem.response()))
    }

    /// The person removed the app: what they connected ends now.
    async fn deauthorize(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let asked = self.signed(request).await?;
        let now = shared::clock::now();
        for (scope, integration) in self.connected_by(&asked).await? {
            deauthorize(&self.meta, &self.table, &scope, &integration, now).await?;
            self.tell(&scope, &integration).await;
        }
        Ok(json(&serde_json::json!({ "success": true })))
    }

    /// The person wants their data deleted. It is written down before it is begun; what does not get done now is done by
    /// whoever looks at the integration next, and Meta has its answer in any case.
    async fn delete(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let asked = self.signed(request).await?;
        let now = shared::clock::now();
        let code = self.code(&asked);
        let found = self.connected_by(&asked).await?;
        let integrations = found.iter().map(|(scope, found)| (scope.org().clone(), found.id.clone())).collect();
        self.table.record_erasure(&code, &Erasure { requested_at: now, integrations }).await?;
        let evidence = "Meta's data deletion callback".to_owned();
        let ended = Ended { reason: EndReason::DataDeleted, since: now, evidence };
        for (scope, integration) in &found {
            self.table.begin_ending(scope, integration, &ended, Some(&code), now).await?;
        }
        for (scope, integration) in &found {
            if let Err(error) = erase(&self.meta, &self.table, scope, integration).await {
                tracing::error!(%error, org = %scope.org(), integration = %integration.id, metric = "erasures_unfinished", "an erasure did not come to its end, and is gone on with");
            }
            self.tell(scope, integration).await;
        }
        tracing::info!(integrations = found.len(), "data deletion");
        let mut url = self.origin(request)?;
        url.set_path(DELETION);
        url.query_pairs_mut().append_pair("code", &code);
        Ok(json(&serde_json::json!({ "url": url, "confirmation_code": code })))
    }

    async fn status(&self, request: &Request) -> Response<Body> {
        let query = request.query_string_parameters();
        let code = query.first("code").unwrap_or_default();
        // Nothing else is looked for: a code is a key, and this is what ours look like.
        let is_code = code.len() == CODE_LENGTH && code.bytes().all(|b| b.is_ascii_hexdigit());
        let erasure = if is_code { self.table.erasure(code).await } else { Ok(None) };
        let found = match erasure {
            Ok(Some(erasure)) => self.table.still_erasing(code, &erasure).await.map(|open| Some((erasure, open))),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match found {
            Ok(Some((erasure, open))) => status::known(&erasure, open),
            Ok(None) => status::unknown(),
            Err(error) => {
                tracing::error!(%error, "an erasure could not be looked up");
                status::unavailable()
            }
        }
    }

    /// What the request says, if Meta signed it.
    async fn signed(&self, request: &Request) -> Result<SignedRequest, Problem> {
        let missing =
            || Problem::field("signed_request", "signed_request_missing", "Meta sends a form with signed_request.");
        let text = url::form_urlencoded::parse(request.body().as_ref())
            .find_map(|(name, value)| (name == "signed_request").then(|| value.into_owned()))
            .ok_or_else(missing)?;
        let (app, previous) =
            self.meta.vault.app_and_previous(&self.meta.app_secret_id).await.map_err(WorkError::from)?;
        SignedRequest::verify(&text, std::iter::once(&app).chain(&previous)).map_err(|error| {
            tracing::warn!(%error, "a callback that is not Meta's");
            let status = match error {
                SignedRequestError::Unreadable => StatusCode::BAD_REQUEST,
                SignedRequestError::Signature => StatusCode::UNAUTHORIZED,
            };
            Problem {
                field: Some("signed_request".to_owned()),
                ..Problem::new(status, "signed_request_invalid", format!("{error}."))
            }
        })
    }

    /// What this person connected before they asked.
    async fn connected_by(&self, asked: &SignedRequest) -> Result<Vec<(OrgScope, Integration)>, Problem> {
        let person = person_hash(&self.key, &asked.user_id);
        let mut found = Vec::new();
        for (scope, id) in self.table.integrations_of_person(&person).await? {
            match self.table.integration(&scope, &id).await? {
                // Somebody else may have connected it since.
                Some(integration) if integration.person.as_ref() != Some(&person) => {
                    self.table.forget_person(&scope, &id, &person).await?;
                }
                Some(integration) if is_before(integration.connected_at, asked.issued_at) => {
                    found.push((scope, integration));
                }
                Some(_) => {
                    tracing::info!(org = %scope.org(), integration = %id, "connected anew since Meta's callback was signed");
                }
                None => self.table.forget_person(&scope, &id, &person).await?,
            }
        }
        Ok(found)
    }

    /// Has the org's admins told at once. If that fails, the next daily look does it.
    async fn tell(&self, scope: &OrgScope, integration: &Integration) {
        if let Err(error) = ask_for_check(&self.checks, scope, &integration.id).await {
            tracing::warn!(%error, org = %scope.org(), "the admins will be told later only");
        }
    }

    /// The same for the same request, so that Meta may ask twice; nobody else can make it.
    fn code(&self, asked: &SignedRequest) -> String {
        let said = format!("erasure.{}.{}", asked.user_id, asked.issued_at.as_second());
        self.key.sign(said.as_bytes()).iter().take(CODE_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect()
    }

    fn origin(&self, request: &Request) -> Result<Url, Problem> {
        let context = request.request_context_ref();
        let domain = match context {
            Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
            _ => None,
        };
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        shared::http::origin(self.public_url.as_ref(), domain.or(host))
    }
}

/// 160 bits.
const CODE_LENGTH: usize = 40;

fn is_before(connected_at: Timestamp, issued_at: Timestamp) -> bool {
    connected_at < issued_at + SAME_MOMENT
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
