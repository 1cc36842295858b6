//! Messages and comments: found by id, by conversation and time, and, while they are on their way, by when they need a
//! worker.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};

use super::commit::CommitOutcome;
use super::inbox::{InboxPosition, Pointer, conversation_item, put_write, revision_condition, seen_value};
use super::keys;
use super::request::OnceRequest;
use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, IndexRange, Item, Table, TableError, entity, pause};
use crate::aws::AwsError;
use crate::ids::{ContactId, ConversationId, MessageId, OrgId, OrgScope};
use crate::model::inbox::Conversation;
use crate::model::inbox::outgoing::LEASE;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::turn::InboxTurn;
use crate::model::publishing::progress::PublishLease;

/// How long reports of a message are kept that never comes.
const REPORT_TTL: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Table {
    /// Reads a message, or what was reported of it before it came. An alias leads to the message it stands for.
    pub async fn message(&self, scope: &OrgScope, id: &MessageId) -> Result<Option<MessageState>, TableError> {
        let keys = [keys::message(scope, id), keys::message_alias(scope, id)];
        let mut found = self.batch_get(&keys).await?;
        if let Some(alias) = found.remove(&keys[1]) {
            return self.get(&keys::message(scope, &entity::<Pointer<MessageId>>(alias)?.to)).await;
        }
        found.remove(&keys[0]).map(entity).transpose()
    }

    /// Which of these messages have come, or are gone: as they are stored, and `None` for those that another id stands for. One stored
    /// an instant ago may be missing.
    pub async fn known_messages(
        &self,
        scope: &OrgScope,
        ids: &[MessageId],
    ) -> Result<BTreeMap<MessageId, Option<MessageState>>, TableError> {
        let key_pair = |id| [keys::message(scope, id), keys::message_alias(scope, id)];
        let keys: Vec<_> = ids.iter().flat_map(key_pair).collect();
        let mut found = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let mut known = BTreeMap::new();
        for id in ids {
            let [own, alias] = key_pair(id);
            let message = found.remove(&own).map(entity::<MessageState>).transpose()?;
            if found.contains_key(&alias) {
                known.insert(id.clone(), None);
            } else if let Some(message) = message.filter(|message| message.content.is_some() || message.is_gone()) {
                known.insert(id.clone(), Some(message));
            }
        }
        Ok(known)
    }

    /// Stores a changed message, as its next revision. `false` if another writer changed it first; nothing is stored
    /// then.
    pub async fn put_message(&self, scope: &OrgScope, message: &mut MessageState) -> Result<bool, TableError> {
        let seen = message.revision;
        message.revision += 1;
        self.put_revision(message_item(scope, message)?, seen).await
    }

    /// Stores a message with the conversation in which it stands, and the turn of the member whom it was assigned to: all
    /// or none, as their next revisions. `false` if another writer changed one of them first.
    pub async fn put_message_in(
        &self,
        scope: &OrgScope,
        message: &mut MessageState,
        conversation: &mut Conversation,
        turn: Option<InboxTurn>,
    ) -> Result<bool, TableError> {
        let seen = (message.revision, conversation.revision);
        message.revision += 1;
        conversation.revision += 1;
        let mut writes = vec![
            self.revision_write(message_item(scope, message)?, seen.0)?,
            self.revision_write(conversation_item(scope, conversation)?, seen.1)?,
        ];
        if let Some(mut turn) = turn {
            let seen = turn.revision;
            turn.revision += 1;
            let turn = Row::new(&keys::inbox_turn(scope), ItemKind::InboxTurn, &turn).item()?;
            writes.push(self.revision_write(turn, seen)?);
        }
        Ok(self.transact(writes).await? == CommitOutcome::Committed)
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
        let alias = Row::new(&alias, ItemKind::MessageAlias, &Pointer { to: message.id.clone() }).item()?;
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

    /// Lists what a person wrote below others' comments.
    pub async fn replies_of(&self, scope: &OrgScope, contact: &ContactId) -> Result<Vec<MessageState>, TableError> {
        let keys = self.index_keys(&keys::replies_of_contact(scope, contact), IndexRange::All).await?;
        self.read_all(&keys).await
    }

    /// Erases a message. Of one that Meta has, or may have, it stays known for a while that it is gone, so that neither a
    /// list nor an echo brings it back.
    pub async fn erase_message(
        &self,
        scope: &OrgScope,
        message: &MessageState,
        now: Timestamp,
    ) -> Result<(), TableError> {
        if message.mid.is_none() && message.sending.is_none() {
            return self.delete(&keys::message(scope, &message.id)).await;
        }
        let mut gone = MessageState::unknown(message.id.clone(), message.channel, message.mid.clone());
        gone.deleted_at = Some(now);
        gone.revision = message.revision + 1;
        let item = message_item(scope, &gone)?;
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await?;
        Ok(())
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
        let items = self.index_items(keys::ANSWERS_DUE, IndexRange::Until(&until)).await?;
        let due = items.iter().filter_map(|item| keys::parse_answer_due(item.get("gsi1sk")?.as_s().ok()?));
        Ok(due.collect())
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
}

fn message_item(scope: &OrgScope, message: &MessageState) -> Result<Item, TableError> {
    let key = keys::message(scope, &message.id);
    let row = Row::new(&key, ItemKind::Message, message);
    let row = match (message.attention_at(), message.reply_author()) {
        (Some(at), _) => row.indexed(keys::answer_due(scope, &message.id, at)),
        (None, Some(author)) => row.indexed(keys::reply_of_contact(scope, author, &message.id)),
        (None, None) => row,
    };
    match &message.content {
        Some(content) => {
            let list = keys::message_list(scope, content, &message.id);
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
