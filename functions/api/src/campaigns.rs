//! Campaigns for lead ads, and lead forms.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use leadwire::campaigns::{
    ArchivedForm, CampaignChoice, CampaignIn, CreatedCampaign, CreatedForm, FormChoice, LeadCampaignList,
    LeadCampaignOut, LeadFormIn,
};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::CampaignId;

use crate::access::{Advertiser, OrgHeader};
use crate::input::{Input, Parameters};
use crate::posts::once;
use crate::schemas::{Cursor, Limit, RequestId};
use crate::state::Api;

/// Create a campaign
///
/// A campaign for a lead form with one ad set, one creative and one ad. Everything is created paused in the background;
/// `GET /api/campaigns/{id}` and the event `campaign.changed` report the outcome. What Meta refuses is reported by field, and
/// nothing of it stays at Meta then. A request with an id of the caller's (`requestId` or the header `Idempotency-Key`) is
/// carried out once.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/create-campaign", tag = "campaigns",
    operation_id = "createCampaign",
    params(OrgHeader, ("Idempotency-Key" = Option<RequestId>, Header, description = "The same as `requestId`")),
    request_body = CampaignIn,
    responses((status = 202, body = CreatedCampaign))
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    headers: HeaderMap,
    Input(input): Input<CampaignIn>,
) -> Result<(StatusCode, Json<CreatedCampaign>), Problem> {
    let once = once("create-campaign", "requestId", &headers, input.request_id.as_deref(), &input)?;
    Ok((StatusCode::ACCEPTED, Json(api.rooms.campaigns.create(&access, input, once).await?)))
}

/// Launch a campaign
///
/// Meta reviews its ad first. Launching it again changes nothing.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/launch-campaign", tag = "campaigns",
    operation_id = "launchCampaign",
    params(OrgHeader),
    request_body = CampaignChoice,
    responses((status = 200, body = LeadCampaignOut))
)]
pub(crate) async fn launch(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    Input(input): Input<CampaignChoice>,
) -> Result<Json<LeadCampaignOut>, Problem> {
    Ok(Json(api.rooms.campaigns.launch(&access, &input.campaign_id).await?))
}

/// Pause a campaign
///
/// It can be launched again.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/pause-campaign", tag = "campaigns",
    operation_id = "pauseCampaign",
    params(OrgHeader),
    request_body = CampaignChoice,
    responses((status = 200, body = LeadCampaignOut))
)]
pub(crate) async fn pause(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    Input(input): Input<CampaignChoice>,
) -> Result<Json<LeadCampaignOut>, Problem> {
    Ok(Json(api.rooms.campaigns.pause(&access, &input.campaign_id).await?))
}

/// Create a lead form
///
/// Meta lets nothing of a form be changed afterwards. A request with an id of the caller's is carried out once.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/create-lead-form", tag = "campaigns",
    operation_id = "createLeadForm",
    params(OrgHeader, ("Idempotency-Key" = Option<RequestId>, Header, description = "The same as `requestId`")),
    request_body = LeadFormIn,
    responses((status = 201, body = CreatedForm))
)]
pub(crate) async fn create_form(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    headers: HeaderMap,
    Input(input): Input<LeadFormIn>,
) -> Result<(StatusCode, Json<CreatedForm>), Problem> {
    let once = once("create-lead-form", "requestId", &headers, input.request_id.as_deref(), &input)?;
    Ok((StatusCode::CREATED, Json(api.rooms.campaigns.create_form(&access, input, once).await?)))
}

/// Archive a lead form
///
/// It takes no more leads and no new campaign; its leads stay. Archiving it again changes nothing.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/archive-lead-form", tag = "campaigns",
    operation_id = "archiveLeadForm",
    params(OrgHeader),
    request_body = FormChoice,
    responses((status = 200, body = ArchivedForm))
)]
pub(crate) async fn archive_form(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    Input(input): Input<FormChoice>,
) -> Result<Json<ArchivedForm>, Problem> {
    Ok(Json(api.rooms.campaigns.archive_form(&access, &input).await?))
}

/// List campaigns
///
/// Those that were created here, newest first.
#[utoipa::path(
    get, path = "/api/campaigns", tag = "campaigns", operation_id = "listOwnCampaigns",
    params(
        OrgHeader,
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<Limit>, Query),
    ),
    responses((status = 200, body = LeadCampaignList))
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    parameters: Parameters,
) -> Result<Json<LeadCampaignList>, Problem> {
    parameters.check(&["cursor", "limit"])?;
    let limit = parameters.limit()?;
    Ok(Json(api.rooms.campaigns.list(&access, parameters.get("cursor"), limit).await?))
}

/// Get a campaign
///
/// With its state at Meta and its review, as of a minute ago at most.
#[utoipa::path(
    get, path = "/api/campaigns/{id}", tag = "campaigns", operation_id = "readCampaign",
    params(("id" = CampaignId, Path), OrgHeader),
    responses((status = 200, body = LeadCampaignOut))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    Id(id): Id<CampaignId>,
) -> Result<Json<LeadCampaignOut>, Problem> {
    Ok(Json(api.rooms.campaigns.read(&access, &id).await?))
}

/// Archive a campaign
///
/// It ends at Meta, and stays in the list.
#[utoipa::path(
    delete, path = "/api/campaigns/{id}", tag = "campaigns", operation_id = "archiveCampaign",
    params(("id" = CampaignId, Path), OrgHeader),
    responses((status = 200, body = LeadCampaignOut))
)]
pub(crate) async fn archive(
    State(api): State<Arc<Api>>,
    Advertiser(access): Advertiser,
    Id(id): Id<CampaignId>,
) -> Result<Json<LeadCampaignOut>, Problem> {
    Ok(Json(api.rooms.campaigns.archive(&access, &id).await?))
}
