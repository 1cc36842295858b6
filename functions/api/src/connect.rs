//! Connecting an org to Meta.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, StatusCode, header};
use lambda_http::request::RequestContext;
use serde::{Deserialize, Serialize};
use shared::connect::{Begin, Dialog, begin};
use shared::http::Problem;
use shared::model::assignment::Assignment;
use url::Url;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::input::Input;
use crate::router::Api;

/// Where the oauth function is, on this API's own origin.
const CALLBACK: &str = "/connect/oauth2callback/facebook";

/// What to connect, and where to go afterwards.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthUrlRequest {
    /// Permissions to ask of Meta; all that Leadwire uses if left out.
    scopes: Option<Vec<String>>,
    /// Where the browser goes afterwards. It is given `status` (`connected`, `denied` or `error`), and `integrationId`,
    /// `pages` and `problems`, or `code` and `message`. Has to be on the deployment's allow-list.
    return_url: String,
    /// To connect this integration anew; it keeps its settings, its history and its leads.
    integration_id: Option<String>,
    /// Of a new integration.
    name: Option<String>,
    /// Of a new integration.
    description: Option<String>,
    /// How a new integration hands out its leads; unassigned if left out.
    assignment: Option<Assignment>,
}

/// Where to send the browser.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthUrl {
    /// Meta's login dialog. Good for ten minutes, once.
    #[schema(value_type = String)]
    auth_url: Url,
}

/// Begin connecting a Meta account
///
/// Answers the address of Meta's login dialog.
#[utoipa::path(
    post, path = "/api/upstream/call/facebook-provider/get-auth-url", tag = "connect", operation_id = "getAuthUrl",
    params(("orgid" = String, Header, description = "The org to act for")),
    request_body = AuthUrlRequest,
    responses((status = 200, body = AuthUrl), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn get_auth_url(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    context: Option<axum::Extension<RequestContext>>,
    headers: HeaderMap,
    Input(request): Input<AuthUrlRequest>,
) -> Result<Json<AuthUrl>, Problem> {
    let origin = match &api.public_url {
        Some(origin) => origin.clone(),
        None => origin_of(context.as_deref(), &headers)?,
    };
    let mut redirect_uri = origin;
    redirect_uri.set_path(CALLBACK);
    let dialog = Dialog {
        root: api.dialog_root.clone(),
        version: api.graph_version.clone(),
        app_id: api.app_id.clone(),
        redirect_uri,
        return_urls: api.return_urls.clone(),
        key: api.key.clone(),
    };
    let asked = Begin {
        scopes: request.scopes,
        return_url: request.return_url,
        integration_id: request.integration_id,
        name: request.name,
        description: request.description,
        assignment: request.assignment,
    };
    let auth_url = begin(&api.table, &dialog, &scope, caller.as_connector(), asked, shared::clock::now()).await?;
    Ok(Json(AuthUrl { auth_url }))
}

/// The origin under which this request came in: the gateway's word before the client's.
fn origin_of(context: Option<&RequestContext>, headers: &HeaderMap) -> Result<Url, Problem> {
    let domain = match context {
        Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
        _ => None,
    };
    let host = domain.or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()));
    let url = host.and_then(|host| Url::parse(&format!("https://{host}")).ok());
    url.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "host_missing", "The request names no host."))
}
