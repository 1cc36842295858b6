//! Mails an org's admins that an endpoint was deactivated, once each.

use jiff::Timestamp;

use super::Deliverer;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::language;
use crate::mail::{Mail, MailError};
use crate::model::delivery::Endpoint;
use crate::table::TableError;
use crate::table::notice::{ClaimOutcome, NoticeAbout, NoticeTo};
use crate::tr;

impl Deliverer {
    /// Notifies the admins of an endpoint that Leadwire deactivated, unless that is done.
    ///
    /// # Errors
    /// If an admin could not be reached; the others were, and are not mailed again.
    pub(super) async fn notify(&self, scope: &OrgScope, endpoint: &Endpoint, now: Timestamp) -> Result<(), WorkError> {
        let Some(disabled) = endpoint.disabled.as_ref().filter(|disabled| !disabled.is_notified) else {
            return Ok(());
        };
        tracing::warn!(org = %scope.org(), endpoint = %endpoint.id, reason = ?disabled.reason, "endpoint deactivated");
        if let Some(mailer) = &self.mailer {
            let admins = self.table.alert_recipients(scope).await?;
            let org = self.table.org(scope).await?.map_or_else(|| scope.org().to_string(), |org| org.name);
            for admin in admins {
                let to = format!("user-{}", admin.id);
                let about = NoticeAbout::Endpoint(&endpoint.id);
                let notice = NoticeTo { about, since: disabled.at, notice: "deactivated", to: &to };
                match self.table.claim_notice(scope, notice, now).await? {
                    ClaimOutcome::Sent => continue,
                    ClaimOutcome::Held => return Err(TableError::Contended(1).into()),
                    ClaimOutcome::Mine => {}
                }
                let letter = || self.letter(endpoint, &disabled.reason.message(), &org);
                match mailer.send(&admin.email, &language::speak_now(admin.locale(), letter)).await {
                    Ok(()) => {}
                    Err(error @ MailError::Refused(_)) => {
                        tracing::error!(%error, org = %scope.org(), user = %admin.id, metric = "mails_refused", "a notice cannot be mailed");
                    }
                    // It may have been sent, so the claim stays until no sender can still be working on it.
                    Err(error @ MailError::Unknown(_)) => return Err(error.into()),
                    Err(error) => {
                        self.table.release_notice(scope, notice).await?;
                        return Err(error.into());
                    }
                }
                self.table.notice_sent(scope, notice, now).await?;
            }
        }
        Ok(self.table.endpoint_notified(scope, &endpoint.id, disabled).await?)
    }

    fn letter(&self, endpoint: &Endpoint, reason: &str, org: &str) -> Mail {
        let mut link = self.console.clone();
        link.set_path(&format!("/webhooks/{}", endpoint.id));
        let host = url::Url::parse(&endpoint.url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
        let host = host.unwrap_or_default();
        let paragraphs = [
            tr!(
                "Leadwire no longer sends events of {org} to the endpoint at {host}. {reason}",
                host = host,
                org = org,
                reason = reason
            ),
            tr!(
                "From now on, events are logged as not delivered. Repair the receiver, activate the endpoint again, and send the missing events again from the endpoint's log. The log goes back 30 days."
            )
            .into_owned(),
        ];
        let subject = tr!("{org}: no more events are sent to {host}", org = org, host = host);
        Mail::letter(&subject, &paragraphs, (&tr!("Open the endpoint"), link.as_str()))
    }
}
