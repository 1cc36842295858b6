//! Posts as nodes.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::session::Call;
use super::{feed, params, rights, success};
use crate::clock::graph_time;
use crate::world::World;
use crate::world::content::picture_address;
use crate::world::content::post::{Attached, Status};

/// Returns the value of a field. `None` if the post has no such value.
pub(super) fn value(world: &World, post_id: &str, field: &str) -> Option<Value> {
    let post = world.content.post(post_id)?;
    let page = world.pages.get(&post.page_id)?;
    Some(match field {
        "message" => json!(post.message.as_deref()?),
        "created_time" => json!(graph_time(post.shown_ms())),
        "updated_time" => json!(graph_time(post.updated_ms)),
        "is_published" => json!(post.is_published()),
        "is_hidden" => json!(post.is_hidden),
        "is_expired" | "is_popular" | "is_spherical" | "is_app_share" => json!(false),
        "scheduled_publish_time" if post.status == Status::Scheduled => json!(post.scheduled_s?),
        "permalink_url" => json!(post.permalink()),
        "status_type" => json!(match (post.media.first(), &post.link) {
            (Some(Attached::Photo(_)), _) => "added_photos",
            (Some(Attached::Video(_)), _) => "added_video",
            (None, Some(_)) => "shared_story",
            (None, None) => "mobile_status_update",
        }),
        "from" => json!({"id": page.id, "name": page.name}),
        "application" => json!({
            "id": post.application.id, "name": post.application.name, "category": "Business",
            "link": format!("https://www.facebook.com/games/?app_id={}", post.application.id),
        }),
        "admin_creator" => {
            let (id, name) = post.creator.as_ref()?;
            json!({"id": id, "name": name})
        }
        "full_picture" | "picture" => json!(picture_address(post.media.first()?.id())),
        "story" if post.message.is_none() && !post.media.is_empty() => {
            json!(format!("{} added {} new photos.", page.name, post.media.len()))
        }
        "privacy" => {
            json!({"value": "EVERYONE", "description": "Public", "friends": "", "allow": "", "deny": ""})
        }
        "promotable_id" => json!(post.id),
        "is_eligible_for_promotion" | "subscribed" => json!(post.is_published()),
        // Absent unless the post was shared.
        "shares" => json!({"count": world.inbox.shares.get(post_id)?}),
        "timeline_visibility" => json!("normal"),
        "actions" => json!([{"name": "Like", "link": post.permalink()}, {"name": "Comment", "link": post.permalink()}]),
        _ => return None,
    })
}

/// `POST /{post}`: changes a post that this app made.
///
/// # Errors
/// Returns 200 for a post of another app, 100 for a wrong time or unknown media.
pub(super) fn update(call: &mut Call<'_>, post_id: &str) -> Result<Value, GraphError> {
    let (page_id, status, ours) = {
        let Some(post) = call.world.content.post(post_id) else {
            return Err(GraphError::not_visible("post", post_id));
        };
        (post.page_id.clone(), post.status, post.application.id == call.world.app.id)
    };
    rights::publish_on_page(call, &page_id, post_id)?;
    if !ours {
        return Err(GraphError::new(403, 200, "(#200) This post wasn't created by the application"));
    }
    // Check everything before changing anything.
    let message = params::text(call.request, "message");
    feed::check_message(message.as_deref())?;
    let hidden = params::flag(call.request, "is_hidden")?;
    params::flag(call.request, "is_pinned")?;
    let publish = params::flag(call.request, "is_published")?;
    let time = params::time(call.request, "scheduled_publish_time")?;
    if let Some(at_s) = time.filter(|_| publish != Some(true)) {
        if status == Status::Published {
            return Err(published_already());
        }
        feed::check_time(call, &page_id, at_s)?;
    }
    let media = match params::attached_media(call.request)? {
        Some(ids) => Some(feed::check_photos(call, &page_id, ids, Some(post_id))?),
        None => None,
    };
    // Change it.
    let changed = message.is_some() || media.is_some();
    if let Some(media) = media {
        call.world.attach(post_id, media);
    }
    let now = call.world.clock.now_ms();
    if let Some(post) = call.world.content.post_mut(post_id) {
        post.message = message.or(post.message.take());
        post.is_hidden = hidden.unwrap_or(post.is_hidden);
        post.updated_ms = now;
    }
    if changed {
        call.world.announce_post(post_id, "edited");
    }
    match (publish, time) {
        (Some(true), _) if status != Status::Published => call.world.publish_post(post_id),
        (Some(true), _) | (_, None) => {}
        (_, Some(at_s)) => call.world.reschedule(post_id, at_s),
    }
    Ok(success())
}

/// 100: a time for a post that is already published.
pub(super) fn published_already() -> GraphError {
    GraphError::invalid("(#100) You cannot specify a scheduled publish time on a published post")
}

/// `DELETE /{post}`: deletes it, whichever app made it.
pub(super) fn delete(call: &mut Call<'_>, post_id: &str) -> Result<Value, GraphError> {
    let page_id = call.world.content.post(post_id).map(|post| post.page_id.clone()).unwrap_or_default();
    rights::publish_on_page(call, &page_id, post_id)?;
    call.world.delete_post(post_id);
    Ok(success())
}
