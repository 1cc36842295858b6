//! The webhooks of comments, as captured from Meta.

use serde_json::{Map, Value, json};

use super::Account;
use super::comment::Comment;
use crate::clock::graph_time;
use crate::webhook::outbox::{Change, Manner, Place};
use crate::world::World;

impl World {
    /// Announces what happened to a comment: `add`, `edited`, `hide`, `unhide` or `remove`. Instagram only announces new
    /// comments.
    pub(crate) fn announce_comment(&mut self, id: &str, verb: &str, manner: Manner) {
        let Some(comment) = self.inbox.comment(id).cloned() else { return };
        let (field, value) = match &comment.account {
            Account::Page(page_id) => ("feed", self.feed_value(page_id, &comment, verb)),
            Account::Instagram(account_id) if verb == "add" => ("comments", self.instagram_value(account_id, &comment)),
            Account::Instagram(_) | Account::Number(_) => return,
        };
        self.announce_field(&comment.account, field, value, manner);
    }

    /// Announces a `value` of a field of a page or an Instagram account.
    pub(crate) fn announce_field(&mut self, account: &Account, field: &str, value: Value, manner: Manner) {
        let value = if self.inbox.settings.numeric_ids { with_numbers(value) } else { value };
        let change = Change {
            object: account.object().to_owned(),
            entry_id: account.id().to_owned(),
            body: json!({"field": field, "value": value}),
            place: self.inbox.settings.instagram_layout.place(account).unwrap_or(Place::Changes),
            leadgen_id: None,
        };
        self.announce_change(change, field, manner);
    }

    /// Who did something on a page: a person, or the page itself.
    pub(crate) fn page_actor(&mut self, page_id: &str, author: Option<usize>) -> Value {
        match author {
            Some(index) => {
                let id = self.scoped_id(index, &Account::Page(page_id.to_owned()));
                json!({"id": id, "name": self.inbox.visitors.get(index).map(|visitor| visitor.name.as_str())})
            }
            None => json!({"id": page_id, "name": self.pages.get(page_id).map(|page| page.name.as_str())}),
        }
    }

    fn feed_value(&mut self, page_id: &str, comment: &Comment, verb: &str) -> Value {
        // Hiding is attributed to the page, not to the author of the comment.
        let author = if matches!(verb, "hide" | "unhide") { None } else { comment.author };
        let mut value = Map::new();
        if self.inbox.settings.names_authors || author.is_none() {
            value.insert("from".to_owned(), self.page_actor(page_id, author));
        }
        let parent = comment.parent_id.as_ref().unwrap_or(&comment.on);
        for (name, text) in [
            ("item", "comment"),
            ("verb", verb),
            ("post_id", &comment.on),
            ("comment_id", &comment.id),
            ("parent_id", parent),
        ] {
            value.insert(name.to_owned(), json!(text));
        }
        value.insert("created_time".to_owned(), json!(comment.created_ms.div_euclid(1000)));
        if verb == "remove" {
            return Value::Object(value);
        }
        if let Some(at_ms) = comment.edited_ms {
            value.insert("edited_time".to_owned(), json!(at_ms.div_euclid(1000)));
        }
        if let Some(text) = &comment.text {
            value.insert("message".to_owned(), json!(text));
        }
        if let Some(attachment) = &comment.attachment {
            let name = if attachment.kind == "video" { "video" } else { "photo" };
            value.insert(name.to_owned(), json!(attachment.url));
        }
        if let Some(post) = self.content.post(&comment.on) {
            let post = json!({
                "id": post.id, "status_type": "mobile_status_update", "is_published": post.is_published(),
                "updated_time": graph_time(post.updated_ms), "permalink_url": post.permalink(),
                "promotion_status": if comment.ad_id.is_some() { "active" } else { "inactive" },
            });
            value.insert("post".to_owned(), post);
        }
        Value::Object(value)
    }

    fn instagram_value(&mut self, account_id: &str, comment: &Comment) -> Value {
        let from = self.instagram_actor(account_id, comment.author);
        let mut media = json!({"id": comment.on});
        if let Some(medium) = self.inbox_medium(&comment.on)
            && let Some(members) = media.as_object_mut()
        {
            members.extend(medium);
        }
        let mut value = json!({"id": comment.id, "media": media});
        if let Some(members) = value.as_object_mut() {
            if self.inbox.settings.names_authors || comment.author.is_none() {
                members.insert("from".to_owned(), from);
            }
            if let Some(text) = &comment.text {
                members.insert("text".to_owned(), json!(text));
            }
            if let Some(parent_id) = &comment.parent_id {
                members.insert("parent_id".to_owned(), json!(parent_id));
            }
        }
        value
    }

    /// Who did something on Instagram. The account itself has another id too.
    pub(crate) fn instagram_actor(&mut self, account_id: &str, author: Option<usize>) -> Value {
        match author {
            Some(index) => {
                let id = self.scoped_id(index, &Account::Instagram(account_id.to_owned()));
                json!({"id": id, "username": self.inbox.visitors.get(index).map(|visitor| visitor.username.as_str())})
            }
            None => {
                let username = self.instagram.accounts.get(account_id).map(|account| account.username.as_str());
                json!({"id": account_id, "username": username, "self_ig_scoped_id": format!("7{account_id}")})
            }
        }
    }

    /// What a webhook says about a medium besides its id.
    fn inbox_medium(&self, id: &str) -> Option<Map<String, Value>> {
        let medium = self.instagram.medium(id)?;
        let mut members = Map::new();
        members.insert("media_product_type".to_owned(), json!(medium.product_type()));
        if let Some((original, ad_id)) = &medium.ad_copy_of {
            members.insert("ad_id".to_owned(), json!(ad_id));
            members.insert("ad_title".to_owned(), json!(format!("Ad {ad_id}")));
            members.insert("original_media_id".to_owned(), json!(original));
        }
        Some(members)
    }
}

/// Replaces ids that are nothing but digits by numbers.
fn with_numbers(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let numbered = members.into_iter().map(|(name, value)| {
        let number = value.as_str().filter(|_| name == "id" || name.ends_with("_id"));
        let value = match number.and_then(|text| text.parse::<u64>().ok()) {
            Some(number) => json!(number),
            None => with_numbers(value),
        };
        (name, value)
    });
    numbered.collect()
}
