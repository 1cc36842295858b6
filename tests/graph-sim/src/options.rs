//! Options for starting a simulator.

use std::net::{IpAddr, Ipv4Addr};

use crate::seed;

/// Configuration of a simulator. `Options::default()` listens on a free port of the loopback interface.
#[derive(Debug, Clone)]
pub struct Options {
    /// The interface to listen on.
    pub host: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// The origin clients see, used in `paging.next`. Defaults to `http://<host>:<port>`.
    pub public_url: Option<String>,
    /// Redirect URIs the login dialog accepts, compared exactly. If empty, any `https` address is accepted, and `http`
    /// on `localhost` or a loopback address.
    pub redirect_uris: Vec<String>,
    /// The app's id, its OAuth `client_id`.
    pub app_id: String,
    /// The app's secret, used to sign webhooks and to check `appsecret_proof`.
    pub app_secret: String,
    /// The verify token sent to a webhook receiver when the subscription names none.
    pub verify_token: String,
    /// The "Require App Secret" setting of the app: calls without `appsecret_proof` fail. On by default, so that a
    /// client that omits the proof fails here first. App tokens contain the secret and need no proof.
    pub require_proof: bool,
    /// The app's deauthorize callback, called when a person removes the app. Not called if `None`.
    pub deauthorize_url: Option<String>,
    /// The app's data deletion callback, called when a person requests deletion of their data. Not called if `None`.
    pub deletion_url: Option<String>,
    /// Sends ids in webhook payloads as JSON numbers, as in Meta's documentation. Real payloads carry strings.
    pub numeric_webhook_ids: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            public_url: None,
            redirect_uris: Vec::new(),
            app_id: seed::APP_ID.to_owned(),
            app_secret: seed::APP_SECRET.to_owned(),
            verify_token: seed::VERIFY_TOKEN.to_owned(),
            require_proof: true,
            deauthorize_url: None,
            deletion_url: None,
            numeric_webhook_ids: false,
        }
    }
}
