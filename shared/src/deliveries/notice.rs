//! Mails an org's admins that an endpoint was deactivated, once each.

use jiff::Timestamp;

use super::Deliverer;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::mail::Mail;
use crate::model::delivery::Endpoint;
use crate::notices::mail_admins;
use crate::table::notice::{NoticeAbout, NoticeTo};
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
            let about = NoticeAbout::Endpoint(&endpoint.id);
            let notice = NoticeTo { about, since: disabled.at, notice: "deactivated", to: "" };
            let letter = |org: &str| self.letter(endpoint, &disabled.reason.message(), org);
            mail_admins((&self.table, mailer), scope, notice, letter, now).await?;
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
