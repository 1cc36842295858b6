//! Business portfolios: the nodes and their page edges. There is no combined edge; clients call both.

use serde_json::{Value, json};

use super::error::GraphError;
use super::node::Node;
use super::paging::{self, EdgeQuery, Item};
use super::session::Call;
use super::user::PAGES;
use crate::clock::graph_time;
use crate::world::World;

/// Checks that the person may read the portfolio.
///
/// # Errors
/// Returns 200 without `business_management`, 100/33 for a portfolio the person is not a member of.
pub(crate) fn check_readable(call: &Call<'_>, business_id: &str) -> Result<(), GraphError> {
    let person = call.person()?;
    require_management(call)?;
    let member = call.world.user(&person).is_some_and(|user| user.business_ids.iter().any(|id| id == business_id));
    if member { Ok(()) } else { Err(GraphError::not_visible("get", business_id)) }
}

/// Requires the `business_management` permission.
///
/// # Errors
/// Returns 200 without it.
pub(crate) fn require_management(call: &Call<'_>) -> Result<(), GraphError> {
    if call.has_scope("business_management") { Ok(()) } else { Err(GraphError::requires_business_management()) }
}

/// Returns the value of a field. `None` if the portfolio has no such field.
pub(crate) fn value(world: &World, business_id: &str, field: &str) -> Option<Value> {
    let business = world.business(business_id)?;
    match field {
        "name" => Some(json!(business.name)),
        "created_time" => Some(json!(graph_time(business.created_ms))),
        "verification_status" => Some(json!("verified")),
        "link" => Some(json!(format!("https://business.facebook.com/settings?business_id={business_id}"))),
        "timezone_id" => Some(json!(1)),
        "primary_page" => {
            let page = business.owned_pages.first().and_then(|id| world.pages.get(id))?;
            Some(json!({"id": page.id, "name": page.name}))
        }
        _ => None,
    }
}

/// `owned_pages` and `client_pages`. Lists pages regardless of the person's page consent, because the portfolio is what
/// is read. `access_token` is present only for pages with consent and a role.
pub(crate) fn pages(
    call: &mut Call<'_>,
    business_id: &str,
    edge: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    check_readable(call, business_id)?;
    let ids = call.world.business(business_id).map(|business| match edge {
        "owned_pages" => business.owned_pages.clone(),
        _ => business.client_pages.clone(),
    });
    let items = ids.unwrap_or_default().into_iter().map(|id| (id.clone(), Item::Node(Node::Page(id)))).collect();
    paging::page(call, query, items, &PAGES)
}
