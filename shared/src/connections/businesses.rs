//! The business portfolios of an integration, read live from Meta.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use serde::Serialize;
use utoipa::ToSchema;

use super::Connections;
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::graph::businesses::{Business, Tenure};
use crate::ids::IntegrationId;
use crate::model::connection::Connection;
use crate::model::limit::OrgLimit;

/// The business portfolios of an integration.
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
    /// The parts that Meta refused to list, in Meta's words.
    pub refused: Vec<String>,
}

/// A page of a portfolio.
#[derive(Debug, Serialize, ToSchema)]
pub struct BusinessPageOut {
    pub page_id: String,
    pub name: String,
    pub access: TenureOut,
    /// Whether leads are ingested from it through this integration.
    pub connected: bool,
}

/// An ad account of a portfolio.
#[derive(Debug, Serialize, ToSchema)]
pub struct BusinessAdAccountOut {
    /// `act_` followed by digits.
    pub ad_account_id: String,
    pub name: String,
    pub currency: String,
    pub timezone: String,
    pub access: TenureOut,
}

/// How a portfolio has access to an asset.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenureOut {
    /// The portfolio owns it.
    Owned,
    /// A client shared it.
    Client,
}

impl Connections {
    /// The business portfolios that the connected person or system user belongs to, read live from Meta.
    pub async fn businesses(&self, access: &MetaAccess, id: &IntegrationId) -> Result<BusinessList, ActError> {
        access.count(&self.connector.table, OrgLimit::MetaCalls).await?;
        let integration = self.tokens.usable_integration(&access.scope, id, crate::clock::now()).await?;
        let meta = &self.connector.meta;
        let read = async {
            let credentials = meta.vault.credentials(&integration.credentials).await?;
            Ok::<_, WorkError>(meta.graph().await?.businesses(&credentials.user_token).await?)
        };
        let nodes = match read.await {
            Ok(nodes) => nodes,
            Err(error) => return Err(self.tokens.explain(&access.scope, &integration.id, error).await),
        };
        let mut pages = self.connector.table.pages_of(&access.scope, &integration.id).await?;
        pages.retain(Connection::is_connected);
        let connected = |id: &str| pages.iter().any(|page| page.page_id.as_str() == id);
        let items = nodes.into_iter().map(|business| business_out(business, connected)).collect();
        Ok(BusinessList { items, next_cursor: None })
    }
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
