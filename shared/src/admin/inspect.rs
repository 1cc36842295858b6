//! What only Meta knows of an integration at this moment: its health and its business portfolios.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::integrations::find;
use super::usable::{needs_token, of_meta};
use super::{MetaAccess, Services};
use crate::connections::health::health as look;
use crate::error::WorkError;
use crate::graph::businesses::{Business, Tenure};
use crate::http::Problem;
use crate::jobs::CheckJob;
use crate::model::connection::Connection;
use crate::model::connection::health::{Check, CheckId, CheckStatus};

/// A health report.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `fail` if one of the checks fails, else `pass`.
    pub status: CheckStatus,
    #[schema(value_type = String, format = DateTime)]
    pub checked_at: Timestamp,
    /// In the order in which somebody looking for the fault would make them.
    pub items: Vec<Check>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// Business portfolios.
#[derive(Debug, Serialize, ToSchema)]
pub struct BusinessList {
    pub items: Vec<BusinessOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// A business portfolio.
#[derive(Debug, Serialize, ToSchema)]
pub struct BusinessOut {
    pub id: String,
    pub name: String,
    pub pages: Vec<BusinessPageOut>,
    pub ad_accounts: Vec<BusinessAdAccountOut>,
    /// What Meta did not let us read of it, in its own words.
    pub refused: Vec<String>,
}

/// A page of a portfolio.
#[derive(Debug, Serialize, ToSchema)]
pub struct BusinessPageOut {
    pub page_id: String,
    pub name: String,
    pub access: TenureOut,
    /// Whether leads are taken from it through this integration.
    pub connected: bool,
}

/// An ad account of a portfolio.
#[derive(Debug, Serialize, ToSchema)]
pub struct BusinessAdAccountOut {
    /// `act_` and digits.
    pub ad_account_id: String,
    pub name: String,
    pub currency: String,
    pub timezone: String,
    pub access: TenureOut,
}

/// How a portfolio has something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenureOut {
    /// It is its own.
    Owned,
    /// A client gave it to work on.
    Client,
}

/// Looks at an integration from every side, asking Meta now.
///
/// # Errors
/// If there is no such integration, or our own side of it cannot be read. What Meta does not answer is in the report.
pub async fn health(services: &Services, access: &MetaAccess, id: &str) -> Result<Health, Problem> {
    let integration = find(services, access, id).await?;
    let (connector, now) = (&services.connector, crate::clock::now());
    let items = look(&connector.meta, &services.table, &services.leads, &access.scope, &integration, now).await?;
    let fails = items.iter().any(|check| check.status == CheckStatus::Fail);
    if is_dead(&items) && integration.standing(now).reason.is_none() {
        // Whoever looks at the integration next finds it ended.
        services.checks.send(&[CheckJob::new(&access.scope, &integration.id)]).await.map_err(WorkError::from)?;
    }
    let status = if fails { CheckStatus::Fail } else { CheckStatus::Pass };
    Ok(Health { status, checked_at: now, items, next_cursor: None })
}

fn is_dead(items: &[Check]) -> bool {
    items.iter().any(|check| check.id == CheckId::Token && check.status == CheckStatus::Fail)
}

/// The business portfolios that the connected person or system user belongs to, asked of Meta now.
///
/// # Errors
/// If there is no such integration, its token does not work, Meta refuses, or something failed.
pub async fn businesses(services: &Services, access: &MetaAccess, id: &str) -> Result<BusinessList, Problem> {
    let integration = find(services, access, id).await?;
    needs_token(&integration, crate::clock::now())?;
    let meta = &services.connector.meta;
    let read = async {
        let credentials = meta.vault.credentials(&integration.credentials).await?;
        Ok::<_, WorkError>(meta.graph().await?.businesses(&credentials.user_token).await?)
    };
    let found = match read.await {
        Ok(found) => found,
        Err(error) => return Err(of_meta(services, access, &integration, error).await),
    };
    let mut pages = services.table.pages_of(&access.scope, &integration.id).await?;
    pages.retain(Connection::is_connected);
    let connected = |id: &str| pages.iter().any(|page| page.page_id.as_str() == id);
    let items = found.into_iter().map(|business| business_out(business, connected)).collect();
    Ok(BusinessList { items, next_cursor: None })
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
