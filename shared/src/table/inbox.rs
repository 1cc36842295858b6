//! The inbox: conversations, their messages, people, and the accounts through which they come.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::commit::CommitOutcome;
use super::keys::{self, Key};
use super::request::OnceRequest;
use super::row::Row;
use super::{Consistency, Item, Table, TableError, entity, pause, text};
use crate::aws::AwsError;
use crate::ids::{ContactId, ConversationId, IntegrationId, MessageId, OrgId, OrgScope, PageId};
use crate::model::inbox::people::Identity;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::{Contact, Conversation, ConversationStatus};
use crate::model::publishing::progress::{LEASE, PublishLease};

/// How long reports of a message are kept that never comes.
const REPORT_TTL: SignedDuration = SignedDuration::from_hours(30 * 24);

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
struct Pointer<I> {
    to: I,
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
        self.put(Row::new(&key, "inbox_account", account).indexed(index)).await
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

    /// Reads a message, or what was reported of it before it came. An alias leads to the message it stands for.
    pub async fn message(&self, scope: &OrgScope, id: &MessageId) -> Result<Option<MessageState>, TableError> {
        let keys = [keys::message(scope, id), keys::message_alias(scope, id)];
        let mut found = self.batch_get(&keys).await?;
        if let Some(alias) = found.remove(&keys[1]) {
            return self.get(&keys::message(scope, &entity::<Pointer<MessageId>>(alias)?.to)).await;
        }
        found.remove(&keys[0]).map(entity).transpose()
    }

    /// Stores a changed message, as its next revision. `false` if another writer changed it first; nothing is stored
    /// then.
    pub async fn put_message(&self, scope: &OrgScope, message: &mut MessageState) -> Result<bool, TableError> {
        let seen = message.revision;
        message.revision += 1;
        self.put_revision(message_item(scope, message)?, seen).await
    }

    /// Stores a message with the conversation in which it stands, both or none, as their next revisions. `false` if
    /// another writer changed one of them first.
    pub async fn put_message_in(
        &self,
        scope: &OrgScope,
        message: &mut MessageState,
        conversation: &mut Conversation,
    ) -> Result<bool, TableError> {
        let seen = (message.revision, conversation.revision);
        message.revision += 1;
        conversation.revision += 1;
        let writes = [
            self.revision_write(message_item(scope, message)?, seen.0)?,
            self.revision_write(conversation_item(scope, conversation)?, seen.1)?,
        ];
        Ok(self.transact(writes.into()).await? == CommitOutcome::Committed)
    }

    /// Stores a message of ours that Meta has under another id, with what was known under that id, and its conversation:
    /// all or none. `false` if another writer changed one of them first.
    pub async fn settle_message(
        &self,
        scope: &OrgScope,
        message: &mut MessageState,
        meta_id: &MessageId,
        twin: Option<&MessageState>,
        conversation: &mut Conversation,
    ) -> Result<bool, TableError> {
        let seen = (message.revision, conversation.revision);
        message.revision += 1;
        conversation.revision += 1;
        let alias = keys::message_alias(scope, meta_id);
        let alias = Row::new(&alias, "message_alias", &Pointer { to: message.id.clone() }).item()?;
        let mut writes = vec![
            self.revision_write(message_item(scope, message)?, seen.0)?,
            self.revision_write(conversation_item(scope, conversation)?, seen.1)?,
            put_write(Put::builder().table_name(&self.name).set_item(Some(alias)))?,
        ];
        if let Some(twin) = twin {
            let delete =
                Delete::builder().table_name(&self.name).set_key(Some(keys::message(scope, &twin.id).attributes()));
            let delete = delete
                .condition_expression(revision_condition(twin.revision))
                .set_expression_attribute_values(seen_value(twin.revision));
            let delete = delete.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        Ok(self.transact(writes).await? == CommitOutcome::Committed)
    }

    /// Stores a new answer with its conversation, all or none. With a request, only if it was not carried out before.
    /// `false` if one of them was changed first, or the request carried out.
    pub async fn insert_answer(
        &self,
        scope: &OrgScope,
        message: &mut MessageState,
        conversation: &mut Conversation,
        request: Option<&OnceRequest>,
    ) -> Result<bool, TableError> {
        let seen = (message.revision, conversation.revision);
        message.revision += 1;
        conversation.revision += 1;
        let mut writes = vec![
            self.revision_write(message_item(scope, message)?, seen.0)?,
            self.revision_write(conversation_item(scope, conversation)?, seen.1)?,
        ];
        writes.extend(request.map(|request| self.request_write(scope, request)).transpose()?);
        Ok(self.transact(writes).await? == CommitOutcome::Committed)
    }

    /// Claims an answer for one worker. `None` if another is at it, or it is not on its way.
    pub async fn claim_answer(
        &self,
        scope: &OrgScope,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<Option<MessageState>, TableError> {
        const MAX_TRIES: u32 = 8;
        for attempt in 1..=MAX_TRIES {
            let Some(mut message) = self.message(scope, id).await? else { return Ok(None) };
            let Some(sending) = &mut message.sending else { return Ok(None) };
            if sending.lease.as_ref().is_some_and(|lease| lease.until > now) {
                return Ok(None);
            }
            sending.lease = Some(PublishLease { until: now + LEASE });
            if self.put_message(scope, &mut message).await? {
                return Ok(Some(message));
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Lists the answers that need a worker before `until`, longest due first. Without `until`, all that are on their way.
    pub async fn answers_due(&self, until: Option<Timestamp>) -> Result<Vec<(OrgId, MessageId)>, TableError> {
        let until = until.map_or_else(|| "~".to_owned(), keys::answers_until);
        let items = self.index_items(keys::ANSWERS_DUE, super::IndexRange::Until(&until)).await?;
        let due = items.iter().filter_map(|item| keys::parse_answer_due(item.get("gsi1sk")?.as_s().ok()?));
        Ok(due.collect())
    }

    /// Reads a conversation.
    pub async fn conversation(
        &self,
        scope: &OrgScope,
        id: &ConversationId,
    ) -> Result<Option<Conversation>, TableError> {
        self.get(&keys::conversation(scope, id)).await
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

    /// Lists a contact's conversations.
    pub async fn conversations_of(
        &self,
        scope: &OrgScope,
        contact: &ContactId,
    ) -> Result<Vec<Conversation>, TableError> {
        let keys = self.index_keys(&keys::conversations_of_contact(scope, contact), super::IndexRange::All).await?;
        self.read_all(&keys).await
    }

    /// Lists up to `limit` messages of a conversation, newest first, after `after`. One stored just now may be missing.
    pub async fn messages(
        &self,
        scope: &OrgScope,
        conversation: &ConversationId,
        after: Option<&InboxPosition>,
        limit: usize,
    ) -> Result<Vec<(InboxPosition, MessageState)>, TableError> {
        self.newest(&keys::messages_of_conversation(scope, conversation), after, limit).await
    }

    /// Reads a contact.
    pub async fn contact(&self, scope: &OrgScope, id: &ContactId) -> Result<Option<Contact>, TableError> {
        self.get(&keys::contact(scope, id)).await
    }

    /// Finds the contact to which the first known of these identities belongs.
    pub async fn contact_of(&self, scope: &OrgScope, identities: &[Identity]) -> Result<Option<ContactId>, TableError> {
        let keys: Vec<Key> = identities.iter().map(|identity| keys::identity(scope, identity)).collect();
        let mut found = self.batch_get(&keys).await?;
        let first = keys.iter().find_map(|key| found.remove(key));
        first.map(|item| Ok(entity::<Pointer<ContactId>>(item)?.to)).transpose()
    }

    /// Stores a changed contact with the identities that are now its own, all or none. `false` if another writer changed
    /// the contact first.
    pub async fn put_contact(
        &self,
        scope: &OrgScope,
        contact: &mut Contact,
        identities: &[Identity],
    ) -> Result<bool, TableError> {
        let seen = contact.revision;
        contact.revision += 1;
        let item = contact_item(scope, contact)?;
        if identities.is_empty() {
            return self.put_revision(item, seen).await;
        }
        let mut writes = vec![self.revision_write(item, seen)?];
        for identity in identities {
            let key = keys::identity(scope, identity);
            let item = Row::new(&key, "identity", &Pointer { to: contact.id.clone() }).item()?;
            writes.push(put_write(Put::builder().table_name(&self.name).set_item(Some(item)))?);
        }
        Ok(self.transact(writes).await? == CommitOutcome::Committed)
    }

    /// Stores two changed contacts, both or none. `false` if another writer changed one of them first.
    pub async fn put_contacts(
        &self,
        scope: &OrgScope,
        one: &mut Contact,
        other: &mut Contact,
    ) -> Result<bool, TableError> {
        let mut writes = Vec::new();
        for contact in [one, other] {
            let seen = contact.revision;
            contact.revision += 1;
            writes.push(self.revision_write(contact_item(scope, contact)?, seen)?);
        }
        Ok(self.transact(writes).await? == CommitOutcome::Committed)
    }

    /// Lists up to `limit` of the org's contacts, newest first, after `after`.
    pub async fn contacts(
        &self,
        scope: &OrgScope,
        after: Option<&InboxPosition>,
        limit: usize,
    ) -> Result<Vec<(InboxPosition, Contact)>, TableError> {
        self.newest(&keys::contacts_of_org(scope), after, limit).await
    }

    /// Lists up to `limit` entities of a partition of the second index, last first, after `after`.
    async fn newest<E: serde::de::DeserializeOwned>(
        &self,
        partition: &str,
        after: Option<&InboxPosition>,
        limit: usize,
    ) -> Result<Vec<(InboxPosition, E)>, TableError> {
        let before = after.map_or("~", |after| &after.0);
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name("gsi2")
            .key_condition_expression("gsi2pk = :pk AND gsi2sk < :before")
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":before", text(before))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await?;
        let found: Vec<(Key, InboxPosition)> = page
            .items
            .into_iter()
            .flatten()
            .filter_map(|item| {
                let position = item.get("gsi2sk")?.as_s().ok()?.clone();
                Some((Key::from_item(&item)?, InboxPosition(position)))
            })
            .collect();
        let keys: Vec<Key> = found.iter().map(|(key, _)| key.clone()).collect();
        let mut items = self.batch_get_as(&keys, Consistency::Strong).await?;
        let read = found.into_iter().filter_map(|(key, position)| Some((position, items.remove(&key)?)));
        read.map(|(position, item)| Ok((position, entity(item)?))).collect()
    }
}

fn put_write(put: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, TableError> {
    let put = put.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn message_item(scope: &OrgScope, message: &MessageState) -> Result<Item, TableError> {
    let key = keys::message(scope, &message.id);
    let row = Row::new(&key, "message", message);
    let row = match message.attention_at() {
        Some(at) => row.indexed(keys::answer_due(scope, &message.id, at)),
        None => row,
    };
    match &message.content {
        Some(content) => {
            let list = keys::message_list(scope, &content.conversation_id, content.created_time, &message.id);
            row.in_list(list).item()
        }
        // Only what was reported of a message that may never come.
        None => row.ttl((newest_report(message) + REPORT_TTL).as_second()).item(),
    }
}

/// When the newest report of a message came.
fn newest_report(message: &MessageState) -> Timestamp {
    let times = message.reports.values().copied();
    let times = times.chain(message.reactions.iter().map(|reaction| reaction.at));
    let times = times.chain(message.edit.as_ref().map(|edit| edit.at)).chain(message.deleted_at);
    times.chain(message.hidden.map(|(_, at)| at)).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

fn conversation_item(scope: &OrgScope, conversation: &Conversation) -> Result<Item, TableError> {
    let key = keys::conversation(scope, &conversation.id);
    let list = keys::conversation_list(scope, conversation.status, conversation.last_message_at, &conversation.id);
    let row = Row::new(&key, "conversation", conversation).in_list(list);
    match &conversation.contact_id {
        Some(contact) => row.indexed(keys::conversation_of_contact(scope, contact, &conversation.id)).item(),
        None => row.item(),
    }
}

fn contact_item(scope: &OrgScope, contact: &Contact) -> Result<Item, TableError> {
    let key = keys::contact(scope, &contact.id);
    let row = Row::new(&key, "contact", contact);
    // One that was taken over by another is in no list.
    match contact.merged_into {
        None => row.in_list(keys::contact_list(scope, contact.created_at, &contact.id)).item(),
        Some(_) => row.item(),
    }
}

impl Table {
    /// Stores an item whose last revision was `seen`; 0 is one that does not exist. `false` if that has changed.
    async fn put_revision(&self, item: Item, seen: u64) -> Result<bool, TableError> {
        use aws_sdk_dynamodb::operation::put_item::PutItemError;
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put.condition_expression(revision_condition(seen)).set_expression_attribute_values(seen_value(seen));
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn revision_write(&self, item: Item, seen: u64) -> Result<TransactWriteItem, TableError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        put_write(put.condition_expression(revision_condition(seen)).set_expression_attribute_values(seen_value(seen)))
    }
}

fn revision_condition(seen: u64) -> &'static str {
    if seen == 0 { "attribute_not_exists(pk)" } else { "revision = :seen" }
}

fn seen_value(seen: u64) -> Option<std::collections::HashMap<String, AttributeValue>> {
    (seen > 0).then(|| [(":seen".to_owned(), AttributeValue::N(seen.to_string()))].into())
}
