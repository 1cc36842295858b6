//! Exports of leads over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::exports::{ExportList, ExportOut};
use leadwire::http::path::Id;
use leadwire::http::{Problem, fields};
use leadwire::ids::{AdObjectId, ExportId, FormId, PageId, UserId};
use leadwire::model::lead::query::{Assignee, LeadQuery};
use leadwire::model::lead::{self, Status};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::{Access, OrgHeader};
use crate::input::Input;
use crate::schemas::{Moment, Source, Tag};
use crate::state::Api;

/// Which leads to export: those that match all that is given, as in the list of leads.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportIn {
    /// The beginning of a name, or a whole e-mail address or phone number.
    q: Option<String>,
    #[schema(value_type = Option<Source>)]
    source: Option<String>,
    #[schema(value_type = Option<Tag>)]
    tag: Option<String>,
    page_id: Option<PageId>,
    form_id: Option<FormId>,
    /// Meta's id of a campaign.
    campaign_id: Option<AdObjectId>,
    /// A user's id, or `unassigned`.
    #[schema(value_type = Option<UserId>)]
    assigned_to: Option<Assignee>,
    status: Option<Status>,
    /// Submitted at or after this time or day.
    #[schema(value_type = Option<Moment>)]
    from: Option<String>,
    /// Submitted before this time or day.
    #[schema(value_type = Option<Moment>)]
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
    responses((status = 202, body = ExportOut))
)]
pub(crate) async fn start(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Input(input): Input<ExportIn>,
) -> Result<(StatusCode, Json<ExportOut>), Problem> {
    let time = |name: &str, text: Option<String>| text.map(|text| fields::time(name, &text)).transpose();
    let one_of = |name: &str, text: Option<String>, known: &[&str]| {
        text.map(|text| fields::one_of(name, &text, known).map(ToOwned::to_owned)).transpose()
    };
    let query = LeadQuery {
        text: input.q,
        source: one_of("source", input.source, &lead::SOURCES)?,
        tag: one_of("tag", input.tag, &lead::TAGS)?,
        page_id: input.page_id,
        form_id: input.form_id,
        campaign_id: input.campaign_id.map(|id| id.to_string()),
        assigned_to: input.assigned_to,
        status: input.status,
        from: time("from", input.from)?,
        to: time("to", input.to)?,
        ..LeadQuery::default()
    };
    Ok((StatusCode::ACCEPTED, Json(api.rooms.exports.start(&access, query).await?)))
}

/// List the exports of leads
///
/// Those of the last seven days, newest first.
#[utoipa::path(
    get, path = "/api/leads/exports", tag = "leads", operation_id = "listExports",
    params(OrgHeader),
    responses((status = 200, body = ExportList))
)]
pub(crate) async fn list(State(api): State<Arc<Api>>, Access(access): Access) -> Result<Json<ExportList>, Problem> {
    Ok(Json(api.rooms.exports.list(&access).await?))
}

/// Get an export of leads
///
/// Once it is complete, with a link to its file. The link works for five minutes, without a login: request a new one
/// instead of storing it.
#[utoipa::path(
    get, path = "/api/leads/exports/{id}", tag = "leads", operation_id = "readExport",
    params(("id" = ExportId, Path), OrgHeader),
    responses((status = 200, body = ExportOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<ExportId>,
) -> Result<Json<ExportOut>, Problem> {
    Ok(Json(api.rooms.exports.read(&access, &id).await?))
}

/// Delete an export of leads
///
/// With its file; one that runs ends. After seven days this happens by itself.
#[utoipa::path(
    delete, path = "/api/leads/exports/{id}", tag = "leads", operation_id = "deleteExport",
    params(("id" = ExportId, Path), OrgHeader),
    responses((status = 204))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Id(id): Id<ExportId>,
) -> Result<StatusCode, Problem> {
    api.rooms.exports.delete(&access, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
