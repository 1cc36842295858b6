//! Messenger and Instagram: what people do in a thread, what the account sends, and the webhooks of both.

use serde_json::{Map, Value, json};

use super::Account;
use super::message::{Message, Status};
use crate::webhook::outbox::{Change, Manner, Place};
use crate::world::World;

/// What happens in a thread, apart from webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Message,
    Echo,
    Postback,
    Referral,
    Read,
    Delivery,
    Reaction,
    Edit,
}

impl Event {
    /// The field that apps subscribe to. Pages and Instagram spell some differently; `None` if the channel has no such
    /// event.
    fn field(self, account: &Account) -> Option<&'static str> {
        let instagram = matches!(account, Account::Instagram(_));
        Some(match self {
            Self::Message => "messages",
            Self::Echo if instagram => "messages",
            Self::Echo => "message_echoes",
            Self::Postback => "messaging_postbacks",
            Self::Referral if instagram => "messaging_referral",
            Self::Referral => "messaging_referrals",
            Self::Read if instagram => "messaging_seen",
            Self::Read => "message_reads",
            Self::Delivery if instagram => return None,
            Self::Delivery => "message_deliveries",
            Self::Reaction => "message_reactions",
            Self::Edit if instagram => "message_edit",
            Self::Edit => "message_edits",
        })
    }
}

impl World {
    /// Adds a message of a person and announces it. Returns its id. With `standby` another app controls the thread.
    pub(crate) fn receive(&mut self, thread: usize, message: Message, standby: bool, manner: Manner) -> String {
        let at_ms = message.at_ms;
        let mid = self.add_message(thread, message);
        if let Some(thread) = self.inbox.threads.get_mut(thread) {
            thread.has_written = true;
            thread.held_by_other = standby;
        }
        self.renew_window(thread, at_ms);
        self.announce_message(&mid, standby, manner);
        mid
    }

    /// Announces an event of the person in a thread. `body` is its own member, such as `{"read": {…}}`.
    pub(crate) fn announce_chat(
        &mut self,
        thread: usize,
        event: Event,
        at_ms: i64,
        body: Map<String, Value>,
        standby: bool,
        manner: Manner,
    ) {
        let Some((account, visitor)) = self.inbox.threads.get(thread).map(|it| (it.account.clone(), it.visitor)) else {
            return;
        };
        let Some(field) = event.field(&account).filter(|_| self.allows_messages(&account)) else { return };
        let person = self.scoped_id(visitor, &account);
        let (from, to) =
            if event == Event::Echo { (account.id(), person.as_str()) } else { (person.as_str(), account.id()) };
        let mut value = body;
        value.insert("sender".to_owned(), json!({ "id": from }));
        value.insert("recipient".to_owned(), json!({ "id": to }));
        value.insert("timestamp".to_owned(), json!(at_ms));
        let field = if standby { "standby" } else { field };
        let usual = if standby { Place::Standby } else { Place::Messaging };
        let (place, body) = match self.inbox.settings.instagram_layout.place(&account) {
            None => (usual, Value::Object(value)),
            Some(place) => (place, json!({"field": field, "value": value})),
        };
        let change = Change {
            object: account.object().to_owned(),
            entry_id: account.id().to_owned(),
            body,
            place,
            leadgen_id: None,
        };
        self.announce_change(change, field, manner);
    }

    /// Returns whether the owner of an Instagram account allows apps to access its messages.
    pub(crate) fn allows_messages(&self, account: &Account) -> bool {
        match account {
            Account::Instagram(id) => self.instagram.accounts.get(id).is_some_and(|account| account.messages_allowed),
            Account::Page(_) | Account::Number(_) => true,
        }
    }

    /// Announces a message as it is now: received, or as the echo of one that the account sent.
    pub(crate) fn announce_message(&mut self, mid: &str, standby: bool, manner: Manner) {
        let Some(thread) = self.inbox.thread_of(mid) else { return };
        let Some((_, message)) = self.inbox.message(mid) else { return };
        let (at_ms, event) = (message.at_ms, if message.out { Event::Echo } else { Event::Message });
        let body = Map::from_iter([("message".to_owned(), self.message_value(message))]);
        self.announce_chat(thread, event, at_ms, body, standby, manner);
    }

    fn message_value(&self, message: &Message) -> Value {
        let mut value = message.extra.clone();
        value.insert("mid".to_owned(), json!(message.mid));
        if message.out {
            value.insert("is_echo".to_owned(), json!(true));
            let app_id = message.app_id.as_ref().and_then(|id| id.parse().ok()).or(self.inbox.settings.inbox_app_id);
            if let Some(id) = app_id {
                value.insert("app_id".to_owned(), json!(id));
            }
            if let Some(metadata) = &message.metadata {
                value.insert("metadata".to_owned(), json!(metadata));
            }
        }
        if message.deleted {
            value.insert("is_deleted".to_owned(), json!(true));
            return Value::Object(value);
        }
        if let Some(text) = &message.text {
            value.insert("text".to_owned(), json!(text));
        }
        let stickers = self.inbox.settings.stickers;
        let attachments: Vec<Value> = message.attachments.iter().flat_map(|it| it.webhook(stickers)).collect();
        if !attachments.is_empty() {
            value.insert("attachments".to_owned(), json!(attachments));
        }
        if let Some(mid) = &message.reply_to {
            value.insert("reply_to".to_owned(), json!({ "mid": mid }));
        }
        Value::Object(value)
    }

    /// Adds a message of the account and announces its echo. Messenger then also reports the delivery. Returns its id.
    pub(crate) fn send(&mut self, thread: usize, message: Message, manner: Manner) -> String {
        let at_ms = message.at_ms;
        let status = Some(Status::Delivered);
        let mid = self.add_message(thread, Message { out: true, status, ..message });
        self.announce_message(&mid, false, manner);
        let delivery = json!({"mids": [mid], "watermark": at_ms});
        let body = Map::from_iter([("delivery".to_owned(), delivery)]);
        self.announce_chat(thread, Event::Delivery, at_ms, body, false, manner);
        mid
    }

    /// Changes the text of a message and announces it. Editing does not renew the window.
    pub(crate) fn edit_message(&mut self, mid: &str, text: &str, at_ms: i64, manner: Manner) {
        let Some(thread) = self.inbox.thread_of(mid) else { return };
        let Some(message) = self.inbox.message_mut(mid) else { return };
        message.text = Some(text.to_owned());
        message.edited_ms = Some(at_ms);
        message.edits += 1;
        let edit = json!({"mid": mid, "text": text, "num_edit": message.edits});
        let body = Map::from_iter([("message_edit".to_owned(), edit)]);
        self.announce_chat(thread, Event::Edit, at_ms, body, false, manner);
    }

    /// Takes a message back and announces it.
    pub(crate) fn unsend(&mut self, mid: &str, manner: Manner) {
        let Some(message) = self.inbox.message_mut(mid) else { return };
        message.deleted = true;
        message.extra = Map::new();
        self.announce_message(mid, false, manner);
    }

    /// Marks what the account wrote up to a message as read, and announces it.
    pub(crate) fn read_messages(&mut self, mid: &str, at_ms: i64, manner: Manner) {
        let Some(thread) = self.inbox.thread_of(mid) else { return };
        let Some(it) = self.inbox.threads.get_mut(thread) else { return };
        let until = it.messages.iter().position(|message| message.mid == mid).unwrap_or_default();
        for message in it.messages.iter_mut().take(until + 1).filter(|message| message.out) {
            message.status = Some(Status::Read);
        }
        let instagram = matches!(it.account, Account::Instagram(_));
        let read = if instagram { json!({ "mid": mid }) } else { json!({ "watermark": at_ms }) };
        self.announce_chat(thread, Event::Read, at_ms, Map::from_iter([("read".to_owned(), read)]), false, manner);
    }
}
