//! The directory that the CRM pushes: who the orgs and their people are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Access, Services};
use crate::auth::AuthError;
use crate::http::Problem;
use crate::ids::{OrgId, OrgScope, UserId};
use crate::model::caller::{Caller, Role};
use crate::model::lead::phone;
use crate::model::org::{Org, Plan, User};

/// What the CRM says of an org.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OrgIn {
    pub name: String,
    pub plan: Plan,
    /// ISO 3166 code of the country as whose numbers phone numbers without country code are read.
    pub default_country: Option<String>,
}

/// What the CRM says of a user.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UserIn {
    pub name: String,
    pub email: String,
    /// What they are in the org; an `admin` is mailed when a connection needs somebody.
    pub role: Option<String>,
    /// False for people who have left or are suspended.
    #[serde(default = "yes")]
    pub active: bool,
    /// `lead_management` makes an active user take part in the assignment of leads.
    #[serde(default)]
    pub permissions: Vec<String>,
}

fn yes() -> bool {
    true
}

/// The org's users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserList {
    pub items: Vec<User>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// An org's settings.
///
/// # Errors
/// If it is another org than the one that is acted for, the CRM has not pushed it, or the table cannot be read.
pub async fn read_org(services: &Services, access: &Access, id: &str) -> Result<Org, Problem> {
    if id != access.scope.org().as_str() {
        return Err(AuthError::ForeignOrg.into());
    }
    services.table.org(&access.scope).await?.ok_or_else(|| Problem::not_found("settings"))
}

/// Every org, by id, for a superadmin.
///
/// # Errors
/// If the caller is none, or the table cannot be read.
pub async fn orgs(services: &Services, caller: &Caller) -> Result<Vec<Org>, Problem> {
    if caller.role != Role::SuperAdmin {
        return Err(AuthError::SuperAdminOnly.into());
    }
    Ok(services.table.orgs().await?)
}

/// Takes an org's settings and plan. Only a superadmin may say what an org has paid for, whichever org that is.
///
/// # Errors
/// If the caller is none, a field cannot be as it is, or the table does not take it.
pub async fn put_org(services: &Services, caller: &Caller, id: &str, given: OrgIn) -> Result<Org, Problem> {
    let id = OrgId::parse(id).map_err(|error| Problem::field("id", "id_invalid", format!("{error}.")))?;
    let scope = caller.scope_as_superadmin(id.clone())?;
    let default_country = given.default_country.as_deref().map(phone::country).transpose();
    let default_country =
        default_country.map_err(|error| Problem::field("default_country", "country_invalid", error.to_string()))?;
    let plan =
        Plan { name: checked("plan.name", given.plan.name)?, features: words("plan.features", given.plan.features)? };
    let org = Org { id, name: checked("name", given.name)?, plan, default_country, updated_at: crate::clock::now() };
    services.table.put_org(&scope, &org).await?;
    Ok(org)
}

/// The org's users.
///
/// # Errors
/// If the table cannot be read.
pub async fn users(services: &Services, scope: &OrgScope) -> Result<UserList, Problem> {
    Ok(UserList { items: services.table.users(scope).await?, next_cursor: None })
}

/// Takes a user. From the moment this answers, leads are assigned to them, or are not any more.
///
/// # Errors
/// If a field cannot be as it is, or the table does not take it.
pub async fn put_user(services: &Services, access: &Access, id: &str, given: UserIn) -> Result<User, Problem> {
    let user = User {
        id: UserId::parse(id).map_err(|error| Problem::field("id", "id_invalid", format!("{error}.")))?,
        name: checked("name", given.name)?,
        email: crate::model::lead::identity::normalised_email(&given.email)
            .filter(|email| email.len() <= 320)
            .ok_or_else(|| Problem::field("email", "email_invalid", "An e-mail address."))?,
        role: given.role.map(|role| checked("role", role)).transpose()?,
        active: given.active,
        permissions: words("permissions", given.permissions)?,
        updated_at: crate::clock::now(),
    };
    services.table.put_user(&access.scope, &user).await?;
    Ok(user)
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
