//! Builds webhook bodies. Like Meta, puts many changes of many pages into one body.

use serde_json::{Map, Value, json};

use super::outbox::{Change, Delivery, Place};
use crate::escaped_json;
use crate::world::World;

/// Meta's limit of changes per body.
const MAX_CHANGES: usize = 1000;
/// Limit of changes per entry here. It makes full bodies carry several entries of the same page too.
const MAX_CHANGES_PER_ENTRY: usize = 25;

/// Returns bodies for `changes`, ready to post. Changes keep their order. Changes without an app subscription are
/// dropped.
pub(crate) fn build(world: &World, changes: Vec<Change>) -> Vec<Delivery> {
    let mut by_object: Vec<(String, bool, Vec<Change>)> = Vec::new();
    for change in changes {
        // Messaging has its own time unit and its own failure rule, so it gets separate bodies.
        let is_messaging = change.place.is_messaging();
        match by_object.iter_mut().find(|(object, messaging, _)| *object == change.object && *messaging == is_messaging)
        {
            Some((_, _, list)) => list.push(change),
            None => by_object.push((change.object.clone(), is_messaging, vec![change])),
        }
    }
    by_object
        .iter()
        .flat_map(|(object, messaging, list)| list.chunks(MAX_CHANGES).map(move |chunk| (object, *messaging, chunk)))
        .filter_map(|(object, messaging, chunk)| delivery(world, object, messaging, chunk))
        .collect()
}

fn delivery(world: &World, object: &str, messaging: bool, changes: &[Change]) -> Option<Delivery> {
    let subscription = world.app.subscriptions.get(object)?;
    let now_ms = world.clock.now_ms();
    // `changes` are stamped in seconds, `messaging` in milliseconds.
    let time = if messaging { now_ms } else { now_ms.div_euclid(1000) };
    let mut entries: Vec<(String, Vec<&Change>)> = Vec::new();
    for change in changes {
        let open = |entry: &&mut (String, Vec<&Change>)| {
            let same_list = entry.1.first().is_none_or(|first| first.place == change.place);
            let max = if change.place == Place::Flat { 1 } else { MAX_CHANGES_PER_ENTRY };
            entry.0 == change.entry_id && same_list && entry.1.len() < max
        };
        match entries.iter_mut().find(open) {
            Some((_, list)) => list.push(change),
            None => entries.push((change.entry_id.clone(), vec![change])),
        }
    }
    let entry: Vec<Value> = entries
        .iter()
        .map(|(id, list)| entry(id, time, subscription.include_values, world.numeric_webhook_ids, list))
        .collect();
    let mut entry_ids: Vec<String> = entries.into_iter().map(|(id, _)| id).collect();
    entry_ids.sort();
    entry_ids.dedup();
    Some(Delivery {
        object: object.to_owned(),
        callback_url: subscription.callback_url.clone(),
        body: escaped_json::to_string(&json!({"object": object, "entry": entry})),
        entry_ids,
        leadgen_ids: changes.iter().filter_map(|change| change.leadgen_id.clone()).collect(),
        changes: changes.len(),
        messaging,
        attempts: 0,
        first_failure_ms: None,
        due_ms: now_ms,
    })
}

/// Renders one element of `entry`. The id is a string, or a number as in Meta's documentation if `numeric` is set.
pub(super) fn entry(id: &str, time: i64, include_values: bool, numeric: bool, list: &[&Change]) -> Value {
    let place = list.first().map_or(Place::Changes, |change| change.place);
    let mut entry = Map::new();
    let id = if numeric { id.parse::<u64>().map_or_else(|_| json!(id), |number| json!(number)) } else { json!(id) };
    entry.insert("id".to_owned(), id);
    // WhatsApp's entries carry no time.
    if list.first().is_none_or(|change| change.object != "whatsapp_business_account") {
        entry.insert("time".to_owned(), json!(time));
    }
    if place == Place::Flat {
        let members = list.iter().filter_map(|change| change.body.as_object()).flatten();
        entry.extend(members.map(|(name, value)| (name.clone(), value.clone())));
        return Value::Object(entry);
    }
    if place.is_messaging() || include_values {
        entry.insert(place.key().to_owned(), list.iter().map(|change| change.body.clone()).collect());
    } else {
        let mut fields: Vec<_> = list.iter().filter_map(|change| change.body.get("field")).collect();
        fields.dedup();
        entry.insert("changed_fields".to_owned(), json!(fields));
    }
    Value::Object(entry)
}
