//! `endpoints.json`: the addresses and logins of the running system, for other programs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The addresses and logins of a running system.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// The single origin of the console, the API and the public routes.
    pub url: String,
    /// The simulator's origin.
    pub graph_sim: String,
    /// The base URL of the local AWS. Its root key is `test` with the secret `test`.
    pub aws_endpoint: String,
    /// The region of every resource.
    pub region: String,
    /// The name of the DynamoDB table.
    pub table: String,
    /// The users who can log in.
    pub users: Vec<User>,
    /// The tenants.
    pub orgs: Vec<Org>,
    /// The table of the console's sessions.
    pub sessions_table: String,
    /// The credentials of the CRM, which is a program.
    pub program: Program,
}

/// A program with credentials of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    /// Where it gets its tokens, with `grant_type=client_credentials`.
    pub token_url: String,
    /// Its id there.
    pub client_id: String,
    /// Its secret there, valid on this machine only.
    pub client_secret: String,
}

/// A user who can log in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// The login name.
    pub email: String,
    /// The password, valid on this machine only.
    pub password: String,
    /// The user's org; empty for a superadmin, who belongs to no org.
    pub org: String,
    /// The user's role, such as `admin` or `sales`.
    pub role: String,
    /// An id token of this user, valid for an hour.
    pub id_token: String,
}

/// A tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Org {
    /// The id, sent in the header `orgid`.
    pub id: String,
    /// The name of its plan.
    pub plan: String,
}

impl Endpoints {
    /// Returns the first user with this role in this org.
    #[must_use]
    pub fn user(&self, org: &str, role: &str) -> Option<&User> {
        self.users.iter().find(|user| user.org == org && user.role == role)
    }

    /// Writes the file atomically, so that a reader never sees half of it.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let unfinished = path.with_extension("json.new");
        fs::write(&unfinished, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&unfinished, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
