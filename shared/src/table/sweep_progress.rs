//! What the sweep needs to know of many pages at once, and what it remembers of each.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::form::Pause;
use super::keys;
use super::row::Row;
use super::{Consistency, Table, TableError, entity};
use crate::ids::{OrgScope, PageId};
use crate::model::connection::Connection;
use crate::model::lead::sweep_progress::SweepProgress;

/// What is known of a page before it is searched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SweptPage {
    /// How far its regular searches have come.
    pub progress: SweepProgress,
    /// Until when Meta throttles it.
    pub paused_until: Option<Timestamp>,
}

impl Table {
    /// Reads what is known of these pages. What was written an instant ago may be missing.
    pub async fn swept_pages(
        &self,
        scope: &OrgScope,
        pages: &[Connection],
        now: Timestamp,
    ) -> Result<BTreeMap<PageId, SweptPage>, TableError> {
        let keys_of = |page: &Connection| {
            (keys::sweep_progress(scope, &page.integration_id, &page.page_id), keys::pause(&page.page_id))
        };
        let wanted: Vec<keys::Key> =
            pages.iter().map(keys_of).flat_map(|(progress, pause)| [progress, pause]).collect();
        let mut found = self.batch_get_as(&wanted, Consistency::Eventual).await?;
        let mut known = BTreeMap::new();
        for page in pages {
            let (progress, pause) = keys_of(page);
            let pause: Option<Pause> = found.remove(&pause).map(entity).transpose()?;
            let swept = SweptPage {
                progress: found.remove(&progress).map(entity).transpose()?.unwrap_or_default(),
                paused_until: pause.map(|pause| pause.until).filter(|until| *until > now),
            };
            known.insert(page.page_id.clone(), swept);
        }
        Ok(known)
    }

    /// Stores how far the regular searches of a page have come.
    ///
    /// # Errors
    /// After an error, the next search lists more forms than it needs to.
    pub async fn put_sweep_progress(
        &self,
        scope: &OrgScope,
        page: &Connection,
        progress: &SweepProgress,
    ) -> Result<(), TableError> {
        let key = keys::sweep_progress(scope, &page.integration_id, &page.page_id);
        self.put(Row::new(&key, "sweep_progress", progress)).await
    }
}
