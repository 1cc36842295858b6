//! A person is erased: who they are, what they wrote, and what was written to them.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::Inbox;
use super::contacts::resolve;
use super::reports::change_message;
use crate::error::{ActError, WorkError};
use crate::files::FileKey;
use crate::ids::{ContactId, ConversationId, LeadId, OrgScope};
use crate::model::delivery::EventSubject;
use crate::model::inbox::event::Person;
use crate::model::inbox::people::identities;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::{AttachmentStatus, Author, Channel, Contact};

/// Messages that are erased at once. They mostly wait for the table.
const CONCURRENCY: usize = 8;
/// Messages that are read at once.
const READ_AT_ONCE: usize = 100;

impl Inbox {
    /// Finds the contacts that are joined with one of these leads, or that have one of these numbers on WhatsApp.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn contacts_of_person(
        &self,
        scope: &OrgScope,
        leads: &[LeadId],
        phones: &BTreeSet<String>,
    ) -> Result<BTreeSet<ContactId>, ActError> {
        let mut found = BTreeSet::new();
        for lead in leads {
            found.extend(self.table.contacts_of_lead(scope, lead).await?);
        }
        for phone in phones {
            let digits = phone.trim_start_matches('+').to_owned();
            let person = Person { phone: Some(digits.clone()), ..Person::default() };
            let known = identities(Channel::Whatsapp, "", &person);
            let contact = match self.table.contact_of(scope, &known).await? {
                Some(id) => resolve(&self.table, scope, id).await?,
                None => None,
            };
            // A number may have been another person's.
            let has_it = |contact: &Contact| contact.phones().any(|known| known.trim_start_matches('+') == digits);
            found.extend(contact.filter(has_it).map(|contact| contact.id));
        }
        Ok(found)
    }

    /// Erases a contact with those it took over: the person's ids and names, the conversations with them, what they wrote
    /// below others' comments, and all files. What Meta still lists of it does not come back; what the person writes from
    /// now on makes a new contact. A lead of the person stays. Already erased counts as success.
    ///
    /// # Errors
    /// After an error a part is erased; the same request goes on.
    pub async fn erase_contact(&self, scope: &OrgScope, id: &ContactId, now: Timestamp) -> Result<(), ActError> {
        let Some(contact) = resolve(&self.table, scope, id.clone()).await? else { return Ok(()) };
        for id in contact.merged.iter().chain([&contact.id]) {
            // What its events said, which endpoints of the CRM may still be sent.
            self.table.erase_events(scope, &EventSubject::Contact(id.clone()), now).await?;
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
