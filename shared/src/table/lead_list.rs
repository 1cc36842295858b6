//! Lists of leads, filtered and paged through the index.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::keys::{self, Key};
use super::{Consistency, Item, Table, TableError, entity, text};
use crate::ids::{LeadId, OrgScope};
use crate::model::lead::Lead;

/// A filter on attributes of the index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Attributes and the values they must have.
    pub equal: Vec<(&'static str, String)>,
    /// A tag the lead must carry.
    pub tag: Option<String>,
    /// Only leads without an assignee.
    pub unassigned: bool,
    /// Submitted at or after this.
    pub from: Option<Timestamp>,
    /// Submitted before this.
    pub to: Option<Timestamp>,
}

/// Where a listing resumes: the position of the last listed lead.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct LeadPosition {
    created: Timestamp,
    lead: LeadId,
}

impl Table {
    /// Lists up to `limit` of the org's matching leads, newest submission first. Also returns where to resume.
    ///
    /// A filter that matches little reads a lot. The search stops after a bounded amount, and then returns fewer leads
    /// than requested together with a position to resume from.
    pub async fn leads(
        &self,
        scope: &OrgScope,
        filter: &LeadFilter,
        after: Option<LeadPosition>,
        limit: usize,
    ) -> Result<(Vec<Lead>, Option<LeadPosition>), TableError> {
        const PAGE_SIZE: i32 = 500;
        const MAX_STRETCHES: usize = 8;
        let mut keys: Vec<Key> = Vec::new();
        let mut start = after.map(|position| start_key(scope, &position));
        for _ in 0..MAX_STRETCHES {
            let query = self.client.query().table_name(&self.name).index_name("gsi1").scan_index_forward(false);
            let page_size = if *filter == LeadFilter::default() {
                i32::try_from(limit + 1).unwrap_or(PAGE_SIZE)
            } else {
                PAGE_SIZE
            };
            let page = filter.apply(query.limit(page_size).set_exclusive_start_key(start), scope).send().await?;
            keys.extend(page.items.iter().flatten().filter_map(Key::from_item));
            start = page.last_evaluated_key;
            if start.is_none() || keys.len() > limit {
                break;
            }
        }
        let more_found = keys.len() > limit;
        keys.truncate(limit);
        // The index does not show the latest changes either.
        let mut found = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let leads: Vec<Lead> = keys.iter().filter_map(|key| found.remove(key)).map(entity).collect::<Result<_, _>>()?;
        let last_listed =
            || leads.last().map(|lead| LeadPosition { created: lead.created_time, lead: lead.id.clone() });
        let position = match (more_found, start) {
            (true, _) => last_listed(),
            (false, Some(start)) => position_of(&start),
            (false, None) => None,
        };
        Ok((leads, position))
    }

    /// Returns the ids of the org's leads that were submitted from `first` to `last`, as far as the index knows them,
    /// and of about `limit` of them at most.
    pub(super) async fn indexed_leads(
        &self,
        scope: &OrgScope,
        (first, last): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<BTreeSet<LeadId>, TableError> {
        let mut found = BTreeSet::new();
        let mut start = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("gsi1")
                .key_condition_expression("gsi1pk = :pk AND gsi1sk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", text(keys::leads_of_org(scope)))
                .expression_attribute_values(":first", text(keys::instant(first)))
                // After all keys of that instant, which go on with an id.
                .expression_attribute_values(":last", text(format!("{}~", keys::instant(last))))
                .projection_expression("gsi1sk")
                .limit(i32::try_from(limit).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            found.extend(page.items.iter().flatten().filter_map(position_of).map(|position| position.lead));
            start = page.last_evaluated_key;
            if start.is_none() || found.len() >= limit {
                return Ok(found);
            }
        }
    }
}

fn start_key(scope: &OrgScope, position: &LeadPosition) -> Item {
    let mut key = keys::lead(scope, &position.lead).attributes();
    let index = keys::lead_index(scope, position.created, &position.lead);
    key.insert("gsi1pk".to_owned(), text(index.gsi1pk));
    key.insert("gsi1sk".to_owned(), text(index.gsi1sk));
    key
}

fn position_of(start: &Item) -> Option<LeadPosition> {
    let (created, lead) = start.get("gsi1sk")?.as_s().ok()?.split_once('#')?;
    Some(LeadPosition { created: created.parse().ok()?, lead: LeadId::parse(lead).ok()? })
}

impl LeadFilter {
    fn apply(
        &self,
        query: aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder,
        scope: &OrgScope,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        // An instant's key is shorter than the keys of the leads submitted in it, so a range of instants is a range of
        // keys. Years begin with a digit or a minus sign; the defaults sort at or below and above all of them.
        let from = self.from.map_or_else(|| "-".to_owned(), keys::instant);
        let to = self.to.map_or_else(|| "~".to_owned(), keys::instant);
        let mut query = query
            .key_condition_expression("gsi1pk = :pk AND gsi1sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(keys::leads_of_org(scope)))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to));
        let mut conditions = Vec::new();
        for (position, (name, value)) in self.equal.iter().enumerate() {
            conditions.push(format!("#f{position} = :f{position}"));
            query = query
                .expression_attribute_names(format!("#f{position}"), *name)
                .expression_attribute_values(format!(":f{position}"), text(value));
        }
        if let Some(tag) = &self.tag {
            conditions.push("contains(#tags, :tag)".to_owned());
            query = query.expression_attribute_names("#tags", "tags").expression_attribute_values(":tag", text(tag));
        }
        if self.unassigned {
            conditions.push("attribute_not_exists(assigned_to)".to_owned());
        }
        if conditions.is_empty() { query } else { query.filter_expression(conditions.join(" AND ")) }
    }
}
