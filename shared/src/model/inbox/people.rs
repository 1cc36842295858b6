//! Who a person of the inbox is: identities, which Meta gives out per page, account or business, and contacts, which
//! are one person over all of them.
//!
//! A contact is found by identity only, never by a name. A WhatsApp person has a business-scoped id, which changes with
//! the number, and a number, which Meta may withhold; an Instagram person has a user name, by which alone Meta tells who
//! mentions an account. Numbers and user names may get another owner: the id decides.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::event::{Person, Signal};
use super::{Channel, Contact, ContactChannel, ContactSignal, Conversation};
use crate::ids::{ContactId, ConversationId, MessageId, OrgId};

/// Signals that a contact keeps. The oldest make room.
const MAX_SIGNALS: usize = 200;
/// How much of a mention's text a signal keeps. All signals of a contact are stored together.
const MAX_VALUE_CHARACTERS: usize = 300;
/// Identities that a contact keeps.
const MAX_CHANNELS: usize = 50;

/// An identity of a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(String);

impl Identity {
    fn new(network: &str, account: &str, id: &str) -> Self {
        Self(format!("{network}:{account}:{id}"))
    }

    /// Whether it may get another owner: a telephone number or a user name.
    #[must_use]
    pub fn may_change_hands(&self) -> bool {
        self.0.starts_with("whatsapp:phone:") || self.0.contains(":@")
    }

    /// The id of the contact that is made when this identity is seen first.
    #[must_use]
    pub fn contact_id(&self) -> ContactId {
        made("con", &[&self.0], ContactId::parse)
    }
}

/// The identities of a person, the most reliable one first.
#[must_use]
pub fn identities(channel: Channel, account: &str, person: &Person) -> Vec<Identity> {
    let [id, phone, username] =
        [&person.id, &person.phone, &person.username].map(|known| known.as_deref().filter(|known| !known.is_empty()));
    let (id, other) = match channel.network() {
        "whatsapp" => (
            id.map(|id| Identity::new("whatsapp", "id", id)),
            phone.map(|phone| Identity::new("whatsapp", "phone", phone)),
        ),
        network => (
            id.map(|id| Identity::new(network, account, id)),
            username
                .filter(|_| network == "instagram")
                .map(|name| Identity::new(network, account, &format!("@{name}"))),
        ),
    };
    id.into_iter().chain(other).collect()
}

impl ContactChannel {
    fn person(&self) -> Person {
        let phone = self.phone.as_deref().map(|phone| phone.trim_start_matches('+').to_owned());
        Person { id: self.meta_id.clone(), phone, username: self.username.clone(), name: None }
    }

    /// Whether it is on the account through which a person is seen on a channel. WhatsApp's people are the business's.
    fn is_on(&self, channel: Channel, account: &str) -> bool {
        self.network == channel.network() && (channel == Channel::Whatsapp || self.account == account)
    }
}

/// The id of the conversation with a contact, or below a comment.
#[must_use]
pub fn conversation_id(channel: Channel, account: &str, about: &str) -> ConversationId {
    made("cnv", &[channel.into(), account, about], ConversationId::parse)
}

/// The id of a message of which Meta's id is known.
#[must_use]
pub fn message_id(channel: Channel, mid: &str) -> MessageId {
    made("msg", &[channel.into(), mid], MessageId::parse)
}

#[expect(clippy::expect_used, reason = "a prefix and hexadecimal digits")]
fn made<I, E: std::fmt::Debug>(prefix: &str, of: &[&str], parse: impl Fn(&str) -> Result<I, E>) -> I {
    let mut hash = Sha256::new();
    for part in of {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digits = hex::encode(hash.finalize());
    parse(&format!("{prefix}_{}", digits.get(..32).unwrap_or(&digits))).expect("an id")
}

impl Contact {
    /// A person who is seen for the first time.
    #[must_use]
    pub fn new(id: ContactId, org: OrgId, now: Timestamp) -> Self {
        Self {
            id,
            org,
            name: None,
            is_named: false,
            channels: Vec::new(),
            lead_id: None,
            is_lead_chosen: false,
            merged_into: None,
            merged: Vec::new(),
            signals: Vec::new(),
            created_at: now,
            named_at: None,
            revision: 0,
        }
    }

    /// Takes over what a message shows of the person. Returns whether anything is new.
    pub fn see(&mut self, channel: Channel, account: &str, person: &Person) -> bool {
        let before = (self.channels.clone(), self.name.clone());
        let phone = person.phone.as_deref().map(|digits| format!("+{}", digits.trim_start_matches('+')));
        let network = channel.network();
        let is_same = |known: &ContactChannel| {
            let is_id = known.meta_id.is_none() || person.id.is_none() || known.meta_id == person.id;
            known.is_on(channel, account) && is_id
        };
        let position = self.channels.iter().position(is_same);
        match position.and_then(|position| self.channels.get_mut(position)) {
            Some(known) => {
                known.meta_id = person.id.clone().or(known.meta_id.take());
                known.username = person.username.clone().or(known.username.take());
                known.phone = phone.or(known.phone.take());
            }
            None if position.is_none() && before.0.len() < MAX_CHANNELS => self.channels.push(ContactChannel {
                network: network.to_owned(),
                account: account.to_owned(),
                meta_id: person.id.clone(),
                username: person.username.clone(),
                phone,
            }),
            None => {}
        }
        let name = person.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let known_by = name.or(person.username.as_deref());
        if let Some(name) = known_by.filter(|_| !self.is_named && (name.is_some() || self.name.is_none())) {
            self.name = Some(name.to_owned());
        }
        before != (self.channels.clone(), self.name.clone())
    }

    /// Takes over what the person did with a post. Of two about the same, the later one holds. Returns whether it is
    /// news.
    pub fn take_signal(&mut self, signal: &Signal) -> bool {
        let known = self.signals.iter_mut().find(|known| known.r#type == signal.r#type && known.on == signal.on);
        let Signal { r#type, on, value, permalink, at, active, .. } = signal.clone();
        let value = value.map(|value| value.chars().take(MAX_VALUE_CHARACTERS).collect());
        let taken = ContactSignal { r#type, on, value, permalink, at, active };
        match known {
            Some(known) if (known.at, known.active) >= (taken.at, taken.active) && *known != taken => return false,
            Some(known) if *known == taken => return false,
            Some(known) => *known = taken,
            None => self.signals.push(taken),
        }
        self.signals.sort_by_key(|signal| std::cmp::Reverse(signal.at));
        self.signals.truncate(MAX_SIGNALS);
        true
    }

    /// Whether a signal was taken, and none about the same since.
    #[must_use]
    pub fn has_signal(&self, signal: &Signal) -> bool {
        let is_it = |known: &ContactSignal| {
            (known.r#type, &known.on, known.at, known.active) == (signal.r#type, &signal.on, signal.at, signal.active)
        };
        self.signals.iter().any(is_it)
    }

    /// Whether Meta is to be asked for the name: once, and again after a week.
    #[must_use]
    pub fn is_to_be_named(&self, now: Timestamp) -> bool {
        const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
        self.name.is_none() && self.named_at.is_none_or(|asked| asked + AGAIN_AFTER < now)
    }

    /// The ways to the person on a channel: several for a contact that was joined from several.
    fn ways(&self, channel: Channel, account: &str) -> Vec<&ContactChannel> {
        self.channels.iter().filter(|known| known.is_on(channel, account)).collect()
    }

    /// Whether a number or a user name is still this person's: someone with another id may have taken it.
    #[must_use]
    pub fn is_still(&self, channel: Channel, account: &str, person: &Person) -> bool {
        let is_same = |way: &&ContactChannel| match (&way.meta_id, &person.id) {
            (Some(known), Some(id)) => known == id,
            _ if channel == Channel::Whatsapp => way.person().phone == person.phone,
            _ => way.username == person.username,
        };
        self.ways(channel, account).iter().any(is_same)
    }

    /// The identities under which the person is known.
    #[must_use]
    pub fn identities(&self) -> Vec<Identity> {
        let of = |known: &ContactChannel| {
            let channel = match known.network.as_str() {
                "whatsapp" => Channel::Whatsapp,
                "instagram" => Channel::Instagram,
                _ => Channel::Messenger,
            };
            identities(channel, &known.account, &known.person())
        };
        self.channels.iter().flat_map(of).collect()
    }

    /// The id of the conversation with the person on a channel. It is made from the contact as which the person was first
    /// seen there, also after another has taken that over.
    #[must_use]
    pub fn conversation_on(&self, channel: Channel, account: &str, person: &Person) -> ConversationId {
        let seen_as = identities(channel, account, person).into_iter().map(|identity| identity.contact_id());
        let known = seen_as.into_iter().find(|id| *id == self.id || self.merged.contains(id));
        conversation_id(channel, account, known.as_ref().unwrap_or(&self.id).as_str())
    }

    /// The way to the person in a conversation. Of a contact that was joined from several, the one that stands for this
    /// conversation; `None` if that cannot be told.
    #[must_use]
    pub fn channel_in(&self, conversation: &Conversation) -> Option<&ContactChannel> {
        let (channel, account) = (conversation.channel, conversation.account.as_str());
        let leads_here =
            |way: &&&ContactChannel| self.conversation_on(channel, account, &way.person()) == conversation.id;
        match self.ways(channel, account).as_slice() {
            [only] => Some(only),
            // A new number or id of the person is added behind the old one.
            several => several.iter().rev().find(leads_here).copied(),
        }
    }

    /// The id of the conversation in which the author of a comment is answered privately.
    #[must_use]
    pub fn private_conversation(&self, channel: Channel, account: &str, author: Option<&ContactId>) -> ConversationId {
        let ways = self.ways(channel, account);
        let is_author = |way: &&&ContactChannel| {
            let seen_as = identities(channel, account, &way.person()).into_iter().map(|identity| identity.contact_id());
            seen_as.into_iter().any(|id| Some(&id) == author)
        };
        let way = ways.iter().find(is_author).or(ways.first());
        let person = way.map(|way| way.person()).unwrap_or_default();
        self.conversation_on(channel, account, &person)
    }

    /// The numbers of the person, in E.164.
    pub fn phones(&self) -> impl Iterator<Item = &str> {
        self.channels.iter().filter_map(|channel| channel.phone.as_deref())
    }

    /// Takes over everything of another contact: both are one person.
    pub fn absorb(&mut self, other: &Self) {
        self.channels.extend(
            other.channels.iter().filter(|channel| !self.channels.contains(channel)).cloned().collect::<Vec<_>>(),
        );
        self.channels.truncate(MAX_CHANNELS);
        if self.name.is_none() || other.is_named && !self.is_named {
            (self.name, self.is_named) = (other.name.clone(), other.is_named);
        }
        self.lead_id = self.lead_id.take().or_else(|| other.lead_id.clone());
        self.signals.extend(other.signals.iter().cloned());
        self.signals.sort_by_key(|signal| std::cmp::Reverse(signal.at));
        self.signals.truncate(MAX_SIGNALS);
        self.merged.push(other.id.clone());
        self.merged.extend(other.merged.iter().cloned());
    }
}
