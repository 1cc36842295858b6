//! Lead forms as nodes, and a page's list of them.

use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::fields::Field;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::Call;
use crate::clock::graph_time;
use crate::world::World;
use crate::world::form::{Consent, Form, Question};

/// Any of these tasks gives access to a page's lead forms and leads.
pub(crate) const LEAD_TASKS: &[&str] = &["ADVERTISE", "MANAGE", "MANAGE_LEADS"];

const FORMS: Elements =
    Elements { node_type: Some("LeadgenForm"), defaults: &["id", "locale", "name", "status"], max_limit: 100 };

/// `/{page}/leadgen_forms`: requires a page token and `pages_manage_ads`.
pub(crate) fn list(call: &mut Call<'_>, page_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    call.require_page_token(page_id, page_id)?;
    call.require_scope("pages_manage_ads")?;
    call.require_task(page_id, LEAD_TASKS)?;
    let items = call
        .world
        .forms_of_page(page_id)
        .map(|form| (form.id.clone(), Item::Node(Node::Form(form.id.clone()))))
        .collect();
    paging::page(call, query, items, &FORMS)
}

/// Requires the owning page's token and either of the two lead ads permissions.
pub(crate) fn check_readable(call: &Call<'_>, form_id: &str) -> Result<(), GraphError> {
    check_page_token(call, form_id)?;
    if call.has_scope("leads_retrieval") { Ok(()) } else { call.require_scope("pages_manage_ads") }
}

/// Requires the owning page's token.
///
/// # Errors
/// Returns 190/2069032 for a user token, 100/33 for another page's token.
pub(crate) fn check_page_token(call: &Call<'_>, form_id: &str) -> Result<(), GraphError> {
    let page_id = call.world.forms.get(form_id).map(|form| form.page_id.as_str()).unwrap_or_default();
    call.require_page_token(page_id, form_id)
}

/// Checks the members of a field: a card's picture is written under another name than it is read.
///
/// # Errors
/// Returns 100 for the name under which it is written.
pub(crate) fn check_members(field: &Field) -> Result<(), GraphError> {
    let wanted = field.inner.iter().flatten();
    if field.name == "context_card" && wanted.into_iter().any(|inner| inner.name == "cover_photo_id") {
        return Err(GraphError::nonexisting_field("cover_photo_id", "LeadGenContextCard"));
    }
    Ok(())
}

/// Returns the value of a field. `None` if the form has no such field.
pub(crate) fn value(world: &World, form_id: &str, field: &str) -> Option<Value> {
    let form = world.forms.get(form_id)?;
    if let Some(value) = form.written.get(field) {
        return Some(value.clone());
    }
    let now = world.clock.now_ms();
    let count = |wanted: &dyn Fn(&crate::world::lead::Lead) -> bool| {
        json!(world.leads_of_form(form_id).filter(|lead| !lead.test && wanted(lead)).count())
    };
    Some(match field {
        "name" => json!(form.name),
        "locale" => json!(form.locale),
        "status" => json!(form.status),
        "created_time" => json!(graph_time(form.created_ms)),
        "page_id" => json!(form.page_id),
        "page" => json!({"id": form.page_id, "name": world.pages.get(&form.page_id).map(|page| page.name.as_str())}),
        "privacy_policy_url" => json!(form.privacy_policy_url),
        "question_page_custom_headline" => json!(form.headline),
        "follow_up_action_url" => json!(form.privacy_policy_url),
        "allow_organic_lead" => json!(true),
        "block_display_for_non_targeted_viewer" | "is_optimized_for_quality" => json!(false),
        "leads_count" => count(&|_| true),
        "organic_leads_count" => count(&|lead| lead.is_organic()),
        "expired_leads_count" => count(&|lead| !lead.is_retained(now)),
        "questions" => form.questions.iter().map(question).collect(),
        "legal_content" => legal_content(form)?,
        "thank_you_page" => {
            json!({"id": format!("{form_id}9"), "title": form.thank_you, "button_type": "VIEW_WEBSITE"})
        }
        "tracking_parameters" => json!([]),
        _ => return None,
    })
}

/// Renders a `LeadGenQuestion`: `{id, key, label, type, options}`.
fn question(question: &Question) -> Value {
    let mut members = Map::new();
    members.insert("id".to_owned(), json!(question.id));
    members.insert("key".to_owned(), json!(question.key));
    members.insert("label".to_owned(), json!(question.label));
    members.insert("type".to_owned(), json!(question.kind));
    if !question.options.is_empty() {
        let options = question.options.iter().map(|option| json!({"key": option.key, "value": option.value}));
        members.insert("options".to_owned(), options.collect());
    }
    Value::Object(members)
}

/// Renders `legal_content`, which contains the consents. They are not among the questions.
fn legal_content(form: &Form) -> Option<Value> {
    if form.consents.is_empty() {
        return None;
    }
    let checkboxes: Vec<Value> = form.consents.iter().map(Consent::checkbox).collect();
    Some(json!({
        "id": format!("{}8", form.id),
        "privacy_policy": {"url": form.privacy_policy_url},
        "custom_disclaimer": {"title": form.headline, "checkboxes": checkboxes},
    }))
}
