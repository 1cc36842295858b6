//! The sync log: one item per sync of an account.

use jiff::SignedDuration;

use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError};
use crate::ids::{LinkId, OrgScope, RunId};
use crate::model::ads::sync::{AdsSync, Cause};

/// How long requested syncs are stored.
const SYNC_TTL: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long scheduled syncs are stored: there are a hundred a day.
const SCHEDULED_SYNC_TTL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// When a sync is deleted, in seconds since 1970.
fn expiry(sync: &AdsSync) -> i64 {
    let ttl = if sync.cause == Cause::Schedule { SCHEDULED_SYNC_TTL } else { SYNC_TTL };
    (sync.asked_at + ttl).as_second()
}

impl Table {
    /// Stores the current state of a sync.
    pub async fn put_ads_sync(&self, scope: &OrgScope, sync: &AdsSync) -> Result<(), TableError> {
        let key = keys::ads_sync(scope, &sync.id, &sync.account_id);
        self.put(Row::new(&key, ItemKind::AdsSync, sync).ttl(expiry(sync))).await
    }

    /// Stores a sync of which nothing is stored yet. Does nothing if its worker has stored it by now.
    pub async fn insert_ads_sync(&self, scope: &OrgScope, sync: &AdsSync) -> Result<(), TableError> {
        let change = self.change(&keys::ads_sync(scope, &sync.id, &sync.account_id));
        let change = change.if_unchanged("id", &None::<RunId>)?.kind(ItemKind::AdsSync).set("ttl", &expiry(sync))?;
        change.set_all(sync, &[])?.send().await.map(drop)
    }

    /// Reads a sync.
    pub async fn ads_sync(&self, scope: &OrgScope, run: &RunId, link: &LinkId) -> Result<Option<AdsSync>, TableError> {
        self.get(&keys::ads_sync(scope, run, link)).await
    }

    /// Lists the syncs that were requested together.
    pub async fn ads_syncs_of(&self, scope: &OrgScope, run: &RunId) -> Result<Vec<AdsSync>, TableError> {
        self.query(&keys::ads_syncs_pk(scope), &format!("SYNC#{run}#")).await
    }

    /// Lists the org's latest syncs, newest first.
    pub async fn ads_syncs(&self, scope: &OrgScope, limit: usize) -> Result<Vec<AdsSync>, TableError> {
        let (mut syncs, mut start) = (Vec::new(), None);
        loop {
            let page = self.client.query().table_name(&self.name).consistent_read(true).scan_index_forward(false);
            let page = page.key_condition_expression("pk = :pk").set_exclusive_start_key(start);
            let page = page.expression_attribute_values(":pk", super::text(keys::ads_syncs_pk(scope)));
            let page = page.limit(i32::try_from(limit - syncs.len()).unwrap_or(i32::MAX)).send().await?;
            syncs.extend(self.entities::<AdsSync>(page.items.into_iter().flatten())?);
            start = page.last_evaluated_key;
            if start.is_none() || syncs.len() >= limit {
                return Ok(syncs);
            }
        }
    }
}
