//! The directory that the CRM pushes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use leadwire::directory::{OrgIn, UserIn, UserList, UserOut};
use leadwire::http::{Problem, fields};
use leadwire::ids::{OrgId, UserId};
use leadwire::model::org::Org;

use crate::access::{Access, OrgHeader, SuperAdmin};
use crate::input::{Input, Parameters};
use crate::schemas::{Cursor, UserLimit};
use crate::state::Api;

/// Get an org's settings
#[utoipa::path(
    get, path = "/api/orgs/{id}", tag = "directory", operation_id = "readOrg",
    params(("id" = OrgId, Path), ("orgid" = OrgId, Header, description = "The org's id again")),
    responses((status = 200, body = Org))
)]
pub(crate) async fn read_org(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Path(id): Path<String>,
) -> Result<Json<Org>, Problem> {
    Ok(Json(api.rooms.directory.org(&access, &id).await?))
}

/// Push an org's settings and plan
///
/// For the CRM itself: only a superadmin may set what an org has paid for.
#[utoipa::path(
    put, path = "/api/orgs/{id}", tag = "directory", operation_id = "putOrg",
    params(("id" = OrgId, Path)),
    request_body = OrgIn,
    responses((status = 200, body = Org))
)]
pub(crate) async fn put_org(
    State(api): State<Arc<Api>>,
    SuperAdmin(access): SuperAdmin,
    Input(input): Input<OrgIn>,
) -> Result<Json<Org>, Problem> {
    Ok(Json(api.rooms.directory.put_org(&access, input).await?))
}

/// List the org's users
///
/// In the order of their ids.
#[utoipa::path(
    get, path = "/api/users", tag = "directory", operation_id = "listUsers",
    params(("cursor" = Option<Cursor>, Query), ("limit" = Option<UserLimit>, Query), OrgHeader),
    responses((status = 200, body = UserList))
)]
pub(crate) async fn users(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    parameters: Parameters,
) -> Result<Json<UserList>, Problem> {
    parameters.check(&["cursor", "limit"])?;
    let limit = fields::limit(parameters.get("limit"), UserList::MAX_ITEMS, UserList::MAX_ITEMS)?;
    Ok(Json(api.rooms.directory.list_users(&access.scope, parameters.get("cursor"), limit).await?))
}

/// Push a user
///
/// Once this call returns, leads are assigned to the user, or no longer assigned.
#[utoipa::path(
    put, path = "/api/users/{id}", tag = "directory", operation_id = "putUser",
    params(("id" = UserId, Path), OrgHeader),
    request_body = UserIn,
    responses((status = 200, body = UserOut))
)]
pub(crate) async fn put_user(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Path(id): Path<String>,
    Input(input): Input<UserIn>,
) -> Result<Json<UserOut>, Problem> {
    Ok(Json(api.rooms.directory.put_user(&access, &id, input).await?))
}
