//! The cookie by which a login at Meta recognises its browser. The console sets it, or the oauth function's page on which
//! a person agrees; the oauth function reads it. It is not encrypted, because the functions share no key for cookies; it
//! contains an unguessable secret.

use url::Url;

/// The name of the cookie of a browser that began a login or agreed to one. With the `__Host-` prefix, browsers accept it from this exact host
/// only: another host under the same domain cannot plant it.
#[must_use]
pub fn login_cookie(origin: &Url) -> &'static str {
    if origin.scheme() == "https" { "__Host-leadwire-connecting" } else { "leadwire-connecting" }
}
