//! `POST /_sim/tokens`: what happens to people and their tokens without the client noticing.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::privacy::{self, Callback};
use crate::server::Sim;
use crate::world::World;
use crate::world::person::RoleSlot;
use crate::world::scope;
use crate::world::token::{Refusal, Token, TokenKind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    action: String,
    user_id: Option<String>,
    page_id: Option<String>,
    /// Epoch seconds; 0 means never.
    expires_at: Option<i64>,
    /// Epoch seconds; 0 means never.
    data_access_expires_at: Option<i64>,
    /// For `scope_revoked`.
    scopes: Option<Vec<String>>,
}

/// `user_id` selects the tokens of that person or system user, including page tokens. `page_id` selects all page tokens
/// of a page. Both select that person's tokens of that page. Tokens of later logins are not affected.
///
/// | action | effect |
/// |---|---|
/// | `expire` | 190/463 |
/// | `revoke` | 190/467 |
/// | `password` | 190/460 |
/// | `checkpoint` | 190/459 |
/// | `consent_blocked` | 190/483 |
/// | `restore` | tokens rejected by any of the above become valid again, unless their expiry date has passed |
/// | `data_access_expired` | 190/493, while `debug_token` still reports the token as valid; never affects a system user's tokens |
/// | `scope_revoked` | the permissions in `scopes` are withdrawn: they count as declined, and calls that need them fail |
/// | `role_lost` | the page disappears from the lists and its tokens fail with 190/492; the user token stays valid |
/// | `role_restored` | the page returns; new page tokens work |
/// | `remove_app` | as if removed in the settings: 190/458, all grants end; the deauthorize callback is sent if it has an address, and its response is returned as `deauthorize` |
/// | `set_expiry` | sets the given expiries; `expires_at` applies to page tokens without an expiry (those derived from a long-lived user token) only with `page_id`; `data_access_expires_at` applies to all but system users' tokens |
pub(crate) async fn act(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let (tokens, callback) = {
        let mut world = sim.world();
        check(&world, &input)?;
        (change(&mut world, &input)?, deauthorization(&world, &input))
    };
    let mut answer = json!({ "tokens": tokens });
    if let (Some((address, signed_request)), Some(members)) = (callback, answer.as_object_mut()) {
        members.insert("deauthorize".to_owned(), privacy::post(&sim, &address, &signed_request).await);
    }
    Ok(Json(answer))
}

/// The deauthorize callback's address and the signed request to send there.
fn deauthorization(world: &World, input: &Input) -> Option<(String, String)> {
    let user_id = input.user_id.as_deref().filter(|_| input.action == "remove_app")?;
    Some((Callback::Deauthorize.address(world)?, privacy::signed_request(world, user_id)))
}

/// Performs the action and returns the number of tokens it affected.
fn change(world: &mut World, input: &Input) -> Result<usize, Mistake> {
    let now = world.clock.now_s();
    let matches = matcher(input.user_id.clone(), input.page_id.clone());
    let tokens = match input.action.as_str() {
        "expire" => world.refuse_tokens(Refusal::Expired, matches),
        "revoke" => world.refuse_tokens(Refusal::Revoked, matches),
        "password" => world.refuse_tokens(Refusal::PasswordChanged, matches),
        "checkpoint" => world.refuse_tokens(Refusal::Checkpoint, matches),
        "consent_blocked" => world.refuse_tokens(Refusal::ConsentBlocked, matches),
        "restore" => world.restore_tokens(matches),
        "scope_revoked" => {
            let (user_id, scopes) = withdrawal(input)?;
            world.withdraw_scopes(user_id, scopes);
            each(world, matches, |_| ())
        }
        "data_access_expired" => {
            let people = move |token: &Token| !token.is_of_system_user() && matches(token);
            each(world, people, |token| token.data_access_expires_s = Some(now))
        }
        "role_lost" => {
            set_role(world, input, true);
            let pages = matcher(input.user_id.clone(), input.page_id.clone());
            world.refuse_tokens(Refusal::RoleLost, move |token| token.is_page() && pages(token))
        }
        "role_restored" => {
            set_role(world, input, false);
            0
        }
        "remove_app" => {
            let user_id = input.user_id.as_deref().ok_or_else(|| Mistake::new("remove_app: user_id is required"))?;
            world.remove_app(user_id);
            each(world, matches, |_| ())
        }
        "set_expiry" => set_expiry(world, input)?,
        other => {
            return Err(Mistake::new(format!(
                "action: must be expire, revoke, password, checkpoint, consent_blocked, restore, scope_revoked, \
                 role_lost, role_restored, data_access_expired, remove_app or set_expiry, got \"{other}\""
            )));
        }
    };
    Ok(tokens)
}

fn check(world: &World, input: &Input) -> Result<(), Mistake> {
    if let Some(user_id) = input.user_id.as_deref().filter(|id| world.user(id).is_none()) {
        return Err(Mistake::new(format!("user_id: there is no user {user_id}")));
    }
    if let Some(page_id) = input.page_id.as_ref().filter(|id| !world.pages.contains_key(*id)) {
        return Err(Mistake::new(format!("page_id: there is no page {page_id}")));
    }
    if input.user_id.is_none() && input.page_id.is_none() {
        return Err(Mistake::new("user_id or page_id is required"));
    }
    Ok(())
}

/// The user and the permissions to withdraw.
fn withdrawal(input: &Input) -> Result<(&str, &[String]), Mistake> {
    let user_id = input.user_id.as_deref().ok_or_else(|| Mistake::new("scope_revoked: user_id is required"))?;
    let scopes = input.scopes.as_deref().unwrap_or_default();
    match scopes.iter().find(|name| !scope::is_known(name)) {
        Some(unknown) => Err(Mistake::new(format!("scopes: there is no permission {unknown}"))),
        None if scopes.is_empty() => Err(Mistake::new("scope_revoked: scopes is required")),
        None => Ok((user_id, scopes)),
    }
}

fn matcher(user_id: Option<String>, page_id: Option<String>) -> impl Fn(&Token) -> bool {
    move |token| {
        let by_user = user_id.as_ref().is_none_or(|id| token.user_id == *id);
        let by_page =
            page_id.as_ref().is_none_or(|id| matches!(&token.kind, TokenKind::Page { page_id } if page_id == id));
        by_user && by_page
    }
}

fn each(world: &mut World, matches: impl Fn(&Token) -> bool, change: impl Fn(&mut Token)) -> usize {
    world.tokens.values_mut().filter(|token| matches(token)).map(change).count()
}

fn set_role(world: &mut World, input: &Input, lost: bool) {
    let wanted = |id: &Option<String>, known: &str| id.as_deref().is_none_or(|id| id == known);
    for user in world.users.iter_mut().filter(|user| wanted(&input.user_id, &user.id)) {
        for slot in &mut user.roles {
            if let RoleSlot::Role(role) = slot
                && wanted(&input.page_id, &role.page_id)
            {
                role.lost = lost;
            }
        }
    }
}

fn set_expiry(world: &mut World, input: &Input) -> Result<usize, Mistake> {
    if input.expires_at.is_none() && input.data_access_expires_at.is_none() {
        return Err(Mistake::new("set_expiry: expires_at or data_access_expires_at is required"));
    }
    let clock = |at: i64| (at > 0).then_some(at);
    let pages_meant = input.page_id.is_some();
    let matches = matcher(input.user_id.clone(), input.page_id.clone());
    Ok(each(world, matches, |token| {
        if let Some(at) = input.expires_at.filter(|_| !token.is_page() || pages_meant || token.expires_s.is_some()) {
            token.expires_s = clock(at);
        }
        if let Some(at) = input.data_access_expires_at.filter(|_| !token.is_of_system_user()) {
            token.data_access_expires_s = clock(at);
        }
    }))
}
