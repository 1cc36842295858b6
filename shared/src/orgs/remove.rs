//! What is done when an org leaves.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::ads::unlink_account;
use crate::bus::Bus;
use crate::connections;
use crate::directory::Access;
use crate::error::{ActError, WorkError};
use crate::exports::Exports;
use crate::jobs::AdsSyncJob;
use crate::meta_app::MetaApp;
use crate::model::org::{Org, Plan};
use crate::queue::Queue;
use crate::table::Table;
use crate::table::org_items::{OrgItem, OrgWalk, ReadPace};

/// Walks over what is left. What workers stored meanwhile is found by the second one.
const MAX_WALKS: u32 = 4;

/// All that an org has.
#[derive(Debug, Clone, Copy)]
pub struct Orgs<'a> {
    /// Its items.
    pub table: &'a Table,
    /// Its tokens, and its pages' subscriptions.
    pub meta: &'a MetaApp,
    /// Hears that its connections ended.
    pub bus: &'a Bus,
    /// Its files.
    pub exports: &'a Exports,
    /// Takes ad accounts whose figures are to be deleted.
    pub syncs: &'a Queue<AdsSyncJob>,
}

/// The receipt of a removal: how much there was of the org, and nothing of what it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OrgRemoval {
    /// Integrations that were ended: pages that no other org uses are unsubscribed at Meta, tokens are deleted.
    pub integrations: usize,
    /// Ad accounts that were unlinked. Their figures are deleted in the background.
    pub ad_accounts: usize,
    /// Files that were deleted: exports, uploads and attachments.
    pub files: usize,
    /// Items that were deleted, by kind.
    pub items: BTreeMap<String, usize>,
    /// Records of acts and of erasures. They stay until they expire: who did what is due for 400 days.
    pub records_kept: usize,
}

impl Orgs<'_> {
    /// Removes an org: ends its integrations and ad accounts, deletes its files and secrets, then everything that is
    /// stored of it but its records. Its own item goes last, so that what was interrupted can be repeated.
    ///
    /// # Errors
    /// After an error, a part is removed, and no lead is imported any more; a repetition goes on.
    pub async fn remove(&self, access: &Access, pace: &ReadPace, now: Timestamp) -> Result<OrgRemoval, ActError> {
        let scope = &access.scope;
        let mut receipt = OrgRemoval::default();
        if let Some(org) = self.table.org(scope).await? {
            // Without its features, no worker takes anything in for it.
            let plan = Plan { name: org.plan.name.clone(), features: Vec::new() };
            self.table.put_org(scope, &Org { plan, updated_at: now, ..org }).await?;
        }
        for integration in self.table.integrations(scope).await? {
            self.table.begin_removal(scope, &integration.id, now).await?;
            connections::remove(self.meta, self.table, self.bus, scope, &integration).await?;
            receipt.integrations += 1;
        }
        for account in self.table.ad_accounts(scope).await? {
            unlink_account(self.table, &self.meta.vault, self.syncs, scope, &account).await?;
            receipt.ad_accounts += 1;
        }
        self.exports.revoke_all(scope).await?;
        receipt.files = self.exports.files.delete_all_of(scope).await.map_err(WorkError::from)?;
        self.delete_items(access, pace, now, &mut receipt).await?;
        tracing::info!(org = %scope.org(), integrations = receipt.integrations, "an org was removed");
        Ok(receipt)
    }

    async fn delete_items(
        &self,
        access: &Access,
        pace: &ReadPace,
        now: Timestamp,
        receipt: &mut OrgRemoval,
    ) -> Result<(), WorkError> {
        let walk = OrgWalk { table: self.table, scope: &access.scope, pace };
        for _ in 0..MAX_WALKS {
            let mut deleted = 0;
            let take = async |mut items: Vec<OrgItem>| {
                items.retain(|item| !item.is_record());
                self.table.delete_org_items(&items).await?;
                deleted += items.len();
                for item in &items {
                    *receipt.items.entry(item.kind().to_owned()).or_default() += 1;
                }
                Ok::<_, WorkError>(())
            };
            walk.walk(now, take).await?;
            if deleted == 0 {
                break;
            }
        }
        receipt.records_kept = walk.records(now).await?.len();
        Ok(())
    }
}
