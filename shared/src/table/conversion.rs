//! Conversions: the stages that leads reached, and whether Meta knows. What is to be sent is in the index until it is
//! settled, so that nothing depends on a message.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::commit::CommitOutcome;
use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Item, Table, TableError, pause, text, write_all};
use crate::aws::AwsError;
use crate::ids::{IntegrationId, LeadId, OrgId, OrgScope, PageId};
use crate::model::connection::{Integration, Lifecycle};
use crate::model::conversion::{Conversion, ConversionFault, ConversionSettings, ConversionState, UnsentReason};
use crate::model::lead::Status;

/// How long a day's counts are stored.
const DAY_TTL: SignedDuration = SignedDuration::from_hours(100 * 24);
/// Stages settled in one transaction: each takes one write, and one for the first stage of its lead. The day's counts
/// take another.
const MAX_SETTLED: usize = 49;

/// How many leads of an integration were reported, and how many of these with a later stage in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConversionCounts {
    /// Leads.
    pub leads: u64,
    /// Of these, with a later stage.
    pub followed: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Lease {
    until: Option<Timestamp>,
    rest_until: Option<Timestamp>,
}

impl Table {
    /// Finds the integration of the org that reports a page's leads. The inner error is why none does.
    pub async fn reporting_integration(
        &self,
        scope: &OrgScope,
        page: Option<&PageId>,
    ) -> Result<Result<(Integration, ConversionSettings), UnsentReason>, TableError> {
        let Some(page) = page else { return Ok(Err(UnsentReason::PageNotConnected)) };
        let integrations = self.live_integrations_of_page(scope, page).await?;
        if integrations.is_empty() {
            return Ok(Err(UnsentReason::PageNotConnected));
        }
        let reporting =
            integrations.into_iter().find_map(|mut it| it.conversions.take().map(|settings| (it, settings)));
        Ok(reporting.ok_or(UnsentReason::NoDataset))
    }

    /// Whether an integration of the org that imports a page's leads mails them to their assignees.
    pub async fn notifies_assignees(&self, scope: &OrgScope, page: &PageId) -> Result<bool, TableError> {
        let integrations = self.live_integrations_of_page(scope, page).await?;
        Ok(integrations.iter().any(|integration| integration.notify_assignee))
    }

    async fn live_integrations_of_page(&self, scope: &OrgScope, page: &PageId) -> Result<Vec<Integration>, TableError> {
        let connections = self.own_connections(scope, page).await?;
        let keys: Vec<Key> =
            connections.iter().map(|connection| keys::integration(scope, &connection.integration_id)).collect();
        let mut integrations: Vec<Integration> = self.read_all(&keys).await?;
        integrations.retain(|integration| integration.lifecycle == Lifecycle::Live);
        Ok(integrations)
    }

    /// Changes what an integration reports; `None` if nothing. What waited is tried again. `false` if it is gone.
    pub async fn set_conversions(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        settings: Option<&ConversionSettings>,
    ) -> Result<bool, TableError> {
        let change = self.change(&keys::integration(scope, id)).set("conversions", &settings)?;
        change.set("conversion_fault", &None::<()>)?.if_exists().send().await
    }

    /// Records why an integration's events wait, or that they do not any more. Does nothing if that was changed since it
    /// was read.
    pub async fn set_conversion_fault(
        &self,
        scope: &OrgScope,
        seen: &Integration,
        fault: Option<&ConversionFault>,
    ) -> Result<(), TableError> {
        let change = self.change(&keys::integration(scope, &seen.id)).set("conversion_fault", &fault)?.if_exists();
        change.if_unchanged("conversion_fault", &seen.conversion_fault)?.send().await.map(drop)
    }

    /// Reads what Meta was told of a lead.
    pub async fn conversions(&self, scope: &OrgScope, lead: &LeadId) -> Result<Vec<Conversion>, TableError> {
        self.query(&keys::lead(scope, lead).pk, keys::CONVERSION_PREFIX).await
    }

    /// Reads whether Meta was told that a lead reached a stage.
    pub async fn conversion(
        &self,
        scope: &OrgScope,
        lead: &LeadId,
        stage: Status,
    ) -> Result<Option<Conversion>, TableError> {
        self.get(&keys::conversion(scope, lead, stage)).await
    }

    /// Reads these stages of leads. Missing ones are omitted.
    pub async fn find_conversions(
        &self,
        scope: &OrgScope,
        wanted: impl Iterator<Item = (&LeadId, Status)>,
    ) -> Result<Vec<Conversion>, TableError> {
        let keys: BTreeSet<Key> = wanted.map(|(lead, stage)| keys::conversion(scope, lead, stage)).collect();
        self.read_all(&keys.into_iter().collect::<Vec<_>>()).await
    }

    /// Stores stages that are to be sent. One that is stored already stays as it is.
    pub async fn insert_conversions(&self, scope: &OrgScope, conversions: &[Conversion]) -> Result<(), TableError> {
        let insert =
            async |conversion: &Conversion| self.put_absent(conversion_item(scope, conversion)?).await.map(drop);
        write_all(conversions.iter().map(insert).collect()).await
    }

    /// Stores a stage as a part of a transaction. It fails if the stage is to be sent, or was.
    pub(super) fn conversion_write(
        &self,
        scope: &OrgScope,
        conversion: &Conversion,
    ) -> Result<TransactWriteItem, TableError> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(conversion_item(scope, conversion)?))
            .condition_expression("attribute_not_exists(pk) OR #state = :not_sent")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":not_sent", serde_dynamo::to_attribute_value(ConversionState::NotSent)?);
        let put = put.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Lists the orgs with conversions that are to be sent. Their number is the number of reads.
    pub async fn orgs_with_due_conversions(&self) -> Result<Vec<OrgId>, TableError> {
        let mut orgs = Vec::new();
        let mut after = "ORG#".to_owned();
        loop {
            let first = self.conversion_positions("gsi1sk > :from", &after, None, 1).await?.0;
            let position = first.first().and_then(|item| item.get("gsi1sk")?.as_s().ok());
            let Some(org) = position.and_then(|position| keys::parse_conversion_due(position)) else { return Ok(orgs) };
            after = keys::after_conversions_of_org(&org);
            orgs.push(org);
        }
    }

    /// Reads up to `limit` conversions of an org that are to be sent, in the order of time, and where to resume. One
    /// stored just now may be missing.
    pub async fn due_conversions(
        &self,
        scope: &OrgScope,
        after: Option<ConversionPosition>,
        limit: usize,
    ) -> Result<(Vec<Conversion>, Option<ConversionPosition>), TableError> {
        let prefix = keys::conversions_of_org(scope);
        let after = after.map(|position| position.0);
        let (items, next) = self.conversion_positions("begins_with(gsi1sk, :from)", &prefix, after, limit).await?;
        let keys: Vec<Key> = items.iter().filter_map(Key::from_item).collect();
        let mut due: Vec<Conversion> = self.read_all(&keys).await?;
        due.retain(|conversion| conversion.state == ConversionState::Pending);
        Ok((due, next.map(ConversionPosition)))
    }

    async fn conversion_positions(
        &self,
        condition: &str,
        from: &str,
        after: Option<Item>,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<Item>), TableError> {
        let query = self.client.query().table_name(&self.name).index_name("gsi1");
        let page = query
            .key_condition_expression(format!("gsi1pk = :pk AND {condition}"))
            .expression_attribute_values(":pk", text(keys::CONVERSIONS_DUE))
            .expression_attribute_values(":from", text(from))
            .set_exclusive_start_key(after)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }

    /// Makes a worker the only one that sends an org's conversions, until then. `false` if there is one, or if the org is
    /// left alone; `early` ends that.
    pub async fn lease_conversions(
        &self,
        scope: &OrgScope,
        until: Timestamp,
        early: bool,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let key = keys::conversion_lease(scope);
        let seen: Option<Lease> = self.get(&key).await?;
        let is_left_alone = seen.as_ref().and_then(|lease| lease.rest_until).is_some_and(|rest| now < rest) && !early;
        let seen = seen.and_then(|lease| lease.until);
        if is_left_alone || seen.is_some_and(|until| now < until) {
            return Ok(false);
        }
        let change = self.change(&key).if_unchanged("until", &seen)?.kind(ItemKind::ConversionLease);
        change.set("until", &until)?.send().await
    }

    /// Gives the lease back, unless another worker has it by now. Until `rest`, the org is left alone.
    pub async fn release_conversions(
        &self,
        scope: &OrgScope,
        until: Timestamp,
        rest: Option<Timestamp>,
    ) -> Result<(), TableError> {
        let change = self.change(&keys::conversion_lease(scope)).if_unchanged("until", &until)?;
        change.set("until", &None::<()>)?.set("rest_until", &rest)?.send().await.map(drop)
    }

    /// Stores that stages are not sent. One that is gone or settled already stays so.
    pub async fn settle_unsent(&self, scope: &OrgScope, conversions: &[Conversion]) -> Result<(), TableError> {
        let settle = async |conversion: &Conversion| {
            let change = self.settling(scope, conversion)?;
            change.send().await.map(drop)
        };
        write_all(conversions.iter().map(settle).collect()).await
    }

    /// Stores that Meta accepted stages through an integration, and counts their leads, each once. A stage that is gone
    /// or settled already stays so.
    pub async fn settle_sent(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        conversions: &[Conversion],
    ) -> Result<(), TableError> {
        // First stages go first, because later ones count on them.
        let mut groups: BTreeMap<(bool, Date), Vec<&Conversion>> = BTreeMap::new();
        for conversion in conversions {
            let day = conversion.lead_created.to_zoned(jiff::tz::TimeZone::UTC).date();
            groups.entry((conversion.stage != Status::New, day)).or_default().push(conversion);
        }
        for ((_, day), group) in groups {
            for chunk in group.chunks(MAX_SETTLED) {
                self.settle_day(scope, &keys::conversion_day(scope, id, day), chunk).await?;
            }
        }
        Ok(())
    }

    /// Settles stages of leads of one day, all or none.
    async fn settle_day(&self, scope: &OrgScope, day: &Key, settled: &[&Conversion]) -> Result<(), TableError> {
        const MAX_TRIES: u32 = 8;
        for attempt in 1..=MAX_TRIES {
            // What is still to be settled, and the first stages of its leads.
            let wanted = settled.iter().flat_map(|one| [(&one.lead_id, one.stage), (&one.lead_id, Status::New)]);
            let stored = self.find_conversions(scope, wanted).await?;
            let find = |lead: &LeadId, stage| stored.iter().find(|one| one.lead_id == *lead && one.stage == stage);
            let is_open = |one: &&Conversion| {
                find(&one.lead_id, one.stage).is_some_and(|stored| stored.state == ConversionState::Pending)
            };
            let open: Vec<&Conversion> = settled.iter().copied().filter(is_open).collect();
            if open.is_empty() {
                return Ok(());
            }
            let leads = open.iter().filter(|one| one.stage == Status::New).count();
            let follow_ups = open.iter().filter(|one| one.is_follow_up()).map(|one| &one.lead_id);
            let is_first = |lead: &&LeadId| {
                let first = find(lead, Status::New);
                first.is_some_and(|first| first.state == ConversionState::Sent && !first.followed)
            };
            let followed: BTreeSet<&LeadId> = follow_ups.filter(is_first).collect();
            // One transaction, so that each lead is counted once.
            let mut writes = Vec::new();
            for conversion in open {
                writes.push(self.settling(scope, conversion)?.into_write()?);
            }
            for lead in &followed {
                let first = self.change(&keys::conversion(scope, lead, Status::New)).if_exists();
                writes.push(first.if_not("followed", &true)?.set("followed", &true)?.into_write()?);
            }
            if leads + followed.len() > 0 {
                writes.push(self.count_conversions(day, leads, followed.len())?);
            }
            if self.transact(writes).await? == CommitOutcome::Committed {
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    fn settling(&self, scope: &OrgScope, conversion: &Conversion) -> Result<super::change::ItemUpdate, TableError> {
        let change = self.change(&keys::conversion(scope, &conversion.lead_id, conversion.stage));
        change.if_unchanged("state", &ConversionState::Pending)?.index(None).set_all(conversion, &["followed"])
    }

    fn count_conversions(&self, day: &Key, leads: usize, followed: usize) -> Result<TransactWriteItem, TableError> {
        let number = |count: usize| AttributeValue::N(count.to_string());
        let ttl = crate::clock::now() + DAY_TTL;
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(day.attributes()))
            .update_expression("SET #type = :type, #ttl = :ttl ADD leads :leads, followed :followed")
            .expression_attribute_names("#type", "type")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":type", ItemKind::ConversionDay.attribute())
            .expression_attribute_values(":ttl", AttributeValue::N(ttl.as_second().to_string()))
            .expression_attribute_values(":leads", number(leads))
            .expression_attribute_values(":followed", number(followed));
        let update = update.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Counts the reported leads that were submitted from `first` to `last`.
    pub async fn conversion_counts(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        first: Date,
        last: Date,
    ) -> Result<ConversionCounts, TableError> {
        let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
        let keys: Vec<Key> = days.map(|day| keys::conversion_day(scope, id, day)).collect();
        let found = self.batch_get(&keys).await?;
        let sum = |name: &str| found.values().filter_map(|item| item.get(name)?.as_n().ok()?.parse::<u64>().ok()).sum();
        Ok(ConversionCounts { leads: sum("leads"), followed: sum("followed") })
    }
}

/// Where a list of conversions resumes.
#[derive(Debug, Clone)]
pub struct ConversionPosition(Item);

/// The item of a stage. Only one that is to be sent is in the index.
fn conversion_item(scope: &OrgScope, conversion: &Conversion) -> Result<Item, TableError> {
    let Conversion { lead_id, stage, reached_at, .. } = conversion;
    let key = keys::conversion(scope, lead_id, *stage);
    let row = Row::new(&key, ItemKind::Conversion, conversion);
    match conversion.state {
        ConversionState::Pending => row.indexed(keys::conversion_due(scope, lead_id, *stage, *reached_at)).item(),
        ConversionState::Sent | ConversionState::NotSent => row.item(),
    }
}
