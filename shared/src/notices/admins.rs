//! Tells an org's admins, each once: every sender claims the notice first.

use std::future::Future;

use jiff::Timestamp;

use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::language;
use crate::mail::{Mail, MailError, Mailer};
use crate::table::notice::{ClaimOutcome, NoticeTo};
use crate::table::{Table, TableError};

/// Mails a notice to each of the org's admins, in their language, unless that was done. `letter` gets the org's name. An
/// address that SES refuses for good counts as mailed.
///
/// # Errors
/// If an admin could not be reached; the others were, and are not mailed again.
pub async fn mail_admins(
    (table, mailer): (&Table, &Mailer),
    scope: &OrgScope,
    notice: NoticeTo<'_>,
    letter: impl Fn(&str) -> Mail,
    now: Timestamp,
) -> Result<(), WorkError> {
    let admins = table.alert_recipients(scope).await?;
    let org = table.org(scope).await?.map_or_else(|| scope.org().to_string(), |org| org.name);
    let mut outcome = Ok(());
    for admin in admins {
        // The prefix keeps a user whose id is "bus" apart from the event bus.
        let recipient = format!("user-{}", admin.id);
        let mail = language::speak_now(admin.locale(), || letter(&org));
        let send = async {
            match mailer.send(&admin.email, &mail).await {
                Err(error @ MailError::Refused(_)) => {
                    tracing::error!(%error, org = %scope.org(), user = %admin.id, metric = "mails_refused", "a notice cannot be mailed");
                    Ok(())
                }
                sent => sent.map_err(WorkError::from),
            }
        };
        outcome = outcome.and(send_once(table, scope, NoticeTo { to: &recipient, ..notice }, send, now).await);
    }
    outcome
}

/// Sends to one recipient, unless that was done already. If another process holds the claim, this fails and is
/// retried, and takes over the claim if that process has died.
///
/// # Errors
/// If it could not be sent, or it is not known whether it was.
pub async fn send_once(
    table: &Table,
    scope: &OrgScope,
    notice: NoticeTo<'_>,
    send: impl Future<Output = Result<(), WorkError>>,
    now: Timestamp,
) -> Result<(), WorkError> {
    match table.claim_notice(scope, notice, now).await? {
        ClaimOutcome::Sent => return Ok(()),
        ClaimOutcome::Held => return Err(TableError::Contended(1).into()),
        ClaimOutcome::Mine => {}
    }
    match send.await {
        Ok(()) => {
            tracing::info!(org = %scope.org(), about = ?notice.about, notice = notice.notice, to = notice.to, "notice sent");
            Ok(table.notice_sent(scope, notice, now).await?)
        }
        // It may have been sent, so the claim stays until no sender can still be working on it.
        Err(error @ WorkError::Mail(MailError::Unknown(_))) => Err(error),
        Err(error) => {
            table.release_notice(scope, notice).await?;
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{MailFixture, start};
    use super::*;
    use crate::ids::EndpointId;
    use crate::model::org::User;
    use crate::table::notice::NoticeAbout;
    use crate::table::tests::user;

    #[tokio::test]
    async fn an_admin_who_cannot_be_mailed_now_keeps_no_other_waiting_and_is_mailed_later() {
        let MailFixture { notifier, mails, scope } = MailFixture::new().await;
        for id in ["ada", "bea", "cy"] {
            notifier.table.put_user(&scope, &User { role: Some("admin".into()), ..user(id, true) }).await.unwrap();
        }
        let id = EndpointId::parse("end_1").unwrap();
        let notice = NoticeTo { about: NoticeAbout::Endpoint(&id), since: start(), notice: "deactivated", to: "" };
        let letter = |org: &str| Mail { subject: org.to_owned(), text: String::new(), html: String::new() };
        let tell = async || {
            let mailer = notifier.mailer.as_ref().unwrap();
            mail_admins((&notifier.table, mailer), &scope, notice, letter, start()).await
        };
        mails.state().faults.push_back((429, "TooManyRequestsException", false));
        assert!(tell().await.is_err());
        assert_eq!(mails.subjects(), ["A", "A"]);
        tell().await.unwrap();
        tell().await.unwrap();
        let addressees: Vec<String> =
            mails.state().sent.iter().map(|mail| mail["Destination"]["ToAddresses"][0].to_string()).collect();
        assert_eq!(addressees, ["bea", "cy", "ada"].map(|id| format!("\"{id}@example.com\"")));
    }
}
