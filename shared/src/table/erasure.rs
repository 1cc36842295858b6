//! Records of erasures: what was deleted when somebody asked for it, and nothing about who asked.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys;
use super::{Table, TableError};
use crate::ids::{IntegrationId, OrgId, OrgScope};

/// Two years: long enough for anybody who comes back with the code.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 730);

/// One erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// What lived on the person's login when they asked.
    pub integrations: Vec<(OrgId, IntegrationId)>,
}

impl Table {
    /// Writes an erasure down. One that is written down already stays as it is: Meta asked twice.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn record_erasure(&self, code: &str, erasure: &Erasure) -> Result<(), TableError> {
        let until = (erasure.requested_at + KEPT).as_second();
        let change = self.change(&keys::erasure(code)).set("type", &"erasure")?.set("ttl", &until)?;
        change.set_all(erasure, &["requested_at", "integrations"])?.send().await.map(drop)
    }

    /// The erasure with this confirmation code.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn erasure(&self, code: &str) -> Result<Option<Erasure>, TableError> {
        self.get(&keys::erasure(code)).await
    }

    /// How many integrations of an erasure are not erased yet. They are marked before the erasure is written down, and one
    /// that Meta asked for twice is done when the later request is.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn still_erasing(&self, erasure: &Erasure) -> Result<usize, TableError> {
        let mut open = 0;
        for (org, id) in &erasure.integrations {
            let integration = self.integration(&OrgScope::of(org.clone()), id).await?;
            open += usize::from(integration.is_some_and(|found| found.erasing));
        }
        Ok(open)
    }
}
