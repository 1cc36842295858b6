//! Forms of the org's pages, and test leads through them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Serialize;
use shared::http::Problem;
use shared::ids::{FormId, IntegrationId, LeadId, OrgScope, PageId};
use shared::intake::{FormInfo, find_form, forms, send_test_lead};
use shared::model::form::Form;
use shared::model::integration::Connection;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::integrations::find;
use crate::router::Api;
use crate::usable::of_meta;

/// Forms.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormList {
    items: Vec<FormOut>,
    /// Pages whose forms Meta did not list.
    refused: Vec<FormsRefused>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// A form.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormOut {
    form_id: FormId,
    name: String,
    /// Meta's word: `ACTIVE`, `ARCHIVED`…
    status: String,
    /// Language and country: `de_DE`.
    locale: Option<String>,
    page_id: PageId,
    page_name: String,
    integration_id: IntegrationId,
    /// The version of the form's own mapping; `null` if its answers are read by their questions' types.
    mapping_version: Option<u32>,
}

/// A page whose forms Meta did not list.
#[derive(Serialize, ToSchema)]
pub(crate) struct FormsRefused {
    page_id: PageId,
    page_name: String,
    /// In Meta's words.
    message: String,
}

/// A test lead under way.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestLead {
    leadgen_id: String,
    /// What the lead will be called when it is in; its trace says how far it is.
    lead_id: LeadId,
}

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
    MetaAccess(Access { scope, .. }): MetaAccess,
) -> Result<Json<FormList>, Problem> {
    let (found, refused) = forms(&api.connector.meta, &api.table, &scope).await?;
    let refused = refused.into_iter().map(|(page, error)| FormsRefused {
        page_id: page.page_id,
        page_name: page.page_name,
        message: error.to_string(),
    });
    Ok(Json(FormList {
        items: found.into_iter().map(form_out).collect(),
        refused: refused.collect(),
        next_cursor: None,
    }))
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
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<TestLead>), Problem> {
    let (id, page, _) = find_one(&api, &scope, &id).await?;
    match send_test_lead(&api.connector.meta, &page, &id).await {
        Ok(sent) => {
            let lead_id = LeadId::from_leadgen(&sent);
            Ok((StatusCode::ACCEPTED, Json(TestLead { leadgen_id: sent.to_string(), lead_id })))
        }
        Err(error) => {
            let integration = find(&api, &scope, page.integration_id.as_str()).await?;
            Err(of_meta(&api, &scope, &integration, error).await)
        }
    }
}

/// A form of the org, by the id that somebody gave.
pub(crate) async fn find_one(api: &Api, scope: &OrgScope, id: &str) -> Result<(FormId, Connection, Form), Problem> {
    let missing = || Problem::not_found("form");
    let id = FormId::parse(id).map_err(|_| missing())?;
    let found = find_form(&api.connector.meta, &api.table, scope, &id, shared::clock::now()).await?;
    let (page, form) = found.ok_or_else(missing)?;
    Ok((id, page, form))
}

fn form_out(info: FormInfo) -> FormOut {
    FormOut {
        form_id: info.form.id,
        name: info.form.name,
        status: info.form.status,
        locale: info.form.locale,
        page_id: info.page.page_id,
        page_name: info.page.page_name,
        integration_id: info.page.integration_id,
        mapping_version: info.mapping,
    }
}
