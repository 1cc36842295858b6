//! The context of a slice, shared by the steps of a sync.

use jiff::civil::Date;

use super::client::{Interrupt, SyncClient};
use crate::ids::OrgScope;
use crate::model::ads::account::AdAccount;
use crate::model::ads::sync::{AdsSync, ObjectType};
use crate::table::Table;
use crate::table::ad_account::AccountUpdate;

/// What the steps share in one slice: the account, the sync's progress, and the client.
pub(super) struct SyncContext<'a> {
    pub(super) table: &'a Table,
    pub(super) scope: &'a OrgScope,
    pub(super) account: AdAccount,
    pub(super) sync: AdsSync,
    pub(super) client: SyncClient<'a>,
    /// What the sync found out about the account and is stored when the slice ends.
    pub(super) update: AccountUpdate,
    on_progress: &'a (dyn Fn(&AdsSync) + Sync),
}

impl<'a> SyncContext<'a> {
    pub(super) fn new(
        table: &'a Table,
        scope: &'a OrgScope,
        client: SyncClient<'a>,
        (account, sync): (AdAccount, AdsSync),
        on_progress: &'a (dyn Fn(&AdsSync) + Sync),
    ) -> Self {
        Self { table, scope, account, sync, client, update: AccountUpdate::default(), on_progress }
    }

    /// Attributes the calls and waiting time since the last time to an object type, and reports the progress.
    pub(super) fn account_for(&mut self, object_type: ObjectType) {
        let (calls, waited_s) = self.client.take_usage();
        if (calls, waited_s) != (0, 0) {
            let log = self.sync.log(object_type);
            log.calls += calls;
            log.waited_s += waited_s;
        }
        (self.on_progress)(&self.sync);
    }
}

impl SyncContext<'_> {
    /// The first day whose ads the sync reads. `None` if the account's days show that none have changed. Meaningful once
    /// the account's days have been read.
    pub(super) fn ads_since(&self) -> Option<Date> {
        let (sync, progress) = (&self.sync, &self.sync.progress);
        if !sync.is_regular() || progress.account_marks_incomplete {
            return Some(sync.since);
        }
        let changed = self.account.seen_days.changed_since(sync.since, &progress.account_marks);
        let lagging = self.account.ad_rows_as_of.filter(|_| !self.defers_rows());
        changed.into_iter().chain(lagging.map(|at| self.account.today(at).max(sync.since))).min()
    }

    /// Whether the rows of ads on the day in progress are left to a later sync.
    pub(super) fn defers_rows(&self) -> bool {
        self.sync.is_regular() && self.sync.started_at.is_some_and(|at| !self.account.are_ad_rows_due(at))
    }

    /// Whether the campaign days can be ahead of the rows of ads on `day`, and the rows are to be written.
    pub(super) fn writes_lagging_rows(&self, day: Date) -> bool {
        !self.defers_rows() && self.account.ad_rows_as_of.is_some_and(|at| self.account.today(at) <= day)
    }

    /// Records that the campaign days go ahead of the rows of ads, before they do.
    pub(super) async fn defer_rows(&mut self) -> Result<(), Interrupt> {
        self.sync.progress.rows_deferred = true;
        if self.account.ad_rows_as_of.is_none() {
            self.account.ad_rows_as_of = self.account.last_sync_at;
            let ad_rows_as_of = Some(self.account.ad_rows_as_of);
            self.update_account(AccountUpdate { ad_rows_as_of, ..AccountUpdate::default() }).await?;
        }
        Ok(())
    }

    /// Stores what the sync found out about the account, where people are waiting for it.
    pub(super) async fn update_account(&self, update: AccountUpdate) -> Result<(), Interrupt> {
        Ok(self.table.update_account(self.scope, &self.account, &update).await?)
    }
}
