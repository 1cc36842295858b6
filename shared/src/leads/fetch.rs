//! Turns lead ids into leads: reads Meta's data through one connection and converts it for the CRM.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ingest::{Arrival, Ingest};
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::leads::GraphLead;
use crate::ids::{FormId, LeadId, LeadgenId, OrgScope, PageId};
use crate::model::connection::Connection;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::form::{self, Form};
use crate::model::lead::mapping::{self, Mapping};
use crate::model::lead::{Attribution, Lead, Provenance, tag};
use crate::secret::AccessToken;

/// The forms read during one run.
#[derive(Default)]
struct Forms {
    known: BTreeMap<FormId, Form>,
    /// The org's own mappings. Forms without one are absent.
    mappings: BTreeMap<FormId, Mapping>,
    /// All forms requested so far, including unreadable ones: requesting one again in the same run would not help.
    requested: BTreeSet<FormId>,
}

/// The outcome of reading leads.
#[derive(Debug, Default)]
pub(super) struct FetchedLeads {
    /// The leads that could be read, in order of arrival.
    pub(super) leads: Vec<Lead>,
    /// The leads that could not be read, with the reason.
    pub(super) failed: BTreeMap<LeadId, WorkError>,
}

impl Ingest {
    /// Reads the leads of `arrivals` from Meta, in that order.
    pub(super) async fn fetch(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        arrivals: &[Arrival],
        now: Timestamp,
    ) -> FetchedLeads {
        self.try_fetch(scope, connection, arrivals, now).await.unwrap_or_else(|error| {
            // One cause for all leads: logged once here, returned for each.
            tracing::warn!(%error, org = %scope.org(), page = %connection.page_id, "leads of a page could not be read");
            let failed = arrivals.iter().map(|arrival| (arrival.lead_id(), error.clone())).collect();
            FetchedLeads { leads: Vec::new(), failed }
        })
    }

    async fn try_fetch(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        arrivals: &[Arrival],
        now: Timestamp,
    ) -> Result<FetchedLeads, WorkError> {
        let org = self.writer.table.org(scope).await?;
        if org.as_ref().is_some_and(|org| !org.has_meta()) {
            return Err(WorkError::NotInPlan);
        }
        let country = org.and_then(|org| org.default_country);
        // Read the leads, and the forms that the notices name.
        let token = self.meta.vault.page_token(&connection.credentials, &connection.page_id).await?;
        let form_ids: BTreeSet<FormId> =
            arrivals.iter().filter_map(|arrival| arrival.job.notice.form_id.clone()).collect();
        let mut forms = Forms::default();
        let ids: Vec<LeadgenId> = arrivals.iter().map(|arrival| arrival.job.notice.leadgen_id.clone()).collect();
        let mut leads = self.read(connection, &ids, form_ids, &mut forms, &token, now).await?;

        if leads.iter().any(|lead| matches!(lead, Err(GraphError::TokenInvalid { .. }))) {
            // The integration may have been reconnected since this process read the token.
            self.meta.vault.forget(&connection.credentials);
            let newer = self.meta.vault.page_token(&connection.credentials, &connection.page_id).await?;
            if !newer.is(&token) {
                leads = self.read(connection, &ids, BTreeSet::new(), &mut forms, &newer, now).await?;
            }
        }
        // Now that the leads name their forms, read the mappings and convert the leads.
        let form_of = |lead: &GraphLead, arrival: &Arrival| {
            lead.attribution.form_id.clone().or_else(|| arrival.job.notice.form_id.clone())
        };
        let lead_forms: BTreeSet<FormId> =
            arrivals.iter().zip(&leads).filter_map(|(arrival, lead)| form_of(lead.as_ref().ok()?, arrival)).collect();
        forms.mappings.extend(self.writer.table.mappings(scope, &lead_forms.into_iter().collect::<Vec<_>>()).await?);
        let fetched_at = crate::clock::now();
        let mut fetched = FetchedLeads::default();
        for (arrival, lead) in arrivals.iter().zip(leads) {
            match lead {
                Ok(lead) => {
                    let form_id = form_of(&lead, arrival);
                    let lead = crm_lead(lead, arrival, connection, form_id, &forms, country.as_deref(), fetched_at);
                    fetched.leads.push(lead);
                }
                Err(error) => {
                    fetched.failed.insert(arrival.lead_id(), error.into());
                }
            }
        }
        Ok(fetched)
    }

    /// Reads leads, and the forms that the webhook or the leads name, unless they are already known.
    async fn read(
        &self,
        connection: &Connection,
        ids: &[LeadgenId],
        form_ids: BTreeSet<FormId>,
        forms: &mut Forms,
        token: &AccessToken,
        now: Timestamp,
    ) -> Result<Vec<Result<GraphLead, GraphError>>, WorkError> {
        let page = &connection.page_id;
        let graph = self.meta.graph().await?;
        let unknown = self.unknown_forms(page, form_ids, forms, now).await?;
        let fetched = graph.leads_and_forms(ids, &unknown, token).await;
        if fetched.leads.iter().any(|lead| matches!(lead, Err(GraphError::ProofRefused(_)))) {
            self.meta.invalidate_app_secret();
        }
        self.remember(page, unknown.into_iter().zip(fetched.forms), forms, now).await;
        let lead_forms = fetched.leads.iter().flatten().filter_map(|lead| lead.attribution.form_id.clone()).collect();
        let unknown = self.unknown_forms(page, lead_forms, forms, now).await?;
        if !unknown.is_empty() {
            let fetched = graph.leads_and_forms(&[], &unknown, token).await;
            self.remember(page, unknown.into_iter().zip(fetched.forms), forms, now).await;
        }
        Ok(fetched.leads)
    }

    /// Returns the forms of `wanted` that are neither known nor already requested in this run.
    async fn unknown_forms(
        &self,
        page: &PageId,
        wanted: BTreeSet<FormId>,
        forms: &mut Forms,
        now: Timestamp,
    ) -> Result<Vec<FormId>, WorkError> {
        let open: Vec<FormId> = wanted.into_iter().filter(|form| !forms.requested.contains(form)).collect();
        if !open.is_empty() {
            forms.known.extend(self.writer.table.forms(page, &open, now).await?);
        }
        forms.requested.extend(open.iter().cloned());
        Ok(open.into_iter().filter(|form| !forms.known.contains_key(form)).collect())
    }

    /// Caches the forms that were read. An unreadable form keeps no lead out: the lead only lacks its name and labels.
    async fn remember(
        &self,
        page: &PageId,
        fetched: impl Iterator<Item = (FormId, Result<Form, GraphError>)>,
        forms: &mut Forms,
        now: Timestamp,
    ) {
        for (id, form) in fetched {
            match form {
                Ok(form) => {
                    if let Err(error) = self.writer.table.put_form(page, &id, &form, now).await {
                        tracing::warn!(%error, form = %id, "a form could not be cached");
                    }
                    forms.known.insert(id, form);
                }
                Err(error) => {
                    tracing::warn!(%error, form = %id, %page, "a form could not be read; its leads are imported without its name");
                }
            }
        }
    }
}

/// Converts a lead for the CRM. It is not assigned yet.
fn crm_lead(
    lead: GraphLead,
    arrival: &Arrival,
    connection: &Connection,
    form_id: Option<FormId>,
    forms: &Forms,
    country: Option<&str>,
    fetched_at: Timestamp,
) -> Lead {
    let job = &arrival.job;
    let form = form_id.as_ref().and_then(|id| forms.known.get(id));
    let mapping = form_id.as_ref().and_then(|id| forms.mappings.get(id));
    let raw_answers = lead.raw_answers();
    let answers = form::label(&raw_answers, form);
    let mapped = mapping::map(&answers, form, mapping, country);
    let reason = if job.unassigned { Reason::NotAsked } else { Reason::StrategyUnassigned };
    let consents = form::consents(&lead.disclaimers());
    let form_name = form.map(|form| form.name.clone());
    Lead {
        leadgen_id: Some(job.notice.leadgen_id.clone()),
        tags: vec![tag(lead.attribution.platform.as_deref()).to_owned()],
        page_id: Some(connection.page_id.clone()),
        page_name: Some(connection.page_name.clone()),
        attribution: Attribution { form_id, form_name, ..lead.attribution },
        assignment: Assigned { strategy: Strategy::Unassigned, reason },
        test: form::is_test(&raw_answers),
        answers,
        consents,
        provenance: Provenance {
            fetched_at: Some(fetched_at),
            tries: arrival.receive_count,
            mapping: mapping.map(|mapping| mapping.version),
            ..Provenance::default()
        },
        ..Lead::new(arrival.lead_id(), job.found_by, lead.created_time, job.received_at).with(mapped)
    }
}
