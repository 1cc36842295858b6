//! Sends answers, each once. That Meta is about to be asked is stored before the call; after a lost answer of Meta's the
//! message is looked for before it is sent again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ingest::MAX_TRIES;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::send_fault::SendFault;
use crate::ids::{IntegrationId, MessageId, OrgScope};
use crate::jobs::{AnswerJob, CheckJob};
use crate::meta_app::MetaApp;
use crate::metrics::{self, AnswerOutcome, Metric};
use crate::model::connection::state::EndReason;
use crate::model::inbox::outgoing::{LEASE, SendRoute, SendStep, Sending, UNKNOWN};
use crate::model::inbox::people::message_id;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::{Conversation, SendFailure};
use crate::model::publishing::progress::PublishLease;
use crate::queue::Queue;
use crate::retry::backoff;
use crate::secret::AccessToken;
use crate::table::{Table, TableError, pause};
use crate::tr;

const FIRST_RETRY_DELAY: Duration = Duration::from_secs(5);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(5);
/// Time until an answer looks again whether the one before it is on its way.
const ORDER_DELAY: SignedDuration = SignedDuration::from_secs(2);
/// Clocks differ: a message may bear a time a little before the call that made it.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(2);

/// Sends answers, one for each job.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Stores messages.
    pub table: Table,
    /// Takes answers that have to wait.
    pub queue: Queue<AnswerJob>,
    /// Takes integrations whose token turns out to be invalid.
    pub checks: Queue<CheckJob>,
    /// Whether Meta has approved the feature Human Agent for the app.
    pub has_human_agent: bool,
}

/// What one step of an answer came to.
enum Outcome {
    /// It goes on.
    Continue,
    /// It is over, or comes again.
    Done,
}

impl Sender {
    /// Takes an answer as far as it gets without waiting.
    ///
    /// # Errors
    /// If the table, the vault or a queue failed. What was done is stored; a repetition goes on from there.
    pub async fn send(
        &self,
        job: &AnswerJob,
        time_left: Duration,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<(), WorkError> {
        /// No step is begun with less than this left.
        const MIN_STEP_TIME: Duration = Duration::from_secs(50);
        let deadline = tokio::time::Instant::now() + time_left.saturating_sub(MIN_STEP_TIME);
        let scope = &job.scope();
        let Some(mut state) = self.table.claim_answer(scope, &job.message, clock()).await? else { return Ok(()) };
        loop {
            let now = clock();
            let Some(sending) = state.sending.clone() else { return Ok(()) };
            let step = match sending.next_step(now) {
                SendStep::Rest(at) => return self.rest(scope, &mut state, at, now).await,
                _ if tokio::time::Instant::now() >= deadline => return self.rest(scope, &mut state, now, now).await,
                step => step,
            };
            if let Some(words) = sending.futile(step, now) {
                return self.fail(scope, &state.id, sending.code, words.to_owned()).await;
            }
            match self.step(scope, &mut state, &sending, step, now).await? {
                Outcome::Done => return Ok(()),
                Outcome::Continue => {}
            }
        }
    }

    async fn step(
        &self,
        scope: &OrgScope,
        state: &mut MessageState,
        sending: &Sending,
        step: SendStep,
        now: Timestamp,
    ) -> Result<Outcome, WorkError> {
        let Some(content) = &state.content else { return Ok(Outcome::Done) };
        let Some(conversation) = self.table.conversation(scope, &content.conversation_id).await? else {
            return Ok(Outcome::Done);
        };
        let token = match token_of(&self.meta, &self.table, scope, &conversation).await? {
            Ok(token) => token,
            Err(words) => {
                self.fail(scope, &state.id, 0, words).await?;
                return Ok(Outcome::Done);
            }
        };
        let graph = self.meta.graph().await?;
        if step == SendStep::Look {
            let seen = match graph.answers_seen(&sending.route, &token).await {
                Ok(seen) => seen,
                Err(error) => {
                    tracing::warn!(%error, message = %state.id, "whether an answer was sent could not be read");
                    if error.is_withheld() {
                        self.fail(scope, &state.id, 0, UNKNOWN.to_owned()).await?;
                        return Ok(Outcome::Done);
                    }
                    return self.store(scope, state, |sending| sending.look_again(now), now).await;
                }
            };
            let since = sending.began_at.unwrap_or(sending.written_at) - CLOCK_SKEW;
            for answer in seen.iter().filter(|seen| seen.text == sending.content.text && seen.created_time >= since) {
                // Another answer with the same words may be this one's twin.
                let known = self.table.message(scope, &message_id(state.channel, &answer.mid)).await?;
                if known.is_none_or(|known| known.sending.is_none() && known.id != state.id && !known.is_of_a_member())
                {
                    settle(&self.table, scope, &state.id, &answer.mid).await?;
                    return Ok(Outcome::Done);
                }
            }
            return self.store(scope, state, |sending| sending.looks += 1, now).await;
        }
        if sending.keeps_order(now) && self.has_earlier(scope, &state.id, &conversation).await? {
            return self.store(scope, state, |sending| sending.next_at = Some(now + ORDER_DELAY), now).await;
        }
        // The window is judged when the call is made.
        let mut route = sending.route.clone();
        if let SendRoute::Page { .. } | SendRoute::Whatsapp { .. } = route {
            let rule = conversation.reply_rule(self.has_human_agent && !state.is_of_a_program(), now);
            if let Some(reason) = rule.reason.filter(|_| !rule.allowed && sending.content.template.is_none()) {
                self.fail(scope, &state.id, 0, reason.into_owned()).await?;
                return Ok(Outcome::Done);
            }
            if let SendRoute::Page { human_agent, .. } = &mut route {
                *human_agent = rule.by_human_agent;
            }
        }
        if let Outcome::Done = self.store(scope, state, |sending| sending.begin(now), now).await? {
            return Ok(Outcome::Done);
        }
        match graph.send_answer(&route, &sending.content, &state.id, &token).await {
            Ok(mid) => {
                settle(&self.table, scope, &state.id, &mid).await?;
                Ok(Outcome::Done)
            }
            Err(error) => self.take_error(scope, state, &conversation, &error, now).await,
        }
    }

    /// Whether an answer that was written before this one is still on its way.
    async fn has_earlier(
        &self,
        scope: &OrgScope,
        id: &MessageId,
        conversation: &Conversation,
    ) -> Result<bool, TableError> {
        for earlier in conversation.sending.iter().take_while(|earlier| *earlier != id) {
            if self.table.message(scope, earlier).await?.is_some_and(|earlier| earlier.sending.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Decides what an error of Meta's means for an answer.
    async fn take_error(
        &self,
        scope: &OrgScope,
        state: &mut MessageState,
        conversation: &Conversation,
        error: &GraphError,
        now: Timestamp,
    ) -> Result<Outcome, WorkError> {
        tracing::warn!(%error, message = %state.id, "an answer was not sent");
        if error.token_death().is_some()
            && let Some(integration) = self.integration_of(scope, conversation).await?
        {
            self.checks.send(&[CheckJob::new(scope, &integration)]).await?;
        }
        let failures = state.sending.as_ref().map_or(0, |sending| sending.failures) + 1;
        let code = error.detail().map_or(0, |detail| detail.code);
        match error.send_fault() {
            SendFault::Unclear => {
                let note = |sending: &mut Sending| (sending.failures, sending.code) = (failures, code);
                self.store(scope, state, note, now).await
            }
            SendFault::Later(wait) => {
                let wait = wait.max(backoff(failures, FIRST_RETRY_DELAY, MAX_RETRY_DELAY));
                let at = now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_mins(1));
                let retry = |sending: &mut Sending| {
                    (sending.failures, sending.code) = (failures, code);
                    sending.retry_at(at);
                };
                self.store(scope, state, retry, now).await
            }
            SendFault::Refused(words) => {
                self.fail(scope, &state.id, code, words.to_owned()).await?;
                Ok(Outcome::Done)
            }
            SendFault::RefusedByMeta => {
                let words = error.detail().and_then(|detail| detail.user_message.as_deref().map(ToOwned::to_owned));
                self.fail(scope, &state.id, code, words.unwrap_or_else(|| error.to_string())).await?;
                Ok(Outcome::Done)
            }
        }
    }

    /// Finds the integration through which a conversation's channel is reached.
    async fn integration_of(
        &self,
        scope: &OrgScope,
        conversation: &Conversation,
    ) -> Result<Option<IntegrationId>, TableError> {
        let Some(page) = &conversation.page_id else {
            let (network, account) = (conversation.channel.network(), &conversation.account);
            let accounts = self.table.inbox_accounts(network, account).await?;
            return Ok(accounts.into_iter().find(|(owner, _)| owner == scope).map(|(_, known)| known.integration_id));
        };
        let connections = self.table.own_connections(scope, page).await?;
        Ok(connections.into_iter().next().map(|connection| connection.integration_id))
    }

    /// Stores how far an answer is. [`Outcome::Done`] if something else has settled it meanwhile.
    async fn store(
        &self,
        scope: &OrgScope,
        state: &mut MessageState,
        change: impl Fn(&mut Sending),
        now: Timestamp,
    ) -> Result<Outcome, WorkError> {
        for attempt in 1..=MAX_TRIES {
            let Some(sending) = &mut state.sending else { return Ok(Outcome::Done) };
            change(sending);
            sending.lease = Some(PublishLease { until: now + LEASE });
            if self.table.put_message(scope, state).await? {
                return Ok(Outcome::Continue);
            }
            // A notice of Meta's came in between.
            match self.table.message(scope, &state.id).await? {
                Some(newer) => *state = newer,
                None => return Ok(Outcome::Done),
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// Gives an answer back and has it come again.
    async fn rest(
        &self,
        scope: &OrgScope,
        state: &mut MessageState,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        for attempt in 1..=MAX_TRIES {
            let Some(sending) = &mut state.sending else { return Ok(()) };
            sending.next_at = Some(at);
            sending.lease = None;
            if self.table.put_message(scope, state).await? {
                let delay = Duration::try_from(at.duration_since(now)).unwrap_or_default();
                let job = AnswerJob { org: scope.org().clone(), message: state.id.clone() };
                if let Err(error) = self.queue.send_later(&job, delay).await {
                    tracing::warn!(%error, message = %state.id, "an answer could not be queued again; the schedule will");
                }
                return Ok(());
            }
            match self.table.message(scope, &state.id).await? {
                Some(newer) => *state = newer,
                None => return Ok(()),
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// Ends an answer as not sent.
    async fn fail(&self, scope: &OrgScope, id: &MessageId, code: i64, message: String) -> Result<(), WorkError> {
        let failure = SendFailure { code, message };
        for attempt in 1..=MAX_TRIES {
            let Some(mut state) = self.table.message(scope, id).await? else { return Ok(()) };
            if state.sending.take().is_none() {
                return Ok(());
            }
            state.failure = Some(failure.clone());
            if self.put_with_conversation(scope, &mut state).await? {
                metrics::count(Metric::Answers(AnswerOutcome::Failed), 1);
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    async fn put_with_conversation(&self, scope: &OrgScope, state: &mut MessageState) -> Result<bool, WorkError> {
        let conversation = match &state.content {
            Some(content) => self.table.conversation(scope, &content.conversation_id).await?,
            None => None,
        };
        Ok(match conversation {
            Some(mut conversation) => {
                conversation.sending.retain(|id| *id != state.id);
                self.table.put_message_in(scope, state, &mut conversation, None).await?
            }
            None => self.table.put_message(scope, state).await?,
        })
    }
}

/// Stores that an answer is at Meta, under this id. What Meta reported under that id before is taken over.
pub(super) async fn settle(table: &Table, scope: &OrgScope, id: &MessageId, mid: &str) -> Result<(), TableError> {
    for attempt in 1..=MAX_TRIES {
        let Some(mut state) = table.message(scope, id).await? else { return Ok(()) };
        if state.mid.is_some() {
            return Ok(());
        }
        let Some(conversation_id) = state.content.as_ref().map(|content| content.conversation_id.clone()) else {
            return Ok(());
        };
        let meta_id = message_id(state.channel, mid);
        let twin = table.message(scope, &meta_id).await?.filter(|twin| twin.id != state.id);
        let Some(mut conversation) = table.conversation(scope, &conversation_id).await? else { return Ok(()) };
        conversation.sending.retain(|sending| sending != id);
        state.mid = Some(mid.to_owned());
        state.sending = None;
        if let Some(twin) = &twin {
            state.absorb(twin.clone());
        }
        if table.settle_message(scope, &mut state, &meta_id, twin.as_ref(), &mut conversation).await? {
            metrics::count(Metric::Answers(AnswerOutcome::Sent), 1);
            return Ok(());
        }
        pause(attempt).await;
    }
    Err(TableError::Contended(MAX_TRIES))
}

/// Finds the answer that a message of ours is, which Meta reports without our own id of it: the same words in the same
/// conversation, asked for before.
pub(super) async fn find_answer(
    table: &Table,
    scope: &OrgScope,
    conversation: &Conversation,
    text: Option<&str>,
    created_time: Timestamp,
) -> Result<Option<MessageId>, TableError> {
    for id in &conversation.sending {
        let Some(state) = table.message(scope, id).await? else { continue };
        let Some(sending) = &state.sending else { continue };
        let is_asked = sending.began_at.is_some_and(|began| began - CLOCK_SKEW <= created_time);
        if is_asked && sending.content.text.as_deref() == text {
            return Ok(Some(id.clone()));
        }
    }
    Ok(None)
}

/// The token with which a conversation's channel is reached. The second error is why there is none.
pub(super) async fn token_of(
    meta: &MetaApp,
    table: &Table,
    scope: &OrgScope,
    conversation: &Conversation,
) -> Result<Result<AccessToken, String>, WorkError> {
    let gone =
        || Ok(Err(tr!("This channel is no longer connected. Reconnect it, then send the message again.").into_owned()));
    let token = match &conversation.page_id {
        Some(page) => {
            let Some(connection) = table.own_connections(scope, page).await?.into_iter().next() else { return gone() };
            meta.vault.page_token(&connection.credentials, page).await
        }
        None => {
            let accounts = table.inbox_accounts(conversation.channel.network(), &conversation.account).await?;
            let Some((_, account)) = accounts.into_iter().find(|(owner, _)| owner == scope) else { return gone() };
            let Some(integration) = table.integration(scope, &account.integration_id).await? else { return gone() };
            meta.vault.user_token(&integration.credentials).await
        }
    };
    match token.map_err(WorkError::from) {
        Ok(token) => Ok(Ok(token)),
        Err(error) if error.is_of_token() => Ok(Err(EndReason::TokenUnreadable.message().into_owned())),
        Err(error) => Err(error),
    }
}
