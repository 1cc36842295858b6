//! What a plan for new leads relies on, read in one request as far as possible. [`Table::commit`] writes the plan.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use super::keys::{self, Key};
use super::lead::PersonClaim;
use super::rotation::{rotation_keys, rotation_of};
use super::{Item, Table, TableError, entity};
use crate::ids::{LeadId, OrgScope, PageId};
use crate::model::connection::{Connection, Integration, Lifecycle};
use crate::model::lead::Lead;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::Snapshot;
use crate::model::lead::identity::{PersonKey, person_keys};

/// What is known before leads of an integration are written.
#[derive(Debug)]
pub struct WriteContext {
    /// The org's state.
    pub snapshot: Snapshot,
    /// How the integration assigns leads. `None` if it is gone or being removed.
    pub assignment: Option<Assignment>,
    /// Whether the integration reports its leads to Meta.
    pub reports: bool,
    /// The pages through which leads are still imported.
    pub connected: BTreeSet<PageId>,
}

impl Table {
    /// Reads which of `leads`, and of the persons in them, the org already has.
    pub async fn dedupe_snapshot(&self, scope: &OrgScope, leads: &[impl Borrow<Lead>]) -> Result<Snapshot, TableError> {
        let wanted = WantedKeys::new(scope, leads);
        let mut found = self.batch_get(&wanted.keys()).await?;
        wanted.snapshot(&mut found)
    }

    /// Reads what a plan for `leads` relies on. They came through `connections`, all of one integration.
    ///
    /// Of at most 24 leads and as many connections, this is one request.
    pub async fn write_context(
        &self,
        scope: &OrgScope,
        leads: &[&Lead],
        connections: &[&Connection],
    ) -> Result<WriteContext, TableError> {
        let wanted = WantedKeys::new(scope, leads);
        let mut keys = wanted.keys();
        let key_of = |page: &Connection| keys::connection(scope, &page.integration_id, &page.page_id);
        keys.extend(connections.iter().map(|page| key_of(page)));
        let integration = connections.first().map(|page| keys::integration(scope, &page.integration_id));
        keys.extend(integration.clone());
        let rotation_keys = rotation_keys(scope);
        if integration.is_some() {
            keys.extend(rotation_keys.iter().cloned());
        }
        let mut found = self.batch_get(&keys).await?;
        let mut snapshot = wanted.snapshot(&mut found)?;
        let mut connected = BTreeSet::new();
        for page in connections {
            let current: Option<Connection> = found.remove(&key_of(page)).map(entity).transpose()?;
            connected.extend(current.filter(Connection::is_connected).map(|page| page.page_id));
        }
        let (assignment, reports) = match integration {
            None => (Some(Assignment::Unassigned), false),
            Some(key) => {
                let integration: Option<Integration> = found.remove(&key).map(entity).transpose()?;
                let live = integration.filter(|integration| integration.lifecycle != Lifecycle::Removing);
                let reports = live.as_ref().is_some_and(|integration| integration.conversions.is_some());
                (live.map(|integration| integration.assignment), reports)
            }
        };
        match &assignment {
            Some(Assignment::RoundRobin) => {
                let [cursor, roster] = rotation_keys.map(|key| found.remove(&key));
                snapshot.rotation = Some(match rotation_of(cursor, roster)? {
                    Some((rotation, _)) => rotation,
                    None => self.rotation(scope).await?,
                });
            }
            Some(Assignment::User { user_id }) => {
                snapshot.chosen_user_eligible = self.user(scope, user_id).await?.is_some_and(|user| user.takes_leads());
            }
            Some(Assignment::Unassigned) | None => {}
        }
        Ok(WriteContext { snapshot, assignment, reports, connected })
    }
}

/// The keys of leads and of the persons in them.
struct WantedKeys {
    leads: BTreeMap<Key, LeadId>,
    persons: BTreeMap<Key, PersonKey>,
}

impl WantedKeys {
    fn new(scope: &OrgScope, leads: &[impl Borrow<Lead>]) -> Self {
        let leads = || leads.iter().map(Borrow::<Lead>::borrow);
        let persons = leads()
            .filter(|lead| !lead.test)
            .flat_map(|lead| person_keys(lead.email.as_deref(), lead.phone.as_deref()));
        Self {
            leads: leads().map(|lead| (keys::lead(scope, &lead.id), lead.id.clone())).collect(),
            persons: persons.map(|person| (keys::person(scope, &person), person)).collect(),
        }
    }

    fn keys(&self) -> Vec<Key> {
        self.leads.keys().chain(self.persons.keys()).cloned().collect()
    }

    fn snapshot(self, found: &mut std::collections::HashMap<Key, Item>) -> Result<Snapshot, TableError> {
        let stored = self.leads.into_iter().filter(|(key, _)| found.contains_key(key)).map(|(_, id)| id).collect();
        let mut snapshot = Snapshot { stored, ..Snapshot::default() };
        for (key, person) in self.persons {
            if let Some(item) = found.remove(&key) {
                snapshot.persons.insert(person, entity::<PersonClaim>(item)?.lead_id);
            }
        }
        Ok(snapshot)
    }
}
