//! Mentions of a page or an Instagram account elsewhere.

use serde_json::json;

use super::Account;
use crate::webhook::outbox::Manner;
use crate::world::World;

/// A mention of an Instagram account in someone's medium, or in a comment on it.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    pub(crate) account_id: String,
    pub(crate) media_id: String,
    /// `None` if the caption mentions the account.
    pub(crate) comment_id: Option<String>,
    pub(crate) visitor: usize,
    pub(crate) text: String,
    pub(crate) created_ms: i64,
    /// What the account answered.
    pub(crate) replies: Vec<(String, String)>,
}

impl World {
    /// Adds a mention of an Instagram account and announces it. Returns the ids of the medium and of the comment.
    pub(crate) fn mention_on_instagram(
        &mut self,
        account_id: &str,
        visitor: usize,
        text: &str,
        in_comment: bool,
        manner: Manner,
    ) -> (String, Option<String>) {
        let media_id = self.ids.instagram();
        let comment_id = in_comment.then(|| self.ids.instagram());
        let mut value = json!({ "media_id": media_id });
        if let (Some(id), Some(members)) = (&comment_id, value.as_object_mut()) {
            members.insert("comment_id".to_owned(), json!(id));
        }
        self.inbox.mentions.push(Mention {
            account_id: account_id.to_owned(),
            media_id: media_id.clone(),
            comment_id: comment_id.clone(),
            visitor,
            text: text.to_owned(),
            created_ms: self.clock.now_ms(),
            replies: Vec::new(),
        });
        self.announce_field(&Account::Instagram(account_id.to_owned()), "mentions", value, manner);
        (media_id, comment_id)
    }

    /// Announces a mention of a page in someone's post. Returns the id of the post.
    pub(crate) fn mention_page(&mut self, page_id: &str, visitor: usize, text: &str, manner: Manner) -> String {
        let from = self.page_actor(page_id, Some(visitor));
        let id = from.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
        let post_id = format!("{id}_{}", self.ids.content());
        let value = json!({
            "post_id": post_id, "item": "post", "verb": "add", "sender_id": id, "sender_name": from.get("name"),
            "message": text, "created_time": self.clock.now_s(),
        });
        self.announce_field(&Account::Page(page_id.to_owned()), "mention", value, manner);
        post_id
    }
}
