//! Daily counts of leads by the time they took to arrive.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::keys;
use super::shape::ItemKind;
use super::{Item, Table, TableError};
use crate::ids::OrgScope;
use crate::model::lead::latency::{CLASSES, Latencies, class};

/// How long a day's counts are stored.
const LATENCY_TTL: SignedDuration = SignedDuration::from_hours(100 * 24);

impl Table {
    /// Counts leads that arrived at `now`, by the seconds they took.
    ///
    /// # Errors
    /// After an error, they may or may not be counted.
    pub async fn count_latencies(&self, scope: &OrgScope, seconds: &[i64], now: Timestamp) -> Result<(), TableError> {
        let mut counts = [0_u64; CLASSES];
        for seconds in seconds {
            if let Some(count) = counts.get_mut(class(*seconds)) {
                *count += 1;
            }
        }
        let mut adds = Vec::new();
        let mut update = self.client.update_item().table_name(&self.name);
        for (class, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            adds.push(format!("c{class} :c{class}"));
            update = update.expression_attribute_values(format!(":c{class}"), AttributeValue::N(count.to_string()));
        }
        if adds.is_empty() {
            return Ok(());
        }
        let day = keys::latency(scope, now.to_zoned(jiff::tz::TimeZone::UTC).date());
        update
            .set_key(Some(day.attributes()))
            .update_expression(format!("SET #type = :type, #ttl = :ttl ADD {}", adds.join(", ")))
            .expression_attribute_names("#type", "type")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":type", ItemKind::Latency.attribute())
            .expression_attribute_values(":ttl", AttributeValue::N((now + LATENCY_TTL).as_second().to_string()))
            .send()
            .await?;
        Ok(())
    }

    /// Reads the counts of each day from `first` to `last` on which leads arrived, oldest first.
    pub async fn latencies(
        &self,
        scope: &OrgScope,
        first: Date,
        last: Date,
    ) -> Result<Vec<(Date, Latencies)>, TableError> {
        let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
        let keys: Vec<(Date, keys::Key)> = days.map(|day| (day, keys::latency(scope, day))).collect();
        let mut found = self.batch_get(&keys.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>()).await?;
        Ok(keys.iter().filter_map(|(day, key)| Some((*day, counted(&found.remove(key)?)))).collect())
    }
}

fn counted(item: &Item) -> Latencies {
    Latencies::from_counts(
        item.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix('c')?.parse().ok()?, value.as_n().ok()?.parse().ok()?))
        }),
    )
}
