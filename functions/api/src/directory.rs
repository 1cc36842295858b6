//! The directory that the CRM pushes.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use leadwire::admin::directory::{self, OrgIn, UserIn, UserList};
use leadwire::http::Problem;
use leadwire::model::org::{Org, User};

use crate::access::{Access, Known};
use crate::input::Input;
use crate::state::Api;

/// An org's settings
#[utoipa::path(
    get, path = "/api/orgs/{id}", tag = "directory", operation_id = "readOrg",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The same org")),
    responses((status = 200, body = Org), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read_org(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Path(id): Path<String>,
) -> Result<Json<Org>, Problem> {
    directory::read_org(&api.services, &access, &id).await.map(Json)
}

/// Push an org's settings and plan
///
/// For the CRM itself: only a superadmin may say what an org has paid for.
#[utoipa::path(
    put, path = "/api/orgs/{id}", tag = "directory", operation_id = "putOrg",
    params(("id" = String, Path)),
    request_body = OrgIn,
    responses((status = 200, body = Org), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn put_org(
    State(api): State<Arc<Api>>,
    Known(caller): Known,
    Path(id): Path<String>,
    Input(given): Input<OrgIn>,
) -> Result<Json<Org>, Problem> {
    directory::put_org(&api.services, &caller, &id, given).await.map(Json)
}

/// The org's users
#[utoipa::path(
    get, path = "/api/users", tag = "directory", operation_id = "listUsers",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = UserList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn users(State(api): State<Arc<Api>>, Access(access): Access) -> Result<Json<UserList>, Problem> {
    directory::users(&api.services, &access.scope).await.map(Json)
}

/// Push a user
///
/// From the moment this answers, leads are assigned to the user, or are not any more.
#[utoipa::path(
    put, path = "/api/users/{id}", tag = "directory", operation_id = "putUser",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = UserIn,
    responses((status = 200, body = User), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn put_user(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Path(id): Path<String>,
    Input(given): Input<UserIn>,
) -> Result<Json<User>, Problem> {
    directory::put_user(&api.services, &access, &id, given).await.map(Json)
}
