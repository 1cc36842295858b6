//! What was done in the org.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::audit::{AuditList, AuditQuery};
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::UserId;
use leadwire::model::audit::AuditAct;
use utoipa::IntoParams;

use crate::access::{Access, OrgHeader};
use crate::input::Parameters;
use crate::schemas::{Act, Cursor, Limit, Moment};
use crate::state::Api;

/// Filters. A record must match all that are given.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one, so that each can be named when it is wrong"
)]
pub(crate) struct AuditParameters {
    /// Begun at or after this time or day.
    from: Option<Moment>,
    /// Begun before this time or day.
    to: Option<Moment>,
    /// The id of who did it: the subject of a person's or a program's token, or a person's id in the directory.
    who: Option<UserId>,
    act: Option<Act>,
    /// The id of what it was done to.
    subject: Option<String>,
    cursor: Option<Cursor>,
    limit: Option<Limit>,
}

/// List what was done in the org
///
/// Every changing call of the API and act in the console, newest first: who, when, from where, and which fields were
/// before and after. Kept for 400 days. Values that can be personal or secret are left out (`withheld`).
#[utoipa::path(
    get, path = "/api/audit", tag = "directory", operation_id = "listAudit",
    params(AuditParameters, OrgHeader),
    responses((status = 200, body = AuditList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    parameters: Parameters,
) -> Result<Json<AuditList>, Problem> {
    parameters.check(&["from", "to", "who", "act", "subject", "cursor", "limit"])?;
    let act = |text: &str| {
        let unknown =
            || Problem::field("act", ProblemCode::ParameterInvalid, "The name of an act, such as lead.change.");
        text.parse::<AuditAct>().map_err(|_| unknown())
    };
    let query = AuditQuery {
        from: parameters.time("from")?,
        to: parameters.time("to")?,
        who: parameters.id("who", UserId::parse)?,
        act: parameters.get("act").map(act).transpose()?,
        subject: parameters.get("subject").map(ToOwned::to_owned),
    };
    let limit = parameters.limit()?;
    Ok(Json(api.rooms.audit.list(&access.scope, &query, parameters.get("cursor"), limit).await?))
}
