//! Finding leads by how their names begin.

use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::lead_list::LeadFilter;
use super::{Consistency, Table, TableError, text};
use crate::ids::OrgScope;
use crate::model::lead::Lead;
use crate::model::lead::name::SearchNames;

/// The most entries of an index that one search reads.
const MAX_READ: usize = 500;

/// Where a search by name resumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamePosition {
    order: NameOrder,
    /// The sort key of the last entry that was read, if there was one in this order.
    after: Option<String>,
}

/// The order of a name's parts in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum NameOrder {
    GivenFirst,
    LastFirst,
}

impl NameOrder {
    fn index(self) -> u8 {
        match self {
            Self::GivenFirst => 4,
            Self::LastFirst => 5,
        }
    }
}

impl Table {
    /// Lists up to `limit` of the org's leads whose whole name begins with `beginning`, by name, and then those whose
    /// last name does, each with its position. Also returns where to resume. `beginning` must be normalised.
    ///
    /// Reads a bounded amount, however many leads the org has: with a filter that matches little, the search returns
    /// fewer leads than requested together with a position to resume from.
    pub async fn leads_by_name(
        &self,
        scope: &OrgScope,
        (beginning, filter): (&str, &LeadFilter),
        after: Option<NamePosition>,
        limit: usize,
    ) -> Result<(Vec<(Lead, NamePosition)>, Option<NamePosition>), TableError> {
        let mut position = after.unwrap_or(NamePosition { order: NameOrder::GivenFirst, after: None });
        let mut found = Vec::new();
        let mut read = 0;
        while found.len() < limit && read < MAX_READ {
            let entries = self.named(scope, beginning, &position, limit - found.len()).await?;
            let is_last = entries.len() < limit - found.len();
            read += entries.len();
            let leads: Vec<Key> = entries.iter().map(|(_, key)| key.clone()).collect();
            let mut items = self.batch_get_as(&leads, Consistency::Eventual).await?;
            for (at, key) in entries {
                position.after = Some(at);
                let Some(item) = items.remove(&key) else { continue };
                let Some(lead) = self.list_item::<Lead>(item)? else { continue };
                // The list of whole names has shown it.
                let is_repeat = position.order == NameOrder::LastFirst
                    && SearchNames::new(lead.full_name.as_deref(), None)
                        .given_first
                        .is_some_and(|name| name.starts_with(beginning));
                if !is_repeat && filter.matches(&lead) {
                    found.push((lead, position.clone()));
                }
            }
            match (is_last, position.order) {
                (true, NameOrder::GivenFirst) => position = NamePosition { order: NameOrder::LastFirst, after: None },
                (true, NameOrder::LastFirst) => return Ok((found, None)),
                (false, _) => {}
            }
        }
        Ok((found, Some(position)))
    }

    /// Returns up to `limit` entries after a position, each with its sort key and the lead's key.
    async fn named(
        &self,
        scope: &OrgScope,
        beginning: &str,
        position: &NamePosition,
        limit: usize,
    ) -> Result<Vec<(String, Key)>, TableError> {
        let index = position.order.index();
        let (pk, sk) = (format!("gsi{index}pk"), format!("gsi{index}sk"));
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let query = self.client.query().table_name(&self.name).index_name(format!("gsi{index}"));
            let query = query
                .expression_attribute_names("#pk", &pk)
                .expression_attribute_names("#sk", &sk)
                .expression_attribute_values(":pk", text(keys::named_leads_of_org(scope)))
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start);
            // A key takes one condition only, so what comes after the beginning is found by its highest continuation.
            let query = match &position.after {
                None => query
                    .key_condition_expression("#pk = :pk AND begins_with(#sk, :beginning)")
                    .expression_attribute_values(":beginning", text(beginning)),
                Some(after) => query
                    .key_condition_expression("#pk = :pk AND #sk BETWEEN :after AND :end")
                    // The next text after a sort key.
                    .expression_attribute_values(":after", text(format!("{after}\u{0}")))
                    .expression_attribute_values(":end", text(format!("{beginning}\u{10FFFF}"))),
            };
            let page = query.send().await?;
            let entry = |item: &super::Item| Some((item.get(&sk)?.as_s().ok()?.clone(), Key::from_item(item)?));
            found.extend(page.items.iter().flatten().filter_map(entry));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;

    use super::*;
    use crate::model::lead::Status;
    use crate::model::lead::dedupe::WritePlan;
    use crate::table::tests::{at, empty_table, lead, scope};

    const NAMES: [&str; 8] = [
        "Maria Lopez",
        "Ann Maric",
        "mária LÓPEZ",
        "Martin Martinez",
        "Bo Lee",
        "Martha",
        "Ann-Marie Marlow",
        "Łukasz Marek",
    ];

    fn leads() -> Vec<Lead> {
        let named = |id: u64| {
            let name = NAMES[usize::try_from(id).unwrap() % NAMES.len()];
            let created_time = at("2026-01-01T00:00:00Z") + SignedDuration::from_secs(i64::try_from(id / 3).unwrap());
            let status = if id.is_multiple_of(5) { Status::Lost } else { Status::New };
            Lead { full_name: (id != 40).then(|| name.to_owned()), created_time, status, ..lead(id, None) }
        };
        (1..=40).map(named).collect()
    }

    async fn stored(leads: &[Lead]) -> Table {
        let table = empty_table().await;
        for chunk in leads.chunks(20) {
            let plan = WritePlan { creates: chunk.to_vec(), ..WritePlan::default() };
            table.commit(&scope("a"), &[], &plan, at("2026-01-01T00:00:00Z")).await.unwrap();
        }
        table
    }

    async fn all(table: &Table, beginning: &str, filter: &LeadFilter, limit: usize) -> Vec<Lead> {
        let (mut found, mut position) = (Vec::new(), None);
        for _ in 0..200 {
            let search = (beginning, filter);
            let (page, next) = table.leads_by_name(&scope("a"), search, position, limit).await.unwrap();
            assert!(page.len() <= limit);
            found.extend(page.into_iter().map(|(lead, _)| lead));
            match next {
                Some(next) => position = Some(next),
                None => return found,
            }
        }
        panic!("the search does not end: {beginning}");
    }

    #[tokio::test]
    async fn a_name_is_found_by_its_beginning_and_by_the_last_names_each_lead_once() {
        let leads = leads();
        let table = stored(&leads).await;
        let lost = LeadFilter { status: Some(Status::Lost), ..LeadFilter::default() };
        for beginning in ["mar", "maria lopez", "lopez", "lopez m", "marlow ann marie", "ł", "bo", "martinez", "x"] {
            for (filter, limit) in [(LeadFilter::default(), 3), (LeadFilter::default(), 100), (lost.clone(), 2)] {
                let found = all(&table, beginning, &filter, limit).await;
                let ids: BTreeSet<_> = found.iter().map(|lead| lead.id.clone()).collect();
                assert_eq!(ids.len(), found.len(), "{beginning}: each once");
                let matches = |lead: &&Lead| {
                    let names = SearchNames::new(lead.full_name.as_deref(), None);
                    let begins = |name: &Option<String>| name.as_ref().is_some_and(|name| name.starts_with(beginning));
                    (begins(&names.given_first) || begins(&names.last_first))
                        && filter.status.is_none_or(|status| lead.status == status)
                };
                let expected: BTreeSet<_> = leads.iter().filter(matches).map(|lead| lead.id.clone()).collect();
                assert_eq!(ids, expected, "{beginning} {limit}");
            }
        }
        assert_eq!(table.leads_by_name(&scope("b"), ("mar", &lost), None, 9).await.unwrap(), (Vec::new(), None));
    }

    #[tokio::test]
    async fn a_name_that_changes_is_found_under_the_new_one_only() {
        let leads = leads();
        let table = stored(&leads[..1]).await;
        let every = LeadFilter::default();
        let changed = Lead { full_name: Some("Zoë Young".to_owned()), ..leads[0].clone() };
        assert!(table.set_fields(&scope("a"), &changed).await.unwrap());
        assert_eq!(all(&table, "young", &every, 9).await.len(), 1);
        assert_eq!(all(&table, "zoe", &every, 9).await.len(), 1);
        assert!(all(&table, "ann", &every, 9).await.is_empty());
        let nameless = Lead { full_name: None, ..changed };
        assert!(table.set_fields(&scope("a"), &nameless).await.unwrap());
        assert!(all(&table, "young", &every, 9).await.is_empty());
    }
}
