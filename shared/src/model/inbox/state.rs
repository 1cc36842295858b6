//! What is known of one message or comment. Meta's notices come late, early, twice and in any order; whatever the order,
//! the same notices lead to the same state.
//!
//! - The text is that of the newest edit. A message that was deleted stays deleted.
//! - Of two reactions of one person, or two changes of visibility, the later one holds.
//! - A delivery never goes backwards, and a failure stays a failure.
//! - What is reported of a message that has not come is kept beside it and shown to none, until it comes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr};
use utoipa::ToSchema;

use super::event::{DeliveryReport, PostRef};
use super::outgoing::Sending;
use super::{Attachment, AttachmentStatus, Author, Channel, Reaction, SendFailure};
use crate::ids::{AdObjectId, ContactId, ConversationId, MessageId};
use crate::model::lead::FoundBy;

/// Reactions that a message keeps, which are stored with it: anyone may react to a comment. The oldest make room.
const MAX_REACTIONS: usize = 200;

/// Everything that is known of one message or comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageState {
    /// Leadwire's own id.
    pub id: MessageId,
    /// The channel.
    pub channel: Channel,
    /// Meta's id. `None` for a message of ours that Meta has not taken yet.
    pub mid: Option<String>,
    /// The message itself. `None` if only reports of it have come.
    pub content: Option<MessageContent>,
    /// The newest edit.
    #[serde(default)]
    pub edit: Option<Edit>,
    /// When it was deleted.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
    /// Whether the comment is hidden from others, and since when that holds.
    #[serde(default)]
    pub hidden: Option<(bool, Timestamp)>,
    /// The reactions, also those taken back.
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    /// When Meta reported what.
    #[serde(default)]
    pub reports: BTreeMap<DeliveryReport, Timestamp>,
    /// Why it failed.
    #[serde(default)]
    pub failure: Option<SendFailure>,
    /// How far it is, while it is on its way to Meta.
    #[serde(default)]
    pub sending: Option<Sending>,
    /// Increases with each change, so that of two writers one learns that it is late.
    #[serde(default)]
    pub revision: u64,
}

/// A message or a comment as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageContent {
    /// The conversation in which it stands.
    pub conversation_id: ConversationId,
    /// Whether our side wrote it.
    pub is_ours: bool,
    /// Who wrote it.
    pub author: Author,
    /// The text.
    pub text: Option<String>,
    /// Files and the like.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// When it was written.
    pub created_time: Timestamp,
    /// When it arrived here: the order of those that were written at the same time.
    pub arrived_at: Timestamp,
    /// Meta's id of the message it answers, or of the comment above it.
    pub parent: Option<String>,
    /// The post, for a comment.
    #[serde(default)]
    pub post: Option<PostRef>,
    /// The ad through which the person came.
    #[serde(default)]
    pub ad_id: Option<AdObjectId>,
    /// How Leadwire learned of it.
    pub found_by: FoundBy,
    /// A note of a member for the others: Meta never gets it.
    #[serde(default)]
    pub is_note: bool,
}

/// A changed text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The text.
    pub text: String,
    /// When it was changed.
    pub at: Timestamp,
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum MessageStatus {
    /// The other person's.
    Received,
    /// A note for the org's members, sent to no one.
    Note,
    /// Ours, on its way to Meta.
    Sending,
    /// Meta has it.
    Sent,
    /// It is on the person's device.
    Delivered,
    /// The person has read it.
    Read,
    /// It does not arrive.
    Failed,
}

impl MessageState {
    /// Nothing is known yet of this message.
    #[must_use]
    pub fn unknown(id: MessageId, channel: Channel, mid: Option<String>) -> Self {
        Self {
            id,
            channel,
            mid,
            content: None,
            edit: None,
            deleted_at: None,
            hidden: None,
            reactions: Vec::new(),
            reports: BTreeMap::new(),
            failure: None,
            sending: None,
            revision: 0,
        }
    }

    /// Takes the message itself. What came before stays; the first one to say what it is, is right. Returns whether it is
    /// new.
    pub fn take_content(&mut self, content: MessageContent) -> bool {
        let is_new = self.content.is_none();
        if is_new {
            self.content = Some(content);
            if self.deleted_at.is_some() {
                self.forget();
            }
        }
        is_new
    }

    /// Takes a change of the text.
    pub fn take_edit(&mut self, edit: Edit) {
        let is_newer = |known: &Edit| (known.at, known.text.as_str()) < (edit.at, edit.text.as_str());
        if self.edit.as_ref().is_none_or(is_newer) && self.deleted_at.is_none() {
            self.edit = Some(edit);
        }
    }

    /// Whether a text that Meta lists is another than the one known here, since an edit was not reported. A list may be
    /// older than the newest edits.
    #[must_use]
    pub fn is_outdated(&self, listed: Option<&str>, now: Timestamp) -> bool {
        const LIST_AGE: SignedDuration = SignedDuration::from_mins(10);
        let is_settled = self.edit.as_ref().is_none_or(|edit| edit.at + LIST_AGE < now);
        let is_same = |listed: &str| Some(listed) == self.text();
        self.deleted_at.is_none() && is_settled && listed.is_some_and(|listed| !is_same(listed))
    }

    /// Takes the deletion. The text and the files are gone with it.
    pub fn take_deletion(&mut self, at: Timestamp) {
        self.deleted_at = Some(self.deleted_at.map_or(at, |known| known.min(at)));
        self.forget();
    }

    /// Takes a change of visibility.
    pub fn take_hiding(&mut self, hidden: bool, at: Timestamp) {
        // Of two at the same second, hidden holds: it is what costs less if it is wrong.
        if self.hidden.is_none_or(|(known, since)| (since, known) < (at, hidden)) {
            self.hidden = Some((hidden, at));
        }
    }

    /// Takes a reaction, or that it was taken back. Returns whether it is news.
    pub fn take_reaction(&mut self, reaction: Reaction) -> bool {
        match self.reactions.iter_mut().find(|known| known.by == reaction.by) {
            Some(known) if (known.at, &known.value) >= (reaction.at, &reaction.value) => false,
            Some(known) => {
                *known = reaction;
                true
            }
            None => {
                self.reactions.push(reaction);
                if self.reactions.len() > MAX_REACTIONS {
                    self.reactions.sort_by(|one, other| (other.at, &other.by).cmp(&(one.at, &one.by)));
                    self.reactions.truncate(MAX_REACTIONS);
                }
                self.reactions.sort_by(|one, other| one.by.cmp(&other.by));
                true
            }
        }
    }

    /// Takes a report of the delivery.
    pub fn take_report(&mut self, report: DeliveryReport, at: Timestamp, failure: Option<SendFailure>) {
        let known = self.reports.entry(report).or_insert(at);
        *known = (*known).min(at);
        if report == DeliveryReport::Failed && self.failure.is_none() {
            self.failure = failure;
        }
    }

    /// Takes everything that is known of the same message under another id.
    pub fn absorb(&mut self, other: Self) {
        self.mid = self.mid.take().or(other.mid);
        if let Some(edit) = other.edit {
            self.take_edit(edit);
        }
        if let Some((hidden, at)) = other.hidden {
            self.take_hiding(hidden, at);
        }
        for reaction in other.reactions {
            self.take_reaction(reaction);
        }
        for (report, at) in other.reports {
            self.take_report(report, at, other.failure.clone());
        }
        if let Some(at) = other.deleted_at {
            self.take_deletion(at);
        }
    }

    /// The positions of the files that are still to be copied.
    pub fn files_coming(&self) -> impl Iterator<Item = usize> {
        let attachments = self.content.iter().flat_map(|content| content.attachments.iter().enumerate());
        attachments.filter(|(_, file)| file.status == AttachmentStatus::Coming).map(|(position, _)| position)
    }

    /// Whether a member or a program of the org wrote it, through Leadwire.
    #[must_use]
    pub fn is_of_a_member(&self) -> bool {
        let author = self.content.as_ref().map(|content| &content.author);
        matches!(author, Some(Author::User { .. } | Author::Program { .. }))
    }

    /// Whether a program of the org wrote it. Meta's feature for human agents is not for those.
    #[must_use]
    pub fn is_of_a_program(&self) -> bool {
        self.content.as_ref().is_some_and(|content| matches!(content.author, Author::Program { .. }))
    }

    /// Whether it was unsent before it came, or erased: it is shown to no one.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.deleted_at.is_some() && self.content.is_none()
    }

    /// The person who wrote it below another's comment.
    #[must_use]
    pub fn reply_author(&self) -> Option<&ContactId> {
        let content = self.content.as_ref().filter(|content| content.post.is_some() && content.parent.is_some())?;
        match &content.author {
            Author::Contact { id, .. } => id.as_ref(),
            _ => None,
        }
    }

    fn forget(&mut self) {
        self.edit = None;
        if let Some(content) = &mut self.content {
            content.text = None;
            for attachment in &mut content.attachments {
                attachment.status = match attachment.status {
                    AttachmentStatus::None => AttachmentStatus::None,
                    _ => AttachmentStatus::Deleted,
                };
                (attachment.url, attachment.name, attachment.reason) = (None, None, None);
                attachment.source = None;
            }
        }
    }

    /// The text as it is now.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let edit = self.edit.as_ref().map(|edit| edit.text.as_str());
        edit.or_else(|| self.content.as_ref()?.text.as_deref())
    }

    /// When the schedule looks after it, in case that the message of the queue was lost; `None` if it is not on its way.
    #[must_use]
    pub fn attention_at(&self) -> Option<Timestamp> {
        /// A message of the queue usually arrives before this.
        const GRACE: SignedDuration = SignedDuration::from_mins(1);
        let sending = self.sending.as_ref()?;
        let lease = sending.lease.as_ref().map(|lease| lease.until);
        Some(lease.or(sending.next_at).unwrap_or(sending.written_at) + GRACE)
    }

    /// How far it is. `delivered` and `read` are until when everything of ours was delivered to the person, and read.
    #[must_use]
    pub fn status(&self, delivered: Option<Timestamp>, read: Option<Timestamp>) -> MessageStatus {
        let Some(content) = &self.content else { return MessageStatus::Received };
        if !content.is_ours {
            return MessageStatus::Received;
        }
        if content.is_note {
            return MessageStatus::Note;
        }
        let reaches = |until: Option<Timestamp>| until.is_some_and(|until| content.created_time <= until);
        let reported = |report| self.reports.contains_key(&report);
        if self.failure.is_some() || reported(DeliveryReport::Failed) {
            MessageStatus::Failed
        } else if reported(DeliveryReport::Read) || reaches(read) {
            MessageStatus::Read
        } else if reported(DeliveryReport::Delivered) || reaches(delivered) {
            MessageStatus::Delivered
        } else if self.mid.is_some() || reported(DeliveryReport::Sent) {
            MessageStatus::Sent
        } else {
            MessageStatus::Sending
        }
    }
}
