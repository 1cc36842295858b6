//! What Meta reports becomes conversations: each notice is taken for every org that has connected the account, once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::contacts;
use super::sender::settle;
use crate::bus::Bus;
use crate::error::WorkError;
use crate::files::Files;
use crate::graph::inbox::inbox_events;
use crate::ids::{IntegrationId, MessageId, OrgId, OrgScope, PageId};
use crate::jobs::{AttachmentJob, EngagementJob};
use crate::meta_app::MetaApp;
use crate::model::inbox::Channel;
use crate::model::inbox::event::{InboxEvent, InboxEventKind};
use crate::model::inbox::people::message_id;
use crate::model::inbox::state::Edit;
use crate::model::lead::FoundBy;
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::table::Table;
use crate::trace::TraceId;

/// How often a write is tried that others are in the way of.
pub(super) const MAX_TRIES: u32 = 12;
/// Notices that are handled at once. They mostly wait for the table.
const CONCURRENCY: usize = 8;

/// Takes what Meta reports.
#[derive(Debug, Clone)]
pub struct Engagement {
    /// The Graph API and the vault: names of people, and where a comment stands.
    pub meta: MetaApp,
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
pub(super) struct AccountOwner {
    pub(super) scope: OrgScope,
    pub(super) page_id: Option<PageId>,
    /// The integration through which the org reaches it.
    pub(super) integration_id: IntegrationId,
    /// When the page was connected: what was written before wakes no one.
    pub(super) connected_at: Option<Timestamp>,
}

impl Engagement {
    /// Takes notices, each with how often its message was delivered and with its cause. One outcome for each, in order.
    pub async fn take(
        &self,
        notices: &[(&EngagementJob, u32, &TraceId)],
        now: Timestamp,
    ) -> Vec<Result<(), WorkError>> {
        let work: Vec<_> = notices
            .iter()
            .map(|(job, receive_count, trace)| (*trace).clone().follow(self.take_notice(job, *receive_count > 1, now)))
            .collect();
        stream::iter(work).buffered(CONCURRENCY).collect().await
    }

    async fn take_notice(&self, job: &EngagementJob, is_repeated: bool, now: Timestamp) -> Result<(), WorkError> {
        let notice = &job.notice;
        let read = inbox_events(notice, job.received_at);
        for skipped in &read.skipped {
            tracing::info!(object = notice.object, field = notice.field, reason = ?skipped, "a notice was skipped");
        }
        let mut owners: BTreeMap<(Channel, &str), Vec<AccountOwner>> = BTreeMap::new();
        // What fails costs the other events and orgs nothing. A repetition is worth it for any that it may help.
        let mut outcome: Result<(), WorkError> = Ok(());
        for event in &read.events {
            let known = match owners.entry((event.channel, event.account.as_str())) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.owners(event.channel, &event.account).await?),
            };
            for owner in known.iter() {
                let taken = self.take_event(owner, event, FoundBy::Webhook, is_repeated, now).await;
                outcome = match (outcome, taken) {
                    (Err(known), _) if known.verdict() != Verdict::GiveUp => Err(known),
                    (Err(_), Err(error)) => Err(error),
                    (outcome, taken) => outcome.and(taken),
                };
            }
        }
        outcome
    }

    /// Takes what Meta listed at `now`, in its order. Returns how many messages were not known. What fails costs the others
    /// nothing.
    ///
    /// Lists have whole seconds, and the webhook's messages milliseconds: what was written in the same second as the
    /// message listed before it is put right after that.
    pub(super) async fn take_missed(
        &self,
        owner: &AccountOwner,
        events: &[InboxEvent],
        now: Timestamp,
    ) -> Result<usize, WorkError> {
        let id_of = |event: &InboxEvent| match &event.kind {
            InboxEventKind::Message(new) => Some(message_id(event.channel, &new.mid)),
            _ => None,
        };
        let ids: Vec<MessageId> = events.iter().filter_map(id_of).collect();
        let known = self.table.known_messages(&owner.scope, &ids).await?;
        let mut found = 0;
        let mut outcome = Ok(());
        let mut before: BTreeMap<_, MessageId> = BTreeMap::new();
        for event in events {
            let InboxEventKind::Message(new) = &event.kind else {
                outcome = outcome.and(self.take_event(owner, event, FoundBy::Sync, false, now).await);
                continue;
            };
            let id = message_id(event.channel, &new.mid);
            let place = match event.channel.is_comment() {
                true => new.parent.as_deref().or(Some(&new.mid)),
                false => new.person.id.as_deref(),
            };
            let before = before.insert((event.channel, place), id.clone());
            let kind = match known.get(&id) {
                Some(Some(state)) if state.is_outdated(new.text.as_deref(), now) => {
                    InboxEventKind::Edited { mid: new.mid.clone(), text: new.text.clone().unwrap_or_default(), at: now }
                }
                Some(_) => continue,
                None => {
                    found += 1;
                    let before = match &before {
                        Some(before) => self.table.message(&owner.scope, before).await?,
                        None => None,
                    };
                    let before = before.and_then(|state| state.content).map(|content| content.created_time);
                    let mut new = new.clone();
                    if let Some(before) = before.filter(|before| before.as_second() == new.created_time.as_second()) {
                        new.created_time = before + SignedDuration::from_millis(1);
                    }
                    InboxEventKind::Message(new)
                }
            };
            let event = InboxEvent { kind, ..event.clone() };
            outcome = outcome.and(self.take_event(owner, &event, FoundBy::Sync, false, now).await);
        }
        outcome.map(|()| found)
    }

    /// Finds the orgs that have connected an account and whose plan includes Meta.
    async fn owners(&self, channel: Channel, account: &str) -> Result<Vec<AccountOwner>, WorkError> {
        let mut found: BTreeMap<OrgId, AccountOwner> = BTreeMap::new();
        if channel.network() == "facebook" {
            let Ok(page) = PageId::parse(account) else { return Ok(Vec::new()) };
            for (scope, connection) in self.table.connections_of_page(&page).await? {
                let integration_id = connection.integration_id;
                let owner = AccountOwner { scope, page_id: Some(page.clone()), integration_id, connected_at: None };
                found.insert(owner.scope.org().clone(), owner);
            }
        } else {
            for (scope, known) in self.table.inbox_accounts(channel.network(), account).await? {
                // An Instagram account is reached through its page, which may have been deselected.
                let is_reached = match &known.page_id {
                    Some(page) => !self.table.own_connections(&scope, page).await?.is_empty(),
                    None => true,
                };
                if is_reached {
                    let (page_id, integration_id) = (known.page_id, known.integration_id);
                    found.insert(known.org, AccountOwner { scope, page_id, integration_id, connected_at: None });
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
        owner: &AccountOwner,
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
                let what = (value.as_deref(), *at);
                self.take_reaction(owner, channel, account, (mid, person, *is_ours), what, is_repeated, now).await?;
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
                if let Some(contact) = contacts::known_contact(&self.table, scope, channel, account, person).await? {
                    let id = contact.conversation_on(channel, account, person);
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
                if let Some(contact) = contacts::known_contact(&self.table, scope, channel, account, person).await? {
                    let id = contact.conversation_on(channel, account, person);
                    self.change_conversation(scope, &id, |conversation| {
                        let is_news = conversation.last_inbound_at.is_none_or(|last| last < *at);
                        conversation.last_inbound_at = conversation.last_inbound_at.max(Some(*at));
                        is_news
                    })
                    .await?;
                }
            }
            InboxEventKind::HandedOver { person, to, at } => {
                if let Some(contact) = contacts::known_contact(&self.table, scope, channel, account, person).await? {
                    let (id, graph) = (contact.conversation_on(channel, account, person), self.meta.graph().await?);
                    let standby = to.as_deref() != Some(graph.app().id.as_str());
                    self.change_conversation(scope, &id, |conversation| conversation.hand_over(standby, *at)).await?;
                }
            }
            InboxEventKind::Signal(signal) => {
                self.take_signal(scope, channel, account, signal, is_repeated, now).await?;
            }
            InboxEventKind::Mentioned { on, in_comment } => {
                self.take_mention(owner, channel, account, (on, *in_comment), is_repeated, now).await?;
            }
            InboxEventKind::PersonChanged { before, after } => {
                contacts::change_person(&self.table, scope, channel, account, (before, after)).await?;
            }
        }
        Ok(())
    }
}
