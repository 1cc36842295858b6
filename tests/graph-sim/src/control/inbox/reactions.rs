//! `POST /_sim/reactions`: reactions to posts, comments and messages, and shares of posts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Body, Mistake};
use super::{PersonInput, manner, person, time};
use crate::server::Sim;
use crate::webhook::outbox::Manner;
use crate::world::World;
use crate::world::inbox::Account;
use crate::world::inbox::reaction::Reaction;

/// The names in webhooks of pages.
const KINDS: &[&str] = &["like", "love", "care", "haha", "wow", "sorry", "anger"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    post_id: Option<String>,
    comment_id: Option<String>,
    message_id: Option<String>,
    person: Option<PersonInput>,
    /// A name such as `love`, or `share` for a post; for a message also any emoji.
    #[serde(rename = "type")]
    kind: String,
    /// `add`, `edit` or `remove`.
    verb: Option<String>,
    deliver: Option<String>,
    at: Option<Value>,
}

/// Reacts and returns `{"person"}`.
pub(crate) async fn react(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let manner = manner(input.deliver.as_deref())?;
    let verb = input.verb.as_deref().unwrap_or("add");
    if !matches!(verb, "add" | "edit" | "remove") {
        return Err(Mistake::new(format!("verb: must be add, edit or remove, got \"{verb}\"")));
    }
    let mut world = sim.world();
    let at_ms = time(&world, input.at.as_ref())?;
    let answer = match (&input.post_id, &input.comment_id, &input.message_id) {
        (None, None, Some(mid)) => {
            let (thread, _) = world
                .inbox
                .message(mid)
                .ok_or_else(|| Mistake::new(format!("message_id: there is no message {mid}")))?;
            let (account, visitor) = (thread.account.clone(), thread.visitor);
            world.react_to_message(mid, &input.kind, verb == "remove", at_ms, manner);
            json!({"person": world.visitor_report(visitor, Some(&account))})
        }
        (None, None, None) | (Some(_) | None, Some(_), Some(_)) | (Some(_), None, Some(_)) => {
            return Err(Mistake::new("one of post_id, comment_id and message_id is required"));
        }
        _ => on_page(&mut world, &input, verb, at_ms, manner)?,
    };
    drop(world);
    sim.wake.notify_one();
    Ok(Json(answer))
}

fn on_page(world: &mut World, input: &Input, verb: &str, at_ms: i64, manner: Manner) -> Result<Value, Mistake> {
    let post_id = match (&input.comment_id, &input.post_id) {
        (Some(id), _) => {
            let comment = world.inbox.comment(id).filter(|comment| !comment.removed);
            comment.ok_or_else(|| Mistake::new(format!("comment_id: there is no comment {id}")))?.on.clone()
        }
        (None, id) => id.clone().unwrap_or_default(),
    };
    let post = world.content.post(&post_id);
    let post = post.ok_or_else(|| Mistake::new(format!("post_id: there is no post {post_id} of a page")))?;
    let page_id = post.page_id.clone();
    let account = Account::Page(page_id.clone());
    let visitor = person(world, input.person.as_ref(), &account);
    if input.kind == "share" && input.comment_id.is_none() {
        let id = world.share(&page_id, &post_id, visitor, manner);
        return Ok(json!({"share_id": id, "person": world.visitor_report(visitor, Some(&account))}));
    }
    if !KINDS.contains(&input.kind.as_str()) {
        return Err(Mistake::new(format!("type: must be one of {}, share; got \"{}\"", KINDS.join(", "), input.kind)));
    }
    let reaction = Reaction {
        page_id,
        post_id,
        comment_id: input.comment_id.clone(),
        visitor,
        kind: input.kind.clone(),
        created_ms: at_ms,
        active: true,
    };
    world.react(reaction, verb, manner);
    Ok(json!({"person": world.visitor_report(visitor, Some(&account))}))
}
