//! Forms of the org's pages, and test leads through them.

use serde::Serialize;
use utoipa::ToSchema;

use super::integrations::find;
use super::usable::of_meta;
use super::{MetaAccess, Services};
use crate::http::Problem;
use crate::ids::{FormId, IntegrationId, LeadId, PageId};
use crate::leads::{FormInfo, find_form, forms, send_test_lead};
use crate::model::connection::Connection;
use crate::model::lead::form::Form;

/// Forms.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormList {
    pub items: Vec<FormOut>,
    /// Pages whose forms Meta did not list.
    pub refused: Vec<FormsRefused>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// A form.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormOut {
    pub form_id: FormId,
    pub name: String,
    /// Meta's word: `ACTIVE`, `ARCHIVED`…
    pub status: String,
    /// Language and country: `de_DE`.
    pub locale: Option<String>,
    pub page_id: PageId,
    pub page_name: String,
    pub integration_id: IntegrationId,
    /// The version of the form's own mapping; `null` if its answers are read by their questions' types.
    pub mapping_version: Option<u32>,
}

/// A page whose forms Meta did not list.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormsRefused {
    pub page_id: PageId,
    pub page_name: String,
    /// Why not, and what to do if that is known.
    pub message: String,
}

/// A test lead under way.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestLead {
    pub leadgen_id: String,
    /// What the lead will be called when it is in; its trace says how far it is.
    pub lead_id: LeadId,
}

/// The forms of the org's pages, asked of Meta now, archived ones included.
///
/// # Errors
/// If the table or the vault cannot be read. A page whose forms Meta does not list is in the answer.
pub async fn list(services: &Services, access: &MetaAccess) -> Result<FormList, Problem> {
    let (found, refused) = forms(&services.connector.meta, &services.table, &access.scope).await?;
    let refused = refused.into_iter().map(|(page, error)| FormsRefused {
        page_id: page.page_id,
        page_name: page.page_name,
        message: match error.token_death() {
            Some(end) => format!("{} {}", end.message(), end.fix()),
            None => error.to_string(),
        },
    });
    Ok(FormList { items: found.into_iter().map(form_out).collect(), refused: refused.collect(), next_cursor: None })
}

/// Has Meta send a test lead through a form.
///
/// # Errors
/// If none of the org's pages has this form, the page's token does not work, Meta refuses, or something failed.
pub async fn test_lead(services: &Services, access: &MetaAccess, id: &str) -> Result<TestLead, Problem> {
    let (id, page, _) = find_one(services, access, id).await?;
    match send_test_lead(&services.connector.meta, &page, &id).await {
        Ok(sent) => {
            let lead_id = LeadId::from_leadgen(&sent);
            Ok(TestLead { leadgen_id: sent.to_string(), lead_id })
        }
        Err(error) => {
            let integration = find(services, access, page.integration_id.as_str()).await?;
            Err(of_meta(services, access, &integration, error).await)
        }
    }
}

/// A form of the org, by the id that somebody gave.
pub(super) async fn find_one(
    services: &Services,
    access: &MetaAccess,
    id: &str,
) -> Result<(FormId, Connection, Form), Problem> {
    let missing = || Problem::not_found("form");
    let id = FormId::parse(id).map_err(|_| missing())?;
    let found = find_form(&services.connector.meta, &services.table, &access.scope, &id, crate::clock::now()).await?;
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
