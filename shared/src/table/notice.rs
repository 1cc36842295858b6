//! Claims on notices: whoever sends one claims it first, so that two at once, or a repeat, send it once.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::{Row, Table, TableError, text};
use crate::ids::{IntegrationId, OrgScope};

/// A claim whose holder neither sent nor gave up in this time is taken over: the holder is dead. Longer than the function
/// runs that sends, and less than the queue goes on trying.
const HELD: SignedDuration = SignedDuration::from_mins(5);
/// Long after the connection's life that it belongs to.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

#[derive(Serialize, Deserialize)]
struct Claim {
    claimed_until: Timestamp,
    sent_at: Option<Timestamp>,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Whoever claimed it sends it.
    Mine,
    /// It was sent.
    Sent,
    /// Somebody else is about to send it, or has died at it: come back later.
    Held,
}

/// One notice to one recipient.
#[derive(Debug, Clone, Copy)]
pub struct NoticeTo<'a> {
    /// About this integration.
    pub integration: &'a IntegrationId,
    /// In this life of it.
    pub since: Timestamp,
    /// Which notice.
    pub notice: &'a str,
    /// Whom it is for: a user's id, or the bus.
    pub to: &'a str,
}

impl NoticeTo<'_> {
    fn key(&self, scope: &OrgScope) -> Key {
        keys::notice(scope, self.integration, self.since, self.notice, self.to)
    }
}

impl Table {
    /// Claims a notice for whoever calls.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn claim_notice(
        &self,
        scope: &OrgScope,
        notice: NoticeTo<'_>,
        now: Timestamp,
    ) -> Result<Claimed, TableError> {
        let claim = Claim { claimed_until: now + HELD, sent_at: None };
        let key = notice.key(scope);
        let row = Row::new(&key, "notice", &claim).ttl((now + KEPT).as_second());
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
            Ok(_) => return Ok(Claimed::Mine),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let sent = failed.item().is_some_and(|item| item.contains_key("sent_at"));
                Ok(if sent { Claimed::Sent } else { Claimed::Held })
            }
            _ => Err(error.into()),
        }
    }

    /// Writes down that a claimed notice was sent.
    ///
    /// # Errors
    /// If the table cannot be written; it may be sent a second time then.
    pub async fn notice_sent(&self, scope: &OrgScope, notice: NoticeTo<'_>, now: Timestamp) -> Result<(), TableError> {
        self.change(&notice.key(scope)).set("sent_at", &now)?.if_there().send().await.map(drop)
    }

    /// Gives a claim back, because the notice could not be sent.
    ///
    /// # Errors
    /// If the table cannot be written; the claim runs out by itself then.
    pub async fn release_notice(&self, scope: &OrgScope, notice: NoticeTo<'_>) -> Result<(), TableError> {
        self.delete(&notice.key(scope)).await
    }
}
