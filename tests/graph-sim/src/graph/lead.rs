//! Leads as nodes.

use serde_json::{Value, json};

use super::error::GraphError;
use super::fields::Field;
use super::session::Call;
use crate::clock::graph_time;
use crate::world::World;
use crate::world::form::Ad;
use crate::world::lead::Lead;

/// Checks that the caller may read the lead and the wanted fields.
///
/// # Errors
/// Returns
/// - 190/2069032 for a user token,
/// - 200 without `leads_retrieval`, without a leads task on the page, or without Leads Access Manager access,
/// - 100/33 for another page's token, for a lead outside the time in which it is readable, and in development mode for
///   all but test leads,
/// - 3 for a field that ordinary apps may not read.
pub(crate) fn check_readable(call: &Call<'_>, lead_id: &str, wanted: Option<&[Field]>) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible("get", lead_id);
    let lead = call.world.lead(lead_id).ok_or_else(hidden)?;
    call.require_page_token(&lead.page_id, lead_id)?;
    call.require_scope("leads_retrieval")?;
    call.require_task(&lead.page_id, super::form::LEAD_TASKS)?;
    if !lead.is_readable(call.world.clock.now_ms()) || !call.world.shows_lead(lead) {
        return Err(hidden());
    }
    check_access_manager(call.world, &lead.page_id)?;
    check_capability(wanted)
}

/// Checks the page's Leads Access Manager.
///
/// # Errors
/// Returns 200 once an admin has removed the app there. (The wording is that of Meta's tool; the code is unconfirmed.)
pub(crate) fn check_access_manager(world: &World, page_id: &str) -> Result<(), GraphError> {
    if world.pages.get(page_id).is_some_and(|page| page.lead_access_revoked) {
        return Err(GraphError::new(403, 200, "(#200) CRM access has been revoked from Lead Access Manager"));
    }
    Ok(())
}

/// Checks for fields that need a special capability.
///
/// # Errors
/// Returns 3, for the whole call, if `post_submission_check_result` is among the fields.
pub(crate) fn check_capability(wanted: Option<&[Field]>) -> Result<(), GraphError> {
    let asks = |field: &Field| field.name == "post_submission_check_result";
    if wanted.is_some_and(|fields| fields.iter().any(asks)) {
        return Err(GraphError::new(400, 3, "(#3) Application does not have the capability to make this API call."));
    }
    Ok(())
}

/// Returns the value of a field. `None` if the lead has no such field or the caller may not see it. Ad fields are
/// absent for organic leads and for callers without an ads permission.
///
/// # Errors
/// Returns 3, see [`check_capability`].
pub(crate) fn value(call: &Call<'_>, lead_id: &str, field: &str) -> Result<Option<Value>, GraphError> {
    let Some(lead) = call.world.lead(lead_id) else { return Ok(None) };
    let sees_ads = call.has_scope("ads_management") || call.has_scope("ads_read");
    let ad = if sees_ads { ad_of(call.world, lead) } else { None };
    Ok(match field {
        "created_time" => Some(json!(graph_time(lead.created_ms))),
        "form_id" => Some(json!(lead.form_id)),
        "platform" => Some(json!(lead.platform)),
        "partner_name" => lead.partner_name.as_ref().map(|name| json!(name)),
        "is_organic" => Some(json!(lead.is_organic())),
        "field_data" => Some(field_data(lead)),
        "custom_disclaimer_responses" => consents(lead),
        "ad_id" => ad.map(|ad| json!(ad.id)),
        "ad_name" => ad.map(|ad| json!(ad.name)),
        "adset_id" => ad.map(|ad| json!(ad.adset_id)),
        "adset_name" => ad.map(|ad| json!(ad.adset_name)),
        "campaign_id" => ad.map(|ad| json!(ad.campaign_id)),
        "campaign_name" => ad.map(|ad| json!(ad.campaign_name)),
        "post_submission_check_result" => return check_capability(Some(&[Field::plain(field)])).map(|()| None),
        _ => None,
    })
}

fn ad_of<'w>(world: &'w World, lead: &Lead) -> Option<&'w Ad> {
    world.forms.get(&lead.form_id)?.ad(lead.ad_id.as_deref()?)
}

/// Renders `[{"name", "values"}]`.
pub(crate) fn field_data(lead: &Lead) -> Value {
    lead.answers.iter().map(|answer| json!({"name": answer.name, "values": answer.values})).collect()
}

/// Renders the consents. `is_checked` is the string `1` or empty.
fn consents(lead: &Lead) -> Option<Value> {
    if lead.consents.is_empty() {
        return None;
    }
    let ticked = |checked| if checked { "1" } else { "" };
    Some(
        lead.consents
            .iter()
            .map(|consent| json!({"checkbox_key": consent.key, "is_checked": ticked(consent.checked)}))
            .collect(),
    )
}

/// `DELETE /{lead}`: deletes a test lead. Other leads cannot be deleted: they belong to the person who submitted them.
/// (The error is unconfirmed.)
pub(crate) fn delete(call: &mut Call<'_>, lead_id: &str) -> Result<Value, GraphError> {
    let hidden = || GraphError::not_visible("delete", lead_id);
    let lead = call.world.lead(lead_id).ok_or_else(hidden)?;
    let test = lead.test;
    call.require_page_token(&lead.page_id, lead_id)?;
    call.require_scope("leads_retrieval")?;
    if !test {
        return Err(GraphError::new(403, 200, "(#200) Only the owner of a lead can delete it"));
    }
    call.world.remove_lead(lead_id);
    Ok(json!({"success": true}))
}
