//! What happens in the inbox, in Leadwire's own terms: every notice of Meta's webhooks, and everything that is read from
//! Meta, becomes a list of these.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use super::{Channel, SendFailure};
use crate::ids::{AdObjectId, MessageId};

/// One thing that happened on a page, an Instagram account or a WhatsApp number of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxEvent {
    /// The channel.
    pub channel: Channel,
    /// Meta's id of our side: the page, the Instagram account or the WhatsApp phone number.
    pub account: String,
    /// What happened.
    pub kind: InboxEventKind,
}

impl InboxEvent {
    /// When what it tells of was written; the end of time for everything else, which needs the message first.
    #[must_use]
    pub fn written_at(&self) -> Timestamp {
        match &self.kind {
            InboxEventKind::Message(new) => new.created_time,
            _ => Timestamp::MAX,
        }
    }
}

/// The kinds of events. `mid` is Meta's id of a message or a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxEventKind {
    /// A message or a comment, in either direction.
    Message(Box<NewMessage>),
    /// The text of a message or a comment was changed.
    Edited {
        /// Meta's id.
        mid: String,
        /// The new text.
        text: String,
        /// When. Where Meta does not say it, when its notice arrived.
        at: Timestamp,
    },
    /// A message or a comment was deleted, or unsent.
    Deleted {
        /// Meta's id.
        mid: String,
        /// When. Where Meta does not say it, when its notice arrived.
        at: Timestamp,
    },
    /// A comment was hidden from others, or shown again.
    Hidden {
        /// Meta's id.
        mid: String,
        /// Whether it is hidden now.
        hidden: bool,
        /// Since when.
        at: Timestamp,
    },
    /// Someone reacted to a message or a comment, changed the reaction or took it back (`value` is `None`).
    Reacted {
        /// Meta's id of the message or the comment.
        mid: String,
        /// Who; our own side, if `is_ours`.
        person: Person,
        /// Whether it was our side.
        is_ours: bool,
        /// An emoji, or Meta's word for it.
        value: Option<String>,
        /// When. Of Facebook's reactions within one second, a change is a millisecond later than the reaction, and taking
        /// it back two.
        at: Timestamp,
    },
    /// Meta reports what became of a message of ours.
    Status {
        /// Meta's id.
        mid: String,
        /// Our own id of the message, if Meta gave it back.
        ours: Option<MessageId>,
        /// What.
        status: DeliveryReport,
        /// When.
        at: Timestamp,
        /// Why it failed.
        failure: Option<SendFailure>,
    },
    /// Everything of ours up to this time was delivered to this person, or read.
    Watermark {
        /// To whom.
        person: Person,
        /// Whether it was read too.
        read: bool,
        /// Until when.
        until: Timestamp,
    },
    /// A message of ours was read, and with it what we sent before.
    Read {
        /// Meta's id of the newest message that was read.
        mid: String,
        /// When.
        at: Timestamp,
    },
    /// A person with whom there is a conversation came back to it through an ad or a link, without writing. Opens the
    /// window for answers.
    Referred {
        /// Who.
        person: Person,
        /// The ad. `None` for a link.
        ad_id: Option<AdObjectId>,
        /// When.
        at: Timestamp,
    },
    /// A conversation was handed over between apps.
    HandedOver {
        /// With whom it is.
        person: Person,
        /// The app that has it now; `None` if Meta says only that it is not ours.
        to: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// A person did something with a post of ours.
    Signal(Signal),
    /// An Instagram account of ours was mentioned. By whom and how must be asked for.
    Mentioned {
        /// Meta's id of the comment, or of the media with the caption.
        on: String,
        /// Whether it is a comment.
        in_comment: bool,
    },
    /// A person's ids have changed: WhatsApp's users take new numbers.
    PersonChanged {
        /// Who it was.
        before: Person,
        /// Who it is.
        after: Person,
    },
}

/// A message or a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewMessage {
    /// Meta's id.
    pub mid: String,
    /// Whether our side wrote it: Leadwire, or a person in Meta's own inbox.
    pub is_ours: bool,
    /// The other person: who wrote it, or to whom it was written. For a comment of ours, who wrote the comment above, if
    /// that is known; webhooks do not say it.
    pub person: Person,
    /// The text, if there is one.
    pub text: Option<String>,
    /// Files, links and whatever else hangs on it.
    #[serde(default)]
    pub attachments: Vec<NewAttachment>,
    /// When it was written. Instagram does not say it for comments; there, when the notice arrived.
    pub created_time: Timestamp,
    /// When it arrived here: the order of messages that were written at the same time, since WhatsApp and comments have
    /// whole seconds only.
    pub arrived_at: Timestamp,
    /// The message it answers, or the comment above it.
    pub parent: Option<String>,
    /// The post under which a comment stands.
    pub post: Option<PostRef>,
    /// What the sender of a message of ours wrote into it for itself: our own id of the message.
    pub ours: Option<MessageId>,
    /// The app that sent a message of ours.
    pub app_id: Option<String>,
    /// Whether another app has the conversation at the moment.
    #[serde(default)]
    pub standby: bool,
    /// The ad through which the person came.
    pub ad_id: Option<AdObjectId>,
}

/// A person, as far as a channel says who that is. An author may be anonymous.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Meta's id: of the person for the page (Messenger, comments), for the Instagram account, or for the WhatsApp
    /// business.
    pub id: Option<String>,
    /// The WhatsApp number: digits with the country code, without `+`.
    pub phone: Option<String>,
    /// The user name on Instagram or WhatsApp.
    pub username: Option<String>,
    /// The name.
    pub name: Option<String>,
}

/// Something that hangs on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAttachment {
    /// What it is: `image`, `video`, `audio`, `file`, `sticker`, `link`, `location`, `contacts`, `story_mention`,
    /// `story_reply`, or Meta's word for something else. What Meta does not deliver at all is `unsupported`.
    pub r#type: String,
    /// Where Meta has the file, for minutes to days. Links have the address of their page.
    pub url: Option<String>,
    /// WhatsApp's id of the file, by which its address is asked for.
    pub media_id: Option<String>,
    /// The name of a file, or the title of a link.
    pub name: Option<String>,
    /// Whether there is a file to keep.
    pub is_file: bool,
}

/// The post under which a comment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostRef {
    /// Meta's id of the post, or of the Instagram media. For an ad's copy of a post, the post itself if Meta names it,
    /// otherwise the copy.
    pub id: String,
    /// The id of the ad's copy, if Meta names the post itself too.
    pub copy: Option<String>,
    /// The ad.
    pub ad_id: Option<AdObjectId>,
    /// Its address at Meta.
    pub permalink: Option<String>,
}

/// What Meta reports of a message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryReport {
    /// Meta has sent it.
    Sent,
    /// It is on the person's device.
    Delivered,
    /// The person has read it.
    Read,
    /// It does not arrive.
    Failed,
}

/// Something that a person did with a post, or in which they mentioned us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// What it is.
    pub r#type: SignalType,
    /// Who.
    pub person: Person,
    /// The post, the comment or the story.
    pub on: String,
    /// The kind of reaction, the text of a mention, or the address of what was shared.
    pub value: Option<String>,
    /// The address of what they were doing it with, if Meta says it.
    pub permalink: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether it was done, or taken back.
    pub active: bool,
}

/// The kinds of [`Signal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SignalType {
    /// A reaction to a post.
    Reaction,
    /// A post was shared.
    Share,
    /// We were mentioned.
    Mention,
    /// The page was liked.
    Like,
}
