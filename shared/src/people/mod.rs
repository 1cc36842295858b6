//! Forgets a person: everything of theirs, in leads and in the inbox.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::Access;
use crate::error::{ActError, ErrorCode};
use crate::exports::Exports;
use crate::ids::{LeadId, OrgScope, ReceiptId};
use crate::inbox::Inbox;
use crate::leads::{Leads, WholeLead, erase_lead, lead_of_persons, whole_address, whole_number};
use crate::model::lead::identity::person_keys;
use crate::model::lead::phone;
use crate::table::erasure::Receipt;
use crate::tr;

/// Who is to be forgotten. Exactly one field is set.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonIn {
    /// A lead of the person, or a later submission.
    pub lead_id: Option<LeadId>,
    /// The person's whole e-mail address.
    pub email: Option<String>,
    /// The person's whole phone number, with its country code unless it is of the org's country.
    pub phone: Option<String>,
}

/// The org's receipts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptList {
    pub items: Vec<Receipt>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// The acts on people, wherever they are stored.
#[derive(Debug, Clone, Copy)]
pub struct People<'a> {
    /// Has their leads.
    pub leads: &'a Leads,
    /// Has what they wrote.
    pub inbox: &'a Inbox,
    /// Has files that they may be in.
    pub exports: &'a Exports,
}

impl People<'_> {
    /// Erases a person: leads with submissions and histories, contacts with conversations and files. The receipt says how
    /// much that was; of a person who is not known, nothing.
    ///
    /// # Errors
    /// Refuses a request that names no one, or more than one. After another error a part is erased; the same request goes
    /// on.
    pub async fn erase(&self, access: &Access, person: &PersonIn) -> Result<Receipt, ActError> {
        let scope = &access.scope;
        let now = crate::clock::now();
        let (lead, number) = self.find(scope, person).await?;
        if let Some(lead) = &lead {
            access.trail.about(lead);
        }
        let whole = match &lead {
            Some(lead) => WholeLead::read(&self.leads.table, scope, lead).await?,
            None => None,
        };
        let leads = whole.as_ref().map(WholeLead::ids).unwrap_or_default();
        let mut phones = whole.as_ref().map(WholeLead::phones).unwrap_or_default();
        phones.extend(number);
        // The lead is the last, because it leads to the rest if this is repeated.
        let contacts = self.inbox.contacts_of_person(scope, &leads, &phones).await?;
        for contact in &contacts {
            self.inbox.erase_contact(scope, contact, now).await?;
        }
        let submissions = match &whole {
            Some(whole) => erase_lead(&self.leads.table, scope, &whole.lead.id, now).await?,
            None => 0,
        };
        // The last: no export that is left began before the lead was gone.
        self.exports.revoke_all(scope).await?;
        let receipt = Receipt {
            id: ReceiptId::new(),
            requested_at: now,
            requested_by: access.caller.user.clone(),
            leads: usize::from(whole.is_some()),
            submissions,
            contacts: contacts.len(),
        };
        self.leads.table.put_receipt(scope, &receipt).await?;
        access.trail.about(&receipt.id);
        tracing::info!(org = %scope.org(), receipt = %receipt.id, leads = receipt.leads, contacts = receipt.contacts, by = %access.caller.user, "a person was erased");
        Ok(receipt)
    }

    /// Lists the receipts of erasures, newest first.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn receipts(&self, access: &Access) -> Result<ReceiptList, ActError> {
        let mut items = self.leads.table.for_display().receipts(&access.scope).await?;
        items.sort_by_key(|receipt| std::cmp::Reverse(receipt.requested_at));
        Ok(ReceiptList { items, next_cursor: None })
    }

    /// Finds the person's lead, and the number by which they were named.
    async fn find(&self, scope: &OrgScope, person: &PersonIn) -> Result<(Option<LeadId>, Option<String>), ActError> {
        match (&person.lead_id, &person.email, &person.phone) {
            (Some(lead), None, None) => Ok((Some(lead.clone()), None)),
            (None, Some(email), None) => {
                let persons = person_keys(Some(email), None);
                if persons.is_empty() {
                    return Err(ActError::invalid("email", ErrorCode::EmailInvalid, whole_address()));
                }
                Ok((lead_of_persons(&self.leads.table, scope, &persons).await?, None))
            }
            (None, None, Some(typed)) => {
                let org = self.leads.table.org(scope).await?;
                let country = org.as_ref().and_then(|org| org.default_country.as_deref());
                let number = phone::e164(typed, country)
                    .ok_or_else(|| ActError::invalid("phone", ErrorCode::PhoneInvalid, whole_number()))?;
                let persons = person_keys(None, Some(&number));
                Ok((lead_of_persons(&self.leads.table, scope, &persons).await?, Some(number)))
            }
            _ => Err(ActError::refuse(
                ErrorCode::FieldsConflict,
                tr!("Name the person by exactly one of lead_id, email and phone."),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
