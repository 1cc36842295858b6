//! Campaigns, ad sets and ads, each with a content mark by which a sync detects changes.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError, put_request};
use crate::ids::{AdObjectId, LinkId, OrgScope};
use crate::model::ads::object::{AdObject, AdObjectKind};

#[derive(Serialize, Deserialize)]
pub(super) struct ObjectRow<O> {
    mark: u64,
    pub(super) object: O,
}

impl Table {
    /// Reads those of these objects that are stored.
    pub async fn ad_objects(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        ids: &[(AdObjectKind, AdObjectId)],
    ) -> Result<HashMap<(AdObjectKind, AdObjectId), AdObject>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|(kind, id)| keys::ad_object(scope, link, *kind, id)).collect();
        let stored: Vec<ObjectRow<AdObject>> = self.read_all(&keys).await?;
        Ok(stored
            .into_iter()
            .map(|stored| ((stored.object.kind(), stored.object.id().clone()), stored.object))
            .collect())
    }

    /// Reads the marks of those of these objects that are stored.
    pub async fn ad_object_marks(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        kind: AdObjectKind,
        ids: &[AdObjectId],
    ) -> Result<HashMap<AdObjectId, u64>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|id| keys::ad_object(scope, link, kind, id)).collect();
        let found = self.batch_get(&keys).await?;
        let mark = |key: &Key| found.get(key)?.get("mark")?.as_n().ok()?.parse::<u64>().ok();
        Ok(ids.iter().zip(&keys).filter_map(|(id, key)| Some((id.clone(), mark(key)?))).collect())
    }

    /// Stores the current state of objects.
    ///
    /// # Errors
    /// After an error, some may be stored.
    pub async fn put_ad_objects(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        objects: &[AdObject],
    ) -> Result<(), TableError> {
        let put = |object: &AdObject| {
            let key = keys::ad_object(scope, link, object.kind(), object.id());
            put_request(&Row::new(&key, ItemKind::AdObject, &ObjectRow { mark: object.mark(), object }))
        };
        self.write_many(objects.iter().map(put).collect::<Result<_, _>>()?).await
    }

    /// Lists up to `limit` objects of a kind after an id, in id order. Also returns whether there are more.
    pub async fn list_ad_objects(
        &self,
        scope: &OrgScope,
        link: &LinkId,
        kind: AdObjectKind,
        after: Option<&AdObjectId>,
        limit: usize,
    ) -> Result<(Vec<AdObject>, bool), TableError> {
        let prefix = keys::ad_object_prefix(kind);
        let start = after.map(|id| keys::ad_object(scope, link, kind, id).attributes());
        let range = (prefix, &*format!("{prefix}~"));
        let (items, more) = self.query_between(&keys::ads_pk(scope, link), range, start, Some(limit)).await?;
        let rows: Vec<ObjectRow<AdObject>> = self.entities(items)?;
        Ok((rows.into_iter().map(|row| row.object).collect(), more.is_some()))
    }
}
