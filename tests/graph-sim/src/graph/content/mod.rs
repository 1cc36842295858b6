//! What pages and Instagram accounts publish: posts, photos, videos, containers and media.

mod attachments;
mod container;
mod feed;
mod instagram;
mod media_publish;
mod medium;
pub(super) mod params;
mod photo;
mod post;
mod reels;
pub(super) mod rights;
mod stories;
pub(super) mod upload;
mod video;
mod video_upload;

use serde_json::{Value, json};

use super::error::GraphError;
use super::fields;
use super::inbox;
use super::node::{self, Node};
use super::paging::EdgeQuery;
use super::request::{self, Request};
use super::session::Call;
use crate::world::World;

pub(crate) use container::status as container_status_text;

/// The kinds of nodes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Post,
    Photo,
    Video,
    /// A professional Instagram account.
    Account,
    Container,
    Medium,
}

impl Kind {
    /// Meta's name of the type in its error messages.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Post => "PagePost",
            Self::Photo => "Photo",
            Self::Video => "Video",
            Self::Account => "ShadowIGUser",
            Self::Container => "ShadowIGMediaBuilder",
            Self::Medium => "ShadowIGMedia",
        }
    }

    /// The placeholder in normalised paths.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Post => "{post}",
            Self::Photo => "{photo}",
            Self::Video => "{video}",
            Self::Account => "{ig}",
            Self::Container => "{container}",
            Self::Medium => "{media}",
        }
    }

    pub(super) fn default_fields(self) -> &'static [&'static str] {
        match self {
            Self::Post => &["created_time", "message", "id"],
            Self::Photo => &["created_time", "name", "id"],
            Self::Video => &["description", "updated_time", "id"],
            Self::Account | Self::Container | Self::Medium => &["id"],
        }
    }
}

/// The edges of node types of this module.
pub(super) fn edges_of(node_type: &str) -> &'static [&'static str] {
    match node_type {
        "PagePost" => &["attachments", "comments", "reactions", "sharedposts"],
        "ShadowIGUser" => &["media", "stories", "content_publishing_limit"],
        "ShadowIGMedia" => &["children", "comments"],
        _ => inbox::edges_of(node_type),
    }
}

/// Returns the kind of an id.
pub(super) fn find(world: &World, id: &str) -> Option<Kind> {
    if world.content.post(id).is_some() {
        Some(Kind::Post)
    } else if world.content.photo(id).is_some() {
        Some(Kind::Photo)
    } else if world.content.video(id).is_some() {
        Some(Kind::Video)
    } else if world.instagram.accounts.contains_key(id) {
        Some(Kind::Account)
    } else if world.instagram.container(id).is_some() {
        Some(Kind::Container)
    } else {
        world.instagram.medium(id).map(|_| Kind::Medium)
    }
}

/// Returns the Instagram account that an id belongs to.
pub(super) fn account_of(world: &World, id: &str) -> Option<String> {
    let Some(kind) = find(world, id) else { return inbox::account_of(world, id) };
    match kind {
        Kind::Account => Some(id.to_owned()),
        Kind::Container => world.instagram.container(id).map(|container| container.account_id.clone()),
        Kind::Medium => world.instagram.medium(id).map(|medium| medium.account_id.clone()),
        Kind::Post | Kind::Photo | Kind::Video => None,
    }
}

/// Returns the node that a field of a page or medium shows.
pub(super) fn related(call: &Call<'_>, node: &Node, field: &str) -> Option<Node> {
    match (node, field) {
        // Without the permission the field is absent, as for a page without an account.
        (Node::Page(id), "instagram_business_account" | "connected_instagram_account") => {
            let account = call.world.instagram.account_of_page(id)?;
            call.has_scope("instagram_basic").then(|| Node::Content(Kind::Account, account.id.clone()))
        }
        (Node::Content(Kind::Medium, id), "owner") => {
            let medium = call.world.instagram.medium(id)?;
            Some(Node::Content(Kind::Account, medium.account_id.clone()))
        }
        _ => None,
    }
}

/// Checks that the caller may read a node.
///
/// # Errors
/// Returns 190/2069032 without a page token, 10 without a permission, 100/33 for other pages' and accounts' objects,
/// and for Instagram objects that are too new.
pub(super) fn check_readable(call: &mut Call<'_>, kind: Kind, id: &str) -> Result<(), GraphError> {
    let world = &call.world;
    let page_id = match kind {
        Kind::Post => world.content.post(id).map(|post| post.page_id.clone()),
        Kind::Photo => world.content.photo(id).map(|photo| photo.page_id.clone()),
        Kind::Video => world.content.video(id).map(|video| video.page_id.clone()),
        Kind::Account => return rights::read_instagram(call, id, id),
        Kind::Container => return container::check_readable(call, id),
        Kind::Medium => return medium::check_readable(call, id),
    };
    rights::read_page(call, &page_id.unwrap_or_default(), id)
}

/// Returns the value of a field. `None` if the node has no such value.
pub(super) fn value(call: &Call<'_>, kind: Kind, id: &str, field: &str) -> Option<Value> {
    match kind {
        Kind::Post => post::value(call.world, id, field),
        Kind::Photo => photo::value(call.world, id, field),
        Kind::Video => video::value(call.world, id, field),
        Kind::Account => instagram::value(call.world, id, field),
        Kind::Container => container::value(call.world, id, field),
        Kind::Medium => medium::value(call.world, id, field),
    }
}

/// Reads an edge of a page.
pub(super) fn list(call: &mut Call<'_>, page_id: &str, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    match edge {
        "feed" | "posts" | "published_posts" | "scheduled_posts" => feed::list(call, page_id, edge, query),
        "photos" => photo::list(call, page_id, query),
        "stories" => stories::list(call, page_id, query),
        "videos" | "video_reels" => video::list(call, page_id, edge, query),
        _ => Err(GraphError::nonexisting_field(edge, "Page")),
    }
}

/// Reads an edge of one of these nodes.
pub(super) fn read_edge(
    call: &mut Call<'_>,
    kind: Kind,
    id: &str,
    edge: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    check_readable(call, kind, id)?;
    match (kind, edge) {
        (Kind::Post, "attachments") => attachments::list(call, id, query),
        (Kind::Account, "media" | "stories") => medium::list(call, id, edge, query),
        (Kind::Account, "content_publishing_limit") => instagram::publishing_limit(call, id, query),
        (Kind::Post, "comments" | "reactions" | "sharedposts") => inbox::post_edge(call, id, edge, query),
        (Kind::Medium, "comments") => inbox::media_comments(call, id, query),
        (Kind::Medium, "children") => medium::children(call, id, query),
        _ => Err(GraphError::nonexisting_field(edge, kind.type_name())),
    }
}

/// Runs a request that publishes, changes or deletes. `None` for all other requests.
pub(super) fn write(call: &mut Call<'_>, node: &Node, rest: &[&str]) -> Option<Result<Value, GraphError>> {
    let method = call.request.method.clone();
    Some(match (method.as_str(), node, rest) {
        ("POST", Node::Page(id), ["feed"]) => feed::create(call, id),
        ("POST", Node::Page(id), ["photos"]) => photo::create(call, id),
        ("POST", Node::Page(id), ["videos"]) => video_upload::create(call, id),
        ("POST", Node::Page(id), ["video_reels"]) => reels::create(call, id),
        ("POST", Node::Page(id), ["photo_stories"]) => stories::photo(call, id),
        ("POST", Node::Page(id), ["video_stories"]) => stories::video(call, id),
        ("POST", Node::Content(Kind::Post, id), []) => post::update(call, id),
        ("DELETE", Node::Content(Kind::Post, id), []) => post::delete(call, id),
        ("DELETE", Node::Content(Kind::Photo, id), []) => photo::delete(call, id),
        ("POST", Node::Content(Kind::Video, id), []) => video::update(call, id),
        ("DELETE", Node::Content(Kind::Video, id), []) => video::delete(call, id),
        ("POST", Node::Content(Kind::Account, id), ["media"]) => container::create(call, id),
        ("POST", Node::Content(Kind::Account, id), ["media_publish"]) => media_publish::publish(call, id),
        ("POST", Node::Content(Kind::Medium, id), []) => medium::update(call, id),
        ("DELETE", Node::Content(Kind::Medium, id), []) => medium::delete(call, id),
        _ => return None,
    })
}

/// Returns the answer to a creation: `usual`, or the fields that the request asks for.
///
/// Fields that do not exist are reported beside the answer, because the object was made.
fn created(call: &mut Call<'_>, kind: Kind, id: &str, usual: Value) -> Value {
    let Some(wanted) = call.request.param("fields").filter(|text| !text.trim().is_empty()) else { return usual };
    let names = request::json::<Vec<String>>(wanted).map_or_else(|| wanted.to_owned(), |names| names.join(","));
    let node = Node::Content(kind, id.to_owned());
    let read = fields::parse(&names).and_then(|wanted| node::read(call, &node, Some(&wanted), &[]));
    match read {
        Ok(answer) => answer,
        Err(error) => {
            let mut answer = json!({"id": id, "post_supports_client_mutation_id": true});
            if let (Some(members), Value::Object(mut envelope)) = (answer.as_object_mut(), error.envelope()) {
                members.append(&mut envelope);
            }
            answer
        }
    }
}

/// `{"success": true}`.
pub(super) fn success() -> Value {
    json!({"success": true})
}

/// The name under which a request is logged as unsupported.
fn unsupported(request: &Request, id: &str) -> GraphError {
    GraphError::not_visible(&request.method, id)
}
