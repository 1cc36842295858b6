//! Records of acts, by month.

use jiff::Timestamp;

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, text};
use crate::ids::OrgScope;
use crate::model::audit::{AUDIT_TTL, AuditRecord};

/// Records of one month, newest first.
#[derive(Debug)]
pub struct AuditPage {
    /// The records, each with its position. `None` is one that the table leaves out, because it cannot be read.
    pub records: Vec<(Option<AuditRecord>, String)>,
    /// Whether the month has more of them.
    pub more: bool,
}

impl Table {
    /// Stores a record, or what is known of it later.
    pub async fn put_audit(&self, scope: &OrgScope, record: &AuditRecord) -> Result<(), TableError> {
        let key = keys::act(scope, record.at, &record.id);
        self.put(Row::new(&key, ItemKind::Act, record).ttl((record.at + AUDIT_TTL).as_second())).await
    }

    /// Reads up to `limit` records of a month such as `2026-11` that began within a range of time, newest first, after
    /// the position `after`.
    pub async fn audit_of_month(
        &self,
        scope: &OrgScope,
        month: &str,
        (from, to): (Timestamp, Timestamp),
        after: Option<&str>,
        limit: i32,
    ) -> Result<AuditPage, TableError> {
        let pk = keys::acts_of_month(scope, month);
        let start = after.map(|sk| Key { pk: pk.clone(), sk: sk.to_owned() }.attributes());
        // A record at `to` has its id behind the time, and is so beyond the range.
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(&pk))
            .expression_attribute_values(":from", text(keys::act_time(from)))
            .expression_attribute_values(":to", text(keys::act_time(to)))
            .set_exclusive_start_key(start)
            .limit(limit)
            .send()
            .await?;
        let more = page.last_evaluated_key.is_some();
        let read = |item: super::Item| {
            let position = Key::from_item(&item).map(|key| key.sk).unwrap_or_default();
            Ok((self.list_item(item)?, position))
        };
        let records = page.items.unwrap_or_default().into_iter().map(read);
        Ok(AuditPage { records: records.collect::<Result<_, TableError>>()?, more })
    }
}
