//! Puts copied items back where they are absent.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{CONCURRENCY, OrgItem, text_at};
use crate::ids::{ContactId, LeadId, OrgScope};
use crate::model::delivery::EventSubject;
use crate::table::keys::{self, Key};
use crate::table::{Table, TableError};

/// Keys whose items are read at once.
const MANY: usize = 1000;

/// People who were erased since a copy was made. Their items are not put back.
#[derive(Debug, Clone, Default)]
pub struct ErasedPeople {
    leads: BTreeSet<LeadId>,
    contacts: BTreeSet<ContactId>,
    /// Conversations of a contact, by their ids.
    conversations: Vec<(String, ContactId)>,
    /// What is known to be erased, as ids and as partitions.
    gone: BTreeSet<String>,
}

/// What became of copied items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Absent ones that were put back, or would be.
    pub stored: usize,
    /// Of these, posts and answers that no worker sends: their time has passed, so that they may be public already.
    pub held: usize,
    /// Those that are there. They stay as they are.
    pub present: usize,
    /// Those of people who were erased since.
    pub erased: usize,
    /// Those that would have expired by now.
    pub expired: usize,
}

impl Restored {
    /// Adds what became of more items.
    pub fn add(&mut self, other: Self) {
        self.stored += other.stored;
        self.held += other.held;
        self.present += other.present;
        self.erased += other.erased;
        self.expired += other.expired;
    }
}

impl ErasedPeople {
    /// Takes down whom a copied item is, so that [`Table::find_erased`] can ask about them.
    pub fn note(&mut self, item: &OrgItem) {
        if let Some(lead) = keys::parse_lead(&item.key) {
            self.leads.insert(lead);
        }
        let contact = text_at(&item.item, &["contact_id"]).and_then(|id| ContactId::parse(id).ok());
        match (item.kind(), text_at(&item.item, &["id"]), contact) {
            ("contact", Some(id), _) => self.contacts.extend(ContactId::parse(id).ok()),
            ("conversation", Some(id), Some(contact)) => self.conversations.push((id.to_owned(), contact)),
            _ => {}
        }
    }

    fn includes(&self, item: &OrgItem) -> bool {
        const REFERENCES: [&[&str]; 6] = [
            &["lead_id"],
            &["contact_id"],
            &["to"],
            &["conversation_id"],
            &["content", "conversation_id"],
            &["content", "author", "id"],
        ];
        let is_gone = |id: &str| self.gone.contains(id);
        is_gone(&item.key.pk) || REFERENCES.iter().any(|path| text_at(&item.item, path).is_some_and(is_gone))
    }
}

impl Table {
    /// Finds out who of the noted people was erased. The marks of erasures last for 30 days, those of leads for 100.
    ///
    /// # Errors
    /// Those of the table.
    pub async fn find_erased(&self, scope: &OrgScope, people: &mut ErasedPeople) -> Result<(), TableError> {
        let mut marks: Vec<(Key, String, String)> = Vec::new();
        for lead in &people.leads {
            let (place, about) = (keys::lead(scope, lead), EventSubject::Lead(lead.clone()));
            marks.push((keys::erasure_mark(scope, &about), lead.to_string(), place.pk.clone()));
            marks.push((place.clone(), lead.to_string(), place.pk));
        }
        for contact in &people.contacts {
            let pk = keys::contact(scope, contact).pk;
            let about = EventSubject::Contact(contact.clone());
            marks.push((keys::erasure_mark(scope, &about), contact.to_string(), pk));
        }
        for marks in marks.chunks(MANY) {
            let keys: Vec<Key> = marks.iter().map(|(key, ..)| key.clone()).collect();
            let found = self.batch_get(&keys).await?;
            for (key, id, pk) in marks {
                let kind = found.get(key).and_then(|item| text_at(item, &["type"]));
                if kind.is_some_and(|kind| ["erasure_mark", "erased_lead"].contains(&kind)) {
                    people.gone.extend([id.clone(), pk.clone()]);
                }
            }
        }
        for (conversation, contact) in &people.conversations {
            if people.gone.contains(contact.as_str()) {
                people.gone.insert(conversation.clone());
                if let Ok(id) = crate::ids::ConversationId::parse(conversation) {
                    people.gone.insert(keys::conversation(scope, &id).pk);
                }
            }
        }
        Ok(())
    }

    /// Puts absent items back. With `only_count`, says what would be done.
    ///
    /// # Errors
    /// After an error, some may be stored; a repetition finds these present.
    pub async fn restore_items(
        &self,
        items: Vec<OrgItem>,
        people: &ErasedPeople,
        now: Timestamp,
        only_count: bool,
    ) -> Result<Restored, TableError> {
        let mut restored = Restored::default();
        let mut wanted = Vec::new();
        for item in items {
            let expiry = item.item.get("ttl").and_then(|ttl| ttl.as_n().ok()?.parse::<i64>().ok());
            if people.includes(&item) {
                restored.erased += 1;
            } else if expiry.is_some_and(|expiry| expiry <= now.as_second()) {
                restored.expired += 1;
            } else {
                wanted.push(item);
            }
        }
        if only_count {
            let keys: Vec<Key> = wanted.iter().map(|item| item.key.clone()).collect();
            let present = self.batch_get(&keys).await?;
            for mut item in wanted {
                if present.contains_key(&item.key) {
                    restored.present += 1;
                } else {
                    restored.stored += 1;
                    restored.held += usize::from(item.hold_past_due(now));
                }
            }
            return Ok(restored);
        }
        let puts = stream::iter(wanted).map(|item| self.restore_item(item, now)).buffer_unordered(CONCURRENCY);
        for one in puts.try_collect::<Vec<_>>().await? {
            restored.add(one);
        }
        Ok(restored)
    }

    async fn restore_item(&self, mut item: OrgItem, now: Timestamp) -> Result<Restored, TableError> {
        let held = item.hold_past_due(now);
        if self.put_absent(item.item).await? {
            Ok(Restored { stored: 1, held: usize::from(held), ..Restored::default() })
        } else {
            Ok(Restored { present: 1, ..Restored::default() })
        }
    }
}

impl OrgItem {
    /// Keeps workers away from a post or an answer whose time has passed: since the copy it may have become public, and
    /// would become that again. Returns whether it did.
    fn hold_past_due(&mut self, now: Timestamp) -> bool {
        let due = (text_at(&self.item, &["gsi1pk"]), text_at(&self.item, &["gsi1sk"]));
        let is_past = match (self.kind(), due) {
            ("post", (Some(keys::PUBLISH_DUE), Some(at))) => at < keys::instant(now).as_str(),
            ("message", (Some(keys::ANSWERS_DUE), Some(at))) => at < keys::answers_until(now).as_str(),
            _ => false,
        };
        if is_past {
            self.item.remove("gsi1pk");
            self.item.remove("gsi1sk");
        }
        is_past
    }
}
