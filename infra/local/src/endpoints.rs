//! `endpoints.json`: where another program finds the running system.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Where the parts of a running system are, and who may use it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// The one origin of console, API and public routes.
    pub url: String,
    /// The simulator's origin.
    pub graph_sim: String,
    /// The local AWS. Its root key is `test` with the secret `test`.
    pub aws_endpoint: String,
    /// The region everything is deployed in.
    pub region: String,
    /// The name of the DynamoDB table.
    pub table: String,
    /// People who can log in.
    pub users: Vec<User>,
    /// The tenants.
    pub orgs: Vec<Org>,
}

/// Somebody who can log in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// The login name.
    pub email: String,
    /// The password, which is one of this machine only.
    pub password: String,
    /// The org the person belongs to; empty for a superadmin, who belongs to none.
    pub org: String,
    /// What the person may do there.
    pub role: String,
    /// A token of this person, valid for an hour.
    pub id_token: String,
}

/// A tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Org {
    /// Its id, sent in the header `orgid`.
    pub id: String,
    /// The name of its plan.
    pub plan: String,
}

impl Endpoints {
    /// The person with this role in this org.
    #[must_use]
    pub fn user(&self, org: &str, role: &str) -> Option<&User> {
        self.users.iter().find(|user| user.org == org && user.role == role)
    }

    /// Writes the file in one move, so that nobody reads half of it.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let unfinished = path.with_extension("json.new");
        fs::write(&unfinished, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&unfinished, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
