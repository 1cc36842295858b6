//! People as nodes, and their edges `accounts`, `businesses` and `business_users`.

use serde_json::{Value, json};

use super::business;
use super::error::GraphError;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::Call;
use crate::world::person::RoleSlot;

/// Elements of edges that list pages.
pub(crate) const PAGES: Elements = Elements {
    node_type: Some("Page"),
    defaults: &["access_token", "category", "name", "id", "tasks"],
    max_limit: 100,
};
const BUSINESSES: Elements = Elements { node_type: Some("Business"), defaults: &["id", "name"], max_limit: 100 };

/// Returns the value of a field. `None` if the person has no such field or the app may not see it.
pub(crate) fn value(call: &Call<'_>, user_id: &str, field: &str) -> Option<Value> {
    let user = call.world.user(user_id)?;
    match field {
        "name" => Some(json!(user.name)),
        "first_name" | "short_name" => user.name.split(' ').next().map(|first| json!(first)),
        "last_name" => user.name.rsplit(' ').next().map(|last| json!(last)),
        "email" => call.has_scope("email").then(|| json!(user.email)),
        _ => None,
    }
}

/// `/me/accounts`: the person's pages that the app may see.
///
/// Empty without `pages_show_list`. A page reached through a business portfolio is missing without
/// `business_management`, except for a system user, to whom it is assigned. A page whose role gives no token is listed
/// without `access_token`.
pub(crate) fn accounts(call: &mut Call<'_>, user_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let person = own(call, user_id)?;
    let shows_pages = call.has_scope("pages_show_list");
    let sees_portfolio = call.has_scope("business_management") || call.is_of_system_user();
    let world = &*call.world;
    let grant = call.grant();
    let slots = world.user(&person).map(|user| user.roles.as_slice()).unwrap_or_default();
    let items: Vec<(String, Item)> = slots
        .iter()
        .enumerate()
        .filter(|_| shows_pages)
        .map(|(index, slot)| match slot {
            RoleSlot::Withheld => (format!("withheld-{index}"), Item::Withheld),
            RoleSlot::Role(role) => {
                let through_portfolio = world.pages.get(&role.page_id).is_some_and(|page| page.portfolio.is_some());
                let visible = !role.lost
                    && grant.is_some_and(|grant| grant.covers_page(&role.page_id))
                    && (sees_portfolio || !through_portfolio);
                let item = if visible { Item::Node(Node::Page(role.page_id.clone())) } else { Item::Withheld };
                (role.page_id.clone(), item)
            }
        })
        .collect();
    paging::page(call, query, items, &PAGES)
}

/// `/me/businesses`.
pub(crate) fn businesses(call: &mut Call<'_>, user_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let person = own(call, user_id)?;
    business::require_management(call)?;
    let ids = call.world.user(&person).map(|user| user.business_ids.clone()).unwrap_or_default();
    let items = ids.into_iter().map(|id| (id.clone(), Item::Node(Node::Business(id)))).collect();
    paging::page(call, query, items, &BUSINESSES)
}

/// `/me/business_users`: the person once per business, nothing for a system user. (At Meta the person has a separate id
/// in each business.)
pub(crate) fn business_users(call: &mut Call<'_>, user_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let person = own(call, user_id)?;
    business::require_management(call)?;
    let user = call.world.user(&person).filter(|user| !user.is_system());
    let items = user.into_iter().flat_map(|user| {
        let businesses = user.business_ids.iter().filter_map(|id| call.world.business(id));
        businesses.map(|business| {
            let business = json!({"id": business.id, "name": business.name});
            Item::Value(json!({"id": user.id, "name": user.name, "business": business}))
        })
    });
    let items = items.enumerate().map(|(at, item)| (at.to_string(), item)).collect();
    paging::page(call, query, items, &Elements { node_type: None, defaults: &[], max_limit: 100 })
}

/// Requires the person's own user token.
pub(crate) fn own(call: &Call<'_>, user_id: &str) -> Result<String, GraphError> {
    let person = call.person()?;
    if person == user_id { Ok(person) } else { Err(GraphError::not_visible("get", user_id)) }
}
