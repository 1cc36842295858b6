//! Notifies an org's admins and its CRM, once each: every sender claims the notice first.

use std::collections::BTreeMap;

use jiff::Timestamp;
use leadwire::bus::Bus;
use leadwire::error::WorkError;
use leadwire::ids::OrgScope;
use leadwire::mail::{Mail, Mailer};
use leadwire::model::connection::lead_state::{Stop, StopReason};
use leadwire::model::connection::problem::IntegrationProblemCode;
use leadwire::model::connection::state::{ConnectionEnd, ExpiryNotice};
use leadwire::model::connection::{Connection, Integration};
use leadwire::model::event::Event;
use leadwire::notices::{mail_admins, send_once};
use leadwire::table::Table;
use leadwire::table::notice::{NoticeAbout, NoticeTo};
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
        let of_bus = NoticeTo { about, since: integration.notices_since, notice, to: BUS };
        let publish = async { self.bus.publish(events).await.map_err(WorkError::from) };
        let published = send_once(&self.table, scope, of_bus, publish, now).await;
        let Some(mailer) = &self.mailer else {
            tracing::warn!(org = %scope.org(), notice, "no mail is sent: the deployment has no SenderAddress");
            return published;
        };
        let link = self.link(integration);
        let letter = |org: &str| mail(org, &link);
        published.and(mail_admins((&self.table, mailer), scope, of_bus, letter, now).await)
    }

    fn link(&self, integration: &Integration) -> String {
        let mut link = self.console.clone();
        link.query_pairs_mut().append_pair("reconnect", integration.id.as_str());
        link.into()
    }
}
