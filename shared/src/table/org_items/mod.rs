//! All items of one org, found through the table's own lists and never by a scan: for a copy of the org, and for its end.
//!
//! What nothing leads to is left out, and expires by itself within 100 days: requests that are answered once, the way
//! back from a change of several leads, and the marks of erased persons. Sessions are in a table of their own; secrets are
//! in no table.

#[cfg(test)]
mod examples_tests;
mod inbox;
mod leads;
mod lines;
mod pace;
mod restore;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

pub use self::lines::InvalidLine;
pub use self::pace::ReadPace;
pub use self::restore::{ErasedPeople, Restored};
use super::keys::{self, Key, OrgPart};
use super::{Item, Table, TableError, delete_request, text};
use crate::ids::{DeliveryId, EndpointId, ImportId, LinkId, OrgScope, PageId};
use crate::model::delivery::EventSubject;

/// Queries at once.
const CONCURRENCY: usize = 8;
/// Entries of an index that are read at once.
const PAGE: i32 = 200;

/// An item of an org, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct OrgItem {
    key: Key,
    item: Item,
}

impl OrgItem {
    fn new(item: Item) -> Option<Self> {
        Some(Self { key: Key::from_item(&item)?, item })
    }

    /// Its kind, such as `lead`, for people and counts.
    #[must_use]
    pub fn kind(&self) -> &str {
        text_at(&self.item, &["type"]).unwrap_or("unknown")
    }

    /// Whether it is a record that outlives its org: an act, or the receipt of an erasure.
    #[must_use]
    pub fn is_record(&self) -> bool {
        keys::is_record(&self.key)
    }

    /// Its partition and its place there. They have ids and hashes, and in the directory's lists addresses.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// The text at a path of attributes.
fn text_at<'a>(item: &'a Item, path: &[&str]) -> Option<&'a str> {
    let (last, before) = path.split_last()?;
    let mut place = item;
    for name in before {
        place = place.get(*name)?.as_m().ok()?;
    }
    place.get(*last)?.as_s().ok().map(String::as_str)
}

/// The way through an org's items.
#[derive(Debug, Clone, Copy)]
pub struct OrgWalk<'a> {
    /// The table, or a restored copy of it.
    pub table: &'a Table,
    /// The org.
    pub scope: &'a OrgScope,
    /// How fast it may be read.
    pub pace: &'a ReadPace,
}

impl OrgWalk<'_> {
    /// Hands out all items of the org, and each at least once: what leads to others comes after these, and the org itself
    /// last. So they can be deleted as they come, and a walk that stopped finds the rest when it is repeated.
    ///
    /// # Errors
    /// Those of the table, and of `take`.
    pub async fn walk<E: From<TableError>>(
        &self,
        now: Timestamp,
        mut take: impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let take = &mut take;
        self.walk_leads(take).await?;
        self.walk_inbox(take).await?;
        self.walk_posts(take).await?;
        self.walk_endpoints(take).await?;
        let own = self.partition(&keys::org_pk(self.scope)).await?;
        for item in &own {
            self.walk_part(item, take).await?;
        }
        self.walk_connections(take).await?;
        self.walk_imports(take).await?;
        for pk in keys::fixed_partitions(self.scope) {
            take(self.partition(&pk).await?).await?;
        }
        take(self.records(now).await?).await?;
        let (itself, rest) = own.into_iter().partition(|item| keys::is_org_itself(self.scope, &item.key));
        take(rest).await?;
        take(itself).await
    }

    /// What is kept of an org that has left until it expires: who did what in it, and the receipts of erasures.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn records(&self, now: Timestamp) -> Result<Vec<OrgItem>, TableError> {
        self.partitions(&keys::record_partitions(self.scope, now)).await
    }

    async fn walk_posts<E: From<TableError>>(
        &self,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = None;
        loop {
            let (posts, next) = self.listed("gsi2", &keys::posts_of_org(self.scope), after).await?;
            let posts = self.items(posts).await?;
            let at_meta =
                posts.iter().filter_map(|post| Some(keys::meta_post(self.scope, text_at(&post.item, &["meta_id"])?)));
            take(self.items(at_meta.collect()).await?).await?;
            take(posts).await?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn walk_endpoints<E: From<TableError>>(
        &self,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        for endpoint in self.partition(&keys::endpoints_pk(self.scope)).await? {
            let Some(id) = text_at(&endpoint.item, &["id"]).and_then(|id| EndpointId::parse(id).ok()) else { continue };
            take(self.partition(&keys::endpoint_pk(self.scope, &id)).await?).await?;
            let (list, mut after) = (keys::deliveries_of_endpoint(self.scope, &id), None);
            loop {
                let (deliveries, next) = self.listed("gsi2", &list, after).await?;
                let deliveries = self.items(deliveries).await?;
                let ids = deliveries.iter().filter_map(|found| DeliveryId::parse(text_at(&found.item, &["id"])?).ok());
                // What is about a person is with that person.
                let contents = ids.map(|id| keys::event_body(self.scope, &EventSubject::Org, &id)).collect();
                take(self.items(contents).await?).await?;
                take(deliveries).await?;
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Hands out what an item of the org's own partition leads to.
    async fn walk_part<E: From<TableError>>(
        &self,
        item: &OrgItem,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        match OrgPart::parse(&item.key) {
            None => Ok(()),
            Some(OrgPart::User(user)) => take(self.partitions(&keys::user_partitions(self.scope, &user)).await?).await,
            Some(OrgPart::Integration(id)) => {
                let person = text_at(&item.item, &["person"]).map(|person| keys::meta_person(person, self.scope, &id));
                take(self.items(person.into_iter().collect()).await?).await?;
                take(self.partition(&keys::integration_pk(self.scope, &id)).await?).await
            }
            Some(OrgPart::AdAccount) => match text_at(&item.item, &["id"]).and_then(|id| LinkId::parse(id).ok()) {
                Some(link) => self.walk_ads(&link, take).await,
                None => Ok(()),
            },
        }
    }

    async fn walk_ads<E: From<TableError>>(
        &self,
        link: &LinkId,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut lists = Vec::new();
        for pk in keys::ads_partitions(self.scope, link) {
            lists.extend(self.partition(&pk).await?);
        }
        let days: BTreeSet<_> = lists.iter().filter_map(|item| keys::parse_day(&item.key)).collect();
        for day in days {
            take(self.partition(&keys::ad_days_pk(self.scope, link, day)).await?).await?;
        }
        take(lists).await
    }

    async fn walk_connections<E: From<TableError>>(
        &self,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let found = self.all_listed("gsi1", &keys::connections_of_org(self.scope)).await?;
        let pages: BTreeSet<PageId> =
            found.iter().filter_map(|key| PageId::parse(key.pk.strip_prefix("PAGE#")?).ok()).collect();
        for page in pages {
            // The connection comes first in its page; what it leads to has to go before it.
            for (pk, prefix) in keys::page_prefixes(self.scope, &page).into_iter().rev() {
                take(self.query(&pk, Some(&prefix)).await?).await?;
            }
        }
        let accounts = self.all_listed("gsi1", &keys::inbox_accounts_of_org(self.scope)).await?;
        take(self.items(accounts).await?).await
    }

    async fn walk_imports<E: From<TableError>>(
        &self,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        for import in self.partition(&keys::imports_pk(self.scope)).await? {
            if let Some(id) = text_at(&import.item, &["id"]).and_then(|id| ImportId::parse(id).ok()) {
                take(self.partition(&keys::import_pk(self.scope, &id)).await?).await?;
            }
        }
        Ok(())
    }

    async fn partition(&self, pk: &str) -> Result<Vec<OrgItem>, TableError> {
        self.query(pk, None).await
    }

    async fn partitions(&self, pks: &[String]) -> Result<Vec<OrgItem>, TableError> {
        let read = stream::iter(pks).map(|pk| self.partition(pk)).buffered(CONCURRENCY);
        Ok(read.try_collect::<Vec<_>>().await?.into_iter().flatten().collect())
    }

    async fn query(&self, pk: &str, prefix: Option<&str>) -> Result<Vec<OrgItem>, TableError> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let query = self.table.client.query().table_name(&self.table.name).consistent_read(true);
            let query = query.expression_attribute_values(":pk", text(pk)).set_exclusive_start_key(start);
            let query = match prefix {
                None => query.key_condition_expression("pk = :pk"),
                Some(prefix) => query
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix)),
            };
            let page =
                query.return_consumed_capacity(aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total).send().await?;
            self.pace.spend(page.consumed_capacity.and_then(|used| used.capacity_units).unwrap_or(1.0)).await;
            items.extend(page.items.into_iter().flatten().filter_map(OrgItem::new));
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Reads items by their keys. Missing ones are omitted.
    async fn items(&self, keys: Vec<Key>) -> Result<Vec<OrgItem>, TableError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.table.batch_get(&keys).await?;
        self.pace.spend(f64::from(u32::try_from(keys.len()).unwrap_or(u32::MAX))).await;
        // In the order of the keys, so that two walks over the same items are the same.
        Ok(keys.iter().filter_map(|key| OrgItem::new(found.remove(key)?)).collect())
    }

    /// Reads a page of the keys in a list of an index, and where it goes on.
    async fn listed(&self, index: &str, pk: &str, after: Option<Item>) -> Result<(Vec<Key>, Option<Item>), TableError> {
        let query = self.table.client.query().table_name(&self.table.name).index_name(index).limit(PAGE);
        let query = query.key_condition_expression("#pk = :pk").expression_attribute_names("#pk", format!("{index}pk"));
        let page = query.expression_attribute_values(":pk", text(pk)).set_exclusive_start_key(after).send().await?;
        let found: Vec<Key> = page.items.into_iter().flatten().filter_map(|item| Key::from_item(&item)).collect();
        self.pace.spend(f64::from(u32::try_from(found.len()).unwrap_or(u32::MAX)) / 10.0).await;
        Ok((found, page.last_evaluated_key))
    }

    async fn all_listed(&self, index: &str, pk: &str) -> Result<Vec<Key>, TableError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (found, next) = self.listed(index, pk, after).await?;
            all.extend(found);
            after = next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}

impl Table {
    /// The same client for another table, such as a restored copy.
    #[must_use]
    pub fn copied_as(&self, name: String) -> Self {
        Self { name, ..self.clone() }
    }

    /// Deletes items of an org. Already deleted counts as success.
    ///
    /// # Errors
    /// After an error, some may be deleted.
    pub async fn delete_org_items(&self, items: &[OrgItem]) -> Result<(), TableError> {
        let keys: BTreeSet<&Key> = items.iter().map(OrgItem::key).collect();
        self.write_many(keys.into_iter().map(delete_request).collect::<Result<_, _>>()?).await
    }
}
