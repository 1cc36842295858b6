//! Mentions of an Instagram account in media of others.

use serde_json::{Value, json};

use super::super::content::params;
use super::super::error::GraphError;
use super::super::fields::Field;
use super::super::node;
use super::super::session::Call;
use super::rights;
use crate::clock::graph_time;
use crate::world::inbox::Account;
use crate::world::inbox::mention::Mention;

/// Reads `mentioned_comment.comment_id(ID){…}` or `mentioned_media.media_id(ID){…}`.
///
/// # Errors
/// Returns 100 without the id or for an id that mentions another account, 10 without a permission.
pub(super) fn value(call: &mut Call<'_>, account_id: &str, field: &Field) -> Result<Value, GraphError> {
    rights::read_comments(call, &Account::Instagram(account_id.to_owned()), account_id)?;
    let in_comment = field.name == "mentioned_comment";
    let key = if in_comment { "comment_id" } else { "media_id" };
    let id = field.argument(key).unwrap_or_default();
    let mention =
        find(call, account_id, |it| if in_comment { it.comment_id.as_deref() == Some(id) } else { it.media_id == id })?;
    let username = call.world.inbox.visitors.get(mention.visitor).map(|visitor| visitor.username.clone());
    let permalink = format!("https://www.instagram.com/p/M{}/", mention.media_id);
    let value = if in_comment {
        json!({"id": id, "text": mention.text, "timestamp": graph_time(mention.created_ms), "like_count": 0,
               "username": username,
               "media": {"id": mention.media_id, "permalink": permalink, "media_type": "IMAGE"}})
    } else {
        let caption = if mention.comment_id.is_none() { mention.text } else { String::new() };
        json!({"id": id, "caption": caption, "media_type": "IMAGE", "permalink": permalink, "username": username,
               "timestamp": graph_time(mention.created_ms),
               "media_url": format!("https://scontent.example/v/{id}.jpg"), "comments_count": 0, "like_count": 0})
    };
    Ok(match &field.inner {
        Some(inner) => node::only(value, Some(inner)),
        None => json!({ "id": id }),
    })
}

fn find(call: &Call<'_>, account_id: &str, wanted: impl Fn(&Mention) -> bool) -> Result<Mention, GraphError> {
    let mut mentions = call.world.inbox.mentions.iter().filter(|it| it.account_id == account_id);
    let mention = mentions.find(|it| wanted(it)).cloned();
    mention.ok_or_else(|| GraphError::invalid("(#100) Invalid parameter"))
}

/// `POST /{ig}/mentions media_id[, comment_id], message`: answers a mention.
///
/// # Errors
/// Returns 100 without a text or for ids that do not mention the account.
pub(super) fn reply(call: &mut Call<'_>, account_id: &str) -> Result<Value, GraphError> {
    rights::moderate(call, &Account::Instagram(account_id.to_owned()), account_id)?;
    let text = params::text(call.request, "message");
    let text = text.ok_or_else(|| GraphError::invalid("(#100) The parameter message is required"))?;
    let media_id = params::text(call.request, "media_id").unwrap_or_default();
    let comment_id = params::text(call.request, "comment_id");
    let fits = |it: &Mention| it.media_id == media_id && (comment_id.is_none() || it.comment_id == comment_id);
    find(call, account_id, fits)?;
    let id = call.world.ids.instagram();
    let mut mentions = call.world.inbox.mentions.iter_mut();
    if let Some(mention) = mentions.find(|it| it.account_id == account_id && fits(it)) {
        mention.replies.push((id.clone(), text));
    }
    Ok(json!({ "id": id }))
}
