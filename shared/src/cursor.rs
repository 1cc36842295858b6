//! Cursors of lists: signed, so that a caller can neither continue in another org's list nor invent a position.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{ActError, ErrorCode};
use crate::ids::OrgScope;
use crate::secret::HmacKey;
use crate::tr;

/// A list of an org, and the key that signs positions in it.
#[derive(Debug, Clone, Copy)]
pub struct ListCursor<'a> {
    key: &'a HmacKey,
    scope: &'a OrgScope,
    list: &'a str,
}

impl<'a> ListCursor<'a> {
    /// The cursors of one list. `list` names it together with its filters: a position in a differently filtered list
    /// may not exist.
    #[must_use]
    pub fn new(key: &'a HmacKey, scope: &'a OrgScope, list: &'a str) -> Self {
        Self { key, scope, list }
    }

    /// Encodes a position for the caller.
    #[must_use]
    #[expect(clippy::expect_used, reason = "positions are ids, days and index keys: all of them have a JSON form")]
    pub fn encode<T: Serialize>(&self, position: &T) -> String {
        let encoded = URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).expect("a position is plain data"));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(self.signed_text(&encoded).as_bytes()));
        format!("{encoded}.{signature}")
    }

    /// Decodes the position that a caller sent back; `None` stays `None`.
    ///
    /// # Errors
    /// Refuses the field `cursor` unless this list issued it.
    pub fn decode<T: DeserializeOwned>(&self, cursor: Option<&str>) -> Result<Option<T>, ActError> {
        let invalid = || {
            let message = tr!("This position in the list is not known: it belongs to another list or other filters.");
            ActError::invalid("cursor", ErrorCode::CursorInvalid, message)
        };
        cursor.map(|cursor| self.verify(cursor).ok_or_else(invalid)).transpose()
    }

    fn verify<T: DeserializeOwned>(&self, cursor: &str) -> Option<T> {
        let (encoded, signature) = cursor.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        if !self.key.verifies(self.signed_text(encoded).as_bytes(), &signature) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
    }

    fn signed_text(&self, encoded: &str) -> String {
        // Neither an org's id nor a position has a `#`.
        format!("cursor#{}#{}#{encoded}", self.scope.org(), self.list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::OrgId;

    #[test]
    fn a_cursor_is_accepted_by_its_own_list_only() {
        let (a, b) = (OrgScope::new(OrgId::parse("a").unwrap()), OrgScope::new(OrgId::parse("b").unwrap()));
        let (key, other_key) = (HmacKey::new("k".into()), HmacKey::new("l".into()));
        let leads = ListCursor::new(&key, &a, "leads");
        let cursor = leads.encode(&7);
        assert_eq!(leads.decode::<u8>(Some(&cursor)).unwrap(), Some(7));
        assert_eq!(leads.decode::<u8>(None).unwrap(), None);
        for bad in ["", ".", "x", "eA.eA", &cursor[1..], &format!("{cursor}A")] {
            assert_eq!(leads.decode::<u8>(Some(bad)).unwrap_err().code(), ErrorCode::CursorInvalid, "{bad}");
        }
        for other in [
            ListCursor::new(&key, &b, "leads"),
            ListCursor::new(&key, &a, "parked"),
            ListCursor::new(&other_key, &a, "leads"),
        ] {
            assert!(other.decode::<u8>(Some(&cursor)).is_err(), "{other:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_cursor_that_was_changed_is_none(position: Vec<String>, place: proptest::sample::Index, other in "[ -~é]") {
            let (scope, key) = (OrgScope::new(OrgId::parse("a").unwrap()), HmacKey::new("k".into()));
            let list = ListCursor::new(&key, &scope, "leads");
            let cursor = list.encode(&position);
            proptest::prop_assert_eq!(list.decode(Some(&cursor)).unwrap(), Some(position));
            let place = place.index(cursor.len());
            let changed = format!("{}{other}{}", &cursor[..place], &cursor[place + 1..]);
            proptest::prop_assert!(changed == cursor || list.decode::<Vec<String>>(Some(&changed)).is_err());
            proptest::prop_assert!(list.decode::<Vec<String>>(Some(&other)).is_err());
        }
    }
}
