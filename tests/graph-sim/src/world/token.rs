//! Access tokens: their owners, their lifetimes, and why they become invalid.

use std::collections::{BTreeMap, BTreeSet};

/// Lifetime of a long-lived user token: "about 60 days".
pub(crate) const LONG_LIVED_S: i64 = 5_183_976;
/// Lifetime of the user token that a code is exchanged for. Meta says one to two hours.
pub(crate) const SHORT_LIVED_S: i64 = 5_400;
/// How long a person's data stays readable after the person last used the login dialog: 90 days.
pub(crate) const DATA_ACCESS_S: i64 = 90 * 24 * 3600;
/// Lifetime of a login code. Meta publishes no number.
pub(crate) const CODE_LIFE_S: i64 = 600;

/// The principal of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    User,
    SystemUser,
    Page { page_id: String },
}

/// A token that the simulator issued. App tokens are not stored: they are `APPID|SECRET`.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) user_id: String,
    pub(crate) issued_s: i64,
    /// Epoch seconds; `None` if it never expires.
    pub(crate) expires_s: Option<i64>,
    /// Epoch seconds; `None` if it never expires.
    pub(crate) data_access_expires_s: Option<i64>,
    pub(crate) refusal: Option<Refusal>,
    /// The grant of a system user's token at the time of its creation, inherited by page tokens derived from it. `None`
    /// for people's tokens: a person's grant belongs to the person.
    pub(crate) snapshot: Option<Grant>,
}

/// Why a token became invalid. Each reason has its own subcode of error 190.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 458: the person removed the app.
    AppRemoved,
    /// 459: the person must pass a checkpoint at facebook.com first.
    Checkpoint,
    /// 460: the password changed, or the session was invalidated.
    PasswordChanged,
    /// 463: the token expired.
    Expired,
    /// 467: the token was revoked, or the person logged out.
    Revoked,
    /// 492: the person lost the role on the page.
    RoleLost,
    /// 483: the person is under consent blocking.
    ConsentBlocked,
    /// 493: 90 days without the person using the app.
    DataAccessExpired,
}

impl Token {
    pub(crate) fn is_page(&self) -> bool {
        matches!(self.kind, TokenKind::Page { .. })
    }

    /// Whether it is a system user's token or a page token derived from one. Expired data access never affects these.
    pub(crate) fn is_of_system_user(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Why the token is rejected for data at `now_s`, in the order in which Meta checks.
    pub(crate) fn refused(&self, now_s: i64) -> Option<Refusal> {
        self.session_refused(now_s)
            .or_else(|| self.data_access_expires_s.is_some_and(|at| at <= now_s).then_some(Refusal::DataAccessExpired))
    }

    /// Like [`Token::refused`], but for `debug_token`, where a token stays valid after its data access has expired.
    pub(crate) fn session_refused(&self, now_s: i64) -> Option<Refusal> {
        self.refusal.or_else(|| self.expires_s.is_some_and(|at| at <= now_s).then_some(Refusal::Expired))
    }
}

/// What a person allowed the app. The grant belongs to the person, not to a token, so withdrawing a permission or a
/// page also affects tokens issued before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grant {
    pub(crate) permissions: BTreeMap<String, Permission>,
    /// The pages with consent; `None` means all pages, present and future.
    pub(crate) pages: Option<BTreeSet<String>>,
}

/// `status` of one element of `/me/permissions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Granted,
    Declined,
}

impl Grant {
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.permissions.get(scope) == Some(&Permission::Granted)
    }

    pub(crate) fn granted(&self) -> impl Iterator<Item = &str> {
        self.permissions
            .iter()
            .filter(|(_, permission)| **permission == Permission::Granted)
            .map(|(scope, _)| scope.as_str())
    }

    pub(crate) fn covers_page(&self, page_id: &str) -> bool {
        self.pages.as_ref().is_none_or(|pages| pages.contains(page_id))
    }
}

/// The `code` that a login ends with.
#[derive(Debug, Clone)]
pub(crate) struct LoginCode {
    pub(crate) user_id: String,
    /// `None` for a login through the JavaScript SDK, whose exchange names no address.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) issued_s: i64,
    pub(crate) used: bool,
}
