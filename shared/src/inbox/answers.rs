//! Answers that members write: checked against the channel's rules, then stored and queued.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::Inbox;
use super::contacts::resolve;
use super::ingest::MAX_TRIES;
use super::messages::MessageOut;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{ConversationId, MessageId};
use crate::jobs::AnswerJob;
use crate::model::caller::Caller;
use crate::model::inbox::outgoing::{SendAttachment, SendContent, SendRoute, SendTemplate, Sending};
use crate::model::inbox::reply::{NOTE_LIMIT, TextLimit};
use crate::model::inbox::state::{MessageContent, MessageState};
use crate::model::inbox::{Attachment, AttachmentStatus, Author, Channel, Contact, Conversation};
use crate::model::json_input::maybe_object;
use crate::model::lead::FoundBy;
use crate::model::web_address::parse_public;
use crate::once::OnceKey;
use crate::table::{TableError, pause};
use crate::tr;

/// An answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerIn {
    /// The text: at most 2,000 characters on Messenger, 1,000 bytes on Instagram, 4,096 characters on WhatsApp, 8,000 in
    /// comments.
    pub text: Option<String>,
    /// The public address of a picture, a video, a sound or another file. On Messenger and Instagram without a text.
    pub attachment_url: Option<String>,
    /// An approved template of WhatsApp, instead of a text.
    #[serde(default, deserialize_with = "template")]
    #[schema(value_type = Option<SendTemplateIn>)]
    pub template: Option<SendTemplate>,
    /// Answers a comment by a message to its author, which only they see. Once, and within 7 days.
    #[serde(default)]
    pub private: bool,
    /// Keeps the text beside the conversation, for members only. It is sent to no one, and no window closes it.
    #[serde(default)]
    pub note: bool,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

/// A template of WhatsApp with its variables.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SendTemplateIn {
    /// Its name at Meta.
    pub name: String,
    /// Its language, such as `en_US`.
    pub language: String,
    /// The values of its variables, in order.
    #[serde(default)]
    pub variables: Vec<String>,
}

/// A template of a caller, which has no other fields. A stored one may have those of a later release.
fn template<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SendTemplate>, D::Error> {
    let template: Option<SendTemplateIn> = maybe_object(deserializer)?;
    Ok(template.map(|SendTemplateIn { name, language, variables }| SendTemplate { name, language, variables }))
}

/// How long the author of a comment can be answered privately.
const PRIVATE_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Inbox {
    /// Takes an answer of a member.
    ///
    /// # Errors
    /// Refuses what Meta would not deliver, with the reason: the window is closed, the text too long.
    pub async fn answer(
        &self,
        access: &MetaAccess,
        id: &ConversationId,
        input: AnswerIn,
        once: Option<OnceKey>,
        now: Timestamp,
    ) -> Result<MessageOut, ActError> {
        if let Some(known) = self.answered_before(access, once.as_ref()).await? {
            return Ok(known);
        }
        let about = self.find_conversation(access, id).await?;
        let contact = match &about.contact_id {
            Some(contact) => resolve(&self.table, &access.scope, contact.clone()).await?,
            None => None,
        };
        let content = if input.note { check_note(&input)? } else { check_content(&about, &input)? };
        let (conversation, route) = match input.note {
            true => (about, None),
            false => {
                let (conversation, route) = self.route(access, &about, contact.as_ref(), &input, now).await?;
                (conversation, Some(route))
            }
        };
        for attempt in 1..=MAX_TRIES {
            let mut conversation =
                self.table.conversation(&access.scope, &conversation.id).await?.unwrap_or(conversation.clone());
            let mut message = message(access, &conversation, content.clone(), route.clone(), now);
            if route.is_some() {
                conversation.sending.push(message.id.clone());
                if now >= conversation.last_message_at {
                    conversation.last_message_at = now;
                    conversation.preview = content.text.clone().unwrap_or_default().chars().take(120).collect();
                }
            }
            content.text.as_deref().into_iter().for_each(|text| conversation.make_searchable(text));
            (conversation.unread, conversation.read_at) = (0, Some(now));
            let request = once.as_ref().map(|once| once.record(vec![message.id.to_string()], now));
            let is_stored =
                self.table.insert_answer(&access.scope, &mut message, &mut conversation, request.as_ref()).await?;
            if is_stored {
                access.trail.about(&message.id);
                if route.is_some() {
                    self.queue(access, &message.id).await;
                }
                return self
                    .message_out(access, message, &conversation)
                    .await?
                    .ok_or_else(|| ActError::not_found(Missing::Message));
            }
            if let Some(known) = self.answered_before(access, once.as_ref()).await? {
                return Ok(known);
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    async fn answered_before(
        &self,
        access: &MetaAccess,
        once: Option<&OnceKey>,
    ) -> Result<Option<MessageOut>, ActError> {
        let Some(once) = once else { return Ok(None) };
        let Some(known) = self.table.request(&access.scope, once.operation(), once.hash()).await? else {
            return Ok(None);
        };
        let Some(id) = once.known_ids(&known)?.first().and_then(|id| MessageId::parse(id).ok()) else {
            return Ok(None);
        };
        let Some(state) = self.table.message(&access.scope, &id).await? else { return Ok(None) };
        let Some(content) = &state.content else { return Ok(None) };
        let conversation = self.find_conversation(access, &content.conversation_id).await?;
        self.message_out(access, state, &conversation).await
    }

    /// Queues an answer. If this fails, the schedule does.
    async fn queue(&self, access: &MetaAccess, id: &MessageId) {
        let job = AnswerJob { org: access.scope.org().clone(), message: id.clone() };
        if let Err(error) = self.answers.send(&[job]).await {
            tracing::warn!(%error, message = %id, "an answer could not be queued; the schedule will");
        }
    }

    /// Finds the conversation in which an answer stands, and where it goes.
    async fn route(
        &self,
        access: &MetaAccess,
        about: &Conversation,
        contact: Option<&Contact>,
        input: &AnswerIn,
        now: Timestamp,
    ) -> Result<(Conversation, SendRoute), ActError> {
        if input.private {
            return self.private_route(access, about, contact, now).await;
        }
        let is_template = input.template.is_some();
        let rule = about.reply_rule(self.has_human_agent && !access.caller.is_program, now);
        if let Some(reason) = rule.reason.filter(|_| !rule.allowed && !is_template) {
            return Err(ActError::refuse(ErrorCode::WindowClosed, reason));
        }
        let person = contact.and_then(|contact| contact.channel_in(about));
        let unreachable = || {
            ActError::refuse(
                ErrorCode::ReplyNotPossible,
                tr!("Meta does not say who wrote this, so it cannot be answered."),
            )
        };
        let route = match about.channel {
            Channel::FacebookComment | Channel::InstagramComment => {
                let comment = about.root.clone().ok_or_else(unreachable)?;
                match about.channel {
                    Channel::FacebookComment => SendRoute::FacebookComment { comment },
                    _ => SendRoute::InstagramComment { comment },
                }
            }
            Channel::Messenger | Channel::Instagram => SendRoute::Page {
                page: about.page_id.clone().ok_or_else(no_page)?,
                person: person.and_then(|known| known.meta_id.clone()).ok_or_else(unreachable)?,
                human_agent: rule.by_human_agent,
            },
            Channel::Whatsapp => {
                let known = person.ok_or_else(unreachable)?;
                SendRoute::Whatsapp {
                    number: about.account.clone(),
                    person: known.meta_id.clone(),
                    phone: known.phone.clone(),
                }
            }
        };
        Ok((about.clone(), route))
    }

    /// A comment is answered privately in the conversation with its author.
    async fn private_route(
        &self,
        access: &MetaAccess,
        about: &Conversation,
        contact: Option<&Contact>,
        now: Timestamp,
    ) -> Result<(Conversation, SendRoute), ActError> {
        let refuse = |message| Err(ActError::refuse(ErrorCode::ReplyNotPossible, message));
        let channel = match about.channel {
            Channel::FacebookComment => Channel::Messenger,
            Channel::InstagramComment => Channel::Instagram,
            _ => {
                let message = tr!("Only comments can be answered privately.");
                return Err(ActError::invalid("private", ErrorCode::FieldsConflict, message));
            }
        };
        let (Some(root), Some(contact)) = (&about.root, contact) else {
            return refuse(tr!("Meta does not say who wrote this comment, so it cannot be answered privately."));
        };
        let page = about.page_id.clone().ok_or_else(no_page)?;
        let id = crate::model::inbox::people::message_id(about.channel, root);
        let written = self.table.message(&access.scope, &id).await?.and_then(|state| state.content);
        if written.as_ref().is_some_and(|content| content.created_time + PRIVATE_WINDOW < now) {
            return refuse(tr!("This comment is older than 7 days. It can only be answered publicly."));
        }
        let author = written.as_ref().and_then(|content| match &content.author {
            Author::Contact { id, .. } => id.as_ref(),
            _ => None,
        });
        let id = contact.private_conversation(channel, &about.account, author);
        let conversation = match self.table.conversation(&access.scope, &id).await? {
            Some(known) => known,
            None => Conversation {
                contact_id: Some(contact.id.clone()),
                page_id: Some(page.clone()),
                ..Conversation::new(access.scope.org().clone(), id, channel, &about.account)
            },
        };
        let person = contact.channel_in(&conversation).and_then(|known| known.meta_id.clone());
        Ok((conversation, SendRoute::Privately { page, comment: root.clone(), person }))
    }
}

fn no_page() -> ActError {
    ActError::refuse(
        ErrorCode::ReplyNotPossible,
        tr!("The page of this account is unknown. Reconnect the integration."),
    )
}

fn message(
    access: &MetaAccess,
    conversation: &Conversation,
    content: SendContent,
    route: Option<SendRoute>,
    now: Timestamp,
) -> MessageState {
    let template = content.template.as_ref().map(|template| format!("[{}]", template.name));
    let attachment = content.attachment.iter().map(|file| Attachment {
        r#type: file.r#type.clone(),
        url: Some(file.url.clone()),
        name: None,
        status: AttachmentStatus::None,
        content_type: None,
        bytes: None,
        reason: None,
        source: None,
    });
    let Caller { user, name, is_program, .. } = &access.caller;
    let author = match is_program {
        true => Author::Program { id: user.clone() },
        false => Author::User { id: user.clone(), name: name.clone() },
    };
    let stored = MessageContent {
        conversation_id: conversation.id.clone(),
        is_ours: true,
        author,
        text: content.text.clone().or(template),
        attachments: attachment.collect(),
        created_time: now,
        arrived_at: now,
        parent: conversation.root.clone(),
        post: conversation.post.clone(),
        ad_id: None,
        found_by: FoundBy::Webhook,
        is_note: route.is_none(),
    };
    let mut state = MessageState::unknown(MessageId::new(), conversation.channel, None);
    state.content = Some(stored);
    state.sending = route.map(|route| Sending::new(route, content, now));
    state
}

/// Checks a note: only a text.
fn check_note(input: &AnswerIn) -> Result<SendContent, ActError> {
    let most = NOTE_LIMIT.most;
    let others = [
        ("attachment_url", input.attachment_url.is_some()),
        ("template", input.template.is_some()),
        ("private", input.private),
    ];
    if let Some((field, _)) = others.into_iter().find(|(_, is_given)| *is_given) {
        return Err(ActError::invalid(field, ErrorCode::FieldsConflict, tr!("A note has only a text.")));
    }
    let text = input.text.clone().filter(|text| !text.trim().is_empty());
    let text =
        text.ok_or_else(|| ActError::invalid("text", ErrorCode::ContentMissing, tr!("The text of the note.")))?;
    if text.chars().count() > most {
        let length = text.chars().count();
        let message = tr!("At most {most} characters; this has {length}.", most = most, length = length);
        return Err(ActError::invalid("text", ErrorCode::TextTooLong, message));
    }
    Ok(SendContent { text: Some(text), ..SendContent::default() })
}

/// Checks what an answer says against the limits of the channel.
fn check_content(about: &Conversation, input: &AnswerIn) -> Result<SendContent, ActError> {
    let invalid = |field, code, message: Cow<'static, str>| Err(ActError::invalid(field, code, message));
    let text = input.text.clone().filter(|text| !text.trim().is_empty());
    let channel = match (about.channel, input.private) {
        (Channel::FacebookComment, true) => Channel::Messenger,
        (Channel::InstagramComment, true) => Channel::Instagram,
        (channel, _) => channel,
    };
    if text.is_none() && input.attachment_url.is_none() && input.template.is_none() {
        return invalid("text", ErrorCode::ContentMissing, tr!("A text, an attachment_url or a template."));
    }
    if let Some(template) = &input.template {
        if channel != Channel::Whatsapp {
            return invalid("template", ErrorCode::FieldsConflict, tr!("Only WhatsApp has templates."));
        }
        if text.is_some() || input.attachment_url.is_some() {
            return invalid("template", ErrorCode::FieldsConflict, tr!("Without text and attachment_url."));
        }
        if template.name.is_empty() || template.language.is_empty() {
            return invalid("template", ErrorCode::ContentMissing, tr!("A name and a language."));
        }
    }
    let has_file = input.attachment_url.is_some();
    if has_file && text.is_some() && matches!(channel, Channel::Messenger | Channel::Instagram) {
        let message =
            tr!("Messenger and Instagram need text and a file as two separate messages. Send one after the other.");
        return invalid("attachment_url", ErrorCode::FieldsConflict, message);
    }
    if has_file && channel == Channel::InstagramComment {
        let message = tr!("Comments on Instagram have no files.");
        return invalid("attachment_url", ErrorCode::FieldsConflict, message);
    }
    if let Some(text) = &text {
        let TextLimit { most, unit } = channel.text_limit(has_file);
        let length = if unit == "bytes" { text.len() } else { text.chars().count() };
        if length > most {
            let message = match unit {
                "bytes" => tr!("At most {most} bytes; this has {length}.", most = most, length = length),
                _ => tr!("At most {most} characters; this has {length}.", most = most, length = length),
            };
            return invalid("text", ErrorCode::TextTooLong, message.into());
        }
    }
    let attachment = match &input.attachment_url {
        None => None,
        Some(url) => match parse_public(url) {
            Ok(url) => Some(SendAttachment { r#type: kind_of(url.path()).to_owned(), url: url.into() }),
            Err(rule) => return Err(ActError::invalid("attachment_url", ErrorCode::AddressNotAllowed, rule)),
        },
    };
    Ok(SendContent { text, attachment, template: input.template.clone() })
}

/// What a file is, by the ending of its name.
fn kind_of(path: &str) -> &'static str {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "jpg" | "jpeg" | "png" | "gif" | "webp" => "image",
        "mp4" | "mov" | "webm" | "ogv" | "avi" => "video",
        "mp3" | "m4a" | "aac" | "ogg" | "wav" | "amr" => "audio",
        _ => "file",
    }
}
