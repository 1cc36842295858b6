//! Labels: an account's own words for its objects.

use serde_json::Value;

use super::creative_rules as rules;
use super::site::{self, Site};
use super::{Made, OPTIONS, Writes, is_dry};
use crate::graph::error::GraphError;
use crate::graph::rejection::Refused;
use crate::graph::session::Call;
use crate::graph::write_params::{self, Given, Kind};
use crate::world::ads::written::Label;

const FIELDS: &[(&str, Kind)] = &[("name", Kind::Text), OPTIONS];

/// A label that an object is to have.
pub(super) enum Wanted {
    Known(String),
    /// A name, which may be new.
    Named(String),
}

/// Creates a label. A name that exists gives the existing label. (Unconfirmed.)
pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let given = site.read(call, FIELDS)?;
    write_params::require(&given, &["name"])?;
    site.check_rights(call)?;
    let name = given.get("name").map(site::text).unwrap_or_default();
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let id = resolve(call, &site, vec![Wanted::Named(name)]).pop();
    Ok(id.map_or(Made::Success, Made::Id))
}

pub(super) fn rename(call: &mut Call<'_>, id: &str) -> Writes {
    let site = find(call, id)?;
    let given = site.read(call, FIELDS)?;
    write_params::require(&given, &["name"])?;
    site.check_rights(call)?;
    call.world.write_ads(&site.account_id, |ads, at| {
        if let Some(label) = ads.written.labels.iter_mut().find(|label| label.id == id) {
            label.name = given.get("name").map(site::text).unwrap_or_default();
            label.updated_ms = at.now_ms;
        }
    });
    Ok(Made::Success)
}

/// Deletes a label. Objects that had it lose it.
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Writes {
    let site = find(call, id)?;
    site.check_rights(call)?;
    call.world.write_ads(&site.account_id, |ads, _| ads.written.labels.retain(|label| label.id != id));
    Ok(Made::Success)
}

/// `POST /{object}/adlabels`: adds labels to those an object has.
pub(super) fn attach(call: &mut Call<'_>, id: &str) -> Writes {
    let site = Site::find(call, id)?;
    let given = site.read(call, &[("adlabels", Kind::List), OPTIONS])?;
    write_params::require(&given, &["adlabels"])?;
    site.check_rights(call)?;
    let labels = read(&site, &given)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let labels = resolve(call, &site, labels);
    if let Some(object) = site.object(id) {
        call.world.write_ads(&site.account_id, |ads, at| {
            let change = ads.changes.at_object(object);
            change.updated_ms = Some(at.now_ms);
            let new: Vec<String> = labels.into_iter().filter(|label| !change.labels.contains(label)).collect();
            change.labels.extend(new);
        });
    }
    Ok(Made::Success)
}

fn find(call: &Call<'_>, id: &str) -> Result<Site, GraphError> {
    let account = call.world.ad_accounts.iter().find(|account| account.ads.written.label(id).is_some());
    let account = account.ok_or_else(|| GraphError::not_visible(&call.request.method, id))?;
    Site::find(call, &account.id)
}

/// Returns the labels among the parameters: `[{"id"} | {"name"}, …]`.
///
/// # Errors
/// Rejects an id that the account does not have.
pub(super) fn read(site: &Site, given: &Given) -> Result<Vec<Wanted>, Refused> {
    let list = given.get("adlabels").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let wanted = |element: &Value| match (site::text_at(element, "id"), site::text_at(element, "name")) {
        (Some(id), _) if site.ads.written.label(&id).is_some() => Ok(Wanted::Known(id)),
        (Some(id), _) => Err(rules::LABEL_UNKNOWN.broken(&["adlabels"], &id)),
        (None, Some(name)) => Ok(Wanted::Named(name)),
        (None, None) => {
            Err(GraphError::invalid("(#100) Param adlabels must be an array of objects with id or name").into())
        }
    };
    list.iter().map(wanted).collect()
}

/// Returns the ids of labels. New names become labels.
pub(super) fn resolve(call: &mut Call<'_>, site: &Site, wanted: Vec<Wanted>) -> Vec<String> {
    let mut ids = Vec::new();
    for label in wanted {
        let name = match label {
            Wanted::Known(id) => {
                ids.push(id);
                continue;
            }
            Wanted::Named(name) => name,
        };
        let new_id = call.world.ids.written_ad();
        let id = call.world.write_ads(&site.account_id, |ads, at| {
            let known = ads.written.labels.iter().find(|known| known.name == name).map(|known| known.id.clone());
            known.unwrap_or_else(|| {
                let label = Label { id: new_id.clone(), name, created_ms: at.now_ms, updated_ms: at.now_ms };
                ads.written.labels.push(label);
                new_id
            })
        });
        ids.extend(id);
    }
    ids
}
