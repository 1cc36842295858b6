//! Whether a conversation can be answered at a moment, until when, and if not, why and what to do.
//!
//! Meta's rules: comments can always be answered. Messages can for 24 hours after the other person last wrote. Later, on
//! Messenger and Instagram a person may still answer for 7 days if Meta has approved the app's feature Human Agent; on
//! WhatsApp only approved templates are delivered.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Channel, Conversation};
use crate::tr;

const WINDOW: SignedDuration = SignedDuration::from_hours(24);
const HUMAN_WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long the text of an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLimit {
    /// The largest length.
    pub most: usize,
    /// `characters` or `bytes`.
    pub unit: &'static str,
}

impl Channel {
    /// How long the text of an answer may be. With a file it is the file's caption.
    #[must_use]
    pub fn text_limit(self, has_file: bool) -> TextLimit {
        let (most, unit) = match self {
            Self::Messenger => (2_000, "characters"),
            Self::Instagram => (1_000, "bytes"),
            Self::Whatsapp if has_file => (1_024, "characters"),
            Self::Whatsapp => (4_096, "characters"),
            Self::FacebookComment => (8_000, "characters"),
            Self::InstagramComment => (2_200, "characters"),
        };
        TextLimit { most, unit }
    }
}

/// What fits into a note for the members.
pub const NOTE_LIMIT: TextLimit = TextLimit { most: 8_000, unit: "characters" };

/// Whether and how a conversation can be answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReplyRule {
    /// Whether a text of a person is delivered now.
    pub allowed: bool,
    /// Until when that is so. `null` if it does not end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Why not, and what to do.
    pub reason: Option<Cow<'static, str>>,
    /// Whether it is delivered only with the tag of a human agent.
    #[serde(skip)]
    pub by_human_agent: bool,
}

impl ReplyRule {
    fn open(until: Option<Timestamp>) -> Self {
        Self { allowed: true, until, reason: None, by_human_agent: false }
    }

    fn closed(reason: Cow<'static, str>) -> Self {
        Self { allowed: false, until: None, reason: Some(reason), by_human_agent: false }
    }
}

impl Conversation {
    /// How it can be answered at this time. `has_human_agent` is whether Meta has approved that feature for the app.
    #[must_use]
    pub fn reply_rule(&self, has_human_agent: bool, now: Timestamp) -> ReplyRule {
        if self.channel.is_comment() {
            return ReplyRule::open(None);
        }
        if self.standby {
            return ReplyRule::closed(tr!(
                "Another app has this conversation at the moment. Answer there, or hand it over in Meta's settings."
            ));
        }
        let Some(last) = self.last_inbound_at else {
            return ReplyRule::closed(tr!(
                "The person has not written yet. A conversation begins with a message of theirs."
            ));
        };
        if now <= last + WINDOW {
            return ReplyRule::open(Some(last + WINDOW));
        }
        match self.channel {
            Channel::Whatsapp => ReplyRule::closed(tr!(
                "More than 24 hours have passed since the person last wrote. Only an approved template is delivered."
            )),
            _ if now > last + HUMAN_WINDOW => ReplyRule::closed(tr!(
                "More than 7 days have passed since the person last wrote. Nothing can be sent until they write again."
            )),
            _ if has_human_agent => ReplyRule { by_human_agent: true, ..ReplyRule::open(Some(last + HUMAN_WINDOW)) },
            _ => ReplyRule::closed(tr!(
                "More than 24 hours have passed since the person last wrote. Nothing can be sent until they write again, or Meta approves the feature Human Agent for the app."
            )),
        }
    }
}
