//! Who may read, moderate and write.

use super::super::content::rights as content_rights;
use super::super::error::GraphError;
use super::super::session::{Call, Session, session_of};
use crate::world::World;
use crate::world::inbox::Account;

/// Tasks on a page that allow moderating its comments.
const MODERATION_TASKS: &[&str] = &["MODERATE", "MANAGE"];
/// Tasks on a page that allow writing its messages.
const MESSAGING_TASKS: &[&str] = &["MESSAGING", "MODERATE", "MANAGE"];

/// Requires the right to read comments of a page or an Instagram account. `visible_as` is the id in the request.
///
/// # Errors
/// As for the posts and media themselves.
pub(super) fn read_comments(call: &Call<'_>, account: &Account, visible_as: &str) -> Result<(), GraphError> {
    match account {
        Account::Page(id) => content_rights::read_page(call, id, visible_as),
        Account::Instagram(id) => {
            content_rights::read_instagram(call, id, visible_as)?;
            content_rights::instagram_scope(call, id, visible_as, "instagram_manage_comments")
        }
        Account::Number(_) => Err(GraphError::not_visible(&call.request.method, visible_as)),
    }
}

/// Requires the right to write, hide and delete comments.
///
/// # Errors
/// Returns 190/2069032 or 100/33 for a wrong token, 200 (Instagram: 10) without a permission, 200 without a task.
pub(super) fn moderate(call: &Call<'_>, account: &Account, visible_as: &str) -> Result<(), GraphError> {
    match account {
        Account::Page(id) => {
            call.require_page_token(id, visible_as)?;
            call.require_scope("pages_manage_engagement")?;
            call.require_task(id, MODERATION_TASKS)
        }
        Account::Instagram(_) | Account::Number(_) => read_comments(call, account, visible_as),
    }
}

/// Requires the right to read and write messages of a page, or of the Instagram account it shows.
///
/// # Errors
/// Returns 190/2069032 or 100/33 for a wrong token, 200 without a permission or task.
pub(super) fn messages(call: &Call<'_>, page_id: &str, account: &Account, visible_as: &str) -> Result<(), GraphError> {
    call.require_page_token(page_id, visible_as)?;
    match account {
        Account::Instagram(_) => {
            call.require_scope("instagram_basic")?;
            call.require_scope("instagram_manage_messages")?;
        }
        Account::Page(_) | Account::Number(_) => call.require_scope("pages_messaging")?,
    }
    if !call.world.allows_messages(account) {
        let text = "(#200) The owner of the Instagram account has disabled access to its messages";
        let mut error = GraphError::messaging(200, 2_534_041, text);
        error.status = 403;
        return Err(error);
    }
    call.require_task(page_id, MESSAGING_TASKS)
}

/// The page through which an account's messages are read and written.
///
/// # Errors
/// Returns 100/33 for an Instagram account that no page shows.
pub(super) fn page_of(call: &Call<'_>, account: &Account, visible_as: &str) -> Result<String, GraphError> {
    let hidden = || GraphError::not_visible(&call.request.method, visible_as);
    match account {
        Account::Page(id) => Ok(id.clone()),
        Account::Instagram(id) => {
            let account = call.world.instagram.accounts.get(id).filter(|account| account.linked);
            account.map(|account| account.page_id.clone()).ok_or_else(hidden)
        }
        Account::Number(_) => Err(hidden()),
    }
}

/// Requires a permission on a WhatsApp account: that of a user in its business, or in the business that it is shared
/// with.
///
/// # Errors
/// Returns 100/33 for an account that the token does not reach, 200 without the permission.
pub(super) fn whatsapp(call: &Call<'_>, waba_id: &str, visible_as: &str, scope: &str) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible(&call.request.method, visible_as);
    if !reaches(call.world, &call.session, waba_id) {
        return Err(hidden());
    }
    if call.has_scope(scope) { Ok(()) } else { Err(GraphError::requires_scope(scope)) }
}

fn reaches(world: &World, session: &Session, waba_id: &str) -> bool {
    let Session::User { user_id, .. } = session else { return false };
    let (Some(waba), Some(user)) = (world.inbox.wabas.get(waba_id), world.user(user_id)) else { return false };
    user.business_ids.iter().any(|id| *id == waba.business_id || Some(id) == waba.client_of.as_ref())
}

/// Returns whether a token reads the files of a WhatsApp number.
pub(crate) fn is_whatsapp_reader(world: &World, token: &str, number_id: &str) -> bool {
    let Ok(session) = session_of(world, token) else { return false };
    world.inbox.numbers.get(number_id).is_some_and(|number| reaches(world, &session, &number.waba_id))
}

/// Requires a permission on the account of a WhatsApp number.
///
/// # Errors
/// As for [`whatsapp`].
pub(super) fn number(call: &Call<'_>, number_id: &str, scope: &str) -> Result<(), GraphError> {
    let waba_id = call.world.inbox.numbers.get(number_id).map(|number| number.waba_id.clone()).unwrap_or_default();
    whatsapp(call, &waba_id, number_id, scope)
}

/// 3: with Facebook Login, messages of an Instagram account are written through its page.
pub(super) fn no_capability() -> GraphError {
    GraphError::new(400, 3, "(#3) Application does not have the capability to make this API call.")
}
