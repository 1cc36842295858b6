//! What became of an org's leads, read from the index alone: a few hundred bytes a lead.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use strum::IntoEnumIterator;

use super::lead_list::LeadPosition;
use super::{Item, Table, TableError, entity, keys, text};
use crate::ids::OrgScope;
use crate::model::ads::outcome::LeadOutcome;
use crate::model::lead::Status;

impl Table {
    /// Reads what became of the leads that were submitted from `from` to before `to`; `None` if there are more than `max`.
    /// A change of an instant ago may be missing.
    pub async fn lead_outcomes(
        &self,
        scope: &OrgScope,
        range: (Timestamp, Timestamp),
        max: usize,
    ) -> Result<Option<Vec<LeadOutcome>>, TableError> {
        let parts = Status::iter().map(|status| self.outcomes_with_status(scope, status, range, max));
        let leads: Option<Vec<Vec<LeadOutcome>>> = try_join_all(parts).await?.into_iter().collect();
        Ok(leads.map(|parts| parts.into_iter().flatten().collect()).filter(|all: &Vec<_>| all.len() <= max))
    }

    async fn outcomes_with_status(
        &self,
        scope: &OrgScope,
        status: Status,
        (from, to): (Timestamp, Timestamp),
        max: usize,
    ) -> Result<Option<Vec<LeadOutcome>>, TableError> {
        let prefix = keys::leads_with_status(status);
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let query = self.client.query().table_name(&self.name).index_name("gsi1");
            let page = query
                .key_condition_expression("gsi1pk = :pk AND gsi1sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(keys::leads_of_org(scope)))
                .expression_attribute_values(":from", text(format!("{prefix}{}", keys::instant(from))))
                .expression_attribute_values(":to", text(format!("{prefix}{}", keys::instant(to))))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            for item in page.items.into_iter().flatten() {
                found.extend(outcome(item, &prefix)?);
            }
            start = page.last_evaluated_key;
            if found.len() > max {
                return Ok(None);
            }
            if start.is_none() {
                return Ok(Some(found));
            }
        }
    }
}

/// The entry of a lead. Its id and its time are part of the key.
fn outcome(mut item: Item, prefix: &str) -> Result<Option<LeadOutcome>, TableError> {
    let position = item.get("gsi1sk").and_then(|sk| sk.as_s().ok()?.strip_prefix(prefix));
    let Some(LeadPosition { created, lead }) = position.and_then(LeadPosition::parse) else { return Ok(None) };
    item.insert("id".to_owned(), AttributeValue::S(lead.to_string()));
    item.insert("created".to_owned(), AttributeValue::S(created.to_string()));
    entity(item).map(Some)
}
