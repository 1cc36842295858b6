//! `/{page}/subscribed_apps`: the apps that receive a page's changes.

use serde_json::{Value, json};

use super::error::GraphError;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::request::list as list_param;
use super::session::{Call, Session};

/// Page fields an app can subscribe to, a subset of Meta's list.
const FIELDS: &[&str] = &[
    "affiliation",
    "attire",
    "awards",
    "bio",
    "birthday",
    "category",
    "company_overview",
    "conversations",
    "culinary_team",
    "current_location",
    "description",
    "email",
    "feed",
    "founded",
    "general_info",
    "general_manager",
    "hometown",
    "hours",
    "inbox_labels",
    "invalid_topic_placeholder",
    "leadgen",
    "leadgen_fat",
    "leadgen_update",
    "live_videos",
    "location",
    "members",
    "mention",
    "message_deliveries",
    "message_echoes",
    "message_edits",
    "message_reactions",
    "message_reads",
    "messages",
    "messaging_account_linking",
    "messaging_customer_information",
    "messaging_feedback",
    "messaging_handovers",
    "messaging_optins",
    "messaging_optouts",
    "messaging_postbacks",
    "messaging_referrals",
    "mission",
    "name",
    "page_about_story",
    "page_change_proposal",
    "page_upcoming_change",
    "parking",
    "personal_info",
    "phone",
    "picture",
    "price_range",
    "product_review",
    "products",
    "public_transit",
    "publisher_subscriptions",
    "ratings",
    "registration",
    "standby",
    "user_action",
    "videos",
    "website",
];

/// Returns whether an app can subscribe to a page field.
pub(crate) fn is_field(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// Any of these tasks allows changing subscriptions. `ADVERTISE` alone does not.
const TASKS: &[&str] = &["CREATE_CONTENT", "MANAGE", "MODERATE"];

const APPS: Elements = Elements { node_type: None, defaults: &[], max_limit: 100 };

/// Lists the installed apps, this app last. A page with many apps needs more than one response page.
pub(crate) fn list(call: &mut Call<'_>, page_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    call.require_page_token(page_id, page_id)?;
    call.require_scope("pages_manage_metadata")?;
    let Some(page) = call.world.pages.get(page_id) else { return Ok(json!({"data": []})) };
    let app = |id: &str, name: &str, fields: Value| {
        let value = json!({
            "category": "Business and pages", "link": format!("https://www.facebook.com/games/?app_id={id}"),
            "name": name, "id": id, "subscribed_fields": fields,
        });
        (id.to_owned(), Item::Value(value))
    };
    let mut items: Vec<_> =
        page.other_apps.iter().map(|other| app(&other.id, &other.name, json!(other.fields))).collect();
    if let Some(fields) = &page.subscribed_fields {
        items.push(app(&call.world.app.id, &call.world.app.name, json!(fields)));
    }
    paging::page(call, query, items, &APPS)
}

/// Installs the app on the page for exactly the given fields. (Meta does not document whether it replaces or merges
/// them.)
///
/// # Errors
/// Returns 200 if a permission, a task, or the permission of one of the fields is missing. Nothing changes then.
pub(crate) fn subscribe(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    check_change(call, page_id)?;
    let fields = list_param(call.request.param("subscribed_fields").unwrap_or_default());
    // Check all fields and their permissions before changing anything.
    if fields.is_empty() {
        return Err(GraphError::invalid("(#100) The parameter subscribed_fields is required"));
    }
    if let Some((at, field)) = fields.iter().enumerate().find(|(_, field)| !is_field(field)) {
        return Err(GraphError::invalid(format!(
            "(#100) Param subscribed_fields[{at}] must be one of {{{}}} - got \"{field}\".",
            FIELDS.join(", ").to_uppercase()
        )));
    }
    for field in &fields {
        let Some(scope) = scope_of_field(field).filter(|scope| !call.has_scope(scope)) else { continue };
        return Err(GraphError::new(
            403,
            200,
            format!("(#200) To subscribe to the {field} field, one of these permissions is needed: {scope}"),
        ));
    }
    if let Some(page) = call.world.pages.get_mut(page_id) {
        page.subscribed_fields = Some(fields.into_iter().collect());
        page.messaging_failing_since_ms = None;
    }
    Ok(json!({"success": true}))
}

/// Removes the app from the page. Requires the app token, or the page token under the same rules as subscribing.
pub(crate) fn unsubscribe(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    if !matches!(call.session, Session::App) {
        check_change(call, page_id)?;
    }
    if let Some(page) = call.world.pages.get_mut(page_id) {
        page.subscribed_fields = None;
    }
    Ok(json!({"success": true}))
}

fn check_change(call: &Call<'_>, page_id: &str) -> Result<(), GraphError> {
    call.require_page_token(page_id, page_id)?;
    call.require_scope("pages_manage_metadata")?;
    call.require_task(page_id, TASKS)
}

/// Returns the permission a field needs in addition to `pages_manage_metadata`.
fn scope_of_field(field: &str) -> Option<&'static str> {
    match field {
        "leadgen" | "leadgen_update" | "leadgen_fat" => Some("leads_retrieval"),
        "standby" => Some("pages_messaging"),
        _ if field.starts_with("messag") => Some("pages_messaging"),
        _ => None,
    }
}
