//! The forms of the org's pages, and test leads.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::FormId;
use leadwire::leads::{FormList, TestLead};

use crate::access::{MetaAccess, OrgHeader};
use crate::state::Api;

/// List the forms of the org's pages
///
/// Read live from Meta, including archived forms.
#[utoipa::path(
    get, path = "/api/meta/forms", tag = "forms", operation_id = "listForms",
    params(OrgHeader),
    responses((status = 200, body = FormList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<FormList>, Problem> {
    Ok(Json(api.rooms.leads.forms(&access).await?))
}

/// Send a test lead through a form
///
/// Meta creates the lead and delivers it like any other. It is marked as a test, left unassigned and not counted. A
/// form has one test lead at a time: the previous one is deleted at Meta.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/test-lead", tag = "forms", operation_id = "sendTestLead",
    params(("id" = FormId, Path), OrgHeader),
    responses((status = 202, body = TestLead))
)]
pub(crate) async fn test_lead(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<FormId>,
) -> Result<(StatusCode, Json<TestLead>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(api.rooms.leads.send_test_lead(&access, &id).await?)))
}
