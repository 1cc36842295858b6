//! The forms of an org's pages, as Meta currently lists them, and test leads sent through them.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Leads;
use crate::directory::MetaAccess;
use crate::error::{ActError, Missing, WorkError};
use crate::graph::GraphError;
use crate::graph::lead_lists::ListedForm;
use crate::graph::leads::GraphLead;
use crate::ids::{FormId, IntegrationId, LeadId, OrgScope, PageId};
use crate::meta_app::MetaApp;
use crate::model::connection::Connection;
use crate::model::lead::form::Form;
use crate::model::limit::OrgLimit;
use crate::secret::AccessToken;
use crate::table::Table;

/// Pages whose cached form is read at once.
const CONCURRENCY: usize = 8;

/// The forms of the org's pages.
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
    /// Meta's status: `ACTIVE`, `ARCHIVED`…
    pub status: String,
    /// Language and country, such as `de_DE`.
    pub locale: Option<String>,
    pub page_id: PageId,
    pub page_name: String,
    pub integration_id: IntegrationId,
    /// The version of the form's own mapping; `null` if its answers map by their questions' types.
    pub mapping_version: Option<u32>,
}

/// A page whose forms Meta did not list.
#[derive(Debug, Serialize, ToSchema)]
pub struct FormsRefused {
    pub page_id: PageId,
    pub page_name: String,
    /// Why not, and how to fix it if that is known.
    pub message: String,
}

/// A requested test lead.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestLead {
    pub leadgen_id: String,
    /// The id that the lead will have once it is ingested. Its trace shows the progress.
    pub lead_id: LeadId,
}

impl Leads {
    /// Lists the forms of the org's connected pages, including archived ones. A page whose forms Meta does not list is
    /// reported in the result.
    pub async fn forms(&self, access: &MetaAccess) -> Result<FormList, ActError> {
        access.count(&self.table, OrgLimit::MetaCalls).await?;
        let pages = pages_with_tokens(&self.tokens.meta, &self.table, &access.scope).await?;
        let calls: Vec<(&PageId, &AccessToken)> = pages.iter().map(|(page, token)| (&page.page_id, token)).collect();
        let (mut listed, mut refused) = (Vec::new(), Vec::new());
        for ((page, _), forms) in pages.iter().zip(self.tokens.meta.graph().await?.forms(&calls).await) {
            match forms.outcome {
                Ok(forms) => listed.extend(forms.into_iter().map(|form| (form, page))),
                Err(error) => refused.push(FormsRefused {
                    page_id: page.page_id.clone(),
                    page_name: page.page_name.clone(),
                    message: match error.token_death() {
                        Some(end) => format!("{} {}", end.message(), end.fix()),
                        None => error.to_string(),
                    },
                }),
            }
        }
        let ids: Vec<FormId> = listed.iter().map(|(form, _)| form.id.clone()).collect();
        let mappings = self.table.mappings(&access.scope, &ids).await?;
        let versions: BTreeMap<FormId, u32> = mappings.into_iter().map(|(id, mapping)| (id, mapping.version)).collect();
        let items = listed.into_iter().map(|(form, page)| {
            let mapping_version = versions.get(&form.id).copied();
            form_out(form, page, mapping_version)
        });
        Ok(FormList { items: items.collect(), refused, next_cursor: None })
    }

    /// Makes Meta send a test lead through a form. It replaces the previous one, because Meta holds one per form. It
    /// arrives like any other lead.
    pub async fn send_test_lead(&self, access: &MetaAccess, id: &FormId) -> Result<TestLead, ActError> {
        access.count(&self.table, OrgLimit::MetaCalls).await?;
        let (page, _) = self.form(access, id).await?;
        let sent = async {
            let token = self.tokens.meta.vault.page_token(&page.credentials, &page.page_id).await?;
            Ok::<_, WorkError>(self.tokens.meta.graph().await?.send_test_lead(id, &token).await?)
        };
        match sent.await {
            Ok(sent) => Ok(TestLead { lead_id: LeadId::from_leadgen(&sent), leadgen_id: sent.to_string() }),
            Err(error) => Err(self.tokens.explain(&access.scope, &page.integration_id, error).await),
        }
    }

    /// Reads a form of the org's connected pages, with the page through which it is reachable.
    pub(super) async fn form(&self, access: &MetaAccess, id: &FormId) -> Result<(Connection, Form), ActError> {
        let form = find_form(&self.tokens.meta, &self.table, &access.scope, id, crate::clock::now()).await?;
        form.ok_or_else(|| ActError::not_found(Missing::Form))
    }
}

/// Reads a form of the org's connected pages, with the page through which it is reachable. `None` if it belongs to none
/// of them.
///
/// # Errors
/// If Meta neither returns the form through any page nor denies it through all of them, whether it is the org's is
/// unknown: that is an error, not `None`.
pub(super) async fn find_form(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    id: &FormId,
    now: Timestamp,
) -> Result<Option<(Connection, Form)>, WorkError> {
    let mut connected = table.connections(scope).await?;
    connected.retain(|page| page.ended.is_none());
    // Cached forms first: they cost no call to Meta.
    for pages in connected.chunks(CONCURRENCY) {
        let cached = try_join_all(pages.iter().map(|page| table.form(&page.page_id, id, now))).await?;
        if let Some((page, form)) = pages.iter().zip(cached).find_map(|(page, form)| Some((page, form?))) {
            return Ok(Some((page.clone(), form)));
        }
    }
    let pages = pages_with_tokens(meta, table, scope).await?;
    let page_tokens: Vec<(&PageId, &AccessToken)> = pages.iter().map(|(page, token)| (&page.page_id, token)).collect();
    let mut unclear = None;
    for ((page, _), answer) in pages.iter().zip(meta.graph().await?.form_through(id, &page_tokens).await) {
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

/// Reads the newest lead that Meta has of a form.
pub(super) async fn newest_lead(
    meta: &MetaApp,
    page: &Connection,
    id: &FormId,
) -> Result<Option<GraphLead>, WorkError> {
    let token = meta.vault.page_token(&page.credentials, &page.page_id).await?;
    Ok(meta.graph().await?.newest_lead(id, &token).await?)
}

/// Lists the org's connected pages that have a token. A page without one is logged and omitted.
async fn pages_with_tokens(
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

fn form_out(form: ListedForm, page: &Connection, mapping_version: Option<u32>) -> FormOut {
    FormOut {
        form_id: form.id,
        name: form.name,
        status: form.status,
        locale: form.locale,
        page_id: page.page_id.clone(),
        page_name: page.page_name.clone(),
        integration_id: page.integration_id.clone(),
        mapping_version,
    }
}
