//! Data about forms and their pages: a cache of Meta's description, an org's mapping of the answers, and the pauses
//! that Meta asks for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys::{self, Key};
use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, Item, Table, TableError, if_held};
use crate::ids::{FormId, OrgScope, PageId};
use crate::metrics::{self, MetaBlock, Metric};
use crate::model::lead::form::Form;
use crate::model::lead::mapping::Mapping;

/// How long a cached form is used. At Meta its questions never change, but its name may.
const FORM_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A pause of calls to Meta.
#[derive(Serialize, Deserialize)]
pub(super) struct Pause {
    pub(super) until: Timestamp,
}

impl Table {
    /// Reads the cached copy of a form; `None` if there is no fresh one.
    pub async fn form(&self, page: &PageId, form: &FormId, now: Timestamp) -> Result<Option<Form>, TableError> {
        Ok(self.get_item(&keys::form(page, form)).await?.and_then(|item| fresh_copy(item, now)))
    }

    /// Reads the fresh cached copies of these forms, and the org's mappings of them, in one request. Forms without one
    /// are omitted. What was stored an instant ago may be missing.
    pub async fn forms_and_mappings(
        &self,
        scope: &OrgScope,
        forms: &[(&PageId, &FormId)],
        now: Timestamp,
    ) -> Result<(Vec<(FormId, Form)>, Vec<(FormId, Mapping)>), TableError> {
        let keys_of = |page: &PageId, form: &FormId| (keys::form(page, form), keys::mapping(scope, form));
        let keys = forms.iter().map(|(page, form)| keys_of(page, form));
        let wanted: Vec<keys::Key> = keys.flat_map(|(form, mapping)| [form, mapping]).collect();
        let mut found = self.batch_get_as(&wanted, Consistency::Eventual).await?;
        let (mut known, mut mappings) = (Vec::new(), Vec::new());
        for (page, form) in forms {
            let (form_key, mapping_key) = keys_of(page, form);
            if let Some(copy) = found.remove(&form_key).and_then(|item| fresh_copy(item, now)) {
                known.push(((*form).clone(), copy));
            }
            if let Some(item) = found.remove(&mapping_key) {
                mappings.push(((*form).clone(), super::entity(item)?));
            }
        }
        Ok((known, mappings))
    }

    /// Reads the fresh cached copies of these forms. Forms without one are omitted.
    pub async fn form_copies(
        &self,
        forms: &[(&PageId, &FormId)],
        now: Timestamp,
    ) -> Result<Vec<(FormId, Form)>, TableError> {
        let keys: Vec<_> = forms.iter().map(|(page, form)| keys::form(page, form)).collect();
        let mut found = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let copies = forms.iter().zip(&keys).filter_map(|((_, form), key)| Some((form, found.remove(key)?)));
        Ok(copies.filter_map(|(form, item)| Some(((*form).clone(), fresh_copy(item, now)?))).collect())
    }

    /// Reads until when calls about these pages must pause. Pages without a pause are omitted, and so may be those of
    /// which Meta asked for one an instant ago.
    pub async fn paused_pages(
        &self,
        pages: &[&PageId],
        now: Timestamp,
    ) -> Result<BTreeMap<PageId, Timestamp>, TableError> {
        let keys: Vec<_> = pages.iter().map(|page| keys::pause(page)).collect();
        let mut found = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let pauses = pages.iter().zip(&keys).filter_map(|(page, key)| Some((*page, found.remove(key)?)));
        let pauses = pauses.map(|(page, item)| Ok((page.clone(), super::entity::<Pause>(item)?.until)));
        let pauses: BTreeMap<PageId, Timestamp> = pauses.collect::<Result<_, TableError>>()?;
        Ok(pauses.into_iter().filter(|(_, until)| *until > now).collect())
    }

    /// Caches a form.
    pub async fn put_form(&self, page: &PageId, id: &FormId, form: &Form, now: Timestamp) -> Result<(), TableError> {
        let until = now.as_second() + FORM_LIFETIME.as_secs();
        self.put(Row::new(&keys::form(page, id), ItemKind::Form, form).ttl(until)).await
    }

    /// Reads the org's own mappings of these forms. Forms without one are omitted.
    pub async fn mappings(&self, scope: &OrgScope, forms: &[FormId]) -> Result<Vec<(FormId, Mapping)>, TableError> {
        let keys: Vec<_> = forms.iter().map(|form| keys::mapping(scope, form)).collect();
        let mut found = self.batch_get(&keys).await?;
        let items = forms.iter().zip(&keys).filter_map(|(form, key)| Some((form, found.remove(key)?)));
        items.map(|(form, item)| Ok((form.clone(), super::entity(item)?))).collect()
    }

    /// Changes the org's mapping of a form. `mapping` must have the version after the stored one; `false` if another
    /// writer was faster.
    pub async fn put_mapping(&self, scope: &OrgScope, form: &FormId, mapping: &Mapping) -> Result<bool, TableError> {
        let before = mapping.version.checked_sub(1).filter(|version| *version > 0);
        let change = self.change(&keys::mapping(scope, form)).if_unchanged("version", &before)?;
        change.kind(ItemKind::Mapping).set_all(mapping, &[])?.send().await
    }

    /// Pauses calls about a page until `until`. A longer pause that is already stored stays.
    pub async fn pause(&self, page: &PageId, until: Timestamp) -> Result<(), TableError> {
        self.pause_until(&keys::pause(page), until, MetaBlock::Page).await
    }

    /// Stores a pause, and counts it. A longer one that is already stored stays: of two calls that Meta throttles, one may
    /// have been told for how long, the other not.
    pub(super) async fn pause_until(&self, key: &Key, until: Timestamp, of: MetaBlock) -> Result<(), TableError> {
        let pause = Pause { until };
        let row = Row::new(key, ItemKind::Pause, &pause).ttl(until.as_second());
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row.item()?));
        let put = put.condition_expression("attribute_not_exists(pk) OR #until < :until");
        let put = put.expression_attribute_names("#until", "until");
        let put = put.expression_attribute_values(":until", super::text(until.to_string()));
        if if_held(put.send().await)?.is_some() {
            metrics::count(Metric::MetaBlocks(of), 1);
        }
        Ok(())
    }
}

/// The cached copy, if DynamoDB would still have the item if it deleted on time. A copy that cannot be read is not worth
/// having: the form is read from Meta.
fn fresh_copy(item: Item, now: Timestamp) -> Option<Form> {
    let ttl: i64 = item.get("ttl")?.as_n().ok()?.parse().ok()?;
    if ttl > now.as_second() { super::parse(item).ok() } else { None }
}
