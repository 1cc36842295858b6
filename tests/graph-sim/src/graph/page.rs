//! Pages as nodes.

use serde_json::{Value, json};

use super::error::GraphError;
use super::fields::Field;
use super::session::{Call, Session};
use crate::clock::graph_time;
use crate::seed::FOUNDED_MS;
use crate::world::page::Page;
use crate::world::person::User;

/// Fields that need only a role on the page. All other fields are page content.
const BASIC: &[&str] = &[
    "id",
    "name",
    "access_token",
    "tasks",
    "perms",
    "category",
    "category_list",
    "link",
    "username",
    "business",
    "owner_business",
    "has_lead_access",
    "leadgen_forms",
    "subscribed_apps",
    "leadgen_tos_accepted",
    "leadgen_tos_acceptance_time",
    "leadgen_tos_accepting_user",
    "is_published",
    "instagram_business_account",
    "connected_instagram_account",
    "picture",
    "has_transitioned_to_new_page_experience",
];

/// Checks that the caller may read the page and the wanted fields.
///
/// # Errors
/// Returns 100/33 for a page the token cannot see, 10 without any `pages_` permission or for content without
/// `pages_read_engagement`.
pub(crate) fn check_readable(call: &Call<'_>, page_id: &str, wanted: Option<&[Field]>) -> Result<(), GraphError> {
    let visible = match &call.session {
        Session::App => false,
        Session::Page { page_id: own, .. } => own == page_id,
        Session::User { user_id, .. } => {
            let consented = call.grant().is_some_and(|grant| grant.covers_page(page_id));
            consented && call.world.user(user_id).is_some_and(|user| user.role(page_id).is_some())
        }
    };
    if !visible {
        return Err(GraphError::not_visible("get", page_id));
    }
    let about_pages = call.grant().is_some_and(|grant| grant.granted().any(|scope| scope.starts_with("pages_")));
    let only_basic = wanted.is_none_or(|fields| fields.iter().all(|field| BASIC.contains(&field.name.as_str())));
    if about_pages && (only_basic || call.has_scope("pages_read_engagement")) {
        Ok(())
    } else {
        Err(GraphError::requires_page_feature())
    }
}

/// Returns the value of a field. `None` if the page has no such field or the caller may not see it.
///
/// # Errors
/// Returns 200 for `business` without `business_management`, and the errors of [`lead_access`].
pub(crate) fn value(call: &mut Call<'_>, page_id: &str, field: &Field) -> Result<Option<Value>, GraphError> {
    let Some(page) = call.world.pages.get(page_id).cloned() else { return Ok(None) };
    Ok(match field.name.as_str() {
        "access_token" => access_token(call, page_id),
        "tasks" | "perms" => tasks(call, page_id),
        "business" if !call.has_scope("business_management") => {
            return Err(GraphError::requires_business_management());
        }
        "business" | "owner_business" => {
            let owner = page.owner.as_deref().and_then(|id| call.world.business(id));
            owner.filter(|_| call.has_scope("business_management")).map(|it| json!({"id": it.id, "name": it.name}))
        }
        "has_lead_access" => Some(lead_access(call, &page, field)?),
        "leadgen_tos_accepting_user" => accepting_user(call, &page),
        name => plain_value(&page, name),
    })
}

fn plain_value(page: &Page, field: &str) -> Option<Value> {
    Some(match field {
        "name" => json!(page.name),
        "username" => json!(page.username),
        "category" => json!(page.category),
        "category_list" => json!([{"id": "2500", "name": page.category}]),
        "link" => json!(page.link()),
        "picture" => json!({"data": {
            "height": 50, "width": 50, "is_silhouette": false,
            "url": format!("https://scontent.example/v/t39.30808-1/{}_p.jpg", page.id),
        }}),
        "about" => json!(page.about),
        "fan_count" | "followers_count" => json!(page.fan_count),
        "is_published" | "has_transitioned_to_new_page_experience" => json!(true),
        "leadgen_tos_accepted" => json!(page.lead_terms_accepted),
        "leadgen_tos_acceptance_time" if page.lead_terms_accepted => json!(graph_time(FOUNDED_MS)),
        "is_webhooks_subscribed" | "has_added_app" => json!(page.subscribed_fields.is_some()),
        "verification_status" => json!("not_verified"),
        _ => return None,
    })
}

/// Returns the page's token to a user token, and the token itself to a page token.
fn access_token(call: &mut Call<'_>, page_id: &str) -> Option<Value> {
    match call.session.clone() {
        Session::App => None,
        Session::Page { page_id: own, token, .. } => (own == page_id).then(|| json!(token)),
        Session::User { token, .. } => call.world.page_token(&token, page_id).map(|token| json!(token)),
    }
}

/// Returns the first admin, to a page token, if the page's terms for lead ads are accepted.
fn accepting_user(call: &Call<'_>, page: &Page) -> Option<Value> {
    let admin = call.world.people().find(|user| call.world.has_task(&user.id, &page.id, &["MANAGE"]))?;
    let shown = page.lead_terms_accepted && matches!(call.session, Session::Page { .. });
    shown.then(|| json!({"id": admin.id, "name": admin.name}))
}

fn tasks(call: &Call<'_>, page_id: &str) -> Option<Value> {
    let role = call.world.user(call.user_id()?)?.role(page_id)?;
    Some(json!(role.tasks))
}

/// Leads Access Manager: every page admin and every installed app has access until an admin customises it. Read as
/// `has_lead_access.user_id(…).app_id(…)`; by default about the caller.
///
/// # Errors
/// Returns 200 without `leads_retrieval`, 3 for system users. (The code of the latter is unconfirmed.)
fn lead_access(call: &Call<'_>, page: &Page, field: &Field) -> Result<Value, GraphError> {
    let user_id = field.argument("user_id").or_else(|| call.user_id()).unwrap_or_default();
    if call.is_of_system_user() || call.world.user(user_id).is_some_and(User::is_system) {
        return Err(GraphError::new(400, 3, "(#3) This API is not available."));
    }
    call.require_scope("leads_retrieval")?;
    let is_ours = field.argument("app_id").is_none_or(|app_id| app_id == call.world.app.id);
    let is_admin = call.world.has_task(user_id, &page.id, &["MANAGE"]);
    let can_advertise = call.world.has_task(user_id, &page.id, &["MANAGE", "ADVERTISE", "MANAGE_LEADS"]);
    let app_allowed = is_ours && !page.lead_access_revoked;
    let reason = match (app_allowed, can_advertise) {
        (false, _) => {
            Some(("CRM access has been revoked from Lead Access Manager", "Add the CRM in Leads Access Manager"))
        }
        (true, false) => Some(("The user has no leads permission", "Give the user leads access on the page")),
        (true, true) => None,
    };
    let mut access = json!({
        "page_id": page.id, "user_id": user_id,
        "app_has_leads_permission": app_allowed,
        "can_access_lead": app_allowed && can_advertise,
        "enabled_lead_access_manager": page.lead_access_revoked,
        "is_page_admin": is_admin,
        "user_has_leads_permission": can_advertise,
    });
    if let (Some(members), Some((why, remedy))) = (access.as_object_mut(), reason) {
        members.insert("failure_reason".to_owned(), json!(why));
        members.insert("failure_resolution".to_owned(), json!(remedy));
    }
    Ok(access)
}
