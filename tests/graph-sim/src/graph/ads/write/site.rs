//! The account that a write is about, and the right to write there.

use std::sync::Arc;

use serde_json::Value;

use super::super::value;
use crate::graph::error::GraphError;
use crate::graph::fields::Field;
use crate::graph::session::Call;
use crate::graph::write_params::{self, Given, Kind};
use crate::world::ads::Ads;
use crate::world::ads::changes::Change;
use crate::world::ads::ids::Object;
use crate::world::ads::written::Record;

/// An account as it was before the write.
pub(super) struct Site {
    /// Without `act_`.
    pub(super) account_id: String,
    pub(super) ads: Arc<Ads>,
    pub(super) now_ms: i64,
}

impl Site {
    /// Returns the account of an account's or object's id. The node exists, as it was found by that id.
    ///
    /// # Errors
    /// Returns 100/33 otherwise.
    pub(super) fn find(call: &Call<'_>, id: &str) -> Result<Self, GraphError> {
        let account = call.world.ad_account(id).or_else(|| call.world.ads_object(id).map(|(account, _)| account));
        let account = account.ok_or_else(|| GraphError::not_visible(&call.request.method, id))?;
        Ok(Self { account_id: account.id.clone(), ads: Arc::clone(&account.ads), now_ms: call.world.clock.now_ms() })
    }

    /// Parses the parameters of the call.
    pub(super) fn read(&self, call: &Call<'_>, table: &[(&str, Kind)]) -> Result<Given, GraphError> {
        write_params::read(call.request, table, &self.ads.calendar.zone)
    }

    /// Returns the object with an id, if it belongs to this account.
    pub(super) fn object(&self, id: &str) -> Option<Object> {
        self.ads.find(id)
    }

    /// Returns a record for a new object, with an id of its own.
    pub(super) fn record(&self, call: &mut Call<'_>) -> Record {
        let listed_ms = self.now_ms + call.world.writing.list_lag_ms;
        Record { id: call.world.ids.written_ad(), created_ms: self.now_ms, listed_ms }
    }

    /// Returns the change that a new object begins with.
    pub(super) fn change(&self, given: &Given) -> Change {
        let name = given.get("name").and_then(Value::as_str).map(str::to_owned);
        Change { name, updated_ms: Some(self.now_ms), ..Change::default() }
    }

    /// Checks that the token may write in the account.
    ///
    /// # Errors
    /// Returns 200 without any ads permission, 294 with `ads_read` only, 100/33 if the account is not assigned to the
    /// token's owner, 200/1815694 for an owner who may only analyse, 100/1404163 for a disabled account.
    pub(super) fn check_rights(&self, call: &Call<'_>) -> Result<(), GraphError> {
        let person = call.person()?;
        if !call.has_scope("ads_management") {
            return Err(if call.has_scope("ads_read") {
                GraphError::new(
                    403,
                    294,
                    "(#294) Managing advertisements requires the extended permission ads_management and an application \
                     that is whitelisted to access the Marketing API",
                )
            } else {
                GraphError::requires_ads()
            });
        }
        let hidden = || GraphError::not_visible(&call.request.method, &format!("act_{}", self.account_id));
        let account = call.world.ad_account(&self.account_id).ok_or_else(hidden)?;
        if call.world.user(&person).is_none_or(|user| !user.ad_accounts.contains(&account.id)) {
            return Err(hidden());
        }
        if account.analysts.contains(&person) {
            return Err(GraphError::new(403, 200, "(#200) The user does not have the permission for this action.")
                .with_subcode(1_815_694));
        }
        if account.status == 2 {
            return Err(GraphError::invalid("This ad account is disabled.").with_subcode(1_404_163));
        }
        Ok(())
    }
}

/// Checks that the token's owner may advertise for a page.
///
/// # Errors
/// Returns 100/33 if the token cannot see the page, 200 without the task.
pub(super) fn check_page(call: &Call<'_>, page_id: &str) -> Result<(), GraphError> {
    let has_role = call.user_id().and_then(|id| call.world.user(id)).is_some_and(|user| user.role(page_id).is_some());
    let visible = has_role && call.grant().is_some_and(|grant| grant.covers_page(page_id));
    if !visible {
        return Err(GraphError::not_visible(&call.request.method, page_id));
    }
    call.require_task(page_id, &["ADVERTISE"])
}

/// Returns a field of an object as it is read back.
pub(super) fn current(call: &Call<'_>, id: &str, field: &str) -> Option<Value> {
    value(call, id, &Field::plain(field))
}

/// Returns whether two values are the same apart from numbers being text.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        _ => text(left) == text(right),
    }
}

/// Returns the text of a scalar: ids and numbers may be sent as either.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Returns a text or number below a value, such as `link_data.call_to_action.type`.
pub(super) fn text_at(value: &Value, path: &str) -> Option<String> {
    let found = path.split('.').try_fold(value, |value, name| value.get(name))?;
    (found.is_string() || found.is_number()).then(|| text(found))
}
