//! Ids of campaigns, ad sets, ads and creatives. Each has eighteen digits and consists of the account's prefix, the
//! kind and the running number, so an object is found without a list. Ids of objects written through the API come from
//! the simulator's running numbers and lie above all of these.

use super::tree::Level;
use super::{Ads, dice};

const FIRST: u64 = 120_000_000_000_000_000;
const ACCOUNT: u64 = 1_000_000_000;
const KIND: u64 = 100_000_000;

/// The object that an id of this kind identifies. A creative has the number of the first ad that shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Object {
    Of(Level, u32),
    Creative(u32),
}

/// The first id of an object written through the API. It has as many digits as the others.
pub(crate) const FIRST_WRITTEN: u64 = FIRST + 1_000_000 * ACCOUNT;

/// Whether an id is in the range of objects written through the API.
pub(crate) fn is_written(id: &str) -> bool {
    id.parse::<u64>().is_ok_and(|number| (FIRST_WRITTEN..2 * FIRST).contains(&number))
}

/// The preferred prefix of an account.
pub(crate) fn prefix(account_id: &str) -> u64 {
    100_000 + dice::of_text(account_id) % 900_000
}

/// The prefix and the object of an id, whether or not they exist.
pub(crate) fn read(id: &str) -> Option<(u64, Object)> {
    let number = id.parse::<u64>().ok()?.checked_sub(FIRST).filter(|number| *number < 1_000_000 * ACCOUNT)?;
    let index = u32::try_from(number % KIND).ok()?;
    let object = match number % ACCOUNT / KIND {
        1 => Object::Of(Level::Campaign, index),
        2 => Object::Of(Level::AdSet, index),
        3 => Object::Of(Level::Ad, index),
        4 => Object::Creative(index),
        _ => return None,
    };
    Some((number / ACCOUNT, object))
}

impl Ads {
    pub(crate) fn id(&self, level: Level, index: u32) -> String {
        if let Some(record) = self.written.record(Object::Of(level, index)) {
            return record.id.clone();
        }
        if let Some(named) = self.tree.named(level, index) {
            return named.id.clone();
        }
        let kind = match level {
            Level::Campaign => 1,
            Level::AdSet => 2,
            Level::Ad => 3,
        };
        self.numbered(kind, index)
    }

    pub(crate) fn creative_id(&self, index: u32) -> String {
        if let Some(record) = self.written.record(Object::Creative(index)) {
            return record.id.clone();
        }
        self.numbered(4, index)
    }

    fn numbered(&self, kind: u64, index: u32) -> String {
        (FIRST + self.prefix * ACCOUNT + kind * KIND + u64::from(index)).to_string()
    }

    /// The object with an id if it belongs to this account. Ghosts are found too.
    pub(crate) fn find(&self, id: &str) -> Option<Object> {
        if is_written(id) {
            return self.written.find(id);
        }
        if let Some((level, index)) = self.tree.find_named(id) {
            return Some(Object::Of(level, index));
        }
        let (_, object) = read(id).filter(|(prefix, _)| *prefix == self.prefix)?;
        let exists = match object {
            // Objects of lead forms are found only by the forms' own ids.
            Object::Of(level, index) => self.tree.contains(level, index) && self.tree.named(level, index).is_none(),
            Object::Creative(index) => {
                self.tree.contains(Level::Ad, index) && self.generated_creative_of(index) == index
            }
        };
        exists.then_some(object)
    }

    /// Like [`Ads::find`], for objects of one level.
    pub(crate) fn find_on(&self, level: Level, id: &str) -> Option<u32> {
        match self.find(id)? {
            Object::Of(found, index) if found == level => Some(index),
            _ => None,
        }
    }
}
