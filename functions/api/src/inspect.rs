//! What only Meta knows of an integration at this moment: its health and its business portfolios.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Serialize;
use shared::connect::health::health;
use shared::error::WorkError;
use shared::graph::businesses::{Business, Tenure};
use shared::http::Problem;
use shared::model::health::{Check, CheckStatus};
use shared::model::integration::Connection;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::integrations::find;
use crate::router::Api;
use crate::usable::{needs_token, of_meta};

/// A health report.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `fail` if one of the checks fails, else `pass`.
    status: CheckStatus,
    #[schema(value_type = String, format = DateTime)]
    checked_at: Timestamp,
    /// In the order in which somebody looking for the fault would make them.
    items: Vec<Check>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// Business portfolios.
#[derive(Serialize, ToSchema)]
pub(crate) struct BusinessList {
    items: Vec<BusinessOut>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// A business portfolio.
#[derive(Serialize, ToSchema)]
pub(crate) struct BusinessOut {
    id: String,
    name: String,
    pages: Vec<BusinessPageOut>,
    ad_accounts: Vec<BusinessAdAccountOut>,
    /// What Meta did not let us read of it, in its own words.
    refused: Vec<String>,
}

/// A page of a portfolio.
#[derive(Serialize, ToSchema)]
pub(crate) struct BusinessPageOut {
    page_id: String,
    name: String,
    access: TenureOut,
    /// Whether leads are taken from it through this integration.
    connected: bool,
}

/// An ad account of a portfolio.
#[derive(Serialize, ToSchema)]
pub(crate) struct BusinessAdAccountOut {
    /// `act_` and digits.
    ad_account_id: String,
    name: String,
    currency: String,
    timezone: String,
    access: TenureOut,
}

/// How a portfolio has something.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TenureOut {
    /// It is its own.
    Owned,
    /// A client gave it to work on.
    Client,
}

/// Health of an integration
///
/// Asks Meta now. Each check tells what was seen and what to do about it.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/health", tag = "connect", operation_id = "readHealth",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = Health), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read_health(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<Health>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    let (connector, now) = (&api.connector, shared::clock::now());
    let items = health(&connector.meta, &api.table, &api.leads, &scope, &integration, now).await?;
    let fails = items.iter().any(|check| check.status == CheckStatus::Fail);
    let status = if fails { CheckStatus::Fail } else { CheckStatus::Pass };
    Ok(Json(Health { status, checked_at: now, items, next_cursor: None }))
}

/// Business portfolios of an integration
///
/// Those that the connected person or system user belongs to, with their pages and ad accounts: owned, and given by
/// clients. Pages are chosen with `PUT …/pages`.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/businesses", tag = "connect", operation_id = "listBusinesses",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = BusinessList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn businesses(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<BusinessList>, Problem> {
    let integration = find(&api, &scope, &id).await?;
    needs_token(&integration, shared::clock::now())?;
    let meta = &api.connector.meta;
    let read = async {
        let credentials = meta.vault.credentials(&integration.credentials).await?;
        Ok::<_, WorkError>(meta.graph().await?.businesses(&credentials.user_token).await?)
    };
    let found = match read.await {
        Ok(found) => found,
        Err(error) => return Err(of_meta(&api, &scope, &integration, error).await),
    };
    let mut pages = api.table.pages_of(&scope, &integration.id).await?;
    pages.retain(Connection::is_connected);
    let connected = |id: &str| pages.iter().any(|page| page.page_id.as_str() == id);
    let items = found.into_iter().map(|business| business_out(business, connected)).collect();
    Ok(Json(BusinessList { items, next_cursor: None }))
}

fn business_out(business: Business, connected: impl Fn(&str) -> bool) -> BusinessOut {
    let access = |tenure: Tenure| match tenure {
        Tenure::Owned => TenureOut::Owned,
        Tenure::Client => TenureOut::Client,
    };
    let pages = business.pages.into_iter().map(|(tenure, page)| BusinessPageOut {
        connected: connected(&page.id),
        page_id: page.id,
        name: page.name,
        access: access(tenure),
    });
    let ad_accounts = business.ad_accounts.into_iter().map(|(tenure, account)| BusinessAdAccountOut {
        ad_account_id: account.id,
        name: account.name,
        currency: account.currency,
        timezone: account.timezone_name,
        access: access(tenure),
    });
    BusinessOut {
        id: business.id,
        name: business.name,
        pages: pages.collect(),
        ad_accounts: ad_accounts.collect(),
        refused: business.refused,
    }
}
