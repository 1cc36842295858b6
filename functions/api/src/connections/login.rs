//! Connecting an org to Meta through Meta's login dialog.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, header};
use lambda_http::request::RequestContext;
use leadwire::clock;
use leadwire::connections::LoginRequest;
use leadwire::error::{ActError, Missing};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::model::json_input::maybe_object;
use leadwire::model::lead::assignment::Assignment;
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// What to connect, and where to redirect afterwards.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthUrlRequest {
    /// Permissions to request from Meta; all that Leadwire uses by default.
    #[schema(max_items = 50)]
    scopes: Option<Vec<String>>,
    /// Where the browser is redirected afterwards, with `status` (`connected`, `denied` or `error`), and
    /// `integrationId`, `pages` and `problems`, or `code` and `message`. With the code `other_account`, also
    /// `integrationId` and `lostPages`. The URL must be on the deployment's allow-list.
    #[schema(format = "uri", max_length = 2000)]
    return_url: String,
    /// An integration to reconnect. It keeps its settings, history and leads.
    integration_id: Option<String>,
    /// Whether the login of another account may replace the one that is connected, although connected pages are then lost
    /// or a system user's token ends. False by default: such a login changes nothing and ends with the code
    /// `other_account`.
    #[serde(default)]
    replace: bool,
    /// The name of a new integration.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    name: Option<String>,
    /// The description of a new integration.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// How a new integration assigns its leads; they stay unassigned by default.
    #[serde(default, deserialize_with = "maybe_object")]
    assignment: Option<Assignment>,
}

/// Where to redirect the browser.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthUrl {
    /// Where the browser goes: to a page that names the org and what it gets, and from there to Meta's login dialog. It is
    /// valid once, for ten minutes. Parameters that are added to it, such as `auth_type`, are passed on to the dialog.
    #[schema(value_type = String)]
    auth_url: Url,
}

/// Where to redirect after reconnecting.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ReconnectRequest {
    /// Where the browser is redirected afterwards; the same as `returnUrl` of `getAuthUrl`.
    #[schema(format = "uri", max_length = 2000)]
    return_url: String,
    /// Permissions to request from Meta; all that Leadwire uses by default.
    #[schema(max_items = 50)]
    scopes: Option<Vec<String>>,
    /// The same as `replace` of `getAuthUrl`.
    #[serde(default)]
    replace: bool,
}

/// Where to redirect the browser.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReconnectUrl {
    /// Where the browser goes, as `authUrl` of `getAuthUrl`.
    #[schema(value_type = String)]
    auth_url: Url,
}

/// Start connecting a Meta account
///
/// Returns where the person goes who connects their pages. They see which org asks before they come to Meta, and only the
/// browser in which they agreed can finish the login.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/get-auth-url", tag = "connect", operation_id = "getAuthUrl",
    params(OrgHeader),
    request_body = AuthUrlRequest,
    responses((status = 200, body = AuthUrl))
)]
pub(crate) async fn get_auth_url(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    context: Option<axum::Extension<RequestContext>>,
    headers: HeaderMap,
    Input(request): Input<AuthUrlRequest>,
) -> Result<Json<AuthUrl>, Problem> {
    let origin = origin(&api, context.as_deref(), &headers)?;
    // A malformed id matches no integration.
    let not_found = |_| in_camel_case(ActError::not_found(Missing::Integration).at("integration_id").into());
    let integration_id = request.integration_id.as_deref().map(IntegrationId::parse).transpose().map_err(not_found)?;
    let login = LoginRequest {
        scopes: request.scopes,
        return_url: request.return_url,
        integration_id,
        replace: request.replace,
        renews: false,
        name: request.name,
        description: request.description,
        assignment: request.assignment,
        // The caller is a program: the browser is that in which the person agrees.
        browser: None,
    };
    let dialog_url = api.rooms.connections.begin_login(&access, &origin, login, clock::now()).await;
    let auth_url = dialog_url.map_err(|error| in_camel_case(error.into()))?;
    Ok(Json(AuthUrl { auth_url }))
}

/// Reconnect an integration
///
/// Returns the URL of Meta's login dialog. The integration keeps its settings, history and leads; its pages become
/// those that the person selects in the dialog. If another account than the connected one logs in and connected pages would
/// be lost, nothing is changed unless `replace` is set. To renew a system user's token, use `PUT …/token` instead;
/// reconnecting replaces it with the person's token, which needs `replace` as well.
#[utoipa::path(
    post, path = "/api/meta/integrations/{id}/reconnect", tag = "connect", operation_id = "reconnectIntegration",
    params(("id" = IntegrationId, Path), OrgHeader),
    request_body = ReconnectRequest,
    responses((status = 200, body = ReconnectUrl))
)]
pub(crate) async fn reconnect(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    Id(id): Id<IntegrationId>,
    context: Option<axum::Extension<RequestContext>>,
    headers: HeaderMap,
    Input(request): Input<ReconnectRequest>,
) -> Result<Json<ReconnectUrl>, Problem> {
    let origin = origin(&api, context.as_deref(), &headers)?;
    let ReconnectRequest { return_url, scopes, replace } = request;
    let login = LoginRequest { scopes, return_url, integration_id: Some(id), replace, ..LoginRequest::default() };
    let dialog_url = api.rooms.connections.begin_login(&access, &origin, login, clock::now()).await;
    // The id is part of the path here, not a field.
    let auth_url = dialog_url.map_err(|error| Problem::from(error).without_field("integration_id"))?;
    Ok(Json(ReconnectUrl { auth_url }))
}

fn origin(api: &Api, context: Option<&RequestContext>, headers: &HeaderMap) -> Result<Url, Problem> {
    // The gateway's domain takes precedence over the client's header.
    let domain = match context {
        Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
        _ => None,
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    leadwire::http::origin(api.public_url.as_ref(), domain.or(host))
}

/// Renames a problem's field to this call's parameter. Fields within a parameter keep their names.
fn in_camel_case(problem: Problem) -> Problem {
    let field = problem.field.map(|field| match field.as_str() {
        "return_url" => "returnUrl".to_owned(),
        "integration_id" => "integrationId".to_owned(),
        _ => field,
    });
    Problem { field, ..problem }
}
