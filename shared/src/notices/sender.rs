//! Mails a lead to its assignee: once, unless a worker dies between SES and the table.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use url::Url;

use super::switch::Unsubscribe;
use crate::error::WorkError;
use crate::ids::{LeadId, OrgScope, UserId};
use crate::jobs::AssigneeMailJob;
use crate::language;
use crate::mail::{Mail, MailError, MailOptions, Mailer};
use crate::model::assignee_mail::{AssignedLead, is_news};
use crate::model::lead::Lead;
use crate::model::mail_feedback::MailFeedback;
use crate::model::mail_preference::{MailKind, MailProblem, MailProblemReason};
use crate::model::org::User;
use crate::secret::HmacKey;
use crate::table::assignee_mail::MailClaim;
use crate::table::lead::StoredLead;
use crate::table::{Table, TableError};

/// Leads that a mail about several names. The others are counted.
const MAX_NAMED: usize = 100;

/// Tells people of the leads that are assigned to them.
#[derive(Debug, Clone)]
pub struct AssigneeNotifier {
    /// Knows the leads, the people, and who was told of what.
    pub table: Table,
    /// Absent in a deployment without a sender address.
    pub mailer: Option<Mailer>,
    /// SES reports bounces and complaints about mails of this configuration set.
    pub configuration_set: String,
    /// The console, which shows the leads and stops the mails.
    pub console: Url,
    /// Signs the links that stop the mails.
    pub key: HmacKey,
    /// Writes the mails.
    pub compose: fn(&AssigneeMail<'_>) -> Mail,
}

/// What a mail says.
#[derive(Debug)]
pub struct AssigneeMail<'a> {
    /// The recipient.
    pub user: &'a User,
    /// One lead, or those that were gathered, newest first.
    pub leads: &'a [Lead],
    /// Gathered leads that are not among them.
    pub more: usize,
    /// The console's origin.
    pub console: &'a Url,
    /// Where the recipient stops the mails.
    pub unsubscribe: &'a str,
}

impl AssigneeNotifier {
    /// Does a job. What cannot be mailed, or is not to be, is done.
    ///
    /// # Errors
    /// If the table or SES failed. The job can be repeated.
    pub async fn notify(&self, job: &AssigneeMailJob, now: Timestamp) -> Result<(), WorkError> {
        match job {
            AssigneeMailJob::Arrived(lead) => self.tell(job.scope().as_ref(), lead, true, now).await,
            AssigneeMailJob::Reassigned(lead) => self.tell(job.scope().as_ref(), lead, false, now).await,
            AssigneeMailJob::Digest { user_id, early, .. } => {
                self.send_digest(job.scope().as_ref(), user_id, *early, now).await
            }
            AssigneeMailJob::Feedback { detail } => self.record_feedback(detail, now).await,
        }
    }

    async fn tell(
        &self,
        scope: Option<&OrgScope>,
        AssignedLead { lead_id, user_id: user, .. }: &AssignedLead,
        has_arrived: bool,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let (Some(scope), Some(mailer)) = (scope, &self.mailer) else { return Ok(()) };
        let Some(StoredLead::Lead(lead)) = self.table.find_lead(scope, lead_id).await? else { return Ok(()) };
        // Someone else has it by now, and is told by an event of its own.
        if lead.assigned_to.as_ref() != Some(user) || has_arrived && !is_news(&lead) {
            return Ok(());
        }
        let Some(page) = &lead.page_id else { return Ok(()) };
        if !self.table.notifies_assignees(scope, page).await? {
            return Ok(());
        }
        let Some(user) = self.recipient(scope, user).await? else { return Ok(()) };
        match self.table.claim_assignee_mail(scope, &lead.id, &user.id, now).await? {
            MailClaim::Settled => return Ok(()),
            MailClaim::Held => return Err(TableError::Contended(1).into()),
            MailClaim::Mine => {}
        }
        match self.send(mailer, scope, &user, std::slice::from_ref(&lead), 0).await {
            Ok(()) => {
                tracing::info!(org = %scope.org(), lead = %lead.id, user = %user.id, "assignee mailed");
                Ok(self.table.settle_assignee_mail(scope, &lead.id, &user.id).await?)
            }
            // It may have been sent, so the claim stays until no sender can still be working on it.
            Err(error @ MailError::Unknown(_)) => Err(error.into()),
            Err(error) => {
                self.table.release_assignee_mail(scope, &lead.id, &user.id, now).await?;
                Err(error.into())
            }
        }
    }

    /// The person, if they are there and mails to them are wanted and arrive.
    async fn recipient(&self, scope: &OrgScope, user: &UserId) -> Result<Option<User>, WorkError> {
        let has_meta = self.table.org(scope).await?.is_some_and(|org| org.has_meta());
        let Some(user) = self.table.user(scope, user).await?.filter(|user| user.active && has_meta) else {
            return Ok(None);
        };
        let preference = self.table.mail_preference(scope, &user.id).await?;
        Ok(preference.allows(MailKind::AssignedLeads, &user.email).then_some(user))
    }

    /// Mails what is gathered for a person.
    async fn send_digest(
        &self,
        scope: Option<&OrgScope>,
        user: &UserId,
        early: bool,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let (Some(scope), Some(mailer)) = (scope, &self.mailer) else { return Ok(()) };
        let Some(gathered) = self.table.lease_digest(scope, user, early, now).await? else { return Ok(()) };
        let sent = self.mail_gathered(mailer, scope, user, &gathered).await;
        match sent {
            Ok(()) => Ok(self.table.end_digest(scope, user, &gathered, now).await?),
            Err(error @ WorkError::Mail(MailError::Unknown(_))) => Err(error),
            Err(error) => {
                self.table.release_digest(scope, user).await?;
                Err(error)
            }
        }
    }

    async fn mail_gathered(
        &self,
        mailer: &Mailer,
        scope: &OrgScope,
        user: &UserId,
        gathered: &[LeadId],
    ) -> Result<(), WorkError> {
        let Some(user) = self.recipient(scope, user).await? else { return Ok(()) };
        let ids: BTreeSet<LeadId> = gathered.iter().cloned().collect();
        let stored = self.table.find_leads(scope, &ids).await?.into_iter();
        let mut leads: Vec<Lead> = stored
            .filter_map(|stored| match stored {
                StoredLead::Lead(lead) => Some(*lead),
                StoredLead::Submission(_) => None,
            })
            .filter(|lead| lead.assigned_to.as_ref() == Some(&user.id))
            .collect();
        leads.sort_by_key(|lead| std::cmp::Reverse(lead.created_time));
        if leads.is_empty() {
            return Ok(());
        }
        let more = leads.len().saturating_sub(MAX_NAMED);
        leads.truncate(MAX_NAMED);
        self.send(mailer, scope, &user, &leads, more).await?;
        tracing::info!(org = %scope.org(), user = %user.id, leads = leads.len() + more, "an assignee was mailed about gathered leads");
        Ok(())
    }

    /// Sends a mail. One that SES will never send counts as sent.
    async fn send(
        &self,
        mailer: &Mailer,
        scope: &OrgScope,
        user: &User,
        leads: &[Lead],
        more: usize,
    ) -> Result<(), MailError> {
        let unsubscribe = Unsubscribe::link(&self.key, &self.console, scope, &user.id);
        let mail = AssigneeMail { user, leads, more, console: &self.console, unsubscribe: &unsubscribe };
        let encode = |id: &str| URL_SAFE_NO_PAD.encode(id);
        let options = MailOptions {
            // RFC 8058: a mail program may stop the mails by one request, without showing a page.
            headers: vec![
                ("List-Unsubscribe", format!("<{unsubscribe}>")),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
                ("Auto-Submitted", "auto-generated".to_owned()),
            ],
            // SES returns these with what it reports. Its characters are fewer than those of ids.
            tags: vec![("org", encode(scope.org().as_str())), ("user", encode(user.id.as_str()))],
            configuration_set: Some(&self.configuration_set),
        };
        match mailer
            .send_with(&user.email, &language::speak_now(user.locale(), || (self.compose)(&mail)), &options)
            .await
        {
            Err(error @ MailError::Refused(_)) => {
                tracing::error!(%error, org = %scope.org(), user = %user.id, metric = "mails_refused", "a mail to an assignee cannot be sent");
                Ok(())
            }
            sent => sent,
        }
    }

    /// Records that an address gets no more mails, because they do not arrive or are not wanted.
    async fn record_feedback(&self, feedback: &MailFeedback, now: Timestamp) -> Result<(), WorkError> {
        let (reason, recipients) = match (&feedback.bounce, &feedback.complaint) {
            // Others are temporary, and SES itself tries again.
            (Some(bounce), _) if bounce.bounce_type != "Permanent" => return Ok(()),
            (Some(bounce), _) => (MailProblemReason::Bounced, &bounce.bounced_recipients),
            (None, Some(complaint)) => (MailProblemReason::Complained, &complaint.complained_recipients),
            (None, None) => return Ok(()),
        };
        let Some((scope, user)) = feedback.recipient() else {
            tracing::warn!("feedback of SES does not say which mail it is about");
            return Ok(());
        };
        let Some(user) = self.table.user(&scope, &user).await? else { return Ok(()) };
        // Only of the address that the directory still has.
        if recipients.iter().any(|recipient| recipient.email_address.eq_ignore_ascii_case(&user.email)) {
            let problem = MailProblem { reason, address: user.email.clone(), at: now };
            self.table.set_mail_problem(&scope, &user.id, &problem).await?;
            tracing::warn!(org = %scope.org(), user = %user.id, ?reason, metric = "mail_addresses_blocked", "an assignee gets no more mails");
        }
        Ok(())
    }
}
