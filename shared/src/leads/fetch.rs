//! Turns lead ids into leads: reads Meta's data through the org's connections and converts it for the CRM.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::ingest::{Arrival, Ingest};
use crate::error::WorkError;
use crate::graph::leads::{GraphLead, PageRead};
use crate::graph::{GraphClient, GraphError};
use crate::ids::{FormId, LeadId, OrgScope, PageId};
use crate::model::connection::Connection;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::form::{self, Form};
use crate::model::lead::mapping::{self, Mapping};
use crate::model::lead::{Attribution, Lead, Provenance, tag};
use crate::secret::AccessToken;

/// The leads of one page to read, through one of the org's connections of it.
#[derive(Debug)]
pub(super) struct PageArrivals<'a> {
    pub(super) connection: &'a Connection,
    pub(super) arrivals: Vec<&'a Arrival>,
}

/// The forms read during one run.
#[derive(Default)]
struct Forms {
    known: BTreeMap<FormId, Form>,
    /// The org's own mappings. Forms without one are absent.
    mappings: BTreeMap<FormId, Mapping>,
    /// All forms requested so far, including unreadable ones: requesting one again in the same run would not help.
    requested: BTreeSet<FormId>,
    /// The forms that may be readable in a moment.
    unread: BTreeMap<FormId, GraphError>,
}

/// Deliveries of a lead that wait for its form. Without its questions, an e-mail address under a name of its own is an
/// unknown answer, and the lead is no known person's. After this many, a late lead is worse.
const FORM_TRIES: u32 = 6;

impl Forms {
    /// Why a lead waits for its form, if it does.
    fn awaited(&self, lead: &GraphLead, arrival: &Arrival) -> Option<&GraphError> {
        let form = form_id(lead, arrival).filter(|_| arrival.receive_count < FORM_TRIES);
        form.and_then(|form| self.unread.get(&form))
    }
}

/// The outcome of reading leads.
#[derive(Debug, Default)]
pub(super) struct FetchedLeads<'a> {
    /// The leads that could be read, each with its connection, page by page in order of arrival.
    pub(super) leads: Vec<(Lead, &'a Connection)>,
    /// The leads that could not be read, with the reason.
    pub(super) failed: BTreeMap<LeadId, WorkError>,
}

impl FetchedLeads<'_> {
    fn fail(&mut self, page: &PageArrivals<'_>, error: &WorkError) {
        self.failed.extend(page.arrivals.iter().map(|arrival| (arrival.lead_id(), error.clone())));
    }
}

/// A page whose leads are being read.
struct Reading<'a, 'b> {
    page: &'b PageArrivals<'a>,
    token: AccessToken,
    /// One outcome per arrival, in order.
    leads: Vec<Result<GraphLead, GraphError>>,
}

impl Reading<'_, '_> {
    fn form_ids(&self) -> impl Iterator<Item = FormId> {
        let of_notice = self.page.arrivals.iter().filter_map(|arrival| arrival.job.notice.form_id.clone());
        of_notice.chain(self.leads.iter().flatten().filter_map(|lead| lead.attribution.form_id.clone()))
    }
}

impl Ingest {
    /// Reads the leads of several pages of an org from Meta, as many as possible in one request.
    pub(super) async fn fetch<'a>(
        &self,
        scope: &OrgScope,
        country: Option<&str>,
        pages: &[PageArrivals<'a>],
        now: Timestamp,
    ) -> FetchedLeads<'a> {
        let mut fetched = FetchedLeads::default();
        let mut readings = Vec::new();
        for page in pages {
            match self.meta.vault.page_token(&page.connection.credentials, &page.connection.page_id).await {
                Ok(token) => readings.push(Reading { page, token, leads: Vec::new() }),
                Err(error) => fetched.fail(page, &error.into()),
            }
        }
        match self.read(scope, &mut readings, now).await {
            Ok(forms) => {
                let fetched_at = crate::clock::now();
                for Reading { page, leads, .. } in readings {
                    for (arrival, lead) in page.arrivals.iter().zip(leads) {
                        let readable = lead.and_then(|lead| match forms.awaited(&lead, arrival) {
                            Some(error) => Err(error.clone()),
                            None => Ok(crm_lead(lead, arrival, page.connection, &forms, country, fetched_at)),
                        });
                        match readable {
                            Ok(lead) => fetched.leads.push((lead, page.connection)),
                            Err(error) => drop(fetched.failed.insert(arrival.lead_id(), error.into())),
                        }
                    }
                }
            }
            // One cause for all leads: logged once here, returned for each.
            Err(error) => {
                tracing::warn!(%error, org = %scope.org(), pages = readings.len(), "leads could not be read");
                readings.iter().for_each(|reading| fetched.fail(reading.page, &error));
            }
        }
        fetched
    }

    /// Reads the leads, and the forms that the notices or the leads name.
    async fn read(
        &self,
        scope: &OrgScope,
        readings: &mut [Reading<'_, '_>],
        now: Timestamp,
    ) -> Result<Forms, WorkError> {
        let graph = self.meta.graph().await?;
        let mut forms = Forms::default();
        let mut readings: Vec<&mut Reading<'_, '_>> = readings.iter_mut().collect();
        self.read_through(&graph, scope, &mut readings, &mut forms, now).await?;
        if readings.iter().flat_map(|one| &one.leads).any(|lead| matches!(lead, Err(GraphError::ProofRefused(_)))) {
            self.meta.invalidate_app_secret();
        }
        // The forms that only the leads name.
        let unknown = self.unknown_forms(scope, &readings, &mut forms, now).await?;
        if unknown.iter().any(|forms| !forms.is_empty()) {
            let reads: Vec<PageRead<'_>> = readings
                .iter()
                .zip(&unknown)
                .map(|(reading, forms)| PageRead { token: &reading.token, leads: Vec::new(), forms: forms.clone() })
                .collect();
            let answers = graph.leads_and_forms(&reads).await;
            for ((reading, unknown), answer) in readings.iter().zip(unknown).zip(answers) {
                self.remember(&reading.page.connection.page_id, unknown.into_iter().zip(answer.forms), &mut forms, now)
                    .await;
            }
        }
        Ok(forms)
    }

    /// Reads the leads of these pages with their tokens, and their unknown forms in the same request.
    async fn read_through(
        &self,
        graph: &GraphClient,
        scope: &OrgScope,
        readings: &mut [&mut Reading<'_, '_>],
        forms: &mut Forms,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let unknown = self.unknown_forms(scope, readings, forms, now).await?;
        let leads = |reading: &Reading<'_, '_>| {
            reading.page.arrivals.iter().map(|arrival| arrival.job.notice.leadgen_id.clone()).collect()
        };
        let reads: Vec<PageRead<'_>> = readings
            .iter()
            .zip(&unknown)
            .map(|(one, forms)| PageRead { token: &one.token, leads: leads(one), forms: forms.clone() })
            .collect();
        let answers = graph.leads_and_forms(&reads).await;
        for ((reading, unknown), answer) in readings.iter_mut().zip(unknown).zip(answers) {
            reading.leads = answer.leads;
            self.remember(&reading.page.connection.page_id, unknown.into_iter().zip(answer.forms), forms, now).await;
        }
        Ok(())
    }

    /// Returns for each page the named forms that are neither known nor already requested in this run. Reads the org's
    /// mappings of the named forms beside them.
    async fn unknown_forms(
        &self,
        scope: &OrgScope,
        readings: &[&mut Reading<'_, '_>],
        forms: &mut Forms,
        now: Timestamp,
    ) -> Result<Vec<Vec<FormId>>, WorkError> {
        let mut open: Vec<(PageId, Vec<FormId>)> = Vec::new();
        for reading in readings {
            let named: BTreeSet<FormId> = reading.form_ids().filter(|form| !forms.requested.contains(form)).collect();
            forms.requested.extend(named.iter().cloned());
            open.push((reading.page.connection.page_id.clone(), named.into_iter().collect()));
        }
        let wanted: Vec<(&PageId, &FormId)> =
            open.iter().flat_map(|(page, named)| named.iter().map(move |form| (page, form))).collect();
        if !wanted.is_empty() {
            let (known, mappings) = self.writer.table.forms_and_mappings(scope, &wanted, now).await?;
            forms.known.extend(known);
            forms.mappings.extend(mappings);
        }
        let unknown = |forms_of_page: Vec<FormId>| {
            forms_of_page.into_iter().filter(|form| !forms.known.contains_key(form)).collect()
        };
        Ok(open.into_iter().map(|(_, named)| unknown(named)).collect())
    }

    /// Caches the forms that were read. A form that Meta withholds keeps no lead out: its answers are mapped by their
    /// names alone.
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
                    tracing::warn!(%error, form = %id, %page, "a form could not be read");
                    if !error.is_withheld() {
                        forms.unread.insert(id, error);
                    }
                }
            }
        }
    }
}

fn form_id(lead: &GraphLead, arrival: &Arrival) -> Option<FormId> {
    lead.attribution.form_id.clone().or_else(|| arrival.job.notice.form_id.clone())
}

/// Converts a lead for the CRM. It is not assigned yet.
fn crm_lead(
    lead: GraphLead,
    arrival: &Arrival,
    connection: &Connection,
    forms: &Forms,
    country: Option<&str>,
    fetched_at: Timestamp,
) -> Lead {
    let job = &arrival.job;
    let form_id = form_id(&lead, arrival);
    let form = form_id.as_ref().and_then(|id| forms.known.get(id));
    let mapping = form_id.as_ref().and_then(|id| forms.mappings.get(id));
    let raw_answers = lead.raw_answers();
    let answers = form::label(&raw_answers, form);
    let mapped = mapping::map(&answers, form, mapping, country);
    let reason = if job.unassigned { Reason::NotAsked } else { Reason::StrategyUnassigned };
    let consents = form::consents(&lead.disclaimers(), form);
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
            trace_id: Some(arrival.trace.clone()),
            ..Provenance::default()
        },
        ..Lead::new(arrival.lead_id(), job.found_by, lead.created_time, job.received_at).with(mapped)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::FORM_TRIES;
    use crate::leads::test_support::{LIMIT, arrivals, ingest};
    use crate::model::lead::assignment::Assignment;
    use crate::table::lead_list::LeadFilter;
    use crate::table::tests::{at, lead, scope};

    #[tokio::test]
    async fn a_form_is_read_without_its_consent_boxes_if_the_app_may_not_read_them() {
        let (ingest, services) = ingest(Assignment::Unassigned).await;
        services.recorded().hides_consents = true;
        let outcomes = ingest.ingest(&arrivals(&[lead(1, None)], 1), LIMIT, at("2026-01-02T00:00:00Z")).await;
        assert!(outcomes.values().all(Result::is_ok));
        let stored = ingest.writer.table.leads(&scope("a"), &LeadFilter::default(), None, 9).await.unwrap().0;
        // Only the form says that the question asks for an address.
        assert_eq!(stored[0].email.as_deref(), Some("p1@example.com"));
        assert_eq!(stored[0].attribution.form_name.as_deref(), Some("Form"));
    }

    #[tokio::test]
    async fn a_lead_waits_for_a_form_that_meta_cannot_show_at_the_moment_and_for_no_other() {
        let now = at("2026-01-02T00:00:00Z");
        let outage = json!({ "error": { "code": 2, "message": "m" } });
        let gone = json!({ "error": { "code": 100, "error_subcode": 33, "message": "m" } });
        for (refusal, receives, waits) in [(&outage, 1, true), (&outage, FORM_TRIES, false), (&gone, 1, false)] {
            let (ingest, services) = ingest(Assignment::Unassigned).await;
            services.recorded().form_refusal = Some((400, refusal.clone()));
            let outcomes = ingest.ingest(&arrivals(&[lead(1, None)], receives), LIMIT, now).await;
            assert_eq!(outcomes.values().all(Result::is_err), waits, "{refusal} {receives}: {outcomes:?}");
            services.recorded().form_refusal = None;
            assert!(ingest.ingest(&arrivals(&[lead(1, None)], receives), LIMIT, now).await.values().all(Result::is_ok));
            let stored = ingest.writer.table.leads(&scope("a"), &LeadFilter::default(), None, 9).await.unwrap().0;
            assert_eq!(stored[0].email.is_some(), waits, "{refusal} {receives}");
        }
    }
}
