//! Changes of several conversations at once.

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use super::{ConversationChangeIn, Inbox};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::ConversationId;

/// Conversations that are changed at the same time.
const AT_ONCE: usize = 8;

/// What came of a change of several conversations.
#[derive(Debug, Default)]
pub struct ConversationBulkOutcome {
    /// Conversations that are as wanted.
    pub changed: usize,
    /// Conversations that are no longer there.
    pub gone: usize,
    /// Conversations of which it is not known whether they were changed.
    pub failed: usize,
    /// The first failure.
    pub failure: Option<ActError>,
}

impl Inbox {
    /// Changes several conversations, each as [`Inbox::change_conversation`] does.
    ///
    /// # Errors
    /// Refuses what is refused for one conversation before any is changed. A later failure is in the outcome.
    pub async fn change_conversations(
        &self,
        access: &MetaAccess,
        ids: &[ConversationId],
        change: &ConversationChangeIn,
        now: Timestamp,
    ) -> Result<ConversationBulkOutcome, ActError> {
        self.check_change(access, change, now).await?;
        let mut changes = stream::iter(ids.to_vec())
            .map(|id| async move { (self.change_conversation(access, &id, change, now).await, id) })
            .buffered(AT_ONCE);
        let mut outcome = ConversationBulkOutcome::default();
        while let Some((result, id)) = changes.next().await {
            match result {
                Ok(_) => outcome.changed += 1,
                Err(error) if error.code() == ErrorCode::NotFound => {
                    outcome.gone += 1;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, conversation = %id, "one of several conversations was not changed");
                    outcome.failed += 1;
                    outcome.failure.get_or_insert(error);
                }
            }
            access.trail.about(&id);
        }
        Ok(outcome)
    }
}
