//! Erasing a lead: what was stored of a person goes, and the places of the submissions stay taken, so that Meta's lists do
//! not bring them back.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::commit::{CommitOutcome, broken};
use super::keys::{self, Key};
use super::lead::PersonClaim;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, delete_request, entity, text};
use crate::ids::{LeadId, OrgScope, PageId};
use crate::model::delivery::EventSubject;
use crate::model::lead::identity::PersonKey;

/// How long a place stays taken: Meta lists a lead for 90 days, and a backfill may begin on the last of them.
const TAKEN: SignedDuration = SignedDuration::from_hours(24 * 100);
/// Persons that are forgotten in the transaction of the erasure. One submission has two.
const MAX_PERSONS: usize = 90;

/// Of a lead that is being erased: the persons in its submissions that are erased already. They are forgotten with the
/// lead, because they lead to it if the erasure is repeated.
const FORGOTTEN: &str = "forgotten";

/// What stays of a submission.
#[derive(Serialize)]
struct ErasedLead {
    erased_at: Timestamp,
}

/// A submission to erase.
#[derive(Debug, Clone, Copy)]
pub struct LeadRemains<'a> {
    /// Its id.
    pub id: &'a LeadId,
    /// The lead that it belongs to; its own id if it is the lead.
    pub root: &'a LeadId,
    /// The page through which it came.
    pub page: Option<&'a PageId>,
    /// The persons in it.
    pub persons: &'a [PersonKey],
}

impl Table {
    /// Erases a submission with its steps and what Meta was to be told of it. A lead is erased after all its later
    /// submissions, and with it the persons of all of them are forgotten. `false` if one of those is still there, or was
    /// stored just now.
    pub async fn erase_lead(
        &self,
        scope: &OrgScope,
        LeadRemains { id, root, page, persons }: LeadRemains<'_>,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let key = keys::lead(scope, id);
        let mark = self.mark_erasure(scope, &EventSubject::Lead(id.clone()), now).await?;
        let found = self.keys_of_partition(&key.pk).await?;
        let beside = found.into_iter().filter(|other| *other != key && *other != mark);
        let waiting = page.map(|page| keys::waiting(scope, page, id));
        let beside: Vec<Key> =
            beside.chain(waiting).chain([keys::parked(scope, id), keys::dismissed(scope, id)]).collect();
        self.write_many(beside.iter().map(delete_request).collect::<Result<_, _>>()?).await?;
        let claims = persons.iter().map(|person| keys::person(scope, person));
        let row = ErasedLead { erased_at: now };
        let row = Row::new(&key, ItemKind::ErasedLead, &row).ttl((now + TAKEN).as_second()).item()?;
        let put = Put::builder().table_name(&self.name).set_item(Some(row)).expression_attribute_names("#type", "type");
        let mut writes = Vec::new();
        if id == root {
            // A submission counts itself on its lead in the transaction that stores it.
            let put = put.condition_expression(
                "#type = :lead AND (attribute_not_exists(submissions_count) OR submissions_count = :none)",
            );
            let put = put.expression_attribute_values(":lead", ItemKind::Lead.attribute());
            let put = put.expression_attribute_values(":none", number(0)).build().map_err(broken)?;
            writes.push(TransactWriteItem::builder().put(put).build());
            let of_submissions = self.get_item(&key).await?.and_then(|lead| lead.get(FORGOTTEN)?.as_ss().ok().cloned());
            let of_submissions = of_submissions.into_iter().flatten().map(|pk| Key { pk, sk: keys::PERSON.to_owned() });
            let claims: BTreeSet<Key> = claims.chain(of_submissions).collect();
            let claimed = self.batch_get(&claims.into_iter().collect::<Vec<_>>()).await?;
            for (at, (key, item)) in claimed.into_iter().enumerate() {
                if entity::<PersonClaim>(item)?.lead_id != *root {
                    continue;
                }
                if at >= MAX_PERSONS {
                    self.delete_if_still(&key, "lead_id", root).await?;
                    continue;
                }
                let delete = Delete::builder().table_name(&self.name).set_key(Some(key.attributes()));
                let delete = delete.condition_expression("lead_id = :root");
                let delete =
                    delete.expression_attribute_values(":root", text(root.as_str())).build().map_err(broken)?;
                writes.push(TransactWriteItem::builder().delete(delete).build());
            }
        } else {
            let put = put.condition_expression("#type = :submission");
            let put = put
                .expression_attribute_values(":submission", ItemKind::Submission.attribute())
                .build()
                .map_err(broken)?;
            writes.push(TransactWriteItem::builder().put(put).build());
            let count = Update::builder().table_name(&self.name).set_key(Some(keys::lead(scope, root).attributes()));
            let count = count.condition_expression("#type = :lead").expression_attribute_names("#type", "type");
            let count = count.expression_attribute_values(":less", number(-1));
            let mut count = count.expression_attribute_values(":lead", ItemKind::Lead.attribute());
            let claims: Vec<String> = claims.map(|key| key.pk).collect();
            count = if claims.is_empty() {
                count.update_expression("ADD submissions_count :less")
            } else {
                let count = count.update_expression("ADD submissions_count :less, #forgotten :claims");
                let count = count.expression_attribute_names("#forgotten", FORGOTTEN);
                count.expression_attribute_values(":claims", AttributeValue::Ss(claims))
            };
            writes.push(TransactWriteItem::builder().update(count.build().map_err(broken)?).build());
        }
        let is_erased = self.transact(writes).await? == CommitOutcome::Committed;
        if !is_erased && id == root {
            // What is told of a lead that stays is delivered.
            self.delete(&mark).await?;
        }
        Ok(is_erased)
    }
}

fn number(number: i8) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
