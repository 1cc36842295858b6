//! The status and name of campaigns, ad sets and ads, and their deletion.

use serde_json::Value;

use super::site::Site;
use super::{Made, Writes, rules};
use crate::graph::error::GraphError;
use crate::graph::rejection::{Refused, Rule};
use crate::graph::session::Call;
use crate::graph::write_params::Given;
use crate::world::ads::Ads;
use crate::world::ads::ids::Object;
use crate::world::ads::status::Status;
use crate::world::ads::tree::Level;
use crate::world::ads::written::Moment;

/// The values of the parameter `status`.
pub(super) const NAMES: &[&str] = &["ACTIVE", "ARCHIVED", "DELETED", "PAUSED"];

/// Returns the status of a new object. Meta's default is to run it.
///
/// # Errors
/// Returns 100 for a status that only an existing object can have.
pub(super) fn first(given: &Given) -> Result<Status, GraphError> {
    match named(given) {
        None | Some(Status::Active) => Ok(Status::Active),
        Some(Status::Paused) => Ok(Status::Paused),
        Some(Status::Archived | Status::Deleted) => {
            Err(GraphError::invalid("(#100) Param status must be one of {ACTIVE, PAUSED}"))
        }
    }
}

fn named(given: &Given) -> Option<Status> {
    given.get("status").and_then(Value::as_str).and_then(Status::parse)
}

/// Checks a change to an object that may be archived or deleted: then only its name may change, and an archived one may
/// be deleted.
pub(super) fn check_change(site: &Site, object: Object, given: &Given) -> Result<(), Refused> {
    let Object::Of(level, index) = object else { return Ok(()) };
    let mut others = given.iter().filter(|(name, _)| !matches!(name.as_str(), "name" | "execution_options"));
    let rule: &'static Rule = match (site.ads.status(level, index), level) {
        (Status::Active | Status::Paused, _) => return Ok(()),
        (Status::Archived, _) if named(given) == Some(Status::Deleted) => return Ok(()),
        (Status::Archived, _) => &rules::ARCHIVED,
        (Status::Deleted, Level::Campaign) => &rules::CAMPAIGN_DELETED,
        (Status::Deleted, Level::AdSet) => &rules::ADSET_DELETED,
        (Status::Deleted, Level::Ad) => &rules::AD_DELETED,
    };
    match others.next() {
        Some((name, _)) => Err(rule.broken_by(name)),
        None => Ok(()),
    }
}

/// Changes name and status, and the time of the last change.
pub(super) fn apply(ads: &mut Ads, object: Object, given: &Given, at: Moment) {
    if let Some(status) = named(given) {
        ads.turn(object, status, at);
    }
    let change = ads.changes.at_object(object);
    change.updated_ms = Some(at.now_ms);
    if let Some(name) = given.get("name").and_then(Value::as_str) {
        change.name = Some(name.to_owned());
    }
}

/// `DELETE` of an object. It keeps its id and can still be read.
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Writes {
    let site = Site::find(call, id)?;
    site.check_rights(call)?;
    if let Some(object) = site.object(id) {
        call.world.write_ads(&site.account_id, |ads, at| ads.turn(object, Status::Deleted, at));
    }
    Ok(Made::Success)
}
