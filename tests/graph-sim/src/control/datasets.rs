//! Datasets and conversion events in `/_sim/state`.

use serde_json::{Value, json};

use crate::clock::graph_time;
use crate::graph::event_lead_id;
use crate::world::World;

pub(super) fn list(world: &World) -> Value {
    let datasets = world.datasets.iter().map(|dataset| {
        json!({
            "id": dataset.id, "name": dataset.name, "is_crm": dataset.is_crm, "business": dataset.owner,
            "ad_accounts": dataset.ad_accounts,
        })
    });
    datasets.collect()
}

/// Every event once, with how often it arrived.
pub(super) fn events(world: &World) -> Value {
    let events = world.datasets.iter().flat_map(|dataset| dataset.events.iter().map(move |event| (dataset, event)));
    let told = events.map(|(dataset, event)| {
        let custom = event.body.get("custom_data");
        let user = event.body.get("user_data");
        json!({
            "dataset_id": dataset.id, "event_name": event.name, "event_id": event.event_id,
            "event_time": event.body.get("event_time"), "action_source": event.body.get("action_source"),
            "lead_id": user.and_then(|user| event_lead_id(user.get("lead_id")?)),
            "user_data": user, "custom_data": custom,
            "value": custom.and_then(|custom| custom.get("value")),
            "currency": custom.and_then(|custom| custom.get("currency")),
            "test_event_code": event.test_event_code, "ignored": event.ignored, "times": event.times,
            "received_at": graph_time(event.received_ms),
        })
    });
    told.collect()
}
