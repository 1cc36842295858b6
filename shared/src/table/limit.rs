//! Counts of an org's expensive requests, by minute.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::shape::ItemKind;
use super::{Table, TableError, if_held, keys};
use crate::ids::OrgScope;
use crate::model::limit::OrgLimit;

const MINUTE: i64 = 60;

impl Table {
    /// Counts a request. Returns the seconds until the next one can be taken if this is one too many.
    pub async fn count_request(
        &self,
        scope: &OrgScope,
        limit: OrgLimit,
        now: Timestamp,
    ) -> Result<Option<u64>, TableError> {
        let (minute, second) = (now.as_second().div_euclid(MINUTE), now.as_second().rem_euclid(MINUTE));
        let number = |value: i64| AttributeValue::N(value.to_string());
        let counted = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(keys::org_limit(scope, limit, minute).attributes()))
            .update_expression("SET #type = :type, #ttl = :ttl ADD #used :one")
            .condition_expression("attribute_not_exists(#used) OR #used < :most")
            .expression_attribute_names("#type", "type")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_names("#used", "used")
            .expression_attribute_values(":type", ItemKind::OrgLimit.attribute())
            .expression_attribute_values(":ttl", number(now.as_second() + 10 * MINUTE))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(limit.per_minute().into()))
            .send()
            .await;
        let is_counted = if_held(counted)?.is_some();
        Ok((!is_counted).then(|| u64::try_from(MINUTE - second).unwrap_or(1)))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;
    use crate::ids::OrgId;
    use crate::table::tests::{at, empty_table};

    #[tokio::test]
    async fn an_org_s_minute_is_counted_for_itself() {
        let table = empty_table().await;
        let scope = |org| OrgScope::new(OrgId::parse(org).unwrap());
        let (busy, other) = (scope("busy"), scope("other"));
        let now = at("2026-01-01T00:00:15Z");
        let most = OrgLimit::Imports.per_minute() as usize;
        let counts = join_all((0..most + 5).map(|_| table.count_request(&busy, OrgLimit::Imports, now))).await;
        let refused: Vec<u64> = counts.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(refused, [45; 5], "at once, and not one more");
        assert_eq!(table.count_request(&other, OrgLimit::Imports, now).await.unwrap(), None);
        assert_eq!(table.count_request(&busy, OrgLimit::MetaCalls, now).await.unwrap(), None);
        assert_eq!(table.count_request(&busy, OrgLimit::Imports, at("2026-01-01T00:01:00Z")).await.unwrap(), None);
    }
}
