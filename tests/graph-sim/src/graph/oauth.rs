//! `/oauth/access_token`, with its four grants, and `/oauth/revoke`.

use serde_json::{Value, json};

use super::error::GraphError;
use super::session::{self, Call};
use crate::world::token::{CODE_LIFE_S, LONG_LIVED_S, Refusal, SHORT_LIVED_S, TokenKind};

/// Issues a token for a code (with or without a redirect URI), for app credentials, or for a token to exchange.
pub(crate) fn access_token(call: &mut Call<'_>) -> Result<Value, GraphError> {
    check_client(call)?;
    match call.request.param("grant_type") {
        None | Some("authorization_code") => from_code(call),
        Some("client_credentials") => {
            let token = format!("{}|{}", call.world.app.id, call.world.app.secret);
            Ok(json!({"access_token": token, "token_type": "bearer"}))
        }
        Some("fb_exchange_token") => prolong(call),
        Some(other) => Err(GraphError::invalid(format!("(#100) Param grant_type: {other} is not supported"))),
    }
}

/// Exchanges a code for a short-lived user token. A code works once, for ten minutes, and only with the redirect URI it
/// was requested with.
fn from_code(call: &mut Call<'_>) -> Result<Value, GraphError> {
    let text = required(call, "code")?;
    let now = call.world.clock.now_s();
    let refused = |subcode, message: &str| GraphError::invalid(message).with_subcode(subcode);
    let mismatch = || {
        refused(
            36_008,
            "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in \
             the OAuth dialog request",
        )
    };
    let given_uri = call.request.param("redirect_uri").filter(|uri| !uri.is_empty()).map(str::to_owned);
    let code = call.world.codes.get_mut(&text).ok_or_else(mismatch)?;
    if code.used {
        return Err(refused(36_009, "This authorization code has been used."));
    }
    if now - code.issued_s >= CODE_LIFE_S {
        return Err(refused(36_007, "This authorization code has expired."));
    }
    if code.redirect_uri != given_uri {
        return Err(mismatch());
    }
    code.used = true;
    let user_id = code.user_id.clone();
    let token = call.world.mint_user_token(&user_id, SHORT_LIVED_S);
    Ok(json!({"access_token": token, "token_type": "bearer", "expires_in": SHORT_LIVED_S}))
}

/// Exchanges a user token for a new one of about 60 days. The old one stays valid until its own expiry; an expired one
/// cannot be exchanged. A system user's 60-day token is refreshed only with `set_token_expires_in_60_days=true`. A
/// system user's token that never expires is rejected. (Both errors are unconfirmed.)
fn prolong(call: &mut Call<'_>) -> Result<Value, GraphError> {
    let text = required(call, "fb_exchange_token")?;
    let now = call.world.clock.now_s();
    let token = call.world.tokens.get(&text).ok_or_else(GraphError::malformed_token)?;
    if let Some(refusal) = token.refused(now) {
        return Err(GraphError::refused(refusal, &call.world.app.id, token.expires_s, now));
    }
    if token.is_page() {
        return Err(GraphError::invalid("(#100) Param fb_exchange_token must be a user access token"));
    }
    if token.kind == TokenKind::SystemUser {
        if call.request.param("set_token_expires_in_60_days") != Some("true") {
            return Err(GraphError::invalid("(#100) Param set_token_expires_in_60_days must be true for system users"));
        }
        if token.expires_s.is_none() {
            return Err(GraphError::invalid("(#100) Param fb_exchange_token never expires"));
        }
        let old = token.clone();
        let fresh = call.world.renew_system_token(&old, LONG_LIVED_S);
        return Ok(json!({"access_token": fresh, "token_type": "bearer", "expires_in": LONG_LIVED_S}));
    }
    let (user_id, data_access) = (token.user_id.clone(), token.data_access_expires_s);
    let fresh = call.world.mint_user_token(&user_id, LONG_LIVED_S);
    // An exchange is not a login: the 90 days of data access keep running.
    if let Some(token) = call.world.tokens.get_mut(&fresh) {
        token.data_access_expires_s = data_access;
    }
    Ok(json!({"access_token": fresh, "token_type": "bearer", "expires_in": LONG_LIVED_S}))
}

/// `/oauth/revoke`: invalidates `revoke_token` immediately. Page tokens obtained through it stay valid.
pub(crate) fn revoke(call: &mut Call<'_>) -> Result<Value, GraphError> {
    check_client(call)?;
    let caller = required(call, "access_token")?;
    if !session::is_app_token(call.world, &caller)? && !call.world.tokens.contains_key(&caller) {
        return Err(GraphError::malformed_token());
    }
    let text = required(call, "revoke_token")?;
    let token = call.world.tokens.get_mut(&text).ok_or_else(GraphError::malformed_token)?;
    token.refusal = Some(Refusal::Revoked);
    Ok(json!({"success": true}))
}

fn check_client(call: &Call<'_>) -> Result<(), GraphError> {
    if required(call, "client_id")? != call.world.app.id {
        let message = "Error validating application. Cannot get application info due to a system error.";
        return Err(GraphError::new(400, 101, message));
    }
    if required(call, "client_secret")? != call.world.app.secret {
        let mut error = GraphError::new(400, 1, "Error validating client secret.");
        error.is_transient = false;
        return Err(error);
    }
    Ok(())
}

fn required(call: &Call<'_>, name: &str) -> Result<String, GraphError> {
    let text = call.request.param(name).filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| GraphError::invalid(format!("Missing {name} parameter.")))
}
