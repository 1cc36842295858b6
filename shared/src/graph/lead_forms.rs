//! Making lead forms (`/{page}/leadgen_forms`), and what an ad needs to know of one. Every call takes the page's token.

use jiff::Timestamp;
use serde::Deserialize;

use super::page_posts::graph_time;
use super::{GraphClient, GraphError, GraphPage, read};
use crate::ids::{FormId, PageId};
use crate::secret::AccessToken;

#[derive(Deserialize)]
struct CreatedNode {
    id: FormId,
}

#[derive(Deserialize)]
struct NamedForm {
    id: FormId,
    #[serde(default)]
    name: String,
    #[serde(deserialize_with = "graph_time")]
    created_time: Timestamp,
}

#[derive(Deserialize)]
struct FormNode {
    status: Option<String>,
    page_id: Option<PageId>,
}

#[derive(Deserialize)]
struct Terms {
    #[serde(default)]
    leadgen_tos_accepted: bool,
}

impl GraphClient {
    /// Makes a lead form.
    ///
    /// # Errors
    /// After an unclear error it may exist: a page has no two forms with the same name.
    pub async fn create_form(
        &self,
        page: &PageId,
        form: &[(&'static str, String)],
        token: &AccessToken,
    ) -> Result<FormId, GraphError> {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Ok(read::<CreatedNode>(self.post(&format!("{page}/leadgen_forms"), &form, token).await?)?.id)
    }

    /// Finds a form of a page by its name, not older than `since`.
    pub async fn find_form(
        &self,
        page: &PageId,
        name: &str,
        since: Timestamp,
        token: &AccessToken,
    ) -> Result<Option<FormId>, GraphError> {
        let query = [("fields", "id,name,created_time"), ("limit", "100")];
        let forms: GraphPage<NamedForm> = read(self.get(&format!("{page}/leadgen_forms"), &query, token).await?)?;
        let is_it = |form: &NamedForm| form.name == name && form.created_time >= since;
        Ok(forms.data.into_iter().find(is_it).map(|form| form.id))
    }

    /// Reads what an ad needs of a form: its status, `None` if it is none of the page's, and whether the page's terms for
    /// lead ads were accepted.
    pub async fn form_for_ads(
        &self,
        page: &PageId,
        form: &FormId,
        token: &AccessToken,
    ) -> Result<(Option<String>, bool), GraphError> {
        let terms: Terms = read(self.get(page.as_str(), &[("fields", "leadgen_tos_accepted")], token).await?)?;
        let node = match self.get(form.as_str(), &[("fields", "status,page_id")], token).await {
            Ok(node) => read::<FormNode>(node)?,
            Err(GraphError::NotVisible(_)) => return Ok((None, terms.leadgen_tos_accepted)),
            Err(error) => return Err(error),
        };
        let is_of_page = node.page_id.is_none_or(|owner| owner == *page);
        Ok((node.status.filter(|_| is_of_page), terms.leadgen_tos_accepted))
    }
}
