//! `/{page}/feed`: publishing, and the lists of a page's posts.

use serde_json::{Value, json};
use url::Url;

use super::super::error::GraphError;
use super::super::node::Node;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use super::{Kind, created, params, rights};
use crate::world::content::post::{Attached, NewPost, Post, Status};

const POSTS: Elements =
    Elements { node_type: Some("PagePost"), defaults: &["created_time", "message", "id"], max_limit: 100 };

/// A post may be scheduled this far ahead, in seconds: ten minutes to thirty days.
const WINDOW_S: std::ops::RangeInclusive<i64> = 600..=30 * 24 * 3600;
/// Maximum number of characters of a text.
const MAX_MESSAGE: usize = 63_206;
/// The values of `unpublished_content_type`.
const UNPUBLISHED_TYPES: &[&str] = &[
    "ADS_POST",
    "DRAFT",
    "INLINE_CREATED",
    "PUBLISHED",
    "PUBLISH_PENDING",
    "REVIEWABLE_BRANDED_CONTENT",
    "SCHEDULED",
    "SCHEDULED_RECURRING",
];

/// `GET /{page}/feed`, `posts`, `published_posts`, `scheduled_posts`: newest first. Only `feed` also shows posts that
/// are not published.
pub(super) fn list(call: &mut Call<'_>, page_id: &str, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    rights::read_page(call, page_id, page_id)?;
    params::check_limit(query)?;
    let (since, until) = params::period(query);
    let mut posts: Vec<&Post> = call
        .world
        .content
        .posts_of(page_id)
        .filter(|post| match edge {
            "feed" => true,
            "scheduled_posts" => post.status == Status::Scheduled,
            _ => post.is_published(),
        })
        .filter(|post| (since..=until).contains(&post.shown_ms().div_euclid(1000)))
        .collect();
    posts.reverse();
    posts.sort_by_key(|post| std::cmp::Reverse(post.shown_ms()));
    let items = posts
        .into_iter()
        .map(|post| (post.id.clone(), Item::Node(Node::Content(Kind::Post, post.id.clone()))))
        .collect();
    paging::page(call, query, items, &POSTS)
}

/// `POST /{page}/feed`.
///
/// # Errors
/// Returns 100 for an empty post, a wrong time or unknown media, 506 for a repeated post, 1500 for a link that is not
/// an address, 1609005 for one that cannot be read.
pub(super) fn create(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    rights::publish_on_page(call, page_id, page_id)?;
    let message = params::text(call.request, "message");
    let link = params::text(call.request, "link");
    let media = params::attached_media(call.request)?.unwrap_or_default();
    check_message(message.as_deref())?;
    if params::text(call.request, "text_format_preset_id").is_some_and(|id| id.parse::<u64>().is_err()) {
        return Err(GraphError::invalid("(#100) Param text_format_preset_id must be a valid ID"));
    }
    check_link(call, link.as_deref())?;
    let media = check_photos(call, page_id, media, None)?;
    if message.is_none() && link.is_none() && media.is_empty() {
        return Err(GraphError::invalid("(#100) The post is empty. Please enter a message to share."));
    }
    let (status, scheduled_s) = publication(call, page_id)?;
    let new = NewPost {
        message,
        link,
        media,
        status,
        scheduled_s,
        application: params::this_app(call),
        creator: params::creator(call),
        age_ms: 0,
    };
    if call.world.content.settings.rejects_repeats && call.world.repeats_a_post(page_id, &new) {
        return Err(GraphError::injected(506, None, None, None));
    }
    let id = call.world.add_post(page_id, new);
    Ok(created(call, Kind::Post, &id, json!({ "id": id })))
}

/// Checks the length of a text.
pub(super) fn check_message(message: Option<&str>) -> Result<(), GraphError> {
    match message {
        Some(text) if text.chars().count() > MAX_MESSAGE => Err(GraphError::invalid("(#100) Name parameter too long")),
        _ => Ok(()),
    }
}

/// Checks that a link is an address that can be read. Only registered addresses cannot.
fn check_link(call: &mut Call<'_>, link: Option<&str>) -> Result<(), GraphError> {
    let Some(link) = link else { return Ok(()) };
    let url = Url::parse(link).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| host.contains('.'))
    });
    let url = url.ok_or_else(|| GraphError::injected(1500, None, None, None))?;
    if call.world.web.is_broken(url.as_str()) {
        return Err(GraphError::new(400, 1_609_005, "The link could not be scraped."));
    }
    Ok(())
}

/// Checks that photos can be attached to a post of the page: staged ones, whether or not another post already uses
/// them, and those of the post itself.
///
/// # Errors
/// Returns 100 for ids that are no such photos, 100/1366051 for published ones. (Codes unconfirmed.)
pub(super) fn check_photos(
    call: &Call<'_>,
    page_id: &str,
    ids: Vec<String>,
    post_id: Option<&str>,
) -> Result<Vec<Attached>, GraphError> {
    let mut media: Vec<Attached> = Vec::new();
    for id in ids {
        let photo = call.world.content.photo(&id).filter(|photo| photo.page_id == page_id);
        let Some(photo) = photo else {
            return Err(GraphError::invalid(format!(
                "(#100) Param attached_media contains {id}, which is not a photo that can be attached"
            )));
        };
        if (!photo.staged && photo.post_id.as_deref() != post_id) || call.world.content.is_story(photo) {
            return Err(already_posted());
        }
        let attached = Attached::Photo(id);
        if !media.contains(&attached) {
            media.push(attached);
        }
    }
    Ok(media)
}

/// 100/1366051: a photo or video that was already published.
pub(super) fn already_posted() -> GraphError {
    let mut error = GraphError::invalid("Invalid parameter").with_subcode(1_366_051);
    error.for_user = Some(("Already Posted", "These photos were already posted."));
    error
}

/// Returns how the request wants its post to be published. Without `published=false` it is published at once, whatever
/// time is given.
///
/// # Errors
/// Returns 100 for a time outside of the window, or for a full queue of scheduled posts.
pub(super) fn publication(call: &Call<'_>, page_id: &str) -> Result<(Status, Option<i64>), GraphError> {
    let kind = call.request.param("unpublished_content_type").filter(|kind| !kind.is_empty());
    if let Some(kind) = kind.filter(|kind| !UNPUBLISHED_TYPES.contains(kind)) {
        return Err(GraphError::invalid(format!(
            "(#100) Param unpublished_content_type must be one of {{{}}} - got \"{kind}\".",
            UNPUBLISHED_TYPES.join(", ")
        )));
    }
    let scheduled_s = params::time(call.request, "scheduled_publish_time")?;
    if params::flag(call.request, "published")?.unwrap_or(true) {
        return Ok((Status::Published, None));
    }
    match (scheduled_s, kind) {
        (Some(at_s), _) => {
            check_time(call, page_id, at_s)?;
            Ok((Status::Scheduled, Some(at_s)))
        }
        (None, Some("SCHEDULED")) => Err(wrong_time()),
        (None, Some("DRAFT")) => Ok((Status::Draft, None)),
        (None, _) => Ok((Status::Unpublished, None)),
    }
}

/// Checks a time of publication. A full queue is rejected with the same text.
pub(super) fn check_time(call: &Call<'_>, page_id: &str, at_s: i64) -> Result<(), GraphError> {
    let ahead_s = at_s.saturating_sub(call.world.clock.now_s());
    let queued = call.world.content.posts_of(page_id).filter(|post| post.status == Status::Scheduled).count();
    let full = call.world.content.settings.schedule_queue.is_some_and(|most| queued >= most);
    if WINDOW_S.contains(&ahead_s) && !full { Ok(()) } else { Err(wrong_time()) }
}

fn wrong_time() -> GraphError {
    GraphError::invalid("(#100) The specified scheduled publish time is invalid.")
}
