//! What people write: `/_sim/people`, `/_sim/comments`, `/_sim/reactions`, `/_sim/messages` and the switches of
//! `/_sim/messaging`.

pub(super) mod comments;
pub(super) mod messages;
pub(super) mod people;
pub(super) mod reactions;
pub(super) mod state;
pub(super) mod switches;
mod whatsapp_content;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::Mistake;
use crate::webhook::outbox::Manner;
use crate::world::World;
use crate::world::inbox::Account;
use crate::world::inbox::visitor::Description;

/// A person by name or any id, or with what distinguishes them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum PersonInput {
    Text(String),
    Described(PersonDescription),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonDescription {
    /// The id under which the account knows the person, or the simulator's own.
    id: Option<String>,
    name: Option<String>,
    /// On Instagram.
    username: Option<String>,
    phone: Option<String>,
    whatsapp_username: Option<String>,
    /// WhatsApp's business-scoped id.
    user_id: Option<String>,
    hides_phone: Option<bool>,
    on_whatsapp: Option<bool>,
    blocked: Option<bool>,
}

impl PersonDescription {
    fn description(&self) -> Description {
        Description {
            name: self.name.clone(),
            username: self.username.clone(),
            phone: self.phone.clone(),
            whatsapp_username: self.whatsapp_username.clone(),
            user_id: self.user_id.clone(),
            hides_phone: self.hides_phone,
            on_whatsapp: self.on_whatsapp,
            blocked: self.blocked,
        }
    }
}

/// Returns the person, and adds one that is not known. Without a description, an invented one.
fn person(world: &mut World, input: Option<&PersonInput>, account: &Account) -> usize {
    match input {
        None => world.add_visitor(&Description::default()),
        Some(PersonInput::Text(text)) => match world.find_visitor(text) {
            Some(known) => known,
            None if text.chars().all(|c| c.is_ascii_digit() || c == '+') => {
                let index = world.add_visitor(&Description::default());
                name_by_id(world, index, account, text);
                index
            }
            None => world.add_visitor(&Description { name: Some(text.clone()), ..Description::default() }),
        },
        Some(PersonInput::Described(given)) => {
            let keys = [&given.id, &given.user_id, &given.phone, &given.username, &given.name];
            let known = keys.into_iter().flatten().find_map(|key| world.find_visitor(key));
            let index = known.unwrap_or_else(|| world.add_visitor(&given.description()));
            world.describe_visitor(index, &given.description());
            if let Some(id) = given.id.as_ref().filter(|id| world.find_visitor(id) != Some(index)) {
                name_by_id(world, index, account, id);
            }
            index
        }
    }
}

/// Sets the id under which the account knows a person: on WhatsApp the phone number or the business-scoped id.
fn name_by_id(world: &mut World, index: usize, account: &Account, id: &str) {
    match account {
        Account::Page(_) | Account::Instagram(_) => world.set_scoped_id(index, account, id),
        Account::Number(_) => {
            let is_phone = id.chars().all(|c| c.is_ascii_digit() || c == '+');
            let id = Some(id.to_owned());
            let description = if is_phone {
                Description { phone: id, ..Description::default() }
            } else {
                Description { user_id: id, hides_phone: Some(true), ..Description::default() }
            };
            world.describe_visitor(index, &description);
        }
    }
}

/// Parses `deliver`.
fn manner(deliver: Option<&str>) -> Result<Manner, Mistake> {
    let name = deliver.unwrap_or("webhook");
    Manner::named(name)
        .filter(|manner| *manner != Manner::Mixed)
        .ok_or_else(|| Mistake::new(format!("deliver: must be webhook, drop, duplicate or reorder, got \"{name}\"")))
}

/// Parses a time: epoch seconds, or RFC 3339. Returns epoch milliseconds, by default of now.
fn time(world: &World, at: Option<&Value>) -> Result<i64, Mistake> {
    match at {
        None | Some(Value::Null) => Ok(world.clock.now_ms()),
        Some(Value::Number(number)) => {
            let seconds = number.as_i64().ok_or_else(|| Mistake::new("at: must be epoch seconds"))?;
            // A number of this size is in milliseconds.
            Ok(if seconds > 100_000_000_000 { seconds } else { seconds * 1000 })
        }
        Some(Value::String(text)) => text
            .parse::<Timestamp>()
            .map(Timestamp::as_millisecond)
            .map_err(|_| Mistake::new(format!("at: \"{text}\" is not a time"))),
        Some(other) => Err(Mistake::new(format!("at: {other} is not a time"))),
    }
}

/// Returns the account that a call names.
fn account(
    world: &World,
    page_id: Option<&str>,
    instagram_id: Option<&str>,
    number_id: Option<&str>,
    on_instagram: bool,
) -> Result<Account, Mistake> {
    match (page_id, instagram_id, number_id) {
        (Some(id), None, None) if on_instagram => {
            let account = world.instagram.account_of_page(id);
            let account =
                account.ok_or_else(|| Mistake::new(format!("page_id: page {id} has no Instagram account")))?;
            Ok(Account::Instagram(account.id.clone()))
        }
        (Some(id), None, None) if world.pages.contains_key(id) => Ok(Account::Page(id.to_owned())),
        (Some(id), None, None) => Err(Mistake::new(format!("page_id: there is no page {id}"))),
        (None, Some(id), None) if world.instagram.accounts.contains_key(id) => Ok(Account::Instagram(id.to_owned())),
        (None, Some(id), None) => Err(Mistake::new(format!("instagram_id: there is no account {id}"))),
        (None, None, Some(id)) if world.inbox.numbers.contains_key(id) => Ok(Account::Number(id.to_owned())),
        (None, None, Some(id)) => Err(Mistake::new(format!("phone_number_id: there is no number {id}"))),
        _ => Err(Mistake::new("one of page_id, instagram_id and phone_number_id is required")),
    }
}
