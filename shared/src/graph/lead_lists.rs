//! Lists: the forms of pages, and the leads of forms.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::batch::Call;
use super::error::Detail;
use super::leads::{FORM_FIELDS, GraphForm, GraphLead, lead_fields, meta_time};
use super::{GraphClient, GraphError, GraphPage, Metered, read};
use crate::ids::{FormId, LeadgenId, PageId};
use crate::model::lead::form::Form;
use crate::model::lead::sweep_progress::LeadCounts;
use crate::secret::AccessToken;

/// A form as its page lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedForm {
    /// The form's id.
    pub id: FormId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `ACTIVE`, `ARCHIVED`…
    #[serde(default)]
    pub status: String,
    /// Language and country: `de_DE`.
    #[serde(default)]
    pub locale: Option<String>,
    /// All leads that it ever had, without test leads.
    leads_count: Option<u64>,
    /// Those of them that Meta has deleted.
    expired_leads_count: Option<u64>,
    /// Those of them that came without an ad.
    organic_leads_count: Option<u64>,
}

impl ListedForm {
    /// Returns Meta's counts of its leads, if Meta gave all of them.
    #[must_use]
    pub fn counts(&self) -> Option<LeadCounts> {
        Some([self.leads_count?, self.expired_leads_count?, self.organic_leads_count?])
    }
}

/// One response page of a form's leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadPage {
    /// In Meta's order.
    pub leads: Vec<ListedLead>,
    /// The cursor of the next page, `None` on the last.
    pub next: Option<String>,
}

const LISTED_FORM_FIELDS: &str = "id,name,status,locale,leads_count,expired_leads_count,organic_leads_count";
const LISTED_LEAD_FIELDS: &str = "id,created_time";

/// `GREATER_THAN` is exclusive, and the second itself is wanted.
fn since_filter(since: Timestamp) -> String {
    json!([{ "field": "time_created", "operator": "GREATER_THAN", "value": since.as_second() - 1 }]).to_string()
}

fn lead_page(answer: Value) -> Result<LeadPage, GraphError> {
    let page: GraphPage<ListedLead> = read(answer)?;
    Ok(LeadPage { next: page.next(), leads: page.data })
}

/// A lead as its form lists it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListedLead {
    /// Meta's id of the submission.
    pub id: LeadgenId,
    /// When the person submitted it.
    #[serde(deserialize_with = "meta_time")]
    pub created_time: Timestamp,
}

impl GraphClient {
    /// Lists the forms of each page, including archived ones: one outcome per page, in order, with the use of the page's
    /// limits.
    pub async fn forms(&self, pages: &[(&PageId, &AccessToken)]) -> Vec<Metered<Vec<ListedForm>>> {
        let edges: Vec<(String, &AccessToken)> =
            pages.iter().map(|(page, token)| (format!("{page}/leadgen_forms"), *token)).collect();
        self.lists(&edges, &[("fields", LISTED_FORM_FIELDS), ("limit", "100")]).await
    }

    /// Reads the first response page of the submissions at or after `since` for each form of one page: one outcome per
    /// form, in order.
    pub async fn leads_since(
        &self,
        forms: &[&ListedForm],
        since: Timestamp,
        page_token: &AccessToken,
    ) -> Vec<Metered<LeadPage>> {
        let (fields, filter) = (LISTED_LEAD_FIELDS, since_filter(since));
        let query = [("fields", fields), ("limit", "100"), ("filtering", filter.as_str())];
        let calls: Vec<Call> = forms.iter().map(|form| Call::get(&format!("{}/leads", form.id), &query)).collect();
        self.batch_metered(&calls, page_token).await.into_iter().map(|answer| answer.read_as(lead_page)).collect()
    }

    /// Reads the response page after a cursor of [`LeadPage::next`].
    pub async fn leads_after(
        &self,
        form: &FormId,
        since: Timestamp,
        after: &str,
        page_token: &AccessToken,
    ) -> Result<LeadPage, GraphError> {
        let (fields, filter) = (LISTED_LEAD_FIELDS, since_filter(since));
        let query = [("fields", fields), ("limit", "100"), ("filtering", filter.as_str()), ("after", after)];
        lead_page(self.get(&format!("{form}/leads"), &query, page_token).await?)
    }

    /// Reads a form with each page's token: one outcome per page, in order. Succeeds only for the page that owns the
    /// form, and for any page if Meta names no owner.
    pub async fn form_through(
        &self,
        form: &FormId,
        pages: &[(&PageId, &AccessToken)],
    ) -> Vec<Result<Form, GraphError>> {
        let Some((_, first)) = pages.first() else { return Vec::new() };
        let fields = format!("page_id,{FORM_FIELDS}");
        let call = |token: &AccessToken| Call::get(form.as_str(), &[("fields", &fields)]).with_token(token.clone());
        let calls: Vec<Call> = pages.iter().map(|(_, token)| call(token)).collect();
        let other_page = || GraphError::NotVisible(Detail::default());
        let of_page = |((page, _), outcome): (&(&PageId, &AccessToken), Result<Value, GraphError>)| {
            let read = read::<GraphForm>(outcome?)?;
            let is_of_page = read.page_id.as_ref().is_none_or(|owner| owner == *page);
            if is_of_page { Ok(read.into_form()) } else { Err(other_page()) }
        };
        pages.iter().zip(self.batch_with_forms(&calls, first).await).map(of_page).collect()
    }

    /// Reads the newest lead of a form, or `None` if the form has no leads.
    pub async fn newest_lead(&self, form: &FormId, page_token: &AccessToken) -> Result<Option<GraphLead>, GraphError> {
        let fields = lead_fields();
        let query = [("fields", fields.as_str()), ("limit", "1")];
        let page: GraphPage<GraphLead> = read(self.get(&format!("{form}/leads"), &query, page_token).await?)?;
        Ok(page.data.into_iter().next())
    }

    /// Makes Meta send a test lead through a form. A form holds one at a time, so the previous one is deleted first.
    pub async fn send_test_lead(&self, form: &FormId, page_token: &AccessToken) -> Result<LeadgenId, GraphError> {
        #[derive(Deserialize)]
        struct TestLeadNode {
            id: LeadgenId,
        }
        let edge = format!("{form}/test_leads");
        let before: GraphPage<TestLeadNode> = read(self.get(&edge, &[("fields", "id")], page_token).await?)?;
        let calls: Vec<Call> = before.data.iter().map(|lead| Call::delete(lead.id.as_str())).collect();
        for deleted in self.batch(&calls, page_token).await {
            deleted?;
        }
        let calls = [Call::post(&edge, &[])];
        let created = self.batch(&calls, page_token).await.into_iter().next().unwrap_or(Ok(Value::Null))?;
        Ok(read::<TestLeadNode>(created)?.id)
    }

    /// Reads several edges completely: the first response pages in one batch, the rest one by one.
    async fn lists<T: DeserializeOwned>(
        &self,
        edges: &[(String, &AccessToken)],
        query: &[(&str, &str)],
    ) -> Vec<Metered<Vec<T>>> {
        let Some((_, first)) = edges.first() else { return Vec::new() };
        let calls: Vec<Call> =
            edges.iter().map(|(edge, token)| Call::get(edge, query).with_token((*token).clone())).collect();
        let mut lists = Vec::with_capacity(edges.len());
        for ((edge, token), first) in edges.iter().zip(self.batch_metered(&calls, first).await) {
            let Metered { outcome, usage } = first.read_as(read::<GraphPage<T>>);
            let outcome = match outcome {
                Ok(first) => self.get_rest(edge, query, token, first).await,
                Err(error) => Err(error),
            };
            lists.push(Metered { outcome, usage });
        }
        lists
    }
}
