//! Pages: which ones a person brings, their tokens, and their webhook subscriptions.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::batch::Call;
use super::{Graph, GraphError, read};
use crate::ids::PageId;
use crate::secret::AccessToken;

/// The webhook fields of a page that Leadwire listens to, each with the permission without which Meta refuses it, and
/// with it the whole list.
const FIELDS: [(&str, Option<&str>); 6] = [
    ("leadgen", Some("leads_retrieval")),
    ("feed", None),
    ("mention", None),
    ("messages", Some("pages_messaging")),
    ("messaging_postbacks", Some("pages_messaging")),
    ("message_echoes", Some("pages_messaging")),
];

/// The fields that can be subscribed with what was granted.
#[must_use]
pub fn fields(granted: &[String]) -> Vec<&'static str> {
    let allowed = |needed: &str| granted.iter().any(|scope| scope == needed);
    FIELDS.into_iter().filter(|(_, needed)| needed.is_none_or(allowed)).map(|(field, _)| field).collect()
}

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
        read(self.get("me", &[("fields", "id,name")], user_token).await?.body)
    }

    /// Every page the person brings: their own, and those that a business portfolio owns or was given, which Meta
    /// leaves out of `/me/accounts` in some cases. A portfolio that cannot be read costs its own pages only.
    ///
    /// # Errors
    /// If the person's own pages cannot be read.
    pub async fn pages(&self, user_token: &AccessToken, with_businesses: bool) -> Result<Vec<Page>, GraphError> {
        let own =
            self.get_all("me/accounts", &[("fields", "id,name,link,access_token,tasks"), MOST], user_token).await?;
        let mut pages: BTreeMap<PageId, Page> = own.into_iter().map(|page: Page| (page.id.clone(), page)).collect();
        if with_businesses {
            for page in self.business_pages(user_token).await {
                pages.entry(page.id.clone()).or_insert(page);
            }
        }
        let mut pages: Vec<Page> = pages.into_values().collect();
        self.fill_in_tokens(&mut pages, user_token).await;
        Ok(pages)
    }

    async fn business_pages(&self, user_token: &AccessToken) -> Vec<Page> {
        let businesses: Vec<Business> = match self.get_all("me/businesses", &[("fields", "id"), MOST], user_token).await
        {
            Ok(businesses) => businesses,
            Err(error) => {
                tracing::warn!(%error, "business portfolios could not be listed");
                return Vec::new();
            }
        };
        let mut pages = Vec::new();
        for business in businesses {
            for edge in ["owned_pages", "client_pages"] {
                let path = format!("{}/{edge}", business.id);
                match self.get_all(&path, &[("fields", "id,name,link,access_token"), MOST], user_token).await {
                    Ok(found) => pages.extend::<Vec<Page>>(found),
                    Err(error) => tracing::warn!(%error, edge, "pages of a business portfolio could not be listed"),
                }
            }
        }
        pages
    }

    /// Asks the pages themselves for the tokens that the lists did not give.
    async fn fill_in_tokens(&self, pages: &mut [Page], user_token: &AccessToken) {
        let missing: Vec<&mut Page> = pages.iter_mut().filter(|page| page.access_token.is_none()).collect();
        let calls: Vec<Call> =
            missing.iter().map(|page| Call::get(page.id.as_str(), &[("fields", "access_token")])).collect();
        for (page, outcome) in missing.into_iter().zip(self.batch(&calls, user_token).await) {
            page.access_token =
                outcome.and_then(|answer| read::<OnlyToken>(answer.body)).ok().and_then(|only| only.access_token);
        }
    }

    /// Subscribes this app to `fields` of each page, and answers one outcome a page, in their order. The list replaces
    /// what was subscribed before.
    pub async fn subscribe(&self, pages: &[(&PageId, &AccessToken)], fields: &[&str]) -> Vec<Result<(), GraphError>> {
        let Some((_, first)) = pages.first() else { return Vec::new() };
        let fields = fields.join(",");
        let calls: Vec<Call> = pages
            .iter()
            .map(|(page, token)| {
                Call::post(&format!("{page}/subscribed_apps"), &[("subscribed_fields", &fields)])
                    .with_token((*token).clone())
            })
            .collect();
        self.batch(&calls, first).await.into_iter().map(|outcome| outcome.map(drop)).collect()
    }
}
