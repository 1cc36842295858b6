//! People as a page or an Instagram account knows them.

use serde_json::{Value, json};

use super::super::error::GraphError;
use super::super::session::Call;
use super::rights;
use crate::world::inbox::Account;

/// Checks that the caller may read a profile.
///
/// # Errors
/// Returns 10 without the feature for Messenger profiles, 100/2018218 (Messenger) or 230 (Instagram) for a person who
/// never wrote.
pub(super) fn check_readable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible(&call.request.method, id);
    let (visitor, account) = call.world.inbox.scoped(id).ok_or_else(hidden)?;
    let page_id = rights::page_of(call, account, id)?;
    rights::messages(call, &page_id, account, id)?;
    let mut threads = call.world.inbox.threads.iter().filter(|it| it.account == *account);
    let of_visitor = |index: usize| call.world.inbox.visitors.get(index).is_some_and(|it| it.id == visitor.id);
    let wrote = threads.any(|thread| of_visitor(thread.visitor) && thread.has_written);
    match account {
        Account::Instagram(_) if !wrote => {
            Err(GraphError::new(403, 230, "(#230) User consent is required to access user profile"))
        }
        Account::Page(_) if !call.world.inbox.settings.profiles => Err(GraphError::new(
            403,
            10,
            "(#10) This endpoint requires the 'Business Asset User Profile Access' feature.",
        )),
        Account::Page(_) if !wrote => {
            Err(GraphError::messaging(100, 2_018_218, "(#100) No profile available for this user."))
        }
        _ => Ok(()),
    }
}

/// Returns the value of a field. `None` if the person has no such value.
pub(super) fn value(call: &Call<'_>, id: &str, field: &str) -> Option<Value> {
    let (visitor, account) = call.world.inbox.scoped(id)?;
    let (first, last) = visitor.name.split_once(' ').unwrap_or((visitor.name.as_str(), ""));
    let instagram = matches!(account, Account::Instagram(_));
    Some(match field {
        "name" => json!(visitor.name),
        "profile_pic" => json!(format!("https://platform-lookaside.example/psid/{id}.jpg")),
        "first_name" if !instagram => json!(first),
        "last_name" if !instagram => json!(last),
        "username" if instagram => json!(visitor.username),
        "follower_count" if instagram => json!(120),
        "is_verified_user" | "is_business_follow_user" if instagram => json!(false),
        "is_user_follow_business" if instagram => json!(true),
        _ => return None,
    })
}
