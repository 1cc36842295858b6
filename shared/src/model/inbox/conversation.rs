//! A conversation: what its messages make of it, and how it is found.

use jiff::Timestamp;

use super::event::NewMessage;
use super::{Channel, Contact, Conversation, ConversationStatus};
use crate::ids::{ConversationId, OrgId};

impl Conversation {
    /// A conversation in which nothing was written yet. It waits for no one.
    #[must_use]
    pub fn new(org: OrgId, id: ConversationId, channel: Channel, account: &str) -> Self {
        Self {
            id,
            org,
            channel,
            page_id: None,
            account: account.to_owned(),
            post: None,
            root: None,
            contact_id: None,
            status: ConversationStatus::Closed,
            snoozed_until: None,
            assigned_to: None,
            unread: 0,
            read_at: None,
            changed_at: None,
            delivered_until: None,
            read_until: None,
            last_message_at: Timestamp::UNIX_EPOCH,
            last_inbound_at: None,
            preview: String::new(),
            searchable: String::new(),
            standby: false,
            standby_at: None,
            sending: Vec::new(),
            revision: 0,
        }
    }

    /// Takes note of a message in it that was not known before. What is history wakes no one: it was written before the
    /// account was connected.
    pub fn take_message(&mut self, message: &NewMessage, contact: Option<&Contact>, is_history: bool) {
        if !message.is_ours {
            // Below a comment, it is about who wrote that; others reply, and may be heard of first.
            let sender = contact.map(|contact| contact.id.clone());
            self.contact_id = match self.root.as_deref() == Some(message.mid.as_str()) {
                true => sender.or_else(|| self.contact_id.take()),
                false => self.contact_id.take().or(sender),
            };
            if !is_history && self.read_at.is_none_or(|read| message.created_time > read) {
                self.unread = self.unread.saturating_add(1);
            }
            if self.last_inbound_at.is_none_or(|last| message.created_time > last) {
                self.last_inbound_at = Some(message.created_time);
                // A message from before a member closed the conversation does not open it.
                if !is_history && self.changed_at.is_none_or(|changed| message.created_time > changed) {
                    (self.status, self.snoozed_until) = (ConversationStatus::Open, None);
                }
            }
        }
        // A webhook of Messenger or Instagram has no name: it was asked for, and stands at the contact.
        let known = contact.and_then(|contact| contact.name.as_deref());
        let (person, text) = (&message.person, message.text.as_deref());
        let names = [person.name.as_deref(), person.username.as_deref(), known, text];
        names.into_iter().flatten().for_each(|text| self.make_searchable(text));
        if message.created_time >= self.last_message_at {
            self.last_message_at = message.created_time;
            self.preview = preview(message);
        }
        self.hand_over(message.standby, message.created_time);
        self.post = self.post.take().or_else(|| message.post.clone());
    }

    /// Takes note of whether another app has it. Returns whether that is news.
    pub fn hand_over(&mut self, standby: bool, at: Timestamp) -> bool {
        let is_news = self.standby_at.is_none_or(|known| known < at);
        if is_news {
            (self.standby, self.standby_at) = (standby, Some(at));
        }
        is_news
    }

    /// Its status at a time: what was snoozed is open again afterwards.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> ConversationStatus {
        match (self.status, self.snoozed_until) {
            (ConversationStatus::Snoozed, Some(until)) if until <= now => ConversationStatus::Open,
            (status, _) => status,
        }
    }

    /// Lets a search find a text. Of very many texts, the newest are found.
    pub fn make_searchable(&mut self, text: &str) {
        const MAX_BYTES: usize = 3_000;
        let text = searchable(text);
        if text.is_empty() || self.searchable.lines().any(|known| known == text) {
            return;
        }
        let mut texts: Vec<&str> = self.searchable.lines().chain([text.as_str()]).collect();
        while texts.len() > 1 && texts.iter().map(|text| text.len() + 1).sum::<usize>() > MAX_BYTES {
            texts.remove(0);
        }
        self.searchable = texts.join("\n");
    }

    /// Lets no search find a text any more.
    pub fn make_unsearchable(&mut self, text: &str) {
        let text = searchable(text);
        self.searchable = self.searchable.lines().filter(|known| *known != text).collect::<Vec<_>>().join("\n");
    }

    /// Whether a search for these words finds it: each of them in any place.
    #[must_use]
    pub fn is_found_by(&self, words: &str) -> bool {
        searchable(words).split(' ').all(|word| self.searchable.contains(word))
    }
}

/// A text as searches compare it: lower case, single spaces, and not more of it than a person remembers.
fn searchable(text: &str) -> String {
    const MAX_CHARS: usize = 600;
    let words: String = text.chars().take(MAX_CHARS).collect();
    words.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The beginning of a message, or what it consists of.
fn preview(message: &NewMessage) -> String {
    const MAX_CHARS: usize = 120;
    let text = message.text.as_deref().unwrap_or_default();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return message.attachments.first().map(|attachment| format!("[{}]", attachment.r#type)).unwrap_or_default();
    }
    words.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_gone_takes_no_other_with_it_and_the_oldest_make_room() {
        let ids = (OrgId::parse("a").unwrap(), ConversationId::parse("cnv_1").unwrap());
        let mut conversation = Conversation::new(ids.0, ids.1, Channel::Messenger, "7");
        for text in ["Ada", "Hi, this is Ada", "is", "HI, this  is\nAda"] {
            conversation.make_searchable(text);
        }
        conversation.make_unsearchable("Hi, this is Ada");
        assert!(conversation.is_found_by("ada") && conversation.is_found_by("is") && !conversation.is_found_by("this"));
        for number in 0..20 {
            conversation.make_searchable(&format!("{number} {}", "ü".repeat(200)));
        }
        assert!(conversation.is_found_by("19 ü") && !conversation.is_found_by("ada"));
        assert!(conversation.searchable.len() <= 3_000);
    }
}
