//! Requested searches for leads.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;

use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, if_held};
use crate::ids::{OrgScope, PageId, RunId};
use crate::model::lead::FoundBy;
use crate::model::lead::run::{Run, RunProblem};

/// How long a backfill is stored.
const BACKFILL_TTL: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long a sync is stored: there may be one every few minutes.
const SYNC_TTL: SignedDuration = SignedDuration::from_hours(3 * 24);

impl Table {
    /// Stores a run that is about to begin.
    pub async fn insert_run(&self, scope: &OrgScope, run: &Run) -> Result<(), TableError> {
        let ttl = if run.kind == FoundBy::Sync { SYNC_TTL } else { BACKFILL_TTL };
        let until = (run.asked_at + ttl).as_second();
        // DynamoDB cannot store an empty set; an absent one is read as empty.
        let mut item = Row::new(&keys::run(scope, &run.id), ItemKind::Run, run).ttl(until).item()?;
        item.remove("pages_done");
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Reads a run.
    pub async fn run(&self, scope: &OrgScope, id: &RunId) -> Result<Option<Run>, TableError> {
        self.get(&keys::run(scope, id)).await
    }

    /// Lists the org's latest runs, newest first.
    pub async fn runs(&self, scope: &OrgScope) -> Result<Vec<Run>, TableError> {
        const MAX: i32 = 200;
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(keys::runs_pk(scope)))
            .scan_index_forward(false)
            .limit(MAX)
            .send()
            .await?;
        self.entities(page.items.into_iter().flatten())
    }

    /// Records that a page was searched, how many leads were found, and the problem that prevented the search, if any.
    /// A page that is searched twice counts once.
    pub async fn set_searched(
        &self,
        scope: &OrgScope,
        run: &RunId,
        page: &PageId,
        found: usize,
        problem: Option<RunProblem>,
    ) -> Result<(), TableError> {
        let problems: Vec<RunProblem> = problem.into_iter().collect();
        let update = self.client.update_item().table_name(&self.name);
        let searched = update
            .set_key(Some(keys::run(scope, run).attributes()))
            .update_expression("SET problems = list_append(problems, :problems) ADD pages_done :page, #found :found")
            .expression_attribute_names("#found", "found")
            .condition_expression("attribute_exists(pk) AND NOT contains(pages_done, :id)")
            .expression_attribute_values(":problems", serde_dynamo::to_attribute_value(problems)?)
            .expression_attribute_values(":page", AttributeValue::Ss(vec![page.to_string()]))
            .expression_attribute_values(":id", AttributeValue::S(page.to_string()))
            .expression_attribute_values(":found", AttributeValue::N(found.to_string()))
            .send()
            .await;
        if_held(searched).map(drop)
    }

    /// Counts leads of a run that were stored or parked.
    pub async fn count_settled(&self, scope: &OrgScope, run: &RunId, count: usize) -> Result<(), TableError> {
        let update = self.client.update_item().table_name(&self.name);
        let counted = update
            .set_key(Some(keys::run(scope, run).attributes()))
            .update_expression("ADD settled :count")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":count", AttributeValue::N(count.to_string()))
            .send()
            .await;
        if_held(counted).map(drop)
    }
}
