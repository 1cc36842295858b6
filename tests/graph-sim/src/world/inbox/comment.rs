//! Comments on pages' posts and on Instagram media.

use super::Account;
use super::message::Attachment;
use crate::webhook::outbox::Manner;
use crate::world::World;

/// A comment.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: String,
    /// The page or Instagram account whose post it is on.
    pub(crate) account: Account,
    /// The post or medium.
    pub(crate) on: String,
    /// The comment it replies to.
    pub(crate) parent_id: Option<String>,
    /// Index of the person; `None` for the account itself.
    pub(crate) author: Option<usize>,
    pub(crate) text: Option<String>,
    pub(crate) attachment: Option<Attachment>,
    pub(crate) hidden: bool,
    /// A removed comment is only in the true state.
    pub(crate) removed: bool,
    pub(crate) edited_ms: Option<i64>,
    pub(crate) created_ms: i64,
    /// The app through which the account wrote it.
    pub(crate) by_app: Option<String>,
    pub(crate) ad_id: Option<String>,
    /// The message that answered it privately.
    pub(crate) private_reply: Option<String>,
}

/// What a new comment consists of.
#[derive(Debug, Clone)]
pub(crate) struct NewComment {
    pub(crate) account: Account,
    pub(crate) on: String,
    pub(crate) parent_id: Option<String>,
    pub(crate) author: Option<usize>,
    pub(crate) text: Option<String>,
    pub(crate) attachment: Option<Attachment>,
    pub(crate) by_app: Option<String>,
    pub(crate) ad_id: Option<String>,
    pub(crate) at_ms: i64,
}

impl World {
    /// Adds a comment, announces it and returns its id.
    pub(crate) fn add_comment(&mut self, new: NewComment, manner: Manner) -> String {
        let id = match &new.account {
            Account::Instagram(_) => self.ids.instagram(),
            Account::Page(_) | Account::Number(_) => {
                let post = new.on.split_once('_').map_or(new.on.as_str(), |(_, number)| number);
                format!("{post}_{}", self.ids.comment())
            }
        };
        let comment = Comment {
            id: id.clone(),
            account: new.account,
            on: new.on.clone(),
            parent_id: new.parent_id,
            author: new.author,
            text: new.text,
            attachment: new.attachment,
            hidden: false,
            removed: false,
            edited_ms: None,
            created_ms: new.at_ms,
            by_app: new.by_app,
            ad_id: new.ad_id,
            private_reply: None,
        };
        self.inbox.comments.insert(id.clone(), comment);
        self.inbox.comments_on.entry(new.on).or_default().push(id.clone());
        self.inbox.comment_order.push(id.clone());
        self.announce_comment(&id, "add", manner);
        id
    }

    /// Changes the text of a comment and announces it. `attachment` replaces the old one.
    pub(crate) fn edit_comment(
        &mut self,
        id: &str,
        text: Option<String>,
        attachment: Option<Attachment>,
        manner: Manner,
    ) {
        let now = self.clock.now_ms();
        let Some(comment) = self.inbox.comment_mut(id) else { return };
        comment.text = text;
        comment.attachment = attachment;
        comment.edited_ms = Some(now);
        let verb = self.inbox.settings.edit_verb;
        self.announce_comment(id, verb, manner);
    }

    /// Hides or shows a comment and announces it.
    pub(crate) fn hide_comment(&mut self, id: &str, hidden: bool, manner: Manner) {
        let Some(comment) = self.inbox.comment_mut(id) else { return };
        if comment.hidden == hidden {
            return;
        }
        comment.hidden = hidden;
        self.announce_comment(id, if hidden { "hide" } else { "unhide" }, manner);
    }

    /// Removes a comment with its replies and announces it. Meta does not announce the replies.
    pub(crate) fn remove_comment(&mut self, id: &str, manner: Manner) {
        let replies: Vec<String> = self
            .inbox
            .all_comments()
            .filter(|comment| comment.parent_id.as_deref() == Some(id) && !comment.removed)
            .map(|comment| comment.id.clone())
            .collect();
        for reply in replies {
            self.remove_comment(&reply, Manner::Drop);
        }
        self.announce_comment(id, "remove", manner);
        if let Some(comment) = self.inbox.comment_mut(id) {
            comment.removed = true;
        }
    }
}
