//! The items of an org's leads.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{CONCURRENCY, Item, OrgItem, OrgWalk, text_at};
use crate::ids::LeadId;
use crate::model::lead::identity::person_keys;
use crate::table::TableError;
use crate::table::keys::{self, Key};

impl OrgWalk<'_> {
    /// Hands out the leads with all that hangs on them, and what is kept of those that are no leads yet.
    pub(super) async fn walk_leads<E: From<TableError>>(
        &self,
        take: &mut impl AsyncFnMut(Vec<OrgItem>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = None;
        loop {
            let (leads, next) = self.listed("gsi1", &keys::leads_of_org(self.scope), after).await?;
            let whole = stream::iter(&leads).map(|key| self.whole_lead(key)).buffered(CONCURRENCY);
            let whole: Vec<Vec<OrgItem>> = whole.try_collect().await?;
            let is_root = |item: &OrgItem| leads.contains(&item.key);
            let (roots, rest): (Vec<_>, Vec<_>) = whole.into_iter().flatten().partition(is_root);
            take(rest).await?;
            take(roots).await?;
            after = next;
            if after.is_none() {
                break;
            }
        }
        // Their steps are where the leads would be.
        let mut held = Vec::new();
        for pk in keys::held_partitions(self.scope) {
            held.extend(self.partition(&pk).await?);
        }
        let ids = held.iter().filter_map(|item| keys::parse_held(&item.key));
        let partitions: Vec<String> = ids.map(|id| keys::lead(self.scope, &id).pk).collect();
        for partitions in partitions.chunks(100) {
            take(self.partitions(partitions).await?).await?;
        }
        Ok(())
    }

    async fn whole_lead(&self, lead: &Key) -> Result<Vec<OrgItem>, TableError> {
        let Some(id) = keys::parse_lead(lead) else { return Ok(Vec::new()) };
        let submissions = self.all_listed("gsi1", &keys::submissions_of_lead(self.scope, &id)).await?;
        let mut all = Vec::new();
        for key in submissions.iter().chain([lead]) {
            let own = self.partition(&key.pk).await?;
            if let Some(submitted) = own.iter().find(|item| item.key == *key) {
                all.extend(self.items(self.beside(key, &submitted.item)).await?);
            }
            all.extend(own);
        }
        Ok(all)
    }

    /// The keys of what belongs to a submission and is elsewhere: its persons, and that it was published.
    fn beside(&self, key: &Key, submission: &Item) -> Vec<Key> {
        let persons = person_keys(text_at(submission, &["email"]), text_at(submission, &["phone"]));
        let persons = persons.iter().map(|person| keys::person(self.scope, person));
        let together = text_at(submission, &["passage", "telling"]).map(ToOwned::to_owned);
        let alone = keys::parse_lead(key).as_ref().map(LeadId::to_string);
        let published = together.into_iter().chain(alone).map(|id| keys::publication(self.scope, &id));
        persons.chain(published).collect()
    }
}
