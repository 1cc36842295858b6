//! The context of a slice, shared by the steps of a sync.

use super::calls::{Interrupt, SyncClient};
use crate::ids::OrgScope;
use crate::model::ads::account::AdAccount;
use crate::model::ads::sync::{AdsSync, ObjectType};
use crate::table::Table;
use crate::table::ad_account::Found;

/// What the steps share in one slice: the account, the sync's progress, and the client.
pub(super) struct SyncContext<'a> {
    pub(super) table: &'a Table,
    pub(super) scope: &'a OrgScope,
    pub(super) account: AdAccount,
    pub(super) sync: AdsSync,
    pub(super) calls: SyncClient<'a>,
    tell: &'a (dyn Fn(&AdsSync) + Sync),
}

impl<'a> SyncContext<'a> {
    pub(super) fn new(
        table: &'a Table,
        scope: &'a OrgScope,
        calls: SyncClient<'a>,
        (account, sync): (AdAccount, AdsSync),
        tell: &'a (dyn Fn(&AdsSync) + Sync),
    ) -> Self {
        Self { table, scope, account, sync, calls, tell }
    }

    /// Attributes the calls and waiting time since the last time to an object type, and reports the progress.
    pub(super) fn account_for(&mut self, what: ObjectType) {
        let (calls, waited_s) = self.calls.spent();
        let log = self.sync.log(what);
        log.calls += calls;
        log.waited_s += waited_s;
        (self.tell)(&self.sync);
    }
}

impl SyncContext<'_> {
    /// Stores what the sync found out about the account.
    pub(super) async fn set(&self, found: Found) -> Result<(), Interrupt> {
        Ok(self.table.set_found(self.scope, &self.account, &found).await?)
    }
}
