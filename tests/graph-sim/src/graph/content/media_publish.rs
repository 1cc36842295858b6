//! `POST /{ig}/media_publish`.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::session::Call;
use super::container::{not_ready, quota_reached};
use super::{Kind, created, instagram, params, rights};
use crate::world::instagram::container::StatusCode;

/// Publishes a finished container. No container is ever published twice.
///
/// # Errors
/// Returns 24/2207008 for an unknown container, -2/2207020 for an expired one, 9007/2207027 for one in progress,
/// -1/2207032 for a failed one, 9/2207042 above the daily quota, and a configured error for a published one.
pub(super) fn publish(call: &mut Call<'_>, account_id: &str) -> Result<Value, GraphError> {
    rights::publish_on_instagram(call, account_id, account_id)?;
    let id = params::text(call.request, "creation_id")
        .ok_or_else(|| GraphError::invalid("(#100) The parameter creation_id is required."))?;
    let container = call.world.instagram.container(&id).filter(|container| container.account_id == account_id);
    let Some(container) = container else { return Err(GraphError::injected(24, Some(2_207_008), None, None)) };
    match call.world.container_status(container).0 {
        StatusCode::InProgress => return Err(not_ready()),
        StatusCode::Finished => {}
        StatusCode::Error => return Err(GraphError::injected(-1, Some(2_207_032), None, None)),
        StatusCode::Expired => return Err(GraphError::injected(-2, Some(2_207_020), None, None)),
        StatusCode::Published => {
            let (status, code, subcode) = call.world.content.settings.republish;
            return Err(GraphError::injected(code, subcode, Some(status), None));
        }
    }
    if container.is_item {
        return Err(GraphError::invalid("(#100) A carousel item cannot be published alone"));
    }
    let now = call.world.clock.now_ms();
    let account = call.world.instagram.accounts.get(account_id);
    if account.is_some_and(|account| instagram::is_exhausted(account, now)) {
        return Err(quota_reached());
    }
    let application = params::this_app(call);
    let medium = call.world.publish_container(&id, &application);
    let medium = medium.ok_or_else(|| GraphError::injected(24, Some(2_207_008), None, None))?;
    Ok(created(call, Kind::Medium, &medium, json!({ "id": medium })))
}
