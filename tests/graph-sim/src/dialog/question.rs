//! The validated request of a client.

use std::collections::BTreeMap;

use url::{Host, Url};

use crate::world::World;
use crate::world::person::User;
use crate::world::scope;
use crate::world::token::Permission;

/// The validated parameters of the dialog's URL.
#[derive(Debug)]
pub(crate) struct Question {
    params: BTreeMap<String, String>,
    /// `None` for a JavaScript SDK login, which gets its code without a redirect.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) user_id: String,
    /// Whether the URL or the page named the person.
    pub(crate) user_is_chosen: bool,
    /// The permissions to decide on.
    pub(crate) scopes: Vec<String>,
    /// Whether all permissions must be granted together, as in a Login-for-Business configuration.
    pub(crate) all_or_nothing: bool,
}

impl Question {
    /// Parses a query string or form body.
    ///
    /// # Errors
    /// Returns a message for the person at the dialog.
    pub(crate) fn read(world: &World, encoded: &str) -> Result<Self, String> {
        let params: BTreeMap<String, String> = url::form_urlencoded::parse(encoded.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let text = |name: &str| params.get(name).map(String::as_str).filter(|text| !text.is_empty());
        if text("client_id") != Some(&world.app.id) {
            return Err("Invalid App ID: The provided app ID does not look like a valid app ID.".to_owned());
        }
        // Only the JavaScript SDK login may omit the redirect URI.
        let redirect_uri = text("redirect_uri").map(str::to_owned);
        match &redirect_uri {
            Some(uri) if !may_redirect(world, uri) => {
                return Err(
                    "URL Blocked: This redirect failed because the redirect URI is not white-listed in the app's \
                            client OAuth settings."
                        .to_owned(),
                );
            }
            None if text("_sim").is_none() => return Err("The parameter redirect_uri is required".to_owned()),
            Some(_) | None => {}
        }
        if let Some(kind) = text("response_type").filter(|kind| *kind != "code") {
            return Err(format!("response_type {kind} is not simulated; use code"));
        }
        // Without a choice, the first person logs in.
        let user_id = text("_user").map(str::to_owned);
        let user_is_chosen = user_id.is_some();
        let user_id = user_id.or_else(|| world.people().next().map(|user| user.id.clone())).unwrap_or_default();
        if world.user(&user_id).is_none_or(User::is_system) {
            return Err(format!("There is no user {user_id}"));
        }
        let (scopes, all_or_nothing) = match text("config_id") {
            Some(id) => {
                let scopes = world.app.login_configurations.get(id).cloned();
                (scopes.ok_or_else(|| format!("There is no login configuration {id}"))?, true)
            }
            None => (asked_scopes(world, &user_id, text("scope"), text("auth_type"))?, false),
        };
        Ok(Self { redirect_uri, user_id, user_is_chosen, scopes, all_or_nothing, params })
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// The client's own parameters, for the page's hidden inputs.
    pub(crate) fn client_params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params
            .iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Returns the permissions to decide on: those requested, except those declined earlier unless `auth_type` is
/// `rerequest`.
fn asked_scopes(
    world: &World,
    user_id: &str,
    scope: Option<&str>,
    auth_type: Option<&str>,
) -> Result<Vec<String>, String> {
    let asked: Vec<&str> = scope.unwrap_or_default().split([',', ' ']).filter(|name| !name.is_empty()).collect();
    let unknown: Vec<&str> = asked.iter().copied().filter(|name| !scope::is_known(name)).collect();
    if !unknown.is_empty() {
        return Err(format!("Invalid Scopes: {}. This message is only shown to developers.", unknown.join(", ")));
    }
    let again = auth_type.is_some_and(|types| types.split(',').any(|kind| kind == "rerequest"));
    let declined = |name: &str| {
        world.grants.get(user_id).and_then(|grant| grant.permissions.get(name)) == Some(&Permission::Declined)
    };
    let mut scopes = vec!["public_profile".to_owned()];
    for name in asked {
        if (again || !declined(name)) && !scopes.iter().any(|known| known == name) {
            scopes.push(name.to_owned());
        }
    }
    Ok(scopes)
}

/// Matches the app's list exactly. Without a list, accepts any HTTPS or local URI.
fn may_redirect(world: &World, uri: &str) -> bool {
    if !world.redirect_uris.is_empty() {
        return world.redirect_uris.iter().any(|known| known == uri);
    }
    let Ok(url) = Url::parse(uri) else { return false };
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(ip))) => ip.is_loopback(),
        ("http", Some(Host::Ipv6(ip))) => ip.is_loopback(),
        _ => false,
    }
}
