//! Texts that members keep for answers they write often.

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Inbox;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::SavedReplyId;
use crate::model::inbox::saved_reply::SavedReply;
use crate::tr;

/// How many an org may have: they are listed whole.
const MAX: usize = 200;
const MAX_TITLE: usize = 80;
/// What fits into a message on Messenger.
const MAX_TEXT: usize = 2_000;

/// What a member writes.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedReplyIn {
    /// What members look for: 1 to 80 characters.
    #[schema(min_length = 1, max_length = 80, pattern = r"\S")]
    pub title: String,
    /// The text: 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000, pattern = r"\S")]
    pub text: String,
}

impl Inbox {
    /// Lists the org's saved replies by title.
    pub async fn saved_replies(&self, access: &MetaAccess) -> Result<Vec<SavedReply>, ActError> {
        let mut replies = self.table.for_display().saved_replies(&access.scope).await?;
        replies.sort_by(|one, other| (one.title.to_lowercase(), &one.id).cmp(&(other.title.to_lowercase(), &other.id)));
        Ok(replies)
    }

    /// Saves a reply: a new one, or the one with this id.
    ///
    /// # Errors
    /// Refuses an id that the org does not have, and more than 200.
    pub async fn save_reply(
        &self,
        access: &MetaAccess,
        id: Option<&SavedReplyId>,
        input: SavedReplyIn,
        now: Timestamp,
    ) -> Result<SavedReply, ActError> {
        let checked = |field, text: &str, most: usize| {
            let text = text.trim();
            if (1..=most).contains(&text.chars().count()) {
                return Ok(text.to_owned());
            }
            Err(ActError::invalid(field, ErrorCode::LengthInvalid, tr!("1 to {most} characters.", most = most)))
        };
        let (title, text) = (checked("title", &input.title, MAX_TITLE)?, checked("text", &input.text, MAX_TEXT)?);
        let known = self.table.saved_replies(&access.scope).await?;
        let id = match id {
            Some(id) if known.iter().any(|reply| reply.id == *id) => id.clone(),
            Some(_) => return Err(ActError::not_found(Missing::SavedReply)),
            None if known.len() >= MAX => {
                let message = tr!("An org has at most {most} saved replies. Delete one first.", most = MAX);
                return Err(ActError::refuse(ErrorCode::LimitReached, message));
            }
            None => SavedReplyId::new(),
        };
        let reply = SavedReply { id, title, text, updated_at: now };
        self.table.put_saved_reply(&access.scope, &reply).await?;
        access.trail.about(&reply.id);
        Ok(reply)
    }

    /// Deletes a saved reply. Already deleted counts as success.
    pub async fn delete_saved_reply(&self, access: &MetaAccess, id: &SavedReplyId) -> Result<(), ActError> {
        Ok(self.table.delete_saved_reply(&access.scope, id).await?)
    }
}
