//! The Meta app whose clients talk to the simulator, and its webhook subscriptions.

use std::collections::{BTreeMap, BTreeSet};

/// One app. Its credentials, addresses and subscriptions survive a reset of the world, because a client sets them up
/// only once.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) verify_token: String,
    pub(crate) require_proof: bool,
    pub(crate) mode: Mode,
    /// Whether the app was created after v27.0: the protocol features removed then are rejected.
    pub(crate) is_new: bool,
    /// Notified when a person removes the app.
    pub(crate) deauthorize_url: Option<String>,
    /// Notified when a person requests the deletion of their data.
    pub(crate) deletion_url: Option<String>,
    /// Configurations of Facebook Login for Business by id. Each replaces `scope` with a fixed list.
    pub(crate) login_configurations: BTreeMap<String, Vec<String>>,
    /// By object (`page`, `instagram`, …). Meta stores one callback per app and object.
    pub(crate) subscriptions: BTreeMap<String, AppSubscription>,
}

/// Whether the app is open to the public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Live,
    /// Only people with a role in the app count, and no person here has one. Events and leads of strangers are
    /// withheld; test leads and dashboard tests are not.
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

/// The destination for changes of one object type.
#[derive(Debug, Clone)]
pub(crate) struct AppSubscription {
    pub(crate) callback_url: String,
    pub(crate) fields: BTreeSet<String>,
    /// If `false`, the payload lists `changed_fields` and carries no values.
    pub(crate) include_values: bool,
}
