//! `/me/permissions`: lists a person's permissions and revokes them.

use serde_json::{Value, json};

use super::error::GraphError;
use super::session::{Call, Session};
use crate::world::scope;
use crate::world::token::Permission;

/// Lists every permission the person was ever asked for, with its status.
pub(crate) fn list(call: &mut Call<'_>, user_id: &str) -> Result<Value, GraphError> {
    check_owner(call, user_id)?;
    let grant = match call.session {
        Session::App => call.world.grants.get(user_id),
        Session::User { .. } | Session::Page { .. } => call.grant(),
    };
    let permissions: Vec<Value> = grant
        .into_iter()
        .flat_map(|grant| &grant.permissions)
        .map(|(name, permission)| {
            let status = match permission {
                Permission::Granted => "granted",
                Permission::Declined => "declined",
            };
            json!({"permission": name, "status": status})
        })
        .collect();
    Ok(json!({ "data": permissions }))
}

/// `DELETE /{user}/permissions[/name]`, also `?permission=name`. Without a name the app is removed completely.
pub(crate) fn delete(call: &mut Call<'_>, user_id: &str, name: Option<&str>) -> Result<Value, GraphError> {
    check_owner(call, user_id)?;
    match name.or_else(|| call.request.param("permission")) {
        None => call.world.remove_app(user_id),
        Some(name) if scope::is_known(name) => call.world.withdraw_scopes(user_id, &[name.to_owned()]),
        Some(name) => {
            return Err(GraphError::invalid(format!("(#100) Param permission: {name} is not a permission")));
        }
    }
    Ok(json!({"success": true}))
}

/// Requires the person's own token or the app's token.
fn check_owner(call: &Call<'_>, user_id: &str) -> Result<(), GraphError> {
    match &call.session {
        Session::App => Ok(()),
        Session::User { user_id: own, .. } if own == user_id => Ok(()),
        Session::User { .. } | Session::Page { .. } => Err(GraphError::not_visible(&call.request.method, user_id)),
    }
}
