//! Schemathesis, for the story that asks the API whatever its description allows, and more.

use std::path::Path;

use anyhow::Result;
use tokio::process::Command;

use crate::progress::Progress;
use crate::python::Environment;
use crate::supervisor::Supervisor;
use crate::workdir::Workdir;

/// Returns a command for Schemathesis, after installing it if necessary. Its log and its files go to `dir`.
///
/// # Errors
/// If it cannot be installed.
pub async fn command(dir: &Path) -> Result<Command> {
    let workdir = Workdir::lock(dir)?;
    Environment::Schemathesis.install(&Supervisor::start()?, &Progress::Silent, &workdir, false).await?;
    let mut command = Environment::Schemathesis.command("schemathesis", &workdir.run_file("tmp"));
    let tmp = workdir.run_file("tmp");
    std::fs::create_dir_all(&tmp)?;
    // It keeps notes beside it, and Python the hooks' bytecode.
    command.current_dir(tmp).env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    Ok(command)
}
