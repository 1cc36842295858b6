//! `/debug_token`: the state of a token.

use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::session::{self, Call};
use crate::world::World;
use crate::world::scope;
use crate::world::token::{Grant, Token, TokenKind};

/// Describes a token, called with the app's token or by a token about itself. An invalid token is described, not
/// rejected: `is_valid` is false and `error` inside `data` gives the reason. Expired data access leaves `is_valid`
/// true; only `data_access_expires_at` shows it.
pub(crate) fn debug_token(call: &mut Call<'_>) -> Result<Value, GraphError> {
    let caller = call.request.param("access_token").unwrap_or_default();
    let input = call
        .request
        .param("input_token")
        .ok_or_else(|| GraphError::invalid("(#100) The parameter input_token is required"))?;
    if caller != input && !session::is_app_token(call.world, caller)? {
        let message = "(#100) You must provide an app access token, or a user access token that is an owner or developer \
                       of the app";
        return Err(GraphError::invalid(message));
    }
    session::check_proof_if_sent(call.world, call.request, caller)?;
    let world = &*call.world;
    let data = if session::is_app_token(world, input).unwrap_or(false) {
        json!({"app_id": world.app.id, "type": "APP", "application": world.app.name, "is_valid": true, "scopes": []})
    } else {
        match world.tokens.get(input) {
            Some(token) => describe(world, token),
            None => {
                let error = GraphError::malformed_token();
                json!({"error": {"code": error.code, "message": error.message}, "is_valid": false, "scopes": []})
            }
        }
    };
    Ok(json!({ "data": data }))
}

fn describe(world: &World, token: &Token) -> Value {
    let mut data = Map::new();
    let mut set = |name: &str, value: Value| data.insert(name.to_owned(), value);
    let now = world.clock.now_s();
    set("app_id", json!(world.app.id));
    set("application", json!(world.app.name));
    set("user_id", json!(token.user_id));
    set("issued_at", json!(token.issued_s));
    set("expires_at", json!(token.expires_s.unwrap_or(0)));
    set("data_access_expires_at", json!(token.data_access_expires_s.unwrap_or(0)));
    match &token.kind {
        TokenKind::User => set("type", json!("USER")),
        TokenKind::SystemUser => set("type", json!("SYSTEM_USER")),
        TokenKind::Page { page_id } => {
            set("profile_id", json!(page_id));
            set("type", json!("PAGE"))
        }
    };
    let refusal = token.session_refused(now);
    set("is_valid", json!(refusal.is_none()));
    if let Some(refusal) = refusal {
        let error = GraphError::refused(refusal, &world.app.id, token.expires_s, now);
        set("error", json!({"code": error.code, "subcode": error.subcode, "message": error.message}));
    }
    let grant = world.grant_behind(token);
    let scopes: Vec<&str> = grant.into_iter().flat_map(Grant::granted).collect();
    set("granular_scopes", granular_scopes(world, grant, &scopes));
    set("scopes", json!(scopes));
    Value::Object(data)
}

/// Returns the pages or Instagram accounts each permission covers. Without `target_ids` a permission covers all pages, present and future.
/// With an empty page selection the permission is omitted.
fn granular_scopes(world: &World, grant: Option<&Grant>, scopes: &[&str]) -> Value {
    let chosen = grant.and_then(|grant| grant.pages.as_ref());
    scopes
        .iter()
        .filter(|name| scope::is_about_pages(name) || scope::is_about_instagram(name))
        .filter_map(|name| match chosen {
            None => Some(json!({ "scope": name })),
            Some(pages) if pages.is_empty() => None,
            Some(pages) if scope::is_about_instagram(name) => {
                let accounts = pages.iter().filter_map(|id| world.instagram.account_of_page(id));
                Some(json!({"scope": name, "target_ids": accounts.map(|account| &account.id).collect::<Vec<_>>()}))
            }
            Some(pages) => Some(json!({"scope": name, "target_ids": pages})),
        })
        .collect()
}
