//! What the API and the console share: errors as RFC 9457 problems, the parsing of parameters, and the limits of the
//! gateway. The domain modules do not know it.

pub mod audit;
mod bare_page;
pub mod code;
pub mod cookies;
pub mod fields;
mod follow;
pub mod headers;
pub mod path;

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

pub use self::bare_page::bare_page;
pub use self::code::ProblemCode;
pub use self::follow::{follow_request, trace_of};
use crate::auth::AuthError;
use crate::error::{ActError, WorkError};
use crate::model::caller::AccessDenied;
use crate::model::connection::state::EndReason;
use crate::table::TableError;
use crate::tr;

/// How long an operation may work before its caller gets a response. The rest continues in the background, or the
/// caller resumes it. The gateway ends a request after 30 seconds, without a body.
pub const ACT_TIMEOUT: Duration = Duration::from_secs(18);

/// A problem, as the client sees it. It contains no secrets, no tokens and nothing about other orgs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The status in words.
    pub title: &'static str,
    /// The stable code, for programs.
    #[schema(value_type = String)]
    pub code: ProblemCode,
    /// What is wrong and what to do, for people.
    pub detail: String,
    /// The field of the request that is wrong, if it is a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why the integration's connection has ended, if that is the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
    /// The seconds after which to try again, if too much was requested. The header `Retry-After` says it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// Creates a problem with the request as a whole.
    #[must_use]
    pub fn new(code: impl Into<ProblemCode>, detail: impl Into<String>) -> Self {
        let code = code.into();
        let status = code.status();
        let title = status.canonical_reason().unwrap_or("Error");
        Self {
            status: status.as_u16(),
            title,
            code,
            detail: detail.into(),
            field: None,
            reason: None,
            retry_after: None,
        }
    }

    /// Creates a problem with the value of one field.
    #[must_use]
    pub fn field(field: &str, code: impl Into<ProblemCode>, detail: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(code, detail) }
    }

    /// Returns the same problem, not attributed to `field`.
    #[must_use]
    pub fn without_field(self, field: &str) -> Self {
        Self { field: self.field.filter(|known| known != field), ..self }
    }

    /// The problem as JSON, for the response to a program. The detail also says how to solve it through the API.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a problem is plain data")]
    pub fn response<B: From<String>>(&self) -> http::Response<B> {
        let mut problem = self.clone();
        if let Some(advice) = self.code.api_advice() {
            problem.detail = format!("{} {advice}", self.detail);
        }
        let body = serde_json::to_string(&problem).expect("a problem is plain data");
        let mut response = http::Response::new(B::from(body));
        *response.status_mut() = self.code.status();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Responds with JSON. The console finds the problem among the response's extensions and renders it as a page.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response: Response = self.response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Responds before the gateway gives up, which it does after 30 seconds and without a body.
pub async fn limit_duration(request: Request, next: Next) -> Response {
    const MAX_DURATION: Duration = Duration::from_secs(26);
    tokio::time::timeout(MAX_DURATION, next.run(request)).await.unwrap_or_else(|_| {
        tracing::error!("a request took longer than the gateway waits");
        let detail = tr!("Meta or AWS took too long to respond. Try again in a minute.");
        Problem::new(ProblemCode::TookTooLong, detail).into_response()
    })
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let code = match error {
            AuthError::NoToken => ProblemCode::TokenMissing,
            AuthError::BadToken => ProblemCode::TokenInvalid,
            AuthError::KeysUnavailable => ProblemCode::TokenKeysUnavailable,
        };
        Self::new(code, format!("{error}."))
    }
}

impl From<AccessDenied> for Problem {
    fn from(denied: AccessDenied) -> Self {
        ActError::from(denied).into()
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        let code = error.code();
        match error {
            ActError::Refused(refusal) => {
                Self { field: refusal.field.map(Into::into), ..Self::new(code, refusal.message) }
            }
            ActError::Denied(denied) => {
                let is_of_org = matches!(denied, AccessDenied::NoOrg | AccessDenied::ForeignOrg);
                let field = is_of_org.then(|| crate::auth::ORG_HEADER.to_owned());
                Self { field, ..Self::new(code, format!("{denied}.")) }
            }
            ActError::Limited(_, seconds) => Self { retry_after: Some(seconds), ..Self::new(code, error.to_string()) },
            ActError::Ended(reason) => {
                let detail = format!("{} {}", reason.message(), reason.fix());
                Self { reason: Some(reason), ..Self::new(code, detail) }
            }
            // A failure on our side: the client learns that it may retry, and the log says why.
            ActError::Work(error) => {
                tracing::error!(%error, code = %error.code(), "a request could not be served");
                Self::new(code, tr!("This could not be done at the moment. Try again."))
            }
        }
    }
}

impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Self {
        ActError::from(error).into()
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        ActError::from(error).into()
    }
}

/// Returns the deployment's public origin: as configured, otherwise the host of this request.
pub fn origin(public_url: Option<&Url>, host: Option<&str>) -> Result<Url, Problem> {
    if let Some(url) = public_url {
        return Ok(url.clone());
    }
    let url = host.and_then(|host| Url::parse(&format!("https://{host}")).ok());
    url.ok_or_else(|| Problem::new(ProblemCode::HostMissing, tr!("The request names no host.")))
}
