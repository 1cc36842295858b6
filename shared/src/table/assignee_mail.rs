//! Mails to assignees: which lead a person was told of, and what is gathered for them.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::commit::CommitOutcome;
use super::shape::ItemKind;
use super::{IndexRange, Table, TableError, keys, pause, write_all};
use crate::ids::{LeadId, OrgId, OrgScope, UserId};
use crate::model::assignee_mail::{MailHour, MailTiming};

/// How long a claim lasts. Longer than the sending function runs.
const CLAIM_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);
/// Beyond the time in which an event can be delivered again, or be replayed from its dead letters.
const MAIL_TTL: SignedDuration = SignedDuration::from_hours(24 * 400);
const MAX_TRIES: u32 = 12;

/// That a person was told of a lead, or is being told.
#[derive(Serialize, Deserialize)]
pub(super) struct AssigneeMailRow {
    pub(super) user_id: UserId,
    /// While a worker sends it.
    claimed_until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct GatheredLead {
    pub(super) lead_id: LeadId,
}

/// The outcome of a claim on a mail about a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailClaim {
    /// The caller sends it now.
    Mine,
    /// The person was told, or is told with other leads.
    Settled,
    /// Another worker sends it, and may have died. Retry later.
    Held,
}

impl Table {
    /// Claims the mail to a person about a lead, and counts it within the person's hour. Whatever is repeated, a lead is
    /// counted once for a person.
    pub async fn claim_assignee_mail(
        &self,
        scope: &OrgScope,
        lead: &LeadId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<MailClaim, TableError> {
        let key = keys::assignee_mail(scope, lead, user);
        let until = now + CLAIM_TIMEOUT;
        for attempt in 1..=MAX_TRIES {
            if let Some(seen) = self.get::<AssigneeMailRow>(&key).await? {
                match seen.claimed_until {
                    None => return Ok(MailClaim::Settled),
                    Some(claimed) if now < claimed => return Ok(MailClaim::Held),
                    // Its worker is dead, or could not send it. It is counted already.
                    dead => {
                        let change = self.change(&key).if_unchanged("claimed_until", &dead)?;
                        if change.set("claimed_until", &until)?.send().await? {
                            return Ok(MailClaim::Mine);
                        }
                        continue;
                    }
                }
            }
            let hour: Option<MailHour> = self.get(&keys::mail_hour(scope, user)).await?;
            let (next, timing) = MailHour::with_lead(hour.as_ref(), now);
            let claimed_until = (timing == MailTiming::AtOnce).then_some(until);
            let row = AssigneeMailRow { user_id: user.clone(), claimed_until };
            let claim = self.change(&key).if_unchanged("type", &None::<()>)?.kind(ItemKind::AssigneeMail);
            let claim = claim.set_all(&row, &[])?.set("ttl", &(now + MAIL_TTL).as_second())?;
            let mut writes =
                vec![claim.into_write()?, self.hour_change(scope, user, hour.as_ref(), &next)?.into_write()?];
            if timing == MailTiming::Gathered {
                let gathered = self.change(&keys::gathered_lead(scope, user, lead)).kind(ItemKind::GatheredLead);
                writes.push(gathered.set_all(&GatheredLead { lead_id: lead.clone() }, &[])?.into_write()?);
            }
            match (self.transact(writes).await?, timing) {
                (CommitOutcome::Committed, MailTiming::AtOnce) => return Ok(MailClaim::Mine),
                (CommitOutcome::Committed, MailTiming::Gathered) => return Ok(MailClaim::Settled),
                (CommitOutcome::Conflict, _) => pause(attempt).await,
            }
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    fn hour_change(
        &self,
        scope: &OrgScope,
        user: &UserId,
        seen: Option<&MailHour>,
        next: &MailHour,
    ) -> Result<super::change::ItemUpdate, TableError> {
        let change = self.change(&keys::mail_hour(scope, user)).kind(ItemKind::MailHour);
        let change = change.if_unchanged("version", &seen.map(|seen| seen.version))?.set_all(next, &[])?;
        Ok(change.index((next.gathered > 0).then(|| keys::digest_due(scope, user, next.ends_at()))))
    }

    /// Records that a claimed mail was sent, or never can be.
    ///
    /// # Errors
    /// After an error, the mail may be sent a second time.
    pub async fn settle_assignee_mail(&self, scope: &OrgScope, lead: &LeadId, user: &UserId) -> Result<(), TableError> {
        let change = self.change(&keys::assignee_mail(scope, lead, user)).set("claimed_until", &None::<()>)?;
        change.if_exists().send().await.map(drop)
    }

    /// Releases a claim, because the mail could not be sent. It stays counted.
    ///
    /// # Errors
    /// After an error, the claim expires by itself.
    pub async fn release_assignee_mail(
        &self,
        scope: &OrgScope,
        lead: &LeadId,
        user: &UserId,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let change = self.change(&keys::assignee_mail(scope, lead, user)).set("claimed_until", &now)?;
        change.if_exists().send().await.map(drop)
    }

    /// Lists to whom a lead was mailed: when that was claimed, and whether it is settled.
    pub async fn mails_about(
        &self,
        scope: &OrgScope,
        lead: &LeadId,
    ) -> Result<Vec<(UserId, Timestamp, bool)>, TableError> {
        #[derive(Deserialize)]
        struct ClaimedMail {
            #[serde(flatten)]
            row: AssigneeMailRow,
            ttl: i64,
        }
        let rows: Vec<ClaimedMail> = self.query(&keys::lead(scope, lead).pk, keys::MAIL_PREFERENCE_PREFIX).await?;
        let claimed = |ttl: i64| Timestamp::from_second(ttl).map(|ttl| ttl - MAIL_TTL).unwrap_or_default();
        Ok(rows.into_iter().map(|it| (it.row.user_id, claimed(it.ttl), it.row.claimed_until.is_none())).collect())
    }

    /// Lists the people whose gathered leads are to be mailed by `until`, longest due first. Without `until`, all for whom
    /// leads are gathered.
    pub async fn due_digests(&self, until: Option<Timestamp>) -> Result<Vec<(OrgId, UserId)>, TableError> {
        let until = until.map_or_else(|| "~".to_owned(), |until| format!("{}~", keys::instant(until)));
        let items = self.index_items(keys::DIGESTS_DUE, IndexRange::Until(&until)).await?;
        Ok(items.iter().filter_map(|item| keys::parse_digest_due(item.get("gsi1sk")?.as_s().ok()?)).collect())
    }

    /// Makes the caller the one that mails what is gathered for a person, and reads it. `None` if there is nothing to
    /// mail now, or another worker mails it. `early` mails before the hour ends.
    pub async fn lease_digest(
        &self,
        scope: &OrgScope,
        user: &UserId,
        early: bool,
        now: Timestamp,
    ) -> Result<Option<Vec<LeadId>>, TableError> {
        let Some(seen) = self.get::<MailHour>(&keys::mail_hour(scope, user)).await? else { return Ok(None) };
        let is_leased = seen.leased_until.is_some_and(|until| now < until);
        if seen.gathered == 0 || is_leased || now < seen.ends_at() && !early {
            return Ok(None);
        }
        let leased_until = Some(now + CLAIM_TIMEOUT);
        let next = MailHour { leased_until, version: seen.version + 1, ..seen.clone() };
        if !self.hour_change(scope, user, Some(&seen), &next)?.send().await? {
            return Ok(None);
        }
        Ok(Some(self.gathered_leads(scope, user).await?))
    }

    pub(super) async fn gathered_leads(&self, scope: &OrgScope, user: &UserId) -> Result<Vec<LeadId>, TableError> {
        let rows: Vec<GatheredLead> = self.query(&keys::mails_pk(scope, user), keys::GATHERED_PREFIX).await?;
        Ok(rows.into_iter().map(|row| row.lead_id).collect())
    }

    /// Records that these gathered leads were mailed. Those that came since then are mailed in an hour.
    ///
    /// # Errors
    /// After an error, they may be mailed a second time.
    pub async fn end_digest(
        &self,
        scope: &OrgScope,
        user: &UserId,
        mailed: &[LeadId],
        now: Timestamp,
    ) -> Result<(), TableError> {
        let delete = async |lead: &LeadId| self.delete(&keys::gathered_lead(scope, user, lead)).await;
        write_all(mailed.iter().map(delete).collect()).await?;
        for attempt in 1..=MAX_TRIES {
            let Some(seen) = self.get::<MailHour>(&keys::mail_hour(scope, user)).await? else { return Ok(()) };
            // A lead that is gathered after this changes the version.
            let left = u32::try_from(self.gathered_leads(scope, user).await?.len()).unwrap_or(u32::MAX);
            if self.hour_change(scope, user, Some(&seen), &seen.after_digest(left, now))?.send().await? {
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Ends a lease, because the mail could not be sent.
    ///
    /// # Errors
    /// After an error, the lease expires by itself.
    pub async fn release_digest(&self, scope: &OrgScope, user: &UserId) -> Result<(), TableError> {
        let change = self.change(&keys::mail_hour(scope, user)).set("leased_until", &None::<()>)?;
        change.if_exists().send().await.map(drop)
    }
}
