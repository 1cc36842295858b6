//! `POST /_sim/events`: webhooks that do not come from a lead.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::server::Sim;
use crate::webhook::outbox::{Change, Delivery, Manner, Place};
use crate::world::World;
use crate::world::app::Mode;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Defaults to `page`.
    object: Option<String>,
    /// The id of the page or account: `entry.id`.
    #[serde(alias = "page_id", alias = "entry_id")]
    id: Option<String>,
    field: Option<String>,
    value: Option<Value>,
    /// `[{"field", "value"}]`.
    changes: Option<Vec<Value>>,
    /// One messaging event or a list of them.
    messaging: Option<Value>,
    /// Any text, signed and posted unchanged.
    raw: Option<String>,
    /// The payload of the dashboard's "Test" button.
    #[serde(default)]
    dashboard_test: bool,
    deliver: Option<String>,
}

/// Sends page, messaging, Instagram or WhatsApp events. Changes go only to pages subscribed to their field (messaging
/// needs `messages`), and only while the app is live. `raw` and `dashboard_test` always go to the callback of the
/// object.
pub(crate) async fn send(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let object = input.object.clone().unwrap_or_else(|| "page".to_owned());
    let name = input.deliver.as_deref().unwrap_or("webhook");
    let manner = Manner::named(name)
        .filter(|manner| *manner != Manner::Mixed)
        .ok_or_else(|| Mistake::new(format!("deliver: \"{name}\" is not known")))?;
    let mut world = sim.world();
    let queued = if let Some(body) = raw_body(&input) {
        let delivery = raw_delivery(&world, &object, body)
            .ok_or_else(|| Mistake::new(format!("object: the app has no subscription for {object}")))?;
        world.outbox.queue_delivery(delivery);
        1
    } else {
        let changes = changes(&object, input)?;
        let given = changes.len();
        let sent: Vec<Change> = changes.into_iter().filter(|change| reaches(&world, change)).collect();
        let now = world.clock.now_ms();
        let queued = sent.len();
        world.outbox.queue(sent, manner, now);
        if queued < given {
            tracing::info!(object, left_out = given - queued, "events nobody is subscribed to");
        }
        queued
    };
    drop(world);
    sim.wake.notify_one();
    Ok(Json(json!({ "queued": queued })))
}

/// The payloads of the dashboard's "Test" button. None of their ids exists.
fn raw_body(input: &Input) -> Option<String> {
    let test = match input.object.as_deref() {
        Some("instagram") => INSTAGRAM_TEST,
        Some("whatsapp_business_account") => WHATSAPP_TEST,
        _ => PAGE_TEST,
    };
    input.raw.clone().or_else(|| input.dashboard_test.then(|| test.to_owned()))
}

const PAGE_TEST: &str = r#"{"entry": [{"changes": [{"field": "leadgen", "value": {"ad_id": "444444444", "form_id": "444444444444", "leadgen_id": "444444444444", "created_time": 1700000000, "page_id": "444444444444", "adgroup_id": "44444444444"}}], "id": "0", "time": 1700000000}], "object": "page"}"#;
const INSTAGRAM_TEST: &str = r#"{"entry": [{"id": "0", "time": 1527459824, "messaging": [{"sender": {"id": "12334"}, "recipient": {"id": "23245"}, "timestamp": "1527459824", "message": {"mid": "random_mid", "text": "random_text"}}]}], "object": "instagram"}"#;
const WHATSAPP_TEST: &str = r#"{"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [{"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": {"display_phone_number": "16505551111", "phone_number_id": "123456123"}, "contacts": [{"profile": {"name": "test user name"}, "wa_id": "16315551181"}], "messages": [{"from": "16315551181", "id": "ABGGFlA5Fpa", "timestamp": "1504902988", "type": "text", "text": {"body": "this is a text message"}}]}}]}]}"#;

fn raw_delivery(world: &World, object: &str, body: String) -> Option<Delivery> {
    Some(Delivery {
        object: object.to_owned(),
        callback_url: world.app.subscriptions.get(object)?.callback_url.clone(),
        body,
        entry_ids: Vec::new(),
        leadgen_ids: Vec::new(),
        changes: 1,
        messaging: false,
        attempts: 0,
        first_failure_ms: None,
        due_ms: world.clock.now_ms(),
    })
}

fn changes(object: &str, input: Input) -> Result<Vec<Change>, Mistake> {
    let entry_id = input.id.ok_or_else(|| Mistake::new("id: the page or account is required"))?;
    let change = |body: Value, place: Place| Change {
        object: object.to_owned(),
        entry_id: entry_id.clone(),
        body,
        place,
        leadgen_id: None,
    };
    let mut changes = Vec::new();
    if let Some(field) = input.field {
        changes.push(change(json!({"field": field, "value": input.value.unwrap_or(Value::Null)}), Place::Changes));
    }
    for body in input.changes.unwrap_or_default() {
        if body.get("field").and_then(Value::as_str).is_none() {
            return Err(Mistake::new(format!("changes: {body} is not {{\"field\", \"value\"}}")));
        }
        changes.push(change(body, Place::Changes));
    }
    match input.messaging {
        Some(Value::Array(events)) => changes.extend(events.into_iter().map(|body| change(body, Place::Messaging))),
        Some(event) => changes.push(change(event, Place::Messaging)),
        None => {}
    }
    if changes.is_empty() {
        return Err(Mistake::new("one of field with value, changes, messaging, raw or dashboard_test is required"));
    }
    Ok(changes)
}

fn reaches(world: &World, change: &Change) -> bool {
    let field =
        if change.place.is_messaging() { Some("messages") } else { change.body.get("field").and_then(Value::as_str) };
    let live = world.app.mode == Mode::Live;
    live && field.is_some_and(|field| world.is_subscribed(&change.object, &change.entry_id, field))
}
