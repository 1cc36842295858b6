//! Linked ad accounts, the sync in progress on each, and the pauses that Meta asks for.
//!
//! The settings, the results of a sync, and its lease are written concurrently by different writers, so each has its
//! own attributes.

use jiff::Timestamp;
use jiff::civil::Date;

use super::change::ItemUpdate;
use super::form::Pause;
use super::keys;
use super::shape::ItemKind;
use super::{IndexRange, Table, TableError};
use crate::ids::{AdAccountId, LinkId, OrgScope, RunId};
use crate::metrics::MetaBlock;
use crate::model::ads::account::{AdAccount, Stage};
use crate::model::ads::seen_days::SeenDays;
use crate::model::ads::sync_problem::SyncProblem;

/// Settings of an ad account that an admin may change. `None` means unchanged.
#[derive(Debug, Clone, Default)]
pub struct AdAccountSettings {
    /// The org's name for it.
    pub label: Option<String>,
    /// The client whose ads these are.
    pub client: Option<crate::model::ads::account::Client>,
    /// The source of the token that reads it. A change request carries the token itself, not where it is stored.
    pub token: Option<crate::model::ads::account::TokenSource>,
    /// Whether syncing is paused.
    pub paused: Option<bool>,
    /// Which actions count as conversions.
    pub conversions: Option<crate::model::ads::conversions::Counted>,
}

/// Changes of an account that a sync makes. `None` means unchanged.
#[derive(Debug, Clone, Default)]
pub struct AccountUpdate {
    /// Name and status at Meta.
    pub node: Option<(String, i64)>,
    /// How far its import has progressed.
    pub stage: Option<Stage>,
    /// The problem that prevents syncing. `Some(None)` clears it.
    pub problem: Option<Option<SyncProblem>>,
    /// Until when Meta requires a pause. `Some(None)` clears it.
    pub waiting_until: Option<Option<Timestamp>>,
    /// When a sync completed.
    pub last_sync_at: Option<Timestamp>,
    /// The day, in the account's time zone, on which a long sync completed.
    pub last_long_day: Option<Date>,
    /// The first day of the complete import; all days since are stored.
    pub imported_since: Option<Date>,
    /// All object changes up to this time are stored.
    pub objects_until: Option<Timestamp>,
    /// Approximate number of ads with activity per day.
    pub rows_per_day: Option<u64>,
    /// The account's newest days when its ads' days were read.
    pub seen_days: Option<SeenDays>,
    /// The time whose numbers the stored rows of ads show. `Some(None)`: that of the last sync.
    pub ad_rows_as_of: Option<Option<Timestamp>>,
}

impl AccountUpdate {
    /// Adds the changes to `change`.
    fn apply(&self, seen: &AdAccount, mut change: ItemUpdate) -> Result<ItemUpdate, TableError> {
        if let Some((name, status)) = &self.node {
            change = change.set("name", name)?.set("account_status", status)?;
        }
        if let Some(stage) = self.stage {
            change = change.set("stage", &stage)?;
        }
        if let Some(problem) = &self.problem {
            // Findings about an earlier token are discarded.
            change = change.if_unchanged("token", &seen.token)?.set("problem", problem)?;
        }
        if let Some(until) = self.waiting_until {
            change = change.set("waiting_until", &until)?;
        }
        if let Some(at) = self.last_sync_at {
            change = change.set("last_sync_at", &at)?;
        }
        if let Some(day) = self.last_long_day {
            change = change.set("last_long_day", &day)?;
        }
        if let Some(day) = self.imported_since {
            change = change.set("imported_since", &day)?;
        }
        if let Some(at) = self.objects_until {
            change = change.set("objects_until", &at)?;
        }
        if let Some(count) = self.rows_per_day {
            change = change.set("rows_per_day", &count)?;
        }
        if let Some(days) = &self.seen_days {
            change = change.set("seen_days", days)?;
        }
        if let Some(at) = self.ad_rows_as_of {
            change = change.set("ad_rows_as_of", &at)?;
        }
        Ok(change)
    }
}

impl Table {
    /// Stores a new account. `false` if the org has already linked it.
    pub async fn insert_ad_account(&self, scope: &OrgScope, account: &AdAccount) -> Result<bool, TableError> {
        let key = keys::ad_account(scope, &account.ad_account_id);
        let change = self.change(&key).if_unchanged("id", &None::<LinkId>)?;
        let change = change.kind(ItemKind::AdAccount).set_all(account, &[])?;
        change.index(Some(keys::ad_account_index(scope, &account.ad_account_id))).send().await
    }

    /// Reads the account with this Meta id.
    pub async fn ad_account(&self, scope: &OrgScope, id: &AdAccountId) -> Result<Option<AdAccount>, TableError> {
        self.get(&keys::ad_account(scope, id)).await
    }

    /// Lists all accounts of the org.
    pub async fn ad_accounts(&self, scope: &OrgScope) -> Result<Vec<AdAccount>, TableError> {
        self.query(&keys::org_pk(scope), keys::AD_ACCOUNT_PREFIX).await
    }

    /// Lists all accounts of all orgs, for the planner. Unreadable rows are logged and omitted.
    pub async fn all_ad_accounts(&self) -> Result<Vec<(OrgScope, AdAccount)>, TableError> {
        // An item in DynamoDB's types takes several times the memory of an account.
        const ITEMS_AT_ONCE: usize = 100;
        let keys = self.index_keys(keys::AD_ACCOUNTS, IndexRange::All).await?;
        let mut accounts = Vec::with_capacity(keys.len());
        for keys in keys.chunks(ITEMS_AT_ONCE) {
            // One bad row must not block the others.
            let read: Vec<AdAccount> = self.for_display().entities(self.batch_get(keys).await?.into_values())?;
            accounts.extend(read.into_iter().map(|account| (OrgScope::new(account.org.clone()), account)));
        }
        Ok(accounts)
    }

    /// Reads the account that a message names. `None` if it is not linked, no longer linked, or was linked again since.
    pub async fn ad_account_of(
        &self,
        org: crate::ids::OrgId,
        id: &AdAccountId,
        link: &LinkId,
    ) -> Result<Option<(OrgScope, AdAccount)>, TableError> {
        let scope = OrgScope::new(org);
        let account = self.ad_account(&scope, id).await?.filter(|account| account.id == *link);
        Ok(account.map(|account| (scope, account)))
    }

    /// Changes an account's settings. `false` if the account is gone.
    pub async fn set_ad_account(
        &self,
        scope: &OrgScope,
        seen: &AdAccount,
        to: &AdAccountSettings,
    ) -> Result<bool, TableError> {
        let mut change = self.change(&keys::ad_account(scope, &seen.ad_account_id)).if_unchanged("id", &seen.id)?;
        // An update must set something, so this sets an attribute unconditionally.
        change = change.kind(ItemKind::AdAccount);
        if let Some(label) = &to.label {
            change = change.set("label", label)?;
        }
        if let Some(client) = &to.client {
            change = change.set("client", client)?;
        }
        if let Some(token) = &to.token {
            // Two concurrent changes would leave an orphaned secret.
            change =
                change.if_unchanged("token", &seen.token)?.set("token", token)?.set("problem", &None::<SyncProblem>)?;
        }
        if let Some(paused) = to.paused {
            change = change.set("paused", &paused)?;
        }
        if let Some(conversions) = &to.conversions {
            change = change.set("conversions", conversions)?;
        }
        change.send().await
    }

    /// Records the findings of a sync. A deleted account counts as success.
    pub async fn update_account(
        &self,
        scope: &OrgScope,
        seen: &AdAccount,
        update: &AccountUpdate,
    ) -> Result<(), TableError> {
        let change = self.change(&keys::ad_account(scope, &seen.ad_account_id)).if_unchanged("id", &seen.id)?;
        update.apply(seen, change.kind(ItemKind::AdAccount))?.send().await.map(drop)
    }

    /// Makes this the sync in progress. `false` if another is in progress.
    pub async fn begin_ads_sync(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        run: &RunId,
        since: Date,
        lease: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_unchanged("id", &account.id)?;
        let change = change.if_unchanged("run_id", &None::<RunId>)?;
        change.set("run_id", run)?.set("run_since", &since)?.set("run_lease", &lease)?.send().await
    }

    /// Extends the sync in progress further back. `false` if it ended, or was extended by another writer, meanwhile.
    pub async fn widen_ads_sync(&self, scope: &OrgScope, account: &AdAccount, since: Date) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_unchanged("id", &account.id)?;
        let change = change.if_unchanged("run_id", &account.run_id)?.if_unchanged("run_since", &account.run_since)?;
        change.set("run_since", &since)?.send().await
    }

    /// Changes the lease of a sync if it is still as it was seen, so that only one worker can hold it. `update` is
    /// recorded in the same write.
    pub async fn lease_ads_sync(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        until: Timestamp,
        update: &AccountUpdate,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_unchanged("id", &account.id)?;
        let change = change.if_unchanged("run_id", &account.run_id)?.if_unchanged("run_lease", &account.run_lease)?;
        update.apply(account, change.set("run_lease", &until)?)?.send().await
    }

    /// Ends a sync, and records its findings in the same write. `false` if it has more to do by now, is no longer the
    /// sync in progress, or found a problem of a token that has been replaced; nothing is recorded then.
    pub async fn end_ads_sync(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        (run, since): (&RunId, Date),
        update: &AccountUpdate,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_unchanged("id", &account.id)?;
        let change = change.if_unchanged("run_id", run)?.if_unchanged("run_since", &since)?;
        let change = update.apply(account, change)?;
        // Nor may it be leased to another worker, or count conversions differently by now.
        let change =
            change.if_unchanged("run_lease", &account.run_lease)?.if_unchanged("conversions", &account.conversions)?;
        let change = change.set("run_id", &None::<RunId>)?.set("run_since", &None::<Date>)?;
        change.set("run_lease", &None::<Timestamp>)?.send().await
    }

    /// Unlinks an account, so that it is no longer found. Its data is left to [`Table::forget_ads`].
    pub async fn delete_ad_account(&self, scope: &OrgScope, seen: &AdAccount) -> Result<(), TableError> {
        self.delete_if_still(&keys::ad_account(scope, &seen.ad_account_id), "id", &seen.id).await
    }

    /// Deletes all data of an account. Each day's rows go before the campaign days that list the days, so that a run
    /// after a crash finds what is left.
    ///
    /// # Errors
    /// After an error, part of the data is deleted.
    pub async fn forget_ads(&self, org: crate::ids::OrgId, link: &LinkId) -> Result<(), TableError> {
        let scope = &OrgScope::new(org);
        for day in self.days_with_campaign_days(scope, link).await? {
            self.delete_partition(&keys::ad_days_pk(scope, link, day)).await?;
        }
        self.delete_partition(&keys::campaign_days_pk(scope, link)).await?;
        self.delete_partition(&keys::ads_pk(scope, link)).await
    }

    /// Returns until when Meta requires a pause for this account, or for the whole app. `None` if there is no pause.
    pub async fn ads_paused_until(&self, id: &AdAccountId, now: Timestamp) -> Result<Option<Timestamp>, TableError> {
        let pauses: Vec<Pause> = self.read_all(&[keys::ad_pause(id), keys::app_pause()]).await?;
        Ok(pauses.into_iter().map(|pause| pause.until).max().filter(|until| *until > now))
    }

    /// Pauses an account for every org, or all accounts if `id` is `None`. A longer pause that is already stored stays.
    pub async fn pause_ads(&self, id: Option<&AdAccountId>, until: Timestamp) -> Result<(), TableError> {
        let key = id.map_or_else(keys::app_pause, keys::ad_pause);
        self.pause_until(&key, until, MetaBlock::AdAccount).await
    }
}
