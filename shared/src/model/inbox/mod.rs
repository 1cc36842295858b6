//! The inbox: people who write to an org on Meta's channels, their conversations, and the messages and comments in them.

pub mod conversation;
pub mod event;
pub mod outgoing;
pub mod people;
pub mod reply;
pub mod saved_reply;
pub mod state;
#[cfg(test)]
pub(crate) mod tests;
pub mod turn;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString, IntoStaticStr};
use utoipa::ToSchema;

use self::event::{PostRef, SignalType};
use crate::ids::{ContactId, ConversationId, LeadId, MessageId, OrgId, PageId, UserId};

/// The ways in which people reach an org.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    EnumIter,
    IntoStaticStr,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Channel {
    /// Comments under a page's posts and ads.
    FacebookComment,
    /// Comments under an Instagram account's media and ads.
    InstagramComment,
    /// Messages to a page.
    Messenger,
    /// Messages to an Instagram account.
    Instagram,
    /// Messages to a WhatsApp number.
    Whatsapp,
}

impl Channel {
    /// Whether its messages are comments, which others see.
    #[must_use]
    pub fn is_comment(self) -> bool {
        matches!(self, Self::FacebookComment | Self::InstagramComment)
    }

    /// Where the ids of its people come from. A person has the same id in comments and in messages.
    #[must_use]
    pub fn network(self) -> &'static str {
        match self {
            Self::FacebookComment | Self::Messenger => "facebook",
            Self::InstagramComment | Self::Instagram => "instagram",
            Self::Whatsapp => "whatsapp",
        }
    }
}

/// A conversation with one person on one channel, or a comment with the replies to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Leadwire's own id, made from what the conversation is about, so that two workers make the same one.
    pub id: ConversationId,
    /// The org.
    pub org: OrgId,
    /// The channel.
    pub channel: Channel,
    /// The page through which it is reached. WhatsApp numbers have none.
    pub page_id: Option<PageId>,
    /// Meta's id of our side: the page, the Instagram account or the WhatsApp number.
    pub account: String,
    /// The post under which the comments stand.
    pub post: Option<PostRef>,
    /// The first comment, for comments.
    pub root: Option<String>,
    /// The other person. `None` if that is not known: comments may be anonymous.
    pub contact_id: Option<ContactId>,
    /// Whether it waits for us.
    pub status: ConversationStatus,
    /// Until when it sleeps, if it is snoozed.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// Who takes care of it.
    #[serde(default)]
    pub assigned_to: Option<UserId>,
    /// Messages of the other person since the conversation was last read.
    #[serde(default)]
    pub unread: u32,
    /// When a member last read it.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
    /// When a member last closed, snoozed or reopened it.
    #[serde(default)]
    pub changed_at: Option<Timestamp>,
    /// Until when everything of ours was delivered to the person.
    #[serde(default)]
    pub delivered_until: Option<Timestamp>,
    /// Until when the person has read everything of ours.
    #[serde(default)]
    pub read_until: Option<Timestamp>,
    /// When the newest message was written.
    pub last_message_at: Timestamp,
    /// When the other person last wrote, which opens the window for answers.
    #[serde(default)]
    pub last_inbound_at: Option<Timestamp>,
    /// The beginning of the newest message.
    #[serde(default)]
    pub preview: String,
    /// What a search finds: the person's name and the newest texts, in lower case.
    #[serde(default)]
    pub searchable: String,
    /// Whether another app answers at the moment.
    #[serde(default)]
    pub standby: bool,
    /// Since when that is known.
    #[serde(default)]
    pub standby_at: Option<Timestamp>,
    /// Answers that are on their way.
    #[serde(default)]
    pub sending: Vec<MessageId>,
    /// Increases with each change, so that of two writers one learns that it is late.
    #[serde(default)]
    pub revision: u64,
}

/// Whether a conversation waits for the org.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConversationStatus {
    /// It waits, or may.
    Open,
    /// It is done, until the other person writes again.
    Closed,
    /// It is done until a time.
    Snoozed,
}

/// A reaction to a message or a comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// Who: Meta's id or number of a person, or of our side.
    pub by: String,
    /// An emoji, or Meta's word for it. `None` after it was taken back.
    pub value: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Why a message of ours does not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendFailure {
    /// Meta's code.
    pub code: i64,
    /// Why, and what to do, or Meta's words.
    pub message: String,
}

/// Something that hangs on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// As in [`event::NewAttachment`].
    pub r#type: String,
    /// The address of a link's page. Files are kept in the bucket and have none.
    pub url: Option<String>,
    /// The name of a file, or the title of a link.
    pub name: Option<String>,
    /// How far a file is.
    pub status: AttachmentStatus,
    /// The content type of a kept file, as its content says.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The size of a kept file.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Why there is no file.
    #[serde(default)]
    pub reason: Option<String>,
    /// Where Meta has the file, until it is kept here.
    #[serde(default)]
    pub source: Option<FileSource>,
}

/// Where Meta has a file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSource {
    /// At an address that works for a while.
    Address(String),
    /// On WhatsApp, which is asked for an address each time.
    Whatsapp(String),
}

/// How far a file of a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, IntoStaticStr, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AttachmentStatus {
    /// There is no file: a link, a location.
    None,
    /// It is being copied.
    Coming,
    /// It is kept.
    Ready,
    /// It could not be had, or is too large.
    Unavailable,
    /// The message was deleted, and the file with it.
    Deleted,
}

/// A person, over all channels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Leadwire's own id.
    pub id: ContactId,
    /// The org.
    pub org: OrgId,
    /// The name that the org gave the person, or that a channel shows.
    pub name: Option<String>,
    /// Whether the org itself gave the name.
    #[serde(default)]
    pub is_named: bool,
    /// Where the person has written.
    pub channels: Vec<ContactChannel>,
    /// The lead that the person is.
    #[serde(default)]
    pub lead_id: Option<LeadId>,
    /// Whether a member chose the lead, or separated the person from one.
    #[serde(default)]
    pub is_lead_chosen: bool,
    /// The contact that took this one over, because both are one person.
    #[serde(default)]
    pub merged_into: Option<ContactId>,
    /// The contacts that this one took over.
    #[serde(default)]
    pub merged: Vec<ContactId>,
    /// What the person did with posts.
    #[serde(default)]
    pub signals: Vec<ContactSignal>,
    /// When the person was first seen.
    pub created_at: Timestamp,
    /// When the name was last asked for at Meta.
    #[serde(default)]
    pub named_at: Option<Timestamp>,
    /// Increases with each change, so that of two writers one learns that it is late.
    #[serde(default)]
    pub revision: u64,
}

/// A person's identity on a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactChannel {
    /// `facebook`, `instagram` or `whatsapp`.
    pub network: String,
    /// Meta's id of our side: the page, the Instagram account or the WhatsApp number.
    pub account: String,
    /// Meta's id of the person there.
    pub meta_id: Option<String>,
    /// The user name there.
    pub username: Option<String>,
    /// The WhatsApp number, in E.164.
    pub phone: Option<String>,
}

/// What a person did with a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactSignal {
    /// What it is.
    pub r#type: SignalType,
    /// The post, comment or story.
    pub on: String,
    /// The kind of reaction, or the text of a mention.
    pub value: Option<String>,
    /// Its address at Meta.
    #[serde(default)]
    pub permalink: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether it still holds.
    pub active: bool,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Author {
    /// The other person, or another one under the same comment.
    Contact {
        /// The contact; `None` for an anonymous comment.
        id: Option<ContactId>,
        /// The name that Meta told with the message.
        name: Option<String>,
    },
    /// A member of the org, through Leadwire.
    User {
        /// The member.
        id: UserId,
        /// The member's name.
        name: Option<String>,
    },
    /// A program of the org, through Leadwire.
    Program {
        /// Its client id.
        id: UserId,
    },
    /// Our side, in Meta's own inbox.
    Page,
    /// Our side, through a program.
    Automation {
        /// The app.
        app_id: Option<String>,
    },
}
