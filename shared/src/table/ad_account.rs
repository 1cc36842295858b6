//! Linked ad accounts, the reading that is under way on each, and until when Meta does not want them read.
//!
//! Settings, what a reading finds, and who works on it are written by different people at once, each with its own
//! attributes.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::Timestamp;
use jiff::civil::Date;

use super::form::Pause;
use super::keys;
use super::{Item, Row, Table, TableError};
use crate::ids::{AdAccountId, LinkId, OrgScope, RunId};
use crate::model::ads::account::{AdAccount, Stage};
use crate::model::ads::sync_problem::Trouble;

/// What somebody decides about an account. What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What the org calls it.
    pub label: Option<String>,
    /// Whose ads these are.
    pub client: Option<crate::model::ads::account::Client>,
    /// With which token it is read. Who asks for a change names the token itself, and not where it is kept.
    pub token: Option<crate::model::ads::account::TokenSource>,
    /// Whether it is left alone for a while.
    pub paused: Option<bool>,
    /// What counts as conversions.
    pub conversions: Option<crate::model::ads::conversions::Counted>,
}

/// What a reading found out about an account. What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Name and status at Meta.
    pub node: Option<(String, i64)>,
    /// How far its import is.
    pub stage: Option<Stage>,
    /// Something that keeps it from being read, or that nothing does any more.
    pub trouble: Option<Option<Trouble>>,
    /// Until when Meta wants it left alone, or that it does not any more.
    pub waiting_until: Option<Option<Timestamp>>,
    /// A reading came to its end.
    pub last_sync_at: Option<Timestamp>,
    /// A long one, on this day of the account's.
    pub last_long_day: Option<Date>,
    /// From this day on all days are read.
    pub imported_since: Option<Date>,
    /// Up to when all objects are read.
    pub objects_until: Option<Timestamp>,
    /// About how many ads do something on a day.
    pub rows_per_day: Option<u64>,
}

impl Table {
    /// Stores a new account. `false` if the org has linked it already.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn insert_ad_account(&self, scope: &OrgScope, account: &AdAccount) -> Result<bool, TableError> {
        let key = keys::ad_account(scope, &account.ad_account_id);
        let change = self.change(&key).if_still("id", &None::<LinkId>)?;
        let change = change.set("type", &"ad_account")?.set_all(account, &[])?;
        change.index(Some(keys::ad_account_index(scope, &account.ad_account_id))).send().await
    }

    /// The account with Meta's id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn ad_account(&self, scope: &OrgScope, id: &AdAccountId) -> Result<Option<AdAccount>, TableError> {
        self.get(&keys::ad_account(scope, id)).await
    }

    /// All accounts of the org.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn ad_accounts(&self, scope: &OrgScope) -> Result<Vec<AdAccount>, TableError> {
        self.query(&keys::org_pk(scope), keys::AD_ACCOUNT_PREFIX).await
    }

    /// All accounts of all orgs, for those who plan.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn all_ad_accounts(&self) -> Result<Vec<(OrgScope, AdAccount)>, TableError> {
        let keys = self.index_keys(keys::AD_ACCOUNTS).await?;
        let items = self.batch_get(&keys).await?;
        let readable = |(key, item): (keys::Key, Item)| {
            let account = super::entity::<AdAccount>(item).inspect_err(|error| {
                // One row keeps no other out.
                tracing::error!(%error, pk = key.pk, sk = key.sk, "a linked ad account cannot be read");
            });
            account.ok().map(|account| (OrgScope::of(account.org.clone()), account))
        };
        Ok(items.into_iter().filter_map(readable).collect())
    }

    /// The account that a message names; `None` if it is not linked, or not any more, or linked anew since.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn ad_account_of(
        &self,
        org: crate::ids::OrgId,
        id: &AdAccountId,
        link: &LinkId,
    ) -> Result<Option<(OrgScope, AdAccount)>, TableError> {
        let scope = OrgScope::of(org);
        let account = self.ad_account(&scope, id).await?.filter(|account| account.id == *link);
        Ok(account.map(|account| (scope, account)))
    }

    /// Changes what somebody decided. `false` if the account is gone.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn set_ad_account(&self, scope: &OrgScope, seen: &AdAccount, to: &Settings) -> Result<bool, TableError> {
        let mut change = self.change(&keys::ad_account(scope, &seen.ad_account_id)).if_still("id", &seen.id)?;
        // Something that always changes: an update that sets nothing is none.
        change = change.set("type", &"ad_account")?;
        if let Some(label) = &to.label {
            change = change.set("label", label)?;
        }
        if let Some(client) = &to.client {
            change = change.set("client", client)?;
        }
        if let Some(token) = &to.token {
            // Two who change it at once would leave a secret that is nobody's.
            change = change.if_still("token", &seen.token)?.set("token", token)?.set("trouble", &None::<Trouble>)?;
        }
        if let Some(paused) = to.paused {
            change = change.set("paused", &paused)?;
        }
        if let Some(conversions) = &to.conversions {
            change = change.set("conversions", conversions)?;
        }
        change.send().await
    }

    /// Writes down what a reading found. That the account is gone is as good.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn set_found(&self, scope: &OrgScope, seen: &AdAccount, found: &Found) -> Result<(), TableError> {
        let mut change = self.change(&keys::ad_account(scope, &seen.ad_account_id)).if_still("id", &seen.id)?;
        change = change.set("type", &"ad_account")?;
        if let Some((name, status)) = &found.node {
            change = change.set("name", name)?.set("account_status", status)?;
        }
        if let Some(stage) = found.stage {
            change = change.set("stage", &stage)?;
        }
        if let Some(trouble) = &found.trouble {
            // Of an earlier token nothing is told of a newer one.
            change = change.if_still("token", &seen.token)?.set("trouble", trouble)?;
        }
        if let Some(until) = found.waiting_until {
            change = change.set("waiting_until", &until)?;
        }
        if let Some(at) = found.last_sync_at {
            change = change.set("last_sync_at", &at)?;
        }
        if let Some(day) = found.last_long_day {
            change = change.set("last_long_day", &day)?;
        }
        if let Some(day) = found.imported_since {
            change = change.set("imported_since", &day)?;
        }
        if let Some(at) = found.objects_until {
            change = change.set("objects_until", &at)?;
        }
        if let Some(count) = found.rows_per_day {
            change = change.set("rows_per_day", &count)?;
        }
        change.send().await.map(drop)
    }

    /// Makes this the reading that is under way. `false` if there is one.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn begin_ads_sync(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        run: &RunId,
        since: Date,
        lease: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_still("id", &account.id)?;
        let change = change.if_still("run_id", &None::<RunId>)?;
        change.set("run_id", run)?.set("run_since", &since)?.set("run_lease", &lease)?.send().await
    }

    /// Has the reading that is under way go further back. `false` if it has come to its end meanwhile.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn widen_ads_sync(&self, scope: &OrgScope, account: &AdAccount, since: Date) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_still("id", &account.id)?;
        let change = change.if_still("run_id", &account.run_id)?.if_still("run_since", &account.run_since)?;
        change.set("run_since", &since)?.send().await
    }

    /// Changes until when somebody works on a reading, if it is as it was seen: two cannot both.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn lease_ads_sync(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        until: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_still("id", &account.id)?;
        let change = change.if_still("run_id", &account.run_id)?.if_still("run_lease", &account.run_lease)?;
        change.set("run_lease", &until)?.send().await
    }

    /// Ends a reading. `false` if there is more of it to do by now, or if it is not the one that is under way.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn end_ads_sync(
        &self,
        scope: &OrgScope,
        account: &AdAccount,
        run: &RunId,
        since: Date,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::ad_account(scope, &account.ad_account_id)).if_still("id", &account.id)?;
        let change = change.if_still("run_id", run)?.if_still("run_since", &since)?;
        // Not one that is somebody else's by now, and not one whose conversions are counted otherwise by now.
        let change = change.if_still("run_lease", &account.run_lease)?.if_still("conversions", &account.conversions)?;
        let change = change.set("run_id", &None::<RunId>)?.set("run_since", &None::<Date>)?;
        change.set("run_lease", &None::<Timestamp>)?.send().await
    }

    /// Unlinks an account: nobody finds it any more. What was read of it is left to [`Table::forget_ads`].
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn delete_ad_account(&self, scope: &OrgScope, seen: &AdAccount) -> Result<(), TableError> {
        self.delete_if_still(&keys::ad_account(scope, &seen.ad_account_id), "id", &seen.id).await
    }

    /// Deletes everything that was read of an account. Days before a row, so that what is left after a crash is found
    /// again.
    ///
    /// # Errors
    /// If the table cannot be read or written; then a part is gone.
    pub async fn forget_ads(&self, org: crate::ids::OrgId, link: &LinkId) -> Result<(), TableError> {
        let scope = &OrgScope::of(org);
        for day in self.sheet_days(scope, link).await? {
            self.delete_partition(&keys::ad_days_pk(scope, link, day)).await?;
        }
        self.delete_partition(&keys::sheets_pk(scope, link)).await?;
        self.delete_partition(&keys::ads_pk(scope, link)).await
    }

    /// Until when Meta does not want this account read, or anything by this app; `None` if it does.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn ads_paused_until(&self, id: &AdAccountId, now: Timestamp) -> Result<Option<Timestamp>, TableError> {
        let pauses: Vec<Pause> = self.read_all(&[keys::ad_pause(id), keys::app_pause()]).await?;
        Ok(pauses.into_iter().map(|pause| pause.until).max().filter(|until| *until > now))
    }

    /// Has an account left alone for a while, by everybody; all of them, if there is none named. A longer wait stays.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn pause_ads(&self, id: Option<&AdAccountId>, until: Timestamp) -> Result<(), TableError> {
        let key = id.map_or_else(keys::app_pause, keys::ad_pause);
        let pause = Pause { until };
        let row = Row::new(&key, "pause", &pause).ttl(until.as_second());
        let request = self.client.put_item().table_name(&self.name).set_item(Some(row.item()?));
        let request = request.condition_expression("attribute_not_exists(pk) OR #until < :until");
        let request = request.expression_attribute_names("#until", "until");
        match request.expression_attribute_values(":until", super::text(until.to_string())).send().await {
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }
}
