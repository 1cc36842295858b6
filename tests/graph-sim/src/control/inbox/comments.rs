//! `POST /_sim/comments`: what people comment, and what they do to their comments.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Body, Mistake};
use super::{PersonInput, account, manner, person, time};
use crate::server::Sim;
use crate::webhook::outbox::Manner;
use crate::world::World;
use crate::world::inbox::Account;
use crate::world::inbox::comment::NewComment;
use crate::world::inbox::message::Attachment;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// `page` or `instagram`.
    object: String,
    post_id: Option<String>,
    media_id: Option<String>,
    text: Option<String>,
    person: Option<PersonInput>,
    parent_id: Option<String>,
    verb: Option<String>,
    comment_id: Option<String>,
    /// On Instagram, the comment is on the ad's copy of the medium.
    ad_id: Option<String>,
    deliver: Option<String>,
    at: Option<Value>,
    /// The kind of attachment: `photo`, `sticker` or `video`.
    attachment: Option<String>,
    /// Whether the account itself comments, in Meta's own app.
    #[serde(default)]
    by_page: bool,
    /// Mentions the page or account elsewhere instead: `post` or `comment`.
    mention: Option<String>,
    page_id: Option<String>,
    instagram_id: Option<String>,
}

/// Adds a comment and returns `{"id", "post_id" | "media_id", "person"}`, or changes one.
pub(crate) async fn comment(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let manner = manner(input.deliver.as_deref())?;
    if !matches!(input.object.as_str(), "page" | "instagram") {
        return Err(Mistake::new(format!("object: must be page or instagram, got \"{}\"", input.object)));
    }
    let mut world = sim.world();
    let answer = match (input.verb.as_deref().unwrap_or("add"), &input.mention) {
        ("add", Some(place)) => mention(&mut world, &input, place, manner)?,
        ("add", None) => add(&mut world, &input, manner)?,
        (verb, _) => change(&mut world, &input, verb, manner)?,
    };
    drop(world);
    sim.wake.notify_one();
    Ok(Json(answer))
}

fn add(world: &mut World, input: &Input, manner: Manner) -> Result<Value, Mistake> {
    let at_ms = time(world, input.at.as_ref())?;
    let parent = match &input.parent_id {
        None => None,
        Some(id) => {
            let parent = world.inbox.comment(id).filter(|comment| !comment.removed);
            Some(parent.cloned().ok_or_else(|| Mistake::new(format!("parent_id: there is no comment {id}")))?)
        }
    };
    let (account, on) = match &parent {
        Some(parent) => (parent.account.clone(), parent.on.clone()),
        None => place(world, input)?,
    };
    let author = if input.by_page { None } else { Some(person(world, input.person.as_ref(), &account)) };
    let attachment = input.attachment.as_ref().map(|kind| {
        let file_id = world.add_file(kind, None, None);
        Attachment { kind: kind.clone(), url: Some(world.file_address(&file_id)), ..Attachment::default() }
    });
    // Instagram files a reply to a reply under the comment at the top.
    let parent_id = parent.map(|parent| match (&account, parent.parent_id) {
        (Account::Instagram(_), Some(root)) => root,
        _ => parent.id,
    });
    let text = input.text.clone().or_else(|| attachment.is_none().then(|| "How much is it?".to_owned()));
    let key = if input.object == "page" { "post_id" } else { "media_id" };
    let new = NewComment {
        account: account.clone(),
        on: on.clone(),
        parent_id,
        author,
        text,
        attachment,
        by_app: None,
        ad_id: input.ad_id.clone(),
        at_ms,
    };
    let id = world.add_comment(new, manner);
    let author = author.map(|index| world.visitor_report(index, Some(&account)));
    Ok(json!({"id": id, key: on, "person": author}))
}

/// Returns the account and the post or medium that a comment is on.
fn place(world: &mut World, input: &Input) -> Result<(Account, String), Mistake> {
    if input.object == "page" {
        let id = input.post_id.as_ref().ok_or_else(|| Mistake::new("post_id is required"))?;
        let post = world.content.post(id).ok_or_else(|| Mistake::new(format!("post_id: there is no post {id}")))?;
        return Ok((Account::Page(post.page_id.clone()), id.clone()));
    }
    let id = input.media_id.as_ref().ok_or_else(|| Mistake::new("media_id is required"))?;
    let medium =
        world.instagram.medium(id).ok_or_else(|| Mistake::new(format!("media_id: there is no medium {id}")))?;
    let account = Account::Instagram(medium.account_id.clone());
    let copy = input.ad_id.as_ref().and_then(|ad_id| world.ad_copy(id, ad_id));
    Ok((account, copy.unwrap_or_else(|| id.clone())))
}

fn mention(world: &mut World, input: &Input, place: &str, manner: Manner) -> Result<Value, Mistake> {
    if !matches!(place, "post" | "comment") {
        return Err(Mistake::new(format!("mention: must be post or comment, got \"{place}\"")));
    }
    let on_instagram = input.object == "instagram";
    let account = account(world, input.page_id.as_deref(), input.instagram_id.as_deref(), None, on_instagram)?;
    let visitor = person(world, input.person.as_ref(), &account);
    let text = input.text.clone().unwrap_or_else(|| "Look at this".to_owned());
    let ids = match &account {
        Account::Instagram(id) => {
            let (media_id, comment_id) = world.mention_on_instagram(id, visitor, &text, place == "comment", manner);
            json!({"media_id": media_id, "comment_id": comment_id})
        }
        _ => json!({"post_id": world.mention_page(account.id(), visitor, &text, manner)}),
    };
    Ok(ids)
}

fn change(world: &mut World, input: &Input, verb: &str, manner: Manner) -> Result<Value, Mistake> {
    let id = input.comment_id.as_ref().ok_or_else(|| Mistake::new("comment_id is required"))?;
    let comment = world.inbox.comment(id).filter(|comment| !comment.removed);
    let comment = comment.ok_or_else(|| Mistake::new(format!("comment_id: there is no comment {id}")))?;
    match verb {
        "edit" | "edited" => {
            if matches!(comment.account, Account::Instagram(_)) {
                return Err(Mistake::new("verb: comments on Instagram cannot be edited"));
            }
            let (text, attachment) = (input.text.clone().or(comment.text.clone()), comment.attachment.clone());
            world.edit_comment(id, text, attachment, manner);
        }
        "hide" => world.hide_comment(id, true, manner),
        "unhide" => world.hide_comment(id, false, manner),
        "remove" => world.remove_comment(id, manner),
        other => {
            return Err(Mistake::new(format!("verb: must be add, edit, hide, unhide or remove, got \"{other}\"")));
        }
    }
    Ok(json!({ "id": id }))
}
