//! Conversations: in lists, one by one, and changed by members.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use super::ingest::MAX_TRIES;
use super::{Inbox, contacts};
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{AdObjectId, ContactId, ConversationId, OrgScope, PageId, UserId};
use crate::model::event::Event;
use crate::model::inbox::reply::ReplyRule;
use crate::model::inbox::{Channel, Conversation, ConversationStatus};
use crate::table::inbox::InboxPosition;
use crate::table::{TableError, pause};
use crate::tr;

/// Contacts of a list that are read at once.
const CONCURRENCY: usize = 16;

/// Selects conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationQuery {
    pub channel: Option<Channel>,
    pub status: Option<ConversationStatus>,
    /// A member, or `Some(None)` for those of no one.
    pub assigned_to: Option<Option<UserId>>,
    pub page_id: Option<PageId>,
    pub contact_id: Option<ContactId>,
    /// Words of the person's name or of the newest texts.
    pub words: Option<String>,
}

/// A page of conversations, newest message first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationList {
    pub items: Vec<ConversationOut>,
    pub next_cursor: Option<String>,
}

/// A conversation with one person, or a comment with the replies to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationOut {
    pub id: ConversationId,
    pub channel: Channel,
    pub page_id: Option<PageId>,
    /// Meta's id of the page, the Instagram account or the WhatsApp number.
    pub account: String,
    /// The post under which the comments stand.
    pub post: Option<ConversationPost>,
    /// The other person; `null` for anonymous comments.
    pub contact: Option<ConversationContact>,
    pub status: ConversationStatus,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub snoozed_until: Option<Timestamp>,
    pub assigned_to: Option<UserId>,
    /// Messages of the other person that no member has read.
    pub unread: u32,
    #[schema(value_type = String, format = DateTime)]
    pub last_message_at: Timestamp,
    /// The beginning of the newest message.
    pub preview: String,
    /// Whether and until when it can be answered.
    pub reply: ReplyRule,
}

/// The post of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationPost {
    pub id: String,
    pub permalink: Option<String>,
    pub ad_id: Option<AdObjectId>,
}

/// The person of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationContact {
    pub id: ContactId,
    pub name: Option<String>,
}

/// A change of a conversation. Absent fields stay as they are.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversationChangeIn {
    pub status: Option<ConversationStatus>,
    /// A member, or `null` for no one.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<UserId>)]
    pub assigned_to: Option<Option<UserId>>,
    /// Until when it sleeps; goes with the status `snoozed`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub snoozed_until: Option<Timestamp>,
    /// Whether it has been read.
    pub read: Option<bool>,
}

/// Conversations that are read at once.
const READ_AT_ONCE: usize = 100;
/// How often that is done for one page of a filtered list.
const MAX_READS: usize = 8;

impl Inbox {
    /// Lists the org's conversations, newest message first, from the start or from the cursor `after`. A filtered page may
    /// be shorter than `limit` and still have a next one.
    pub async fn conversations(
        &self,
        access: &MetaAccess,
        query: &ConversationQuery,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<ConversationList, ActError> {
        let cursor = ListCursor::new(&self.key, &access.scope, "conversations");
        let after: Option<InboxPosition> = cursor.decode(after)?;
        let (found, next) = match &query.contact_id {
            Some(contact) => (self.of_contact(access, contact).await?, None),
            None => self.of_org(access, query, after, limit, now, MAX_READS).await?,
        };
        let mut found: Vec<Conversation> = found.into_iter().filter(|one| query.matches(one, now)).collect();
        found.sort_by_key(|conversation| std::cmp::Reverse(conversation.last_message_at));
        let described = found.into_iter().map(|conversation| self.conversation_out(access, conversation, now));
        let items = stream::iter(described).buffered(CONCURRENCY).try_collect().await?;
        Ok(ConversationList { items, next_cursor: next.map(|position| cursor.encode(&position)) })
    }

    /// Counts the open conversations with messages that no member has read, up to `limit`.
    pub async fn count_unread(&self, scope: &OrgScope, limit: usize) -> Result<usize, ActError> {
        Ok(self.table.count_unread(scope, limit).await?)
    }

    /// Finds some of the newest conversations by words of the person's name or of the newest texts. It reads once, so that
    /// it can be asked with every letter; a filtered list goes further back.
    pub async fn find_recent(
        &self,
        access: &MetaAccess,
        words: &str,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<ConversationOut>, ActError> {
        let query = ConversationQuery { words: Some(words.to_owned()), ..ConversationQuery::default() };
        let (found, _) = self.of_org(access, &query, None, limit, now, 1).await?;
        try_join_all(found.into_iter().map(|conversation| self.conversation_out(access, conversation, now))).await
    }

    /// Reads conversations of the wanted statuses until `limit` match, and where to go on.
    async fn of_org(
        &self,
        access: &MetaAccess,
        query: &ConversationQuery,
        mut after: Option<InboxPosition>,
        limit: usize,
        now: Timestamp,
        max_reads: usize,
    ) -> Result<(Vec<Conversation>, Option<InboxPosition>), ActError> {
        let statuses: Vec<ConversationStatus> = match query.status {
            None => ConversationStatus::iter().collect(),
            // What was snoozed until now is open, and is not moved for that.
            Some(ConversationStatus::Open) => vec![ConversationStatus::Open, ConversationStatus::Snoozed],
            Some(status) => vec![status],
        };
        let (mut matching, table) = (Vec::new(), self.table.for_display());
        for _ in 0..max_reads {
            let of_status =
                |status: &ConversationStatus| table.conversations(&access.scope, *status, after.as_ref(), READ_AT_ONCE);
            let mut page = try_join_all(statuses.iter().map(of_status)).await?.concat();
            page.sort_by(|(one, _), (other, _)| other.cmp(one));
            page.truncate(READ_AT_ONCE);
            let is_last = page.len() < READ_AT_ONCE;
            for (position, conversation) in page {
                after = Some(position);
                if query.matches(&conversation, now) {
                    matching.push(conversation);
                }
                if matching.len() == limit {
                    return Ok((matching, after));
                }
            }
            if is_last {
                return Ok((matching, None));
            }
        }
        Ok((matching, after))
    }

    /// The conversations of a contact and of those that it took over.
    async fn of_contact(&self, access: &MetaAccess, id: &ContactId) -> Result<Vec<Conversation>, ActError> {
        let contact = self.find_contact(access, id).await?;
        let mut conversations = self.table.conversations_of(&access.scope, &contact.id).await?;
        for merged in &contact.merged {
            conversations.extend(self.table.conversations_of(&access.scope, merged).await?);
        }
        Ok(conversations)
    }

    /// Reads the names of the people of these conversations, in two batches. Those without a name are omitted.
    pub async fn names_of_people(
        &self,
        access: &MetaAccess,
        ids: &BTreeSet<ConversationId>,
    ) -> Result<BTreeMap<ConversationId, String>, ActError> {
        let conversations = self.table.for_display().conversations_by_id(&access.scope, ids).await?;
        let people: BTreeSet<ContactId> = conversations.iter().filter_map(|one| one.contact_id.clone()).collect();
        let people = self.table.for_display().contacts_by_id(&access.scope, &people).await?;
        let names: BTreeMap<ContactId, String> =
            people.into_iter().filter_map(|person| Some((person.id, person.name?))).collect();
        let of_person = |one: Conversation| Some((one.id, names.get(&one.contact_id?)?.clone()));
        Ok(conversations.into_iter().filter_map(of_person).collect())
    }

    /// Reads a conversation.
    pub async fn conversation(
        &self,
        access: &MetaAccess,
        id: &ConversationId,
        now: Timestamp,
    ) -> Result<ConversationOut, ActError> {
        let conversation = self.find_conversation(access, id).await?;
        self.conversation_out(access, conversation, now).await
    }

    /// Changes a conversation.
    ///
    /// # Errors
    /// Refuses an unknown member, and a time to sleep that is not in the future.
    pub async fn change_conversation(
        &self,
        access: &MetaAccess,
        id: &ConversationId,
        change: &ConversationChangeIn,
        now: Timestamp,
    ) -> Result<ConversationOut, ActError> {
        self.check_change(access, change, now).await?;
        for attempt in 1..=MAX_TRIES {
            let mut conversation = self.find_conversation(access, id).await?;
            let before = conversation.clone();
            if let Some(status) = change.status {
                conversation.status = status;
                conversation.snoozed_until = change.snoozed_until.filter(|_| status == ConversationStatus::Snoozed);
                conversation.changed_at = Some(now);
            }
            if let Some(assigned) = &change.assigned_to {
                conversation.assigned_to.clone_from(assigned);
            }
            match change.read {
                Some(true) => (conversation.unread, conversation.read_at) = (0, Some(now)),
                Some(false) => conversation.unread = conversation.unread.max(1),
                None => {}
            }
            if conversation == before {
                return self.conversation_out(access, conversation, now).await;
            }
            if self.table.put_conversation(&access.scope, &mut conversation).await? {
                let trail = &access.trail;
                trail.changed("status", &before.status, &conversation.status);
                trail.changed("snoozed_until", &before.snoozed_until, &conversation.snoozed_until);
                trail.changed("assigned_to", &before.assigned_to, &conversation.assigned_to);
                trail.changed("read", &(before.unread == 0), &(conversation.unread == 0));
                let told = |one: &Conversation| (one.status, one.snoozed_until, one.assigned_to.clone());
                if told(&before) != told(&conversation) {
                    self.bus.publish(&[Event::conversation_changed(&conversation, now)]).await?;
                }
                return self.conversation_out(access, conversation, now).await;
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    pub(super) async fn check_change(
        &self,
        access: &MetaAccess,
        change: &ConversationChangeIn,
        now: Timestamp,
    ) -> Result<(), ActError> {
        let invalid =
            |field: &'static str, code, message: Cow<'static, str>| Err(ActError::invalid(field, code, message));
        match (change.status, change.snoozed_until) {
            (Some(ConversationStatus::Snoozed), None) => {
                return invalid(
                    "snoozed_until",
                    ErrorCode::TimeNotAllowed,
                    tr!("The time until which the conversation is snoozed."),
                );
            }
            (Some(ConversationStatus::Snoozed), Some(until)) if until <= now => {
                return invalid("snoozed_until", ErrorCode::TimeNotAllowed, tr!("A time in the future."));
            }
            (Some(ConversationStatus::Snoozed), Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                return invalid("snoozed_until", ErrorCode::FieldsConflict, tr!("Only with the status snoozed."));
            }
        }
        if let Some(Some(user)) = &change.assigned_to
            && self.table.user(&access.scope, user).await?.is_none_or(|user| !user.active)
        {
            return invalid("assigned_to", ErrorCode::UserUnknown, tr!("An active user of the org."));
        }
        Ok(())
    }

    pub(super) async fn find_conversation(
        &self,
        access: &MetaAccess,
        id: &ConversationId,
    ) -> Result<Conversation, ActError> {
        self.table.conversation(&access.scope, id).await?.ok_or_else(|| ActError::not_found(Missing::Conversation))
    }

    async fn conversation_out(
        &self,
        access: &MetaAccess,
        conversation: Conversation,
        now: Timestamp,
    ) -> Result<ConversationOut, ActError> {
        let contact = match &conversation.contact_id {
            Some(id) => contacts::resolve(&self.table, &access.scope, id.clone()).await?,
            None => None,
        };
        let reply = conversation.reply_rule(self.has_human_agent, now);
        let status = conversation.status_at(now);
        Ok(ConversationOut {
            id: conversation.id,
            channel: conversation.channel,
            page_id: conversation.page_id,
            account: conversation.account,
            post: conversation.post.map(|post| ConversationPost {
                id: post.id,
                permalink: post.permalink,
                ad_id: post.ad_id,
            }),
            contact: contact.map(|contact| ConversationContact { id: contact.id, name: contact.name }),
            status,
            snoozed_until: conversation.snoozed_until.filter(|_| status == ConversationStatus::Snoozed),
            assigned_to: conversation.assigned_to,
            unread: conversation.unread,
            last_message_at: conversation.last_message_at,
            preview: conversation.preview,
            reply,
        })
    }
}

impl ConversationQuery {
    fn matches(&self, conversation: &Conversation, now: Timestamp) -> bool {
        self.channel.is_none_or(|channel| conversation.channel == channel)
            && self.status.is_none_or(|status| conversation.status_at(now) == status)
            && self.assigned_to.as_ref().is_none_or(|user| conversation.assigned_to == *user)
            && self.page_id.as_ref().is_none_or(|page| conversation.page_id.as_ref() == Some(page))
            && self.words.as_deref().is_none_or(|words| conversation.is_found_by(words))
    }
}
