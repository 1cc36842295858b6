//! Published Instagram media as nodes, and the lists of them.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::node::Node;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use super::{Kind, params, rights, success, unsupported};
use crate::clock::graph_time;
use crate::world::World;
use crate::world::instagram::DAY_MS;
use crate::world::instagram::medium::Medium;

const MEDIA: Elements = Elements { node_type: Some("ShadowIGMedia"), defaults: &["id"], max_limit: 100 };

/// `GET /{ig}/media` (without stories) and `GET /{ig}/stories` (of the last day), newest first.
pub(super) fn list(call: &mut Call<'_>, account_id: &str, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let now = call.world.clock.now_ms();
    let (since, until) = params::period(query);
    let stories = edge == "stories";
    let mut media: Vec<&Medium> = call
        .world
        .instagram
        .media_of(account_id)
        .rev()
        .filter(|medium| medium.kind.is_story() == stories)
        .filter(|medium| !stories || medium.created_ms + DAY_MS > now)
        .filter(|medium| (since..=until).contains(&medium.created_ms.div_euclid(1000)))
        .collect();
    media.sort_by_key(|medium| std::cmp::Reverse(medium.created_ms));
    let items = media.into_iter().map(|medium| item(&medium.id)).collect();
    paging::page(call, query, items, &MEDIA)
}

/// `GET /{media}/children`: the parts of a carousel, in order.
pub(super) fn children(call: &mut Call<'_>, id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let children = call.world.instagram.medium(id).map(|medium| medium.children.clone()).unwrap_or_default();
    let items = children.iter().map(|id| item(id)).collect();
    paging::page(call, query, items, &MEDIA)
}

fn item(id: &str) -> (String, Item) {
    (id.to_owned(), Item::Node(Node::Content(Kind::Medium, id.to_owned())))
}

/// Checks that the caller may read the medium.
///
/// # Errors
/// As for its account; 100/33 for the first reads, if that is configured.
pub(super) fn check_readable(call: &mut Call<'_>, id: &str) -> Result<(), GraphError> {
    let account_id = account_of(call, id);
    rights::read_instagram(call, &account_id, id)?;
    let Some(medium) = call.world.instagram.medium_mut(id) else { return Ok(()) };
    if medium.missing_reads > 0 {
        medium.missing_reads -= 1;
        return Err(unsupported(call.request, id));
    }
    Ok(())
}

fn account_of(call: &Call<'_>, id: &str) -> String {
    call.world.instagram.medium(id).map(|medium| medium.account_id.clone()).unwrap_or_default()
}

/// Returns the value of a field. `None` if the medium has no such value.
pub(super) fn value(world: &World, medium_id: &str, field: &str) -> Option<Value> {
    let medium = world.instagram.medium(medium_id)?;
    let account = world.instagram.accounts.get(&medium.account_id)?;
    Some(match field {
        "caption" => json!(medium.caption.as_deref()?),
        "alt_text" => json!(medium.alt_text.as_deref()?),
        "media_type" => json!(medium.kind.media_type()),
        "media_product_type" => json!(medium.product_type()),
        "permalink" => json!(medium.permalink(&account.username)),
        "shortcode" => json!(medium.shortcode()),
        "timestamp" => json!(graph_time(medium.created_ms)),
        "username" => json!(account.username),
        "media_url" => {
            let extension = if medium.kind.is_video() { "mp4" } else { "jpg" };
            json!(format!("https://scontent.example/v/{medium_id}.{extension}"))
        }
        "thumbnail_url" if medium.kind.is_video() => {
            json!(format!("https://scontent.example/v/{medium_id}_t.jpg"))
        }
        "comments_count" => json!(world.inbox.comments_on(medium_id).count()),
        "like_count" => json!(0),
        "is_comment_enabled" => json!(medium.comments_enabled),
        "is_shared_to_feed" => json!(!medium.kind.is_story()),
        _ => return None,
    })
}

/// `POST /{media} comment_enabled`: the only change of a medium.
///
/// # Errors
/// Returns 100 for any other change.
pub(super) fn update(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    let account_id = account_of(call, id);
    rights::instagram_scope(call, &account_id, id, "instagram_manage_comments")?;
    let enabled = params::flag(call.request, "comment_enabled")?;
    let enabled = enabled.ok_or_else(|| GraphError::invalid("(#100) The parameter comment_enabled is required"))?;
    if let Some(medium) = call.world.instagram.medium_mut(id) {
        medium.comments_enabled = enabled;
    }
    Ok(success())
}

/// `DELETE /{media}`: needs a permission of its own.
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    let account_id = account_of(call, id);
    rights::instagram_scope(call, &account_id, id, "instagram_manage_contents")?;
    call.world.delete_medium(id);
    Ok(success())
}
