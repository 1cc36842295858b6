//! The forms of an org's pages, asked of Meta.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::lead_lists::ListedForm;
use crate::graph::leads::GraphLead;
use crate::ids::{FormId, LeadgenId, OrgScope, PageId};
use crate::meta_app::MetaApp;
use crate::model::connection::Connection;
use crate::model::lead::form::Form;
use crate::secret::AccessToken;
use crate::table::Table;

/// A form of a page.
#[derive(Debug)]
pub struct FormInfo {
    /// What Meta lists of it.
    pub form: ListedForm,
    /// Through which page it is reached.
    pub page: Connection,
    /// The version of the org's own mapping, if it has one.
    pub mapping: Option<u32>,
}

/// All forms of the org's connected pages, archived ones included, and the pages whose forms Meta did not list, with why.
///
/// # Errors
/// If the table or the vault cannot be read.
pub async fn forms(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
) -> Result<(Vec<FormInfo>, Vec<(Connection, GraphError)>), WorkError> {
    let pages = with_tokens(meta, table, scope).await?;
    let asked: Vec<(&PageId, &AccessToken)> = pages.iter().map(|(page, token)| (&page.page_id, token)).collect();
    let (mut listed, mut refused) = (Vec::new(), Vec::new());
    for ((page, _), answer) in pages.iter().zip(meta.graph().await?.forms(&asked).await) {
        match answer {
            Ok(forms) => listed.extend(forms.into_iter().map(|form| (form, page.clone()))),
            Err(error) => refused.push((page.clone(), error)),
        }
    }
    let ids: Vec<FormId> = listed.iter().map(|(form, _)| form.id.clone()).collect();
    let mappings: BTreeMap<FormId, u32> =
        table.mappings(scope, &ids).await?.into_iter().map(|(id, mapping)| (id, mapping.version)).collect();
    let info =
        |(form, page): (ListedForm, Connection)| FormInfo { mapping: mappings.get(&form.id).copied(), form, page };
    Ok((listed.into_iter().map(info).collect(), refused))
}

/// One form of the org's connected pages, with the page through which it is reached; `None` if it is none of theirs.
///
/// # Errors
/// If the table or the vault cannot be read, or Meta says neither that it is nor that it is not.
pub async fn find_form(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    id: &FormId,
    now: Timestamp,
) -> Result<Option<(Connection, Form)>, WorkError> {
    let mut connected = table.connections(scope).await?;
    connected.retain(|page| page.ended.is_none());
    for page in connected {
        if let Some((_, form)) = table.forms(&page.page_id, std::slice::from_ref(id), now).await?.pop() {
            return Ok(Some((page, form)));
        }
    }
    let pages = with_tokens(meta, table, scope).await?;
    let asked: Vec<(&PageId, &AccessToken)> = pages.iter().map(|(page, token)| (&page.page_id, token)).collect();
    let mut unclear = None;
    for ((page, _), answer) in pages.iter().zip(meta.graph().await?.form_through(id, &asked).await) {
        match answer {
            Ok(form) => {
                table.put_form(&page.page_id, id, &form, now).await?;
                return Ok(Some((page.clone(), form)));
            }
            Err(GraphError::NotVisible(_) | GraphError::NotPermitted(_) | GraphError::Refused(_)) => {}
            Err(error) => unclear = Some(error),
        }
    }
    unclear.map_or(Ok(None), |error| Err(error.into()))
}

/// The newest lead that Meta has of a form.
///
/// # Errors
/// If Meta does not say, or the token is not to be had.
pub async fn newest_lead(meta: &MetaApp, page: &Connection, id: &FormId) -> Result<Option<GraphLead>, WorkError> {
    let token = meta.vault.page_token(&page.credentials, &page.page_id).await?;
    Ok(meta.graph().await?.newest_lead(id, &token).await?)
}

/// Has Meta send a test lead through a form, in the place of the one before: Meta has one for each form at a time. It
/// comes, or does not, as every other lead does.
///
/// # Errors
/// If Meta refuses it, or the token is not to be had.
pub async fn send_test_lead(meta: &MetaApp, page: &Connection, id: &FormId) -> Result<LeadgenId, WorkError> {
    let token = meta.vault.page_token(&page.credentials, &page.page_id).await?;
    Ok(meta.graph().await?.send_test_lead(id, &token).await?)
}

/// The org's connected pages that have a token. One that has none costs itself only.
async fn with_tokens(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
) -> Result<Vec<(Connection, AccessToken)>, WorkError> {
    let mut pages: Vec<(Connection, AccessToken)> = Vec::new();
    for page in table.connections(scope).await? {
        let known = |(other, _): &(Connection, AccessToken)| other.page_id == page.page_id;
        if page.ended.is_some() || pages.iter().any(known) {
            continue;
        }
        match meta.vault.page_token(&page.credentials, &page.page_id).await {
            Ok(token) => pages.push((page, token)),
            Err(crate::vault::VaultError::Failed(why)) => return Err(crate::vault::VaultError::Failed(why).into()),
            Err(error) => tracing::warn!(%error, page = %page.page_id, "a page has no token"),
        }
    }
    Ok(pages)
}
