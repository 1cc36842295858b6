//! `/{post}/reactions`, `/{comment}/reactions` and `/{post}/sharedposts`.

use serde_json::{Value, json};

use super::super::content::params;
use super::super::error::GraphError;
use super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::session::Call;
use crate::world::inbox::Account;

const REACTIONS: Elements = Elements { node_type: Some("Reaction"), defaults: &[], max_limit: 100 };
const POSTS: Elements = Elements { node_type: Some("PagePost"), defaults: &[], max_limit: 100 };
/// The values of `type`.
const TYPES: &[&str] =
    &["NONE", "LIKE", "LOVE", "WOW", "HAHA", "SAD", "ANGRY", "THANKFUL", "PRIDE", "CARE", "FIRE", "HUNDRED"];

/// Lists who reacted, newest first. Names only with `pages_read_user_content`.
pub(super) fn list(call: &mut Call<'_>, on: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    params::check_limit(query)?;
    let wanted = query.param("type").map(str::to_uppercase);
    if let Some(unknown) = wanted.as_deref().filter(|name| !TYPES.contains(name)) {
        let names = TYPES.join(", ");
        return Err(GraphError::invalid(format!("(#100) Param type must be one of {{{names}}} - got \"{unknown}\".")));
    }
    let named = call.has_scope("pages_read_user_content");
    let found: Vec<_> = call
        .world
        .inbox
        .reactions
        .iter()
        .rev()
        .filter(|it| it.active && it.on() == on)
        .filter(|it| wanted.as_ref().is_none_or(|name| name == "NONE" || *name == it.api_name()))
        .cloned()
        .collect();
    let items = found
        .into_iter()
        .map(|it| {
            let id = call.world.scoped_id(it.visitor, &Account::Page(it.page_id.clone()));
            let name = call.world.inbox.visitors.get(it.visitor).map(|visitor| visitor.name.clone());
            let mut value = json!({"type": it.api_name()});
            if let Some(members) = value.as_object_mut().filter(|_| named) {
                members.insert("id".to_owned(), json!(id));
                members.insert("name".to_owned(), json!(name));
            }
            (id, Item::Value(value))
        })
        .collect();
    let mut answer = paging::page(call, query, items, &REACTIONS)?;
    if let Some(summary) = answer.get_mut("summary").and_then(Value::as_object_mut) {
        summary.insert("viewer_reaction".to_owned(), json!("NONE"));
    }
    Ok(answer)
}

/// Lists public shares. The people who share here do so for their friends only, so the list is empty.
pub(super) fn shared_posts(call: &mut Call<'_>, query: &EdgeQuery) -> Result<Value, GraphError> {
    paging::page(call, query, Vec::new(), &POSTS)
}
