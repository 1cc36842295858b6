//! `/{app}/subscriptions`: where the changes of each object type are sent.

use std::sync::Arc;

use serde_json::{Value, json};

use super::error::GraphError;
use super::request::{Request, list as list_param};
use super::session::{self, Call, Session};
use super::version;
use crate::server::Sim;
use crate::webhook::verification;
use crate::world::app::AppSubscription;

const OBJECTS: &[&str] =
    &["user", "page", "instagram", "permissions", "payments", "application", "whatsapp_business_account"];

/// Calls the callback if `request` is about to subscribe it; any other request passes. Runs before the rest of the
/// endpoint, because it awaits another server and the world must not be locked meanwhile.
pub(crate) async fn verify_callback(sim: &Arc<Sim>, request: &Request) -> Result<(), GraphError> {
    let (callback_url, verify_token) = {
        let world = sim.world();
        let is_ours = matches!(request.path.as_slice(), [id, edge] if *id == world.app.id && edge == "subscriptions");
        if request.method != "POST" || !is_ours || version::answering(request.version, world.clock.now_s()).is_none() {
            return Ok(());
        }
        let session = session::open(&world, request)?;
        require_app(&session)?;
        let (_, callback_url, _) = parameters(request)?;
        (callback_url, request.param("verify_token").unwrap_or(&world.app.verify_token).to_owned())
    };
    verification::verify(&sim.http, &callback_url, &verify_token).await
}

/// Stores a subscription whose callback has passed verification. Replaces the object's previous subscription.
pub(crate) fn subscribe(call: &mut Call<'_>) -> Result<Value, GraphError> {
    require_app(&call.session)?;
    let (object, callback_url, fields) = parameters(call.request)?;
    let include_values = call.request.param("include_values").is_none_or(|text| text != "false" && text != "0");
    let subscription = AppSubscription { callback_url, fields: fields.into_iter().collect(), include_values };
    call.world.app.subscriptions.insert(object, subscription);
    Ok(json!({"success": true}))
}

/// Lists all subscriptions of the app.
pub(crate) fn list(call: &mut Call<'_>) -> Result<Value, GraphError> {
    require_app(&call.session)?;
    let version = format!("v{}.0", call.version);
    let data: Vec<Value> = call
        .world
        .app
        .subscriptions
        .iter()
        .map(|(object, subscription)| {
            let fields: Vec<Value> =
                subscription.fields.iter().map(|field| json!({"name": field, "version": version})).collect();
            json!({"object": object, "callback_url": subscription.callback_url, "active": true, "fields": fields})
        })
        .collect();
    Ok(json!({ "data": data }))
}

/// Removes one object's subscription if `object` is given, only the given fields of it with `fields`, and all
/// subscriptions without `object`.
pub(crate) fn unsubscribe(call: &mut Call<'_>) -> Result<Value, GraphError> {
    require_app(&call.session)?;
    let fields = list_param(call.request.param("fields").unwrap_or_default());
    let subscriptions = &mut call.world.app.subscriptions;
    match call.request.param("object") {
        None => subscriptions.clear(),
        Some(object) => {
            if let Some(subscription) = subscriptions.get_mut(object) {
                subscription.fields.retain(|field| !fields.is_empty() && !fields.contains(field));
                if subscription.fields.is_empty() {
                    subscriptions.remove(object);
                }
            }
        }
    }
    Ok(json!({"success": true}))
}

fn require_app(session: &Session) -> Result<(), GraphError> {
    match session {
        Session::App => Ok(()),
        Session::User { .. } | Session::Page { .. } => {
            Err(GraphError::new(400, 15, "(#15) This method must be called with an app access_token."))
        }
    }
}

/// Returns the object, callback and fields of a subscribe request.
fn parameters(request: &Request) -> Result<(String, String, Vec<String>), GraphError> {
    let required = |name: &str| {
        let text = request.param(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| GraphError::invalid(format!("(#100) The parameter {name} is required")))
    };
    let object = required("object")?;
    if !OBJECTS.contains(&object) {
        return Err(GraphError::invalid(format!("(#100) Param object must be one of {{{}}}", OBJECTS.join(", "))));
    }
    let callback_url = required("callback_url")?;
    let fields = list_param(required("fields")?);
    if fields.is_empty() {
        return Err(GraphError::invalid("(#100) The parameter fields is required"));
    }
    Ok((object.to_owned(), callback_url.to_owned(), fields))
}
