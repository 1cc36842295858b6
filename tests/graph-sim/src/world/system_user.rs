//! Tokens of system users, which their business creates without a login.

use super::World;
use super::token::{Grant, Permission, Refusal, Token, TokenKind};

/// The usual permissions of a lead integration's system user.
pub(crate) const USUAL_SCOPES: &[&str] = &[
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_metadata",
    "pages_manage_ads",
    "pages_messaging",
    "leads_retrieval",
    "ads_read",
    "ads_management",
    "business_management",
];

impl World {
    /// Creates a token of a system user that lives `life_s` seconds, or never expires.
    ///
    /// The token is a snapshot of `scopes` and the pages assigned at that moment. Older tokens stay valid; page tokens
    /// derived from them do not.
    pub(crate) fn mint_system_token(&mut self, user_id: &str, scopes: &[String], life_s: Option<i64>) -> String {
        let pages = self.user(user_id).map(|user| user.pages().map(str::to_owned).collect()).unwrap_or_default();
        let granted = scopes.iter().map(|scope| (scope.clone(), Permission::Granted)).collect();
        self.keep_system_token(user_id, Grant { permissions: granted, pages: Some(pages) }, life_s)
    }

    /// Creates a token with the snapshot of an older one.
    pub(crate) fn renew_system_token(&mut self, old: &Token, life_s: i64) -> String {
        let snapshot = old.snapshot.clone().unwrap_or_default();
        self.keep_system_token(&old.user_id, snapshot, Some(life_s))
    }

    fn keep_system_token(&mut self, user_id: &str, snapshot: Grant, life_s: Option<i64>) -> String {
        let now = self.clock.now_s();
        self.refuse_tokens(Refusal::PasswordChanged, |token| token.is_page() && token.user_id == user_id);
        self.keep(Token {
            kind: TokenKind::SystemUser,
            user_id: user_id.to_owned(),
            issued_s: now,
            expires_s: life_s.map(|life_s| now + life_s),
            data_access_expires_s: None,
            refusal: None,
            snapshot: Some(snapshot),
        })
    }
}
