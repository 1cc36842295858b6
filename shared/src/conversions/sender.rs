//! Sends what is due for an org: decides each stage again, sends up to a thousand events at once, and finds the ones that
//! Meta refuses without giving up the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::error::WorkError;
use crate::graph::conversions::MAX_EVENTS;
use crate::graph::{GraphClient, GraphError};
use crate::ids::{DatasetId, IntegrationId, LeadId, OrgScope, PageId};
use crate::jobs::{CheckJob, ConversionJob};
use crate::meta_app::MetaApp;
use crate::metrics::{self, ConversionEnd, Metric};
use crate::model::connection::Integration;
use crate::model::connection::state::EndReason;
use crate::model::conversion::payload::ConversionEvent;
use crate::model::conversion::{
    Conversion, ConversionFault, ConversionSettings, ConversionState, UnsentReason, lead_refusal,
};
use crate::model::lead::{Lead, Status};
use crate::queue::Queue;
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::Table;
use crate::table::lead::StoredLead;

/// No call is begun with less than this left: one call to Meta, and what is stored after it.
const MIN_CALL_TIME: Duration = Duration::from_secs(45);
/// A worker's lease. Longer than the function may run, so that it never ends under a worker that lives.
const LEASE: SignedDuration = SignedDuration::from_secs(150);

/// How long an org is left alone at most whose integrations all wait.
const MAX_REST: SignedDuration = SignedDuration::from_mins(5);

/// Events that Meta refuses without saying that they are the reason, before the request is taken for the reason.
const MAX_SUSPECTS: usize = 10;

/// Sends the conversions of orgs, one for each job.
#[derive(Debug, Clone)]
pub struct ConversionSender {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Stores what is to be sent.
    pub table: Table,
    /// Takes integrations whose token turns out to be invalid.
    pub checks: Queue<CheckJob>,
}

/// An integration with what it reports.
type Reporting = (Integration, ConversionSettings);

/// A worker's time for an org, and what it knows of the org's integrations.
struct OrgRun<'a> {
    sender: &'a ConversionSender,
    scope: &'a OrgScope,
    clock: &'a (dyn Fn() -> Timestamp + Sync),
    deadline: tokio::time::Instant,
    has_meta: bool,
    reporting: BTreeMap<Option<PageId>, Result<Reporting, UnsentReason>>,
    /// Whether integrations that wait after a failure are tried all the same.
    early: bool,
    /// Integrations through which nothing is sent now, and until when at least.
    waiting: BTreeMap<IntegrationId, Timestamp>,
    /// Integrations of which Meta took something.
    taken: BTreeSet<IntegrationId>,
}

/// Events of one integration that are to be sent.
struct Outgoing {
    integration: Integration,
    settings: ConversionSettings,
    events: Vec<(Conversion, ConversionEvent, String)>,
}

impl ConversionSender {
    /// Sends what is due for an org, in at most `time_left`. What is left then, the schedule finds.
    ///
    /// # Errors
    /// If the table, the vault or a queue failed. What Meta refuses or cannot take now is stored, and is no error.
    pub async fn send(
        &self,
        job: &ConversionJob,
        time_left: Duration,
        clock: &(dyn Fn() -> Timestamp + Sync),
    ) -> Result<(), WorkError> {
        let scope = &job.scope();
        let now = clock();
        let until = now + LEASE;
        if !self.table.lease_conversions(scope, until, job.early, now).await? {
            // The worker that has the lease sends this too, or the schedule asks again.
            return Ok(());
        }
        let has_meta = self.table.org(scope).await?.is_some_and(|org| org.has_meta());
        let mut run = OrgRun {
            sender: self,
            scope,
            clock,
            deadline: tokio::time::Instant::now() + time_left.saturating_sub(MIN_CALL_TIME),
            has_meta,
            reporting: BTreeMap::new(),
            early: job.early,
            waiting: BTreeMap::new(),
            taken: BTreeSet::new(),
        };
        let outcome = run.work().await;
        // If everything that is due waits, it is not read again every minute.
        let rest = run.waiting.into_values().min().filter(|_| run.taken.is_empty());
        self.table.release_conversions(scope, until, rest).await?;
        outcome
    }
}

impl OrgRun<'_> {
    async fn work(&mut self) -> Result<(), WorkError> {
        let mut position = None;
        while tokio::time::Instant::now() < self.deadline {
            let (due, next) = self.sender.table.due_conversions(self.scope, position, MAX_EVENTS).await?;
            let due = self.with_first_stages(due).await?;
            for outgoing in self.sort(due).await? {
                for chunk in outgoing.events.chunks(MAX_EVENTS) {
                    self.send_chunk(&outgoing, chunk).await?;
                }
            }
            position = next;
            if position.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Adds the first stages of leads that have none, because they arrived before their integration reported anything.
    /// Meta wants every lead from its first stage on.
    async fn with_first_stages(&self, mut due: Vec<Conversion>) -> Result<Vec<(Conversion, Lead)>, WorkError> {
        let table = &self.sender.table;
        let ids: BTreeSet<LeadId> = due.iter().map(|conversion| conversion.lead_id.clone()).collect();
        let firsts = table.find_conversions(self.scope, ids.iter().map(|id| (id, Status::New))).await?;
        let mut leads: BTreeMap<LeadId, Lead> = BTreeMap::new();
        for stored in table.find_leads(self.scope, &ids).await? {
            if let StoredLead::Lead(lead) = stored {
                leads.insert(lead.id.clone(), *lead);
            }
        }
        let now = (self.clock)();
        let have_first: BTreeSet<LeadId> = firsts.iter().map(|first| first.lead_id.clone()).collect();
        let is_missing = |lead: &&Lead| !have_first.contains(&lead.id);
        let missing = leads.values().filter(is_missing).filter(|lead| lead_refusal(lead).is_none());
        let missing: Vec<Conversion> = missing.map(Conversion::first).filter(|first| !first.is_too_old(now)).collect();
        table.insert_conversions(self.scope, &missing).await?;
        // One that was stored just now may be missing among what is due.
        let due_firsts: BTreeSet<LeadId> =
            due.iter().filter(|due| due.stage == Status::New).map(|due| due.lead_id.clone()).collect();
        let is_pending = |first: &Conversion| first.state == ConversionState::Pending;
        due.extend(firsts.into_iter().filter(|first| is_pending(first) && !due_firsts.contains(&first.lead_id)));
        due.extend(missing);
        due.sort_by_key(|conversion| (conversion.reached_at, conversion.stage));
        let (known, deleted): (Vec<_>, Vec<_>) = due.into_iter().partition(|due| leads.contains_key(&due.lead_id));
        let deleted = deleted.into_iter().map(|due| due.unsent(UnsentReason::LeadDeleted, None, now));
        self.settle_unsent(&deleted.collect::<Vec<_>>()).await?;
        Ok(known.into_iter().filter_map(|due| leads.get(&due.lead_id).cloned().map(|lead| (due, lead))).collect())
    }

    /// Sorts what is due by integration, and settles what is not to be sent.
    async fn sort(&mut self, due: Vec<(Conversion, Lead)>) -> Result<Vec<Outgoing>, WorkError> {
        let now = (self.clock)();
        let mut outgoing: BTreeMap<IntegrationId, Outgoing> = BTreeMap::new();
        let mut unsent = Vec::new();
        for (conversion, lead) in due {
            let reporting = self.reporting(lead.page_id.as_ref()).await?;
            let settings = reporting.as_ref().map(|(_, settings)| settings).map_err(|reason| *reason);
            let reason = match (conversion.decide(&lead, settings, now), &reporting) {
                // Meta's clock may be ahead of ours. Its time comes.
                (Ok(_), _) if now < conversion.reached_at => continue,
                (Ok(name), Ok((integration, settings))) => {
                    let of_integration = outgoing.entry(integration.id.clone()).or_insert_with(|| Outgoing {
                        integration: integration.clone(),
                        settings: settings.clone(),
                        events: Vec::new(),
                    });
                    let name = name.to_owned();
                    let event = ConversionEvent::new(&conversion, &lead, &name);
                    of_integration.events.extend(event.map(|event| (conversion, event, name)));
                    continue;
                }
                (Err(reason), _) => reason,
                (Ok(_), Err(reason)) => *reason,
            };
            unsent.push(conversion.unsent(reason, None, now));
        }
        self.settle_unsent(&unsent).await?;
        for (id, one) in &outgoing {
            if let Some(until) = waits_until(&one.integration, self.early, now) {
                self.waiting.insert(id.clone(), until);
            }
        }
        outgoing.retain(|id, _| !self.waiting.contains_key(id));
        Ok(outgoing.into_values().collect())
    }

    async fn reporting(&mut self, page: Option<&PageId>) -> Result<Result<Reporting, UnsentReason>, WorkError> {
        let key = page.cloned();
        if let Some(known) = self.reporting.get(&key) {
            return Ok(known.clone());
        }
        let found = if self.has_meta {
            self.sender.table.reporting_integration(self.scope, page).await?
        } else {
            Err(UnsentReason::MetaNotInPlan)
        };
        self.reporting.insert(key, found.clone());
        Ok(found)
    }

    /// Sends events of an integration. One that Meta refuses is found by halves, and costs the others nothing.
    async fn send_chunk(
        &mut self,
        outgoing: &Outgoing,
        events: &[(Conversion, ConversionEvent, String)],
    ) -> Result<(), WorkError> {
        let Outgoing { integration, settings, .. } = outgoing;
        if self.waiting.contains_key(&integration.id) {
            return Ok(());
        }
        let (graph, token) = match self.open(integration).await {
            Ok(opened) => opened,
            Err(error) => return self.pause(integration, error).await,
        };
        let mut open = vec![events];
        let (mut suspects, mut has_taken): (Vec<(&Conversion, GraphError)>, _) = (Vec::new(), false);
        while let Some(part) = open.pop() {
            if tokio::time::Instant::now() >= self.deadline {
                return Ok(());
            }
            match (send_part(&graph, &token, settings, part, (self.clock)()).await, part) {
                (Ok(()), _) => {
                    has_taken = true;
                    self.settle_sent(integration, &settings.dataset_id, part).await?;
                }
                (Err(error), [(conversion, ..)]) if error.names_event() => {
                    self.settle_refused(conversion, &error).await?;
                }
                (Err(error), [(conversion, ..)]) if error.is_of_event() => suspects.push((conversion, error)),
                (Err(error), _) if error.is_of_event() => {
                    let (first, second) = part.split_at(part.len() / 2);
                    open.extend([second, first]);
                }
                (Err(error), _) => return self.pause(integration, error.into()).await,
            }
            // If Meta takes none, the events are not what is wrong.
            if suspects.len() > MAX_SUSPECTS && !has_taken {
                break;
            }
        }
        if !self.taken.contains(&integration.id)
            && let Some((_, error)) = suspects.pop()
        {
            return self.pause(integration, error.into()).await;
        }
        for (conversion, error) in suspects {
            self.settle_refused(conversion, &error).await?;
        }
        let seen = integration.conversion_fault.as_ref();
        if seen.is_some() {
            self.sender.table.set_conversion_fault(self.scope, integration, None).await?;
        }
        Ok(())
    }

    async fn open(&self, integration: &Integration) -> Result<(GraphClient, AccessToken), WorkError> {
        let meta = &self.sender.meta;
        Ok((meta.graph().await?, meta.vault.user_token(&integration.credentials).await?))
    }

    /// Stores that Meta refused a stage, with Meta's words.
    async fn settle_refused(&self, conversion: &Conversion, error: &GraphError) -> Result<(), WorkError> {
        tracing::warn!(org = %self.scope.org(), lead = %conversion.lead_id, %error, "Meta refuses a conversion event");
        let words = error.detail().map(|it| it.user_message.as_deref().unwrap_or(&it.message).to_owned());
        self.settle_unsent(&[conversion.clone().unsent(UnsentReason::Refused, words, (self.clock)())]).await
    }

    /// Stores stages that are not sent, each with its reason.
    async fn settle_unsent(&self, unsent: &[Conversion]) -> Result<(), WorkError> {
        self.sender.table.settle_unsent(self.scope, unsent).await?;
        let outcome = |conversion: &Conversion| match conversion.reason {
            Some(UnsentReason::Refused) => ConversionEnd::Refused,
            _ => ConversionEnd::Skipped,
        };
        metrics::tally(unsent.iter().map(|conversion| Metric::Conversions(outcome(conversion))));
        Ok(())
    }

    async fn settle_sent(
        &mut self,
        integration: &Integration,
        dataset: &DatasetId,
        part: &[(Conversion, ConversionEvent, String)],
    ) -> Result<(), WorkError> {
        let now = (self.clock)();
        let sent: Vec<Conversion> =
            part.iter().map(|(conversion, _, name)| conversion.clone().sent(name, dataset, now)).collect();
        self.taken.insert(integration.id.clone());
        tracing::info!(org = %self.scope.org(), %dataset, events = sent.len(), "conversions sent");
        self.sender.table.settle_sent(self.scope, &integration.id, &sent).await?;
        metrics::count(Metric::Conversions(ConversionEnd::Sent), sent.len());
        Ok(())
    }

    /// Stores why an integration's events wait, and until when. They stay as they are, and are sent with the same ids.
    async fn pause(&mut self, integration: &Integration, error: WorkError) -> Result<(), WorkError> {
        if !matches!(error, WorkError::Graph(_)) && !error.is_of_token() {
            return Err(error);
        }
        if error.is_of_token() {
            self.sender.checks.send(&[CheckJob::new(self.scope, &integration.id)]).await?;
        }
        if let WorkError::Graph(GraphError::ProofRefused(_)) = &error {
            self.sender.meta.invalidate_app_secret();
        }
        let failures = integration.conversion_fault.as_ref().map_or(0, |fault| fault.failures) + 1;
        let pause = match error.verdict() {
            Verdict::RetryAfter(wait) => wait,
            Verdict::Retry | Verdict::GiveUp => ConversionFault::pause(failures),
        };
        let fault = ConversionFault {
            code: <&str>::from(error.code()).to_owned(),
            message: error.to_string(),
            failures,
            paused_until: (self.clock)() + pause,
        };
        tracing::warn!(org = %self.scope.org(), integration = %integration.id, %error, failures, "conversions wait");
        self.waiting.insert(integration.id.clone(), fault.paused_until.min((self.clock)() + MAX_REST));
        Ok(self.sender.table.set_conversion_fault(self.scope, integration, Some(&fault)).await?)
    }
}

/// Until when at least nothing is sent through an integration: after a failure, or while its token is invalid. What is due
/// waits for as long as Meta takes it.
fn waits_until(integration: &Integration, early: bool, now: Timestamp) -> Option<Timestamp> {
    if integration.state(now).reason.is_some_and(|reason| reason != EndReason::PageRoleLost) {
        return Some(now + MAX_REST);
    }
    let fault = integration.conversion_fault.as_ref().filter(|fault| !early && now < fault.paused_until)?;
    Some(fault.paused_until.min(now + MAX_REST))
}

async fn send_part(
    graph: &GraphClient,
    token: &AccessToken,
    settings: &ConversionSettings,
    part: &[(Conversion, ConversionEvent, String)],
    now: Timestamp,
) -> Result<(), GraphError> {
    let events: Vec<&ConversionEvent> = part.iter().map(|(_, event, _)| event).collect();
    graph.send_conversions(&settings.dataset_id, &events, settings.test_event_code(now), token).await
}
