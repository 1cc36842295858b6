//! `/{page}/photos`, and photos as nodes.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::node::Node;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use super::{Kind, created, feed, params, rights, success};
use crate::clock::graph_time;
use crate::media::Media;
use crate::media::fetch::Expected;
use crate::world::World;
use crate::world::content::photo::Photo;
use crate::world::content::picture_address;
use crate::world::content::post::{Attached, NewPost, Status};

const PHOTOS: Elements =
    Elements { node_type: Some("Photo"), defaults: &["created_time", "name", "id"], max_limit: 100 };

/// Larger pictures are rejected.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// `GET /{page}/photos`, newest first. As at Meta, only `type=uploaded` shows what was published; the default is the
/// page's profile pictures, of which there are none.
pub(super) fn list(call: &mut Call<'_>, page_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    rights::read_page(call, page_id, page_id)?;
    params::check_limit(query)?;
    let uploaded = query.param("type") == Some("uploaded");
    let world = &call.world;
    let photos = world.content.photos_of(page_id).rev().filter(|photo| uploaded && world.is_photo_published(photo));
    let items =
        photos.map(|photo| (photo.id.clone(), Item::Node(Node::Content(Kind::Photo, photo.id.clone())))).collect();
    paging::page(call, query, items, &PHOTOS)
}

/// `POST /{page}/photos`: publishes a photo, schedules it, or stages it for a later post.
///
/// # Errors
/// Returns 324 without a readable picture, 100/1366046 for a format or size that Meta rejects, 100 for a wrong time.
pub(super) fn create(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    rights::publish_on_page(call, page_id, page_id)?;
    let texts = ["message", "caption", "name"].map(|name| params::text(call.request, name));
    let caption = texts.into_iter().flatten().next();
    feed::check_message(caption.as_deref())?;
    params::flag(call.request, "temporary")?;
    let no_story = params::flag(call.request, "no_story")?.unwrap_or(false);
    let (status, scheduled_s) = feed::publication(call, page_id)?;
    // Get the picture.
    let url = params::text(call.request, "url");
    let media = match (call.request.file("source"), &url) {
        (Some(bytes), _) => Media::examine(bytes),
        (None, Some(url)) => match call.download(url, Expected::PagePhoto) {
            None => return Ok(Value::Null),
            Some(Ok(fetched)) => fetched.media,
            Some(Err(_)) => return Err(unreadable()),
        },
        (None, None) => return Err(GraphError::new(400, 324, "(#324) Requires upload file")),
    };
    check_picture(&media)?;
    // Store it, and publish it.
    let photo = Photo {
        id: String::new(),
        page_id: page_id.to_owned(),
        url,
        media,
        caption: caption.clone(),
        alt_text: params::text(call.request, "alt_text_custom"),
        staged: status != Status::Published,
        post_id: None,
        created_ms: call.world.clock.now_ms(),
        application: params::this_app(call),
    };
    let id = call.world.add_photo(photo);
    let mut answer = json!({ "id": id });
    if matches!(status, Status::Published | Status::Scheduled) && !no_story {
        let new = NewPost {
            message: caption,
            link: None,
            media: vec![Attached::Photo(id.clone())],
            status,
            scheduled_s,
            application: params::this_app(call),
            creator: params::creator(call),
            age_ms: 0,
        };
        let post_id = call.world.add_post(page_id, new);
        if status == Status::Published {
            answer = json!({"id": id, "post_id": post_id});
        }
    }
    Ok(created(call, Kind::Photo, &id, answer))
}

/// 324: no picture at the address, or a host that answered with a part of it.
fn unreadable() -> GraphError {
    GraphError::injected(324, None, None, None)
}

fn check_picture(media: &Media) -> Result<(), GraphError> {
    if matches!(media.kind, crate::media::Kind::Other | crate::media::Kind::Video) {
        return Err(unreadable());
    }
    if media.kind.is_photo() && media.bytes <= MAX_BYTES {
        return Ok(());
    }
    let mut error = GraphError::invalid("Invalid parameter").with_subcode(1_366_046);
    error.for_user = Some((
        "Can't Read Files",
        "Your photos couldn't be uploaded. Photos should be less than 10 MB and saved as JPG, PNG, GIF or TIFF files.",
    ));
    Err(error)
}

/// Returns the value of a field. `None` if the photo has no such value.
pub(super) fn value(world: &World, photo_id: &str, field: &str) -> Option<Value> {
    let photo = world.content.photo(photo_id)?;
    let page = world.pages.get(&photo.page_id)?;
    let (width, height) = photo.media.size.unwrap_or((720, 720));
    let source = picture_address(photo_id);
    Some(match field {
        "created_time" | "updated_time" => json!(graph_time(photo.created_ms)),
        "name" => json!(photo.caption.as_deref()?),
        "alt_text" | "alt_text_custom" => json!(photo.alt_text.as_deref()?),
        "from" => json!({"id": page.id, "name": page.name}),
        "width" => json!(width),
        "height" => json!(height),
        "picture" | "source" => json!(source),
        "images" => json!([{"width": width, "height": height, "source": source}]),
        "link" => json!(format!("https://www.facebook.com/photo.php?fbid={photo_id}")),
        "page_story_id" => json!(photo.post_id.as_deref()?),
        "can_delete" => json!(true),
        _ => return None,
    })
}

/// `DELETE /{photo}`.
pub(super) fn delete(call: &mut Call<'_>, photo_id: &str) -> Result<Value, GraphError> {
    let page_id = call.world.content.photo(photo_id).map(|photo| photo.page_id.clone()).unwrap_or_default();
    rights::publish_on_page(call, &page_id, photo_id)?;
    call.world.delete_photo(photo_id);
    Ok(success())
}
