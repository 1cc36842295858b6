//! Events of the inbox.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Event, EventKind};
use crate::ids::{ContactId, ConversationId, LeadId, MessageId, OrgId, OrgScope, UserId};
use crate::model::inbox::event::{Signal, SignalType};
use crate::model::inbox::state::MessageState;
use crate::model::inbox::{Author, Channel, Contact, Conversation, ConversationStatus};

/// `message.received`.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageReceived {
    id: String,
    org: OrgId,
    channel: Channel,
    /// Meta's id of the page, the Instagram account or the WhatsApp number.
    account: String,
    conversation_id: ConversationId,
    message_id: MessageId,
    /// The person who wrote it; `null` for an anonymous comment.
    contact_id: Option<ContactId>,
    /// The text. Files are read through the API.
    text: Option<String>,
    /// The number of files and the like that hang on it.
    attachments: usize,
    #[schema(value_type = String, format = DateTime)]
    created_time: Timestamp,
}

/// `conversation.changed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationChanged {
    id: String,
    org: OrgId,
    channel: Channel,
    /// Meta's id of the page, the Instagram account or the WhatsApp number.
    account: String,
    conversation_id: ConversationId,
    contact_id: Option<ContactId>,
    status: ConversationStatus,
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
    assigned_to: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// `engagement.recorded`.
#[derive(Debug, Serialize, ToSchema)]
pub struct EngagementRecorded {
    id: String,
    org: OrgId,
    channel: Channel,
    contact_id: ContactId,
    lead_id: Option<LeadId>,
    /// What the person did.
    r#type: SignalType,
    /// Meta's id of the post, the comment or the story.
    on: String,
    /// The kind of reaction, or the text of a mention.
    value: Option<String>,
    /// Its address at Meta.
    permalink: Option<String>,
    /// Whether it was done, or taken back.
    active: bool,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl Event {
    /// A message or a comment of another person. `None` for one of our own, and for one that was deleted.
    #[must_use]
    pub fn message_received(scope: &OrgScope, state: &MessageState, account: &str) -> Option<Self> {
        let content = state.content.as_ref().filter(|content| !content.is_ours)?;
        if state.deleted_at.is_some() {
            return None;
        }
        let contact_id = match &content.author {
            Author::Contact { id, .. } => id.clone(),
            _ => None,
        };
        let received = MessageReceived {
            id: format!("message.received:{}:{}", scope.org(), state.id),
            org: scope.org().clone(),
            channel: state.channel,
            account: account.to_owned(),
            conversation_id: content.conversation_id.clone(),
            message_id: state.id.clone(),
            contact_id,
            text: state.text().map(ToOwned::to_owned),
            attachments: content.attachments.len(),
            created_time: content.created_time,
        };
        Some(Self::new(EventKind::MessageReceived, &received))
    }

    /// A conversation was opened, closed, snoozed or assigned.
    #[must_use]
    pub fn conversation_changed(conversation: &Conversation, at: Timestamp) -> Self {
        let changed = ConversationChanged {
            id: format!("conversation.changed:{}:{}:{}", conversation.org, conversation.id, conversation.revision),
            org: conversation.org.clone(),
            channel: conversation.channel,
            account: conversation.account.clone(),
            conversation_id: conversation.id.clone(),
            contact_id: conversation.contact_id.clone(),
            status: conversation.status,
            snoozed_until: conversation.snoozed_until,
            assigned_to: conversation.assigned_to.clone(),
            at,
        };
        Self::new(EventKind::ConversationChanged, &changed)
    }

    /// A person did something with a post.
    #[must_use]
    pub fn engagement_recorded(scope: &OrgScope, contact: &Contact, channel: Channel, signal: &Signal) -> Self {
        let kind: &str = signal.r#type.into();
        let recorded = EngagementRecorded {
            id: format!(
                "engagement.recorded:{}:{}:{kind}:{}:{}:{}",
                scope.org(),
                contact.id,
                signal.on,
                signal.at.as_second(),
                signal.active
            ),
            org: scope.org().clone(),
            channel,
            contact_id: contact.id.clone(),
            lead_id: contact.lead_id.clone(),
            r#type: signal.r#type,
            on: signal.on.clone(),
            value: signal.value.clone(),
            permalink: signal.permalink.clone(),
            active: signal.active,
            at: signal.at,
        };
        Self::new(EventKind::EngagementRecorded, &recorded)
    }
}
