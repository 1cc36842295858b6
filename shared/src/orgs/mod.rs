//! An org as a whole: copied into a file, put back from one, and removed when it leaves. Only the operator's program uses
//! it; no face offers it.

mod copy;
mod remove;
#[cfg(test)]
mod tests;

pub use self::copy::{CopyHeader, CopyProblem, copy_org, restore_org};
pub use self::remove::{OrgRemoval, Orgs};
