//! Which objects lists and rows leave out: archived ones unless requested, deleted ones by default.

use crate::world::ads::status::Effective;

/// Which archived or deleted objects are included.
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
