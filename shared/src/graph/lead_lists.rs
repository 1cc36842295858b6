//! Lists: the forms of pages, and the leads of forms.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::batch::Call;
use super::leads::meta_time;
use super::{Graph, GraphError, Page, read};
use crate::ids::{FormId, LeadgenId, PageId};
use crate::secret::AccessToken;

/// A form as its page lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedForm {
    /// The form.
    pub id: FormId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `ACTIVE`, `ARCHIVED`…
    #[serde(default)]
    pub status: String,
}

/// A lead as its form lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedLead {
    /// The submission.
    pub id: LeadgenId,
    /// When it was sent.
    #[serde(deserialize_with = "meta_time")]
    pub created_time: Timestamp,
}

impl Graph {
    /// The forms of each page, archived ones included: one outcome a page, in their order.
    pub async fn forms(&self, pages: &[(&PageId, &AccessToken)]) -> Vec<Result<Vec<ListedForm>, GraphError>> {
        let edges: Vec<(String, &AccessToken)> =
            pages.iter().map(|(page, token)| (format!("{page}/leadgen_forms"), *token)).collect();
        self.lists(&edges, &[("fields", "id,name,status"), ("limit", "100")]).await
    }

    /// The submissions to each of these forms of one page at or after `since`: one outcome a form, in their order.
    pub async fn leads_since(
        &self,
        forms: &[ListedForm],
        since: Timestamp,
        page_token: &AccessToken,
    ) -> Vec<Result<Vec<ListedLead>, GraphError>> {
        let edges: Vec<(String, &AccessToken)> =
            forms.iter().map(|form| (format!("{}/leads", form.id), page_token)).collect();
        // Meta's operator leaves the second itself out.
        let after = since.as_second() - 1;
        let filter = json!([{ "field": "time_created", "operator": "GREATER_THAN", "value": after }]).to_string();
        self.lists(&edges, &[("fields", "id,created_time"), ("limit", "100"), ("filtering", &filter)]).await
    }

    /// Several edges, each whole: their first response pages together, what follows one by one.
    async fn lists<T: DeserializeOwned>(
        &self,
        edges: &[(String, &AccessToken)],
        query: &[(&str, &str)],
    ) -> Vec<Result<Vec<T>, GraphError>> {
        let Some((_, first)) = edges.first() else { return Vec::new() };
        let calls: Vec<Call> =
            edges.iter().map(|(edge, token)| Call::get(edge, query).with_token((*token).clone())).collect();
        let mut lists = Vec::with_capacity(edges.len());
        for ((edge, token), outcome) in edges.iter().zip(self.batch(&calls, first).await) {
            lists.push(match outcome.and_then(read::<Page<T>>) {
                Ok(answer) if answer.next().is_none() => Ok(answer.data),
                Ok(_) => self.get_all(edge, query, token).await,
                Err(error) => Err(error),
            });
        }
        lists
    }
}
