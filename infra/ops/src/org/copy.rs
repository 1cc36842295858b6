//! A copy of an org in a file.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use leadwire::clock;
use leadwire::env;
use leadwire::error::ActError;
use leadwire::model::audit::{AuditAct, AuditOutcome};
use leadwire::orgs::{CopyHeader, CopyProblem, copy_org, restore_org};
use leadwire::table::TableError;
use leadwire::table::org_items::{OrgWalk, ReadPace, Restored};

use crate::account::StackAccount;
use crate::acts::end;
use crate::arguments::OrgExport;
use crate::output::count;
use crate::product::Product;
use crate::{Found, UnusableLine};

/// The room for the first line, which says how many follow and so is written last.
const HEADER_BYTES: usize = 1024;

/// Why a copy ended early.
#[derive(Debug, thiserror::Error)]
enum CopyFailure {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

/// Copies an org into a file.
pub(super) async fn export(account: &StackAccount, export: OrgExport) -> Result<Found> {
    let product = Product::open(account).await?;
    let scope = product.scope(&export.id)?;
    let table = match &export.from_table {
        Some(name) => product.table.copied_as(name.clone()),
        None => product.table.clone(),
    };
    let is_there = table.org(&scope).await.context("the table cannot be read")?.is_some();
    if !is_there {
        let place = export.from_table.as_deref().unwrap_or("the stack's table");
        return Err(UnusableLine(format!("no org {} in {place}", export.id)).into());
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&export.to);
    let file =
        file.map_err(|error| UnusableLine(format!("--to {} cannot be created: {error}", export.to.display())))?;
    // Recorded in the stack's table, whichever is read.
    let access = product.begin(&scope, AuditAct::OrgCopy).await?;
    let (now, pace) = (clock::now(), ReadPace::new(export.units));
    let walk = OrgWalk { table: &table, scope: &scope, pace: &pace };
    let name = export.from_table.clone().map_or_else(env::table_name, Ok)?;
    let header = |items| CopyHeader::new(account.stack.name.clone(), name, scope.org().clone(), now, items);
    let copied = write_copy(file, walk, now, header).await;
    if copied.is_err() {
        // Half a copy is of no use, and would only be in the way of the next one.
        std::fs::remove_file(&export.to)?;
    }
    let items = match copied {
        Err(CopyFailure::File(error)) => {
            access.trail.finish(AuditOutcome::Failed, None).await;
            bail!("{} cannot be written: {error}", export.to.display())
        }
        Err(CopyFailure::Table(error)) => end(&access.trail, Err(ActError::Work(error.into()))).await?,
        Ok(items) => end(&access.trail, Ok(items)).await?,
    };
    println!("copied: {} of org {} into {}", count(items, "item", "items"), scope.org(), export.to.display());
    println!("It has personal data and no token. Delete it when it is of no more use.");
    Ok(Found::Fine)
}

/// Writes the items, and then the header into the room that was left for it.
async fn write_copy(
    file: File,
    walk: OrgWalk<'_>,
    now: Timestamp,
    header: impl FnOnce(usize) -> CopyHeader,
) -> Result<usize, CopyFailure> {
    let mut file = BufWriter::new(file);
    file.write_all(&[b' '; HEADER_BYTES])?;
    file.write_all(b"\n")?;
    let items = copy_org(walk, now, |line| Ok::<_, CopyFailure>(writeln!(file, "{line}")?)).await?;
    let header = serde_json::to_string(&header(items)).map_err(std::io::Error::from)?;
    file.seek(SeekFrom::Start(0))?;
    write!(file, "{header:<HEADER_BYTES$}")?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(items)
}

/// Puts a copy back where items are absent.
pub(super) async fn import(account: &StackAccount, path: &Path, dry_run: bool) -> Result<Found> {
    let (header, _) = open(path)?;
    let product = Product::open(account).await?;
    let scope = product.scope(header.org.as_str())?;
    let lines = || {
        let opened = open(path).map(|(_, lines)| lines);
        opened.into_iter().flatten().map_while(std::io::Result::ok)
    };
    let now = clock::now();
    println!(
        "copy of org {} from {} ({}), {}",
        header.org,
        header.table,
        header.at,
        count(header.items, "item", "items")
    );
    let restored = if dry_run {
        restore_org(&product.table, &scope, &header, lines, now, true).await.map_err(explain)?
    } else {
        let access = product.begin(&scope, AuditAct::OrgRestore).await?;
        let restored = restore_org(&product.table, &scope, &header, lines, now, false).await;
        match restored {
            Ok(restored) => end(&access.trail, Ok(restored)).await?,
            Err(CopyProblem::Work(error)) => end(&access.trail, Err(ActError::Work(error))).await?,
            Err(problem) => {
                access.trail.finish(AuditOutcome::Refused, None).await;
                return Err(explain(problem));
            }
        }
    };
    print(&restored, dry_run);
    Ok(Found::Fine)
}

fn print(restored: &Restored, dry_run: bool) {
    let Restored { stored, held, present, erased, expired } = *restored;
    println!("{}: {}", if dry_run { "would be put back" } else { "put back" }, count(stored, "item", "items"));
    println!("there already, left as they are: {present}");
    println!("of people who were erased since, left out: {erased}");
    println!("expired, left out: {expired}");
    if held > 0 {
        println!("posts and answers whose time has passed, which no worker sends: {held}. They may be public already:");
        println!("look at Meta, then publish or cancel each in the console");
    }
    if stored > 0 && !dry_run {
        println!(
            "Tokens are in no copy: an integration whose secret is gone is found by its next check, and an admin reconnects it."
        );
    }
}

fn explain(problem: CopyProblem) -> anyhow::Error {
    match problem {
        CopyProblem::Work(error) => error.into(),
        other => UnusableLine(format!("the file cannot be used: {other}")).into(),
    }
}

/// Opens a copy, and reads its first line.
fn open(path: &Path) -> Result<(CopyHeader, std::io::Lines<BufReader<File>>)> {
    let file = File::open(path).map_err(|error| UnusableLine(format!("{} cannot be read: {error}", path.display())))?;
    let mut lines = BufReader::new(file).lines();
    let first = lines.next().transpose().ok().flatten().unwrap_or_default();
    let header = CopyHeader::parse(first.trim_end()).map_err(explain)?;
    Ok((header, lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_copy_is_refused_with_its_name() {
        let error = open(Path::new("/nowhere/copy.jsonl")).unwrap_err();
        assert!(error.is::<UnusableLine>() && error.to_string().contains("/nowhere/copy.jsonl"), "{error}");
        let error = open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap_err();
        assert!(error.to_string().contains("header of a copy"), "{error}");
    }
}
