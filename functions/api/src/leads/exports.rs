//! Exports of leads over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::exports::{ExportList, ExportOut};
use leadwire::http::path::Id;
use leadwire::http::{Problem, fields};
use leadwire::ids::{ExportId, FormId, PageId};
use leadwire::model::lead::Status;
use leadwire::model::lead::query::{Assignee, LeadQuery};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{Access, Failure, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Which leads to export: those that match all that is given, as in the list of leads.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportIn {
    /// The beginning of a name, or a whole e-mail address or phone number.
    q: Option<String>,
    /// `Meta` or `Import`.
    source: Option<String>,
    /// `Facebook Lead Ad`, `Instagram Lead Ad` or `Imported File`.
    tag: Option<String>,
    page_id: Option<PageId>,
    form_id: Option<FormId>,
    /// Meta's id of a campaign.
    campaign_id: Option<String>,
    /// A user's id, or `unassigned`.
    #[schema(value_type = Option<String>)]
    assigned_to: Option<Assignee>,
    status: Option<Status>,
    /// Submitted at or after this time or day.
    from: Option<String>,
    /// Submitted before this time or day.
    to: Option<String>,
}

/// Export leads into a file
///
/// Any number of them; `{}` exports all. The file is CSV in UTF-8, written in the background: one row for each lead with
/// its details and a column for each question. Texts that a spreadsheet would run as a formula begin with `'`. Questions
/// that only later leads of the file have share its last column. Three exports run at once.
#[utoipa::path(
    post, path = "/api/leads/exports", tag = "leads", operation_id = "startExport",
    params(OrgHeader),
    request_body = ExportIn,
    responses((status = 202, body = ExportOut), Failure)
)]
pub(crate) async fn start(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Input(input): Input<ExportIn>,
) -> Result<(StatusCode, Json<ExportOut>), Problem> {
    let time = |name: &str, text: Option<String>| text.map(|text| fields::time(name, &text)).transpose();
    let query = LeadQuery {
        text: input.q,
        source: input.source,
        tag: input.tag,
        page_id: input.page_id,
        form_id: input.form_id,
        campaign_id: input.campaign_id,
        assigned_to: input.assigned_to,
        status: input.status,
        from: time("from", input.from)?,
        to: time("to", input.to)?,
    };
    Ok((StatusCode::ACCEPTED, Json(api.exports.start(&access, query).await?)))
}

/// List the exports of leads
///
/// Those of the last seven days, newest first.
#[utoipa::path(
    get, path = "/api/leads/exports", tag = "leads", operation_id = "listExports",
    params(OrgHeader),
    responses((status = 200, body = ExportList), Failure)
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, Access(access): Access) -> Result<Json<ExportList>, Problem> {
    Ok(Json(api.exports.list(&access).await?))
}

/// Get an export of leads
///
/// Once it is complete, with a link to its file. The link works for five minutes, without a login: request a new one
/// instead of storing it.
#[utoipa::path(
    get, path = "/api/leads/exports/{id}", tag = "leads", operation_id = "readExport",
    params(("id" = String, Path), OrgHeader),
    responses((status = 200, body = ExportOut), Failure)
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<ExportId>,
) -> Result<Json<ExportOut>, Problem> {
    Ok(Json(api.exports.read(&access, &id).await?))
}

/// Delete an export of leads
///
/// With its file; one that runs ends. After seven days this happens by itself.
#[utoipa::path(
    delete, path = "/api/leads/exports/{id}", tag = "leads", operation_id = "deleteExport",
    params(("id" = String, Path), OrgHeader),
    responses((status = 204), Failure)
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<ExportId>,
) -> Result<StatusCode, Problem> {
    api.exports.delete(&access, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
