//! What goes wrong, as HTTP says it: RFC 9457 problems with a stable `code`, the field that is wrong and what to do.
//! And the cursors of lists, which are signed, so that nobody can read on in somebody else's.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use url::Url;
use utoipa::ToSchema;

use crate::auth::AuthError;
use crate::connections::{BeginError, SettingsError};
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::model::connection::standing::EndReason;
use crate::secret::HmacKey;
use crate::table::TableError;

/// A problem, as the client sees it. Nothing in it comes from a secret, a token or another org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The status in words.
    pub title: String,
    /// Stable, for programs.
    pub code: String,
    /// What is wrong and what to do, for people.
    pub detail: String,
    /// The field of the request that is wrong, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Why the integration's connection has ended, if that is the problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
}

impl Problem {
    /// A problem with the request as a whole.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self { status: status.as_u16(), title, code: code.to_owned(), detail: detail.into(), field: None, reason: None }
    }

    /// A field of the request that cannot be as it is.
    #[must_use]
    pub fn field(field: &str, code: &str, detail: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::new(StatusCode::BAD_REQUEST, code, detail) }
    }

    /// There is no such thing in this org.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("This org has no such {what}."))
    }

    /// The problem as a response with any kind of body.
    #[must_use]
    pub fn response<B: From<String>>(&self) -> http::Response<B> {
        let mut response = http::Response::new(B::from(serde_json::to_string(self).unwrap_or_default()));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

/// As JSON. Whoever shows problems otherwise finds it among the response's extensions.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response: Response = self.response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The gateway gives up after 30 seconds, and then nobody is told anything.
pub async fn in_time(request: Request, next: Next) -> Response {
    const MAX_DURATION: Duration = Duration::from_secs(26);
    tokio::time::timeout(MAX_DURATION, next.run(request)).await.unwrap_or_else(|_| {
        tracing::error!("a request took longer than the gateway waits");
        let detail = "Meta or AWS took too long to answer. Try again in a minute.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "took_too_long", detail).into_response()
    })
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let (status, code) = match error {
            AuthError::NoToken => (StatusCode::UNAUTHORIZED, "token_missing"),
            AuthError::BadToken => (StatusCode::UNAUTHORIZED, "token_invalid"),
            AuthError::KeysUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "token_keys_unavailable"),
            AuthError::Role => (StatusCode::FORBIDDEN, "role_not_allowed"),
            AuthError::SuperAdminOnly => (StatusCode::FORBIDDEN, "superadmin_only"),
            AuthError::NoOrg => (StatusCode::BAD_REQUEST, "org_required"),
            AuthError::ForeignOrg => (StatusCode::FORBIDDEN, "org_not_allowed"),
        };
        let field =
            matches!(error, AuthError::NoOrg | AuthError::ForeignOrg).then(|| crate::auth::ORG_HEADER.to_owned());
        Self { field, ..Self::new(status, code, format!("{error}.")) }
    }
}

impl From<BeginError> for Problem {
    fn from(error: BeginError) -> Self {
        let detail = error.to_string();
        match error {
            BeginError::Busy => Self::new(StatusCode::CONFLICT, "integration_busy", detail),
            BeginError::Settings(error) => error.into(),
            BeginError::ReturnUrl => Self::field("returnUrl", "return_url_not_allowed", detail),
            BeginError::Scope(_) | BeginError::NoScopes => Self::field("scopes", "scope_invalid", detail),
            BeginError::Integration => {
                Self { field: Some("integrationId".to_owned()), ..Self::not_found("integration") }
            }
            BeginError::Table(error) => error.into(),
        }
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        let detail = error.to_string();
        match error {
            SettingsError::Name => Self::field("name", "name_invalid", detail),
            SettingsError::Description => Self::field("description", "description_invalid", detail),
            SettingsError::AssignmentUser(_) => Self::field("assignment.user_id", "user_unknown", detail),
            SettingsError::Table(error) => error.into(),
        }
    }
}

/// Failures of ours: the client learns that it may try again, the log learns why.
impl From<WorkError> for Problem {
    fn from(error: WorkError) -> Self {
        tracing::error!(%error, code = %error.code(), "a request could not be served");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "This could not be done at the moment. Try again.")
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        WorkError::from(error).into()
    }
}

/// The origin under which the world reaches us: what the deployment says, else the host that this request came to.
///
/// # Errors
/// If there is neither.
pub fn origin(public_url: Option<&Url>, host: Option<&str>) -> Result<Url, Problem> {
    if let Some(url) = public_url {
        return Ok(url.clone());
    }
    let url = host.and_then(|host| Url::parse(&format!("https://{host}")).ok());
    url.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "host_missing", "The request names no host."))
}

/// A place in a list as the client holds it: opaque, and good only in this org's list of this name.
#[must_use]
pub fn cursor<T: Serialize>(key: &HmacKey, scope: &OrgScope, list: &str, place: &T) -> String {
    let said = URL_SAFE_NO_PAD.encode(serde_json::to_string(place).unwrap_or_default());
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed_bytes(scope, list, &said).as_bytes()));
    format!("{said}.{signature}")
}

/// The place that a cursor of ours marks.
///
/// # Errors
/// If it is not ours, or is another org's or another list's.
pub fn place<T: DeserializeOwned>(key: &HmacKey, scope: &OrgScope, list: &str, cursor: &str) -> Result<T, Problem> {
    let bad = || {
        Problem::field(
            "cursor",
            "cursor_invalid",
            "Pass next_cursor of the previous answer unchanged, with the same filters.",
        )
    };
    let (said, signature) = cursor.split_once('.').ok_or_else(bad)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| bad())?;
    if !key.verifies(signed_bytes(scope, list, said).as_bytes(), &signature) {
        return Err(bad());
    }
    let said = URL_SAFE_NO_PAD.decode(said).map_err(|_| bad())?;
    serde_json::from_slice(&said).map_err(|_| bad())
}

fn signed_bytes(scope: &OrgScope, list: &str, said: &str) -> String {
    format!("cursor.{}.{list}.{said}", scope.org())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrgId;

    #[test]
    fn a_cursor_is_good_in_its_own_list_only() {
        let scope = |org| OrgScope::of(OrgId::parse(org).unwrap());
        let key = HmacKey::new("k".into());
        let marked = cursor(&key, &scope("a"), "leads", &7);
        assert_eq!(place::<u8>(&key, &scope("a"), "leads", &marked), Ok(7));
        for bad in ["", ".", "x", "eA.eA", &marked[1..], &format!("{marked}A")] {
            assert_eq!(place::<u8>(&key, &scope("a"), "leads", bad).unwrap_err().code, "cursor_invalid", "{bad}");
        }
        assert!(place::<u8>(&key, &scope("b"), "leads", &marked).is_err());
        assert!(place::<u8>(&key, &scope("a"), "parked", &marked).is_err());
        assert!(place::<u8>(&HmacKey::new("l".into()), &scope("a"), "leads", &marked).is_err());
    }
}
