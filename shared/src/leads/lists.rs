//! Lists of an org's leads, page by page.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::ListCursor;
use crate::error::{ActError, ErrorCode};
use crate::ids::OrgScope;
use crate::model::lead::Lead;
use crate::model::lead::query::{Assignee, LeadQuery};
use crate::secret::HmacKey;
use crate::table::Table;
use crate::table::lead_list::{LeadFilter, LeadPosition};
use crate::tr;

/// Leads, in the order that was requested.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadList {
    pub items: Vec<Lead>,
    /// Pass it as `cursor` for the next page; `null` at the end. It can be set although the page has fewer leads than
    /// `limit`.
    pub next_cursor: Option<String>,
}

/// How many leads match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadCount {
    /// Those that were counted.
    pub leads: usize,
    /// Whether that is all of them. Only so many are looked at.
    pub is_all: bool,
}

/// What lists of leads are read with.
#[derive(Debug, Clone, Copy)]
pub struct LeadLister<'a> {
    /// Stores the leads.
    pub table: &'a Table,
    /// Signs cursors.
    pub key: &'a HmacKey,
}

impl LeadLister<'_> {
    /// Lists the org's leads from the start or from the cursor `after`, in the query's order, or by name if they are found
    /// by that.
    ///
    /// # Errors
    /// Refuses an empty range of times, a text that cannot be searched for, and a cursor of another list or query.
    pub async fn list(
        &self,
        scope: &OrgScope,
        query: &LeadQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<LeadList, ActError> {
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from >= to
        {
            return Err(ActError::invalid("to", ErrorCode::RangeEmpty, tr!("A time after from.")));
        }
        if let Some(text) = &query.text {
            return self.find(scope, (text, query), after, limit).await;
        }
        let list = format!("leads {}", query.identity());
        let cursor = ListCursor::new(self.key, scope, &list);
        let position = cursor.decode(after)?;
        let (mut items, mut next) = match &query.campaign_id {
            None => self.table.leads(scope, &filter(query), position, limit).await?,
            Some(campaign) => self.of_campaign(scope, (query, campaign), position, limit).await?,
        };
        let fitting = count_fitting(items.iter());
        if fitting < items.len() {
            items.truncate(fitting);
            next = items.last().map(LeadPosition::from);
        }
        Ok(LeadList { items, next_cursor: next.map(|position| cursor.encode(&position)) })
    }

    /// Counts the org's matching leads. `None` if they are found by a text or by their campaign, which no index counts. A
    /// change of an instant ago may be missing.
    pub(super) async fn count(&self, scope: &OrgScope, query: &LeadQuery) -> Result<Option<LeadCount>, ActError> {
        if query.text.is_some() || query.campaign_id.is_some() {
            return Ok(None);
        }
        let (leads, is_all) = self.table.count_listed(scope, &filter(query)).await?;
        Ok(Some(LeadCount { leads, is_all }))
    }

    /// Lists a campaign's leads. No index has the campaign, so that a bounded number of leads is read for those; then
    /// fewer than requested are returned, with a position to resume from.
    async fn of_campaign(
        &self,
        scope: &OrgScope,
        (query, campaign): (&LeadQuery, &str),
        mut position: Option<LeadPosition>,
        limit: usize,
    ) -> Result<(Vec<Lead>, Option<LeadPosition>), ActError> {
        const MAX_READS: usize = 5;
        const PER_READ: usize = 100;
        let mut found = Vec::new();
        for _ in 0..MAX_READS {
            let (leads, next) = self.table.leads(scope, &filter(query), position, PER_READ).await?;
            found.extend(leads.into_iter().filter(|lead| lead.attribution.campaign_id.as_deref() == Some(campaign)));
            if found.len() > limit {
                found.truncate(limit);
                let last = found.last().map(LeadPosition::from);
                return Ok((found, last));
            }
            position = next;
            if position.is_none() || found.len() == limit {
                break;
            }
        }
        Ok((found, position))
    }
}

/// Returns how many of these an answer holds. A single one always fits.
pub(super) fn count_fitting<'a, T: Serialize + 'a>(items: impl Iterator<Item = &'a T>) -> usize {
    /// Lambda's answers hold 6 MB, with everything around the items.
    const MAX_BYTES: usize = 4_000_000;
    let mut bytes = 0;
    let fits = |item: &&T| {
        bytes += serde_json::to_string(item).map_or(MAX_BYTES, |json| json.len());
        bytes <= MAX_BYTES
    };
    items.take_while(fits).count().max(1)
}

pub(super) fn filter(query: &LeadQuery) -> LeadFilter {
    LeadFilter {
        page: query.page_id.clone(),
        form: query.form_id.clone(),
        assignee: query.assigned_to.as_ref().map(|assignee| match assignee {
            Assignee::User(user) => Some(user.clone()),
            Assignee::Unassigned => None,
        }),
        status: query.status,
        source: query.source.clone(),
        tag: query.tag.clone(),
        from: query.from,
        to: query.to,
        order: query.order,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;

    #[test]
    fn an_answer_holds_what_lambda_can_send_and_always_something() {
        let large = "x".repeat(399_000);
        assert_eq!(count_fitting([&large; 100].into_iter()), 10);
        assert_eq!(count_fitting([&"x".repeat(5_000_000)].into_iter()), 1);
        assert_eq!(count_fitting([&"x"; 100].into_iter()), 100);
    }

    #[test]
    fn unassigned_leads_are_not_leads_of_a_user_called_so() {
        let filter_of = |text: &str| {
            filter(&LeadQuery { assigned_to: Some(Assignee::parse(text).unwrap()), ..LeadQuery::default() })
        };
        assert_eq!(filter_of("unassigned").assignee, Some(None));
        assert_eq!(filter_of("u1").assignee, Some(UserId::parse("u1").ok()));
    }
}
