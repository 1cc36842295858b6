//! What lists and rows leave out: archived objects unless asked for, deleted ones as a rule.

use crate::world::ads::status::Effective;

/// Which objects show up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Visibility {
    pub(crate) archived: bool,
    pub(crate) deleted: bool,
}

impl Visibility {
    pub(crate) fn shows(self, status: Effective) -> bool {
        match status {
            Effective::Archived => self.archived,
            Effective::Deleted => self.deleted,
            _ => true,
        }
    }
}
