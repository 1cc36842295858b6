//! Making lead forms (`/{page}/leadgen_forms`), and what an ad needs to know of one. Every call takes the page's token.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::page_posts::graph_time;
use super::{GraphClient, GraphError, GraphPage, read};
use crate::ids::{FormId, PageId};
use crate::model::campaigns::form::{FormQuestion, LeadFormSpec};
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
    name: Option<String>,
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
        form: &LeadFormSpec,
        token: &AccessToken,
    ) -> Result<FormId, GraphError> {
        let form: Vec<(&str, String)> = parameters(form);
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

    /// Archives a form, which then takes no more leads. May be repeated.
    pub async fn archive_form(&self, form: &FormId, token: &AccessToken) -> Result<(), GraphError> {
        self.post(form.as_str(), &[("status", "ARCHIVED")], token).await.map(drop)
    }

    /// Reads what an ad needs of a form: its status and its name, `None` if it is not the page's, and whether the
    /// page's terms for lead ads were accepted.
    pub async fn form_for_ads(
        &self,
        page: &PageId,
        form: &FormId,
        token: &AccessToken,
    ) -> Result<(Option<(String, Option<String>)>, bool), GraphError> {
        let terms: Terms = read(self.get(page.as_str(), &[("fields", "leadgen_tos_accepted")], token).await?)?;
        let node = match self.get(form.as_str(), &[("fields", "status,name,page_id")], token).await {
            Ok(node) => read::<FormNode>(node)?,
            Err(GraphError::NotVisible(_)) => return Ok((None, terms.leadgen_tos_accepted)),
            Err(error) => return Err(error),
        };
        let is_of_page = node.page_id.is_none_or(|owner| owner == *page);
        Ok((node.status.filter(|_| is_of_page).map(|status| (status, node.name)), terms.leadgen_tos_accepted))
    }
}

fn parameters(form: &LeadFormSpec) -> Vec<(&'static str, String)> {
    let questions: Vec<Value> = form.questions.iter().map(question).collect();
    let mut policy = Map::from_iter([("url".to_owned(), json!(form.privacy_url))]);
    policy.extend(form.privacy_text.as_ref().map(|text| ("link_text".to_owned(), json!(text))));
    let mut parameters = vec![
        ("name", form.name.clone()),
        ("locale", form.locale.clone()),
        ("questions", Value::Array(questions).to_string()),
        ("privacy_policy", Value::Object(policy).to_string()),
        ("follow_up_action_url", form.follow_up_url.clone()),
    ];
    if let Some(page) = &form.thank_you {
        let kind = if page.website_url.is_some() { "VIEW_WEBSITE" } else { "NONE" };
        let mut node =
            Map::from_iter([("title".to_owned(), json!(page.title)), ("button_type".to_owned(), json!(kind))]);
        node.extend(page.body.as_ref().map(|body| ("body".to_owned(), json!(body))));
        node.extend(page.link_text.as_ref().map(|text| ("button_text".to_owned(), json!(text))));
        node.extend(page.website_url.as_ref().map(|url| ("website_url".to_owned(), json!(url))));
        parameters.push(("thank_you_page", Value::Object(node).to_string()));
    }
    parameters
}

fn question(question: &FormQuestion) -> Value {
    let mut node =
        Map::from_iter([("type".to_owned(), json!(question.r#type)), ("key".to_owned(), json!(question.answer_key()))]);
    node.extend(question.label.as_ref().map(|label| ("label".to_owned(), json!(label))));
    if !question.options.is_empty() {
        let option = |(number, value): (usize, &String)| json!({ "value": value, "key": format!("o{number}") });
        node.insert("options".to_owned(), question.options.iter().enumerate().map(option).collect());
    }
    Value::Object(node)
}

/// The field of our request that Meta refuses.
#[must_use]
pub fn refused_form_field(error: &GraphError) -> Option<&'static str> {
    let detail = error.detail()?;
    if detail.subcode == Some(1_892_085) {
        return Some("followUpUrl");
    }
    detail.blamed.iter().find_map(|blamed| {
        Some(match blamed.split('.').next()? {
            "name" => "name",
            "questions" => "questions",
            "privacy_policy" => "privacyPolicy",
            "follow_up_action_url" => "followUpUrl",
            "locale" => "locale",
            "thank_you_page" => "thankYou",
            _ => return None,
        })
    })
}
