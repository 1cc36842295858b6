//! What is counted of all orgs.

use std::collections::BTreeMap;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use leadwire::clock;
use leadwire::ids::{IntegrationId, OrgId, OrgScope};
use leadwire::model::connection::Connection;
use leadwire::model::connection::lead_state::Severity;
use serde::Serialize;

use crate::parked::read_parked;
use crate::product::Product;

/// Orgs that are read side by side.
pub(crate) const ORGS_AT_ONCE: usize = 16;

/// An integration through which leads do not arrive, or may stop to.
#[derive(Debug, Serialize)]
pub(super) struct ImpairedIntegration {
    pub(super) org: OrgId,
    pub(super) id: IntegrationId,
    pub(super) severity: Severity,
}

/// What is counted, of one org or of all.
#[derive(Default)]
pub(super) struct OrgCounts {
    pub(super) parked: BTreeMap<String, usize>,
    pub(super) integrations: BTreeMap<String, usize>,
    pub(super) impaired: Vec<ImpairedIntegration>,
}

impl OrgCounts {
    fn add(mut self, other: Self) -> Self {
        other.parked.into_iter().for_each(|(name, number)| *self.parked.entry(name).or_default() += number);
        other.integrations.into_iter().for_each(|(name, number)| *self.integrations.entry(name).or_default() += number);
        self.impaired.extend(other.impaired);
        self
    }
}

/// Counts the parked leads and the integrations of all orgs.
pub(super) async fn read(product: &Product<'_>) -> Result<OrgCounts> {
    let orgs = product.orgs().await?;
    let counting = stream::iter(&orgs).map(|(scope, _)| read_org(product, scope)).buffer_unordered(ORGS_AT_ONCE);
    let mut all = counting.try_fold(OrgCounts::default(), async |all, one| Ok(all.add(one))).await?;
    all.impaired.sort_by(|one, other| {
        other.severity.cmp(&one.severity).then_with(|| (&one.org, &one.id).cmp(&(&other.org, &other.id)))
    });
    Ok(all)
}

async fn read_org(product: &Product<'_>, scope: &OrgScope) -> Result<OrgCounts> {
    let (table, now, mut counts) = (&product.table, clock::now(), OrgCounts::default());
    for lead in read_parked(product, scope).await? {
        *counts.parked.entry(lead.reason.to_string()).or_default() += 1;
    }
    let known = table.integrations(scope).await?;
    let pages: Vec<Connection> = if known.is_empty() { Vec::new() } else { table.connections(scope).await? };
    for integration in known {
        let own = pages.iter().filter(|page| page.integration_id == integration.id && page.is_connected());
        let severity = integration.lead_state(own, now).severity;
        *counts.integrations.entry(<&str>::from(severity).to_owned()).or_default() += 1;
        if severity >= Severity::Warning {
            counts.impaired.push(ImpairedIntegration { org: scope.org().clone(), id: integration.id, severity });
        }
    }
    Ok(counts)
}
