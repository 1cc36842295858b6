//! `POST /_sim/tokens`: what happens to people and their tokens outside the client's sight.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::server::Sim;
use crate::world::World;
use crate::world::person::RoleSlot;
use crate::world::token::{Refusal, Token, TokenKind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    action: String,
    user_id: Option<String>,
    page_id: Option<String>,
    /// Epoch seconds; 0 = never.
    expires_at: Option<i64>,
    /// Epoch seconds; 0 = never.
    data_access_expires_at: Option<i64>,
}

/// `user_id` means that person's tokens, page tokens included; `page_id` all page tokens of a page; both, that person's
/// tokens of that page. Tokens of later logins are not touched.
///
/// | action | then |
/// |---|---|
/// | `expire` | 190/463 |
/// | `revoke` | 190/467 |
/// | `password` | 190/460 |
/// | `checkpoint` | 190/459 |
/// | `data_access_expired` | 190/493, while `debug_token` still says valid |
/// | `role_lost` | the page is gone from the lists, its tokens answer 190/492; the user token lives |
/// | `role_restored` | the page is back; new page tokens work |
/// | `remove_app` | as if removed in the settings: 190/458, nothing granted any more |
/// | `set_expiry` | sets the clocks given; of user tokens, or with `page_id` of page tokens (a page token made from a long-lived user token has no expiry of its own); `data_access_expires_at` is set on both |
pub(crate) async fn act(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let mut world = sim.world();
    check(&world, &input)?;
    let now = world.clock.now_s();
    let matches = matcher(input.user_id.clone(), input.page_id.clone());
    let tokens = match input.action.as_str() {
        "expire" => world.refuse_tokens(Refusal::Expired, matches),
        "revoke" => world.refuse_tokens(Refusal::Revoked, matches),
        "password" => world.refuse_tokens(Refusal::PasswordChanged, matches),
        "checkpoint" => world.refuse_tokens(Refusal::Checkpoint, matches),
        "data_access_expired" => each(&mut world, matches, |token| token.data_access_expires_s = Some(now)),
        "role_lost" => {
            set_role(&mut world, &input, true);
            let pages = matcher(input.user_id.clone(), input.page_id.clone());
            world.refuse_tokens(Refusal::RoleLost, move |token| token.kind != TokenKind::User && pages(token))
        }
        "role_restored" => {
            set_role(&mut world, &input, false);
            0
        }
        "remove_app" => {
            let user_id = input.user_id.ok_or_else(|| Mistake::new("remove_app: user_id is required"))?;
            world.remove_app(&user_id);
            each(&mut world, matches, |_| ())
        }
        "set_expiry" => set_expiry(&mut world, &input)?,
        other => {
            return Err(Mistake::new(format!(
                "action: must be expire, revoke, password, checkpoint, role_lost, role_restored, data_access_expired, \
                 remove_app or set_expiry, got \"{other}\""
            )));
        }
    };
    Ok(Json(json!({ "tokens": tokens })))
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
        let is_user = token.kind == TokenKind::User;
        if let Some(at) = input.expires_at.filter(|_| is_user || pages_meant || token.expires_s.is_some()) {
            token.expires_s = clock(at);
        }
        if let Some(at) = input.data_access_expires_at {
            token.data_access_expires_s = clock(at);
        }
    }))
}
