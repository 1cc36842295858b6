//! One org: its state, a copy of it, and its end.

mod copy;
mod remove;
mod state;

use std::path::Path;

use anyhow::Result;

use crate::Found;
use crate::account::StackAccount;
use crate::arguments::OrgExport;

/// Shows the state of an org.
pub(crate) async fn show(account: &StackAccount, id: &str, with_names: bool) -> Result<Found> {
    state::show(account, id, with_names).await
}

/// Copies an org into a file.
pub(crate) async fn export(account: &StackAccount, export: OrgExport) -> Result<Found> {
    copy::export(account, export).await
}

/// Puts a copy back.
pub(crate) async fn import(account: &StackAccount, file: &Path, dry_run: bool) -> Result<Found> {
    copy::import(account, file, dry_run).await
}

/// Removes an org.
pub(crate) async fn remove(account: &StackAccount, id: &str, confirmed: Option<&str>, units: u32) -> Result<Found> {
    remove::remove(account, id, confirmed, units).await
}
