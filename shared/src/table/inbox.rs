//! The inbox: conversations, the accounts through which they come, and what its entities have in common.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Put, Select, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, Item, Table, TableError, if_held, text};
use crate::aws::AwsError;
use crate::ids::{ContactId, ConversationId, IntegrationId, OrgId, OrgScope, PageId, SavedReplyId};
use crate::model::connection::Connection;
use crate::model::inbox::saved_reply::SavedReply;
use crate::model::inbox::turn::InboxTurn;
use crate::model::inbox::{Conversation, ConversationStatus};

/// An Instagram account or a WhatsApp number that an org has connected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxAccount {
    /// `instagram` or `whatsapp`.
    pub network: String,
    /// Meta's id of the account or the number.
    pub account: String,
    /// The org.
    pub org: OrgId,
    /// The integration whose token reaches it.
    pub integration_id: IntegrationId,
    /// The page behind an Instagram account.
    pub page_id: Option<PageId>,
    /// The WhatsApp business account of a number.
    #[serde(default)]
    pub waba_id: Option<String>,
    /// Its name or number, for people.
    #[serde(default)]
    pub name: Option<String>,
}

/// A position in a list of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InboxPosition(String);

#[derive(Serialize, Deserialize)]
pub(super) struct SocialProgress {
    until: Timestamp,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Pointer<I> {
    pub(super) to: I,
}

impl Table {
    /// Lists the orgs' connections of an Instagram account or a WhatsApp number.
    pub async fn inbox_accounts(
        &self,
        network: &str,
        account: &str,
    ) -> Result<Vec<(OrgScope, InboxAccount)>, TableError> {
        let known: Vec<InboxAccount> =
            self.query(&keys::inbox_accounts(network, account), keys::INBOX_ACCOUNT_PREFIX).await?;
        Ok(known.into_iter().map(|account| (OrgScope::new(account.org.clone()), account)).collect())
    }

    /// Stores a connection of an account.
    pub async fn put_inbox_account(&self, scope: &OrgScope, account: &InboxAccount) -> Result<(), TableError> {
        let key = keys::inbox_account(&account.network, &account.account, scope, &account.integration_id);
        let index = keys::accounts_of_org(scope, &account.network, &account.account);
        self.put(Row::new(&key, ItemKind::InboxAccount, account).indexed(index)).await
    }

    /// Lists the accounts that an integration of the org reaches.
    pub async fn inbox_accounts_of(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
    ) -> Result<Vec<InboxAccount>, TableError> {
        let keys = self.index_keys(&keys::inbox_accounts_of_org(scope), super::IndexRange::All).await?;
        let mut accounts: Vec<InboxAccount> = self.read_all(&keys).await?;
        accounts.retain(|account| account.integration_id == *id);
        Ok(accounts)
    }

    /// Deletes a connection of an account. Already deleted counts as success.
    pub async fn delete_inbox_account(&self, scope: &OrgScope, account: &InboxAccount) -> Result<(), TableError> {
        self.delete(&keys::inbox_account(&account.network, &account.account, scope, &account.integration_id)).await
    }

    /// Reads which post an ad's copy shows, if that was ever told.
    pub async fn post_of_copy(&self, scope: &OrgScope, copy: &str) -> Result<Option<String>, TableError> {
        Ok(self.get::<Pointer<String>>(&keys::post_copy(scope, copy)).await?.map(|pointer| pointer.to))
    }

    /// Stores which post an ad's copy shows.
    pub async fn put_post_copy(&self, scope: &OrgScope, copy: &str, post: &str) -> Result<(), TableError> {
        self.put(Row::new(&keys::post_copy(scope, copy), ItemKind::PostCopy, &Pointer { to: post.to_owned() })).await
    }

    /// Reads who of the members had the last turn.
    pub async fn inbox_turn(&self, scope: &OrgScope) -> Result<InboxTurn, TableError> {
        Ok(self.get(&keys::inbox_turn(scope)).await?.unwrap_or_default())
    }

    /// Lists the org's saved replies, oldest first.
    pub async fn saved_replies(&self, scope: &OrgScope) -> Result<Vec<SavedReply>, TableError> {
        self.query(&keys::saved_replies(scope), "REPLY#").await
    }

    /// Stores a saved reply.
    pub async fn put_saved_reply(&self, scope: &OrgScope, reply: &SavedReply) -> Result<(), TableError> {
        self.put(Row::new(&keys::saved_reply(scope, &reply.id), ItemKind::SavedReply, reply)).await
    }

    /// Deletes a saved reply. Already deleted counts as success.
    pub async fn delete_saved_reply(&self, scope: &OrgScope, id: &SavedReplyId) -> Result<(), TableError> {
        self.delete(&keys::saved_reply(scope, id)).await
    }

    /// Until when a page's comments and messages are known to be stored.
    pub async fn social_synced_until(
        &self,
        scope: &OrgScope,
        pages: &[Connection],
    ) -> Result<Vec<Option<Timestamp>>, TableError> {
        let key = |page: &Connection| keys::social_progress(scope, &page.integration_id, &page.page_id);
        let keys: Vec<Key> = pages.iter().map(key).collect();
        let mut found = self.batch_get(&keys).await?;
        let until = |item| Ok(super::entity::<SocialProgress>(item)?.until);
        keys.iter().map(|key| found.remove(key).map(until).transpose()).collect()
    }

    /// Stores until when a page's comments and messages are known to be stored.
    pub async fn set_social_synced(
        &self,
        scope: &OrgScope,
        page: &Connection,
        until: Timestamp,
    ) -> Result<(), TableError> {
        let key = keys::social_progress(scope, &page.integration_id, &page.page_id);
        self.put(Row::new(&key, ItemKind::SocialProgress, &SocialProgress { until })).await
    }

    /// Reads a conversation.
    pub async fn conversation(
        &self,
        scope: &OrgScope,
        id: &ConversationId,
    ) -> Result<Option<Conversation>, TableError> {
        self.get(&keys::conversation(scope, id)).await
    }

    /// Reads conversations, in the order of `ids`. Missing ones are omitted.
    pub async fn conversations_by_id(
        &self,
        scope: &OrgScope,
        ids: &BTreeSet<ConversationId>,
    ) -> Result<Vec<Conversation>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|id| keys::conversation(scope, id)).collect();
        self.read_all(&keys).await
    }

    /// Stores a changed conversation, as its next revision. `false` if another writer changed it first.
    pub async fn put_conversation(
        &self,
        scope: &OrgScope,
        conversation: &mut Conversation,
    ) -> Result<bool, TableError> {
        let seen = conversation.revision;
        conversation.revision += 1;
        self.put_revision(conversation_item(scope, conversation)?, seen).await
    }

    /// Lists up to `limit` of the org's conversations of a status, newest message first, after `after`.
    pub async fn conversations(
        &self,
        scope: &OrgScope,
        status: ConversationStatus,
        after: Option<&InboxPosition>,
        limit: usize,
    ) -> Result<Vec<(InboxPosition, Conversation)>, TableError> {
        self.newest(&keys::conversations_of_org(scope, status), after, limit).await
    }

    /// Counts the org's open conversations that are unread, up to `limit`.
    pub async fn count_unread(&self, scope: &OrgScope, limit: usize) -> Result<usize, TableError> {
        let counted = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("gsi4")
            .key_condition_expression("gsi4pk = :pk")
            .expression_attribute_values(":pk", text(keys::unread_of_org(scope)))
            .select(Select::Count)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await?;
        Ok(usize::try_from(counted.count).unwrap_or_default())
    }

    /// Lists a contact's conversations.
    pub async fn conversations_of(
        &self,
        scope: &OrgScope,
        contact: &ContactId,
    ) -> Result<Vec<Conversation>, TableError> {
        let keys = self.index_keys(&keys::conversations_of_contact(scope, contact), super::IndexRange::All).await?;
        self.read_all(&keys).await
    }

    /// Deletes a conversation. Already deleted counts as success.
    pub async fn delete_conversation(&self, scope: &OrgScope, id: &ConversationId) -> Result<(), TableError> {
        self.delete(&keys::conversation(scope, id)).await
    }

    /// Lists up to `limit` entities of a partition of the second index, last first, after `after`. Fewer are all.
    pub(super) async fn newest<E: serde::de::DeserializeOwned>(
        &self,
        partition: &str,
        after: Option<&InboxPosition>,
        limit: usize,
    ) -> Result<Vec<(InboxPosition, E)>, TableError> {
        let mut before = after.map_or_else(|| "~".to_owned(), |after| after.0.clone());
        let mut found = Vec::new();
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("gsi2")
                .key_condition_expression("gsi2pk = :pk AND gsi2sk < :before")
                .expression_attribute_values(":pk", text(partition))
                .expression_attribute_values(":before", text(before.as_str()))
                .scan_index_forward(false)
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .send()
                .await?;
            let is_last = page.last_evaluated_key.is_none();
            let entry =
                |item: &Item| Some((Key::from_item(item)?, InboxPosition(item.get("gsi2sk")?.as_s().ok()?.clone())));
            let entries: Vec<(Key, InboxPosition)> = page.items.iter().flatten().filter_map(entry).collect();
            let keys: Vec<Key> = entries.iter().map(|(key, _)| key.clone()).collect();
            let mut items = self.batch_get_as(&keys, Consistency::Strong).await?;
            for (key, position) in entries {
                before.clone_from(&position.0);
                let Some(item) = items.remove(&key) else { continue };
                found.extend(self.list_item(item)?.map(|entity| (position, entity)));
            }
            // Some may be gone or left out.
            if is_last || found.len() >= limit {
                return Ok(found);
            }
        }
    }
}

pub(super) fn put_write(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, TableError> {
    let put = put.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

pub(super) fn conversation_item(scope: &OrgScope, conversation: &Conversation) -> Result<Item, TableError> {
    let key = keys::conversation(scope, &conversation.id);
    let list = keys::conversation_list(scope, conversation.status, conversation.last_message_at, &conversation.id);
    let is_unread = conversation.unread > 0 && conversation.status == ConversationStatus::Open;
    let unread = is_unread.then(|| keys::unread_conversation(scope, &conversation.id));
    let row = Row::new(&key, ItemKind::Conversation, conversation).in_list(list).unread(unread);
    match &conversation.contact_id {
        Some(contact) => row.indexed(keys::conversation_of_contact(scope, contact, &conversation.id)).item(),
        None => row.item(),
    }
}

impl Table {
    /// Stores an item whose last revision was `seen`; 0 is one that does not exist. `false` if that has changed.
    pub(super) async fn put_revision(&self, item: Item, seen: u64) -> Result<bool, TableError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put.condition_expression(revision_condition(seen)).set_expression_attribute_values(seen_value(seen));
        Ok(if_held(put.send().await)?.is_some())
    }

    pub(super) fn revision_write(&self, item: Item, seen: u64) -> Result<TransactWriteItem, TableError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        put_write(put.condition_expression(revision_condition(seen)).set_expression_attribute_values(seen_value(seen)))
    }
}

pub(super) fn revision_condition(seen: u64) -> &'static str {
    if seen == 0 { "attribute_not_exists(pk)" } else { "revision = :seen" }
}

pub(super) fn seen_value(seen: u64) -> Option<std::collections::HashMap<String, AttributeValue>> {
    (seen > 0).then(|| [(":seen".to_owned(), AttributeValue::N(seen.to_string()))].into())
}
