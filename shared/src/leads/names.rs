//! What leads and forms are called, for lists that have only their ids.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Leads;
use crate::error::ActError;
use crate::ids::{FormId, LeadId, OrgScope, PageId};
use crate::model::lead::Lead;
use crate::table::lead::StoredLead;

impl Leads {
    /// Reads leads by their ids, in one batch. Missing ones are omitted, and so are later submissions of a lead.
    pub async fn find_all(&self, scope: &OrgScope, ids: &BTreeSet<LeadId>) -> Result<Vec<Lead>, ActError> {
        let stored = self.table.find_leads(scope, ids).await?;
        let leads = stored.into_iter().filter_map(|stored| match stored {
            StoredLead::Lead(lead) => Some(*lead),
            StoredLead::Submission(_) => None,
        });
        Ok(leads.collect())
    }

    /// Reads the names of forms of these pages in one request, as far as copies of them are stored. An old copy has the
    /// name as well. If there are more pages and forms than a request can have, those of the first pages are read.
    pub async fn form_names<'a>(
        &self,
        pages: impl Iterator<Item = &'a PageId>,
        forms: &BTreeSet<FormId>,
    ) -> Result<BTreeMap<FormId, String>, ActError> {
        const MAX_PLACES: usize = 100;
        let places = pages.flat_map(|page| forms.iter().map(move |form| (page, form)));
        let places: Vec<(&PageId, &FormId)> = places.take(MAX_PLACES).collect();
        let known = self.table.form_copies(&places, Timestamp::UNIX_EPOCH).await?;
        Ok(known.into_iter().map(|(id, form)| (id, form.name)).collect())
    }
}
