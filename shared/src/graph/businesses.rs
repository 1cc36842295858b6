//! Business portfolios: which ones a person belongs to, and which pages and ad accounts they own or manage for clients.
//!
//! Meta has no combined edge, so owned and client assets are read separately. Each edge may be refused on its own.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::batch::Call;
use super::{GraphClient, GraphError, read};
use crate::retry::Verdict;
use crate::secret::AccessToken;

/// A business portfolio with its assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Business {
    /// Meta's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Pages that it owns or manages for a client.
    pub pages: Vec<(Tenure, BusinessPage)>,
    /// Ad accounts that it owns or manages for a client.
    pub ad_accounts: Vec<(Tenure, BusinessAdAccount)>,
    /// The edges that Meta permanently refused, each with Meta's words.
    pub refused: Vec<String>,
}

/// How a portfolio holds an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenure {
    /// The portfolio owns it.
    Owned,
    /// The portfolio manages it for a client.
    Client,
}

/// A page of a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BusinessPage {
    /// The page's id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// An ad account of a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BusinessAdAccount {
    /// Meta's id, with its `act_` prefix.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// ISO 4217 currency code.
    #[serde(default)]
    pub currency: String,
    /// Time zone database name.
    #[serde(default)]
    pub timezone_name: String,
}

#[derive(Deserialize)]
struct Portfolio {
    id: String,
    #[serde(default)]
    name: String,
}

const LIMIT: (&str, &str) = ("limit", "100");
const PAGE_FIELDS: (&str, &str) = ("fields", "id,name");
const ACCOUNT_FIELDS: (&str, &str) = ("fields", "id,name,currency,timezone_name");
/// The edges of a portfolio, in the order in which they are read.
const EDGES: [(&str, (&str, &str)); 4] = [
    ("owned_pages", PAGE_FIELDS),
    ("client_pages", PAGE_FIELDS),
    ("owned_ad_accounts", ACCOUNT_FIELDS),
    ("client_ad_accounts", ACCOUNT_FIELDS),
];

impl GraphClient {
    /// Lists the portfolios that a person or system user belongs to, with their assets.
    ///
    /// # Errors
    /// Fails if the portfolios themselves cannot be read (Meta requires `business_management`), if the token is
    /// invalid, or if an edge fails in a way that may recover.
    pub async fn businesses(&self, token: &AccessToken) -> Result<Vec<Business>, GraphError> {
        let portfolios: Vec<Portfolio> = self.get_all("me/businesses", &[("fields", "id,name"), LIMIT], token).await?;
        let edges = portfolios.iter().flat_map(|business| EDGES.map(|(edge, fields)| (&business.id, edge, fields)));
        let calls: Vec<Call> =
            edges.map(|(id, edge, fields)| Call::get(&format!("{id}/{edge}"), &[fields, LIMIT])).collect();
        let mut outcomes = self.batch(&calls, token).await.into_iter();
        let mut businesses = Vec::with_capacity(portfolios.len());
        for Portfolio { id, name } in portfolios {
            let mut business = Business { id, name, pages: vec![], ad_accounts: vec![], refused: vec![] };
            for (tenure, kind) in [(Tenure::Owned, EDGES[0]), (Tenure::Client, EDGES[1])] {
                let outcome = outcomes.next().unwrap_or(Err(GraphError::InvalidResponse { status: 200 }));
                let assets = self.whole_edge(&mut business, kind, outcome, token).await?;
                business.pages.extend(assets.into_iter().map(|page| (tenure, page)));
            }
            for (tenure, kind) in [(Tenure::Owned, EDGES[2]), (Tenure::Client, EDGES[3])] {
                let outcome = outcomes.next().unwrap_or(Err(GraphError::InvalidResponse { status: 200 }));
                let assets = self.whole_edge(&mut business, kind, outcome, token).await?;
                business.ad_accounts.extend(assets.into_iter().map(|account| (tenure, account)));
            }
            businesses.push(business);
        }
        Ok(businesses)
    }

    /// Completes an edge whose first response page was read. An edge that Meta permanently refuses is recorded in
    /// [`Business::refused`] and is empty.
    async fn whole_edge<T: DeserializeOwned>(
        &self,
        business: &mut Business,
        (edge, fields): (&str, (&str, &str)),
        first: Result<serde_json::Value, GraphError>,
        token: &AccessToken,
    ) -> Result<Vec<T>, GraphError> {
        match first {
            Ok(answer) => {
                let page: super::GraphPage<T> = read(answer)?;
                match page.next() {
                    None => Ok(page.data),
                    Some(_) => self.get_all(&format!("{}/{edge}", business.id), &[fields, LIMIT], token).await,
                }
            }
            Err(error @ GraphError::TokenInvalid { .. }) => Err(error),
            Err(error) if error.verdict() == Verdict::GiveUp => {
                business.refused.push(format!("{edge}: {error}"));
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}
