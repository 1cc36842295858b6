//! An answer that is being written, and how it reaches its reader.

use std::borrow::Cow;

use leadwire::inbox::{AnswerIn, ConversationOut};
use leadwire::model::inbox::Channel;
use leadwire::model::inbox::outgoing::SendTemplate;
use leadwire::model::inbox::reply::{NOTE_LIMIT, TextLimit};
use leadwire::tr;

use crate::form::{Fields, new_request_id};

/// How an answer reaches its reader. Each is a choice in the form; what differs between them is in the methods here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Where the conversation is.
    Reply,
    /// By a message to the author of a comment.
    Private,
    /// Only by the other members.
    Note,
}

impl Mode {
    pub(super) const ALL: [Self; 3] = [Self::Reply, Self::Private, Self::Note];

    pub(super) fn value(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Private => "private",
            Self::Note => "note",
        }
    }

    /// What the button says. It names the public, so that no one writes to it by mistake.
    pub(super) fn act(self, about: Channel) -> Cow<'static, str> {
        match self {
            Self::Reply if about.is_comment() => tr!("Reply publicly"),
            Self::Reply => tr!("Send"),
            Self::Private => tr!("Send privately"),
            Self::Note => tr!("Save the note"),
        }
    }

    /// How long its text may be.
    pub(super) fn limit(self, about: Channel) -> TextLimit {
        match self {
            Self::Note => NOTE_LIMIT,
            _ => self.channel(about).text_limit(false),
        }
    }

    /// The channel whose limits hold.
    pub(super) fn channel(self, about: Channel) -> Channel {
        match (self, about) {
            (Self::Private, Channel::FacebookComment) => Channel::Messenger,
            (Self::Private, Channel::InstagramComment) => Channel::Instagram,
            _ => about,
        }
    }

    /// The modes that a conversation has.
    pub(super) fn modes(conversation: &ConversationOut) -> impl Iterator<Item = Self> {
        let can_be_private = conversation.channel.is_comment() && conversation.contact.is_some();
        let is_open = conversation.reply.allowed;
        Self::ALL.into_iter().filter(move |mode| match mode {
            Self::Reply => is_open,
            Self::Private => is_open && can_be_private,
            Self::Note => true,
        })
    }
}

/// What is typed in the form.
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) attachment_url: String,
    pub(super) mode: Mode,
    pub(super) template: Option<SendTemplate>,
    pub(super) request_id: String,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            text: String::new(),
            attachment_url: String::new(),
            mode: Mode::Reply,
            template: None,
            request_id: new_request_id(),
        }
    }

    pub(super) fn submitted(fields: &Fields) -> Self {
        let mode = Mode::ALL.into_iter().find(|mode| Some(mode.value()) == fields.get("mode"));
        let template = fields.get("template").map(|name| SendTemplate {
            name: name.to_owned(),
            language: fields.text("language"),
            variables: fields.all("variable").map(ToOwned::to_owned).collect(),
        });
        Self {
            // Browsers submit line breaks as two characters.
            text: fields.raw("text").unwrap_or_default().replace("\r\n", "\n"),
            attachment_url: fields.text("attachment_url"),
            mode: mode.unwrap_or(Mode::Reply),
            template,
            request_id: fields.get("request_id").map_or_else(new_request_id, ToOwned::to_owned),
        }
    }

    pub(super) fn input(&self) -> AnswerIn {
        AnswerIn {
            text: Some(self.text.clone()).filter(|text| !text.trim().is_empty()),
            attachment_url: Some(self.attachment_url.clone()).filter(|url| !url.is_empty()),
            template: self.template.clone(),
            private: self.mode == Mode::Private,
            note: self.mode == Mode::Note,
            request_id: None,
        }
    }
}
