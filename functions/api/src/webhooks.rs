//! Endpoints that receive events, and the log of what they were sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use leadwire::deliveries::{
    DeliveryList, DeliveryOut, DeliveryQuery, EndpointIn, EndpointList, EndpointOut, EndpointPatch, EndpointWithSecret,
    TestOut,
};
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{DeliveryId, EndpointId};
use leadwire::model::delivery::EventDeliveryState;

use crate::access::{MetaAccess, OrgHeader};
use crate::input::{Input, Parameters};
use crate::schemas::{Cursor, Limit};
use crate::state::Api;

/// List endpoints
///
/// An org has at most 5, so all are listed. Their secrets are not shown.
#[utoipa::path(
    get, path = "/api/webhooks", tag = "webhooks", operation_id = "listEndpoints", params(OrgHeader),
    responses((status = 200, body = EndpointList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
) -> Result<Json<EndpointList>, Problem> {
    Ok(Json(api.rooms.deliveries.endpoints(&access).await?))
}

/// Add an endpoint
///
/// Events are sent to it from now on, at least once each, signed by the Standard Webhooks scheme. `secret` is shown
/// here only. An event that is not accepted with a 2xx within 15 seconds is sent again for 24 hours.
#[utoipa::path(
    post, path = "/api/webhooks", tag = "webhooks", operation_id = "createEndpoint", params(OrgHeader),
    request_body = EndpointIn,
    responses((status = 201, body = EndpointWithSecret))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Input(input): Input<EndpointIn>,
) -> Result<(StatusCode, Json<EndpointWithSecret>), Problem> {
    Ok((StatusCode::CREATED, Json(api.rooms.deliveries.add_endpoint(&access, input).await?)))
}

/// Read an endpoint
#[utoipa::path(
    get, path = "/api/webhooks/{id}", tag = "webhooks", operation_id = "readEndpoint",
    params(("id" = EndpointId, Path), OrgHeader),
    responses((status = 200, body = EndpointOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<EndpointId>,
) -> Result<Json<EndpointOut>, Problem> {
    Ok(Json(api.rooms.deliveries.endpoint(&access, &id).await?))
}

/// Change an endpoint
///
/// `active: true` also activates an endpoint that was deactivated because it failed for three days or answered 410.
#[utoipa::path(
    patch, path = "/api/webhooks/{id}", tag = "webhooks", operation_id = "changeEndpoint",
    params(("id" = EndpointId, Path), OrgHeader),
    request_body = EndpointPatch,
    responses((status = 200, body = EndpointOut))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<EndpointId>,
    Input(input): Input<EndpointPatch>,
) -> Result<Json<EndpointOut>, Problem> {
    Ok(Json(api.rooms.deliveries.change_endpoint(&access, &id, input).await?))
}

/// Delete an endpoint
///
/// What is on its way to it is no longer sent. Already deleted counts as success.
#[utoipa::path(
    delete, path = "/api/webhooks/{id}", tag = "webhooks", operation_id = "deleteEndpoint",
    params(("id" = EndpointId, Path), OrgHeader),
    responses((status = 204, description = "Deleted"))
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<EndpointId>,
) -> Result<StatusCode, Problem> {
    api.rooms.deliveries.delete_endpoint(&access, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rotate an endpoint's secret
///
/// The response shows the new secret. For 24 hours the one before signs too: `webhook-signature` then has a signature
/// of each.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/rotate", tag = "webhooks", operation_id = "rotateSecret",
    params(("id" = EndpointId, Path), OrgHeader),
    responses((status = 200, body = EndpointWithSecret))
)]
pub(crate) async fn rotate(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<EndpointId>,
) -> Result<Json<EndpointWithSecret>, Problem> {
    Ok(Json(api.rooms.deliveries.rotate_secret(&access, &id).await?))
}

/// Test an endpoint
///
/// Sends one signed event of the type `webhook.test`, once, and answers what came of it. The log does not have it.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/test", tag = "webhooks", operation_id = "testEndpoint",
    params(("id" = EndpointId, Path), OrgHeader),
    responses((status = 200, body = TestOut))
)]
pub(crate) async fn test(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<EndpointId>,
) -> Result<Json<TestOut>, Problem> {
    Ok(Json(api.rooms.deliveries.test(&access, &id).await?))
}

/// List deliveries
///
/// What was sent to an endpoint in the last 30 days and what came of it, latest first. A page may have fewer than
/// `limit` items although there are more.
#[utoipa::path(
    get, path = "/api/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "listDeliveries",
    params(
        ("id" = EndpointId, Path),
        ("state" = Option<EventDeliveryState>, Query),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
        OrgHeader
    ),
    responses((status = 200, body = DeliveryList))
)]
pub(crate) async fn deliveries(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<EndpointId>,
    parameters: Parameters,
) -> Result<Json<DeliveryList>, Problem> {
    parameters.check(&["state", "cursor", "limit"])?;
    let state = parameters.get("state").map(str::parse).transpose().map_err(|_| {
        let detail = "One of pending, delivered, failed, not_delivered.";
        Problem::field("state", ProblemCode::StatusUnknown, detail)
    })?;
    let query = DeliveryQuery { state, cursor: parameters.get("cursor").map(ToOwned::to_owned) };
    Ok(Json(api.rooms.deliveries.deliveries(&access, &id, &query, parameters.limit()?).await?))
}

/// Send an event again
///
/// Now, whether it was delivered or not, and if that fails for another 24 hours. Its `webhook-id` stays the same.
#[utoipa::path(
    post, path = "/api/webhooks/{id}/deliveries/{delivery}/resend", tag = "webhooks", operation_id = "resendDelivery",
    params(("id" = EndpointId, Path), ("delivery" = DeliveryId, Path), OrgHeader),
    responses((status = 202, body = DeliveryOut))
)]
pub(crate) async fn resend(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<EndpointId>,
    Id(delivery): Id<DeliveryId>,
) -> Result<(StatusCode, Json<DeliveryOut>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(api.rooms.deliveries.resend(&access, &id, &delivery).await?)))
}
