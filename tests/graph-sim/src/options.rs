//! What a simulator can be told when it starts.

use std::net::{IpAddr, Ipv4Addr};

use crate::seed;

/// How to run the simulator. `Options::default()` listens on a free port of the loopback interface.
#[derive(Debug, Clone)]
pub struct Options {
    /// The interface to listen on.
    pub host: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// The origin clients see, used in `paging.next`; by default `http://<host>:<port>`.
    pub public_url: Option<String>,
    /// Redirect addresses the login dialog accepts, compared exactly. Empty: anything on `https`, and `http` on
    /// `localhost` or a loopback address.
    pub redirect_uris: Vec<String>,
    /// The app's id, its OAuth `client_id`.
    pub app_id: String,
    /// The app's secret: signs webhooks, proves tokens.
    pub app_secret: String,
    /// The token a webhook receiver is expected to ask for; used when a subscription names none.
    pub verify_token: String,
    /// "Require App Secret" of the app's settings: calls without `appsecret_proof` fail. On by default, because a
    /// client that forgets the proof should learn it here. App tokens carry the secret and need none.
    pub require_proof: bool,
    /// Where the app's settings send the callback for people who remove the app; nowhere unless given.
    pub deauthorize_url: Option<String>,
    /// Where the app's settings send requests to delete a person's data; nowhere unless given.
    pub deletion_url: Option<String>,
    /// Print ids in webhook payloads as JSON numbers, as Meta's documentation does; real payloads carry strings.
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
