//! Deliveries: what is sent to which endpoint, and what the events say. What is to be tried is in the index until it is
//! settled, so that nothing depends on a message.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{IndexRange, Table, TableError, delete_request, text};
use crate::ids::{DeliveryId, EndpointId, OrgScope};
use crate::jobs::TryJob;
use crate::model::delivery::{EventDelivery, EventDeliveryState, EventSubject, Fact};

/// How long deliveries and what their events say are stored.
pub const DELIVERY_TTL: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a worker has a delivery. Longer than a try, and shorter than the time until the schedule sends it again.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// What has a message of its own is sent again by the schedule after this time: the message may be lost.
pub const MESSAGE_GRACE: SignedDuration = SignedDuration::from_mins(5);
/// Longer than an event can wait in queues and their dead letters.
const MARK_TTL: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Until when the schedule leaves alone what it sent.
const REDISPATCH_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// That a person was erased. It says nothing else.
#[derive(Serialize)]
struct ErasureMark {}

#[derive(Serialize, Deserialize)]
pub(super) struct EventContent {
    body: String,
}

/// A delivery that is due, with its place in the index.
#[derive(Debug, Clone)]
pub struct DueDelivery {
    /// Its job.
    pub job: TryJob,
    position: String,
}

/// A position in a list of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryPosition(String);

impl Table {
    /// Stores what an event says, unless it is stored, or the person it is about was erased.
    pub async fn insert_event(&self, scope: &OrgScope, fact: &Fact, now: Timestamp) -> Result<(), TableError> {
        let key = keys::event_body(scope, &fact.about, &fact.delivery_id());
        let content = EventContent { body: fact.body.clone() };
        let row = Row::new(&key, ItemKind::EventBody, &content).ttl((now + DELIVERY_TTL).as_second());
        self.put_absent(row.item()?).await?;
        // Of two at once, the one who comes second deletes it: an erasure marks first, and then looks for events.
        if self.get_item(&keys::erasure_mark(scope, &fact.about)).await?.is_some() {
            self.delete(&key).await?;
        }
        Ok(())
    }

    /// Reads what an event says. `None` once it is erased.
    pub async fn event_body(
        &self,
        scope: &OrgScope,
        about: &EventSubject,
        id: &DeliveryId,
    ) -> Result<Option<String>, TableError> {
        Ok(self.get::<EventContent>(&keys::event_body(scope, about, id)).await?.map(|content| content.body))
    }

    /// Marks a person as erased: what events say about them that are still on their way is not stored any more. Returns
    /// the mark's key.
    pub(super) async fn mark_erasure(
        &self,
        scope: &OrgScope,
        about: &EventSubject,
        now: Timestamp,
    ) -> Result<Key, TableError> {
        let key = keys::erasure_mark(scope, about);
        let until = (now + MARK_TTL).as_second();
        self.put(Row::new(&key, ItemKind::ErasureMark, &ErasureMark {}).ttl(until)).await?;
        Ok(key)
    }

    /// Erases what events said about a person, and what they will say that are still on their way.
    pub async fn erase_events(&self, scope: &OrgScope, about: &EventSubject, now: Timestamp) -> Result<(), TableError> {
        let pk = self.mark_erasure(scope, about, now).await?.pk;
        let found = self.keys_of_partition(&pk).await?;
        let events = found.iter().filter(|key| key.sk.starts_with(keys::EVENT_PREFIX)).map(delete_request);
        self.write_many(events.collect::<Result<_, _>>()?).await
    }

    /// Lists the events about a person that are stored. Each is delivered under its id.
    pub async fn events_about(&self, scope: &OrgScope, about: &EventSubject) -> Result<Vec<DeliveryId>, TableError> {
        let pk = keys::event_body(scope, about, &DeliveryId::from_hash("")).pk;
        let found = self.keys_of_partition(&pk).await?;
        let ids = found.iter().filter_map(|key| DeliveryId::parse(key.sk.strip_prefix(keys::EVENT_PREFIX)?).ok());
        Ok(ids.collect())
    }

    /// Stores a delivery, unless it is stored.
    pub async fn insert_delivery(&self, scope: &OrgScope, delivery: &EventDelivery) -> Result<(), TableError> {
        let EventDelivery { id, endpoint_id, created_at, .. } = delivery;
        let key = keys::delivery(scope, endpoint_id, id);
        let row = Row::new(&key, ItemKind::Delivery, delivery)
            .in_list(keys::delivery_list(scope, endpoint_id, *created_at, id))
            .ttl((*created_at + DELIVERY_TTL).as_second());
        let row = match delivery.next_try_at {
            Some(at) => row.indexed(keys::delivery_due(scope, endpoint_id, id, at + MESSAGE_GRACE)),
            None => row,
        };
        self.put_absent(row.item()?).await.map(drop)
    }

    /// Reads a delivery.
    pub async fn delivery(
        &self,
        scope: &OrgScope,
        endpoint: &EndpointId,
        id: &DeliveryId,
    ) -> Result<Option<EventDelivery>, TableError> {
        self.get(&keys::delivery(scope, endpoint, id)).await
    }

    /// Makes a worker the only one that tries a delivery, for a minute. `None` if another one is at it, if nothing is to
    /// be done, or if its time has not come.
    pub async fn claim_delivery(
        &self,
        scope: &OrgScope,
        job: &TryJob,
        now: Timestamp,
    ) -> Result<Option<EventDelivery>, TableError> {
        /// A message may arrive a moment before the second it was sent for.
        const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);
        let key = keys::delivery(scope, &job.endpoint, &job.delivery);
        let Some(mut delivery) = self.get::<EventDelivery>(&key).await? else { return Ok(None) };
        let is_early = !job.early && delivery.next_try_at.is_some_and(|at| now + TOLERANCE < at);
        let is_held = delivery.lease_until.is_some_and(|until| now < until);
        if delivery.state != EventDeliveryState::Pending || is_early || is_held {
            return Ok(None);
        }
        let claim = self.change(&key).if_exists().if_unchanged("state", &EventDeliveryState::Pending)?;
        let claim = claim.if_unchanged("lease_until", &delivery.lease_until)?;
        delivery.lease_until = Some(now + LEASE);
        Ok(claim.set("lease_until", &delivery.lease_until)?.send().await?.then_some(delivery))
    }

    /// Stores what a try came to, and gives the claim back. Does nothing if another worker has the delivery by now.
    /// `has_message` says that a message of its own brings it back.
    pub async fn settle_delivery(
        &self,
        scope: &OrgScope,
        delivery: &EventDelivery,
        has_message: bool,
    ) -> Result<(), TableError> {
        let EventDelivery { id, endpoint_id, .. } = delivery;
        let grace = if has_message { MESSAGE_GRACE } else { SignedDuration::ZERO };
        let index = delivery.next_try_at.map(|at| keys::delivery_due(scope, endpoint_id, id, at + grace));
        let change = self.change(&keys::delivery(scope, endpoint_id, id)).if_exists();
        let change = change.if_unchanged("lease_until", &delivery.lease_until)?.index(index);
        let settled = EventDelivery { lease_until: None, ..delivery.clone() };
        change.set_all(&settled, &[])?.send().await.map(drop)
    }

    /// Puts a delivery back to be tried, whatever became of it. `false` if it changed since it was read, or is gone.
    pub async fn restart_delivery(
        &self,
        scope: &OrgScope,
        seen: &EventDelivery,
        restarted: &EventDelivery,
    ) -> Result<bool, TableError> {
        let EventDelivery { id, endpoint_id, .. } = restarted;
        let index = restarted.next_try_at.map(|at| keys::delivery_due(scope, endpoint_id, id, at + MESSAGE_GRACE));
        let change = self.change(&keys::delivery(scope, endpoint_id, id)).if_exists();
        let change = change.if_unchanged("state", &seen.state)?.if_unchanged("lease_until", &seen.lease_until)?;
        change.if_unchanged("tries_count", &seen.tries_count)?.index(index).set_all(restarted, &[])?.send().await
    }

    /// Deletes a delivery whose endpoint is gone.
    pub async fn delete_delivery(
        &self,
        scope: &OrgScope,
        endpoint: &EndpointId,
        id: &DeliveryId,
    ) -> Result<(), TableError> {
        self.delete(&keys::delivery(scope, endpoint, id)).await
    }

    /// Lists what is to be tried before `until`, longest due first in each part. Without `until`, lists all.
    pub async fn deliveries_due(&self, until: Option<Timestamp>) -> Result<Vec<DueDelivery>, TableError> {
        let until = until.map_or_else(|| "~".to_owned(), |until| format!("{}~", keys::instant(until)));
        let mut due = Vec::new();
        for part in 0..keys::DUE_PARTS {
            let items = self.index_items(&keys::deliveries_due(part), IndexRange::Until(&until)).await?;
            due.extend(items.iter().filter_map(|item| {
                let position = item.get("gsi1sk")?.as_s().ok()?;
                let (org, endpoint, delivery) = keys::parse_delivery_due(position)?;
                Some(DueDelivery { job: TryJob { org, endpoint, delivery, early: false }, position: position.clone() })
            }));
        }
        Ok(due)
    }

    /// Leaves a delivery alone whose message was just sent. Does nothing if a worker was faster.
    pub async fn postpone_delivery(&self, due: &DueDelivery, now: Timestamp) -> Result<(), TableError> {
        let (scope, TryJob { endpoint, delivery, .. }) = (due.job.scope(), &due.job);
        let change = self.change(&keys::delivery(&scope, endpoint, delivery)).if_exists();
        let change = change.if_unchanged("gsi1sk", &due.position)?;
        let index = keys::delivery_due(&scope, endpoint, delivery, now + REDISPATCH_DELAY);
        change.index(Some(index)).send().await.map(drop)
    }

    /// Reads up to `limit` deliveries to an endpoint, latest first, and where to resume. One stored just now may be
    /// missing. With `state`, a page may have fewer than `limit`.
    pub async fn deliveries(
        &self,
        scope: &OrgScope,
        endpoint: &EndpointId,
        state: Option<EventDeliveryState>,
        mut after: Option<DeliveryPosition>,
        limit: usize,
    ) -> Result<(Vec<EventDelivery>, Option<DeliveryPosition>), TableError> {
        /// Requests for one page of a filter that matches little.
        const MAX_REQUESTS: usize = 5;
        let pk = keys::deliveries_of_endpoint(scope, endpoint);
        let mut found: Vec<EventDelivery> = Vec::new();
        for _ in 0..MAX_REQUESTS {
            let before = after.as_ref().map_or("~", |position| position.0.as_str());
            let query = self.client.query().table_name(&self.name).index_name("gsi2").scan_index_forward(false);
            let page = query
                .key_condition_expression("gsi2pk = :pk AND gsi2sk < :before")
                .expression_attribute_values(":pk", text(&pk))
                .expression_attribute_values(":before", text(before))
                .limit(100)
                .send()
                .await?;
            let is_last = page.last_evaluated_key.is_none();
            let items = page.items.unwrap_or_default();
            let keys: Vec<Key> = items.iter().filter_map(Key::from_item).collect();
            let read: Vec<EventDelivery> = self.read_all(&keys).await?;
            for delivery in read {
                after = Some(DeliveryPosition(format!("{}#{}", keys::instant(delivery.created_at), delivery.id)));
                if state.is_none_or(|state| delivery.state == state) {
                    found.push(delivery);
                }
                if found.len() == limit {
                    return Ok((found, after));
                }
            }
            // What is listed and not stored any more moves the position too.
            if let Some(last) = items.last().and_then(|item| item.get("gsi2sk")?.as_s().ok()) {
                after = Some(DeliveryPosition(last.clone()));
            }
            if is_last {
                return Ok((found, None));
            }
        }
        Ok((found, after))
    }
}
