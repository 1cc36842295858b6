//! The keys of what is kept of erasures.

use super::Key;
use crate::ids::{OrgScope, ReceiptId};

pub(in crate::table) fn erasure(code: &str) -> Key {
    Key { pk: format!("ERASURE#{code}"), sk: "ERASURE".to_owned() }
}

pub(in crate::table) fn receipts_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#RECEIPTS", scope.org())
}

pub(in crate::table) fn receipt(scope: &OrgScope, receipt: &ReceiptId) -> Key {
    Key { pk: receipts_pk(scope), sk: format!("RECEIPT#{receipt}") }
}
