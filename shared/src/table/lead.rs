//! Leads: the one transaction that makes them, and the ways to find them.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use serde::Deserialize;

use super::keys::{self, Key};
use super::{Item, Row, Table, TableError, entity, text};
use crate::ids::{LeadId, OrgScope, UserId};
use crate::model::assignment::{Assigned, Assignment, Rotation};
use crate::model::identity::person_keys;
use crate::model::integration::{Choice, Connection};
use crate::model::lead::{FoundBy, Lead, Status, Submission};
use crate::model::merging::{Known, Plan};
use crate::model::org::LEAD_MANAGEMENT;

/// What somebody changes of a lead by hand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadChange {
    /// To whom it goes, or to nobody, and how that is explained.
    pub assigned: Option<(Option<UserId>, Assigned)>,
    /// Where the CRM stands with it.
    pub status: Option<Status>,
}

/// The counters of a connection, by how leads were found.
const FOUND_COUNTERS: [(FoundBy, &str); 5] = [
    (FoundBy::Webhook, "found_webhook"),
    (FoundBy::Sweep, "found_sweep"),
    (FoundBy::Sync, "found_sync"),
    (FoundBy::Import, "found_import"),
    (FoundBy::Backfill, "found_backfill"),
];

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// All of it is written.
    Yes,
    /// None of it is written: something it rests on has changed, or another writer was at it. Read again, plan again.
    Stale,
}

/// What is stored under a submission's key.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It became a lead.
    Lead(Box<Lead>),
    /// It joined one.
    Submission(Box<Submission>),
}

impl Table {
    /// What this org has of `leads` and of the persons in them, for a plan.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn known(&self, scope: &OrgScope, leads: &[Lead], assignment: &Assignment) -> Result<Known, TableError> {
        #[derive(Deserialize)]
        struct Claim {
            lead_id: LeadId,
        }
        let persons = leads
            .iter()
            .filter(|lead| !lead.test)
            .flat_map(|lead| person_keys(lead.email.as_deref(), lead.phone.as_deref()));
        let persons: BTreeSet<_> = persons.collect();
        let lead_keys: BTreeSet<_> = leads.iter().map(|lead| (keys::lead(scope, &lead.id), &lead.id)).collect();
        let mut wanted: Vec<Key> = lead_keys.iter().map(|(key, _)| key.clone()).collect();
        wanted.extend(persons.iter().map(|person| keys::person(scope, person)));
        let mut found = self.batch_get(&wanted).await?;

        let is_stored = |(key, _): &&(Key, &LeadId)| found.contains_key(key);
        let stored = lead_keys.iter().filter(is_stored).map(|(_, id)| (*id).clone()).collect();
        let mut known = Known { stored, ..Known::default() };
        for person in persons {
            if let Some(item) = found.remove(&keys::person(scope, &person)) {
                known.persons.insert(person, entity::<Claim>(item)?.lead_id);
            }
        }
        match assignment {
            Assignment::RoundRobin => known.rotation = Some(self.rotation(scope).await?),
            Assignment::User { user_id } => {
                known.chosen_user_eligible = self.user(scope, user_id).await?.is_some_and(|user| user.takes_leads());
            }
            Assignment::Unassigned => {}
        }
        Ok(known)
    }

    /// Writes a plan, all of it or nothing: leads, submissions, persons, the rotation's turns and the connection's counters.
    ///
    /// # Errors
    /// [`TableError::Unholdable`] if DynamoDB refuses it as it is; any other error leaves open whether it was written.
    pub async fn commit(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<Committed, TableError> {
        let mut writes = Vec::new();
        for lead in &plan.creates {
            let key = keys::lead(scope, &lead.id);
            let row = Row::new(&key, "lead", lead).indexed(keys::lead_index(scope, lead.created_time, &lead.id));
            writes.push(self.insert(row.item()?)?);
        }
        for submission in &plan.merges {
            let id = LeadId::from_leadgen(&submission.leadgen_id);
            let key = keys::lead(scope, &id);
            let index = keys::submission_index(scope, &submission.lead_id, submission.created_time, &id);
            writes.push(self.insert(Row::new(&key, "submission", submission).indexed(index).item()?)?);
        }
        let created: BTreeSet<&LeadId> = plan.creates.iter().map(|lead| &lead.id).collect();
        let joined: BTreeSet<&LeadId> = plan.merges.iter().map(|merge| &merge.lead_id).collect();
        for lead in joined.difference(&created) {
            let times = plan.merges.iter().filter(|merge| merge.lead_id == **lead).count();
            writes.push(self.count_submissions(scope, lead, times)?);
        }
        for (person, lead) in &plan.claims {
            let key = keys::person(scope, person);
            let row = serde_json::json!({ "lead_id": lead });
            writes.push(self.insert(Row::new(&key, "person", &row).item()?)?);
        }
        if let Some(rotation) = &plan.rotation {
            writes.push(rotation_write(&self.name, scope, rotation)?);
        }
        if let Some(user) = &plan.requires_eligible {
            writes.push(self.require_eligible(scope, user)?);
        }
        writes.push(self.count_leads(scope, connection, plan, now)?);
        self.transact(writes).await
    }

    /// Runs a transaction.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Committed, TableError> {
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Committed::Yes),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let codes = || cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
                    match codes()
                        .find(|code| !matches!(*code, "None" | "ConditionalCheckFailed" | "TransactionConflict"))
                    {
                        Some("ValidationError" | "ItemCollectionSizeLimitExceeded") => {
                            Err(TableError::Unholdable(codes().collect::<Vec<_>>().join(", ")))
                        }
                        Some(other) => Err(TableError::Failed(other.to_owned())),
                        None => Ok(Committed::Stale),
                    }
                }
                Some(other) if other.code() == Some("TransactionConflictException") => Ok(Committed::Stale),
                _ => Err(error.into()),
            },
        }
    }

    fn insert(&self, item: Item) -> Result<TransactWriteItem, TableError> {
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
            .condition_expression("attribute_exists(pk)")
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
            .expression_attribute_values(":lead_management", text(LEAD_MANAGEMENT));
        Ok(TransactWriteItem::builder().condition_check(check.build().map_err(broken)?).build())
    }

    fn count_leads(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        plan: &Plan,
        now: Timestamp,
    ) -> Result<TransactWriteItem, TableError> {
        let brought = |found_by: FoundBy| {
            let leads = plan.creates.iter().map(|lead| lead.found_by);
            leads.chain(plan.merges.iter().map(|merge| merge.found_by)).any(|by| by == found_by)
        };
        let real = !plan.merges.is_empty() || plan.creates.iter().any(|lead| !lead.test);
        let times: Vec<&str> = [
            (real, "last_lead_at = :now"),
            (plan.creates.iter().any(|lead| lead.test), "last_test_lead_at = :now"),
            (brought(FoundBy::Webhook), "last_webhook_at = :now"),
        ]
        .into_iter()
        .filter_map(|(happened, set)| happened.then_some(set))
        .collect();
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::connection(scope, &connection.integration_id, &connection.page_id).attributes()))
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(choice) OR choice = :connected)")
            .expression_attribute_values(":connected", serde_dynamo::to_attribute_value(Choice::Connected)?)
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":leads", AttributeValue::N(plan.counted().to_string()));
        let mut counters = vec!["leads_count :leads".to_owned()];
        for (found_by, counter) in FOUND_COUNTERS {
            let count = plan.creates.iter().filter(|lead| !lead.test && lead.found_by == found_by).count();
            if count > 0 {
                counters.push(format!("{counter} :{counter}"));
                update =
                    update.expression_attribute_values(format!(":{counter}"), AttributeValue::N(count.to_string()));
            }
        }
        let update = update.update_expression(format!("SET {} ADD {}", times.join(", "), counters.join(", ")));
        Ok(TransactWriteItem::builder().update(update.build().map_err(broken)?).build())
    }

    /// What is stored under a lead's or a submission's id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn stored(&self, scope: &OrgScope, id: &LeadId) -> Result<Option<Stored>, TableError> {
        let Some(item) = self.get_item(&keys::lead(scope, id)).await? else { return Ok(None) };
        let is_lead = item.get("type").and_then(|value| value.as_s().ok()).is_some_and(|kind| kind == "lead");
        Ok(Some(if is_lead {
            Stored::Lead(Box::new(entity(item)?))
        } else {
            Stored::Submission(Box::new(entity(item)?))
        }))
    }

    /// Gives a lead to somebody, or takes it away, and changes where the CRM stands with it, and answers the lead as it was
    /// before; `None` if there is no such lead. What is absent stays.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn change_lead(
        &self,
        scope: &OrgScope,
        id: &LeadId,
        changed: &LeadChange,
    ) -> Result<Option<Lead>, TableError> {
        let mut change = self.change(&keys::lead(scope, id)).if_still("type", &"lead")?;
        if let Some((to, how)) = &changed.assigned {
            change = change.set("assigned_to", to)?.set("assignment", how)?;
        }
        if let Some(status) = &changed.status {
            change = change.set("status", status)?;
        }
        change.send_for_old().await?.map(entity).transpose()
    }

    /// Which of these are stored, as a lead or as a later submission.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn stored_among(&self, scope: &OrgScope, ids: &[LeadId]) -> Result<BTreeSet<LeadId>, TableError> {
        self.there_among(ids.iter().map(|id| (id, keys::lead(scope, id)))).await
    }

    /// Which of these are settled: stored, as a lead or as a later submission, or parked with a reason.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn settled_among(&self, scope: &OrgScope, ids: &[LeadId]) -> Result<BTreeSet<LeadId>, TableError> {
        let stored = ids.iter().map(|id| (id, keys::lead(scope, id)));
        let parked = ids.iter().map(|id| (id, keys::parked(scope, id)));
        self.there_among(stored.chain(parked)).await
    }

    async fn there_among<'a>(
        &self,
        wanted: impl Iterator<Item = (&'a LeadId, Key)>,
    ) -> Result<BTreeSet<LeadId>, TableError> {
        let (ids, keys): (Vec<&LeadId>, Vec<Key>) = wanted.unzip();
        let found = self.batch_get(&keys).await?;
        Ok(ids.into_iter().zip(&keys).filter(|(_, key)| found.contains_key(key)).map(|(id, _)| id.clone()).collect())
    }

    /// The later submissions of a lead's person, oldest first. One made an instant ago may be missing.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn submissions(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Submission>, TableError> {
        let keys = self.index_keys(&keys::submissions_of_lead(scope, lead)).await?;
        self.read_all(&keys).await
    }
}

/// Writes a rotation over the one of its `version`, as the next version.
pub(super) fn rotation_write(
    table: &str,
    scope: &OrgScope,
    rotation: &Rotation,
) -> Result<TransactWriteItem, TableError> {
    let next = Rotation { version: rotation.version + 1, turns: rotation.turns.clone() };
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(Row::new(&keys::rotation(scope), "rotation", &next).item()?))
        .condition_expression("attribute_not_exists(pk) OR version = :seen")
        .expression_attribute_values(":seen", AttributeValue::N(rotation.version.to_string()));
    Ok(TransactWriteItem::builder().put(put.build().map_err(broken)?).build())
}

fn broken(error: aws_sdk_dynamodb::error::BuildError) -> TableError {
    TableError::Failed(error.to_string())
}
