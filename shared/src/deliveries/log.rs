//! The log of deliveries, sending one again, and trying an endpoint.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Deliveries, try_once};
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{DeliveryId, EndpointId, LeadId};
use crate::jobs::{DeliveryJob, TryJob};
use crate::model::delivery::{
    DeliveryTry, EventDelivery, EventDeliveryState, EventSubject, Fact, TryFault, UndeliveredReason,
};
use crate::table::TableError;
use crate::tr;

/// Selects deliveries to an endpoint.
#[derive(Debug, Clone, Default)]
pub struct DeliveryQuery {
    /// Only in this state.
    pub state: Option<EventDeliveryState>,
    /// Where to resume.
    pub cursor: Option<String>,
}

/// One event on its way to one endpoint. The event's content is not shown.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryOut {
    /// What the receiver gets as `webhook-id`.
    pub id: DeliveryId,
    pub endpoint_id: EndpointId,
    /// The event's own id, which its content has too.
    pub event_id: String,
    /// The event's name.
    pub r#type: String,
    /// The lead that the event is about, if it is about one.
    pub lead_id: Option<LeadId>,
    pub state: EventDeliveryState,
    /// Why it was not delivered.
    pub reason: Option<UndeliveredReason>,
    /// The latest 20 tries, oldest first.
    pub attempts: Vec<TryOut>,
    pub attempts_count: u32,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_attempt_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
}

/// One try to deliver.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TryOut {
    #[serde(flatten)]
    pub attempt: DeliveryTry,
    /// `reason` in words, with the fix.
    pub message: Option<Cow<'static, str>>,
}

/// Deliveries to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    pub items: Vec<DeliveryOut>,
    pub next_cursor: Option<String>,
}

/// What a test came to.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestOut {
    /// Whether the receiver accepted it.
    pub delivered: bool,
    #[serde(flatten)]
    pub attempt: TryOut,
}

impl From<DeliveryTry> for TryOut {
    fn from(attempt: DeliveryTry) -> Self {
        Self { message: attempt.reason.map(TryFault::message), attempt }
    }
}

impl From<EventDelivery> for DeliveryOut {
    fn from(delivery: EventDelivery) -> Self {
        Self {
            id: delivery.id,
            endpoint_id: delivery.endpoint_id,
            event_id: delivery.event_id,
            r#type: delivery.event_name,
            lead_id: match delivery.about {
                EventSubject::Lead(lead) => Some(lead),
                EventSubject::Contact(_) | EventSubject::Org => None,
            },
            state: delivery.state,
            reason: delivery.reason,
            attempts: delivery.tries.into_iter().map(TryOut::from).collect(),
            attempts_count: delivery.tries_count,
            next_attempt_at: delivery.next_try_at,
            created_at: delivery.created_at,
            delivered_at: delivery.delivered_at,
        }
    }
}

impl Deliveries {
    /// Lists deliveries to an endpoint, latest first.
    pub async fn deliveries(
        &self,
        access: &MetaAccess,
        id: &EndpointId,
        query: &DeliveryQuery,
        limit: usize,
    ) -> Result<DeliveryList, ActError> {
        let scope = &access.scope;
        let endpoint = self.find_endpoint(scope, id).await?;
        let state: &str = query.state.map_or("all", Into::into);
        let name = format!("deliveries.{}.{state}", endpoint.id);
        let cursor = ListCursor::new(&self.key, scope, &name);
        let after = cursor.decode(query.cursor.as_deref())?;
        let (found, next) = self.table.for_display().deliveries(scope, id, query.state, after, limit).await?;
        let next_cursor = next.map(|position| cursor.encode(&position));
        Ok(DeliveryList { items: found.into_iter().map(DeliveryOut::from).collect(), next_cursor })
    }

    /// Sends an event again, delivered or not: now, and if that fails, for another 24 hours.
    ///
    /// # Errors
    /// Refuses an endpoint that is not active, and an event whose content is erased.
    pub async fn resend(
        &self,
        access: &MetaAccess,
        endpoint: &EndpointId,
        id: &DeliveryId,
    ) -> Result<DeliveryOut, ActError> {
        const MAX_TRIES: u32 = 5;
        let scope = &access.scope;
        if !self.find_endpoint(scope, endpoint).await?.active {
            let message = tr!("The endpoint is not active. Activate it first.");
            return Err(ActError::refuse(ErrorCode::EndpointInactive, message));
        }
        for attempt in 1..=MAX_TRIES {
            let seen = self.table.delivery(scope, endpoint, id).await?;
            let seen = seen.ok_or_else(|| ActError::not_found(Missing::Delivery))?;
            if self.table.event_body(scope, &seen.about, id).await?.is_none() {
                let message = tr!("The content of this event was erased, so it cannot be sent again.");
                return Err(ActError::refuse(ErrorCode::ContentErased, message));
            }
            let mut restarted = seen.clone();
            restarted.restart(crate::clock::now());
            if self.table.restart_delivery(scope, &seen, &restarted).await? {
                let (endpoint, delivery) = (endpoint.clone(), id.clone());
                let job = TryJob { org: scope.org().clone(), endpoint, delivery, early: true };
                self.queue.send(&[DeliveryJob::Try(job)]).await?;
                tracing::info!(org = %scope.org(), delivery = %id, by = %access.caller.user, "event sent again");
                return Ok(restarted.into());
            }
            crate::table::pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// Sends a test to an endpoint, active or not, once, and returns what came of it.
    pub async fn test(&self, access: &MetaAccess, id: &EndpointId) -> Result<TestOut, ActError> {
        let endpoint = self.find_endpoint(&access.scope, id).await?;
        let now = crate::clock::now();
        let (event, body) = (DeliveryId::new_test(), Fact::test_body(id, now));
        let tried = try_once((&self.receiver, &self.root_key), &access.scope, &endpoint, (&event, &body), now).await;
        Ok(TestOut { delivered: tried.is_success(), attempt: tried.record.into() })
    }
}
