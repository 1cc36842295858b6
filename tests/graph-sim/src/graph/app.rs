//! The app as a node.

use serde_json::{Value, json};

use crate::world::World;

/// Returns the value of a field. `None` if the app has no such field.
pub(crate) fn value(world: &World, field: &str) -> Option<Value> {
    match field {
        "name" => Some(json!(world.app.name)),
        "category" => Some(json!("Business and pages")),
        "link" => Some(json!(format!("https://www.facebook.com/games/?app_id={}", world.app.id))),
        _ => None,
    }
}
