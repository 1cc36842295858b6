//! Comments on Instagram media: lists, nodes, replies, hiding.

use serde_json::{Value, json};

use super::super::content::{params, success};
use super::super::error::GraphError;
use super::super::node::Node;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use super::{Kind, rights};
use crate::clock::graph_time;
use crate::webhook::outbox::Manner;
use crate::world::inbox::Account;
use crate::world::inbox::comment::NewComment;

const COMMENTS: Elements =
    Elements { node_type: Some("ShadowIGComment"), defaults: &["timestamp", "text", "id"], max_limit: 50 };
/// Maximum number of characters of a comment.
const MAX_TEXT: usize = 2200;

/// `GET /{media}/comments`: comments at the top, newest first, 50 per page. `since` and `until` have no effect.
pub(super) fn list(call: &mut Call<'_>, media_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let account = call.world.instagram.medium(media_id).map(|medium| medium.account_id.clone());
    rights::read_comments(call, &Account::Instagram(account.unwrap_or_default()), media_id)?;
    let comments = call.world.inbox.comments_on(media_id).filter(|comment| comment.parent_id.is_none());
    let mut found: Vec<(i64, String)> = comments.map(|comment| (comment.created_ms, comment.id.clone())).collect();
    found.reverse();
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    page(call, query, found.into_iter().map(|(_, id)| id))
}

/// `GET /{comment}/replies`: oldest first, 50 per page.
pub(super) fn replies(call: &mut Call<'_>, id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let Some(on) = call.world.inbox.comment(id).map(|comment| comment.on.clone()) else {
        return Ok(json!({"data": []}));
    };
    let replies = call.world.inbox.comments_on(&on).filter(|comment| comment.parent_id.as_deref() == Some(id));
    let found: Vec<String> = replies.map(|comment| comment.id.clone()).collect();
    page(call, query, found.into_iter())
}

fn page(call: &mut Call<'_>, query: &EdgeQuery, ids: impl Iterator<Item = String>) -> Result<Value, GraphError> {
    let mut query = query.clone();
    query.params.entry("limit".to_owned()).or_insert_with(|| "50".to_owned());
    let node = |id: String| Item::Node(Node::Inbox(Kind::InstagramComment, id));
    let items = ids.map(|id| (id.clone(), node(id))).collect();
    paging::page(call, &query, items, &COMMENTS)
}

/// Returns the value of a field. `None` if the comment has no such value.
pub(super) fn value(call: &mut Call<'_>, id: &str, field: &str) -> Option<Value> {
    let comment = call.world.inbox.comment(id)?.clone();
    let Account::Instagram(account_id) = &comment.account else { return None };
    let author = call.world.instagram_actor(account_id, comment.author);
    Some(match field {
        "text" => json!(comment.text.clone().unwrap_or_default()),
        "timestamp" => json!(graph_time(comment.created_ms)),
        "from" => json!({"id": author.get("id"), "username": author.get("username")}),
        "username" => author.get("username").cloned()?,
        "hidden" => json!(comment.hidden),
        "like_count" => json!(0),
        "parent_id" => json!(comment.parent_id?),
        // Only of the account itself.
        "user" if comment.author.is_none() => json!({ "id": account_id }),
        _ => return None,
    })
}

/// `POST /{media}/comments` and `POST /{comment}/replies`.
///
/// # Errors
/// Returns 100 without a text, for a text that is too long, for a reply to a reply or to a hidden comment, and on media
/// without comments. (Codes unconfirmed.)
pub(super) fn create(call: &mut Call<'_>, on: &str) -> Result<Value, GraphError> {
    let parent = call.world.inbox.comment(on).cloned();
    let media_id = parent.as_ref().map_or_else(|| on.to_owned(), |parent| parent.on.clone());
    let medium = call.world.instagram.medium(&media_id).cloned();
    let medium = medium.ok_or_else(|| GraphError::not_visible("post", on))?;
    let account = Account::Instagram(medium.account_id);
    rights::moderate(call, &account, on)?;
    let text = params::text(call.request, "message");
    let text = text.ok_or_else(|| GraphError::invalid("(#100) The parameter message is required"))?;
    if text.chars().count() > MAX_TEXT {
        return Err(GraphError::invalid("(#100) The comment is too long"));
    }
    if parent.as_ref().is_some_and(|parent| parent.parent_id.is_some() || parent.hidden) {
        return Err(GraphError::invalid(format!("(#100) Unsupported post request. Comment {on} cannot be replied to")));
    }
    if !medium.comments_enabled {
        return Err(GraphError::invalid("(#100) Comments are turned off for this media"));
    }
    let new = NewComment {
        account,
        on: media_id,
        parent_id: parent.map(|parent| parent.id),
        author: None,
        text: Some(text),
        attachment: None,
        by_app: Some(call.world.app.id.clone()),
        ad_id: None,
        at_ms: call.world.clock.now_ms(),
    };
    Ok(json!({"id": call.world.add_comment(new, Manner::Normal)}))
}

/// `POST /{comment} hide`: the only change of a comment. The account's own ones stay visible.
///
/// # Errors
/// Returns 100 without `hide`.
pub(super) fn hide(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    let (account, own) = account_of(call, id, "post")?;
    rights::moderate(call, &account, id)?;
    let hide = params::flag(call.request, "hide")?;
    let hide = hide.ok_or_else(|| GraphError::invalid("(#100) The parameter hide is required"))?;
    if !own {
        call.world.hide_comment(id, hide, Manner::Normal);
    }
    Ok(success())
}

/// `DELETE /{comment}`.
pub(super) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    let (account, _) = account_of(call, id, "delete")?;
    rights::moderate(call, &account, id)?;
    call.world.remove_comment(id, Manner::Normal);
    Ok(success())
}

fn account_of(call: &Call<'_>, id: &str, method: &str) -> Result<(Account, bool), GraphError> {
    let comment = call.world.inbox.comment(id).ok_or_else(|| GraphError::not_visible(method, id))?;
    Ok((comment.account.clone(), comment.author.is_none()))
}
