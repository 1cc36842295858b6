//! Conversations and contacts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{ContactId, ConversationId, PageId, UserId};
use leadwire::inbox::{
    AnswerIn, ContactChangeIn, ContactList, ContactOut, ConversationChangeIn, ConversationList, ConversationOut,
    ConversationQuery, MessageList, MessageOut, TemplateList,
};
use leadwire::model::inbox::{Channel, ConversationStatus};

use crate::access::{Member, MetaAccess, OrgHeader};
use crate::input::{Input, Parameters};
use crate::posts::once;
use crate::schemas::{Cursor, Limit, RequestId};
use crate::state::Api;

/// List conversations
///
/// Newest message first. A filtered page may be shorter than `limit` and still have a `next_cursor`.
#[utoipa::path(
    get, path = "/api/conversations", tag = "inbox", operation_id = "listConversations",
    params(
        OrgHeader,
        ("channel" = Option<Channel>, Query),
        ("status" = Option<ConversationStatus>, Query),
        ("assigned_to" = Option<UserId>, Query, description = "A user's id; `none` for those of no one"),
        ("page_id" = Option<PageId>, Query),
        ("contact_id" = Option<ContactId>, Query),
        ("q" = Option<String>, Query, description = "Words of the person's name or of the newest texts"),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
    ),
    responses((status = 200, body = ConversationList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    parameters: Parameters,
) -> Result<Json<ConversationList>, Problem> {
    parameters.check(&["channel", "status", "assigned_to", "page_id", "contact_id", "q", "cursor", "limit"])?;
    let channel = parameters.get("channel").map(str::parse).transpose().map_err(|_| {
        let detail = "One of facebook_comment, instagram_comment, messenger, instagram and whatsapp.";
        Problem::field("channel", ProblemCode::ChannelUnknown, detail)
    })?;
    let status = parameters
        .get("status")
        .map(str::parse)
        .transpose()
        .map_err(|_| Problem::field("status", ProblemCode::StatusUnknown, "One of open, closed and snoozed."))?;
    let assigned_to = match parameters.get("assigned_to") {
        None => None,
        Some("none") => Some(None),
        Some(_) => Some(parameters.id("assigned_to", UserId::parse)?),
    };
    let query = ConversationQuery {
        channel,
        status,
        assigned_to,
        page_id: parameters.id("page_id", PageId::parse)?,
        contact_id: parameters.id("contact_id", ContactId::parse)?,
        words: parameters.get("q").map(ToOwned::to_owned),
    };
    let (cursor, limit, now) = (parameters.get("cursor"), parameters.limit()?, leadwire::clock::now());
    Ok(Json(api.rooms.inbox.conversations(&access, &query, cursor, limit, now).await?))
}

/// Get a conversation
#[utoipa::path(
    get, path = "/api/conversations/{id}", tag = "inbox", operation_id = "readConversation",
    params(("id" = ConversationId, Path), OrgHeader),
    responses((status = 200, body = ConversationOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<ConversationId>,
) -> Result<Json<ConversationOut>, Problem> {
    Ok(Json(api.rooms.inbox.conversation(&access, &id, leadwire::clock::now()).await?))
}

/// Change a conversation
///
/// Close, reopen or snooze it, assign it, mark it as read. A conversation that is not open opens when the other person
/// writes again.
#[utoipa::path(
    patch, path = "/api/conversations/{id}", tag = "inbox", operation_id = "changeConversation",
    params(("id" = ConversationId, Path), OrgHeader),
    request_body = ConversationChangeIn,
    responses((status = 200, body = ConversationOut))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<ConversationId>,
    Input(input): Input<ConversationChangeIn>,
) -> Result<Json<ConversationOut>, Problem> {
    Ok(Json(api.rooms.inbox.change_conversation(&access, &id, &input, leadwire::clock::now()).await?))
}

/// List the messages of a conversation
///
/// Newest first. A message that its author deleted stays in the list without text and files.
#[utoipa::path(
    get, path = "/api/conversations/{id}/messages", tag = "inbox", operation_id = "listMessages",
    params(
        ("id" = ConversationId, Path), OrgHeader,
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
    ),
    responses((status = 200, body = MessageList))
)]
pub(crate) async fn messages(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<ConversationId>,
    parameters: Parameters,
) -> Result<Json<MessageList>, Problem> {
    parameters.check(&["cursor", "limit"])?;
    Ok(Json(api.rooms.inbox.messages(&access, &id, parameters.get("cursor"), parameters.limit()?).await?))
}

/// Answer
///
/// A text, a file or a template of WhatsApp; `private` answers a comment by a message to its author. A `note` is kept for
/// the org's members and sent to no one. The answer is taken
/// and sent in the background, once; its `status` tells how far it is. 409 `window_closed` and `reply_not_possible` say
/// why Meta would not deliver it.
#[utoipa::path(
    post, path = "/api/conversations/{id}/messages", tag = "inbox", operation_id = "answer",
    params(
        ("id" = ConversationId, Path), OrgHeader,
        ("Idempotency-Key" = Option<RequestId>, Header, description = "The same as `request_id`")
    ),
    request_body = AnswerIn,
    responses((status = 202, body = MessageOut))
)]
pub(crate) async fn answer(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<ConversationId>,
    headers: HeaderMap,
    Input(input): Input<AnswerIn>,
) -> Result<(StatusCode, Json<MessageOut>), Problem> {
    let once = once("answer", "request_id", &headers, input.request_id.as_deref(), &(&id, &input))?;
    Ok((StatusCode::ACCEPTED, Json(api.rooms.inbox.answer(&access, &id, input, once, leadwire::clock::now()).await?)))
}

/// List templates
///
/// The templates of WhatsApp that Meta has approved, for answers after the window has closed.
#[utoipa::path(
    get, path = "/api/conversations/{id}/templates", tag = "inbox", operation_id = "listTemplates",
    params(("id" = ConversationId, Path), OrgHeader),
    responses((status = 200, body = TemplateList))
)]
pub(crate) async fn templates(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<ConversationId>,
) -> Result<Json<TemplateList>, Problem> {
    Ok(Json(api.rooms.inbox.templates(&access, &id).await?))
}

/// List contacts
///
/// The people of the inbox, those who were seen last first.
#[utoipa::path(
    get, path = "/api/contacts", tag = "inbox", operation_id = "listContacts",
    params(
        OrgHeader,
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
    ),
    responses((status = 200, body = ContactList))
)]
pub(crate) async fn contacts(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    parameters: Parameters,
) -> Result<Json<ContactList>, Problem> {
    parameters.check(&["cursor", "limit"])?;
    Ok(Json(api.rooms.inbox.contacts(&access, parameters.get("cursor"), parameters.limit()?).await?))
}

/// Get a contact
#[utoipa::path(
    get, path = "/api/contacts/{id}", tag = "inbox", operation_id = "readContact",
    params(("id" = ContactId, Path), OrgHeader),
    responses((status = 200, body = ContactOut))
)]
pub(crate) async fn contact(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<ContactId>,
) -> Result<Json<ContactOut>, Problem> {
    Ok(Json(api.rooms.inbox.contact(&access, &id).await?))
}

/// Erase a contact
///
/// The person's ids and names, the conversations with them, what they wrote below others' comments, and all files. What
/// they write from now on makes a new contact. A lead of the person stays. Already erased counts as success; after a 503,
/// repeat it.
#[utoipa::path(
    delete, path = "/api/contacts/{id}", tag = "inbox", operation_id = "eraseContact",
    params(("id" = ContactId, Path), OrgHeader),
    responses((status = 204, description = "Erased"))
)]
pub(crate) async fn erase_contact(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<ContactId>,
) -> Result<StatusCode, Problem> {
    api.rooms.inbox.erase_contact(&access.scope, &id, leadwire::clock::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change a contact
///
/// Name it, join it with a lead, or join it with another contact that is the same person.
#[utoipa::path(
    patch, path = "/api/contacts/{id}", tag = "inbox", operation_id = "changeContact",
    params(("id" = ContactId, Path), OrgHeader),
    request_body = ContactChangeIn,
    responses((status = 200, body = ContactOut))
)]
pub(crate) async fn change_contact(
    State(api): State<Arc<Api>>,
    Member(access): Member,
    Id(id): Id<ContactId>,
    Input(input): Input<ContactChangeIn>,
) -> Result<Json<ContactOut>, Problem> {
    Ok(Json(api.rooms.inbox.change_contact(&access, &id, &input).await?))
}
