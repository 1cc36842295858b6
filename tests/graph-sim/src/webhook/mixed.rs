//! Mixed bodies: one lead's change among messages, comments and a change of another page.
//!
//! Meta does not document what shares a body. A mixed body is sent regardless of the app's other subscriptions. It
//! exposes receivers that read only the first entry or the first change, or that treat every change as a lead.

use serde_json::{Value, json};

use super::body;
use super::outbox::{Change, Delivery, Place};
use crate::escaped_json;
use crate::world::World;

/// Returns the body for one change: an entry with only `messaging`, the page's entry with a `feed` change before the
/// change, and a `feed` change of another page that has the app installed, if there is one. `None` if the app no longer
/// subscribes to the object.
pub(crate) fn delivery(world: &World, change: Change) -> Option<Delivery> {
    let subscription = world.app.subscriptions.get(&change.object)?;
    let now_ms = world.clock.now_ms();
    let now_s = now_ms.div_euclid(1000);
    let page_id = change.entry_id.as_str();
    let message = foreign(&change.object, page_id, message(page_id, now_ms), Place::Messaging);
    let comment = foreign(&change.object, page_id, comment(page_id, now_s), Place::Changes);
    let neighbour = neighbour(world, page_id).map(|id| foreign(&change.object, id, post(id, now_s), Place::Changes));
    let entry = |messaging: bool, list: &[&Change]| -> Option<Value> {
        let time = if messaging { now_ms } else { now_s };
        let id = &list.first()?.entry_id;
        Some(body::entry(id, time, subscription.include_values, world.numeric_webhook_ids, list))
    };
    let entries: Vec<Value> = [
        entry(true, &[&message]),
        entry(false, &[&comment, &change]),
        neighbour.as_ref().and_then(|neighbour| entry(false, &[neighbour])),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut entry_ids = vec![change.entry_id.clone()];
    entry_ids.extend(neighbour.iter().map(|neighbour| neighbour.entry_id.clone()));
    Some(Delivery {
        object: change.object.clone(),
        callback_url: subscription.callback_url.clone(),
        body: escaped_json::to_string(&json!({"object": change.object, "entry": entries})),
        changes: 2 + entry_ids.len(),
        entry_ids,
        leadgen_ids: change.leadgen_id.into_iter().collect(),
        messaging: false,
        attempts: 0,
        first_failure_ms: None,
        due_ms: now_ms,
    })
}

/// Returns the next page by id that has the app installed.
fn neighbour<'w>(world: &'w World, page_id: &str) -> Option<&'w str> {
    let installed = |id: &&String| world.pages.get(*id).is_some_and(|page| page.subscribed_fields.is_some());
    let after = world.pages.keys().filter(|id| id.as_str() > page_id);
    let before = world.pages.keys().filter(|id| id.as_str() < page_id);
    after.chain(before).find(installed).map(String::as_str)
}

fn foreign(object: &str, entry_id: &str, body: Value, place: Place) -> Change {
    Change { object: object.to_owned(), entry_id: entry_id.to_owned(), body, place, leadgen_id: None }
}

fn message(page_id: &str, now_ms: i64) -> Value {
    json!({
        "sender": {"id": "7320045120019935"}, "recipient": {"id": page_id}, "timestamp": now_ms - 350,
        "message": {"mid": format!("m_{now_ms}"), "text": "Are you open on Sunday?"},
    })
}

fn comment(page_id: &str, now_s: i64) -> Value {
    let post_id = format!("{page_id}_208");
    json!({"field": "feed", "value": {
        "from": {"id": "7320045120019935", "name": "Ada Example"}, "post_id": post_id, "parent_id": post_id,
        "comment_id": format!("208_{now_s}"), "item": "comment", "verb": "add", "message": "Schön! 🎉",
        "created_time": now_s,
    }})
}

fn post(page_id: &str, now_s: i64) -> Value {
    json!({"field": "feed", "value": {
        "from": {"id": page_id, "name": "Page"}, "post_id": format!("{page_id}_{now_s}"), "item": "status",
        "verb": "add", "published": 1, "created_time": now_s, "message": "Back on Monday",
    }})
}
