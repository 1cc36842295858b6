//! What an integration reports to Meta of its leads' progress.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::conversions::{ConversionsIn, ConversionsOut, DatasetList};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;

use crate::access::{Failure, MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Get what an integration reports to Meta
///
/// With the share of leads that are followed by a later status, as Meta's optimisation needs it.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/conversions", tag = "connect", operation_id = "readConversions",
    params(("id" = String, Path), OrgHeader),
    responses((status = 200, body = ConversionsOut), Failure)
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<ConversionsOut>, Problem> {
    Ok(Json(api.conversions.get(&access, &id).await?))
}

/// Change what an integration reports to Meta
///
/// Each lead of Meta's is reported with its first status when it arrives, and with each later one within minutes. What
/// became of a report is in the lead's trace.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/conversions", tag = "connect", operation_id = "changeConversions",
    params(("id" = String, Path), OrgHeader),
    request_body = ConversionsIn,
    responses((status = 200, body = ConversionsOut), Failure)
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Input(input): Input<ConversionsIn>,
) -> Result<Json<ConversionsOut>, Problem> {
    Ok(Json(api.conversions.change(&access, &id, input).await?))
}

/// List the datasets of an integration
///
/// Those of its ad accounts and business portfolios, read live from Meta.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/datasets", tag = "connect", operation_id = "listDatasets",
    params(("id" = String, Path), OrgHeader),
    responses((status = 200, body = DatasetList), Failure)
)]
pub(crate) async fn datasets(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<DatasetList>, Problem> {
    Ok(Json(api.conversions.datasets(&access, &id).await?))
}
