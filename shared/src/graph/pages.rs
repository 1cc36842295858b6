//! Pages: which ones a person or system user brings, with their tokens.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::batch::Call;
use super::oauth::TokenInfo;
use super::{Graph, GraphError, read};
use crate::ids::PageId;
use crate::retry::Verdict;
use crate::secret::AccessToken;

/// The person who connected, as Meta knows them. Goes into the vault and nowhere else.
#[derive(Debug, Clone, Deserialize, serde::Serialize)]
pub struct Me {
    /// An id that only this app sees.
    pub id: String,
    /// As on Facebook.
    #[serde(default)]
    pub name: String,
}

/// A page that the person may manage through this app.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    /// The page.
    pub id: PageId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its address.
    pub link: Option<String>,
    /// Absent if Meta gives none to this person.
    pub access_token: Option<AccessToken>,
    /// What the person may do on it. Meta says so only in `/me/accounts`.
    #[serde(default)]
    pub tasks: Vec<String>,
}

#[derive(Deserialize)]
struct Business {
    id: String,
}

#[derive(Deserialize)]
struct OnlyToken {
    access_token: Option<AccessToken>,
}

const MOST: (&str, &str) = ("limit", "100");

impl Graph {
    /// The person behind a user token.
    ///
    /// # Errors
    /// Whatever keeps Meta from saying.
    pub async fn me(&self, user_token: &AccessToken) -> Result<Me, GraphError> {
        read(self.get("me", &[("fields", "id,name")], user_token).await?)
    }

    /// Every page the person brings: their own, and those that a business portfolio owns or was given, which Meta
    /// leaves out of `/me/accounts` in some cases. What Meta refuses for good costs itself only.
    ///
    /// # Errors
    /// If the person's own pages cannot be read, or if anything else failed that may heal: a page that is missing here
    /// is taken for one that did not come.
    pub async fn pages(&self, user_token: &AccessToken, info: &TokenInfo) -> Result<Vec<Page>, GraphError> {
        let own: Vec<Page> =
            self.get_all("me/accounts", &[("fields", "id,name,link,access_token,tasks"), MOST], user_token).await?;
        let mut pages: BTreeMap<PageId, Page> = own.into_iter().map(|page| (page.id.clone(), page)).collect();
        if info.scopes.iter().any(|scope| scope == "business_management") {
            // A portfolio lists all its pages, also those that the person did not tick.
            for page in self.business_pages(user_token).await?.into_iter().filter(|page| info.includes(&page.id)) {
                pages.entry(page.id.clone()).or_insert(page);
            }
        }
        let mut pages: Vec<Page> = pages.into_values().collect();
        self.fill_in_tokens(&mut pages, user_token).await?;
        Ok(pages)
    }

    /// What the person may do on each of their pages, in Meta's words.
    ///
    /// # Errors
    /// Whatever keeps Meta from saying.
    pub async fn tasks(&self, user_token: &AccessToken) -> Result<BTreeMap<PageId, Vec<String>>, GraphError> {
        let pages: Vec<Page> = self.get_all("me/accounts", &[("fields", "id,tasks"), MOST], user_token).await?;
        Ok(pages.into_iter().map(|page| (page.id, page.tasks)).collect())
    }

    async fn business_pages(&self, user_token: &AccessToken) -> Result<Vec<Page>, GraphError> {
        const FIELDS: (&str, &str) = ("fields", "id,name,link,access_token");
        let businesses = self.get_all("me/businesses", &[("fields", "id"), MOST], user_token).await;
        let businesses: Vec<Business> = unless_refused(businesses)?.unwrap_or_default();
        let edges: Vec<String> = businesses
            .iter()
            .flat_map(|business| ["owned_pages", "client_pages"].map(|edge| format!("{}/{edge}", business.id)))
            .collect();
        let calls: Vec<Call> = edges.iter().map(|edge| Call::get(edge, &[FIELDS, MOST])).collect();
        let mut pages = Vec::new();
        for (edge, outcome) in edges.iter().zip(self.batch(&calls, user_token).await) {
            let Some(answer) = unless_refused(outcome)? else { continue };
            let first: super::Page<Page> = read(answer)?;
            pages.extend(match first.next() {
                None => first.data,
                Some(_) => self.get_all(edge, &[FIELDS, MOST], user_token).await?,
            });
        }
        Ok(pages)
    }

    /// Asks the pages themselves for the tokens that the lists did not give.
    async fn fill_in_tokens(&self, pages: &mut [Page], user_token: &AccessToken) -> Result<(), GraphError> {
        let missing: Vec<&mut Page> = pages.iter_mut().filter(|page| page.access_token.is_none()).collect();
        let calls: Vec<Call> =
            missing.iter().map(|page| Call::get(page.id.as_str(), &[("fields", "access_token")])).collect();
        for (page, outcome) in missing.into_iter().zip(self.batch(&calls, user_token).await) {
            if let Some(answer) = unless_refused(outcome)? {
                page.access_token = read::<OnlyToken>(answer)?.access_token;
            }
        }
        Ok(())
    }
}

/// What Meta refuses for good is nothing; what may heal is an error. Either is told.
fn unless_refused<T>(outcome: Result<T, GraphError>) -> Result<Option<T>, GraphError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error @ GraphError::TokenDead { .. }) => Err(error),
        Err(error) if error.verdict() == Verdict::GiveUp || matches!(error, GraphError::NotVisible(_)) => {
            tracing::warn!(%error, "pages of a portfolio, or a page's token, are not to be had");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Detail;
    use super::*;

    #[test]
    fn what_may_heal_is_not_taken_for_a_page_that_is_not_there() {
        let detail = Detail::default;
        assert_eq!(unless_refused::<()>(Err(GraphError::NotPermitted(detail()))), Ok(None));
        assert_eq!(unless_refused::<()>(Err(GraphError::NotVisible(detail()))), Ok(None));
        assert!(unless_refused::<()>(Err(GraphError::Unavailable(detail()))).is_err());
        assert!(unless_refused::<()>(Err(GraphError::Throttled { wait: None, detail: detail() })).is_err());
        assert!(unless_refused::<()>(Err(GraphError::NoAnswer("timed out"))).is_err());
    }
}
