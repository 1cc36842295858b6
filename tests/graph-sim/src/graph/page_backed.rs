//! `/{page}/page_backed_instagram_accounts`: the account that Meta makes for a page whose ads run on Instagram without a
//! real one.

use serde_json::{Value, json};

use super::ads::library::{INSTAGRAM, instagram_account};
use super::error::GraphError;
use super::paging::{self, EdgeQuery};
use super::session::Call;

pub(crate) fn list(call: &mut Call<'_>, page_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    check(call, page_id)?;
    let account = call.world.writing.page_backed.get(page_id).cloned();
    let items = account.into_iter().map(|id| (id.clone(), instagram_account(call, id))).collect();
    paging::page(call, query, items, &INSTAGRAM)
}

/// Makes the account, or returns the one that the page has.
pub(crate) fn create(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    check(call, page_id)?;
    let new = format!("1785{:0>13}", page_id.get(..13).unwrap_or(page_id));
    let id = call.world.writing.page_backed.entry(page_id.to_owned()).or_insert(new);
    Ok(json!({ "id": id }))
}

fn check(call: &Call<'_>, page_id: &str) -> Result<(), GraphError> {
    call.require_page_token(page_id, page_id)?;
    call.require_scope("pages_manage_ads")?;
    call.require_task(page_id, &["ADVERTISE"])
}
