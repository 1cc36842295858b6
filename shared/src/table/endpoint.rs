//! Endpoints. Their settings and what workers observe of them are different attributes, so that neither overwrites the
//! other.

use jiff::Timestamp;

use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, keys};
use crate::ids::{EndpointId, OrgScope};
use crate::model::delivery::schedule::EndpointHealth;
use crate::model::delivery::{DisabledReason, Endpoint, EndpointDisabled, RetiredSecret};

/// A change of an endpoint's settings. `None` leaves a setting as it is.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// The address.
    pub url: Option<String>,
    /// What the org calls it.
    pub description: Option<String>,
    /// Which events it receives; the inner `None` means all.
    pub events: Option<Option<Vec<String>>>,
    /// Whether events are sent to it. Activating forgets its failures.
    pub active: Option<bool>,
}

impl Table {
    /// Lists the org's endpoints, oldest first.
    pub async fn endpoints(&self, scope: &OrgScope) -> Result<Vec<Endpoint>, TableError> {
        self.query(&keys::endpoints_pk(scope), "ENDPOINT#").await
    }

    /// Reads an endpoint.
    pub async fn endpoint(&self, scope: &OrgScope, id: &EndpointId) -> Result<Option<Endpoint>, TableError> {
        self.get(&keys::endpoint(scope, id)).await
    }

    /// Stores a new endpoint.
    pub async fn insert_endpoint(&self, scope: &OrgScope, endpoint: &Endpoint) -> Result<(), TableError> {
        self.put(Row::new(&keys::endpoint(scope, &endpoint.id), ItemKind::Endpoint, endpoint)).await
    }

    /// Changes an endpoint's settings. `false` if it is gone.
    pub async fn change_endpoint(
        &self,
        scope: &OrgScope,
        id: &EndpointId,
        to: &EndpointChange,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let mut change = self.change(&keys::endpoint(scope, id)).if_exists().set("updated_at", &now)?;
        if let Some(url) = &to.url {
            change = change.set("url", url)?;
        }
        if let Some(description) = &to.description {
            change = change.set("description", description)?;
        }
        if let Some(events) = &to.events {
            change = change.set("events", events)?;
        }
        if let Some(active) = to.active {
            change = change.set("active", &active)?.set("disabled", &None::<()>)?;
            change = change.set("health", &EndpointHealth::default())?;
        }
        change.send().await
    }

    /// Replaces an endpoint's secret by its next version. `false` if it was replaced meanwhile, or is gone.
    pub async fn rotate_secret(
        &self,
        scope: &OrgScope,
        seen: &Endpoint,
        retired: &[RetiredSecret],
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::endpoint(scope, &seen.id)).if_exists();
        let change = change.if_unchanged("secret_version", &seen.secret_version)?.set("updated_at", &now)?;
        change.set("secret_version", &(seen.secret_version + 1))?.set("retired_secrets", &retired)?.send().await
    }

    /// Stores how an endpoint responded. Does nothing if another worker stored that first, or if it is gone.
    pub async fn set_endpoint_health(
        &self,
        scope: &OrgScope,
        seen: &Endpoint,
        health: &EndpointHealth,
    ) -> Result<(), TableError> {
        let change = self.change(&keys::endpoint(scope, &seen.id)).if_exists();
        change.if_unchanged("health", &seen.health)?.set("health", health)?.send().await.map(drop)
    }

    /// Deactivates an endpoint that no longer takes events. Does nothing if it is not active, or if its settings were
    /// changed since it was read.
    pub async fn disable_endpoint(
        &self,
        scope: &OrgScope,
        seen: &Endpoint,
        reason: DisabledReason,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let disabled = EndpointDisabled { at: now, reason, is_notified: false };
        let change = self.change(&keys::endpoint(scope, &seen.id)).if_exists().if_unchanged("active", &true)?;
        let change = change.if_unchanged("updated_at", &seen.updated_at)?.set("active", &false)?;
        change.set("disabled", &disabled)?.send().await.map(drop)
    }

    /// Stores that the admins know of a deactivation.
    pub async fn endpoint_notified(
        &self,
        scope: &OrgScope,
        id: &EndpointId,
        seen: &EndpointDisabled,
    ) -> Result<(), TableError> {
        let notified = EndpointDisabled { is_notified: true, ..seen.clone() };
        let change = self.change(&keys::endpoint(scope, id)).if_exists().if_unchanged("disabled", seen)?;
        change.set("disabled", &notified)?.send().await.map(drop)
    }

    /// Deletes an endpoint. Its deliveries are no longer tried. Already deleted counts as success.
    pub async fn delete_endpoint(&self, scope: &OrgScope, id: &EndpointId) -> Result<(), TableError> {
        self.delete(&keys::endpoint(scope, id)).await
    }
}
