//! What the sweep needs to know of many pages at once, and what it remembers of each.

use jiff::Timestamp;

use super::form::Pause;
use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, IndexRange, Table, TableError, entity};
use crate::ids::{IntegrationId, OrgScope, PageId};
use crate::model::connection::Connection;
use crate::model::lead::sweep_progress::SweepProgress;

/// What is known of a page before it is searched.
#[derive(Debug, Clone, PartialEq)]
pub struct SweptPage {
    /// The page.
    pub connection: Connection,
    /// How far its regular searches have come.
    pub progress: SweepProgress,
    /// Until when Meta throttles it.
    pub paused_until: Option<Timestamp>,
}

impl Table {
    /// Lists the pages of an integration, disconnected ones included, with what their searches need. What was written an
    /// instant ago may be missing.
    pub async fn swept_pages(
        &self,
        scope: &OrgScope,
        id: &IntegrationId,
        now: Timestamp,
    ) -> Result<Vec<SweptPage>, TableError> {
        let prefix = keys::connections_of_integration(id);
        let pages = self.index_keys(&keys::connections_of_org(scope), IndexRange::Prefix(&prefix)).await?;
        let beside = |page: &keys::Key| {
            let page = PageId::parse(page.pk.trim_start_matches("PAGE#")).ok()?;
            Some((keys::sweep_progress(scope, id, &page), keys::pause(&page)))
        };
        let mut wanted = pages.clone();
        wanted.extend(pages.iter().filter_map(beside).flat_map(|(progress, pause)| [progress, pause]));
        let mut found = self.batch_get_as(&wanted, Consistency::Eventual).await?;
        let mut swept = Vec::new();
        for key in pages {
            let (Some(connection), Some((progress, pause))) = (found.remove(&key), beside(&key)) else { continue };
            let pause: Option<Pause> = found.remove(&pause).map(entity).transpose()?;
            swept.push(SweptPage {
                connection: entity(connection)?,
                progress: found.remove(&progress).map(entity).transpose()?.unwrap_or_default(),
                paused_until: pause.map(|pause| pause.until).filter(|until| *until > now),
            });
        }
        Ok(swept)
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
        self.put(Row::new(&key, ItemKind::SweepProgress, progress)).await
    }
}
