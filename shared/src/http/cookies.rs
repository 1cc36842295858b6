//! The cookies by which a login at Meta recognises its browser. The console sets the first, and the oauth function
//! reads both. They are not encrypted, because the functions share no key for cookies; each contains an unguessable
//! secret.

use url::Url;

/// The name of the cookie set when a login begins. With the `__Host-` prefix, browsers accept it from this exact host
/// only: another host under the same domain cannot plant it.
#[must_use]
pub fn login_cookie(origin: &Url) -> &'static str {
    if origin.scheme() == "https" { "__Host-leadwire-connecting" } else { "leadwire-connecting" }
}

/// The name of the cookie set when a login is finished.
#[must_use]
pub fn visit_cookie(origin: &Url) -> &'static str {
    if origin.scheme() == "https" { "__Host-leadwire-connected" } else { "leadwire-connected" }
}
