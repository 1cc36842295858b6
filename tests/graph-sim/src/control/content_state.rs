//! The published content in `GET /_sim/state`.

use serde_json::{Value, json};

use crate::clock::graph_time;
use crate::graph::container_status_text;
use crate::world::World;
use crate::world::app::Mode;
use crate::world::content::photo::Photo;
use crate::world::content::post::{Attached, Post};
use crate::world::content::video::{Kind, Stage, Video};
use crate::world::instagram::container::Container;
use crate::world::instagram::medium::Medium;

/// All posts of pages, oldest first on each page.
pub(super) fn posts(world: &World) -> Value {
    world.pages.keys().flat_map(|id| world.content.posts_of(id)).map(|it| post(world, it)).collect()
}

fn post(world: &World, post: &Post) -> Value {
    let media: Vec<Value> = post
        .media
        .iter()
        .map(|attached| match attached {
            Attached::Photo(id) => {
                let photo = world.content.photo(id);
                json!({"type": "photo", "id": id, "url": photo.and_then(|photo| photo.url.as_deref()),
                       "digest": photo.map(|photo| photo.media.digest.as_str())})
            }
            Attached::Video(id) => {
                let video = world.content.video(id);
                json!({"type": "video", "id": id, "url": video.and_then(|video| video.url.as_deref()),
                       "digest": video.and_then(|video| video.file.as_ref()).map(|file| file.media.digest.as_str())})
            }
        })
        .collect();
    let ours = post.application.id == world.app.id;
    json!({
        "id": post.id, "page_id": post.page_id, "message": post.message, "link": post.link, "media": media,
        "status": post.status.name(), "created_time": graph_time(post.created_ms),
        "published_time": post.published_ms.map(graph_time), "scheduled_publish_time": post.scheduled_s,
        "permalink_url": post.permalink(), "application": post.application.id, "hidden": post.is_hidden,
        // In development mode only people with a role in the app see what the app publishes.
        "public": post.is_published() && !(ours && world.app.mode == Mode::Development),
    })
}

/// The photos that were uploaded unpublished and still exist.
pub(super) fn staged_photos(world: &World) -> Value {
    let staged = world.pages.keys().flat_map(|id| world.content.photos_of(id)).filter(|photo| photo.staged);
    staged.map(|it| photo(world, it)).collect()
}

fn photo(world: &World, photo: &Photo) -> Value {
    json!({
        "id": photo.id, "page_id": photo.page_id, "url": photo.url, "published": world.is_photo_published(photo),
        "used": photo.post_id.is_some(), "post_id": photo.post_id, "created_time": graph_time(photo.created_ms),
        "digest": photo.media.digest, "bytes": photo.media.bytes, "application": photo.application.id,
    })
}

/// All stories of pages, oldest first on each page.
pub(super) fn stories(world: &World) -> Value {
    let now = world.clock.now_ms();
    let stories = world.pages.keys().flat_map(|id| world.content.stories_of(id)).map(|story| {
        json!({"id": story.id, "page_id": story.page_id, "media_id": story.medium.id(), "shown": story.is_shown(now),
               "created_time": graph_time(story.created_ms)})
    });
    stories.collect()
}

/// All videos and reels of pages, oldest first on each page.
pub(super) fn videos(world: &World) -> Value {
    world.pages.keys().flat_map(|id| world.content.videos_of(id)).map(|it| video(world, it)).collect()
}

fn video(world: &World, video: &Video) -> Value {
    let stage = match video.stage(world.clock.now_ms()) {
        Stage::Uploading => "uploading",
        Stage::Processing => "processing",
        Stage::Failed => "error",
        Stage::Ready => "ready",
    };
    json!({
        "id": video.id, "page_id": video.page_id, "type": match video.kind {
            Kind::Video => "video",
            Kind::Reel => "reel",
            Kind::Story => "story",
        },
        "url": video.url, "title": video.title, "description": video.description, "status": stage,
        "finished": video.publication.is_some(), "post_id": video.post_id,
        "bytes": video.file.as_ref().map(|file| file.media.bytes), "created_time": graph_time(video.created_ms),
    })
}

/// All Instagram accounts with what they published and their containers.
pub(super) fn instagram(world: &World) -> Value {
    let accounts = world.instagram.accounts.values().map(|account| {
        let media = world.instagram.media_of(&account.id).map(|it| medium(it, &account.username));
        let containers = world.instagram.containers_of(&account.id).map(|it| container(world, it));
        json!({
            "id": account.id, "username": account.username, "page_id": account.page_id, "linked": account.linked,
            "quota_total": account.quota, "media": media.collect::<Vec<_>>(),
            "containers": containers.collect::<Vec<_>>(),
        })
    });
    accounts.collect()
}

fn medium(medium: &Medium, username: &str) -> Value {
    json!({
        "id": medium.id, "type": medium.kind.media_type(), "product_type": medium.product_type(),
        "caption": medium.caption, "permalink": medium.permalink(username), "children": medium.children,
        "timestamp": graph_time(medium.created_ms), "url": medium.url, "application": medium.application.id,
    })
}

fn container(world: &World, container: &Container) -> Value {
    let (code, problem) = world.container_status(container);
    json!({
        "id": container.id, "status_code": code.name(), "status": container_status_text(code, problem),
        "type": container.kind.media_type(), "product_type": container.kind.product_type(),
        "is_carousel_item": container.is_item, "caption": container.caption, "url": container.url,
        "children": container.children, "share_to_feed": container.share_to_feed,
        "created_time": graph_time(container.created_ms), "media_id": container.medium_id,
    })
}
