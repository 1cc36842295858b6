//! A copy of an org: a header, then its items, one a line.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::WorkError;
use crate::ids::{OrgId, OrgScope};
use crate::table::org_items::{ErasedPeople, InvalidLine, OrgItem, OrgWalk, Restored};
use crate::table::{Table, TableError};

/// The form of a copy. Another one is refused.
const COPY_SHAPE: u32 = 1;
/// Items that are put back together.
const CHUNK: usize = 500;

/// The first line of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyHeader {
    /// The form of the copy.
    pub leadwire_copy: u32,
    /// The stack from which it is.
    pub stack: String,
    /// The table from which it is: the stack's, or a restored one.
    pub table: String,
    /// The org.
    pub org: OrgId,
    /// When it was begun.
    pub at: Timestamp,
    /// How many lines follow.
    pub items: usize,
}

/// Why a copy cannot be put back.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CopyProblem {
    /// The first line is not that of a copy.
    #[error("the file does not begin with the header of a copy of an org")]
    NoHeader,
    /// It has the form of another version of this program.
    #[error("the copy has form {0}, and this version reads form {COPY_SHAPE}")]
    OtherShape(u32),
    /// A line is no item of the org.
    #[error("line {0}: {1}")]
    Line(usize, InvalidLine),
    /// The file ends early, or goes on.
    #[error("the header says {said} items, and the file has {found}: it is not complete")]
    Count {
        /// What the header says.
        said: usize,
        /// What there is.
        found: usize,
    },
    /// The table failed.
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl CopyHeader {
    /// The header of a copy that is complete after this many items.
    #[must_use]
    pub fn new(stack: String, table: String, org: OrgId, at: Timestamp, items: usize) -> Self {
        Self { leadwire_copy: COPY_SHAPE, stack, table, org, at, items }
    }

    /// Parses the first line of a copy.
    ///
    /// # Errors
    /// If it is not one, or of another form.
    pub fn parse(line: &str) -> Result<Self, CopyProblem> {
        #[derive(Deserialize)]
        struct CopyForm {
            leadwire_copy: u32,
        }
        let form: CopyForm = serde_json::from_str(line).map_err(|_| CopyProblem::NoHeader)?;
        if form.leadwire_copy != COPY_SHAPE {
            return Err(CopyProblem::OtherShape(form.leadwire_copy));
        }
        serde_json::from_str(line).map_err(|_| CopyProblem::NoHeader)
    }
}

/// Hands each item of an org to `write`, as a line, and returns how many these are.
///
/// # Errors
/// Those of the table, and the first of `write`, which ends the copy.
pub async fn copy_org<E: From<TableError>>(
    walk: OrgWalk<'_>,
    now: Timestamp,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<usize, E> {
    let (hasher, mut seen, mut count) = (RandomState::new(), HashSet::new(), 0);
    let write_all = async |items: Vec<OrgItem>| {
        for item in items {
            if seen.insert(hasher.hash_one(item.key())) {
                write(&item.to_line())?;
                count += 1;
            }
        }
        Ok::<_, E>(())
    };
    walk.walk(now, write_all).await?;
    Ok(count)
}

/// Puts the items of a copy back where they are absent, but for those of people who were erased since. `lines` gives the
/// lines after the header, from the first on each time it is called. With `only_count`, says what would be done.
///
/// # Errors
/// If a line is not an item of the org: nothing is stored then. If the table fails: what is stored stays, and a repetition
/// goes on.
pub async fn restore_org<L: Iterator<Item = String>>(
    table: &Table,
    scope: &OrgScope,
    header: &CopyHeader,
    lines: impl Fn() -> L,
    now: Timestamp,
    only_count: bool,
) -> Result<Restored, CopyProblem> {
    // First all of it is read, so that a damaged file changes nothing.
    let (mut people, mut found) = (ErasedPeople::default(), 0);
    for (number, line) in lines().enumerate() {
        let item = OrgItem::from_line(scope, &line).map_err(|error| CopyProblem::Line(number + 2, error))?;
        people.note(&item);
        found += 1;
    }
    if found != header.items {
        return Err(CopyProblem::Count { said: header.items, found });
    }
    table.find_erased(scope, &mut people).await.map_err(WorkError::from)?;
    let (mut restored, mut chunk) = (Restored::default(), Vec::with_capacity(CHUNK));
    let mut lines = lines().peekable();
    while let Some(line) = lines.next() {
        chunk.extend(OrgItem::from_line(scope, &line).ok());
        if chunk.len() == CHUNK || lines.peek().is_none() {
            let items = std::mem::take(&mut chunk);
            restored.add(table.restore_items(items, &people, now, only_count).await.map_err(WorkError::from)?);
        }
    }
    Ok(restored)
}
