//! `POST /_sim/people`: people outside.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{Body, Mistake};
use super::{account, manner, name_by_id};
use crate::server::Sim;
use crate::world::World;
use crate::world::inbox::visitor::Description;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// Any id, to change a known person.
    id: Option<String>,
    name: Option<String>,
    /// `["messenger", …]`, or an object with members per channel.
    channels: Option<Value>,
    /// Whether messages cannot reach the person.
    blocked: Option<bool>,
    deliver: Option<String>,
}

/// The members of a channel.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    id: Option<String>,
    page_id: Option<String>,
    instagram_id: Option<String>,
    username: Option<String>,
    phone: Option<String>,
    user_id: Option<String>,
    hides_phone: Option<bool>,
    reachable: Option<bool>,
}

/// Adds a person, or changes a known one, and returns `{"id", "name", "username", "phone", …}`. A new phone number of a
/// known person is announced to the numbers that the person wrote to.
pub(crate) async fn add(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let manner = manner(input.deliver.as_deref())?;
    let channels = channels(input.channels)?;
    let mut world = sim.world();
    let known = match &input.id {
        None => None,
        Some(id) => Some(world.find_visitor(id).ok_or_else(|| Mistake::new(format!("id: there is no person {id}")))?),
    };
    let mut description = Description { name: input.name, blocked: input.blocked, ..Description::default() };
    let mut new_phone = None;
    for (name, channel) in &channels {
        match name.as_str() {
            "instagram" => description.username.clone_from(&channel.username),
            "whatsapp" => {
                description.whatsapp_username.clone_from(&channel.username);
                description.user_id.clone_from(&channel.user_id);
                description.hides_phone = channel.hides_phone;
                description.on_whatsapp = channel.reachable.or(Some(true));
                new_phone.clone_from(&channel.phone);
            }
            _ => {}
        }
    }
    // A person with a list of channels is not on WhatsApp unless it is listed.
    if known.is_none() && !channels.is_empty() && description.on_whatsapp.is_none() {
        description.on_whatsapp = Some(false);
    }
    let index = match known {
        Some(index) => {
            world.describe_visitor(index, &description);
            if let Some(phone) = &new_phone {
                world.change_number(index, phone, manner);
            }
            index
        }
        None => world.add_visitor(&Description { phone: new_phone, ..description }),
    };
    for (name, channel) in &channels {
        if let (Some(id), "messenger" | "instagram") = (&channel.id, name.as_str()) {
            let (page, instagram) = (channel.page_id.as_deref(), channel.instagram_id.as_deref());
            let account = account(&world, page, instagram, None, name == "instagram")?;
            name_by_id(&mut world, index, &account, id);
        }
    }
    let answer = report(&world, index);
    drop(world);
    sim.wake.notify_one();
    Ok(Json(answer))
}

fn report(world: &World, index: usize) -> Value {
    world.visitor_report(index, None)
}

fn channels(input: Option<Value>) -> Result<Vec<(String, Channel)>, Mistake> {
    let members: Map<String, Value> = match input {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members,
        Some(Value::Array(names)) => names
            .iter()
            .map(|name| name.as_str().map(|name| (name.to_owned(), json!({}))))
            .collect::<Option<_>>()
            .ok_or_else(|| Mistake::new("channels: must be a list of names, or an object"))?,
        Some(other) => return Err(Mistake::new(format!("channels: {other} is not a list of names, or an object"))),
    };
    let mut channels = Vec::new();
    for (name, value) in members {
        if !matches!(name.as_str(), "facebook" | "messenger" | "instagram" | "whatsapp") {
            return Err(Mistake::new(format!("channels: there is no channel \"{name}\"")));
        }
        let channel =
            serde_json::from_value(value).map_err(|error| Mistake::new(format!("channels.{name}: {error}")))?;
        channels.push((name, channel));
    }
    Ok(channels)
}
