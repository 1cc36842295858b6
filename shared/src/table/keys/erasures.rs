//! The keys by which a person of Meta's is found, and of what is kept of erasures.

use super::{CONNECTION_PREFIX, Key};
use crate::ids::{IntegrationId, OrgScope, ReceiptId};

pub(in crate::table) fn erasure(code: &str) -> Key {
    Key { pk: format!("ERASURE#{code}"), sk: "ERASURE".to_owned() }
}

pub(in crate::table) fn receipts_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#RECEIPTS", scope.org())
}

pub(in crate::table) fn receipt(scope: &OrgScope, receipt: &ReceiptId) -> Key {
    Key { pk: receipts_pk(scope), sk: format!("RECEIPT#{receipt}") }
}

pub(in crate::table) fn meta_person_pk(person: &str) -> String {
    format!("META_PERSON#{person}")
}

pub(in crate::table) fn meta_person(person: &str, scope: &OrgScope, id: &IntegrationId) -> Key {
    Key { pk: meta_person_pk(person), sk: format!("{CONNECTION_PREFIX}{}#INTEGRATION#{id}", scope.org()) }
}
