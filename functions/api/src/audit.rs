//! Who did what in the org.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::audit::{AuditList, AuditQuery};
use leadwire::http::Problem;
use utoipa::IntoParams;

use crate::access::{Access, Failure, OrgHeader};
use crate::input::Parameters;
use crate::state::Api;

/// Filters. An act must match all that are given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one, so that each can be named when it is wrong"
)]
pub(crate) struct AuditParameters {
    /// At or after this time or day.
    from: Option<String>,
    /// Before this time or day.
    to: Option<String>,
    /// Who acted: a user's or a program's id.
    user_id: Option<String>,
    /// An `operationId`, such as `changeLead`.
    act: Option<String>,
    /// The id of what it was about.
    subject: Option<String>,
    /// `next_cursor` of the previous response.
    cursor: Option<String>,
    /// 1 to 100; 25 by default.
    limit: Option<u8>,
}

/// List what was done in the org
///
/// Every request to change something, through the API or the console, by people and programs, newest first, for 400
/// days. Before and after are there for what is neither personal nor secret. What is refused is listed, too.
#[utoipa::path(
    get, path = "/api/audit", tag = "directory", operation_id = "listActs",
    params(AuditParameters, OrgHeader),
    responses((status = 200, body = AuditList), Failure)
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    parameters: Parameters,
) -> Result<Json<AuditList>, Problem> {
    parameters.check(&["from", "to", "user_id", "act", "subject", "cursor", "limit"])?;
    let text = |name: &str| parameters.get(name).map(str::to_owned);
    let query = AuditQuery {
        from: parameters.time("from")?,
        to: parameters.time("to")?,
        user_id: text("user_id"),
        act: text("act"),
        subject: text("subject"),
    };
    Ok(Json(api.audit.list(&access, &query, parameters.get("cursor"), parameters.limit()?).await?))
}
