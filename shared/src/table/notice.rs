//! Claims on notices. A sender claims a notice first, so that concurrent or repeated attempts send it once.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, text};
use crate::ids::{EndpointId, IntegrationId, OrgScope};

/// How long a claim lasts. A holder that has neither sent nor released the notice by then is dead, and the claim is
/// taken over. Longer than the sending function runs, and shorter than the queue retries.
const CLAIM_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);
/// Well beyond the life of the connection that the notice belongs to.
const NOTICE_TTL: SignedDuration = SignedDuration::from_hours(24 * 400);

#[derive(Serialize, Deserialize)]
pub(super) struct NoticeRow {
    claimed_until: Timestamp,
    sent_at: Option<Timestamp>,
}

/// The outcome of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The caller holds the claim and must send the notice.
    Mine,
    /// The notice was sent before.
    Sent,
    /// Another sender holds the claim, and may have died. Retry later.
    Held,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy)]
pub enum NoticeAbout<'a> {
    /// An integration.
    Integration(&'a IntegrationId),
    /// An endpoint of the CRM.
    Endpoint(&'a EndpointId),
}

/// One notice to one recipient.
#[derive(Debug, Clone, Copy)]
pub struct NoticeTo<'a> {
    /// What it is about.
    pub about: NoticeAbout<'a>,
    /// The start of the integration's current life, or when the endpoint was deactivated.
    pub since: Timestamp,
    /// Which notice it is.
    pub notice: &'a str,
    /// The recipient: a user's id, or the bus.
    pub to: &'a str,
}

impl NoticeTo<'_> {
    fn key(&self, scope: &OrgScope) -> Key {
        match self.about {
            NoticeAbout::Integration(id) => keys::notice(scope, id, self.since, self.notice, self.to),
            NoticeAbout::Endpoint(id) => keys::endpoint_notice(scope, id, self.since, self.notice, self.to),
        }
    }
}

impl Table {
    /// Claims a notice for the caller.
    pub async fn claim_notice(
        &self,
        scope: &OrgScope,
        notice: NoticeTo<'_>,
        now: Timestamp,
    ) -> Result<ClaimOutcome, TableError> {
        let claim = NoticeRow { claimed_until: now + CLAIM_TIMEOUT, sent_at: None };
        let key = notice.key(scope);
        let row = Row::new(&key, ItemKind::Notice, &claim).ttl((now + NOTICE_TTL).as_second());
        let request = self.client.put_item().table_name(&self.name).set_item(Some(row.item()?));
        let claimed = request
            .condition_expression(
                "attribute_not_exists(pk) OR (attribute_not_exists(sent_at) AND claimed_until <= :now)",
            )
            .expression_attribute_values(":now", text(now.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match claimed {
            Ok(_) => return Ok(ClaimOutcome::Mine),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let sent = failed.item().is_some_and(|item| item.contains_key("sent_at"));
                Ok(if sent { ClaimOutcome::Sent } else { ClaimOutcome::Held })
            }
            _ => Err(error.into()),
        }
    }

    /// Records that a claimed notice was sent.
    ///
    /// # Errors
    /// After an error, the notice may be sent a second time.
    pub async fn notice_sent(&self, scope: &OrgScope, notice: NoticeTo<'_>, now: Timestamp) -> Result<(), TableError> {
        self.change(&notice.key(scope)).set("sent_at", &now)?.if_exists().send().await.map(drop)
    }

    /// Releases a claim, because the notice could not be sent.
    ///
    /// # Errors
    /// After an error, the claim expires by itself.
    pub async fn release_notice(&self, scope: &OrgScope, notice: NoticeTo<'_>) -> Result<(), TableError> {
        self.delete(&notice.key(scope)).await
    }
}
