//! Requesting syncs, and the sync log.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use leadwire::ads::syncs::{SyncBegun, SyncIn, SyncStatus};
use leadwire::http::Problem;
use leadwire::ids::{AdAccountId, ClientId, RunId};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::{self, Parameters};
use crate::schemas::Limit;
use crate::state::Api;

/// Sync ad accounts now
///
/// One account or all of them. An account has one sync at a time: the request joins a sync that is in progress, and
/// extends it further back if necessary.
#[utoipa::path(
    post, path = "/api/meta-ads/sync", tag = "ads", operation_id = "syncAds",
    params(OrgHeader),
    request_body(content = Option<SyncIn>, content_type = "application/json"),
    responses((status = 202, body = SyncBegun))
)]
pub(crate) async fn sync(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    body: Bytes,
) -> Result<(StatusCode, Json<SyncBegun>), Problem> {
    let sync = if body.is_empty() { SyncIn::default() } else { input::parse(&body)? };
    Ok((StatusCode::ACCEPTED, Json(api.rooms.ads.sync(&access, sync).await?)))
}

/// Get the sync log
///
/// The state of each account, and the latest syncs with their counts by object type.
#[utoipa::path(
    get, path = "/api/meta-ads/sync-status", tag = "ads", operation_id = "readSyncStatus",
    params(
        ("account_id" = Option<AdAccountId>, Query, description = "Only this account"),
        ("client_id" = Option<ClientId>, Query, description = "Only accounts of this client"),
        ("run_id" = Option<RunId>, Query, description = "Only the syncs that were requested together under this id"),
        ("limit" = Option<Limit>, Query),
        OrgHeader
    ),
    responses((status = 200, body = SyncStatus))
)]
pub(crate) async fn status(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    parameters: Parameters,
) -> Result<Json<SyncStatus>, Problem> {
    parameters.check(&["account_id", "client_id", "run_id", "limit"])?;
    let limit = parameters.limit()?;
    let run = parameters.id("run_id", RunId::parse)?;
    Ok(Json(api.rooms.ads.sync_status(&access, &parameters.accounts()?, run, limit).await?))
}
