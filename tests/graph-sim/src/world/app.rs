//! The Meta app whose clients talk to the simulator, and its webhook subscriptions.

use std::collections::{BTreeMap, BTreeSet};

/// One app. Its credentials, addresses and subscriptions survive a reset of the world: they are set up once per client.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) verify_token: String,
    pub(crate) require_proof: bool,
    pub(crate) mode: Mode,
    /// Told when a person removes the app.
    pub(crate) deauthorize_url: Option<String>,
    /// Told when a person asks for their data to be deleted.
    pub(crate) deletion_url: Option<String>,
    /// Configuration ids of Facebook Login for Business, each replacing `scope` by a fixed list.
    pub(crate) login_configurations: BTreeMap<String, Vec<String>>,
    /// By object (`page`, `instagram`, …): Meta keeps one callback per app and object.
    pub(crate) subscriptions: BTreeMap<String, AppSubscription>,
}

/// Whether the app is open to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Live,
    /// Only people with a role in the app count; nobody here has one. Events of strangers are not sent, their leads not
    /// shown; test leads and dashboard tests are.
    Development,
}

impl Mode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Development => "development",
        }
    }
}

/// Where the changes of one object type go.
#[derive(Debug, Clone)]
pub(crate) struct AppSubscription {
    pub(crate) callback_url: String,
    pub(crate) fields: BTreeSet<String>,
    /// Off: the payload names `changed_fields` and carries no values.
    pub(crate) include_values: bool,
}
