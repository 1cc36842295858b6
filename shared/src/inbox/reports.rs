//! What Meta reports of messages, conversations and people that are known, or will be.

use jiff::Timestamp;

use super::contacts;
use super::ingest::{AccountOwner, Engagement, MAX_TRIES};
use crate::error::WorkError;
use crate::files::FileKey;
use crate::ids::{ConversationId, MessageId, OrgScope};
use crate::model::event::Event;
use crate::model::inbox::event::{Person, Signal, SignalType};
use crate::model::inbox::people::message_id;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::{AttachmentStatus, Channel, Conversation, Reaction};
use crate::table::{Table, TableError, pause};

/// Changes what is known of a message. What is reported of one that has not come is kept for when it comes.
pub(super) async fn change_message(
    table: &Table,
    scope: &OrgScope,
    channel: Channel,
    id: &MessageId,
    mid: Option<&str>,
    change: impl Fn(&mut MessageState),
) -> Result<MessageState, TableError> {
    for attempt in 1..=MAX_TRIES {
        let known = table.message(scope, id).await?;
        let mut state = known.unwrap_or_else(|| MessageState::unknown(id.clone(), channel, mid.map(ToOwned::to_owned)));
        let before = state.clone();
        change(&mut state);
        if state == before {
            return Ok(state);
        }
        // The conversation shows the beginning of its newest message, and is found by the texts.
        let conversation = match &state.content {
            Some(content) if state.text() != before.text() => {
                table.conversation(scope, &content.conversation_id).await?
            }
            _ => None,
        };
        let is_stored = match conversation {
            Some(mut conversation) => {
                let created = state.content.as_ref().map(|content| content.created_time);
                if created == Some(conversation.last_message_at) {
                    conversation.preview = state.text().unwrap_or_default().chars().take(120).collect();
                }
                before.text().into_iter().for_each(|text| conversation.make_unsearchable(text));
                state.text().into_iter().for_each(|text| conversation.make_searchable(text));
                table.put_message_in(scope, &mut state, &mut conversation, None).await?
            }
            None => table.put_message(scope, &mut state).await?,
        };
        if is_stored {
            return Ok(state);
        }
        pause(attempt).await;
    }
    Err(TableError::Contended(MAX_TRIES))
}

impl Engagement {
    pub(super) async fn change(
        &self,
        scope: &OrgScope,
        channel: Channel,
        id: MessageId,
        mid: &str,
        change: impl Fn(&mut MessageState),
    ) -> Result<MessageState, WorkError> {
        Ok(change_message(&self.table, scope, channel, &id, Some(mid), change).await?)
    }

    #[expect(clippy::too_many_arguments, reason = "where, who, what and when")]
    pub(super) async fn take_reaction(
        &self,
        owner: &AccountOwner,
        channel: Channel,
        account: &str,
        (mid, person, is_ours): (&str, &Person, bool),
        (value, at): (Option<&str>, Timestamp),
        is_repeated: bool,
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
                permalink: None,
                at,
                active: value.is_some(),
            };
            self.take_signal(scope, channel, account, &signal, is_repeated, now).await?;
        }
        Ok(())
    }

    /// Asks Meta who mentioned an Instagram account, and how. A mention that Meta does not show is skipped.
    pub(super) async fn take_mention(
        &self,
        owner: &AccountOwner,
        channel: Channel,
        account: &str,
        (on, in_comment): (&str, bool),
        is_repeated: bool,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let Some(token) = self.page_token(owner).await? else { return Ok(()) };
        let signal = match self.meta.graph().await?.mention(account, on, in_comment, &token).await {
            Ok(signal) => signal,
            Err(error) if error.is_withheld() => {
                tracing::info!(%error, on, "who mentioned the account was not read");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        self.take_signal(&owner.scope, channel, account, &signal, is_repeated, now).await
    }

    pub(super) async fn take_signal(
        &self,
        scope: &OrgScope,
        channel: Channel,
        account: &str,
        signal: &Signal,
        is_repeated: bool,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let contact = contacts::take_signal(&self.table, scope, channel, account, signal, is_repeated, now).await?;
        if let Some(contact) = contact {
            self.bus.publish(&[Event::engagement_recorded(scope, &contact, channel, signal)]).await?;
        }
        Ok(())
    }

    /// Records until when everything was delivered, or read.
    pub(super) async fn take_watermark(
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
    pub(super) async fn change_conversation(
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
    pub(super) async fn delete_files(&self, scope: &OrgScope, state: &MessageState) -> Result<(), WorkError> {
        let files = state.content.iter().flat_map(|content| content.attachments.iter().enumerate());
        for (position, _) in files.filter(|(_, file)| file.status == AttachmentStatus::Deleted) {
            self.files.delete(&FileKey::of_attachment(scope, &state.id, position)).await?;
        }
        Ok(())
    }
}
