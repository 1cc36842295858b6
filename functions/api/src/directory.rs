//! The directory that the CRM pushes: who the orgs and their people are.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use shared::http::Problem;
use shared::ids::{OrgId, UserId};
use shared::model::org::{Org, Plan, User};
use utoipa::ToSchema;

use crate::access::{Access, Known};
use crate::input::Input;
use crate::router::Api;

/// What the CRM says of an org.
#[derive(Deserialize, ToSchema)]
pub(crate) struct OrgIn {
    name: String,
    plan: Plan,
    /// ISO 3166 code of the country as whose numbers phone numbers without country code are read.
    default_country: Option<String>,
}

/// What the CRM says of a user.
#[derive(Deserialize, ToSchema)]
pub(crate) struct UserIn {
    name: String,
    email: String,
    /// What they are in the org; an `admin` is mailed when a connection needs somebody.
    role: Option<String>,
    /// False for people who have left or are suspended.
    #[serde(default = "yes")]
    active: bool,
    /// `lead_management` makes an active user take part in the assignment of leads.
    #[serde(default)]
    permissions: Vec<String>,
}

fn yes() -> bool {
    true
}

/// The org's users.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserList {
    items: Vec<User>,
    /// Always `null`: all are listed.
    next_cursor: Option<String>,
}

/// An org's settings
#[utoipa::path(
    get, path = "/api/orgs/{id}", tag = "directory", operation_id = "readOrg",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The same org")),
    responses((status = 200, body = Org), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read_org(
    State(api): State<Arc<Api>>,
    Access { scope, .. }: Access,
    Path(id): Path<String>,
) -> Result<Json<Org>, Problem> {
    if id != scope.org().as_str() {
        return Err(shared::auth::AuthError::ForeignOrg.into());
    }
    api.table.org(&scope).await?.map(Json).ok_or_else(|| Problem::not_found("settings"))
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
    let id = OrgId::parse(&id).map_err(|error| Problem::field("id", "id_invalid", format!("{error}.")))?;
    let scope = caller.scope_as_superadmin(id.clone())?;
    let is_country = |code: &String| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
    if given.default_country.as_ref().is_some_and(|code| !is_country(code)) {
        return Err(Problem::field("default_country", "country_invalid", "Two letters, such as US or DE."));
    }
    let plan =
        Plan { name: checked("plan.name", given.plan.name)?, features: words("plan.features", given.plan.features)? };
    let org = Org {
        id,
        name: checked("name", given.name)?,
        plan,
        default_country: given.default_country.map(|code| code.to_uppercase()),
        updated_at: shared::clock::now(),
    };
    api.table.put_org(&scope, &org).await?;
    Ok(Json(org))
}

/// The org's users
#[utoipa::path(
    get, path = "/api/users", tag = "directory", operation_id = "listUsers",
    params(("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = UserList), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn users(
    State(api): State<Arc<Api>>,
    Access { scope, .. }: Access,
) -> Result<Json<UserList>, Problem> {
    Ok(Json(UserList { items: api.table.users(&scope).await?, next_cursor: None }))
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
    Access { scope, .. }: Access,
    Path(id): Path<String>,
    Input(given): Input<UserIn>,
) -> Result<Json<User>, Problem> {
    let user = User {
        id: UserId::parse(&id).map_err(|error| Problem::field("id", "id_invalid", format!("{error}.")))?,
        name: checked("name", given.name)?,
        email: shared::model::identity::normalised_email(&given.email)
            .filter(|email| email.len() <= 320)
            .ok_or_else(|| Problem::field("email", "email_invalid", "An e-mail address."))?,
        role: given.role.map(|role| checked("role", role)).transpose()?,
        active: given.active,
        permissions: words("permissions", given.permissions)?,
        updated_at: shared::clock::now(),
    };
    api.table.put_user(&scope, &user).await?;
    Ok(Json(user))
}

/// Names of features or permissions: each once, and not so many that the item could not hold them.
fn words(field: &str, mut words: Vec<String>) -> Result<Vec<String>, Problem> {
    if words.len() > 100 || words.iter().any(|word| !(1..=64).contains(&word.chars().count())) {
        return Err(Problem::field(field, "list_invalid", "At most 100 names of 1 to 64 characters."));
    }
    words.sort();
    words.dedup();
    Ok(words)
}

fn checked(field: &str, text: String) -> Result<String, Problem> {
    let text = text.trim();
    if (1..=200).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(Problem::field(field, "length_invalid", "1 to 200 characters."))
    }
}
