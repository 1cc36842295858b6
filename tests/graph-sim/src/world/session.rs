//! Creating tokens, and what a token may do at the moment.

use std::collections::BTreeSet;

use super::World;
use super::ids;
use super::token::{DATA_ACCESS_S, Grant, Permission, Refusal, Token, TokenKind};

impl World {
    /// Creates a user token. `life_s` is [`super::token::SHORT_LIVED_S`] or [`super::token::LONG_LIVED_S`].
    pub(crate) fn mint_user_token(&mut self, user_id: &str, life_s: i64) -> String {
        let now = self.clock.now_s();
        self.keep(Token {
            kind: TokenKind::User,
            user_id: user_id.to_owned(),
            issued_s: now,
            expires_s: Some(now + life_s),
            data_access_expires_s: Some(now + DATA_ACCESS_S),
            refusal: None,
            snapshot: None,
        })
    }

    /// The page token derived from a user token. Every call returns the same text while that page token is valid.
    ///
    /// A page token derived from a long-lived token does not expire. One derived from a short-lived token expires with
    /// it, and so does one derived from an expiring token of a system user. (The latter is undocumented.)
    pub(crate) fn page_token(&mut self, user_token: &str, page_id: &str) -> Option<String> {
        let now = self.clock.now_s();
        let parent = self.tokens.get(user_token)?.clone();
        if parent.refused(now).is_some() || !self.has_page_token(&parent, page_id) {
            return None;
        }
        let key = (user_token.to_owned(), page_id.to_owned());
        if let Some(known) = self.page_token_of.get(&key)
            && self.tokens.get(known).is_some_and(|token| token.refused(now).is_none())
        {
            return Some(known.clone());
        }
        let lives_long =
            parent.expires_s.is_none_or(|at| !parent.is_of_system_user() && at - parent.issued_s > 24 * 3600);
        let text = self.keep(Token {
            kind: TokenKind::Page { page_id: page_id.to_owned() },
            user_id: parent.user_id,
            issued_s: now,
            expires_s: if lives_long { None } else { parent.expires_s },
            data_access_expires_s: parent.data_access_expires_s,
            refusal: None,
            snapshot: parent.snapshot,
        });
        self.page_token_of.insert(key, text.clone());
        Some(text)
    }

    fn has_page_token(&self, parent: &Token, page_id: &str) -> bool {
        let consented = self.grant_behind(parent).is_some_and(|grant| grant.covers_page(page_id));
        consented && self.user(&parent.user_id).and_then(|user| user.role(page_id)).is_some_and(|role| role.has_token)
    }

    /// The grant of a token: its own snapshot, or the grant of its person.
    pub(crate) fn grant_behind<'w>(&'w self, token: &'w Token) -> Option<&'w Grant> {
        token.snapshot.as_ref().or_else(|| self.grants.get(&token.user_id))
    }

    pub(super) fn keep(&mut self, token: Token) -> String {
        let text = ids::token_text();
        self.tokens.insert(text.clone(), token);
        text
    }

    /// Whether the person behind a token has one of `tasks` on a page.
    pub(crate) fn has_task(&self, user_id: &str, page_id: &str, tasks: &[&str]) -> bool {
        self.user(user_id)
            .and_then(|user| user.role(page_id))
            .is_some_and(|role| role.tasks.iter().any(|task| tasks.contains(task)))
    }

    /// Records a person's choices in the dialog. Permissions that were not asked for stay as they were.
    pub(crate) fn record_consent(
        &mut self,
        user_id: &str,
        granted: &[String],
        declined: &[String],
        pages: Option<BTreeSet<String>>,
    ) {
        let grant = self.grants.entry(user_id.to_owned()).or_default();
        for scope in declined {
            grant.permissions.insert(scope.clone(), Permission::Declined);
        }
        for scope in granted {
            grant.permissions.insert(scope.clone(), Permission::Granted);
        }
        grant.pages = pages;
    }

    /// Withdraws permissions from a person, or from every token of a system user. They count as declined.
    pub(crate) fn withdraw_scopes(&mut self, user_id: &str, scopes: &[String]) {
        let snapshots = self.tokens.values_mut().filter(|token| token.user_id == user_id);
        let snapshots = snapshots.filter_map(|token| token.snapshot.as_mut());
        for grant in self.grants.get_mut(user_id).into_iter().chain(snapshots) {
            for scope in scopes {
                grant.permissions.insert(scope.clone(), Permission::Declined);
            }
        }
    }

    /// Removes the app from a person: all grants end, and every token of the person fails with 190/458.
    pub(crate) fn remove_app(&mut self, user_id: &str) {
        self.grants.remove(user_id);
        self.refuse_tokens(Refusal::AppRemoved, |token| token.user_id == user_id);
    }

    /// Invalidates every valid token that matches and returns their number. Tokens created later are not affected.
    pub(crate) fn refuse_tokens(&mut self, refusal: Refusal, matches: impl Fn(&Token) -> bool) -> usize {
        let mut count = 0;
        for token in self.tokens.values_mut().filter(|token| token.refusal.is_none() && matches(token)) {
            token.refusal = Some(refusal);
            count += 1;
        }
        count
    }

    /// Makes matching tokens valid again, for example after a passed checkpoint, and returns their number. Three things
    /// are permanent: a removed app (nothing is granted any more), a lost role (a restored one needs a new page token),
    /// and expiry.
    pub(crate) fn restore_tokens(&mut self, matches: impl Fn(&Token) -> bool) -> usize {
        let lasting = |token: &Token| matches!(token.refusal, None | Some(Refusal::AppRemoved | Refusal::RoleLost));
        let mut count = 0;
        for token in self.tokens.values_mut().filter(|token| !lasting(token) && matches(token)) {
            token.refusal = None;
            count += 1;
        }
        count
    }
}
