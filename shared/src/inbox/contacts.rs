//! People: which contact a person of Meta's is, and contacts as members see and change them.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Inbox;
use super::ingest::MAX_TRIES;
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{ContactId, LeadId, OrgScope};
use crate::model::inbox::event::{Person, Signal, SignalType};
use crate::model::inbox::people::{Identity, identities};
use crate::model::inbox::{Channel, Contact};
use crate::model::lead::identity::person_keys;
use crate::table::inbox::InboxPosition;
use crate::table::{Table, TableError, pause};
use crate::tr;

/// A page of contacts, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactList {
    pub items: Vec<ContactOut>,
    pub next_cursor: Option<String>,
}

/// A person, over all channels.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactOut {
    pub id: ContactId,
    pub name: Option<String>,
    pub channels: Vec<ContactChannelOut>,
    pub lead_id: Option<LeadId>,
    pub signals: Vec<SignalOut>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Where a person writes.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactChannelOut {
    /// `facebook`, `instagram` or `whatsapp`.
    pub channel: String,
    pub meta_id: Option<String>,
    pub username: Option<String>,
    /// In E.164.
    pub phone: Option<String>,
}

/// What a person did with a post.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignalOut {
    pub r#type: SignalType,
    pub value: Option<String>,
    pub on: String,
    /// Its address at Meta.
    pub permalink: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub active: bool,
}

/// A change of a contact. Absent fields stay as they are.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactChangeIn {
    /// The name that the org uses.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: Option<String>,
    /// The lead that the person is, or `null` for none.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<LeadId>)]
    pub lead_id: Option<Option<LeadId>>,
    /// Another contact that is the same person: it is taken over.
    pub same_as: Option<ContactId>,
}

/// Finds the contact of a person, or makes one, and takes over what is new about the person. `None` for someone of whom
/// Meta says no id.
pub(super) async fn contact_of(
    table: &Table,
    scope: &OrgScope,
    channel: Channel,
    account: &str,
    person: &Person,
    now: Timestamp,
) -> Result<Option<Contact>, TableError> {
    let identities = identities(channel, account, person);
    let Some(first) = identities.first() else { return Ok(None) };
    for attempt in 1..=MAX_TRIES {
        let known = find(table, scope, &identities, (channel, account, person)).await?;
        let mut contact = known.clone().unwrap_or_else(|| Contact::new(first.contact_id(), scope.org().clone(), now));
        let is_changed = contact.see(channel, account, person);
        // Someone who was known by the number or the user name alone may now say the id, by which another contact is known.
        let others = identities.get(1..).filter(|_| known.is_some() && is_changed).unwrap_or_default();
        let twin = find(table, scope, others, (channel, account, person)).await?;
        if let Some(mut twin) = twin.filter(|twin| twin.id != contact.id) {
            contact.absorb(&twin);
            twin.merged_into = Some(contact.id.clone());
            if table.put_contacts(scope, &mut contact, &mut twin).await? {
                return Ok(Some(contact));
            }
            pause(attempt).await;
            continue;
        }
        let is_joined = join_by_phone(table, scope, &mut contact).await?;
        if known.is_some() && !is_changed && !is_joined {
            return Ok(Some(contact));
        }
        if table.put_contact(scope, &mut contact, &identities).await? {
            return Ok(Some(contact));
        }
        pause(attempt).await;
    }
    Err(TableError::Contended(MAX_TRIES))
}

/// Finds the contact of a person who has been seen before. A report about someone else makes no contact.
pub(super) async fn known_contact(
    table: &Table,
    scope: &OrgScope,
    channel: Channel,
    account: &str,
    person: &Person,
) -> Result<Option<Contact>, TableError> {
    find(table, scope, &identities(channel, account, person), (channel, account, person)).await
}

/// Finds the contact to which the first known identity belongs. A number or a user name that now belongs to someone with
/// another id is not that person any more.
async fn find(
    table: &Table,
    scope: &OrgScope,
    identities: &[Identity],
    (channel, account, person): (Channel, &str, &Person),
) -> Result<Option<Contact>, TableError> {
    for identity in identities {
        let Some(id) = table.contact_of(scope, std::slice::from_ref(identity)).await? else { continue };
        let Some(contact) = resolve(table, scope, id).await? else { continue };
        if !identity.may_change_hands() || contact.is_still(channel, account, person) {
            return Ok(Some(contact));
        }
    }
    Ok(None)
}

/// Reads a contact, or the one that took it over.
pub(super) async fn resolve(table: &Table, scope: &OrgScope, mut id: ContactId) -> Result<Option<Contact>, TableError> {
    /// More than contacts are ever taken over in a row; a loop would be a defect.
    const MAX_STEPS: usize = 10;
    for _ in 0..MAX_STEPS {
        let Some(contact) = table.contact(scope, &id).await? else { return Ok(None) };
        match contact.merged_into.clone() {
            Some(other) => id = other,
            None => return Ok(Some(contact)),
        }
    }
    Ok(None)
}

/// Joins a contact with the lead that has one of its numbers, unless it has a lead or a member has decided.
async fn join_by_phone(table: &Table, scope: &OrgScope, contact: &mut Contact) -> Result<bool, TableError> {
    if contact.lead_id.is_some() || contact.is_lead_chosen {
        return Ok(false);
    }
    let keys: Vec<_> = contact.phones().flat_map(|phone| person_keys(None, Some(phone))).collect();
    for key in keys {
        if let Some(lead) = table.lead_of_person(scope, &key).await? {
            contact.lead_id = Some(lead);
            return Ok(true);
        }
    }
    Ok(false)
}

/// Stores that a person's ids have changed.
pub(super) async fn change_person(
    table: &Table,
    scope: &OrgScope,
    channel: Channel,
    account: &str,
    (before, after): (&Person, &Person),
) -> Result<(), TableError> {
    for attempt in 1..=MAX_TRIES {
        let Some(mut contact) =
            find(table, scope, &identities(channel, account, before), (channel, account, before)).await?
        else {
            return Ok(());
        };
        contact.see(channel, account, after);
        if table.put_contact(scope, &mut contact, &identities(channel, account, after)).await? {
            return Ok(());
        }
        pause(attempt).await;
    }
    Err(TableError::Contended(MAX_TRIES))
}

/// Stores what a person did with a post. Returns the person if it is news, or is repeated: a worker may have stored it
/// that could not tell of it.
pub(super) async fn take_signal(
    table: &Table,
    scope: &OrgScope,
    channel: Channel,
    account: &str,
    signal: &Signal,
    is_repeated: bool,
    now: Timestamp,
) -> Result<Option<Contact>, TableError> {
    for attempt in 1..=MAX_TRIES {
        let contact = contact_of(table, scope, channel, account, &signal.person, now).await?;
        let Some(mut contact) = contact else { return Ok(None) };
        if !contact.take_signal(signal) {
            return Ok(Some(contact).filter(|contact| is_repeated && contact.has_signal(signal)));
        }
        if table.put_contact(scope, &mut contact, &[]).await? {
            return Ok(Some(contact));
        }
        pause(attempt).await;
    }
    Err(TableError::Contended(MAX_TRIES))
}

impl Inbox {
    /// Lists the org's contacts, newest first.
    pub async fn contacts(
        &self,
        access: &MetaAccess,
        after: Option<&str>,
        limit: usize,
    ) -> Result<ContactList, ActError> {
        let cursor = ListCursor::new(&self.key, &access.scope, "contacts");
        let after: Option<InboxPosition> = cursor.decode(after)?;
        let page = self.table.for_display().contacts(&access.scope, after.as_ref(), limit).await?;
        let next = page.last().filter(|_| page.len() == limit).map(|(position, _)| cursor.encode(position));
        Ok(ContactList { items: page.into_iter().map(|(_, contact)| contact.into()).collect(), next_cursor: next })
    }

    /// Reads a contact. The id of one that was taken over leads to the one that did. A lead that came after the person's
    /// last message is found here.
    pub async fn contact(&self, access: &MetaAccess, id: &ContactId) -> Result<ContactOut, ActError> {
        let mut contact = self.find_contact(access, id).await?;
        if join_by_phone(&self.table, &access.scope, &mut contact).await? {
            // If another writer is faster, the next reader joins them.
            self.table.put_contact(&access.scope, &mut contact, &[]).await?;
        }
        Ok(contact.into())
    }

    /// Changes a contact.
    ///
    /// # Errors
    /// Refuses an unknown lead, and an unknown contact as the same person.
    pub async fn change_contact(
        &self,
        access: &MetaAccess,
        id: &ContactId,
        change: &ContactChangeIn,
    ) -> Result<ContactOut, ActError> {
        if let Some(Some(lead)) = &change.lead_id
            && self.table.find_lead(&access.scope, lead).await?.is_none()
        {
            return Err(ActError::invalid("lead_id", ErrorCode::LeadUnknown, tr!("A lead of the org.")));
        }
        if change.name.as_ref().is_some_and(|name| !(1..=200).contains(&name.trim().chars().count())) {
            return Err(ActError::invalid("name", ErrorCode::LengthInvalid, tr!("1 to 200 characters.")));
        }
        let other = match &change.same_as {
            Some(other) => Some(self.find_contact(access, other).await.map_err(|error| match error {
                ActError::Refused(_) => {
                    ActError::invalid("same_as", ErrorCode::ContactUnknown, tr!("A contact of the org."))
                }
                error => error,
            })?),
            None => None,
        };
        for attempt in 1..=MAX_TRIES {
            let mut contact = self.find_contact(access, id).await?;
            let before = (contact.name.clone(), contact.lead_id.clone());
            if let Some(name) = &change.name {
                (contact.name, contact.is_named) = (Some(name.trim().to_owned()), true);
            }
            if let Some(lead) = &change.lead_id {
                contact.lead_id.clone_from(lead);
                contact.is_lead_chosen = true;
            }
            let is_stored = match &other {
                Some(other) if other.id != contact.id => self.take_over(access, &mut contact, &other.id).await?,
                _ => self.table.put_contact(&access.scope, &mut contact, &[]).await?,
            };
            if is_stored {
                access.trail.withheld("name", &before.0, &contact.name);
                access.trail.changed("lead_id", &before.1, &contact.lead_id);
                access.trail.changed("same_as", &None, &other.as_ref().map(|other| other.id.clone()));
                return Ok(contact.into());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// Takes over another contact: both are one person from now on.
    async fn take_over(&self, access: &MetaAccess, contact: &mut Contact, other: &ContactId) -> Result<bool, ActError> {
        let mut other = self.find_contact(access, other).await?;
        contact.absorb(&other);
        other.merged_into = Some(contact.id.clone());
        Ok(self.table.put_contacts(&access.scope, contact, &mut other).await?)
    }

    pub(super) async fn find_contact(&self, access: &MetaAccess, id: &ContactId) -> Result<Contact, ActError> {
        resolve(&self.table, &access.scope, id.clone()).await?.ok_or_else(|| ActError::not_found(Missing::Contact))
    }
}

impl From<Contact> for ContactOut {
    fn from(contact: Contact) -> Self {
        let channels = contact.channels.into_iter().map(|known| ContactChannelOut {
            channel: known.network,
            meta_id: known.meta_id,
            username: known.username,
            phone: known.phone,
        });
        let signals = contact.signals.into_iter().map(|signal| SignalOut {
            r#type: signal.r#type,
            value: signal.value,
            on: signal.on,
            permalink: signal.permalink,
            at: signal.at,
            active: signal.active,
        });
        Self {
            id: contact.id,
            name: contact.name,
            channels: channels.collect(),
            lead_id: contact.lead_id,
            signals: signals.collect(),
            created_at: contact.created_at,
        }
    }
}
