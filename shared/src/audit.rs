//! What was done in an org, for its admins.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::ListCursor;
use crate::directory::Access;
use crate::error::{ActError, ErrorCode};
use crate::model::audit::AuditRecord;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::table::audit::{AUDIT_LIFETIME, AuditPosition};

/// The reading side of the audit.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Stores the records.
    pub table: Table,
    /// Signs cursors.
    pub key: HmacKey,
}

/// Which acts to list. An act must match all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// At or after this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// The id of who acted.
    pub user_id: Option<String>,
    /// The name of the act.
    pub act: Option<String>,
    /// The id of what it was about.
    pub subject: Option<String>,
}

/// Acts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditList {
    /// The acts.
    pub items: Vec<AuditRecord>,
    /// Pass it as `cursor` for the next page; `null` at the end. It can be set although the page has fewer acts than
    /// `limit`.
    pub next_cursor: Option<String>,
}

impl Audit {
    /// Lists what was done in the org within the last 400 days.
    ///
    /// # Errors
    /// Refuses an empty range of times, and a cursor of another list or query.
    pub async fn list(
        &self,
        access: &Access,
        query: &AuditQuery,
        after: Option<&str>,
        limit: usize,
    ) -> Result<AuditList, ActError> {
        if let (Some(from), Some(to)) = (query.from, query.to)
            && from >= to
        {
            return Err(ActError::invalid("to", ErrorCode::RangeEmpty, "A time after from."));
        }
        let now = crate::clock::now();
        let list = format!("audit {query:?}");
        let cursor = ListCursor::new(&self.key, &access.scope, &list);
        let after: Option<AuditPosition> = cursor.decode(after)?;
        let oldest = now - AUDIT_LIFETIME;
        let from = query.from.map_or(oldest, |from| from.max(oldest));
        let to = query.to.unwrap_or(now + SignedDuration::from_hours(1));
        let matches = |record: &AuditRecord| {
            query.user_id.as_ref().is_none_or(|user| record.user_id.as_str() == user)
                && query.act.as_ref().is_none_or(|act| record.act == *act)
                && query.subject.as_ref().is_none_or(|subject| record.subjects.contains(subject))
        };
        let (items, next) = self.table.audit(&access.scope, (from, to), after, limit, matches).await?;
        Ok(AuditList { items, next_cursor: next.map(|position| cursor.encode(&position)) })
    }
}
