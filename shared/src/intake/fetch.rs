//! From lead ids to leads: what Meta has, read through one connection, made into what the CRM wants.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Arrival, Intake};
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::leads::GraphLead;
use crate::ids::{FormId, LeadId, LeadgenId, OrgScope, PageId};
use crate::model::assignment::{Assigned, Reason, Strategy};
use crate::model::integration::Connection;
use crate::model::lead::{Lead, SOURCE, Status, tag};
use crate::model::mapping::{self, Form};
use crate::secret::AccessToken;

/// The forms of one run.
#[derive(Default)]
struct Forms {
    known: BTreeMap<FormId, Form>,
    /// Also those that could not be read: asking again in the same run would not help.
    asked: BTreeSet<FormId>,
}

impl Intake {
    /// Reads the leads of `arrivals`, one outcome for each, in their order.
    pub(super) async fn fetch(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        arrivals: &[Arrival],
        now: Timestamp,
    ) -> Vec<Result<Lead, WorkError>> {
        match self.try_fetch(scope, connection, arrivals, now).await {
            Ok(leads) => leads,
            Err(error) => {
                // One cause for all of them; it is told once here and carried on for each.
                tracing::warn!(%error, org = %scope.org(), page = %connection.page_id, "leads of a page could not be read");
                arrivals.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }

    async fn try_fetch(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        arrivals: &[Arrival],
        now: Timestamp,
    ) -> Result<Vec<Result<Lead, WorkError>>, WorkError> {
        let org = self.table.org(scope).await?;
        if org.as_ref().is_some_and(|org| !org.has_meta()) {
            return Err(WorkError::NotInPlan);
        }
        let country = org.and_then(|org| org.default_country);
        let token = self.meta.vault.page_token(&connection.credentials, &connection.page_id).await?;
        let named: BTreeSet<FormId> =
            arrivals.iter().filter_map(|arrival| arrival.job.notice.form_id.clone()).collect();
        let mut forms = Forms::default();
        let ids: Vec<LeadgenId> = arrivals.iter().map(|arrival| arrival.job.notice.leadgen_id.clone()).collect();
        let mut leads = self.read(connection, &ids, named, &mut forms, &token, now).await?;

        if leads.iter().any(|lead| matches!(lead, Err(GraphError::TokenDead { .. }))) {
            // Somebody may have connected anew since this process read the token.
            self.meta.vault.forget(&connection.credentials);
            let newer = self.meta.vault.page_token(&connection.credentials, &connection.page_id).await?;
            if !newer.is(&token) {
                leads = self.read(connection, &ids, BTreeSet::new(), &mut forms, &newer, now).await?;
            }
        }
        let made = arrivals.iter().zip(leads).map(|(arrival, lead)| {
            let lead = lead?;
            let form_id = lead.form_id.as_ref().or(arrival.job.notice.form_id.as_ref());
            let form = form_id.and_then(|id| forms.known.get(id));
            Ok(crm_lead(&lead, arrival, connection, form, country.as_deref()))
        });
        Ok(made.collect())
    }

    /// Reads leads, and the forms that the webhook or the leads name, as far as they are not known yet.
    async fn read(
        &self,
        connection: &Connection,
        ids: &[LeadgenId],
        named: BTreeSet<FormId>,
        forms: &mut Forms,
        token: &AccessToken,
        now: Timestamp,
    ) -> Result<Vec<Result<GraphLead, GraphError>>, WorkError> {
        let page = &connection.page_id;
        let graph = self.meta.graph().await?;
        let unknown = self.unknown_forms(page, named, forms, now).await?;
        let fetched = graph.leads_and_forms(ids, &unknown, token).await;
        if fetched.leads.iter().any(|lead| matches!(lead, Err(GraphError::ProofRefused(_)))) {
            self.meta.distrust_app();
        }
        self.remember(page, unknown.into_iter().zip(fetched.forms), forms, now).await;
        let in_leads = fetched.leads.iter().flatten().filter_map(|lead| lead.form_id.clone()).collect();
        let unknown = self.unknown_forms(page, in_leads, forms, now).await?;
        if !unknown.is_empty() {
            let fetched = graph.leads_and_forms(&[], &unknown, token).await;
            self.remember(page, unknown.into_iter().zip(fetched.forms), forms, now).await;
        }
        Ok(fetched.leads)
    }

    /// Those of `wanted` that are neither known nor were asked for in this run.
    async fn unknown_forms(
        &self,
        page: &PageId,
        wanted: BTreeSet<FormId>,
        forms: &mut Forms,
        now: Timestamp,
    ) -> Result<Vec<FormId>, WorkError> {
        let open: Vec<FormId> = wanted.into_iter().filter(|form| !forms.asked.contains(form)).collect();
        if !open.is_empty() {
            forms.known.extend(self.table.forms(page, &open, now).await?);
        }
        forms.asked.extend(open.iter().cloned());
        Ok(open.into_iter().filter(|form| !forms.known.contains_key(form)).collect())
    }

    /// A form that cannot be read keeps no lead out: its name and labels are missing, that is all.
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
                    if let Err(error) = self.table.put_form(page, &id, &form, now).await {
                        tracing::warn!(%error, form = %id, "a form could not be remembered");
                    }
                    forms.known.insert(id, form);
                }
                Err(error) => {
                    tracing::warn!(%error, form = %id, %page, "a form could not be read; its leads come without its name");
                }
            }
        }
    }
}

/// The lead as the CRM wants it, not yet assigned to anybody.
fn crm_lead(
    lead: &GraphLead,
    arrival: &Arrival,
    connection: &Connection,
    form: Option<&Form>,
    country: Option<&str>,
) -> Lead {
    let notice = &arrival.job.notice;
    let given = lead.given();
    let answers = mapping::label(&given, form);
    let person = mapping::person(&answers, form, country);
    Lead {
        id: LeadId::from_leadgen(&notice.leadgen_id),
        leadgen_id: notice.leadgen_id.clone(),
        source: SOURCE.to_owned(),
        tags: vec![tag(lead.platform.as_deref()).to_owned()],
        platform: lead.platform.clone(),
        page_id: connection.page_id.clone(),
        page_name: connection.page_name.clone(),
        form_id: lead.form_id.clone().or_else(|| notice.form_id.clone()),
        form_name: form.map(|form| form.name.clone()),
        campaign_id: lead.campaign_id.clone(),
        campaign_name: lead.campaign_name.clone(),
        adset_id: lead.adset_id.clone(),
        adset_name: lead.adset_name.clone(),
        ad_id: lead.ad_id.clone(),
        ad_name: lead.ad_name.clone(),
        created_time: lead.created_time,
        received_at: arrival.job.received_at,
        found_by: arrival.job.found_by,
        status: Status::New,
        assigned_to: None,
        assignment: Assigned { strategy: Strategy::Unassigned, reason: Reason::StrategyUnassigned },
        full_name: person.full_name,
        email: person.email,
        phone: person.phone,
        test: mapping::is_test(&given),
        answers,
        consents: mapping::consents(&lead.disclaimers()),
        submissions_count: 0,
    }
}
