//! What an integration reports to Meta of its leads' progress.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::conversions::{
    ConversionOutcomes, ConversionsIn, ConversionsOut, DatasetList, TestEventIn, TestEventOut,
};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Get what an integration reports to Meta
///
/// With the share of leads that are followed by a later status, as Meta's optimisation needs it.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/conversions", tag = "connect", operation_id = "readConversions",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = ConversionsOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<ConversionsOut>, Problem> {
    Ok(Json(api.rooms.conversions.get(&access, &id).await?))
}

/// Change what an integration reports to Meta
///
/// Each lead of Meta's is reported with its first status when it arrives, and with each later one within minutes. What
/// became of a report is in the lead's trace.
#[utoipa::path(
    put, path = "/api/meta/integrations/{id}/conversions", tag = "connect", operation_id = "changeConversions",
    params(("id" = IntegrationId, Path), OrgHeader),
    request_body = ConversionsIn,
    responses((status = 200, body = ConversionsOut))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Input(input): Input<ConversionsIn>,
) -> Result<Json<ConversionsOut>, Problem> {
    Ok(Json(api.rooms.conversions.change(&access, &id, input).await?))
}

/// List the datasets of an integration
///
/// Those of its ad accounts and business portfolios, read live from Meta.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/datasets", tag = "connect", operation_id = "listDatasets",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = DatasetList))
)]
pub(crate) async fn datasets(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<DatasetList>, Problem> {
    Ok(Json(api.rooms.conversions.datasets(&access, &id).await?))
}

/// Get what became of the reports of the newest leads
///
/// Counts the stages that the newest leads of an integration reached by whether Meta was told of them, and if not, why.
#[utoipa::path(
    get, path = "/api/meta/integrations/{id}/conversions/outcomes", tag = "connect", operation_id = "readConversionOutcomes",
    params(("id" = IntegrationId, Path), OrgHeader),
    responses((status = 200, body = ConversionOutcomes))
)]
pub(crate) async fn outcomes(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
) -> Result<Json<ConversionOutcomes>, Problem> {
    Ok(Json(api.rooms.conversions.outcomes(&access, &id).await?))
}

/// Send a test event to the dataset
///
/// The event belongs to no lead and counts for none. Meta's Test Events page shows it within seconds.
#[utoipa::path(
    post, path = "/api/meta/integrations/{id}/conversions/test", tag = "connect", operation_id = "sendTestEvent",
    params(("id" = IntegrationId, Path), OrgHeader),
    request_body = TestEventIn,
    responses((status = 200, body = TestEventOut))
)]
pub(crate) async fn test(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    Input(input): Input<TestEventIn>,
) -> Result<Json<TestEventOut>, Problem> {
    Ok(Json(api.rooms.conversions.send_test_event(&access, &id, input).await?))
}
