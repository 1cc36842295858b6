//! Ad accounts as nodes, and the edges that list them.

use serde_json::{Value, json};

use super::business;
use super::error::GraphError;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::Call;
use super::user;
use crate::clock::graph_time;
use crate::world::ad_account::AdAccount;

const AD_ACCOUNTS: Elements =
    Elements { node_type: Some("AdAccount"), defaults: &["account_id", "id"], max_limit: 100 };

/// The tasks of an assigned user, unless they may only analyse.
const TASKS: &[&str] = &["DRAFT", "ANALYZE", "ADVERTISE", "MANAGE"];

fn tasks(account: &AdAccount, user_id: &str) -> &'static [&'static str] {
    if account.analysts.contains(user_id) { &["ANALYZE"] } else { TASKS }
}

/// Meta's numbers of time zones, as far as they are confirmed. Other zones are reported as 0.
const ZONES: &[(&str, u32)] = &[
    ("America/Los_Angeles", 1),
    ("America/Denver", 2),
    ("Pacific/Honolulu", 3),
    ("America/Anchorage", 4),
    ("America/Phoenix", 5),
    ("America/Chicago", 6),
    ("America/New_York", 7),
    ("Europe/Berlin", 47),
    ("Europe/London", 58),
    ("Asia/Tokyo", 79),
];

/// `/me/adaccounts`: the accounts assigned to the caller.
pub(crate) fn of_user(call: &mut Call<'_>, user_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let own = user::own(call, user_id)?;
    require_ads(call)?;
    let ids = call.world.user(&own).map(|user| user.ad_accounts.clone()).unwrap_or_default();
    list(call, query, &ids)
}

/// `owned_ad_accounts` and `client_ad_accounts` of a business, regardless of who is assigned to them.
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

/// `/act_X/minimum_budgets`, in smallest currency units.
pub(crate) fn minimum_budgets(call: &mut Call<'_>, node_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    check_readable(call, node_id)?;
    let Some(account) = call.world.ad_account(node_id) else { return Err(GraphError::not_visible("get", node_id)) };
    let (currency, least) = (account.currency(), least_budget(account));
    let row = json!({
        "currency": currency, "min_daily_budget_imp": least, "min_daily_budget_low_freq": 40 * least,
        "min_daily_budget_high_freq": 5 * least, "min_daily_budget_video_views": least,
    });
    let elements = Elements { node_type: None, defaults: &[], max_limit: 100 };
    paging::page(call, query, vec![(currency.to_owned(), Item::Value(row))], &elements)
}

/// `/act_X/assigned_users`: the assigned users and their tasks.
pub(crate) fn assigned_users(call: &mut Call<'_>, node_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    check_readable(call, node_id)?;
    let Some(account) = call.world.ad_account(node_id) else { return Err(GraphError::not_visible("get", node_id)) };
    let assigned = call.world.users.iter().filter(|user| user.ad_accounts.contains(&account.id));
    let items = assigned.map(|user| {
        let row = json!({"id": user.id, "name": user.name, "tasks": tasks(account, &user.id)});
        (user.id.clone(), Item::Value(row))
    });
    let items = items.collect();
    paging::page(call, query, items, &Elements { node_type: None, defaults: &[], max_limit: 100 })
}

/// Checks that the caller may read the account.
///
/// # Errors
/// Returns 200 without an ads permission, 100/33 for an account not assigned to the caller.
pub(crate) fn check_readable(call: &Call<'_>, node_id: &str) -> Result<(), GraphError> {
    check_member(call, node_id, node_id)
}

/// Like [`check_readable`], for an object in the account. An error names the object as `visible_as`.
pub(crate) fn check_member(call: &Call<'_>, account_id: &str, visible_as: &str) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible("get", visible_as);
    let person = call.person()?;
    require_ads(call)?;
    let account = call.world.ad_account(account_id).ok_or_else(hidden)?;
    let assigned = call.world.user(&person).is_some_and(|user| user.ad_accounts.contains(&account.id));
    if assigned { Ok(()) } else { Err(hidden()) }
}

pub(super) fn require_ads(call: &Call<'_>) -> Result<(), GraphError> {
    let has = call.has_scope("ads_read") || call.has_scope("ads_management");
    if has { Ok(()) } else { Err(GraphError::requires_ads()) }
}

fn least_budget(account: &AdAccount) -> i64 {
    account.ads.currency.least_daily_budget()
}

/// Returns the value of a field. `None` if the account has no such field. Money is a string in smallest units.
///
/// # Errors
/// Returns 200 for `business` without `business_management`, as for pages. (Unconfirmed for ad accounts.)
pub(crate) fn value(call: &Call<'_>, node_id: &str, field: &str) -> Result<Option<Value>, GraphError> {
    let Some(account) = call.world.ad_account(node_id) else { return Ok(None) };
    let owner = || account.owner.as_deref().and_then(|id| call.world.business(id));
    let created = account.ads.opened_ms();
    let now = call.world.clock.now_ms();
    Ok(Some(match field {
        "account_id" => json!(account.id),
        "name" => json!(account.name),
        "account_status" => json!(account.status),
        "disable_reason" => json!(account.disable_reason),
        "currency" => json!(account.currency()),
        "timezone_name" => json!(account.timezone_name),
        "timezone_id" => json!(ZONES.iter().find(|(name, _)| *name == account.timezone_name).map_or(0, |(_, id)| *id)),
        "timezone_offset_hours_utc" => json!(account.ads.calendar.offset_hours(now)),
        "amount_spent" => json!(account.ads.amount_spent(&call.world.clock).to_string()),
        "balance" => json!((account.ads.seed % 100_000).to_string()),
        "spend_cap" => json!(account.spend_cap.to_string()),
        "default_dsa_beneficiary" | "default_dsa_payor" => {
            let [beneficiary, payor] = &account.dsa_defaults;
            match if field == "default_dsa_payor" { payor } else { beneficiary } {
                Some(name) => json!(name),
                None => return Ok(None),
            }
        }
        "min_campaign_group_spend_cap" => json!((100 * least_budget(account)).to_string()),
        "min_daily_budget" => json!(least_budget(account)),
        "business" if !call.has_scope("business_management") => {
            return Err(GraphError::requires_business_management());
        }
        "business" => match owner() {
            Some(business) => json!({"id": business.id, "name": business.name}),
            None => return Ok(None),
        },
        "business_name" => match owner() {
            Some(business) => json!(business.name),
            None => return Ok(None),
        },
        "owner" => json!(account.owner.clone().unwrap_or_else(|| account.id.clone())),
        "funding_source" => json!((6_000_000_000_000_000 + account.ads.seed % 1_000_000_000).to_string()),
        "created_time" => json!(graph_time(created)),
        // In days, with a fraction.
        "age" => json!(seconds_between(created, now) / 86_400.0),
        "user_tasks" => json!(tasks(account, call.user_id().unwrap_or_default())),
        "capabilities" => json!(["CAN_CREATE_CALL_ADS", "CAN_USE_REACH_AND_FREQUENCY"]),
        "is_personal" => json!(u8::from(account.owner.is_none())),
        "is_prepay_account" | "is_direct_deals_enabled" => json!(false),
        "tax_id_status" | "fb_entity" => json!(0),
        _ => return Ok(None),
    }))
}

fn seconds_between(from_ms: i64, to_ms: i64) -> f64 {
    // An account is a few years old, so the seconds fit into an `i32`, which converts exactly.
    i32::try_from((to_ms - from_ms) / 1000).map(f64::from).unwrap_or_default()
}
