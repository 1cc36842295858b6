//! What needs a worker at some time: posts and campaigns, found by when they do.

use jiff::Timestamp;

use super::{IndexRange, Table, TableError, keys};
use crate::ids::PageId;
use crate::jobs::PublishJob;

impl Table {
    /// Lists what needs a worker before `until`, longest due first, each with the time at which it does. Without `until`,
    /// lists all that will.
    pub async fn publish_due(&self, until: Option<Timestamp>) -> Result<Vec<(Timestamp, PublishJob)>, TableError> {
        let until = until.map_or_else(|| "~".to_owned(), |until| format!("{}~", keys::instant(until)));
        let items = self.index_items(keys::PUBLISH_DUE, IndexRange::Until(&until)).await?;
        let due = items.iter().filter_map(|item| {
            let (at, org, work) = keys::parse_publish_due(item.get("gsi1sk")?.as_s().ok()?)?;
            let page_id = PageId::parse(item.get("page_id")?.as_s().ok()?).ok()?;
            Some((at, PublishJob { org, work, page_id, early: false }))
        });
        Ok(due.collect())
    }
}
