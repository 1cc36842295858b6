//! Re-mapping: applies a changed mapping to the stored answers of earlier leads.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::LeadWriter;
use crate::error::WorkError;
use crate::ids::{FormId, OrgScope};
use crate::model::event::Event;
use crate::model::lead::Lead;
use crate::model::lead::form::Form;
use crate::model::lead::identity::person_keys;
use crate::model::lead::mapping::{self, Mapped, Mapping};
use crate::model::lead::trace::{Step, StepKind};
use crate::phrase;
use crate::table::lead_list::{LeadFilter, LeadPosition};

/// Leads re-mapped together.
const PAGE_SIZE: usize = 100;
const CONCURRENCY: usize = 8;

/// The progress of re-mapping.
#[derive(Debug)]
pub(super) struct Remapped {
    /// Leads whose fields changed.
    pub(super) changed: usize,
    /// Leads whose fields stayed.
    pub(super) unchanged: usize,
    /// Where to resume; `None` at the end.
    pub(super) next: Option<LeadPosition>,
}

/// Re-maps a page of a form's leads, newest first, and publishes those that change. A lead's new e-mail address or
/// phone number is recognised from then on, unless it belongs to another lead. One that the lead lost is no longer
/// recognised.
///
/// # Errors
/// After an error, resume from the same position.
pub(super) async fn remap(
    writer: &LeadWriter,
    scope: &OrgScope,
    (id, form): (&FormId, &Form),
    mapping: Option<&Mapping>,
    after: Option<LeadPosition>,
) -> Result<Remapped, WorkError> {
    let version = mapping.map(|mapping| mapping.version);
    let country = writer.table.org(scope).await?.and_then(|org| org.default_country);
    let filter = LeadFilter { form: Some(id.clone()), ..LeadFilter::default() };
    let (leads, next) = writer.table.leads(scope, &filter, after, PAGE_SIZE).await?;
    let read = leads.len();
    let changed: Vec<(Lead, Lead)> = leads
        .into_iter()
        .filter_map(|lead| Some((changed(&lead, form, mapping, country.as_deref())?, lead)))
        .map(|(now, before)| (before, now))
        .collect();
    // Published first: after a crash in between, the leads are found unchanged and published again with the same id.
    let at = crate::clock::now();
    let events: Vec<Event> = changed.iter().map(|(_, lead)| Event::lead_remapped(scope, lead, version, at)).collect();
    writer.bus.publish(&events).await?;
    let writes: Vec<_> = changed.iter().map(|(before, lead)| write(writer, scope, before, lead, version)).collect();
    stream::iter(writes).buffer_unordered(CONCURRENCY).try_for_each(|()| async { Ok(()) }).await?;
    Ok(Remapped { changed: changed.len(), unchanged: read - changed.len(), next })
}

/// Returns the re-mapped lead, or `None` if its fields stay the same.
fn changed(lead: &Lead, form: &Form, mapping: Option<&Mapping>, country: Option<&str>) -> Option<Lead> {
    let Mapped { full_name, email, phone, fields, .. } = mapping::map(&lead.answers, Some(form), mapping, country);
    let same = (&lead.full_name, &lead.email, &lead.phone, &lead.fields) == (&full_name, &email, &phone, &fields);
    (!same).then_some(Lead { full_name, email, phone, fields, ..lead.clone() })
}

async fn write(
    writer: &LeadWriter,
    scope: &OrgScope,
    before: &Lead,
    lead: &Lead,
    version: Option<u32>,
) -> Result<(), WorkError> {
    if !lead.test {
        let persons = |lead: &Lead| person_keys(lead.email.as_deref(), lead.phone.as_deref());
        for person in persons(lead) {
            writer.table.claim_person(scope, &person, &lead.id).await?;
        }
        // The next submission with that key decides which lead it identifies.
        for person in persons(before).iter().filter(|person| !persons(lead).contains(person)) {
            writer.table.release_person(scope, person, &lead.id).await?;
        }
    }
    if writer.table.set_fields(scope, lead).await? {
        let detail = match version {
            Some(version) => format!("Its answers were mapped again by version {version} of the form's mapping."),
            None => phrase!("Its answers were mapped again by Meta's question types.").to_owned(),
        };
        let step = Step::new(crate::clock::now(), StepKind::MappedAgain, "form_mapping", detail);
        return Ok(writer.table.note(scope, &lead.id, &step).await?);
    }
    // It was erased meanwhile, and no one may be registered under it.
    for person in person_keys(lead.email.as_deref(), lead.phone.as_deref()) {
        writer.table.release_person(scope, &person, &lead.id).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::test_support::ingest;
    use super::*;
    use crate::model::lead::assignment::Assignment;
    use crate::table::tests::{lead, scope};

    #[tokio::test]
    async fn no_one_is_registered_under_a_lead_that_was_erased_meanwhile() {
        let (ingest, _services) = ingest(Assignment::Unassigned).await;
        let (writer, scope) = (&ingest.writer, scope("a"));
        // It was read, and is not stored any more.
        let (before, now) = (lead(1, Some("old@example.com")), lead(1, Some("new@example.com")));
        write(writer, &scope, &before, &now, None).await.unwrap();
        for person in person_keys(Some("new@example.com"), None) {
            assert_eq!(writer.table.lead_of_person(&scope, &person).await.unwrap(), None);
        }
        assert!(writer.table.steps(&scope, &now.id).await.unwrap().is_empty());
    }
}
