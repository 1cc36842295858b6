//! What Meta reports becomes conversations: each notice is taken for every org that has connected the account, once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::contacts;
use super::sender::{find_answer, settle};
use crate::bus::Bus;
use crate::error::WorkError;
use crate::files::{FileKey, Files};
use crate::graph::inbox::inbox_events;
use crate::ids::{ContactId, ConversationId, MessageId, OrgId, OrgScope, PageId};
use crate::jobs::{AttachmentJob, EngagementJob};
use crate::model::event::Event;
use crate::model::inbox::event::{InboxEvent, InboxEventKind, NewAttachment, NewMessage, Person, Signal, SignalType};
use crate::model::inbox::people::{conversation_id, message_id};
use crate::model::inbox::state::{Edit, MessageContent, MessageState};
use crate::model::inbox::{Attachment, AttachmentStatus, Author, Channel, Conversation, ConversationStatus, Reaction};
use crate::model::lead::FoundBy;
use crate::queue::Queue;
use crate::table::{Table, TableError, pause};

/// How often a write is tried that others are in the way of.
pub(super) const MAX_TRIES: u32 = 12;
/// Notices that are handled at once. They mostly wait for the table.
const CONCURRENCY: usize = 8;

/// Takes what Meta reports.
#[derive(Debug, Clone)]
pub struct Engagement {
    /// Stores it.
    pub table: Table,
    /// Takes the events.
    pub bus: Bus,
    /// Takes files to copy.
    pub attachments: Queue<AttachmentJob>,
    /// Keeps copied files.
    pub files: Files,
}

/// An org that has connected an account.
pub(super) struct Owner {
    pub(super) scope: OrgScope,
    pub(super) page_id: Option<PageId>,
}

impl Engagement {
    /// Takes notices, each with how often its message was delivered. One outcome for each, in order.
    pub async fn take(&self, notices: &[(&EngagementJob, u32)], now: Timestamp) -> Vec<Result<(), WorkError>> {
        let work: Vec<_> =
            notices.iter().map(|(notice, receive_count)| self.take_notice(notice, *receive_count > 1, now)).collect();
        stream::iter(work).buffered(CONCURRENCY).collect().await
    }

    async fn take_notice(&self, notice: &EngagementJob, is_repeated: bool, now: Timestamp) -> Result<(), WorkError> {
        let read = inbox_events(notice, now);
        for skipped in &read.skipped {
            tracing::info!(object = notice.object, field = notice.field, reason = ?skipped, "a notice was skipped");
        }
        let mut owners: BTreeMap<(Channel, &str), Vec<Owner>> = BTreeMap::new();
        for event in &read.events {
            let known = match owners.entry((event.channel, event.account.as_str())) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.owners(event.channel, &event.account).await?),
            };
            for owner in known.iter() {
                self.take_event(owner, event, FoundBy::Webhook, is_repeated, now).await?;
            }
        }
        Ok(())
    }

    /// Finds the orgs that have connected an account and whose plan includes Meta.
    async fn owners(&self, channel: Channel, account: &str) -> Result<Vec<Owner>, WorkError> {
        let mut found: BTreeMap<OrgId, Owner> = BTreeMap::new();
        if channel.network() == "facebook" {
            let Ok(page) = PageId::parse(account) else { return Ok(Vec::new()) };
            for (scope, _) in self.table.connections_of_page(&page).await? {
                found.insert(scope.org().clone(), Owner { scope, page_id: Some(page.clone()) });
            }
        } else {
            for (scope, known) in self.table.inbox_accounts(channel.network(), account).await? {
                // An Instagram account is reached through its page, which may have been deselected.
                let is_reached = match &known.page_id {
                    Some(page) => self.table.connections_of_page(page).await?.iter().any(|(owner, _)| *owner == scope),
                    None => true,
                };
                if is_reached {
                    found.insert(known.org, Owner { scope, page_id: known.page_id });
                }
            }
        }
        let mut owners = Vec::new();
        for owner in found.into_values() {
            if self.table.org(&owner.scope).await?.is_some_and(|org| org.has_meta()) {
                owners.push(owner);
            }
        }
        Ok(owners)
    }

    pub(super) async fn take_event(
        &self,
        owner: &Owner,
        event: &InboxEvent,
        found_by: FoundBy,
        is_repeated: bool,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let (scope, channel, account) = (&owner.scope, event.channel, event.account.as_str());
        let of = |mid: &str| message_id(channel, mid);
        match &event.kind {
            InboxEventKind::Message(new) => {
                return self.take_message(owner, channel, account, new, found_by, is_repeated, now).await;
            }
            InboxEventKind::Edited { mid, text, at } => {
                let edit = Edit { text: text.clone(), at: *at };
                self.change(scope, channel, of(mid), mid, |state| state.take_edit(edit.clone())).await?;
            }
            InboxEventKind::Deleted { mid, at } => {
                let state = self.change(scope, channel, of(mid), mid, |state| state.take_deletion(*at)).await?;
                self.delete_files(scope, &state).await?;
            }
            InboxEventKind::Hidden { mid, hidden, at } => {
                self.change(scope, channel, of(mid), mid, |state| state.take_hiding(*hidden, *at)).await?;
            }
            InboxEventKind::Reacted { mid, person, is_ours, value, at } => {
                self.take_reaction(owner, channel, account, (mid, person, *is_ours), value.as_deref(), *at, now)
                    .await?;
            }
            InboxEventKind::Status { mid, ours, status, at, failure } => {
                let id = match ours {
                    Some(ours) if self.table.message(scope, ours).await?.is_some() => {
                        settle(&self.table, scope, ours, mid).await?;
                        ours.clone()
                    }
                    _ => of(mid),
                };
                self.change(scope, channel, id, mid, |state| state.take_report(*status, *at, failure.clone())).await?;
            }
            InboxEventKind::Watermark { person, read, until } => {
                if let Some(contact) = contacts::contact_of(&self.table, scope, channel, account, person, now).await? {
                    let id = conversation_id(channel, account, contact.id.as_str());
                    self.take_watermark(scope, &id, *read, *until).await?;
                }
            }
            InboxEventKind::Read { mid, at } => {
                let content = self.table.message(scope, &of(mid)).await?.and_then(|state| state.content);
                match content {
                    Some(content) => {
                        self.take_watermark(scope, &content.conversation_id, true, content.created_time).await?;
                    }
                    None => {
                        let read = crate::model::inbox::event::DeliveryReport::Read;
                        self.change(scope, channel, of(mid), mid, |state| state.take_report(read, *at, None)).await?;
                    }
                }
            }
            InboxEventKind::Referred { person, at, .. } => {
                if let Some(contact) = contacts::contact_of(&self.table, scope, channel, account, person, now).await? {
                    let id = conversation_id(channel, account, contact.id.as_str());
                    self.change_conversation(scope, &id, |conversation| {
                        let is_news = conversation.last_inbound_at.is_none_or(|last| last < *at);
                        conversation.last_inbound_at = conversation.last_inbound_at.max(Some(*at));
                        is_news
                    })
                    .await?;
                }
            }
            InboxEventKind::Signal(signal) => {
                self.take_signal(scope, channel, account, signal, now).await?;
            }
            InboxEventKind::PersonChanged { before, after } => {
                contacts::change_person(&self.table, scope, channel, account, (before, after)).await?;
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "where, what, how it came, and when")]
    async fn take_message(
        &self,
        owner: &Owner,
        channel: Channel,
        account: &str,
        new: &NewMessage,
        found_by: FoundBy,
        is_repeated: bool,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let scope = &owner.scope;
        let contact = contacts::contact_of(&self.table, scope, channel, account, &new.person, now).await?;
        let id = message_id(channel, &new.mid);
        let (conversation_id, root) = self.place(scope, channel, account, new, contact.as_ref().map(|c| &c.id)).await?;
        if new.is_ours
            && let Some(answer) = self.answer_of(scope, new, &conversation_id).await?
        {
            return Ok(settle(&self.table, scope, &answer, &new.mid).await?);
        }
        for attempt in 1..=MAX_TRIES {
            let known = self.table.message(scope, &id).await?;
            let mut state = known.unwrap_or_else(|| MessageState::unknown(id.clone(), channel, Some(new.mid.clone())));
            let author = match (new.is_ours, &new.app_id) {
                (false, _) => Author::Contact {
                    id: contact.as_ref().map(|contact| contact.id.clone()),
                    name: new.person.name.clone().or_else(|| new.person.username.clone()),
                },
                (true, Some(app)) => Author::Automation { app_id: Some(app.clone()) },
                (true, None) => Author::Page,
            };
            if state.deleted_at.is_some() && state.content.is_none() {
                // It was unsent before it came, and is shown to none.
                return Ok(());
            }
            let content = MessageContent {
                conversation_id: conversation_id.clone(),
                is_ours: new.is_ours,
                author,
                text: new.text.clone(),
                attachments: new.attachments.iter().map(attachment).collect(),
                created_time: new.created_time,
                parent: new.parent.clone(),
                post: new.post.clone(),
                ad_id: new.ad_id.clone(),
                found_by,
            };
            let is_new = state.take_content(content);
            if !is_new {
                // Meta repeats what it has told. A message of the queue that comes again may have been stored by a worker
                // that could not tell of it.
                return if is_repeated { self.tell(scope, &state, account).await } else { Ok(()) };
            }
            let known = self.table.conversation(scope, &conversation_id).await?;
            let mut conversation = known.unwrap_or_else(|| Conversation {
                page_id: owner.page_id.clone(),
                post: new.post.clone(),
                root: root.clone(),
                contact_id: contact.as_ref().filter(|_| !channel.is_comment() || !new.is_ours).map(|c| c.id.clone()),
                status: if new.is_ours { ConversationStatus::Closed } else { ConversationStatus::Open },
                ..new_conversation(scope, conversation_id.clone(), channel, account)
            });
            conversation.take_message(new, contact.as_ref().map(|contact| &contact.id));
            if self.table.put_message_in(scope, &mut state, &mut conversation).await? {
                return self.tell(scope, &state, account).await;
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// Finds the answer of a member that a message of ours is.
    async fn answer_of(
        &self,
        scope: &OrgScope,
        new: &NewMessage,
        conversation: &ConversationId,
    ) -> Result<Option<MessageId>, WorkError> {
        if let Some(ours) = &new.ours
            && self.table.message(scope, ours).await?.is_some()
        {
            return Ok(Some(ours.clone()));
        }
        let Some(conversation) = self.table.conversation(scope, conversation).await? else { return Ok(None) };
        Ok(find_answer(&self.table, scope, &conversation, new.text.as_deref(), new.created_time).await?)
    }

    /// Finds the conversation in which a message stands, and the comment with which it begins.
    async fn place(
        &self,
        scope: &OrgScope,
        channel: Channel,
        account: &str,
        new: &NewMessage,
        contact: Option<&ContactId>,
    ) -> Result<(ConversationId, Option<String>), WorkError> {
        if !channel.is_comment() {
            let about = contact.map_or(new.mid.as_str(), ContactId::as_str);
            return Ok((conversation_id(channel, account, about), None));
        }
        let Some(parent) = &new.parent else {
            return Ok((conversation_id(channel, account, &new.mid), Some(new.mid.clone())));
        };
        let above = self.table.message(scope, &message_id(channel, parent)).await?.and_then(|state| state.content);
        let id = above.map_or_else(|| conversation_id(channel, account, parent), |content| content.conversation_id);
        Ok((id, Some(parent.clone())))
    }

    /// Changes what is known of a message. What is reported of one that has not come is kept for when it comes.
    async fn change(
        &self,
        scope: &OrgScope,
        channel: Channel,
        id: MessageId,
        mid: &str,
        change: impl Fn(&mut MessageState),
    ) -> Result<MessageState, WorkError> {
        for attempt in 1..=MAX_TRIES {
            let known = self.table.message(scope, &id).await?;
            let mut state = known.unwrap_or_else(|| MessageState::unknown(id.clone(), channel, Some(mid.to_owned())));
            let before = state.clone();
            change(&mut state);
            if state == before {
                return Ok(state);
            }
            // The list of conversations shows the beginning of the newest message.
            let conversation = match &state.content {
                Some(content) if state.text() != before.text() => self
                    .table
                    .conversation(scope, &content.conversation_id)
                    .await?
                    .filter(|conversation| conversation.last_message_at == content.created_time),
                _ => None,
            };
            let is_stored = match conversation {
                Some(mut conversation) => {
                    conversation.preview = state.text().unwrap_or_default().chars().take(120).collect();
                    self.table.put_message_in(scope, &mut state, &mut conversation).await?
                }
                None => self.table.put_message(scope, &mut state).await?,
            };
            if is_stored {
                return Ok(state);
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    #[expect(clippy::too_many_arguments, reason = "where, who, what and when")]
    async fn take_reaction(
        &self,
        owner: &Owner,
        channel: Channel,
        account: &str,
        (mid, person, is_ours): (&str, &Person, bool),
        value: Option<&str>,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let scope = &owner.scope;
        let id = person.id.clone().or_else(|| person.phone.clone()).unwrap_or_default();
        let reaction =
            Reaction { by: if is_ours { account.to_owned() } else { id }, value: value.map(ToOwned::to_owned), at };
        self.change(scope, channel, message_id(channel, mid), mid, |state| {
            state.take_reaction(reaction.clone());
        })
        .await?;
        if channel.is_comment() && !is_ours {
            let signal = Signal {
                r#type: SignalType::Reaction,
                person: person.clone(),
                on: mid.to_owned(),
                value: value.map(ToOwned::to_owned),
                at,
                active: value.is_some(),
            };
            self.take_signal(scope, channel, account, &signal, now).await?;
        }
        Ok(())
    }

    async fn take_signal(
        &self,
        scope: &OrgScope,
        channel: Channel,
        account: &str,
        signal: &Signal,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let contact = contacts::take_signal(&self.table, scope, channel, account, signal, now).await?;
        if let Some(contact) = contact {
            self.bus.publish(&[Event::engagement_recorded(scope, &contact, channel, signal)]).await?;
        }
        Ok(())
    }

    /// Records until when everything was delivered, or read.
    async fn take_watermark(
        &self,
        scope: &OrgScope,
        id: &ConversationId,
        read: bool,
        until: Timestamp,
    ) -> Result<(), WorkError> {
        self.change_conversation(scope, id, |conversation| {
            let mark = if read { &mut conversation.read_until } else { &mut conversation.delivered_until };
            let is_news = mark.is_none_or(|known| known < until);
            *mark = (*mark).max(Some(until));
            is_news
        })
        .await
    }

    /// Changes a conversation, if there is one. `change` returns whether anything is new.
    async fn change_conversation(
        &self,
        scope: &OrgScope,
        id: &ConversationId,
        change: impl Fn(&mut Conversation) -> bool,
    ) -> Result<(), WorkError> {
        for attempt in 1..=MAX_TRIES {
            let Some(mut conversation) = self.table.conversation(scope, id).await? else { return Ok(()) };
            if !change(&mut conversation) || self.table.put_conversation(scope, &mut conversation).await? {
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// Deletes the files of a message that was deleted.
    async fn delete_files(&self, scope: &OrgScope, state: &MessageState) -> Result<(), WorkError> {
        let files = state.content.iter().flat_map(|content| content.attachments.iter().enumerate());
        for (position, _) in files.filter(|(_, file)| file.status == AttachmentStatus::Deleted) {
            self.files.delete(&FileKey::of_attachment(scope, &state.id, position)).await?;
        }
        Ok(())
    }

    /// Tells the CRM of a message of another person, and has its files copied.
    async fn tell(&self, scope: &OrgScope, state: &MessageState, account: &str) -> Result<(), WorkError> {
        let job = |position| AttachmentJob { org: scope.org().clone(), message: state.id.clone(), position };
        let jobs: Vec<AttachmentJob> = state.files_coming().map(job).collect();
        self.attachments.send(&jobs).await?;
        match Event::message_received(scope, state, account) {
            Some(event) => Ok(self.bus.publish(&[event]).await?),
            None => Ok(()),
        }
    }
}

fn attachment(new: &NewAttachment) -> Attachment {
    let source = match (&new.media_id, &new.url) {
        (Some(id), _) => Some(FileSource::Whatsapp(id.clone())),
        (None, url) => url.clone().map(FileSource::Address),
    };
    let source = source.filter(|_| new.is_file);
    Attachment {
        r#type: new.r#type.clone(),
        url: new.url.clone().filter(|_| !new.is_file),
        name: new.name.clone(),
        status: if source.is_some() { AttachmentStatus::Coming } else { AttachmentStatus::None },
        content_type: None,
        bytes: None,
        reason: None,
        source,
    }
}

/// A conversation in which nothing was written yet.
pub(super) fn new_conversation(scope: &OrgScope, id: ConversationId, channel: Channel, account: &str) -> Conversation {
    Conversation {
        id,
        org: scope.org().clone(),
        channel,
        page_id: None,
        account: account.to_owned(),
        post: None,
        root: None,
        contact_id: None,
        status: ConversationStatus::Closed,
        snoozed_until: None,
        assigned_to: None,
        unread: 0,
        read_at: None,
        changed_at: None,
        delivered_until: None,
        read_until: None,
        last_message_at: Timestamp::UNIX_EPOCH,
        last_inbound_at: None,
        preview: String::new(),
        standby: false,
        sending: Vec::new(),
        revision: 0,
    }
}
