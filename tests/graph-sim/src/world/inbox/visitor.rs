//! People outside: those who comment, react and write.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Account;
use crate::world::World;
use crate::world::invent;

/// A person who is not in any business.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The simulator's own id. Meta's ids differ between accounts.
    pub(crate) id: String,
    pub(crate) name: String,
    /// On Instagram.
    pub(crate) username: String,
    /// On WhatsApp: country code and number, without `+`.
    pub(crate) phone: String,
    pub(crate) whatsapp_username: Option<String>,
    /// Whether WhatsApp shows businesses only the username.
    pub(crate) hides_phone: bool,
    pub(crate) on_whatsapp: bool,
    /// Whether messages cannot reach the person.
    pub(crate) blocked: bool,
    /// A business-scoped id that a test chose.
    pub(crate) user_id: Option<String>,
    ids: HashMap<Account, String>,
}

/// What a test says about a person. Absent values are invented, or stay as they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Description {
    pub(crate) name: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) whatsapp_username: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) hides_phone: Option<bool>,
    pub(crate) on_whatsapp: Option<bool>,
    pub(crate) blocked: Option<bool>,
}

/// Country codes of telephone numbers, and the countries in business-scoped ids.
const COUNTRIES: &[(&str, &str)] = &[
    ("1", "US"),
    ("31", "NL"),
    ("33", "FR"),
    ("34", "ES"),
    ("39", "IT"),
    ("41", "CH"),
    ("43", "AT"),
    ("44", "GB"),
    ("49", "DE"),
    ("55", "BR"),
    ("81", "JP"),
    ("91", "IN"),
];

/// Returns the country code of a number without `+`, and its country.
pub(crate) fn country(phone: &str) -> (&'static str, &'static str) {
    COUNTRIES.iter().find(|(code, _)| phone.starts_with(code)).copied().unwrap_or(("", "XX"))
}

/// Returns a number without anything but its digits.
pub(crate) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

impl World {
    /// Adds a person and returns its index.
    pub(crate) fn add_visitor(&mut self, description: &Description) -> usize {
        let number = self.ids.person();
        let invented = invent::Person::new(number, "en_US");
        let name = description.name.clone().unwrap_or_else(|| format!("{} {}", invented.first, invented.last));
        let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        self.inbox.visitors.push(Visitor {
            id: self.ids.scoped(),
            username: format!("{plain}{}", number % 10_000),
            name,
            phone: digits(&invented.phone),
            whatsapp_username: None,
            hides_phone: false,
            on_whatsapp: true,
            blocked: false,
            user_id: None,
            ids: HashMap::new(),
        });
        let index = self.inbox.visitors.len() - 1;
        self.describe_visitor(index, description);
        index
    }

    /// Changes what a test says about a person. Changes of the phone number are not announced.
    pub(crate) fn describe_visitor(&mut self, index: usize, description: &Description) {
        let Some(visitor) = self.inbox.visitors.get_mut(index) else { return };
        let given = description.clone();
        visitor.name = given.name.unwrap_or_else(|| visitor.name.clone());
        visitor.username = given.username.unwrap_or_else(|| visitor.username.clone());
        visitor.phone = given.phone.map_or_else(|| visitor.phone.clone(), |phone| digits(&phone));
        visitor.whatsapp_username = given.whatsapp_username.or_else(|| visitor.whatsapp_username.clone());
        visitor.user_id = given.user_id.or_else(|| visitor.user_id.clone());
        visitor.hides_phone = given.hides_phone.unwrap_or(visitor.hides_phone);
        visitor.on_whatsapp = given.on_whatsapp.unwrap_or(visitor.on_whatsapp);
        visitor.blocked = given.blocked.unwrap_or(visitor.blocked);
    }

    /// Finds a person by any of the ids, the name, a username or the phone number.
    pub(crate) fn find_visitor(&self, text: &str) -> Option<usize> {
        if let Some((index, _)) = self.inbox.scoped.get(text) {
            return Some(*index);
        }
        let phone = digits(text);
        self.inbox.visitors.iter().position(|visitor| {
            visitor.id == text
                || visitor.name == text
                || visitor.username == text
                || visitor.whatsapp_username.as_deref() == Some(text)
                || visitor.user_id.as_deref() == Some(text)
                || (phone.len() >= 8 && text.chars().all(|c| c == '+' || c.is_ascii_digit()) && visitor.phone == phone)
        })
    }

    /// The id under which an account knows a person: a PSID, an IGSID, or WhatsApp's own.
    pub(crate) fn scoped_id(&mut self, index: usize, account: &Account) -> String {
        if let Account::Number(number_id) = account {
            return self.whatsapp_id(index, number_id);
        }
        if let Some(id) = self.inbox.visitors.get(index).and_then(|visitor| visitor.ids.get(account)) {
            return id.clone();
        }
        let id = self.ids.scoped();
        self.set_scoped_id(index, account, &id);
        id
    }

    /// Sets the id under which an account knows a person.
    pub(crate) fn set_scoped_id(&mut self, index: usize, account: &Account, id: &str) {
        if let Some(visitor) = self.inbox.visitors.get_mut(index) {
            visitor.ids.insert(account.clone(), id.to_owned());
            self.inbox.scoped.insert(id.to_owned(), (index, account.clone()));
        }
    }

    /// The phone number, or the business-scoped id of a person who hides it.
    fn whatsapp_id(&self, index: usize, number_id: &str) -> String {
        match self.inbox.visitors.get(index) {
            Some(visitor) if !visitor.hides_phone => visitor.phone.clone(),
            Some(_) => self.user_id(index, number_id),
            None => String::new(),
        }
    }

    /// The business-scoped user id. It changes with the phone number and differs between portfolios.
    pub(crate) fn user_id(&self, index: usize, number_id: &str) -> String {
        let Some(visitor) = self.inbox.visitors.get(index) else { return String::new() };
        if let Some(id) = &visitor.user_id {
            return id.clone();
        }
        let waba = self.inbox.numbers.get(number_id).and_then(|number| self.inbox.wabas.get(&number.waba_id));
        let business = waba.map_or("", |waba| waba.business_id.as_str());
        user_id_of(&visitor.phone, business)
    }

    /// The person as the control interface shows it.
    pub(crate) fn visitor_report(&self, index: usize, account: Option<&Account>) -> Value {
        let Some(visitor) = self.inbox.visitors.get(index) else { return Value::Null };
        let mut report = json!({
            "person_id": visitor.id, "name": visitor.name, "username": visitor.username, "phone": visitor.phone,
            "whatsapp_username": visitor.whatsapp_username,
        });
        let id = match account {
            Some(Account::Number(number_id)) => {
                if let Some(members) = report.as_object_mut() {
                    members.insert("user_id".to_owned(), json!(self.user_id(index, number_id)));
                }
                Some(self.whatsapp_id(index, number_id))
            }
            Some(account) => visitor.ids.get(account).cloned(),
            None => Some(visitor.id.clone()),
        };
        if let Some(members) = report.as_object_mut() {
            members.insert("id".to_owned(), json!(id));
        }
        report
    }
}

/// Returns the business-scoped id of a phone number.
pub(crate) fn user_id_of(phone: &str, business_id: &str) -> String {
    let digest = hex::encode(Sha256::digest(format!("{phone}|{business_id}")));
    format!("{}.{}", country(phone).1, digest.get(..20).unwrap_or_default())
}
