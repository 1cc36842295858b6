//! Importing leads from a file.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, header};
use leadwire::http::{ACT_TIMEOUT, Problem, ProblemCode};
use leadwire::leads::{ImportOptions, ImportReport};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{Failure, MetaAccess, OrgHeader};
use crate::input::Params;
use crate::state::Api;

/// What to do with the file.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportQuery {
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Assign the leads as the integration of their form's page says; to nobody if left out, or if the form is no connected
    /// page's.
    #[serde(default)]
    assign: bool,
    /// Leave out the lines before this one: `next_line` of the previous answer.
    #[serde(default)]
    from_line: u64,
}

/// Import leads from a file
///
/// The file itself is the body: Meta's export as it was downloaded (UTF-16 with tabs, or UTF-8 with commas), or any table
/// with a header line that names e-mail, phone or name. Send it as `application/octet-stream`. Leads are recognised by
/// Meta's id, e-mail and phone as all others are, so the same file can be sent twice. Lines that are no leads are told by
/// number and cost themselves only. 4 MB at most; split larger files and repeat the header line.
#[utoipa::path(
    post, path = "/api/leads/import", tag = "leads", operation_id = "importLeads",
    params(ImportQuery, OrgHeader),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ImportReport), Failure)
)]
pub(crate) async fn import_leads(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Params(query): Params<ImportQuery>,
    headers: HeaderMap,
    file: Bytes,
) -> Result<Json<ImportReport>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with("multipart/") || kind.starts_with("application/json") {
        let detail = "Send the file itself as the body, as application/octet-stream.";
        return Err(Problem::new(ProblemCode::FileExpected, detail));
    }
    let options = ImportOptions {
        timeout: ACT_TIMEOUT,
        assign: query.assign,
        dry_run: query.dry_run,
        from_line: query.from_line,
    };
    Ok(Json(api.leads.import(&access, &file, options).await?))
}
