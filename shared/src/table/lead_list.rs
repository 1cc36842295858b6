//! Lists of leads, filtered and paged through the indexes.
//!
//! Each index is sorted by time within the parts that its sort keys begin with ([`keys::LeadLists`]). A list is one
//! part, or several that are merged: the parts of each status, of each form of a page.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicUsize;

use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;

use super::keys::{self, Key};
use super::lead_parts::{Part, PartReader};
use super::{Consistency, Table, TableError, text};
use crate::ids::{FormId, LeadId, OrgScope, PageId, UserId};
use crate::model::lead::query::LeadOrder;
use crate::model::lead::{Lead, Status};

/// Which leads to list. `None` means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Leads of this page.
    pub page: Option<PageId>,
    /// Leads of this form. Naming its page as well saves reading which page it belongs to.
    pub form: Option<FormId>,
    /// Leads of this user, or with `Some(None)` those without an assignee.
    pub assignee: Option<Option<UserId>>,
    /// Leads with this status.
    pub status: Option<Status>,
    /// Leads from this source.
    pub source: Option<String>,
    /// Leads that carry this tag.
    pub tag: Option<String>,
    /// Submitted at or after this.
    pub from: Option<Timestamp>,
    /// Submitted before this.
    pub to: Option<Timestamp>,
    /// In which order.
    pub order: LeadOrder,
}

/// Where a listing resumes: the position of the last listed lead, or of the last one that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadPosition {
    pub(super) created: Timestamp,
    pub(super) lead: LeadId,
}

impl From<&Lead> for LeadPosition {
    fn from(lead: &Lead) -> Self {
        Self { created: lead.created_time, lead: lead.id.clone() }
    }
}

impl LeadPosition {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (created, lead) = text.split_once('#')?;
        Some(Self { created: created.parse().ok()?, lead: LeadId::parse(lead).ok()? })
    }
}

impl Table {
    /// Lists up to `limit` of the org's matching leads, in the filter's order. Also returns where to resume.
    ///
    /// Page, form, assignee and status are found by index, one of them or assignee with status. A filter by others that
    /// matches little reads a lot. The search stops after a bounded amount, and then returns fewer leads than requested
    /// together with a position to resume from.
    pub async fn leads(
        &self,
        scope: &OrgScope,
        filter: &LeadFilter,
        after: Option<LeadPosition>,
        limit: usize,
    ) -> Result<(Vec<Lead>, Option<LeadPosition>), TableError> {
        let (parts, rest) = self.parts(scope, filter).await?;
        // How many entries a request reads, and how many requests may follow the first of each part.
        let (page_size, mut more) = match (rest.is_empty(), parts.len()) {
            (true, 1) => (limit + 1, usize::MAX),
            // Of many parts, most have little of what is listed. 12 entries are what half a read unit has.
            (true, _) => ((limit / 2).max(12), usize::MAX),
            (false, _) => (500, 8),
        };
        let beyond = after.map(|position| keys::lead_position(position.created, &position.lead));
        let (range, order) = ((filter.from, filter.to), filter.order);
        let reader = |part| PartReader::new(part, &rest, range, (order, beyond.clone()));
        let mut readers: Vec<PartReader<'_>> = parts.iter().map(reader).collect();
        try_join_all(readers.iter_mut().map(|reader| reader.read(self, page_size))).await?;
        let mut found = Vec::new();
        let resume = loop {
            // A part whose next lead is not known yet may have the first one.
            for reader in readers.iter_mut().filter(|reader| reader.is_unknown()) {
                while reader.is_unknown() && more > 0 {
                    reader.read(self, page_size).await?;
                    more -= 1;
                }
            }
            let horizon = readers.iter().filter_map(PartReader::horizon).min_by(|one, other| order.compare(one, other));
            let known = readers.iter_mut().filter_map(|reader| Some((reader.next()?.to_owned(), reader)));
            let first = known.min_by(|(one, _), (other, _)| order.compare(one, other));
            let is_first = |position: &str| {
                horizon.as_ref().is_none_or(|horizon| order.compare(position, horizon) == Ordering::Less)
            };
            let Some((_, lead)) = first.filter(|(position, _)| is_first(position)) else { break horizon };
            if found.len() == limit {
                break found.last().map(|(position, _): &(String, Key)| position.clone());
            }
            found.extend(lead.take());
        };
        let keys: Vec<Key> = found.into_iter().map(|(_, key)| key).collect();
        // The index does not show the latest changes either.
        let mut items = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let leads = self.entities(keys.iter().filter_map(|key| items.remove(key)))?;
        Ok((leads, resume.as_deref().and_then(LeadPosition::parse)))
    }

    /// Counts the org's matching leads. Looks at a bounded number of entries of the index; also returns whether these
    /// were all.
    pub async fn count_listed(&self, scope: &OrgScope, filter: &LeadFilter) -> Result<(usize, bool), TableError> {
        /// Entries that are looked at in all parts together: a few hundred bytes each, a megabyte at a time.
        const MAX_ENTRIES: usize = 20_000;
        let (parts, rest) = self.parts(scope, filter).await?;
        let left = AtomicUsize::new(MAX_ENTRIES);
        let count = async |part| {
            PartReader::new(part, &rest, (filter.from, filter.to), (filter.order, None)).count(self, &left).await
        };
        let counts = try_join_all(parts.iter().map(count)).await?;
        Ok((counts.iter().map(|(leads, _)| leads).sum(), counts.iter().all(|(_, is_all)| *is_all)))
    }

    /// Returns the parts of an index that have the leads of a filter, and the conditions that the index does not cover.
    async fn parts(&self, scope: &OrgScope, filter: &LeadFilter) -> Result<(Vec<Part>, Vec<Condition>), TableError> {
        let page = filter.page.as_ref().map(PageId::as_str);
        let statuses = || filter.status.map_or_else(|| Status::iter().collect(), |status| vec![status]);
        let mut rest = filter.conditions();
        let parts = if let Some(form) = &filter.form {
            rest.retain(|condition| !matches!(condition.name, "form_id" | "page_id"));
            let of_pages = |pages: Vec<String>| {
                let part =
                    |page: &String| Part::new(3, keys::page_leads_of_org(scope), keys::form_leads(page, form.as_str()));
                pages.iter().map(part).collect()
            };
            match page {
                Some(page) => of_pages(vec![page.to_owned()]),
                None => of_pages(self.beginnings(3, &keys::page_leads_of_org(scope), "").await?),
            }
        } else if let Some(assignee) = &filter.assignee {
            rest.retain(|condition| !matches!(condition.name, "assigned_to" | "status"));
            let user = assignee.as_ref().map(UserId::as_str);
            let part = |status| Part::new(2, keys::assigned_leads_of_org(scope), keys::assigned_leads(user, status));
            statuses().into_iter().map(part).collect()
        } else if let Some(page) = page {
            rest.retain(|condition| condition.name != "page_id");
            let forms = self.beginnings(3, &keys::page_leads_of_org(scope), &format!("{page}#")).await?;
            let part = |form: &String| Part::new(3, keys::page_leads_of_org(scope), keys::form_leads(page, form));
            forms.iter().map(part).collect()
        } else {
            rest.retain(|condition| condition.name != "status");
            let part = |status| Part::new(1, keys::leads_of_org(scope), keys::leads_with_status(status));
            statuses().into_iter().map(part).collect()
        };
        Ok((parts, rest))
    }

    /// Returns the ids of a form's leads that were submitted from `first` to `last`, as far as the index knows them.
    pub(super) async fn listed_leads(
        &self,
        scope: &OrgScope,
        (page, form): (&PageId, &FormId),
        (first, last): (Timestamp, Timestamp),
    ) -> Result<BTreeSet<LeadId>, TableError> {
        let prefix = keys::form_leads(page.as_str(), form.as_str());
        let mut found = BTreeSet::new();
        let mut start = None;
        loop {
            let query = self.client.query().table_name(&self.name).index_name("gsi3");
            let page = query
                .key_condition_expression("gsi3pk = :pk AND gsi3sk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", text(keys::page_leads_of_org(scope)))
                .expression_attribute_values(":first", text(format!("{prefix}{}", keys::instant(first))))
                // After all keys of that instant, which go on with an id.
                .expression_attribute_values(":last", text(format!("{prefix}{}~", keys::instant(last))))
                .projection_expression("gsi3sk")
                .set_exclusive_start_key(start)
                .send()
                .await?;
            let position = |sk: &str| LeadPosition::parse(sk.strip_prefix(&prefix)?);
            let positions = page.items.iter().flatten().filter_map(|item| position(item.get("gsi3sk")?.as_s().ok()?));
            found.extend(positions.map(|position| position.lead));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}

/// A condition on an attribute of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) name: &'static str,
    /// `None` if the attribute must be absent.
    pub(super) value: Option<String>,
}

impl LeadFilter {
    /// Whether a lead is one of those to list.
    #[must_use]
    pub fn matches(&self, lead: &Lead) -> bool {
        let has_value = |condition: &Condition| {
            let value = condition.value.as_deref();
            match condition.name {
                "page_id" => lead.page_id.as_ref().map(PageId::as_str) == value,
                "form_id" => lead.attribution.form_id.as_ref().map(FormId::as_str) == value,
                "assigned_to" => lead.assigned_to.as_ref().map(UserId::as_str) == value,
                "status" => value == Some(&lead.status.to_string()),
                "source" => value == Some(&lead.source.to_string()),
                _ => lead.tags.iter().any(|tag| value == Some(tag)),
            }
        };
        let is_after = self.from.is_none_or(|from| lead.created_time >= from);
        let is_before = self.to.is_none_or(|to| lead.created_time < to);
        is_after && is_before && self.conditions().iter().all(has_value)
    }

    fn conditions(&self) -> Vec<Condition> {
        let conditions = [
            ("page_id", self.page.as_ref().map(|page| Some(page.to_string()))),
            ("form_id", self.form.as_ref().map(|form| Some(form.to_string()))),
            ("assigned_to", self.assignee.as_ref().map(|user| user.as_ref().map(ToString::to_string))),
            ("status", self.status.map(|status| Some(status.to_string()))),
            ("source", self.source.clone().map(Some)),
            ("tags", self.tag.clone().map(Some)),
        ];
        conditions.into_iter().filter_map(|(name, value)| Some(Condition { name, value: value? })).collect()
    }
}
