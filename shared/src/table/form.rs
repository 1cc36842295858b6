//! Data about forms and their pages: a cache of Meta's description, an org's mapping of the answers, and the pauses
//! that Meta asks for.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys;
use super::row::Row;
use super::{Item, Table, TableError};
use crate::ids::{FormId, OrgScope, PageId};
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
    /// Reads those of `forms` whose cached copy is fresh.
    pub async fn forms(
        &self,
        page: &PageId,
        forms: &[FormId],
        now: Timestamp,
    ) -> Result<Vec<(FormId, Form)>, TableError> {
        let keys: Vec<_> = forms.iter().map(|form| keys::form(page, form)).collect();
        let mut found = self.batch_get(&keys).await?;
        let fresh = |item: &Item| {
            item.get("ttl").and_then(|ttl| ttl.as_n().ok()?.parse().ok()).is_some_and(|ttl: i64| ttl > now.as_second())
        };
        let fresh_items =
            forms.iter().zip(&keys).filter_map(|(form, key)| Some((form, found.remove(key).filter(fresh)?)));
        fresh_items.map(|(form, item)| Ok((form.clone(), super::entity(item)?))).collect()
    }

    /// Caches a form.
    pub async fn put_form(&self, page: &PageId, id: &FormId, form: &Form, now: Timestamp) -> Result<(), TableError> {
        let until = now.as_second() + FORM_LIFETIME.as_secs();
        self.put(Row::new(&keys::form(page, id), "form", form).ttl(until)).await
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
        change.set("type", &"mapping")?.set_all(mapping, &[])?.send().await
    }

    /// Returns until when calls about a page must pause; `None` if there is no pause.
    pub async fn paused_until(&self, page: &PageId, now: Timestamp) -> Result<Option<Timestamp>, TableError> {
        let pause: Option<Pause> = self.get(&keys::pause(page)).await?;
        Ok(pause.map(|pause| pause.until).filter(|until| *until > now))
    }

    /// Pauses calls about a page until `until`.
    pub async fn pause(&self, page: &PageId, until: Timestamp) -> Result<(), TableError> {
        self.put(Row::new(&keys::pause(page), "pause", &Pause { until }).ttl(until.as_second())).await
    }
}
