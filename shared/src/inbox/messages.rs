//! The messages of a conversation, as members see them.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Inbox;
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, Missing};
use crate::files::FileKey;
use crate::ids::{AdObjectId, ConversationId, MessageId};
use crate::language;
use crate::model::inbox::people::message_id;
use crate::model::inbox::state::{MessageState, MessageStatus};
use crate::model::inbox::{Attachment, AttachmentStatus, Author, Conversation};
use crate::model::lead::FoundBy;
use crate::table::inbox::InboxPosition;

/// How long a link to a file works.
const LINK_TIME: Duration = Duration::from_hours(1);

/// A page of messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageList {
    pub items: Vec<MessageOut>,
    pub next_cursor: Option<String>,
}

/// A message or a comment.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageOut {
    pub id: MessageId,
    /// Meta's id; `null` for a message that Meta has not taken yet.
    pub meta_id: Option<String>,
    /// The message it answers, or the comment above it.
    pub parent_id: Option<MessageId>,
    pub direction: Direction,
    pub author: AuthorOut,
    pub text: Option<String>,
    pub attachments: Vec<AttachmentOut>,
    #[schema(value_type = String, format = DateTime)]
    pub created_time: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub edited_at: Option<Timestamp>,
    /// Deleted or unsent by its author: text and files are gone here too.
    pub deleted: bool,
    /// For comments: `visible` or `hidden`.
    pub visibility: Option<&'static str>,
    pub status: MessageStatus,
    /// Why it failed.
    pub reason: Option<String>,
    pub found_by: &'static str,
    pub reactions: Vec<ReactionOut>,
    /// The ad through which the person came.
    pub ad_id: Option<AdObjectId>,
}

/// Who wrote to whom.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    In,
    Out,
}

/// Who wrote a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorOut {
    /// `contact`, `user` (a member, through Leadwire), `page` (in Meta's own inbox) or `automation`.
    pub kind: &'static str,
    pub id: Option<String>,
    pub name: Option<String>,
}

/// Something that hangs on a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentOut {
    pub r#type: String,
    pub url: Option<String>,
    pub status: AttachmentStatus,
    pub name: Option<String>,
    /// Why there is no file.
    pub reason: Option<String>,
}

/// A reaction to a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReactionOut {
    pub value: String,
    /// Meta's id of who reacted.
    pub by: String,
}

impl Inbox {
    /// Lists the messages of a conversation, newest first.
    pub async fn messages(
        &self,
        access: &MetaAccess,
        id: &ConversationId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<MessageList, ActError> {
        let cursor = ListCursor::new(&self.key, &access.scope, "messages");
        let after: Option<InboxPosition> = cursor.decode(after)?;
        let page = async { Ok(self.table.for_display().messages(&access.scope, id, after.as_ref(), limit).await?) };
        let (conversation, page) = tokio::try_join!(self.find_conversation(access, id), page)?;
        let next = page.last().filter(|_| page.len() == limit).map(|(position, _)| cursor.encode(position));
        let mut items = Vec::new();
        for (_, state) in page {
            items.extend(self.message_out(access, state, &conversation).await?);
        }
        Ok(MessageList { items, next_cursor: next })
    }

    /// A link to a kept file of a message that works for an hour.
    pub async fn file_link(&self, access: &MetaAccess, id: &MessageId, position: usize) -> Result<String, ActError> {
        let not_found = || ActError::not_found(Missing::File);
        let state = self.table.message(&access.scope, id).await?;
        let content = state.and_then(|state| state.content).ok_or_else(not_found)?;
        let file = content.attachments.get(position).filter(|file| file.status == AttachmentStatus::Ready);
        let file = file.ok_or_else(not_found)?;
        self.ready_link(access, id, position, file).await
    }

    async fn ready_link(
        &self,
        access: &MetaAccess,
        id: &MessageId,
        position: usize,
        file: &Attachment,
    ) -> Result<String, ActError> {
        let key = FileKey::of_attachment(&access.scope, id, position);
        let kind = file.content_type.as_deref().unwrap_or("application/octet-stream");
        let name = file.name.as_deref().unwrap_or("file");
        Ok(self.files.safe_link(&key, kind, name, LINK_TIME).await?.into())
    }

    /// A message as members see it, with links to its files that work for an hour. `None` if only reports of it have come.
    pub(super) async fn message_out(
        &self,
        access: &MetaAccess,
        state: MessageState,
        conversation: &Conversation,
    ) -> Result<Option<MessageOut>, ActError> {
        let status = state.status(conversation.delivered_until, conversation.read_until);
        let text = state.text().map(ToOwned::to_owned);
        let channel = state.channel;
        let Some(content) = state.content else { return Ok(None) };
        let mut attachments = Vec::new();
        for (position, attachment) in content.attachments.into_iter().enumerate() {
            let url = match attachment.status {
                AttachmentStatus::Ready => Some(self.ready_link(access, &state.id, position, &attachment).await?),
                _ => attachment.url,
            };
            let Attachment { r#type, name, status, reason, .. } = attachment;
            let reason = reason.map(|reason| language::translate(&reason).into_owned());
            attachments.push(AttachmentOut { r#type, url, status, name, reason });
        }
        let is_hidden = state.hidden.is_some_and(|(hidden, _)| hidden);
        let reactions = state.reactions.into_iter();
        Ok(Some(MessageOut {
            id: state.id,
            meta_id: state.mid,
            parent_id: content.parent.map(|parent| message_id(channel, &parent)),
            direction: if content.is_ours { Direction::Out } else { Direction::In },
            author: content.author.into(),
            text,
            attachments,
            created_time: content.created_time,
            edited_at: state.edit.map(|edit| edit.at),
            deleted: state.deleted_at.is_some(),
            visibility: channel.is_comment().then_some(if is_hidden { "hidden" } else { "visible" }),
            status,
            reason: state.failure.map(|failure| {
                let message = language::translate(&failure.message);
                if failure.code == 0 { message.into_owned() } else { format!("{message} ({})", failure.code) }
            }),
            found_by: if content.found_by == FoundBy::Webhook { "webhook" } else { "sync" },
            reactions: reactions.filter_map(|known| Some(ReactionOut { value: known.value?, by: known.by })).collect(),
            ad_id: content.ad_id,
        }))
    }
}

impl From<Author> for AuthorOut {
    fn from(author: Author) -> Self {
        match author {
            Author::Contact { id, name } => Self { kind: "contact", id: id.map(|id| id.to_string()), name },
            Author::User { id, name } => Self { kind: "user", id: Some(id.to_string()), name },
            Author::Program { id } => Self { kind: "automation", id: Some(id.to_string()), name: None },
            Author::Page => Self { kind: "page", id: None, name: None },
            Author::Automation { app_id } => Self { kind: "automation", id: app_id, name: None },
        }
    }
}
