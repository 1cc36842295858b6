//! Threads and their messages, on all channels.

use serde_json::{Map, Value, json};

use super::Account;
use super::settings::Stickers;
use crate::world::World;
use crate::world::ids;

/// The conversation of a person with an account.
#[derive(Debug, Clone)]
pub(crate) struct Thread {
    pub(crate) id: String,
    pub(crate) account: Account,
    /// Index of the person.
    pub(crate) visitor: usize,
    /// Oldest first.
    pub(crate) messages: Vec<Message>,
    /// When the person last did something that opens the window, in epoch milliseconds.
    pub(crate) active_ms: Option<i64>,
    /// Whether the person ever wrote.
    pub(crate) has_written: bool,
    /// Whether another app controls the thread.
    pub(crate) held_by_other: bool,
    pub(crate) updated_ms: i64,
    /// The actions without a message, such as `TYPING_ON`, oldest first.
    pub(crate) actions: Vec<String>,
}

/// A message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub(crate) mid: String,
    /// Whether the account wrote it.
    pub(crate) out: bool,
    /// `text`, `image`, `postback`, `template`, …
    pub(crate) kind: String,
    pub(crate) text: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) at_ms: i64,
    pub(crate) edited_ms: Option<i64>,
    pub(crate) edits: u32,
    pub(crate) deleted: bool,
    /// Of what the account wrote.
    pub(crate) status: Option<Status>,
    /// Value and author (`None` is the account).
    pub(crate) reactions: Vec<(String, Option<usize>)>,
    pub(crate) reply_to: Option<String>,
    /// Further members of the message in webhooks.
    pub(crate) extra: Map<String, Value>,
    /// The app that sent it. `None` for what is written in Meta's own inbox.
    pub(crate) app_id: Option<String>,
    pub(crate) metadata: Option<String>,
    /// `messaging_type` and `tag`.
    pub(crate) sent_as: [Option<String>; 2],
    /// `biz_opaque_callback_data` of WhatsApp.
    pub(crate) opaque: Option<String>,
    /// Whether it answered a comment, with that comment's id.
    pub(crate) comment_id: Option<String>,
}

/// How far a message of the account got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Accepted,
    Sent,
    Delivered,
    Read,
    /// With the code.
    Failed(i64),
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }
}

/// What a message carries besides text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attachment {
    /// Meta's name of the type. On WhatsApp, that of the message.
    pub(crate) kind: String,
    pub(crate) url: Option<String>,
    pub(crate) title: Option<String>,
    /// The file behind the address, or the WhatsApp medium.
    pub(crate) file_id: Option<String>,
    /// The name of a document.
    pub(crate) name: Option<String>,
    /// Replaces the payload.
    pub(crate) payload: Option<Value>,
}

impl Attachment {
    /// The elements of `attachments` in a Messenger or Instagram webhook.
    pub(crate) fn webhook(&self, stickers: Stickers) -> Vec<Value> {
        if self.kind == "sticker" && self.payload.is_none() {
            let kinds: &[&str] = match stickers {
                Stickers::Sticker => &["sticker"],
                Stickers::Image => &["image"],
                Stickers::Both => &["image", "sticker"],
            };
            let payload = json!({"url": self.url, "sticker_id": 369_239_263_222_822_u64});
            return kinds.iter().map(|kind| json!({"type": kind, "payload": payload})).collect();
        }
        if let Some(payload) = &self.payload {
            return vec![json!({"type": self.kind, "payload": payload})];
        }
        if self.kind == "fallback" {
            return vec![json!({"type": "fallback", "title": self.title, "url": self.url})];
        }
        let mut payload = Map::new();
        if let Some(url) = self.url.as_ref().filter(|_| self.kind != "ephemeral") {
            payload.insert("url".to_owned(), json!(url));
        }
        if let Some(title) = &self.title {
            payload.insert("title".to_owned(), json!(title));
        }
        vec![json!({"type": self.kind, "payload": payload})]
    }
}

impl World {
    /// Returns the index of the thread of a person with an account, and opens it if there is none.
    pub(crate) fn open_thread(&mut self, account: &Account, visitor: usize) -> usize {
        let key = (visitor, account.clone());
        if let Some(known) = self.inbox.thread_indices.get(&key) {
            return *known;
        }
        let index = self.inbox.threads.len();
        let id = ids::thread_text(account.channel());
        self.inbox.thread_indices.insert(key, index);
        self.inbox.thread_ids.insert(id.clone(), index);
        self.inbox.threads.push(Thread {
            id,
            account: account.clone(),
            visitor,
            messages: Vec::new(),
            active_ms: None,
            has_written: false,
            held_by_other: false,
            updated_ms: self.clock.now_ms(),
            actions: Vec::new(),
        });
        index
    }

    /// Adds a message to a thread and returns its id. An empty id is replaced by a new one.
    pub(crate) fn add_message(&mut self, thread: usize, mut message: Message) -> String {
        let Some(it) = self.inbox.threads.get_mut(thread) else { return String::new() };
        if message.mid.is_empty() {
            message.mid = ids::message_text(it.account.channel());
        }
        let mid = message.mid.clone();
        it.updated_ms = it.updated_ms.max(message.at_ms);
        self.inbox.places.insert(mid.clone(), (thread, it.messages.len()));
        it.messages.push(message);
        mid
    }

    /// The name of an account.
    pub(crate) fn account_name(&self, account: &Account) -> Option<&str> {
        match account {
            Account::Page(id) => self.pages.get(id).map(|page| page.name.as_str()),
            Account::Instagram(id) => self.instagram.accounts.get(id).map(|account| account.username.as_str()),
            Account::Number(id) => self.inbox.numbers.get(id).map(|number| number.verified_name.as_str()),
        }
    }

    /// Opens or renews the window of a thread.
    pub(crate) fn renew_window(&mut self, thread: usize, at_ms: i64) {
        if let Some(thread) = self.inbox.threads.get_mut(thread) {
            thread.active_ms = thread.active_ms.max(Some(at_ms));
        }
    }
}
