//! Telling an org's admins and its CRM, each once: whoever sends claims first.

use jiff::Timestamp;
use shared::bus::{Bus, Event};
use shared::error::WorkError;
use shared::ids::OrgScope;
use shared::mail::{Mail, MailError, Mailer};
use shared::model::integration::{Connection, Integration};
use shared::model::org::User;
use shared::model::standing::{Ended, Notice};
use shared::table::Table;
use shared::table::notice::NoticeTo;
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
    pub(crate) async fn tell(
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
        self.tell_all(scope, integration, notice.name(), &event, mail, now).await
    }

    /// Tells of a page that was lost while the others are well.
    ///
    /// # Errors
    /// As [`Notifier::tell`].
    pub(crate) async fn tell_lost_page(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        page: &Connection,
        ended: &Ended,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let event = Event::connection_page_lost(scope, integration, page, ended);
        let mail = |org: &str, link: &str| words::of_lost_page(page, ended, integration, org, link);
        self.tell_all(scope, integration, &format!("page-{}", page.page_id), &event, mail, now).await
    }

    async fn tell_all(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        notice: &str,
        event: &Event,
        mail: impl Fn(&str, &str) -> Mail,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let whom = NoticeTo { integration: &integration.id, since: integration.notices_since, notice, to: BUS };
        let mut outcome = Ok(());
        if self.table.claim_notice(scope, whom, now).await? {
            let told = self.bus.publish(std::slice::from_ref(event)).await.map_err(WorkError::from);
            outcome = outcome.and(self.settle(scope, whom, told, now).await);
        }
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
            let whom = NoticeTo { to: &recipient, ..whom };
            if self.table.claim_notice(scope, whom, now).await? {
                let told = match mailer.send(&admin.email, &mail).await {
                    // It never will be sent. The others are told all the same, and nobody tries again.
                    Err(error @ MailError::Refused(_)) => {
                        tracing::error!(%error, org = %scope.org(), user = %admin.id, metric = "mails_refused", "a notice cannot be mailed");
                        Ok(())
                    }
                    told => told.map_err(WorkError::from),
                };
                outcome = outcome.and(self.settle(scope, whom, told, now).await);
            }
        }
        outcome
    }

    /// A claim ends as sent, or is given back for the next try.
    async fn settle(
        &self,
        scope: &OrgScope,
        notice: NoticeTo<'_>,
        told: Result<(), WorkError>,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        match told {
            Ok(()) => {
                tracing::info!(org = %scope.org(), integration = %notice.integration, notice = notice.notice, to = notice.to, "told");
                Ok(self.table.notice_sent(scope, notice, now).await?)
            }
            Err(error) => {
                self.table.release_notice(scope, notice).await?;
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
