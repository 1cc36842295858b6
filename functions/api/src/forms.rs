//! Forms of the org's pages, and test leads through them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use leadwire::admin::forms::{self, FormList, TestLead};
use leadwire::http::Problem;

use crate::access::MetaAccess;
use crate::state::Api;

/// The forms of the org's pages
///
/// Asked of Meta now, archived ones included.
#[utoipa::path(
    get, path = "/api/meta/forms", tag = "forms", operation_id = "listForms",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = FormList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<FormList>, Problem> {
    forms::list(&api.services, &access).await.map(Json)
}

/// Send a test lead through a form
///
/// Meta makes it up and tells of it as of every other lead. It is marked, given to nobody and not counted. A form has one
/// at a time: the one before is deleted at Meta.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/test-lead", tag = "forms", operation_id = "sendTestLead",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 202, body = TestLead), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn test_lead(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<TestLead>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(forms::test_lead(&api.services, &access, &id).await?)))
}
