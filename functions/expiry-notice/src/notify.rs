//! Notifies an org's admins and its CRM, once each: every sender claims the notice first.

use std::collections::BTreeMap;
use std::future::Future;

use jiff::Timestamp;
use leadwire::bus::Bus;
use leadwire::error::WorkError;
use leadwire::ids::OrgScope;
use leadwire::language;
use leadwire::mail::{Mail, MailError, Mailer};
use leadwire::model::connection::lead_state::{Stop, StopReason};
use leadwire::model::connection::problem::IntegrationProblemCode;
use leadwire::model::connection::state::{ConnectionEnd, ExpiryNotice};
use leadwire::model::connection::{Connection, Integration};
use leadwire::model::event::Event;
use leadwire::table::notice::{ClaimOutcome, NoticeAbout, NoticeTo};
use leadwire::table::{Table, TableError};
use sha2::{Digest, Sha256};
use url::Url;

use crate::mails;

/// The recipient that stands for the event bus.
const BUS: &str = "bus";

/// Sends notices.
#[derive(Debug)]
pub(crate) struct Notifier {
    pub(crate) table: Table,
    pub(crate) bus: Bus,
    /// Absent in a deployment without a sender address: then the notice goes to the event bus only.
    pub(crate) mailer: Option<Mailer>,
    /// The console, where admins reconnect.
    pub(crate) console: Url,
}

impl Notifier {
    /// Sends the notice that is due at `now` to every recipient that has not received it.
    ///
    /// # Errors
    /// Fails if a recipient could not be reached; the others were.
    pub(crate) async fn notify(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let Some(notice) = integration.due_notice(now) else { return Ok(()) };
        let event = match notice {
            ExpiryNotice::Ended(reason) => {
                let stop = Stop::from_end(reason, integration.token_kind);
                Event::connection_expired(scope, integration, stop, notice.name())
            }
            ExpiryNotice::SevenDays | ExpiryNotice::ThreeDays | ExpiryNotice::OneDay => {
                Event::connection_expiring(scope, integration, notice.name())
            }
        };
        let mail = |org: &str, link: &str| mails::notice_mail(notice, integration, org, link, now);
        self.notify_all(scope, integration, notice.name(), &[event], mail, now).await
    }

    /// Sends notices about lost pages of an integration that still works: one for all pages that were lost together.
    ///
    /// # Errors
    /// Like [`Notifier::notify`].
    pub(crate) async fn notify_lost_pages(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        lost: &[(&Connection, &ConnectionEnd)],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let mut together: BTreeMap<Timestamp, Vec<(&Connection, &ConnectionEnd)>> = BTreeMap::new();
        for page in lost {
            together.entry(page.1.since).or_default().push(*page);
        }
        let mut outcome = Ok(());
        for (since, pages) in together {
            let events: Vec<Event> = pages
                .iter()
                .map(|(page, ended)| {
                    let stop = Stop::from_end(ended.reason, integration.token_kind);
                    Event::connection_page_lost(scope, integration, page, stop, &ended.since.to_string())
                })
                .collect();
            let mail = |org: &str, link: &str| mails::lost_pages_mail(&pages, integration, org, link);
            let notice = format!("pages-{since}");
            outcome = outcome.and(self.notify_all(scope, integration, &notice, &events, mail, now).await);
        }
        outcome
    }

    /// Sends a notice about an integration that works and is not allowed to read leads: one for all of its pages, or one
    /// for those that are concerned now.
    ///
    /// # Errors
    /// Like [`Notifier::notify`].
    pub(crate) async fn notify_blocked(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        pages: &[&Connection],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let blocked = |stop: &Stop| match stop.reason {
            StopReason::Blocked(code) => Some(code),
            StopReason::Ended(_) => None,
        };
        if let Some(stop) = integration.lead_state(pages.iter().copied(), now).stop {
            let Some(code) = blocked(&stop) else { return Ok(()) };
            let notice = format!("blocked-{code}");
            // Read for each recipient, in their language.
            let mail = |org: &str, link: &str| {
                let stop = integration.lead_state(pages.iter().copied(), now).stop;
                mails::blocked_mail(stop.as_ref(), integration, org, link)
            };
            let event = Event::connection_expired(scope, integration, stop.clone(), &notice);
            return self.notify_all(scope, integration, &notice, &[event], mail, now).await;
        }
        let stopped = pages.iter().filter_map(|page| {
            let stop = page.lead_state(integration, now).stop?;
            Some((*page, blocked(&stop)?, stop))
        });
        let stopped: Vec<(&Connection, IntegrationProblemCode, Stop)> = stopped.collect();
        if stopped.is_empty() {
            return Ok(());
        }
        // The same pages are announced once; another page makes another notice.
        let mut ids: Vec<String> = stopped.iter().map(|(page, code, _)| format!("{}:{code}", page.page_id)).collect();
        ids.sort();
        let hash: String = hex::encode(Sha256::digest(ids.join(","))).chars().take(16).collect();
        let events: Vec<Event> = stopped
            .iter()
            .map(|(page, code, stop)| {
                Event::connection_page_lost(scope, integration, page, stop.clone(), &format!("blocked-{code}"))
            })
            .collect();
        let pages: Vec<&Connection> = stopped.iter().map(|(page, ..)| *page).collect();
        let mail = |org: &str, link: &str| mails::blocked_pages_mail(&pages, integration, org, link, now);
        self.notify_all(scope, integration, &format!("blocked-pages-{hash}"), &events, mail, now).await
    }

    async fn notify_all(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        notice: &str,
        events: &[Event],
        mail: impl Fn(&str, &str) -> Mail,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let about = NoticeAbout::Integration(&integration.id);
        let recipient_key = NoticeTo { about, since: integration.notices_since, notice, to: BUS };
        let publish = async { self.bus.publish(events).await.map_err(WorkError::from) };
        let mut outcome = self.send_once(scope, recipient_key, publish, now).await;
        let Some(mailer) = &self.mailer else {
            tracing::warn!(org = %scope.org(), notice, "no mail is sent: the deployment has no SenderAddress");
            return outcome;
        };
        let admins = self.table.alert_recipients(scope).await?;
        let org = self.table.org(scope).await?.map_or_else(|| scope.org().to_string(), |org| org.name);
        let link = self.link(integration);
        for admin in admins {
            // The prefix keeps a user whose id is "bus" apart from the event bus.
            let recipient = format!("user-{}", admin.id);
            let mail = language::speak_now(admin.locale(), || mail(&org, &link));
            let send = async {
                match mailer.send(&admin.email, &mail).await {
                    // Permanent: it counts as sent, so that the other admins are notified and no retry follows.
                    Err(error @ MailError::Refused(_)) => {
                        tracing::error!(%error, org = %scope.org(), user = %admin.id, metric = "mails_refused", "a notice cannot be mailed");
                        Ok(())
                    }
                    sent => sent.map_err(WorkError::from),
                }
            };
            outcome = outcome.and(self.send_once(scope, NoticeTo { to: &recipient, ..recipient_key }, send, now).await);
        }
        outcome
    }

    /// Sends to one recipient, unless that was done already. If another process holds the claim, this fails and is
    /// retried, and takes over the claim if that process has died.
    async fn send_once(
        &self,
        scope: &OrgScope,
        recipient_key: NoticeTo<'_>,
        send: impl Future<Output = Result<(), WorkError>>,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        match self.table.claim_notice(scope, recipient_key, now).await? {
            ClaimOutcome::Sent => return Ok(()),
            ClaimOutcome::Held => return Err(TableError::Contended(1).into()),
            ClaimOutcome::Mine => {}
        }
        match send.await {
            Ok(()) => {
                tracing::info!(org = %scope.org(), about = ?recipient_key.about, notice = recipient_key.notice, to = recipient_key.to, "notice sent");
                Ok(self.table.notice_sent(scope, recipient_key, now).await?)
            }
            // It may have been sent, so the claim stays until no sender can still be working on it.
            Err(error @ WorkError::Mail(MailError::Unknown(_))) => Err(error),
            Err(error) => {
                self.table.release_notice(scope, recipient_key).await?;
                Err(error)
            }
        }
    }

    fn link(&self, integration: &Integration) -> String {
        let mut link = self.console.clone();
        link.query_pairs_mut().append_pair("reconnect", integration.id.as_str());
        link.into()
    }
}
