//! What was done in an org, and by whom. Each changing act is recorded twice: before it is carried out, so that no crash
//! hides it, and again with what came of it ([`Trail`]).
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

#[cfg(test)]
mod tests;
mod trail;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::trail::{ActRule, Trail};
use crate::cursor::ListCursor;
use crate::error::{ActError, ErrorCode};
use crate::ids::{OrgScope, UserId};
use crate::model::audit::{AUDIT_TTL, AuditAct, AuditFace, AuditRecord};
use crate::secret::HmacKey;
use crate::table::Table;
use crate::tr;

/// The records of what was done.
#[derive(Debug, Clone)]
pub struct AuditLog {
    /// Stores them.
    pub table: Table,
    /// Signs positions in lists.
    pub key: HmacKey,
}

/// Selects records. A record must match every criterion that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Begun at or after this.
    pub from: Option<Timestamp>,
    /// Begun before this.
    pub to: Option<Timestamp>,
    /// Done by this person or program: the subject of the token, or a person's id in the directory.
    pub who: Option<UserId>,
    /// This act.
    pub act: Option<AuditAct>,
    /// Done to what has this id.
    pub subject: Option<String>,
}

/// Records, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditList {
    pub items: Vec<AuditRecord>,
    /// Pass it as `cursor` for the next page; `null` at the end. It can be set although the page has fewer records than
    /// `limit`, or none at all.
    pub next_cursor: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AuditPosition {
    month: Date,
    after: Option<String>,
}

impl AuditLog {
    /// Begins the trail of one request.
    #[must_use]
    pub fn trail(&self, face: AuditFace, source: Option<String>, rule: ActRule) -> Trail {
        Trail::new(self.table.clone(), face, source, rule)
    }

    /// Lists the org's records, newest first, from the start or from the cursor `after`. A bounded number of rows is read
    /// for a page.
    ///
    /// # Errors
    /// Refuses an empty range of times, and a cursor of another list or query.
    pub async fn list(
        &self,
        scope: &OrgScope,
        query: &AuditQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AuditList, ActError> {
        const MAX_ROWS: usize = 1000;
        const MAX_ROWS_AT_ONCE: usize = 200;
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from >= to
        {
            return Err(ActError::invalid("to", ErrorCode::RangeEmpty, tr!("A time after from.")));
        }
        let list = format!("audit {query:?}");
        let cursor = ListCursor::new(&self.key, scope, &list);
        let now = crate::clock::now();
        // DynamoDB deletes what has expired some time later.
        let from = query.from.map_or(now - AUDIT_TTL, |from| from.max(now - AUDIT_TTL));
        // Workers' clocks differ by less than a minute.
        let to = query.to.unwrap_or(Timestamp::MAX).min(now + jiff::SignedDuration::from_mins(1));
        let mut items = Vec::new();
        if from >= to {
            return Ok(AuditList { items, next_cursor: None });
        }
        let first = AuditPosition { month: month_of(to), after: None };
        let mut position: AuditPosition = cursor.decode(after)?.unwrap_or(first);
        let mut rows = 0;
        let table = self.table.for_display();
        while rows < MAX_ROWS {
            if position.month < month_of(from) {
                return Ok(AuditList { items, next_cursor: None });
            }
            let month = position.month.strftime("%Y-%m").to_string();
            let wanted = if query.has_filter() { MAX_ROWS_AT_ONCE } else { limit - items.len() };
            let wanted = i32::try_from(wanted.min(MAX_ROWS - rows)).unwrap_or(i32::MAX);
            let page = table.audit_of_month(scope, &month, (from, to), position.after.as_deref(), wanted);
            let page = page.await?;
            rows += page.records.len();
            for (record, place) in page.records {
                position.after = Some(place);
                let Some(record) = record else { continue };
                if query.matches(&record) {
                    items.push(record);
                }
                if items.len() == limit {
                    return Ok(AuditList { items, next_cursor: Some(cursor.encode(&position)) });
                }
            }
            if !page.more {
                position = AuditPosition { month: previous_month(position.month), after: None };
            }
        }
        Ok(AuditList { items, next_cursor: Some(cursor.encode(&position)) })
    }
}

impl AuditQuery {
    fn has_filter(&self) -> bool {
        self.who.is_some() || self.act.is_some() || self.subject.is_some()
    }

    fn matches(&self, record: &AuditRecord) -> bool {
        self.who.as_ref().is_none_or(|who| record.who.id == *who || record.who.user_id.as_ref() == Some(who))
            && self.act.is_none_or(|act| record.act == act.name())
            && self.subject.as_ref().is_none_or(|subject| record.subjects.contains(subject))
    }
}

/// The first day of the month of a time.
fn month_of(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date().first_of_month()
}

fn previous_month(month: Date) -> Date {
    month.yesterday().unwrap_or(Date::MIN).first_of_month()
}
