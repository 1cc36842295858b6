//! Ad accounts as nodes, and the edges that list them.

use serde_json::{Value, json};

use super::business;
use super::error::GraphError;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::Call;
use super::user;

const AD_ACCOUNTS: Elements =
    Elements { node_type: Some("AdAccount"), defaults: &["account_id", "id"], max_limit: 100 };

/// `/me/adaccounts`: those the caller may work with.
pub(crate) fn of_user(call: &mut Call<'_>, user_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let own = user::own(call, user_id)?;
    require_ads(call)?;
    let ids = call.world.user(&own).map(|user| user.ad_accounts.clone()).unwrap_or_default();
    list(call, query, &ids)
}

/// `owned_ad_accounts` and `client_ad_accounts` of a business, whoever may work with them.
pub(crate) fn of_business(
    call: &mut Call<'_>,
    business_id: &str,
    edge: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    business::check_readable(call, business_id)?;
    let ids = call.world.business(business_id).map(|business| match edge {
        "owned_ad_accounts" => business.owned_ad_accounts.clone(),
        _ => business.client_ad_accounts.clone(),
    });
    list(call, query, &ids.unwrap_or_default())
}

fn list(call: &mut Call<'_>, query: &EdgeQuery, ids: &[String]) -> Result<Value, GraphError> {
    let known = ids.iter().filter_map(|id| call.world.ad_account(id));
    let items = known.map(|account| (account.id.clone(), Item::Node(Node::AdAccount(account.node_id())))).collect();
    paging::page(call, query, items, &AD_ACCOUNTS)
}

/// # Errors
/// 200 without a permission about ads, 100/33 for an account the caller may not work with.
pub(crate) fn check_readable(call: &Call<'_>, node_id: &str) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible("get", node_id);
    let person = call.person()?;
    require_ads(call)?;
    let account = call.world.ad_account(node_id).ok_or_else(hidden)?;
    let assigned = call.world.user(&person).is_some_and(|user| user.ad_accounts.contains(&account.id));
    if assigned { Ok(()) } else { Err(hidden()) }
}

fn require_ads(call: &Call<'_>) -> Result<(), GraphError> {
    if call.has_scope("ads_read") || call.has_scope("ads_management") {
        return Ok(());
    }
    let message = "(#200) Ad account owner has NOT grant ads_management or ads_read permission";
    Err(GraphError::new(403, 200, message))
}

/// The value of a field, if the account has one.
///
/// # Errors
/// 200 for `business` without `business_management`, as for pages. (Unconfirmed for ad accounts.)
pub(crate) fn value(call: &Call<'_>, node_id: &str, field: &str) -> Result<Option<Value>, GraphError> {
    let Some(account) = call.world.ad_account(node_id) else { return Ok(None) };
    let owner = || account.owner.as_deref().and_then(|id| call.world.business(id));
    Ok(match field {
        "account_id" => Some(json!(account.id)),
        "name" => Some(json!(account.name)),
        "account_status" => Some(json!(account.status)),
        "currency" => Some(json!(account.currency)),
        "timezone_name" => Some(json!(account.timezone_name)),
        "business" if !call.has_scope("business_management") => {
            return Err(GraphError::requires_business_management());
        }
        "business" => owner().map(|business| json!({"id": business.id, "name": business.name})),
        "business_name" => owner().map(|business| json!(business.name)),
        "is_personal" => Some(json!(u8::from(account.owner.is_none()))),
        _ => None,
    })
}
