//! The context of a slice, shared by the steps of a sync.

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
        Self { table, scope, account, sync, client, on_progress }
    }

    /// Attributes the calls and waiting time since the last time to an object type, and reports the progress.
    pub(super) fn account_for(&mut self, object_type: ObjectType) {
        let (calls, waited_s) = self.client.take_usage();
        let log = self.sync.log(object_type);
        log.calls += calls;
        log.waited_s += waited_s;
        (self.on_progress)(&self.sync);
    }
}

impl SyncContext<'_> {
    /// Stores what the sync found out about the account.
    pub(super) async fn update_account(&self, update: AccountUpdate) -> Result<(), Interrupt> {
        Ok(self.table.update_account(self.scope, &self.account, &update).await?)
    }
}
