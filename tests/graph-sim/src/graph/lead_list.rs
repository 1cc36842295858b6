//! `/{form}/leads` and `/{ad}/leads`: newest first, filtered by time; empty in development mode.

use serde_json::Value;

use super::ads;
use super::error::GraphError;
use super::form;
use super::lead;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::{Call, Session};
use crate::world::lead::Lead;

const LEADS: Elements = Elements {
    node_type: Some("Lead"),
    defaults: &["id", "created_time", "ad_id", "form_id", "field_data"],
    max_limit: 500,
};

/// Leads of a form, including organic ones and those of all its ads. Test leads have a separate edge.
pub(crate) fn of_form(call: &mut Call<'_>, form_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    form::check_page_token(call, form_id)?;
    leads(call, form_id, query, |_| true)
}

/// Leads of an ad. Requires the page's token, or a user token of a person who can advertise on the page.
pub(crate) fn of_ad(call: &mut Call<'_>, ad_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let Some((form, _)) = call.world.ad(ad_id) else {
        // An ad without a lead form has no leads.
        ads::check_readable(call, ad_id)?;
        call.require_scope("leads_retrieval")?;
        return paging::page(call, query, Vec::new(), &LEADS);
    };
    let (form_id, page_id) = (form.id.clone(), form.page_id.clone());
    if matches!(call.session, Session::User { .. }) {
        call.require_task(&page_id, &["ADVERTISE"]).map_err(|_| GraphError::not_visible("get", ad_id))?;
    } else {
        call.require_page_token(&page_id, ad_id)?;
    }
    leads(call, &form_id, query, |lead| lead.ad_id.as_deref() == Some(ad_id))
}

fn leads(
    call: &mut Call<'_>,
    form_id: &str,
    query: &EdgeQuery,
    wanted: impl Fn(&Lead) -> bool,
) -> Result<Value, GraphError> {
    let page_id = call.world.forms.get(form_id).map(|form| form.page_id.clone()).unwrap_or_default();
    call.require_scope("leads_retrieval")?;
    call.require_task(&page_id, form::LEAD_TASKS)?;
    lead::check_access_manager(call.world, &page_id)?;
    lead::check_capability(query.fields.as_deref())?;
    let conditions = conditions(query.param("filtering"))?;
    let now = call.world.clock.now_ms();
    let mut found: Vec<(i64, &str)> = call
        .world
        .leads_of_form(form_id)
        .filter(|lead| !lead.test && lead.is_readable(now) && call.world.shows_lead(lead) && wanted(lead))
        .filter(|lead| conditions.iter().all(|condition| condition.holds(lead.created_ms.div_euclid(1000))))
        .map(|lead| (lead.created_ms, lead.id.as_str()))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    let items = found.into_iter().map(|(_, id)| (id.to_owned(), Item::Node(Node::Lead(id.to_owned())))).collect();
    paging::page(call, query, items, &LEADS)
}

/// One element of `filtering`.
struct Condition {
    operator: Operator,
    value_s: i64,
}

enum Operator {
    LessThan,
    GreaterThan,
    GreaterThanOrEqual,
}

impl Condition {
    fn holds(&self, created_s: i64) -> bool {
        match self.operator {
            Operator::LessThan => created_s < self.value_s,
            Operator::GreaterThan => created_s > self.value_s,
            Operator::GreaterThanOrEqual => created_s >= self.value_s,
        }
    }
}

/// Parses `[{"field":"time_created","operator":"GREATER_THAN","value":1761945743}]`.
fn conditions(filtering: Option<&str>) -> Result<Vec<Condition>, GraphError> {
    let Some(text) = filtering else { return Ok(Vec::new()) };
    let invalid = |what: &str| GraphError::invalid(format!("(#100) Param filtering {what}"));
    let list: Vec<Value> = serde_json::from_str(text).map_err(|_| invalid("must be a JSON array of objects"))?;
    list.iter()
        .enumerate()
        .map(|(at, element)| {
            if element.get("field").and_then(Value::as_str) != Some("time_created") {
                return Err(invalid(&format!("[{at}][field] must be time_created")));
            }
            let operator = match element.get("operator").and_then(Value::as_str) {
                Some("LESS_THAN") => Operator::LessThan,
                Some("GREATER_THAN") => Operator::GreaterThan,
                Some("GREATER_THAN_OR_EQUAL") => Operator::GreaterThanOrEqual,
                _ => {
                    let known = "{LESS_THAN, GREATER_THAN, GREATER_THAN_OR_EQUAL}";
                    return Err(invalid(&format!("[{at}][operator] must be one of {known}")));
                }
            };
            let value = element.get("value");
            let value_s = value.and_then(Value::as_i64).or_else(|| value.and_then(Value::as_str)?.parse().ok());
            let value_s = value_s.ok_or_else(|| invalid(&format!("[{at}][value] must be seconds since the epoch")))?;
            Ok(Condition { operator, value_s })
        })
        .collect()
}
