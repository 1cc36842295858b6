//! What people write to pages, Instagram accounts and WhatsApp numbers: comments, reactions and messages.
//!
//! Facts that people cause come from the control interface; what the app writes comes from the API. Both are announced
//! by webhooks here.

pub(crate) mod chat;
pub(crate) mod comment;
mod comment_events;
pub(crate) mod file;
pub(crate) mod mention;
pub(crate) mod message;
pub(crate) mod reaction;
pub(crate) mod settings;
pub(crate) mod template;
pub(crate) mod visitor;
pub(crate) mod whatsapp;

use std::collections::{BTreeMap, HashMap};

use self::comment::Comment;
use self::file::File;
use self::mention::Mention;
use self::message::{Message, Thread};
use self::reaction::Reaction;
use self::settings::Settings;
use self::visitor::Visitor;
use self::whatsapp::{Number, Waba};

/// Everything that people write, and the accounts of WhatsApp.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) settings: Settings,
    /// People outside, in order of appearance.
    pub(crate) visitors: Vec<Visitor>,
    /// Ids of people that are valid for one account only.
    scoped: HashMap<String, (usize, Account)>,
    comments: HashMap<String, Comment>,
    /// Comment ids by post or medium, oldest first.
    comments_on: HashMap<String, Vec<String>>,
    /// All comment ids, oldest first.
    comment_order: Vec<String>,
    pub(crate) threads: Vec<Thread>,
    /// The index of the thread of a person with an account.
    thread_indices: HashMap<(usize, Account), usize>,
    /// The index of a thread by its id.
    thread_ids: HashMap<String, usize>,
    /// Thread and position by message id.
    places: HashMap<String, (usize, usize)>,
    /// Oldest first.
    pub(crate) reactions: Vec<Reaction>,
    /// Times a post was shared in public, by post.
    pub(crate) shares: HashMap<String, u64>,
    pub(crate) mentions: Vec<Mention>,
    files: HashMap<String, File>,
    pub(crate) wabas: BTreeMap<String, Waba>,
    pub(crate) numbers: BTreeMap<String, Number>,
}

/// An account that people write to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Account {
    Page(String),
    Instagram(String),
    /// A WhatsApp phone number.
    Number(String),
}

impl Account {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Page(id) | Self::Instagram(id) | Self::Number(id) => id,
        }
    }

    /// The name of the channel of its messages.
    pub(crate) fn channel(&self) -> &'static str {
        match self {
            Self::Page(_) => "messenger",
            Self::Instagram(_) => "instagram",
            Self::Number(_) => "whatsapp",
        }
    }

    /// The webhook object. WhatsApp's entries are those of the number's account.
    pub(crate) fn object(&self) -> &'static str {
        match self {
            Self::Page(_) => "page",
            Self::Instagram(_) => "instagram",
            Self::Number(_) => "whatsapp_business_account",
        }
    }

    /// The key of the id in the control interface.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            Self::Page(_) => "page_id",
            Self::Instagram(_) => "instagram_id",
            Self::Number(_) => "phone_number_id",
        }
    }
}

impl Inbox {
    pub(crate) fn comment(&self, id: &str) -> Option<&Comment> {
        self.comments.get(id)
    }

    pub(crate) fn comment_mut(&mut self, id: &str) -> Option<&mut Comment> {
        self.comments.get_mut(id)
    }

    /// The comments on a post or medium that were not removed, oldest first.
    pub(crate) fn comments_on(&self, id: &str) -> impl DoubleEndedIterator<Item = &Comment> {
        let ids = self.comments_on.get(id).into_iter().flatten();
        ids.filter_map(|id| self.comments.get(id)).filter(|comment| !comment.removed)
    }

    /// All comments, also removed ones, oldest first.
    pub(crate) fn all_comments(&self) -> impl Iterator<Item = &Comment> {
        self.comment_order.iter().filter_map(|id| self.comments.get(id))
    }

    /// A message and its thread.
    pub(crate) fn message(&self, mid: &str) -> Option<(&Thread, &Message)> {
        let (thread, at) = self.places.get(mid)?;
        let thread = self.threads.get(*thread)?;
        Some((thread, thread.messages.get(*at)?))
    }

    pub(crate) fn message_mut(&mut self, mid: &str) -> Option<&mut Message> {
        let (thread, at) = self.places.get(mid)?;
        self.threads.get_mut(*thread)?.messages.get_mut(*at)
    }

    /// The index of the thread of a message.
    pub(crate) fn thread_of(&self, mid: &str) -> Option<usize> {
        self.places.get(mid).map(|(thread, _)| *thread)
    }

    /// The thread of a person with an account.
    pub(crate) fn thread_with(&self, visitor: usize, account: &Account) -> Option<&Thread> {
        self.threads.get(*self.thread_indices.get(&(visitor, account.clone()))?)
    }

    pub(crate) fn thread(&self, id: &str) -> Option<&Thread> {
        self.threads.get(*self.thread_ids.get(id)?)
    }

    pub(crate) fn file(&self, id: &str) -> Option<&File> {
        self.files.get(id)
    }

    /// The person of an id that is valid for one account.
    pub(crate) fn scoped(&self, id: &str) -> Option<(&Visitor, &Account)> {
        let (visitor, account) = self.scoped.get(id)?;
        Some((self.visitors.get(*visitor)?, account))
    }
}
