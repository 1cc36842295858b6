//! Who may read and publish.

use super::super::error::GraphError;
use super::super::session::{Call, Session};

/// Tasks on a page that allow publishing there.
const PAGE_TASKS: &[&str] = &["CREATE_CONTENT", "MANAGE", "MODERATE"];
/// Tasks on the linked page that allow publishing on Instagram.
const INSTAGRAM_TASKS: &[&str] = &["CREATE_CONTENT", "MANAGE"];

/// Requires the right to read what a page published. `visible_as` is the id in the request.
///
/// # Errors
/// Returns 190/2069032, 100/33 for another page's token, 10 without `pages_read_engagement`.
pub(in crate::graph) fn read_page(call: &Call<'_>, page_id: &str, visible_as: &str) -> Result<(), GraphError> {
    call.require_page_token(page_id, visible_as)?;
    if call.has_scope("pages_read_engagement") { Ok(()) } else { Err(GraphError::requires_page_feature()) }
}

/// Requires the right to publish on a page, and to change what is published there.
///
/// # Errors
/// Returns 190/2069032, 100/33 for another page's token, 200 without a permission or task.
pub(in crate::graph) fn publish_on_page(call: &Call<'_>, page_id: &str, visible_as: &str) -> Result<(), GraphError> {
    call.require_page_token(page_id, visible_as)?;
    if !call.has_scope("pages_manage_posts") || !call.has_scope("pages_read_engagement") {
        return Err(GraphError::new(
            403,
            200,
            "(#200) If posting to a group, requires app being installed in the group, and either publish_to_groups \
             permission with user token, or both pages_read_engagement and pages_manage_posts permission with page \
             token; If posting to a page, requires both pages_read_engagement and pages_manage_posts as an admin with \
             sufficient administrative permission",
        ));
    }
    call.require_task(page_id, PAGE_TASKS)
}

/// Requires the right to publish videos on a page.
///
/// # Errors
/// As for [`publish_on_page`], but 100 without a permission.
pub(in crate::graph) fn publish_video(call: &Call<'_>, page_id: &str, visible_as: &str) -> Result<(), GraphError> {
    publish_on_page(call, page_id, visible_as).map_err(|error| {
        if error.code == 200 { GraphError::invalid("(#100) No permission to publish the video") } else { error }
    })
}

/// Requires the right to see an Instagram account and its objects. `visible_as` is the id in the request.
///
/// # Errors
/// Returns 100/33 unless the token reaches the linked page, 10 without `instagram_basic`.
pub(in crate::graph) fn read_instagram(call: &Call<'_>, account_id: &str, visible_as: &str) -> Result<(), GraphError> {
    page_of(call, account_id, visible_as)?;
    require(call, &["instagram_basic"])
}

/// Requires the right to publish on an Instagram account.
///
/// # Errors
/// As for [`read_instagram`]; 10 without `instagram_content_publish` or `pages_read_engagement`, or without an ads
/// permission if the page belongs to a portfolio; 200 without a task on the page.
pub(in crate::graph) fn publish_on_instagram(
    call: &Call<'_>,
    account_id: &str,
    visible_as: &str,
) -> Result<(), GraphError> {
    let page_id = page_of(call, account_id, visible_as)?;
    require(call, &["instagram_basic", "instagram_content_publish", "pages_read_engagement"])?;
    let of_business = call.world.pages.get(&page_id).is_some_and(|page| page.portfolio.is_some());
    if of_business && !call.has_scope("ads_management") && !call.has_scope("ads_read") {
        return Err(no_permission());
    }
    call.require_task(&page_id, INSTAGRAM_TASKS)
}

/// Requires a permission for one Instagram account.
pub(in crate::graph) fn instagram_scope(
    call: &Call<'_>,
    account_id: &str,
    visible_as: &str,
    scope: &str,
) -> Result<(), GraphError> {
    page_of(call, account_id, visible_as)?;
    require(call, &[scope])
}

/// Returns the page of an account that the token reaches.
fn page_of(call: &Call<'_>, account_id: &str, visible_as: &str) -> Result<String, GraphError> {
    let hidden = || GraphError::not_visible(&call.request.method, visible_as);
    let account = call.world.instagram.accounts.get(account_id).filter(|account| account.linked);
    let page_id = account.map(|account| account.page_id.clone()).ok_or_else(hidden)?;
    let reaches = match &call.session {
        Session::App => false,
        Session::Page { page_id: own, .. } => *own == page_id,
        Session::User { user_id, .. } => {
            let consented = call.grant().is_some_and(|grant| grant.covers_page(&page_id));
            consented && call.world.user(user_id).is_some_and(|user| user.role(&page_id).is_some())
        }
    };
    if reaches { Ok(page_id) } else { Err(hidden()) }
}

fn require(call: &Call<'_>, scopes: &[&str]) -> Result<(), GraphError> {
    if scopes.iter().all(|scope| call.has_scope(scope)) { Ok(()) } else { Err(no_permission()) }
}

fn no_permission() -> GraphError {
    GraphError::new(403, 10, "(#10) Application does not have permission for this action")
}
