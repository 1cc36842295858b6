//! `/{form}/test_leads`: one organic test lead per form, announced like any other lead.

use serde_json::{Value, json};

use super::error::GraphError;
use super::form;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::Call;
use crate::world::lead::ConsentAnswer;
use crate::world::submit;

const TEST_LEADS: Elements =
    Elements { node_type: Some("Lead"), defaults: &["id", "created_time", "field_data"], max_limit: 25 };

/// The form's test lead, if there is one.
pub(crate) fn list(call: &mut Call<'_>, form_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    check(call, form_id)?;
    let items = test_lead(call, form_id).into_iter().map(|id| (id.clone(), Item::Node(Node::Lead(id)))).collect();
    paging::page(call, query, items, &TEST_LEADS)
}

/// Creates the test lead, with `field_data` and `custom_disclaimer_responses` if given.
///
/// # Errors
/// Returns 100 if the form already has one. (Code and wording unconfirmed.)
pub(crate) fn create(call: &mut Call<'_>, form_id: &str) -> Result<Value, GraphError> {
    check(call, form_id)?;
    let Some(form) = call.world.forms.get(form_id).cloned() else {
        return Err(GraphError::not_visible("post", form_id));
    };
    if test_lead(call, form_id).is_some() {
        return Err(GraphError::invalid("(#100) This form already has a test lead. Delete it to create another one."));
    }
    let answers = match json_param(call, "field_data")? {
        None => Vec::new(),
        Some(value) => submit::read_answers(&form, &value)
            .map_err(|problem| GraphError::invalid(format!("(#100) Param field_data: {problem}")))?,
    };
    let consents = match json_param(call, "custom_disclaimer_responses")? {
        Some(Value::Array(list)) => list.iter().filter_map(consent).collect(),
        _ => form.consents.iter().map(|it| ConsentAnswer { key: it.key.clone(), checked: true }).collect(),
    };
    let id = call.world.submit_test_lead(&form, answers, consents);
    Ok(json!({ "id": id }))
}

/// Requires the page token of a person with a leads task on the page.
fn check(call: &Call<'_>, form_id: &str) -> Result<(), GraphError> {
    form::check_page_token(call, form_id)?;
    call.require_scope("leads_retrieval")?;
    let page_id = call.world.forms.get(form_id).map(|form| form.page_id.as_str()).unwrap_or_default();
    call.require_task(page_id, form::LEAD_TASKS)
}

fn test_lead(call: &Call<'_>, form_id: &str) -> Option<String> {
    let now = call.world.clock.now_ms();
    call.world.leads_of_form(form_id).find(|lead| lead.test && lead.is_retained(now)).map(|lead| lead.id.clone())
}

fn json_param(call: &Call<'_>, name: &str) -> Result<Option<Value>, GraphError> {
    let Some(text) = call.request.param(name) else { return Ok(None) };
    serde_json::from_str(text)
        .map(Some)
        .map_err(|_| GraphError::invalid(format!("(#100) Param {name} must be a JSON array")))
}

/// Parses `{"checkbox_key", "is_checked"}`. The latter may be a string, number or boolean.
fn consent(element: &Value) -> Option<ConsentAnswer> {
    let key = element.get("checkbox_key")?.as_str()?.to_owned();
    let checked = match element.get("is_checked")? {
        Value::Bool(flag) => *flag,
        Value::String(text) => text == "1" || text == "true",
        other => other.as_i64() == Some(1),
    };
    Some(ConsentAnswer { key, checked })
}
