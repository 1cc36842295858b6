//! The audit of an org: a partition for each month, so that none grows without limit.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::keys;
use super::row::Row;
use super::{Table, TableError, entity, text};
use crate::ids::OrgScope;
use crate::model::audit::AuditRecord;

/// How long an act is kept.
pub const AUDIT_LIFETIME: SignedDuration = SignedDuration::from_hours(400 * 24);
/// Records that a request reads at most. What then was not found is on the next page.
const MAX_READ: usize = 2000;
const PER_READ: i32 = 200;

/// A position in the list: the sort key of the last act that was looked at, and its month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPosition {
    month: Date,
    sk: String,
}

fn month_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

impl Table {
    /// Records an act that begins.
    pub async fn begin_audit(&self, scope: &OrgScope, record: &AuditRecord) -> Result<(), TableError> {
        let key = keys::audit(scope, month_of(record.at), record.at, &record.id);
        self.put(Row::new(&key, "audit", record).ttl((record.at + AUDIT_LIFETIME).as_second())).await
    }

    /// Records what came of an act.
    pub async fn end_audit(&self, scope: &OrgScope, record: &AuditRecord) -> Result<(), TableError> {
        let key = keys::audit(scope, month_of(record.at), record.at, &record.id);
        let change = self.change(&key).if_exists().set("outcome", &record.outcome)?.set("code", &record.code)?;
        change.set("changes", &record.changes)?.send().await.map(drop)
    }

    /// Deletes the record of what turned out to be no act.
    pub async fn drop_audit(&self, scope: &OrgScope, record: &AuditRecord) -> Result<(), TableError> {
        self.delete(&keys::audit(scope, month_of(record.at), record.at, &record.id)).await
    }

    /// Lists up to `limit` matching acts between two times, newest first, after `after`. Also returns where to resume.
    pub async fn audit(
        &self,
        scope: &OrgScope,
        (from, to): (Timestamp, Timestamp),
        after: Option<AuditPosition>,
        limit: usize,
        matches: impl Fn(&AuditRecord) -> bool,
    ) -> Result<(Vec<AuditRecord>, Option<AuditPosition>), TableError> {
        let (first, mut month) = (month_of(from), after.as_ref().map_or(month_of(to), |after| after.month));
        let mut before = after.map(|after| after.sk);
        let (mut found, mut read) = (Vec::new(), 0);
        while month >= first {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(keys::audit_pk(scope, month)))
                .expression_attribute_values(":from", text(keys::instant(from)))
                .expression_attribute_values(
                    ":to",
                    text(before.clone().unwrap_or_else(|| format!("{}~", keys::instant(to)))),
                )
                .scan_index_forward(false)
                .limit(PER_READ)
                .send()
                .await?;
            let is_last = page.last_evaluated_key.is_none();
            let mut last = None;
            for item in page.items.into_iter().flatten() {
                let sk = item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
                // The range includes the position itself.
                if before.as_ref() == Some(&sk) {
                    continue;
                }
                read += 1;
                let record: AuditRecord = entity(item)?;
                if (from..to).contains(&record.at) && matches(&record) {
                    found.push(record);
                }
                last = Some(sk);
                if found.len() == limit || read >= MAX_READ {
                    return Ok((found, last.map(|sk| AuditPosition { month, sk })));
                }
            }
            if is_last {
                month = month.checked_sub(1.month()).unwrap_or(Date::MIN);
                before = None;
            } else if last.is_some() {
                before = last;
            }
        }
        Ok((found, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{OrgId, UserId};
    use crate::model::audit::{AuditFace, AuditOutcome, FieldChange};
    use crate::model::caller::{Caller, Role};
    use crate::table::tests::{at, empty_table, scope};

    fn record(act: &str, time: &str) -> AuditRecord {
        let caller = Caller {
            user: UserId::parse("u").unwrap(),
            name: Some("Una".into()),
            email: None,
            role: Role::Admin,
            orgs: vec![OrgId::parse("a").unwrap()],
            is_program: false,
        };
        AuditRecord::begin(&caller, act, (AuditFace::Api, Some("192.0.2.1".into())), at(time))
    }

    async fn acts(table: &Table, from: &str, to: &str, limit: usize) -> Vec<String> {
        let (mut after, mut acts) = (None, Vec::new());
        loop {
            let (page, next) = table
                .audit(&scope("a"), (at(from), at(to)), after, limit, |record| record.act != "hidden")
                .await
                .unwrap();
            assert!(page.len() <= limit);
            acts.extend(page.into_iter().map(|record| record.act));
            after = next;
            if after.is_none() {
                return acts;
            }
        }
    }

    #[tokio::test]
    async fn acts_are_listed_over_months_newest_first_and_each_once() {
        let table = empty_table().await;
        for (act, time) in [
            ("one", "2025-12-31T23:59:59Z"),
            ("hidden", "2026-01-01T00:00:00Z"),
            ("two", "2026-01-01T00:00:00.5Z"),
            ("three", "2026-01-01T00:00:00.5Z"),
            ("four", "2026-03-15T00:00:00Z"),
        ] {
            table.begin_audit(&scope("a"), &record(act, time)).await.unwrap();
        }
        table.begin_audit(&scope("b"), &record("foreign", "2026-01-01T00:00:00Z")).await.unwrap();
        for limit in 1..=5 {
            let all = acts(&table, "2025-06-01T00:00:00Z", "2026-04-01T00:00:00Z", limit).await;
            assert_eq!(all, ["four", "three", "two", "one"], "{limit}");
        }
        assert_eq!(acts(&table, "2026-01-01T00:00:00Z", "2026-03-15T00:00:00Z", 9).await, ["three", "two"]);
        assert!(acts(&table, "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z", 9).await.is_empty());
    }

    #[tokio::test]
    async fn an_act_whose_function_died_stays_one_of_which_nothing_is_known() {
        let table = empty_table().await;
        let mut done = record("done", "2026-01-01T00:00:00Z");
        table.begin_audit(&scope("a"), &done).await.unwrap();
        table.begin_audit(&scope("a"), &record("died", "2026-01-02T00:00:00Z")).await.unwrap();
        done.outcome = AuditOutcome::Done;
        done.changes = vec![FieldChange { field: "status".into(), before: None, after: Some("won".into()) }];
        table.end_audit(&scope("a"), &done).await.unwrap();
        let range = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let (found, _) = table.audit(&scope("a"), range, None, 9, |_| true).await.unwrap();
        assert_eq!(found[0].outcome, AuditOutcome::Unknown);
        assert_eq!(found[1], done);
    }
}
