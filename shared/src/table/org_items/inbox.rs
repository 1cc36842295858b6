//! The items of an org's inbox.

use strum::IntoEnumIterator;

use super::{OrgItem, OrgWalk, text_at};
use crate::ids::{ContactId, ConversationId};
use crate::model::inbox::people::message_id;
use crate::model::inbox::{Channel, Contact, ConversationStatus};
use crate::table::TableError;
use crate::table::keys::{self, Key};

impl OrgWalk<'_> {
    /// Hands out conversations with their messages, then people with what is known of them.
    pub(super) async fn walk_inbox<E: From<TableError>>(
        &self,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        for status in ConversationStatus::iter() {
            let mut after = None;
            loop {
                let (found, next) = self.listed("gsi2", &keys::conversations_of_org(self.scope, status), after).await?;
                let conversations = self.items(found).await?;
                for conversation in &conversations {
                    self.walk_messages(conversation, take).await?;
                }
                let copies = conversations.iter().filter_map(|item| text_at(&item.item, &["post", "copy"]));
                let copies = copies.map(|copy| keys::post_copy(self.scope, copy)).collect();
                take(self.items(copies).await?).await?;
                take(conversations).await?;
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        self.walk_contacts(take).await
    }

    async fn walk_messages<E: From<TableError>>(
        &self,
        conversation: &OrgItem,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(id) = text_at(&conversation.item, &["id"]).and_then(|id| ConversationId::parse(id).ok()) else {
            return Ok(());
        };
        let (list, mut after) = (keys::messages_of_conversation(self.scope, &id), None);
        loop {
            let (found, next) = self.listed("gsi2", &list, after).await?;
            let messages = self.items(found).await?;
            let beside = messages.iter().flat_map(|message| self.beside_message(message)).collect();
            take(self.items(beside).await?).await?;
            take(messages).await?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The keys of what leads to a message, or to the post that it is about.
    fn beside_message(&self, message: &OrgItem) -> Vec<Key> {
        let channel = text_at(&message.item, &["channel"]).and_then(|channel| channel.parse::<Channel>().ok());
        let alias = channel.zip(text_at(&message.item, &["mid"])).map(|(channel, mid)| message_id(channel, mid));
        let alias = alias.map(|id| keys::message_alias(self.scope, &id));
        let copy = text_at(&message.item, &["content", "post", "copy"]);
        alias.into_iter().chain(copy.map(|copy| keys::post_copy(self.scope, copy))).collect()
    }

    async fn walk_contacts<E: From<TableError>>(
        &self,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = None;
        loop {
            let (found, next) = self.listed("gsi2", &keys::contacts_of_org(self.scope), after).await?;
            let contacts: Vec<OrgItem> = self.items(found.clone()).await?;
            let mut beside = Vec::new();
            for item in &contacts {
                let Ok(contact) = serde_dynamo::from_item::<_, Contact>(item.item.clone()) else { continue };
                beside.extend(contact.identities().iter().map(|identity| keys::identity(self.scope, identity)));
                beside.extend(contact.merged.iter().map(|id: &ContactId| keys::contact(self.scope, id)));
            }
            take(self.items(beside).await?).await?;
            let partitions: Vec<String> = found.iter().map(|key| key.pk.clone()).collect();
            let own = self.partitions(&partitions).await?;
            let (roots, events) = own.into_iter().partition(|item| found.contains(&item.key));
            take(events).await?;
            take(roots).await?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
