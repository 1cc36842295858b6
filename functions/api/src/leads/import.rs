//! Importing leads from a file.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, header};
use leadwire::http::path::Id;
use leadwire::http::{ACT_TIMEOUT, Problem, ProblemCode};
use leadwire::ids::ImportId;
use leadwire::leads::{ImportList, ImportOptions, ImportOut, ImportReport};
use utoipa::IntoParams;

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::schemas::File;
use crate::state::Api;

/// How to import the file.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one, so that each can be named when it is wrong"
)]
pub(crate) struct ImportParameters {
    /// Report what would be done, without storing anything.
    dry_run: Option<bool>,
    /// Assign the leads as configured in the integration of their form's page. Leads stay unassigned by default, and if
    /// the form belongs to no connected page.
    assign: Option<bool>,
    /// Skip the lines before this one: `next_line` of the previous response.
    from_line: Option<u64>,
}

/// Import leads from a file
///
/// The body is the file itself: Meta's export as downloaded (UTF-16 with tabs, or UTF-8 with commas), or any table with
/// a header line that names e-mail, phone or name. Send it as `application/octet-stream`. Like all leads, they are
/// recognised by Meta's id, e-mail address and phone number, so the same file can be sent twice. Invalid lines are
/// reported by number and do not affect the others. The limit is 4 MB; split larger files and repeat the header line.
/// An import can be undone for 30 days.
#[utoipa::path(
    post, path = "/api/leads/import", tag = "leads", operation_id = "importLeads",
    params(ImportParameters, OrgHeader),
    request_body(content = File, content_type = "application/octet-stream"),
    responses((status = 200, body = ImportReport))
)]
pub(crate) async fn import_leads(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
    headers: HeaderMap,
    file: Bytes,
) -> Result<Json<ImportReport>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("multipart/") || kind.starts_with("application/json") {
        let detail = "Send the file itself as the body, as application/octet-stream.";
        return Err(Problem::new(ProblemCode::FileExpected, detail));
    }
    parameters.check(&["dry_run", "assign", "from_line"])?;
    let options = ImportOptions {
        id: None,
        fingerprint: None,
        file_name: None,
        timeout: ACT_TIMEOUT,
        assign: parameters.is_set("assign")?,
        dry_run: parameters.is_set("dry_run")?,
        from_line: parameters.number("from_line")?.unwrap_or_default(),
    };
    Ok(Json(api.rooms.leads.import(&access, &file, options).await?))
}

/// List imports of files
///
/// Those of the last 30 days, newest first.
#[utoipa::path(
    get, path = "/api/leads/imports", tag = "leads", operation_id = "listImports",
    params(OrgHeader),
    responses((status = 200, body = ImportList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<ImportList>, Problem> {
    Ok(Json(api.rooms.leads.imports(&access).await?))
}

/// Undo an import of a file
///
/// Its leads and submissions are removed as if they had never come, and the CRM is notified (`lead.removed`, and
/// `lead.updated` for a submission of another lead). What was used since is kept: leads with a status, a note, a value or
/// an assignee by hand, with another form of the same person, or with a conversation. If there is no time for all of them,
/// `state` is `undoing`, and the same call goes on.
#[utoipa::path(
    post, path = "/api/leads/imports/{id}/undo", tag = "leads", operation_id = "undoImport",
    params(("id" = ImportId, Path), OrgHeader),
    responses((status = 200, body = ImportOut))
)]
pub(crate) async fn undo(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<ImportId>,
) -> Result<Json<ImportOut>, Problem> {
    Ok(Json(api.rooms.leads.undo_import(&access, &id, ACT_TIMEOUT).await?))
}
