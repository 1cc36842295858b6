//! The background task that posts bodies to the callback and processes the responses.

use std::sync::Arc;
use std::time::Duration;

use super::body;
use super::mixed;
use super::outbox::Delivery;
use crate::server::Sim;
use crate::signing;
use crate::stats::Posted;
use crate::world::World;
use crate::world::lead::DeliveryState;

/// How long a receiver may take. Meta publishes no number; practitioners report 5 to 20 seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// The sender checks for work at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// How long messaging deliveries for a page may fail before the page loses the app's subscription.
const MESSAGING_PATIENCE_MS: i64 = 3600 * 1000;

/// Runs until the simulator stops: sends what is due, then sleeps until the next delivery is due.
pub(crate) async fn run(sim: Arc<Sim>) {
    loop {
        let (due, pause, resets) = {
            let mut world = sim.world();
            let now = world.clock.now_ms();
            world.catch_up();
            world.outbox.release(now);
            let changes = world.outbox.take_changes(now);
            // Put the changes due now into bodies.
            for delivery in body::build(&world, changes) {
                world.outbox.queue_delivery(delivery);
            }
            for change in world.outbox.take_mixed(now) {
                if let Some(delivery) = mixed::delivery(&world, change) {
                    world.outbox.queue_delivery(delivery);
                }
            }
            // Take the bodies due now.
            let due = world.outbox.take_deliveries(now);
            let next = world.content.next_due_ms();
            let next = next.map(|at| Duration::from_millis(u64::try_from(at - now).unwrap_or(0)));
            let pause = world.outbox.pause(now).into_iter().chain(next).min();
            (due, pause, world.resets)
        };
        for delivery in due {
            tokio::spawn(post(Arc::clone(&sim), delivery, resets));
        }
        let pause = pause.unwrap_or(LONGEST_SLEEP).clamp(Duration::from_millis(1), LONGEST_SLEEP);
        tokio::select! {
            () = sim.wake.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Posts one body. A response that arrives after a reset is ignored: it belongs to the previous world.
async fn post(sim: Arc<Sim>, mut delivery: Delivery, resets: u64) {
    // The semaphore is closed only when the simulator is gone.
    let Ok(_turn) = sim.posts.acquire().await else { return };
    let secret = sim.world().app.secret.clone();
    let bytes = delivery.body.clone().into_bytes();
    let answer = sim
        .http
        .post(&delivery.callback_url)
        .timeout(ANSWER_WITHIN)
        .header("content-type", "application/json")
        .header("user-agent", "facebookexternalua")
        .header("x-hub-signature", signing::hub_signature_sha1(&secret, &bytes))
        .header("x-hub-signature-256", signing::hub_signature_256(&secret, &bytes))
        .body(bytes)
        .send()
        .await;
    let answer = match answer {
        Ok(response) => response.status().as_u16().to_string(),
        Err(error) if error.is_timeout() => "timeout".to_owned(),
        Err(error) => {
            tracing::debug!(%error, "webhook not delivered");
            "unreachable".to_owned()
        }
    };
    tracing::info!(object = delivery.object, changes = delivery.changes, attempt = delivery.attempts + 1, %answer, "webhook");
    delivery.attempts += 1;
    let mut world = sim.world();
    if world.resets == resets {
        settle(&mut world, delivery, &answer);
    }
    drop(world);
    sim.wake.notify_one();
}

/// Applies the response to the delivery. Only status 200 counts as delivered.
fn settle(world: &mut World, delivery: Delivery, answer: &str) {
    let now = world.clock.now_ms();
    world.stats.posted(Posted::new(&delivery, answer, now));
    for id in &delivery.leadgen_ids {
        if let Some(lead) = world.lead_mut(id) {
            lead.attempts += 1;
            if answer == "200" {
                lead.delivery = DeliveryState::Delivered;
            }
        }
    }
    if answer == "200" {
        if delivery.messaging {
            for entry_id in &delivery.entry_ids {
                if let Some(page) = world.page_of_entry(entry_id) {
                    page.messaging_failing_since_ms = None;
                }
            }
        }
        return;
    }
    // Any other response is a failure.
    if delivery.messaging && unsubscribe_failing(world, &delivery, now) {
        return;
    }
    let ids = delivery.leadgen_ids.clone();
    if !world.outbox.retry(delivery, now) {
        for id in ids {
            if let Some(lead) = world.lead_mut(&id).filter(|lead| lead.delivery == DeliveryState::Pending) {
                lead.delivery = DeliveryState::GivenUp;
            }
        }
    }
}

/// Messaging only: removes the app from pages whose deliveries, or those of their Instagram accounts, have failed for an
/// hour. Returns whether it removed any;
/// the body is then dropped.
fn unsubscribe_failing(world: &mut World, delivery: &Delivery, now_ms: i64) -> bool {
    let mut unsubscribed = false;
    for entry_id in &delivery.entry_ids {
        let Some(page) = world.page_of_entry(entry_id) else { continue };
        let since = *page.messaging_failing_since_ms.get_or_insert(now_ms);
        if now_ms - since >= MESSAGING_PATIENCE_MS {
            tracing::info!(entry_id, "unsubscribed after an hour of failed messaging deliveries");
            page.subscribed_fields = None;
            page.messaging_failing_since_ms = None;
            unsubscribed = true;
        }
    }
    unsubscribed
}
