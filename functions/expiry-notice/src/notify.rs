//! Telling an org's admins and its CRM, each once: whoever sends claims first.

use std::collections::BTreeMap;
use std::future::Future;

use jiff::Timestamp;
use leadwire::bus::Bus;
use leadwire::error::WorkError;
use leadwire::ids::OrgScope;
use leadwire::mail::{Mail, MailError, Mailer};
use leadwire::model::connection::standing::{Ended, Notice};
use leadwire::model::connection::{Connection, Integration};
use leadwire::model::event::Event;
use leadwire::model::org::User;
use leadwire::table::notice::{ClaimOutcome, NoticeTo};
use leadwire::table::{Table, TableError};
use url::Url;

use crate::words;

/// The recipient that is no person.
const BUS: &str = "bus";

/// Whom to tell, and how.
#[derive(Debug)]
pub(crate) struct Notifier {
    pub(crate) table: Table,
    pub(crate) bus: Bus,
    /// Absent in a deployment without a sender's address: then only the bus is told.
    pub(crate) mailer: Option<Mailer>,
    /// Where people reconnect.
    pub(crate) console: Url,
}

impl Notifier {
    /// Tells whoever has not been told yet what is due at `now`.
    ///
    /// # Errors
    /// If somebody could not be told; the others are.
    pub(crate) async fn notify(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let Some(notice) = integration.due_notice(now) else { return Ok(()) };
        let event = match notice {
            Notice::Ended(reason) => Event::connection_expired(scope, integration, reason),
            Notice::SevenDays | Notice::ThreeDays | Notice::OneDay => {
                Event::connection_expiring(scope, integration, notice.name())
            }
        };
        let mail = |org: &str, link: &str| words::of_notice(notice, integration, org, link, now);
        self.tell_all(scope, integration, notice.name(), &[event], mail, now).await
    }

    /// Tells of pages that were lost while the others are well: once for all that were lost together.
    ///
    /// # Errors
    /// As [`Notifier::notify`].
    pub(crate) async fn notify_lost_pages(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        lost: &[(&Connection, &Ended)],
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let mut together: BTreeMap<Timestamp, Vec<(&Connection, &Ended)>> = BTreeMap::new();
        for page in lost {
            together.entry(page.1.since).or_default().push(*page);
        }
        let mut outcome = Ok(());
        for (since, pages) in together {
            let events: Vec<Event> = pages
                .iter()
                .map(|(page, ended)| Event::connection_page_lost(scope, integration, page, ended))
                .collect();
            let mail = |org: &str, link: &str| words::of_lost_pages(&pages, integration, org, link);
            let notice = format!("pages-{since}");
            outcome = outcome.and(self.tell_all(scope, integration, &notice, &events, mail, now).await);
        }
        outcome
    }

    async fn tell_all(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        notice: &str,
        events: &[Event],
        mail: impl Fn(&str, &str) -> Mail,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let whom = NoticeTo { integration: &integration.id, since: integration.notices_since, notice, to: BUS };
        let publish = async { self.bus.publish(events).await.map_err(WorkError::from) };
        let mut outcome = self.once(scope, whom, publish, now).await;
        let Some(mailer) = &self.mailer else {
            tracing::warn!(org = %scope.org(), notice, "no mail is sent: the deployment has no SenderAddress");
            return outcome;
        };
        let mut admins = self.table.users(scope).await?;
        admins.retain(User::is_admin);
        if admins.is_empty() {
            tracing::error!(org = %scope.org(), notice, metric = "notices_without_recipient", "the directory has no active admin of this org to be told");
        }
        let org = self.table.org(scope).await?.map_or_else(|| scope.org().to_string(), |org| org.name);
        let mail = mail(&org, &self.link(integration));
        for admin in admins {
            // A user's id may be spelled like the bus; what they are called here may not.
            let recipient = format!("user-{}", admin.id);
            let send = async {
                match mailer.send(&admin.email, &mail).await {
                    // It never will be sent. The others are told all the same, and nobody tries again.
                    Err(error @ MailError::Refused(_)) => {
                        tracing::error!(%error, org = %scope.org(), user = %admin.id, metric = "mails_refused", "a notice cannot be mailed");
                        Ok(())
                    }
                    sent => sent.map_err(WorkError::from),
                }
            };
            outcome = outcome.and(self.once(scope, NoticeTo { to: &recipient, ..whom }, send, now).await);
        }
        outcome
    }

    /// Sends to one recipient unless that was done. A claim that somebody else holds makes this come back: if they died
    /// at it, it is taken over then.
    async fn once(
        &self,
        scope: &OrgScope,
        whom: NoticeTo<'_>,
        send: impl Future<Output = Result<(), WorkError>>,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        match self.table.claim_notice(scope, whom, now).await? {
            ClaimOutcome::Sent => return Ok(()),
            ClaimOutcome::Held => return Err(TableError::Contended(1).into()),
            ClaimOutcome::Mine => {}
        }
        match send.await {
            Ok(()) => {
                tracing::info!(org = %scope.org(), integration = %whom.integration, notice = whom.notice, to = whom.to, "told");
                Ok(self.table.notice_sent(scope, whom, now).await?)
            }
            // Perhaps it was sent: the claim stays, and is taken over when nobody can be at it any more.
            Err(error @ WorkError::Mail(MailError::Unknown(_))) => Err(error),
            Err(error) => {
                self.table.release_notice(scope, whom).await?;
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
