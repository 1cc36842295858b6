//! Access tokens: whose they are, how long they live, and what killed them.

use std::collections::{BTreeMap, BTreeSet};

/// Length of a long-lived user token: "about 60 days".
pub(crate) const LONG_LIVED_S: i64 = 5_183_976;
/// Length of the user token a code is exchanged for: one to two hours.
pub(crate) const SHORT_LIVED_S: i64 = 5_400;
/// Reads of a person's data end this long after they last went through the login dialog.
pub(crate) const DATA_ACCESS_S: i64 = 90 * 24 * 3600;
/// A code of the login dialog lives this long (Meta publishes no number).
pub(crate) const CODE_LIFE_S: i64 = 600;

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    User,
    SystemUser,
    Page { page_id: String },
}

/// A token this simulator handed out. App tokens are not kept: they are `APPID|SECRET`.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) user_id: String,
    pub(crate) issued_s: i64,
    /// Epoch seconds; `None` = never.
    pub(crate) expires_s: Option<i64>,
    /// Epoch seconds; `None` = never.
    pub(crate) data_access_expires_s: Option<i64>,
    pub(crate) refusal: Option<Refusal>,
    /// What a system user's token was given when it was made, and page tokens derived from it. `None` for people's
    /// tokens: what a person allows holds for the person.
    pub(crate) snapshot: Option<Grant>,
}

/// Why a token is dead before its time; each has its own subcode of error 190.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 458: the person removed the app.
    AppRemoved,
    /// 459: the person must pass a checkpoint at facebook.com first.
    Checkpoint,
    /// 460: the password changed, or the session was invalidated.
    PasswordChanged,
    /// 463: expired.
    Expired,
    /// 467: revoked or logged out.
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

    /// A system user's token, or a page token derived from one: ended data access never touches these.
    pub(crate) fn is_of_system_user(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Why the token is refused for data at `now_s`, in the order Meta would notice it.
    pub(crate) fn refused(&self, now_s: i64) -> Option<Refusal> {
        self.session_refused(now_s)
            .or_else(|| self.data_access_expires_s.is_some_and(|at| at <= now_s).then_some(Refusal::DataAccessExpired))
    }

    /// As [`Token::refused`], but for `debug_token`: ended data access leaves a token valid there.
    pub(crate) fn session_refused(&self, now_s: i64) -> Option<Refusal> {
        self.refusal.or_else(|| self.expires_s.is_some_and(|at| at <= now_s).then_some(Refusal::Expired))
    }
}

/// What a person allowed the app. It lives with the person, not with a token: withdrawing a permission or a page
/// touches tokens handed out before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grant {
    pub(crate) permissions: BTreeMap<String, Permission>,
    /// Pages consented to; `None` = all, present and future.
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

/// The `code` a login ends with.
#[derive(Debug, Clone)]
pub(crate) struct LoginCode {
    pub(crate) user_id: String,
    /// `None` for the JavaScript SDK's kind of login, whose exchange names no address.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) issued_s: i64,
    pub(crate) used: bool,
}
