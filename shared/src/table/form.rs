//! What belongs to forms and their pages: how Meta describes them, which is a cache; how an org reads their answers; and
//! until when Meta does not want to be asked about a page.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::keys;
use super::{Item, Row, Table, TableError};
use crate::ids::{FormId, OrgScope, PageId};
use crate::model::lead::form::Form;
use crate::model::lead::mapping::Mapping;

/// How long a form is taken as it was read. Its questions never change at Meta; its name may.
const FORM_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Until when a page is left alone.
#[derive(Serialize, Deserialize)]
pub(super) struct Pause {
    pub(super) until: Timestamp,
}

impl Table {
    /// The forms among `forms` that were read from Meta lately enough.
    ///
    /// # Errors
    /// If the table cannot be read.
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

    /// Remembers a form.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn put_form(&self, page: &PageId, id: &FormId, form: &Form, now: Timestamp) -> Result<(), TableError> {
        let until = now.as_second() + FORM_LIFETIME.as_secs();
        self.put(Row::new(&keys::form(page, id), "form", form).ttl(until)).await
    }

    /// How the org reads the answers of these forms, as far as it says so itself.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn mappings(&self, scope: &OrgScope, forms: &[FormId]) -> Result<Vec<(FormId, Mapping)>, TableError> {
        let keys: Vec<_> = forms.iter().map(|form| keys::mapping(scope, form)).collect();
        let mut found = self.batch_get(&keys).await?;
        let items = forms.iter().zip(&keys).filter_map(|(form, key)| Some((form, found.remove(key)?)));
        items.map(|(form, item)| Ok((form.clone(), super::entity(item)?))).collect()
    }

    /// Changes how the org reads a form. `false` if somebody else has changed it since: `mapping` has to be of the
    /// version after the one that is stored.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn put_mapping(&self, scope: &OrgScope, form: &FormId, mapping: &Mapping) -> Result<bool, TableError> {
        let before = mapping.version.checked_sub(1).filter(|version| *version > 0);
        let change = self.change(&keys::mapping(scope, form)).if_still("version", &before)?;
        change.set("type", &"mapping")?.set_all(mapping, &[])?.send().await
    }

    /// Until when Meta does not want to be asked about a page; `None` if it does.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn paused_until(&self, page: &PageId, now: Timestamp) -> Result<Option<Timestamp>, TableError> {
        let pause: Option<Pause> = self.get(&keys::pause(page)).await?;
        Ok(pause.map(|pause| pause.until).filter(|until| *until > now))
    }

    /// Has a page left alone for a while.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn pause(&self, page: &PageId, until: Timestamp) -> Result<(), TableError> {
        self.put(Row::new(&keys::pause(page), "pause", &Pause { until }).ttl(until.as_second())).await
    }
}
