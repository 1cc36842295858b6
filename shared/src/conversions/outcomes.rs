//! What became of the reports of an integration's newest leads, with the leads themselves to look at.

use std::borrow::Cow;
use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use super::Conversions;
use crate::directory::MetaAccess;
use crate::error::ActError;
use crate::ids::{IntegrationId, LeadId};
use crate::model::conversion::{Conversion, ConversionState, UnsentReason};
use crate::model::lead::{Lead, Status};
use crate::table::lead_list::LeadFilter;

/// Leads whose reports are read. Each has up to five.
const MAX_LEADS: usize = 200;
/// Pages whose leads are read, each with a request of its own.
const MAX_PAGES: usize = 40;
/// Leads that an outcome names.
const MAX_EXAMPLES: usize = 5;
/// Concurrent requests.
const CONCURRENCY: usize = 8;

/// What became of the reports of an integration's newest leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversionOutcomes {
    /// The newest leads that were looked at: 200 at most.
    pub leads: usize,
    /// Those of them of which nothing was ever to be reported, because they arrived before a dataset was chosen.
    pub leads_without_report: usize,
    /// Reached stages by what became of them, most frequent first.
    pub outcomes: Vec<ConversionOutcome>,
}

/// Stages with the same outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversionOutcome {
    /// `sent`, `pending` or `not_sent`.
    #[schema(value_type = String)]
    pub state: ConversionState,
    /// Why they are not sent, as a stable code; `null` for the others.
    #[schema(value_type = Option<String>)]
    pub reason: Option<UnsentReason>,
    /// The same as readable text.
    pub reason_message: Option<Cow<'static, str>>,
    /// Number of stages.
    pub count: usize,
    /// Some leads with this outcome, newest first.
    pub lead_ids: Vec<LeadId>,
}

impl Conversions {
    /// Reads what became of the reports of the newest leads of an integration's pages.
    pub async fn outcomes(&self, access: &MetaAccess, id: &IntegrationId) -> Result<ConversionOutcomes, ActError> {
        let (scope, table) = (&access.scope, &self.tokens.table);
        self.tokens.integration(scope, id).await?;
        let mut pages = table.pages_of(scope, id).await?;
        pages.truncate(MAX_PAGES);
        let per_page = MAX_LEADS / pages.len().max(1);
        let read = pages.into_iter().map(|page| async move {
            let filter = LeadFilter { page: Some(page.page_id), ..LeadFilter::default() };
            Ok::<_, ActError>(table.leads(scope, &filter, None, per_page).await?.0)
        });
        let leads: Vec<Vec<Lead>> = stream::iter(read).buffered(CONCURRENCY).try_collect().await?;
        let mut leads: Vec<Lead> = leads.into_iter().flatten().collect();
        leads.sort_by_key(|lead| std::cmp::Reverse(lead.created_time));
        let wanted = leads.iter().flat_map(|lead| Status::iter().map(|stage| (&lead.id, stage)));
        let conversions = table.find_conversions(scope, wanted).await?;
        Ok(count_outcomes(&leads, &conversions))
    }
}

/// Counts stages by their outcome. `leads` are in the order in which they are to be named.
fn count_outcomes(leads: &[Lead], conversions: &[Conversion]) -> ConversionOutcomes {
    let mut of_leads: BTreeMap<&LeadId, Vec<&Conversion>> = BTreeMap::new();
    for conversion in conversions {
        of_leads.entry(&conversion.lead_id).or_default().push(conversion);
    }
    let mut outcomes: Vec<ConversionOutcome> = Vec::new();
    for lead in leads {
        for conversion in of_leads.get(&lead.id).into_iter().flatten() {
            let (state, reason) = (conversion.state, conversion.reason);
            let place = outcomes.iter().position(|known| known.state == state && known.reason == reason);
            let place = place.unwrap_or_else(|| {
                let reason_message = reason.map(UnsentReason::message);
                outcomes.push(ConversionOutcome { state, reason, reason_message, count: 0, lead_ids: Vec::new() });
                outcomes.len() - 1
            });
            let Some(outcome) = outcomes.get_mut(place) else { continue };
            outcome.count += 1;
            if outcome.lead_ids.len() < MAX_EXAMPLES && outcome.lead_ids.last() != Some(&lead.id) {
                outcome.lead_ids.push(lead.id.clone());
            }
        }
    }
    outcomes.sort_by_key(|outcome| std::cmp::Reverse(outcome.count));
    ConversionOutcomes { leads: leads.len(), leads_without_report: leads.len() - of_leads.len(), outcomes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::{at, lead};

    #[test]
    fn stages_are_counted_by_outcome_and_name_a_few_of_their_leads() {
        let leads: Vec<Lead> = (1..=9).rev().map(|id| lead(id, None)).collect();
        let now = at("2026-01-02T00:00:00Z");
        let dataset = crate::ids::DatasetId::parse("77").unwrap();
        let sent = leads.iter().take(7).map(|lead| Conversion::first(lead).sent("New Lead", &dataset, now));
        let twice = Conversion::new(&leads[0], Status::Qualified, now).sent("Qualified Lead", &dataset, now);
        let not = Conversion::first(&leads[7]).unsent(UnsentReason::TooOld, None, now);
        let conversions: Vec<Conversion> = sent.chain([twice, not]).collect();
        let found = count_outcomes(&leads, &conversions);
        assert_eq!((found.leads, found.leads_without_report), (9, 1));
        let [sent, not] = &found.outcomes[..] else { panic!("{:?}", found.outcomes) };
        assert_eq!((sent.state, sent.reason, sent.count), (ConversionState::Sent, None, 8));
        let newest: Vec<LeadId> = leads.iter().take(MAX_EXAMPLES).map(|lead| lead.id.clone()).collect();
        assert_eq!(sent.lead_ids, newest, "each once, newest first");
        assert_eq!((not.reason, not.count, &not.lead_ids), (Some(UnsentReason::TooOld), 1, &vec![leads[7].id.clone()]));
    }
}
