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
use crate::model::assignment::{Assignment, Rotation};
use crate::model::identity::person_keys;
use crate::model::integration::{Choice, Connection};
use crate::model::lead::{FoundBy, Lead, Submission};
use crate::model::merging::{Known, Plan};
use crate::model::org::LEAD_MANAGEMENT;

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

/// Index attribute names, to be filtered by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Attribute and the value it must have.
    pub equal: Vec<(&'static str, String)>,
    /// A tag the lead must carry.
    pub tag: Option<String>,
    /// Only leads that nobody works on.
    pub unassigned: bool,
    /// Submitted at or after this.
    pub from: Option<Timestamp>,
    /// Submitted before this.
    pub to: Option<Timestamp>,
}

/// Where a listing goes on: the place of the last lead that was listed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, Deserialize)]
pub struct Place {
    created: Timestamp,
    lead: LeadId,
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
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(keys::connection(scope, &connection.integration_id, &connection.page_id).attributes()))
            .condition_expression("attribute_exists(pk) AND (attribute_not_exists(choice) OR choice = :connected)")
            .expression_attribute_values(":connected", serde_dynamo::to_attribute_value(Choice::Connected)?)
            .update_expression(format!("SET {} ADD leads_count :leads", times.join(", ")))
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":leads", AttributeValue::N(plan.counted().to_string()));
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

    /// Which of these are stored, as a lead or as a later submission.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn stored_among(&self, scope: &OrgScope, ids: &[LeadId]) -> Result<BTreeSet<LeadId>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|id| keys::lead(scope, id)).collect();
        let found = self.batch_get(&keys).await?;
        Ok(ids.iter().zip(&keys).filter(|(_, key)| found.contains_key(key)).map(|(id, _)| id.clone()).collect())
    }

    /// The later submissions of a lead's person, oldest first. One made an instant ago may be missing.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn submissions(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Submission>, TableError> {
        let keys = self.index_keys(&keys::submissions_of_lead(scope, lead)).await?;
        self.read_all(&keys).await
    }

    /// Up to `limit` of the org's leads that match, newest submission first, and where to go on.
    ///
    /// A filter that matches little reads much: the search stops after a bounded stretch, and then answers fewer leads
    /// than asked for, with a place to go on.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn leads(
        &self,
        scope: &OrgScope,
        filter: &LeadFilter,
        after: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Lead>, Option<Place>), TableError> {
        const STRETCH: i32 = 500;
        const MOST_STRETCHES: usize = 8;
        let mut keys: Vec<Key> = Vec::new();
        let mut start = after.map(|place| start_key(scope, &place));
        for _ in 0..MOST_STRETCHES {
            let query = self.client.query().table_name(&self.name).index_name("gsi1").scan_index_forward(false);
            let page_size =
                if *filter == LeadFilter::default() { i32::try_from(limit + 1).unwrap_or(STRETCH) } else { STRETCH };
            let page = filter.apply(query.limit(page_size).set_exclusive_start_key(start), scope).send().await?;
            keys.extend(page.items.iter().flatten().filter_map(Key::of));
            start = page.last_evaluated_key;
            if start.is_none() || keys.len() > limit {
                break;
            }
        }
        let more_found = keys.len() > limit;
        keys.truncate(limit);
        let leads: Vec<Lead> = self.read_all(&keys).await?;
        let last_listed = || leads.last().map(|lead| Place { created: lead.created_time, lead: lead.id.clone() });
        let place = match (more_found, start) {
            (true, _) => last_listed(),
            (false, Some(start)) => place_of(&start),
            (false, None) => None,
        };
        Ok((leads, place))
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

fn start_key(scope: &OrgScope, place: &Place) -> Item {
    let mut key = keys::lead(scope, &place.lead).attributes();
    let index = keys::lead_index(scope, place.created, &place.lead);
    key.insert("gsi1pk".to_owned(), text(index.gsi1pk));
    key.insert("gsi1sk".to_owned(), text(index.gsi1sk));
    key
}

fn place_of(start: &Item) -> Option<Place> {
    let (created, lead) = start.get("gsi1sk")?.as_s().ok()?.split_once('#')?;
    Some(Place { created: created.parse().ok()?, lead: LeadId::parse(lead).ok()? })
}

impl LeadFilter {
    fn apply(
        &self,
        query: aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder,
        scope: &OrgScope,
    ) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        // An instant's key is shorter than the keys of what happened in it, so a range of instants is a range of keys.
        // Years begin with a digit, or with a minus; one below and one above all of them are the widest range.
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
