//! Reactions to posts, comments and messages, and shares of posts.

use serde_json::{Map, json};

use super::Account;
use super::chat::Event;
use crate::webhook::outbox::Manner;
use crate::world::World;

/// A person's reaction to a post or comment of a page.
#[derive(Debug, Clone)]
pub(crate) struct Reaction {
    pub(crate) page_id: String,
    pub(crate) post_id: String,
    pub(crate) comment_id: Option<String>,
    pub(crate) visitor: usize,
    /// As in webhooks: `like`, `love`, `care`, `haha`, `wow`, `sorry`, `anger`.
    pub(crate) kind: String,
    pub(crate) created_ms: i64,
    /// A withdrawn reaction is only in the true state.
    pub(crate) active: bool,
}

impl Reaction {
    /// The id of what it is about.
    pub(crate) fn on(&self) -> &str {
        self.comment_id.as_deref().unwrap_or(&self.post_id)
    }

    /// The name in the API, which differs from that in webhooks.
    pub(crate) fn api_name(&self) -> String {
        match self.kind.as_str() {
            "sorry" => "SAD".to_owned(),
            "anger" => "ANGRY".to_owned(),
            other => other.to_uppercase(),
        }
    }
}

/// The emoji of the names that Messenger and Instagram give to some.
pub(crate) fn emoji(name: &str) -> Option<&'static str> {
    Some(match name {
        "love" => "❤",
        "smile" | "haha" => "😆",
        "wow" => "😮",
        "sad" | "sorry" => "😢",
        "angry" | "anger" => "😠",
        "like" | "yes" => "👍",
        "dislike" => "👎",
        _ => return None,
    })
}

impl World {
    /// Adds, changes or withdraws a person's reaction and announces it. A person has one reaction to each thing.
    pub(crate) fn react(&mut self, reaction: Reaction, verb: &str, manner: Manner) {
        let same = |known: &&mut Reaction| known.visitor == reaction.visitor && known.on() == reaction.on();
        match self.inbox.reactions.iter_mut().find(same) {
            Some(known) => {
                known.kind.clone_from(&reaction.kind);
                known.active = verb != "remove";
            }
            None => self.inbox.reactions.push(Reaction { active: verb != "remove", ..reaction.clone() }),
        }
        let from = self.page_actor(&reaction.page_id, Some(reaction.visitor));
        let comment = reaction.comment_id.as_deref().and_then(|id| self.inbox.comment(id));
        let parent = comment.and_then(|comment| comment.parent_id.as_deref()).unwrap_or(&reaction.post_id);
        let mut value = json!({
            "item": "reaction", "verb": verb, "reaction_type": reaction.kind, "post_id": reaction.post_id,
            "parent_id": parent, "created_time": reaction.created_ms.div_euclid(1000), "from": from,
        });
        if let (Some(id), Some(members)) = (&reaction.comment_id, value.as_object_mut()) {
            members.insert("comment_id".to_owned(), json!(id));
        }
        let account = Account::Page(reaction.page_id.clone());
        if self.inbox.settings.doubles_likes && reaction.kind == "like" {
            let mut like = value.clone();
            if let Some(members) = like.as_object_mut() {
                members.insert("item".to_owned(), json!("like"));
                members.remove("reaction_type");
            }
            self.announce_field(&account, "feed", like, manner);
        }
        self.announce_field(&account, "feed", value, manner);
    }

    /// Counts a share of a post in public and announces it. The share is a post of the person. Returns its id.
    pub(crate) fn share(&mut self, page_id: &str, post_id: &str, visitor: usize, manner: Manner) -> String {
        *self.inbox.shares.entry(post_id.to_owned()).or_default() += 1;
        let share_id = self.ids.content();
        let from = self.page_actor(page_id, Some(visitor));
        let link = self.content.post(post_id).map(crate::world::content::post::Post::permalink);
        let value = json!({
            "item": "share", "verb": "add", "share_id": share_id, "post_id": format!("{page_id}_{share_id}"),
            "link": link, "from": from, "published": 1, "created_time": self.clock.now_s(),
        });
        self.announce_field(&Account::Page(page_id.to_owned()), "feed", value, manner);
        share_id
    }

    /// Adds or withdraws a person's reaction to a message and announces it. A reaction renews the window of Messenger and
    /// Instagram.
    pub(crate) fn react_to_message(&mut self, mid: &str, kind: &str, removed: bool, at_ms: i64, manner: Manner) {
        let Some(thread) = self.inbox.thread_of(mid) else { return };
        let Some((account, visitor)) = self.inbox.threads.get(thread).map(|it| (it.account.clone(), it.visitor)) else {
            return;
        };
        let shown = emoji(kind).unwrap_or(kind).to_owned();
        if let Some(message) = self.inbox.message_mut(mid) {
            message.reactions.retain(|(_, by)| *by != Some(visitor));
            if !removed {
                message.reactions.push((shown.clone(), Some(visitor)));
            }
        }
        if matches!(account, Account::Number(_)) {
            let mut reaction = json!({ "message_id": mid });
            if let Some(members) = reaction.as_object_mut().filter(|_| !removed) {
                members.insert("emoji".to_owned(), json!(shown));
            }
            let content = Map::from_iter([
                ("id".to_owned(), json!(crate::world::ids::message_text("whatsapp"))),
                ("type".to_owned(), json!("reaction")),
                ("reaction".to_owned(), reaction),
            ]);
            self.announce_whatsapp_message(thread, content, at_ms, manner);
            return;
        }
        self.renew_window(thread, at_ms);
        let mut reaction = json!({"mid": mid, "action": if removed { "unreact" } else { "react" }});
        if let Some(members) = reaction.as_object_mut().filter(|_| !removed) {
            let name = if emoji(kind).is_some() { kind } else { "other" };
            members.insert("reaction".to_owned(), json!(name));
            members.insert("emoji".to_owned(), json!(shown));
        }
        let body = Map::from_iter([("reaction".to_owned(), reaction)]);
        self.announce_chat(thread, Event::Reaction, at_ms, body, false, manner);
    }
}
