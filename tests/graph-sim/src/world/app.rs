//! The Meta app whose clients talk to the simulator, and its webhook subscriptions.

use std::collections::{BTreeMap, BTreeSet};

/// One app. Its credentials and subscriptions survive a reset of the world: they are set up once per client.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) name: String,
    pub(crate) verify_token: String,
    pub(crate) require_proof: bool,
    /// Configuration ids of Facebook Login for Business, each replacing `scope` by a fixed list.
    pub(crate) login_configurations: BTreeMap<String, Vec<String>>,
    /// By object (`page`, `instagram`, …): Meta keeps one callback per app and object.
    pub(crate) subscriptions: BTreeMap<String, AppSubscription>,
}

/// Where the changes of one object type go.
#[derive(Debug, Clone)]
pub(crate) struct AppSubscription {
    pub(crate) callback_url: String,
    pub(crate) fields: BTreeSet<String>,
    /// Off: the payload names `changed_fields` and carries no values.
    pub(crate) include_values: bool,
}
