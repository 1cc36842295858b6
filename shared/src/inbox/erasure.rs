//! A person is erased: who they are, what they wrote, and what was written to them.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::Inbox;
use super::contacts::resolve;
use super::reports::change_message;
use crate::directory::MetaAccess;
use crate::error::{ActError, WorkError};
use crate::files::FileKey;
use crate::ids::{ContactId, ConversationId, OrgScope};
use crate::model::delivery::EventSubject;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::{AttachmentStatus, Author};

/// Messages that are erased at once. They mostly wait for the table.
const CONCURRENCY: usize = 8;
/// Messages that are read at once.
const READ_AT_ONCE: usize = 100;

impl Inbox {
    /// Erases a contact with those it took over: the person's ids and names, the conversations with them, what they wrote
    /// below others' comments, and all files. What Meta still lists of it does not come back; what the person writes from
    /// now on makes a new contact. A lead of the person stays. Already erased counts as success.
    ///
    /// # Errors
    /// After an error a part is erased; the same request goes on.
    pub async fn erase_contact(&self, access: &MetaAccess, id: &ContactId, now: Timestamp) -> Result<(), ActError> {
        let scope = &access.scope;
        let Some(contact) = resolve(&self.table, scope, id.clone()).await? else { return Ok(()) };
        for id in contact.merged.iter().chain([&contact.id]) {
            // What its events said, which endpoints of the CRM may still be sent.
            self.table.erase_events(scope, &EventSubject::Contact(id.clone())).await?;
            for conversation in self.table.conversations_of(scope, id).await? {
                self.erase_conversation(scope, &conversation.id, now).await?;
            }
            for reply in self.table.replies_of(scope, id).await? {
                self.erase_files(scope, &reply).await?;
                let anonymous = |state: &mut MessageState| {
                    state.take_deletion(now);
                    if let Some(content) = &mut state.content {
                        content.author = Author::Contact { id: None, name: None };
                    }
                };
                change_message(&self.table, scope, reply.channel, &reply.id, None, anonymous).await?;
            }
        }
        Ok(self.table.delete_contact(scope, &contact).await?)
    }

    async fn erase_conversation(&self, scope: &OrgScope, id: &ConversationId, now: Timestamp) -> Result<(), WorkError> {
        let mut after = None;
        loop {
            let page = self.table.messages(scope, id, after.as_ref(), READ_AT_ONCE).await?;
            after = page.last().filter(|_| page.len() == READ_AT_ONCE).map(|(position, _)| position.clone());
            let work: Vec<_> = page.iter().map(|(_, message)| self.erase_message(scope, message, now)).collect();
            stream::iter(work).buffer_unordered(CONCURRENCY).try_collect::<()>().await?;
            if after.is_none() {
                return Ok(self.table.delete_conversation(scope, id).await?);
            }
        }
    }

    async fn erase_message(&self, scope: &OrgScope, message: &MessageState, now: Timestamp) -> Result<(), WorkError> {
        self.erase_files(scope, message).await?;
        Ok(self.table.erase_message(scope, message, now).await?)
    }

    async fn erase_files(&self, scope: &OrgScope, message: &MessageState) -> Result<(), WorkError> {
        let files = message.content.iter().flat_map(|content| content.attachments.iter().enumerate());
        for (position, _) in files.filter(|(_, file)| file.status != AttachmentStatus::None) {
            self.files.delete(&FileKey::of_attachment(scope, &message.id, position)).await?;
        }
        Ok(())
    }
}
