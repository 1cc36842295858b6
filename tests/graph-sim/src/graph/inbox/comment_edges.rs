//! `/{post}/comments` and `/{comment}/comments` of pages.

use serde_json::{Value, json};

use super::super::content::params;
use super::super::error::GraphError;
use super::super::node::Node;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use super::{Kind, attachment, comment, rights};
use crate::webhook::outbox::Manner;
use crate::world::inbox::Account;
use crate::world::inbox::comment::{Comment, NewComment};

const COMMENTS: Elements = Elements { node_type: Some("Comment"), defaults: comment::DEFAULTS, max_limit: 100 };
/// Maximum number of characters of a comment.
const MAX_TEXT: usize = 8000;

/// Lists the comments on a post, or the replies to a comment. Without `order` they are ranked: the order changes as
/// replies are added.
pub(super) fn list(
    call: &mut Call<'_>,
    post_id: &str,
    parent_id: Option<&str>,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    params::check_limit(query)?;
    let one_of = |name: &str, values: [&'static str; 2]| match query.param(name) {
        None => Ok(None),
        Some(given) => match values.into_iter().find(|value| *value == given.to_lowercase()) {
            Some(value) => Ok(Some(value)),
            None => Err(GraphError::invalid(format!(
                "(#100) Param {name} must be one of {{{}}} - got \"{given}\".",
                values.join(", ").to_uppercase()
            ))),
        },
    };
    let stream = one_of("filter", ["toplevel", "stream"])? == Some("stream");
    let order = one_of("order", ["chronological", "reverse_chronological"])?;
    let (since, _) = params::period(query);
    let all: Vec<&Comment> = call.world.inbox.comments_on(post_id).collect();
    let below = |comment: &Comment| match (parent_id, &comment.parent_id) {
        (None, _) => true,
        (Some(wanted), parent) => {
            let mut parent = parent.as_deref();
            while let Some(id) = parent.filter(|id| *id != wanted) {
                parent = call.world.inbox.comment(id).and_then(|comment| comment.parent_id.as_deref());
            }
            parent.is_some()
        }
    };
    let mut wanted: Vec<&Comment> = all
        .iter()
        .copied()
        .filter(|it| if stream { below(it) } else { it.parent_id.as_deref() == parent_id })
        .filter(|it| it.created_ms.div_euclid(1000) >= since)
        .collect();
    match order {
        Some("chronological") => wanted.sort_by_key(|it| it.created_ms),
        Some(_) => {
            wanted.reverse();
            wanted.sort_by_key(|it| std::cmp::Reverse(it.created_ms));
        }
        None => {
            let replies = |id: &str| all.iter().filter(|it| it.parent_id.as_deref() == Some(id)).count();
            wanted.reverse();
            wanted.sort_by_key(|it| std::cmp::Reverse(replies(&it.id)));
        }
    }
    let items: Vec<_> =
        wanted.iter().map(|it| (it.id.clone(), Item::Node(Node::Inbox(Kind::Comment, it.id.clone())))).collect();
    let mut answer = paging::page(call, query, items, &COMMENTS)?;
    if let Some(summary) = answer.get_mut("summary").and_then(Value::as_object_mut) {
        summary.insert("order".to_owned(), json!(order.unwrap_or("ranked")));
        summary.insert("can_comment".to_owned(), json!(true));
    }
    Ok(answer)
}

/// `POST /{post}/comments` and `POST /{comment}/comments`: the page comments.
///
/// # Errors
/// Returns 100 without a text or an attachment or for a text that is too long, 324 for a picture that cannot be read.
pub(super) fn create(call: &mut Call<'_>, on: &str) -> Result<Value, GraphError> {
    let parent = call.world.inbox.comment(on).cloned();
    let post_id = parent.as_ref().map_or_else(|| on.to_owned(), |parent| parent.on.clone());
    let page_id = call.world.content.post(&post_id).map(|post| post.page_id.clone());
    let account = Account::Page(page_id.ok_or_else(|| GraphError::not_visible("post", on))?);
    rights::moderate(call, &account, on)?;
    let text = params::text(call.request, "message");
    let Some(added) = attachment::of_comment(call)? else { return Ok(Value::Null) };
    if text.is_none() && added.is_none() {
        return Err(GraphError::invalid("(#100) Missing message or attachment"));
    }
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT) {
        return Err(GraphError::invalid("(#100) Param message is too long"));
    }
    let new = NewComment {
        account,
        on: post_id,
        parent_id: parent.map(|parent| parent.id),
        author: None,
        text,
        attachment: added,
        by_app: Some(call.world.app.id.clone()),
        ad_id: None,
        at_ms: call.world.clock.now_ms(),
    };
    Ok(json!({"id": call.world.add_comment(new, Manner::Normal)}))
}
