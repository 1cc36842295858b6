//! Pages: which ones a person or system user can connect, with their tokens.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::batch::Call;
use super::oauth::TokenInfo;
use super::{GraphClient, GraphError, read};
use crate::ids::PageId;
use crate::model::connection::MetaPerson;
use crate::secret::AccessToken;

/// A page that the person may manage through this app.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    /// The page's id.
    pub id: PageId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its URL.
    pub link: Option<String>,
    /// The page's token. Absent if Meta gives this person none.
    pub access_token: Option<AccessToken>,
    /// The person's tasks on the page. Only `/me/accounts` reports them.
    #[serde(default)]
    pub tasks: Vec<String>,
}

#[derive(Deserialize)]
struct ClaimingBusiness {
    id: String,
}

#[derive(Deserialize)]
struct OnlyToken {
    access_token: Option<AccessToken>,
}

const LIMIT: (&str, &str) = ("limit", "100");

impl GraphClient {
    /// Reads the person behind a user token.
    pub async fn me(&self, user_token: &AccessToken) -> Result<MetaPerson, GraphError> {
        read(self.get("me", &[("fields", "id,name")], user_token).await?)
    }

    /// Lists every page that the person can connect: their own, and those that a business portfolio owns or manages,
    /// which Meta sometimes omits from `/me/accounts`. If Meta permanently refuses an edge, only its pages are missing.
    ///
    /// # Errors
    /// Fails if the person's own pages cannot be read, or if anything else fails in a way that may recover. It never
    /// returns a partial list, because the caller would treat the missing pages as not granted.
    pub async fn pages(&self, user_token: &AccessToken, info: &TokenInfo) -> Result<Vec<Page>, GraphError> {
        let own: Vec<Page> =
            self.get_all("me/accounts", &[("fields", "id,name,link,access_token,tasks"), LIMIT], user_token).await?;
        let mut pages: BTreeMap<PageId, Page> = own.into_iter().map(|page| (page.id.clone(), page)).collect();
        if info.scopes.iter().any(|scope| scope == "business_management") {
            // A portfolio lists all its pages, including those that the person did not select.
            for page in self.business_pages(user_token).await?.into_iter().filter(|page| info.includes(&page.id)) {
                pages.entry(page.id.clone()).or_insert(page);
            }
        }
        let mut pages: Vec<Page> = pages.into_values().collect();
        self.fill_in_tokens(&mut pages, user_token).await?;
        Ok(pages)
    }

    /// Reads the person's tasks on each of their pages, in Meta's words.
    pub async fn tasks(&self, user_token: &AccessToken) -> Result<BTreeMap<PageId, Vec<String>>, GraphError> {
        let pages: Vec<Page> = self.get_all("me/accounts", &[("fields", "id,tasks"), LIMIT], user_token).await?;
        Ok(pages.into_iter().map(|page| (page.id, page.tasks)).collect())
    }

    async fn business_pages(&self, user_token: &AccessToken) -> Result<Vec<Page>, GraphError> {
        const FIELDS: (&str, &str) = ("fields", "id,name,link,access_token");
        let businesses = self.get_all("me/businesses", &[("fields", "id"), LIMIT], user_token).await;
        let businesses: Vec<ClaimingBusiness> = allow_refusal(businesses)?.unwrap_or_default();
        let edges: Vec<String> = businesses
            .iter()
            .flat_map(|business| ["owned_pages", "client_pages"].map(|edge| format!("{}/{edge}", business.id)))
            .collect();
        let calls: Vec<Call> = edges.iter().map(|edge| Call::get(edge, &[FIELDS, LIMIT])).collect();
        let mut pages = Vec::new();
        for (edge, outcome) in edges.iter().zip(self.batch(&calls, user_token).await) {
            let Some(answer) = allow_refusal(outcome)? else { continue };
            let first: super::GraphPage<Page> = read(answer)?;
            pages.extend(match first.next() {
                None => first.data,
                Some(_) => self.get_all(edge, &[FIELDS, LIMIT], user_token).await?,
            });
        }
        Ok(pages)
    }

    /// Reads the tokens that the lists omitted, from the pages themselves.
    async fn fill_in_tokens(&self, pages: &mut [Page], user_token: &AccessToken) -> Result<(), GraphError> {
        let missing: Vec<&mut Page> = pages.iter_mut().filter(|page| page.access_token.is_none()).collect();
        let calls: Vec<Call> =
            missing.iter().map(|page| Call::get(page.id.as_str(), &[("fields", "access_token")])).collect();
        for (page, outcome) in missing.into_iter().zip(self.batch(&calls, user_token).await) {
            if let Some(answer) = allow_refusal(outcome)? {
                page.access_token = read::<OnlyToken>(answer)?.access_token;
            }
        }
        Ok(())
    }
}

/// Turns a permanent refusal into `None` and logs it. Anything that may recover stays an error, as does an invalid
/// token.
fn allow_refusal<T>(outcome: Result<T, GraphError>) -> Result<Option<T>, GraphError> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error @ GraphError::TokenInvalid { .. }) => Err(error),
        Err(error) if error.is_withheld() => {
            tracing::warn!(%error, "the pages of a portfolio, or a page's token, could not be read");
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
        assert_eq!(allow_refusal::<()>(Err(GraphError::NotPermitted(detail()))), Ok(None));
        assert_eq!(allow_refusal::<()>(Err(GraphError::NotVisible(detail()))), Ok(None));
        assert!(allow_refusal::<()>(Err(GraphError::Unavailable(detail()))).is_err());
        assert!(allow_refusal::<()>(Err(GraphError::Throttled { wait: None, detail: detail() })).is_err());
        assert!(allow_refusal::<()>(Err(GraphError::Transport("timed out"))).is_err());
    }
}
