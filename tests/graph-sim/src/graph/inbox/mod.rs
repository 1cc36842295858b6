//! Comments, reactions, messages, and WhatsApp accounts.

mod attachment;
mod comment;
mod comment_edges;
mod conversations;
mod instagram_comment;
mod mentions;
mod message_body;
mod profile;
mod reactions;
mod rights;
mod send;
mod whatsapp;

use serde_json::Value;

use super::content;
use super::error::GraphError;
use super::fields::Field;
use super::node::Node;
use super::paging::EdgeQuery;
use super::session::Call;
use crate::world::World;
use crate::world::inbox::Account;

pub(crate) use rights::is_whatsapp_reader;

/// The kinds of nodes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Comment,
    InstagramComment,
    Conversation,
    Message,
    /// Someone as one page or Instagram account knows them.
    Profile,
    Waba,
    PhoneNumber,
    WhatsAppMedium,
}

impl Kind {
    /// Meta's name of the type in its error messages.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Comment => "Comment",
            Self::InstagramComment => "ShadowIGComment",
            Self::Conversation => "UnifiedThread",
            Self::Message => "Message",
            Self::Profile => "Profile",
            Self::Waba => "WhatsAppBusinessAccount",
            Self::PhoneNumber => "WhatsAppBusinessPhoneNumber",
            Self::WhatsAppMedium => "WhatsAppMedia",
        }
    }

    /// The placeholder in normalised paths.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Comment => "{comment}",
            Self::InstagramComment => "{ig_comment}",
            Self::Conversation => "{conversation}",
            Self::Message => "{message}",
            Self::Profile => "{person}",
            Self::Waba => "{waba}",
            Self::PhoneNumber => "{phone_number}",
            Self::WhatsAppMedium => "{whatsapp_media}",
        }
    }

    pub(super) fn default_fields(self) -> &'static [&'static str] {
        match self {
            Self::Comment => comment::DEFAULTS,
            Self::InstagramComment => &["timestamp", "text", "id"],
            Self::Conversation => &["id", "link", "updated_time"],
            Self::Message => &["id", "created_time"],
            Self::Profile => &["id", "name", "first_name", "last_name", "profile_pic"],
            Self::Waba => &["id", "name", "timezone_id", "message_template_namespace"],
            Self::PhoneNumber => {
                &["id", "display_phone_number", "verified_name", "quality_rating", "code_verification_status"]
            }
            Self::WhatsAppMedium => &["id", "url", "mime_type", "sha256", "file_size", "messaging_product"],
        }
    }
}

/// The edges of node types of this module.
pub(super) fn edges_of(node_type: &str) -> &'static [&'static str] {
    match node_type {
        "Comment" => &["comments", "reactions", "likes"],
        "ShadowIGComment" => &["replies"],
        "UnifiedThread" => &["messages"],
        "WhatsAppBusinessAccount" => &["phone_numbers", "message_templates", "subscribed_apps"],
        _ => &[],
    }
}

/// Returns the kind of an id. WhatsApp's messages and threads are no nodes.
pub(super) fn find(world: &World, id: &str) -> Option<Kind> {
    let inbox = &world.inbox;
    if let Some(comment) = inbox.comment(id) {
        return match comment.account {
            _ if comment.removed => None,
            Account::Page(_) => Some(Kind::Comment),
            Account::Instagram(_) | Account::Number(_) => Some(Kind::InstagramComment),
        };
    }
    if inbox.scoped(id).is_some() {
        Some(Kind::Profile)
    } else if inbox.wabas.contains_key(id) {
        Some(Kind::Waba)
    } else if inbox.numbers.contains_key(id) {
        Some(Kind::PhoneNumber)
    } else if inbox.file(id).is_some_and(|it| it.number_id.is_some() && it.until_ms > world.clock.now_ms()) {
        Some(Kind::WhatsAppMedium)
    } else if let Some((thread, _)) = inbox.message(id) {
        (!matches!(thread.account, Account::Number(_))).then_some(Kind::Message)
    } else {
        let thread = inbox.thread(id)?;
        (!matches!(thread.account, Account::Number(_))).then_some(Kind::Conversation)
    }
}

/// Returns the Instagram account of a comment.
pub(super) fn account_of(world: &World, id: &str) -> Option<String> {
    match &world.inbox.comment(id)?.account {
        Account::Instagram(id) => Some(id.clone()),
        Account::Page(_) | Account::Number(_) => None,
    }
}

/// Returns the node that a field of a comment shows.
pub(super) fn related(call: &Call<'_>, node: &Node, field: &str) -> Option<Node> {
    let (Node::Inbox(Kind::Comment | Kind::InstagramComment, id), "parent" | "object" | "media") = (node, field) else {
        return None;
    };
    let comment = call.world.inbox.comment(id)?;
    match (&comment.account, field) {
        (Account::Page(_), "parent") => Some(Node::Inbox(Kind::Comment, comment.parent_id.clone()?)),
        (Account::Page(_), "object") => Some(Node::Content(content::Kind::Post, comment.on.clone())),
        (Account::Instagram(_), "media") => Some(Node::Content(content::Kind::Medium, comment.on.clone())),
        _ => None,
    }
}

/// Checks that the caller may read a node.
///
/// # Errors
/// Returns 190/2069032 without a page token, 10 or 200 without a permission, 100/33 for what the token does not reach,
/// 230 or 100/2018218 for a person who gave no consent.
pub(super) fn check_readable(call: &mut Call<'_>, kind: Kind, id: &str) -> Result<(), GraphError> {
    match kind {
        Kind::Comment | Kind::InstagramComment => comment::check_readable(call, id),
        Kind::Conversation | Kind::Message => conversations::check_readable(call, id),
        Kind::Profile => profile::check_readable(call, id),
        Kind::Waba => rights::whatsapp(call, id, id, "whatsapp_business_management"),
        Kind::PhoneNumber => rights::number(call, id, "whatsapp_business_management"),
        Kind::WhatsAppMedium => whatsapp::media::check_readable(call, id),
    }
}

/// Returns the value of a field. `None` if the node has no such value.
pub(super) fn value(call: &mut Call<'_>, kind: Kind, id: &str, field: &str) -> Result<Option<Value>, GraphError> {
    Ok(match kind {
        Kind::Comment => comment::value(call, id, field),
        Kind::InstagramComment => instagram_comment::value(call, id, field),
        Kind::Conversation => conversations::value(call, id, field),
        Kind::Message => conversations::message_value(call, id, field),
        Kind::Profile => profile::value(call, id, field),
        Kind::Waba => whatsapp::accounts::value(call.world, id, field),
        Kind::PhoneNumber => whatsapp::accounts::number_value(call.world, id, field),
        Kind::WhatsAppMedium => whatsapp::media::value(call, id, field),
    })
}

/// `mentioned_comment.comment_id(…)` and `mentioned_media.media_id(…)` of an Instagram account.
pub(super) fn mention(call: &mut Call<'_>, account_id: &str, field: &Field) -> Result<Option<Value>, GraphError> {
    mentions::value(call, account_id, field).map(Some)
}

/// Reads an edge of a page's post. The caller checked that the post can be read.
pub(super) fn post_edge(call: &mut Call<'_>, id: &str, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    match edge {
        "comments" => comment_edges::list(call, id, None, query),
        "reactions" => reactions::list(call, id, query),
        _ => reactions::shared_posts(call, query),
    }
}

/// Reads the comments on an Instagram medium. The caller checked that the medium can be read.
pub(super) fn media_comments(call: &mut Call<'_>, id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    instagram_comment::list(call, id, query)
}

/// `GET /{page}/conversations`.
pub(super) fn conversations(call: &mut Call<'_>, page_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    conversations::list(call, page_id, query)
}

/// `owned_whatsapp_business_accounts` and `client_whatsapp_business_accounts` of a business.
pub(super) fn accounts_of_business(
    call: &mut Call<'_>,
    business_id: &str,
    edge: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    whatsapp::accounts::of_business(call, business_id, edge, query)
}

/// `assigned_whatsapp_business_accounts` of a system user.
pub(super) fn accounts_of_user(call: &mut Call<'_>, user_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    whatsapp::accounts::of_user(call, user_id, query)
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
        (Kind::Comment, "comments") => {
            let on = call.world.inbox.comment(id).map(|comment| comment.on.clone()).unwrap_or_default();
            comment_edges::list(call, &on, Some(id), query)
        }
        (Kind::Comment, "reactions" | "likes") => reactions::list(call, id, query),
        (Kind::InstagramComment, "replies") => instagram_comment::replies(call, id, query),
        (Kind::Conversation, "messages") => conversations::messages(call, id, query),
        (Kind::Waba, _) => whatsapp::accounts::read_edge(call, id, edge, query),
        _ => Err(GraphError::nonexisting_field(edge, kind.type_name())),
    }
}

/// Runs a request that writes, changes or deletes. `None` for all other requests.
pub(super) fn write(call: &mut Call<'_>, node: &Node, rest: &[&str]) -> Option<Result<Value, GraphError>> {
    use content::Kind as Content;
    let method = call.request.method.clone();
    Some(match (method.as_str(), node, rest) {
        ("POST", Node::Content(Content::Post, id) | Node::Inbox(Kind::Comment, id), ["comments"]) => {
            comment_edges::create(call, id)
        }
        ("POST", Node::Inbox(Kind::Comment, id), []) => comment::update(call, id),
        ("DELETE", Node::Inbox(Kind::Comment, id), []) => comment::delete(call, id),
        ("POST", Node::Content(Content::Medium, id), ["comments"])
        | ("POST", Node::Inbox(Kind::InstagramComment, id), ["replies"]) => instagram_comment::create(call, id),
        ("POST", Node::Inbox(Kind::InstagramComment, id), []) => instagram_comment::hide(call, id),
        ("DELETE", Node::Inbox(Kind::InstagramComment, id), []) => instagram_comment::delete(call, id),
        ("POST", Node::Content(Content::Account, id), ["mentions"]) => mentions::reply(call, id),
        ("POST", Node::Content(Content::Account, _), ["messages"]) => Err(rights::no_capability()),
        ("POST", Node::Page(id), ["messages"]) => send::send(call, id),
        ("POST", Node::Page(id), ["message_attachments"]) => attachment::save(call, id),
        ("POST", Node::Inbox(Kind::Waba, id), ["subscribed_apps"]) => whatsapp::accounts::subscribe(call, id, true),
        ("DELETE", Node::Inbox(Kind::Waba, id), ["subscribed_apps"]) => whatsapp::accounts::subscribe(call, id, false),
        ("POST", Node::Inbox(Kind::PhoneNumber, id), ["messages"]) => whatsapp::send::send(call, id),
        ("POST", Node::Inbox(Kind::PhoneNumber, id), ["media"]) => whatsapp::media::upload(call, id),
        ("DELETE", Node::Inbox(Kind::WhatsAppMedium, id), []) => whatsapp::media::delete(call, id),
        _ => return None,
    })
}
