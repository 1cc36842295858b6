//! Instagram accounts as nodes, and their daily quota.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::paging::EdgeQuery;
use super::super::session::Call;
use super::{params, rights};
use crate::world::World;
use crate::world::instagram::{Account, DAY_MS};

/// Returns the value of a field. `None` if the account has no such value.
pub(super) fn value(world: &World, account_id: &str, field: &str) -> Option<Value> {
    let account = world.instagram.accounts.get(account_id)?;
    Some(match field {
        "username" => json!(account.username),
        "name" => json!(account.name),
        "biography" => json!(format!("{} on Instagram", account.name)),
        "followers_count" => json!(860),
        "follows_count" => json!(120),
        "media_count" => json!(world.instagram.media_of(account_id).count()),
        "profile_picture_url" => json!(format!("https://scontent.example/v/t51.2885-15/{account_id}_n.jpg")),
        "website" => json!(format!("https://{}.example/", account.username.replace('.', "-"))),
        "has_profile_pic" | "is_published" => json!(true),
        "shopping_product_tag_eligibility" => json!(false),
        _ => return None,
    })
}

/// `GET /{ig}/content_publishing_limit`. `config` is returned only if it is asked for.
///
/// # Errors
/// Returns 100 if `since` is more than a day ago.
pub(super) fn publishing_limit(call: &mut Call<'_>, account_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    rights::publish_on_instagram(call, account_id, account_id)?;
    let now_ms = call.world.clock.now_ms();
    let (since_s, _) = params::period(query);
    if query.param("since").is_some() && since_s.saturating_mul(1000) < now_ms - DAY_MS {
        return Err(GraphError::invalid("(#100) Param since must be within the last 24 hours"));
    }
    let Some(account) = call.world.instagram.accounts.get(account_id) else { return Ok(json!({"data": []})) };
    let used = account.quota_used(since_s.saturating_mul(1000).max(now_ms - DAY_MS));
    let wanted = |name: &str| query.fields.as_ref().is_some_and(|fields| fields.iter().any(|field| field.name == name));
    if let Some(unknown) =
        query.fields.iter().flatten().find(|field| !matches!(field.name.as_str(), "config" | "quota_usage" | "id"))
    {
        return Err(GraphError::nonexisting_field(&unknown.name, "ContentPublishingLimitResponse"));
    }
    let mut row = json!({});
    if let Some(members) = row.as_object_mut() {
        if query.fields.is_none() || wanted("quota_usage") {
            members.insert("quota_usage".to_owned(), json!(used));
        }
        if wanted("config") {
            members.insert("config".to_owned(), json!({"quota_total": account.quota, "quota_duration": 86_400}));
        }
    }
    Ok(json!({ "data": [row] }))
}

/// Returns whether the account has published as much as it may today.
pub(super) fn is_exhausted(account: &Account, now_ms: i64) -> bool {
    account.quota_used(now_ms - DAY_MS) >= account.quota
}
