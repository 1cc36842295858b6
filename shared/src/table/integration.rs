//! Integrations: what an admin set, what Meta gave, how it stands, and when to look at it again. Each of these is
//! written by somebody else, so none of them writes the whole item.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::change::Change;
use super::keys;
use super::{Row, Table, TableError};
use crate::ids::{IntegrationId, OrgId, OrgScope};
use crate::model::connection::standing::Ended;
use crate::model::connection::{ConnectedBy, Integration, Problem};
use crate::model::lead::assignment::Assignment;

/// Kept with an integration: an item holds 400 KB, and nobody reads more.
const MOST_PROBLEMS: usize = 100;

/// What an admin may change. Absent means unchanged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Shown to people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// How leads are handed out from now on.
    pub assignment: Option<Assignment>,
}

/// What a look at an integration found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// When the token ends.
    pub token_expires_at: Option<Timestamp>,
    /// When data access ends.
    pub data_access_expires_at: Option<Timestamp>,
    /// What is granted now.
    pub scopes: Vec<String>,
    /// For which pages.
    pub granted_for: std::collections::BTreeMap<String, Vec<String>>,
    /// Whether somebody ended it.
    pub ended: Option<Ended>,
    /// See [`Integration::missed_since`].
    pub missed_since: Option<Timestamp>,
    /// See [`Integration::notices_since`].
    pub notices_since: Timestamp,
    /// When it was looked at.
    pub probed_at: Timestamp,
}

/// An integration whose turn to be looked at has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose.
    pub scope: OrgScope,
    /// Which.
    pub id: IntegrationId,
    /// Its place in the index, as it was seen.
    place: String,
}

/// Which integrations a person at Meta connected, as far as their id is the one that was hashed.
#[derive(Serialize, Deserialize)]
struct Person {
    org: OrgId,
    integration_id: IntegrationId,
}

impl Table {
    /// One integration of the org.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn integration(&self, scope: &OrgScope, id: &IntegrationId) -> Result<Option<Integration>, TableError> {
        self.get(&keys::integration(scope, id)).await
    }

    /// The integration that a message names, with the right to it: the row is the proof that the org has it.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn integration_of(
        &self,
        org: OrgId,
        id: &IntegrationId,
    ) -> Result<Option<(OrgScope, Integration)>, TableError> {
        let scope = OrgScope::of(org);
        Ok(self.integration(&scope, id).await?.map(|integration| (scope, integration)))
    }

    /// The org's integrations, oldest first.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn integrations(&self, scope: &OrgScope) -> Result<Vec<Integration>, TableError> {
        self.query(&keys::org_pk(scope), keys::INTEGRATION_PREFIX).await
    }

    /// Stores a new integration, to be looked at at `next_check`; `false` if there is one with this id.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn insert_integration(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        next_check: Option<Timestamp>,
    ) -> Result<bool, TableError> {
        let change = self.saving(scope, integration, next_check, &[])?;
        change.if_still("type", &None::<()>)?.send().await
    }

    /// Stores an integration that was connected again, to be looked at at `next_check`. What an admin set and since when
    /// it exists stay as they are. `false` if it is not there any more, or is on its way out.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn replace_integration(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        next_check: Option<Timestamp>,
    ) -> Result<bool, TableError> {
        const KEPT: [&str; 4] = ["name", "description", "assignment", "created_at"];
        let change = self.saving(scope, integration, next_check, &KEPT)?;
        change.if_there().if_still("removing", &false)?.if_still("erasing", &false)?.send().await
    }

    fn saving(
        &self,
        scope: &OrgScope,
        integration: &Integration,
        next_check: Option<Timestamp>,
        kept: &[&str],
    ) -> Result<Change, TableError> {
        let change = self.change(&keys::integration(scope, &integration.id)).set("type", &"integration")?;
        let index = next_check.map(|at| keys::check_index(scope, &integration.id, at));
        Ok(change.set_all(integration, kept)?.index(index))
    }

    /// Sets when an integration is looked at next; `None` if there is nothing to look at any more. Somebody who connected
    /// it, ended it or deletes it since it was read has the last word.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn look_again(
        &self,
        scope: &OrgScope,
        seen: &Integration,
        at: Option<Timestamp>,
    ) -> Result<(), TableError> {
        let index = at.map(|at| keys::check_index(scope, &seen.id, at));
        let change = self.change(&keys::integration(scope, &seen.id)).index(index).if_there();
        let change = change.if_still("connected_at", &seen.connected_at)?.if_still("ended", &seen.ended)?;
        change.if_still("removing", &false)?.send().await.map(drop)
    }

    /// Changes what an admin may change; `false` if there is no such integration.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn set_settings(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        settings: &Settings,
    ) -> Result<bool, TableError> {
        // DynamoDB refuses a change of nothing, which is what somebody may ask for.
        let mut change = self.change(&keys::integration(scope, id)).if_there().set("type", &"integration")?;
        if let Some(name) = &settings.name {
            change = change.set("name", name)?;
        }
        if let Some(description) = &settings.description {
            change = change.set("description", description)?;
        }
        if let Some(assignment) = &settings.assignment {
            change = change.set("assignment", assignment)?;
        }
        change.send().await
    }

    /// Writes down what a look found, and when to look again. `false` if it was connected anew, was ended, or is gone
    /// since it was read, or is being deleted: the findings are of an earlier token, or of no use.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn record_findings(
        &self,
        scope: &OrgScope,
        seen: &Integration,
        findings: &Findings,
        next_check: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set_all(findings, &[])?;
        let change = change.index(Some(keys::check_index(scope, &seen.id, next_check)));
        let change = change.if_there().if_still("connected_at", &seen.connected_at)?;
        change.if_still("ended", &seen.ended)?.if_still("removing", &false)?.send().await
    }

    /// Writes down that Meta was asked for the leads that may have been missed.
    ///
    /// # Errors
    /// If the table cannot be written; it is asked again then.
    pub async fn caught_up(&self, scope: &OrgScope, seen: &Integration) -> Result<(), TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set("missed_since", &None::<()>)?;
        change.if_there().if_still("missed_since", &seen.missed_since)?.send().await.map(drop)
    }

    /// Writes down that an integration that was let go has no secrets any more. It stays in line to be looked at until its
    /// admins are told. Somebody who connected it anew has the last word.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn end_letting_go(&self, scope: &OrgScope, seen: &Integration) -> Result<(), TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set("credentials", &Vec::<String>::new())?;
        let change = change.set("letting_go", &false)?.if_there();
        change.if_still("connected_at", &seen.connected_at)?.send().await.map(drop)
    }

    /// Writes down what was found missing while connecting.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn set_problems(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        problems: &[Problem],
    ) -> Result<(), TableError> {
        let problems: Vec<&Problem> = problems.iter().take(MOST_PROBLEMS).collect();
        self.change(&keys::integration(scope, id)).set("problems", &problems)?.if_there().send().await.map(drop)
    }

    /// Marks an integration as being deleted, and puts it first in line to be looked at, so that a deletion that stops
    /// half-way is gone on with. `false` if there is none.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn begin_removal(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::integration(scope, id)).set("removing", &true)?;
        change.index(Some(keys::check_index(scope, id, now))).if_there().send().await
    }

    /// Ends an integration because its person wants so, and puts it first in line to be looked at, so that what follows
    /// from it is gone on with if it stops half-way: an erasure if they asked for one, else only letting go. `false` if it
    /// was connected anew since it was read.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn begin_ending(
        &self,
        scope: &OrgScope,
        seen: &Integration,
        ended: &Ended,
        erasing: bool,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set("ended", ended)?;
        let change = change.set(if erasing { "erasing" } else { "letting_go" }, &true)?;
        let change = change.index(Some(keys::check_index(scope, &seen.id, now)));
        change.if_there().if_still("connected_at", &seen.connected_at)?.send().await
    }

    /// Writes down that an erasure is done: what is left of the integration is what the org itself gave it. It stays in
    /// line to be looked at until its admins are told.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn end_erasure(&self, scope: &OrgScope, seen: &Integration) -> Result<(), TableError> {
        let nobody = ConnectedBy { name: None, ..seen.connected_by.clone() };
        let change = self.change(&keys::integration(scope, &seen.id)).set("connected_by", &nobody)?;
        let change = change.set("credentials", &Vec::<String>::new())?.set("problems", &Vec::<Problem>::new())?;
        let change = change.set("granted_for", &None::<()>)?.set("person", &None::<()>)?;
        let change = change.set("erasing", &false)?.set("letting_go", &false)?;
        change.if_there().if_still("connected_at", &seen.connected_at)?.send().await.map(drop)
    }

    /// Deletes an integration that is marked as being deleted, unless it was connected anew meanwhile.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn delete_integration(&self, scope: &OrgScope, id: &IntegrationId) -> Result<(), TableError> {
        self.delete_if_still(&keys::integration(scope, id), "removing", &true).await
    }

    /// The integrations whose turn came at or before `until`, those that have waited longest first; all of them if there
    /// is no `until`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn due_integrations(&self, until: Option<Timestamp>) -> Result<Vec<Due>, TableError> {
        let until = until.map_or_else(|| "~".to_owned(), |until| format!("{}~", keys::instant(until)));
        let items = self.index_items(keys::CHECKS, Some(&until)).await?;
        let due = items.iter().filter_map(|item| {
            let place = item.get("gsi1sk")?.as_s().ok()?;
            let (org, id) = keys::checked(place)?;
            Some(Due { scope: OrgScope::of(org), id, place: place.clone() })
        });
        Ok(due.collect())
    }

    /// Puts off an integration that was handed to a worker, so that it is not handed out again while the worker is at
    /// it. Whoever moved it meanwhile wins.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn put_off(&self, due: &Due, until: Timestamp) -> Result<(), TableError> {
        let change = self.change(&keys::integration(&due.scope, &due.id));
        let change = change.index(Some(keys::check_index(&due.scope, &due.id, until)));
        change.if_there().if_still("gsi1sk", &due.place)?.send().await.map(drop)
    }

    /// Remembers who at Meta connected an integration, by a hash that only we can make.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn remember_person(&self, scope: &OrgScope, id: &IntegrationId, person: &str) -> Result<(), TableError> {
        let row = Person { org: scope.org().clone(), integration_id: id.clone() };
        self.put(Row::new(&keys::meta_person(person, scope, id), "meta_person", &row)).await
    }

    /// Forgets that.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn forget_person(&self, scope: &OrgScope, id: &IntegrationId, person: &str) -> Result<(), TableError> {
        self.delete(&keys::meta_person(person, scope, id)).await
    }

    /// What a person at Meta connected.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn integrations_of_person(&self, person: &str) -> Result<Vec<(OrgScope, IntegrationId)>, TableError> {
        let rows: Vec<Person> = self.query(&keys::meta_person_pk(person), keys::CONNECTION_PREFIX).await?;
        Ok(rows.into_iter().map(|row| (OrgScope::of(row.org), row.integration_id)).collect())
    }
}
