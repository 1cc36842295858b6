//! Connecting an org to Meta by a person's login.

use url::Url;

use super::{MetaAccess, Services};
use crate::connections::{Begin, BeginError, Dialog, begin as begin_login};
use crate::http::Problem;

/// Where the oauth function is, on the origin under which the world reaches us.
const CALLBACK: &str = "/connect/oauth2callback/facebook";
/// Where the console's own logins come back to, on the same origin: that needs no deployer's leave.
pub const CONSOLE: &str = "/integrations/return";

/// Begins a login that comes back to `origin`, and answers the address of Meta's dialog. It is good for ten minutes, once.
///
/// # Errors
/// If something of what is asked cannot be: the problem names it as the parameters of `getAuthUrl` are called. If
/// something failed.
pub async fn begin(services: &Services, access: &MetaAccess, origin: Url, asked: Begin) -> Result<Url, Problem> {
    Ok(login(services, access, origin, asked).await?)
}

/// The same for an integration that is there: settings, history and leads stay.
///
/// # Errors
/// If there is no such integration, its person's data is being deleted, something of what is asked cannot be, or
/// something failed.
pub async fn reconnect(
    services: &Services,
    access: &MetaAccess,
    origin: Url,
    id: &str,
    asked: Begin,
) -> Result<Url, Problem> {
    let asked = Begin { integration_id: Some(id.to_owned()), ..asked };
    login(services, access, origin, asked).await.map_err(|error| match error {
        BeginError::ReturnUrl => Problem { field: Some("return_url".to_owned()), ..error.into() },
        BeginError::Integration => Problem::not_found("integration"),
        other => other.into(),
    })
}

async fn login(services: &Services, access: &MetaAccess, origin: Url, asked: Begin) -> Result<Url, BeginError> {
    let at = |path: &str| {
        let mut url = origin.clone();
        url.set_path(path);
        url
    };
    let dialog = Dialog {
        root: services.dialog_root.clone(),
        version: services.graph_version.clone(),
        app_id: services.app_id.clone(),
        redirect_uri: at(CALLBACK),
        return_urls: services.return_urls.and(at(CONSOLE)),
        key: services.key.clone(),
    };
    let by = access.caller.as_connector();
    begin_login(&services.table, &dialog, &access.scope, by, asked, crate::clock::now()).await
}
