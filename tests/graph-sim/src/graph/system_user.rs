//! System users as nodes, and a business's list of them.

use serde_json::{Value, json};

use super::business;
use super::error::GraphError;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::Call;
use crate::clock::graph_time;
use crate::world::World;

const SYSTEM_USERS: Elements = Elements { node_type: Some("SystemUser"), defaults: &["id", "name"], max_limit: 100 };

/// `/{business}/system_users`.
pub(crate) fn list(call: &mut Call<'_>, business_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    business::check_readable(call, business_id)?;
    let employed = call.world.system_users().filter(|user| user.employer.as_deref() == Some(business_id));
    let items = employed.map(|user| (user.id.clone(), Item::Node(Node::SystemUser(user.id.clone())))).collect();
    paging::page(call, query, items, &SYSTEM_USERS)
}

/// Checks that the caller may read the system user: a system user sees itself, and members of its business see it with
/// `business_management`.
///
/// # Errors
/// Returns 100/33 for any other user.
pub(crate) fn check_readable(call: &Call<'_>, user_id: &str) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible("get", user_id);
    if call.person()? == user_id {
        return Ok(());
    }
    let employer = call.world.user(user_id).and_then(|user| user.employer.clone()).ok_or_else(hidden)?;
    business::check_readable(call, &employer).map_err(|_| hidden())
}

/// Returns the value of a field. `None` if the system user has no such field.
pub(crate) fn value(world: &World, user_id: &str, field: &str) -> Option<Value> {
    let user = world.user(user_id)?;
    match field {
        "name" => Some(json!(user.name)),
        "client_business_id" => user.employer.as_ref().map(|id| json!(id)),
        "created_time" => {
            let business = world.business(user.employer.as_deref()?)?;
            Some(json!(graph_time(business.created_ms)))
        }
        _ => None,
    }
}
