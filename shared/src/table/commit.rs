//! The transaction that creates leads. It writes a whole plan, or nothing.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update};
use jiff::Timestamp;

use super::keys;
use super::lead::PersonClaim;
use super::row::Row;
use super::shape::ItemKind;
use super::{Item, Table, TableError, text};
use crate::aws::AwsError;
use crate::ids::{LeadId, OrgScope, UserId};
use crate::model::connection::{Connection, PageSelection};
use crate::model::lead::dedupe::WritePlan;
use crate::model::lead::{FoundBy, Lead, Submission};
use crate::model::org::Permission;

/// A connection's counters, by how leads were found.
const FOUND_COUNTERS: [(FoundBy, &str); 5] = [
    (FoundBy::Webhook, "found_webhook"),
    (FoundBy::Sweep, "found_sweep"),
    (FoundBy::Sync, "found_sync"),
    (FoundBy::Import, "found_import"),
    (FoundBy::Backfill, "found_backfill"),
];

/// The outcome of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitOutcome {
    /// All writes were made.
    Committed,
    /// No write was made: a precondition changed, another writer was active, or a partition is as busy as it can be.
    /// Read and plan again.
    Conflict,
}

impl Table {
    /// Writes a plan, all or nothing: leads, submissions, persons, the rotation, and the counters of the connections
    /// through which the leads arrived.
    ///
    /// # Errors
    /// [`TableError::ItemRejected`] if DynamoDB rejects the plan as it is. After any other error the outcome is
    /// unknown.
    pub async fn commit(
        &self,
        scope: &OrgScope,
        connections: &[&Connection],
        plan: &WritePlan,
        now: Timestamp,
    ) -> Result<CommitOutcome, TableError> {
        let mut writes = Vec::new();
        for lead in &plan.creates {
            let key = keys::lead(scope, &lead.id);
            let lists = keys::lead_lists(scope, lead, lead.status, lead.assigned_to.as_ref());
            let row = Row::new(&key, ItemKind::Lead, lead).in_lists(lists);
            writes.push(self.insert(row.item()?)?);
        }
        // Submissions that join a lead.
        for submission in &plan.merges {
            let id = &submission.id;
            let key = keys::lead(scope, id);
            let index = keys::submission_index(scope, &submission.lead_id, submission.created_time, id);
            writes.push(self.insert(Row::new(&key, ItemKind::Submission, submission).indexed(index).item()?)?);
        }
        // Count them on their leads. A lead created here already has its count.
        let created: BTreeSet<&LeadId> = plan.creates.iter().map(|lead| &lead.id).collect();
        let joined: BTreeSet<&LeadId> = plan.merges.iter().map(|merge| &merge.lead_id).collect();
        for lead in joined.difference(&created) {
            let times = plan.merges.iter().filter(|merge| merge.lead_id == **lead).count();
            writes.push(self.count_submissions(scope, lead, times)?);
        }
        // Claims on persons, so that they are recognised from now on.
        for (person, lead) in &plan.claims {
            let key = keys::person(scope, person);
            let row = PersonClaim { lead_id: lead.clone() };
            writes.push(self.insert(Row::new(&key, ItemKind::Person, &row).item()?)?);
        }
        // The rotation's next version, if the plan took a turn.
        if let Some(rotation) = &plan.rotation {
            writes.push(self.cursor_write(scope, rotation, None)?);
        }
        // The assignee must still be eligible when this commits.
        if let Some(user) = &plan.requires_eligible {
            writes.push(self.require_eligible(scope, user)?);
        }
        for connection in connections {
            writes.push(self.count_leads(scope, connection, plan, now)?);
        }
        self.transact(writes).await
    }

    /// Runs a transaction.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<CommitOutcome, TableError> {
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(CommitOutcome::Committed),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let codes = || cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
                    match codes().find(|code| {
                        !matches!(
                            *code,
                            "None"
                                | "ConditionalCheckFailed"
                                | "TransactionConflict"
                                | "ThrottlingError"
                                | "ProvisionedThroughputExceeded"
                        )
                    }) {
                        Some("ValidationError" | "ItemCollectionSizeLimitExceeded") => {
                            Err(TableError::ItemRejected(AwsError::new(error)))
                        }
                        Some(_) => Err(TableError::Failed(AwsError::new(error))),
                        None => Ok(CommitOutcome::Conflict),
                    }
                }
                Some(other) if other.code() == Some("TransactionConflictException") => Ok(CommitOutcome::Conflict),
                _ => Err(error.into()),
            },
        }
    }

    pub(super) fn insert(&self, item: Item) -> Result<TransactWriteItem, TableError> {
        let put =
            Put::builder().table_name(&self.name).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
        Ok(TransactWriteItem::builder().put(put.build().map_err(broken)?).build())
    }

    fn count_submissions(
        &self,
        scope: &OrgScope,
        lead: &LeadId,
        times: usize,
    ) -> Result<TransactWriteItem, TableError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::lead(scope, lead).attributes()))
            // Not one that was erased.
            .condition_expression("#type = :lead")
            .expression_attribute_names("#type", "type")
            .expression_attribute_values(":lead", ItemKind::Lead.attribute())
            .update_expression("ADD submissions_count :times")
            .expression_attribute_values(":times", AttributeValue::N(times.to_string()));
        Ok(TransactWriteItem::builder().update(update.build().map_err(broken)?).build())
    }

    fn require_eligible(&self, scope: &OrgScope, user: &UserId) -> Result<TransactWriteItem, TableError> {
        let check = ConditionCheck::builder()
            .table_name(&self.name)
            .set_key(Some(keys::user(scope, user).attributes()))
            .condition_expression("active = :yes AND contains(#permissions, :lead_management)")
            .expression_attribute_names("#permissions", "permissions")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":lead_management", text(Permission::LeadManagement.name()));
        Ok(TransactWriteItem::builder().condition_check(check.build().map_err(broken)?).build())
    }

    fn count_leads(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        plan: &WritePlan,
        now: Timestamp,
    ) -> Result<TransactWriteItem, TableError> {
        // What came through this connection.
        let page = Some(&connection.page_id);
        let creates: Vec<&Lead> = plan.creates.iter().filter(|lead| lead.page_id.as_ref() == page).collect();
        let merges: Vec<&Submission> = plan.merges.iter().filter(|merge| merge.page_id.as_ref() == page).collect();
        let leads_count = creates.iter().filter(|lead| !lead.test).count();
        let brought = |found_by: FoundBy| {
            let leads = creates.iter().map(|lead| lead.found_by);
            leads.chain(merges.iter().map(|merge| merge.found_by)).any(|by| by == found_by)
        };
        let merged = merges.iter().any(|merge| merge.found_by.is_of_its_time());
        let real = merged || creates.iter().any(|lead| !lead.test && lead.found_by.is_of_its_time());
        let rhythm = connection.rhythm.after_lead(connection.last_lead_at, now);
        // The attributes that depend on what the plan holds.
        let sets: Vec<&str> = [
            (real, "usual_silence_s = :silence"),
            (real, "last_lead_at = :now"),
            (creates.iter().any(|lead| lead.test), "last_test_lead_at = :now"),
            (brought(FoundBy::Webhook), "last_webhook_at = :now"),
        ]
        .into_iter()
        .filter_map(|(happened, set)| happened.then_some(set))
        .collect();
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::connection(scope, &connection.integration_id, &connection.page_id).attributes()))
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(selection) OR selection = :connected)",
            )
            .expression_attribute_values(":connected", serde_dynamo::to_attribute_value(PageSelection::Connected)?)
            .expression_attribute_values(":leads", AttributeValue::N(leads_count.to_string()));
        // DynamoDB refuses a value that no expression uses.
        if sets.iter().any(|set| set.ends_with(":now")) {
            update = update.expression_attribute_values(":now", text(now.to_string()));
        }
        if real {
            let silence = AttributeValue::N(rhythm.usual_silence_s.to_string());
            update = update.expression_attribute_values(":silence", silence);
        }
        // One counter per way of finding leads, beside the total.
        let mut counters = vec!["leads_count :leads".to_owned()];
        for (found_by, counter) in FOUND_COUNTERS {
            let count = creates.iter().filter(|lead| !lead.test && lead.found_by == found_by).count();
            if count > 0 {
                counters.push(format!("{counter} :{counter}"));
                update =
                    update.expression_attribute_values(format!(":{counter}"), AttributeValue::N(count.to_string()));
            }
        }
        let clear_quiet = if real { "REMOVE quiet_since " } else { "" };
        let sets = if sets.is_empty() { String::new() } else { format!("SET {} ", sets.join(", ")) };
        let update = update.update_expression(format!("{sets}{clear_quiet}ADD {}", counters.join(", ")));
        Ok(TransactWriteItem::builder().update(update.build().map_err(broken)?).build())
    }
}

pub(super) fn broken(error: aws_sdk_dynamodb::error::BuildError) -> TableError {
    TableError::Failed(AwsError::new(error))
}
