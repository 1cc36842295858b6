//! Integrations: the admin's settings, Meta's grants, the state, and the time of the next check. Each has its own
//! writer, so no writer stores the whole item.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::change::ItemUpdate;
use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, IndexRange, Table, TableError};
use crate::ids::{IntegrationId, OrgId, OrgScope};
use crate::model::connection::problem::IntegrationProblem;
use crate::model::connection::state::ConnectionEnd;
use crate::model::connection::{ConnectedBy, Integration, Lifecycle};
use crate::model::lead::assignment::Assignment;

/// Problems stored with an integration. An item holds 400 KB, and an admin does not need more.
const MAX_PROBLEMS: usize = 100;

/// Settings of an integration that an admin may change. `None` means unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IntegrationSettings {
    /// The name, for people.
    pub name: Option<String>,
    /// The description, for people.
    pub description: Option<String>,
    /// How leads are assigned from now on.
    pub assignment: Option<Assignment>,
    /// How conversations of the inbox are assigned from now on.
    pub inbox_assignment: Option<Assignment>,
    /// Whether leads are mailed to their assignees.
    pub notify_assignee: Option<bool>,
}

/// The result of a check of an integration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// When the token expires.
    pub token_expires_at: Option<Timestamp>,
    /// When data access ends.
    pub data_access_expires_at: Option<Timestamp>,
    /// The permissions granted now.
    pub scopes: Vec<String>,
    /// The permissions granted for some pages only, with those pages.
    pub granted_for: std::collections::BTreeMap<String, Vec<String>>,
    /// How it ended, if it has.
    pub ended: Option<ConnectionEnd>,
    /// See [`Integration::missed_since`].
    pub missed_since: Option<Timestamp>,
    /// See [`Integration::notices_since`].
    pub notices_since: Timestamp,
    /// When the check ran.
    pub checked_at: Timestamp,
}

/// An integration that is due for a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The org of the integration.
    pub scope: OrgScope,
    /// The integration's id.
    pub id: IntegrationId,
    /// Its position in the index when it was read.
    position: String,
}

/// An index entry: an integration that a person at Meta connected, found by a hash of the person's id.
#[derive(Serialize, Deserialize)]
pub(super) struct PersonRow {
    org: OrgId,
    pub(super) integration_id: IntegrationId,
}

impl Table {
    /// Reads one integration of the org.
    pub async fn integration(&self, scope: &OrgScope, id: &IntegrationId) -> Result<Option<Integration>, TableError> {
        self.get(&keys::integration(scope, id)).await
    }

    /// Reads the integration that a message names, with the scope to access it: the row proves that the org has it.
    pub async fn integration_of(
        &self,
        org: OrgId,
        id: &IntegrationId,
    ) -> Result<Option<(OrgScope, Integration)>, TableError> {
        let scope = OrgScope::new(org);
        Ok(self.integration(&scope, id).await?.map(|integration| (scope, integration)))
    }

    /// Lists the org's integrations, oldest first.
    pub async fn integrations(&self, scope: &OrgScope) -> Result<Vec<Integration>, TableError> {
        self.query(&keys::org_pk(scope), keys::INTEGRATION_PREFIX).await
    }

    /// Stores a new integration with its first check at `next_check`. `false` if the id is taken.
    pub async fn insert_integration(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        next_check: Option<Timestamp>,
    ) -> Result<bool, TableError> {
        let change = self.saving(scope, integration, next_check, &[])?;
        change.if_unchanged("type", &None::<()>)?.send().await
    }

    /// Stores an integration that was connected again, with its next check at `next_check`. The admin's settings and
    /// the creation time stay. `false` if it is gone, or is being deleted or erased.
    pub async fn replace_integration(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        next_check: Option<Timestamp>,
    ) -> Result<bool, TableError> {
        const PRESERVED: [&str; 7] =
            ["name", "description", "assignment", "inbox_assignment", "notify_assignee", "conversions", "created_at"];
        let change = self.saving(scope, integration, next_check, &PRESERVED)?;
        let change = change.if_exists().if_not("lifecycle", &Lifecycle::Removing)?;
        change.if_not("lifecycle", &Lifecycle::Erasing)?.send().await
    }

    fn saving(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        next_check: Option<Timestamp>,
        preserved: &[&str],
    ) -> Result<ItemUpdate, TableError> {
        let change = self.change(&keys::integration(scope, &integration.id)).kind(ItemKind::Integration);
        let index = next_check.map(|at| keys::check_index(scope, &integration.id, at));
        Ok(change.set_all(integration, preserved)?.index(index))
    }

    /// Schedules the next check; `None` removes the integration from the check queue. Does nothing if it was connected
    /// again, ended, or marked for deletion since it was read.
    pub async fn schedule_check(
        &self,
        scope: &OrgScope,
        seen: &Integration,
        at: Option<Timestamp>,
    ) -> Result<(), TableError> {
        let index = at.map(|at| keys::check_index(scope, &seen.id, at));
        let change = self.change(&keys::integration(scope, &seen.id)).index(index).if_exists();
        let change = change.if_unchanged("connected_at", &seen.connected_at)?.if_unchanged("ended", &seen.ended)?;
        change.if_not("lifecycle", &Lifecycle::Removing)?.send().await.map(drop)
    }

    /// Changes the admin's settings. `false` if there is no such integration.
    pub async fn set_settings(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        settings: &IntegrationSettings,
    ) -> Result<bool, TableError> {
        // DynamoDB refuses an empty update, and a caller may ask for one.
        let mut change = self.change(&keys::integration(scope, id)).if_exists().kind(ItemKind::Integration);
        if let Some(name) = &settings.name {
            change = change.set("name", name)?;
        }
        if let Some(description) = &settings.description {
            change = change.set("description", description)?;
        }
        if let Some(assignment) = &settings.assignment {
            change = change.set("assignment", assignment)?;
        }
        if let Some(assignment) = &settings.inbox_assignment {
            change = change.set("inbox_assignment", assignment)?;
        }
        if let Some(on) = &settings.notify_assignee {
            change = change.set("notify_assignee", on)?;
        }
        change.send().await
    }

    /// Records the findings of a check and schedules the next one. `false` if the integration was connected again,
    /// ended or deleted since it was read, or is being deleted: the findings are about an earlier token, or useless.
    pub async fn record_findings(
        &self,
        scope: &OrgScope,
        seen: &Integration,
        findings: &Findings,
        next_check: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set_all(findings, &[])?;
        let change = change.index(Some(keys::check_index(scope, &seen.id, next_check)));
        let change = change.if_exists().if_unchanged("connected_at", &seen.connected_at)?;
        change.if_unchanged("ended", &seen.ended)?.if_not("lifecycle", &Lifecycle::Removing)?.send().await
    }

    /// Records that the leads that may have been missed were requested from Meta.
    ///
    /// # Errors
    /// After an error, they are requested again.
    pub async fn caught_up(&self, scope: &OrgScope, seen: &Integration) -> Result<(), TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set("missed_since", &None::<()>)?;
        change.if_exists().if_unchanged("missed_since", &seen.missed_since)?.send().await.map(drop)
    }

    /// Records that the secrets of a released integration are deleted. It stays in the check queue until its admins are
    /// notified. Does nothing if it was connected again, or is being erased or deleted.
    pub async fn end_release(&self, scope: &OrgScope, seen: &Integration) -> Result<(), TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set("credentials", &Vec::<String>::new())?;
        let change = change.set("lifecycle", &Lifecycle::Live)?.if_exists();
        let change = change.if_unchanged("lifecycle", &Lifecycle::Releasing)?;
        change.if_unchanged("connected_at", &seen.connected_at)?.send().await.map(drop)
    }

    /// Records the problems that an examination found, of which the worst come first.
    pub async fn set_problems(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        problems: &[IntegrationProblem],
    ) -> Result<(), TableError> {
        let problems: Vec<&IntegrationProblem> = problems.iter().take(MAX_PROBLEMS).collect();
        self.change(&keys::integration(scope, id)).set("problems", &problems)?.if_exists().send().await.map(drop)
    }

    /// Marks an integration as being deleted and puts it first in the check queue, so that an interrupted deletion is
    /// resumed. `false` if there is no such integration.
    pub async fn begin_removal(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::integration(scope, id)).set("lifecycle", &Lifecycle::Removing)?;
        change.index(Some(keys::check_index(scope, id, now))).if_exists().send().await
    }

    /// Ends an integration at the request of the person who connected it, and puts it first in the check queue, so that
    /// interrupted work is resumed. `false` if it was connected again since it was read, or is gone.
    ///
    /// `as_what` is [`Lifecycle::Releasing`] or [`Lifecycle::Erasing`]. An integration that is already being erased or
    /// deleted stays so, because that does all of it and more.
    pub async fn begin_ending(
        &self,
        scope: &OrgScope,
        seen: &Integration,
        ended: &ConnectionEnd,
        lifecycle: Lifecycle,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let change =
            self.change(&keys::integration(scope, &seen.id)).set("ended", ended)?.set("lifecycle", &lifecycle)?;
        let change = change.index(Some(keys::check_index(scope, &seen.id, now))).if_exists();
        let mut change =
            change.if_unchanged("connected_at", &seen.connected_at)?.if_not("lifecycle", &Lifecycle::Removing)?;
        if lifecycle == Lifecycle::Releasing {
            change = change.if_not("lifecycle", &Lifecycle::Erasing)?;
        }
        if change.send().await? {
            return Ok(true);
        }
        let now = self.integration(scope, &seen.id).await?;
        Ok(now.is_some_and(|now| matches!(now.lifecycle, Lifecycle::Erasing | Lifecycle::Removing)))
    }

    /// Replaces the name of an integration that is being erased, because it was made of its pages' names.
    pub async fn forget_name(&self, scope: &OrgScope, id: &IntegrationId) -> Result<(), TableError> {
        let change = self.change(&keys::integration(scope, id)).set("name", &"Deleted connection")?.if_exists();
        change.if_unchanged("lifecycle", &Lifecycle::Erasing)?.send().await.map(drop)
    }

    /// Records that an erasure is complete: only the org's own data about the integration is left. It stays in the
    /// check queue until its admins are notified. Does nothing if it is being deleted.
    pub async fn end_erasure(&self, scope: &OrgScope, seen: &Integration) -> Result<(), TableError> {
        let nobody = ConnectedBy { name: None, ..seen.connected_by.clone() };
        let change = self.change(&keys::integration(scope, &seen.id)).set("connected_by", &nobody)?;
        let change = change.set("credentials", &Vec::<String>::new())?;
        let change = change.set("problems", &Vec::<IntegrationProblem>::new())?;
        let change = change.set("granted_for", &None::<()>)?.set("person", &None::<()>)?;
        let change = change.set("lifecycle", &Lifecycle::Live)?.if_exists();
        let change = change.if_unchanged("lifecycle", &Lifecycle::Erasing)?;
        change.if_unchanged("connected_at", &seen.connected_at)?.send().await.map(drop)
    }

    /// Deletes an integration, provided that it is marked as being deleted.
    pub async fn delete_integration(&self, scope: &OrgScope, id: &IntegrationId) -> Result<(), TableError> {
        self.delete_if_still(&keys::integration(scope, id), "lifecycle", &Lifecycle::Removing).await
    }

    /// Lists the integrations that were due at or before `until`, longest due first. Without `until`, lists the whole
    /// queue.
    pub async fn due_integrations(&self, until: Option<Timestamp>) -> Result<Vec<Due>, TableError> {
        let until = until.map_or_else(|| "~".to_owned(), |until| format!("{}~", keys::instant(until)));
        let items = self.index_items(keys::CHECKS, IndexRange::Until(&until)).await?;
        let due = items.iter().filter_map(|item| {
            let position = item.get("gsi1sk")?.as_s().ok()?;
            let (org, id) = keys::parse_check(position)?;
            Some(Due { scope: OrgScope::new(org), id, position: position.clone() })
        });
        Ok(due.collect())
    }

    /// Reads the integrations of these entries as they were a moment ago. One that cannot be read is logged and left out.
    pub async fn integrations_due(&self, due: &[Due]) -> Result<Vec<Integration>, TableError> {
        let keys: Vec<_> = due.iter().map(|due| keys::integration(&due.scope, &due.id)).collect();
        let items = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let readable = items.into_iter().filter_map(|(key, item)| {
            let integration = super::entity::<Integration>(item).inspect_err(|error| {
                tracing::error!(%error, pk = key.pk, sk = key.sk, "an integration cannot be read");
            });
            integration.ok()
        });
        Ok(readable.collect())
    }

    /// Postpones the check of an integration that was handed to a worker, so that it is not handed out again meanwhile.
    /// Does nothing if it was rescheduled since it was read.
    pub async fn postpone_check(&self, due: &Due, until: Timestamp) -> Result<(), TableError> {
        let change = self.change(&keys::integration(&due.scope, &due.id));
        let change = change.index(Some(keys::check_index(&due.scope, &due.id, until)));
        change.if_exists().if_unchanged("gsi1sk", &due.position)?.send().await.map(drop)
    }

    /// Stores which person at Meta connected an integration, by a hash that only this service can compute.
    pub async fn remember_person(&self, scope: &OrgScope, id: &IntegrationId, person: &str) -> Result<(), TableError> {
        let row = PersonRow { org: scope.org().clone(), integration_id: id.clone() };
        self.put(Row::new(&keys::meta_person(person, scope, id), ItemKind::MetaPerson, &row)).await
    }

    /// Deletes the person's index entry for an integration.
    pub async fn forget_person(&self, scope: &OrgScope, id: &IntegrationId, person: &str) -> Result<(), TableError> {
        self.delete(&keys::meta_person(person, scope, id)).await
    }

    /// Lists the integrations that a person at Meta connected.
    pub async fn integrations_of_person(&self, person: &str) -> Result<Vec<(OrgScope, IntegrationId)>, TableError> {
        let rows: Vec<PersonRow> = self.query(&keys::meta_person_pk(person), keys::CONNECTION_PREFIX).await?;
        Ok(rows.into_iter().map(|row| (OrgScope::new(row.org), row.integration_id)).collect())
    }
}
