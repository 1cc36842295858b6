//! The test programs of the workspace, built but not run by cargo.
//!
//! `cargo test --package …` would select other features than a build of the whole workspace does, and compile the
//! dependencies again.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::supervisor::Supervisor;
use crate::verify::cargo_command;

/// Sets how many tests run at once: two on each core, because stories mostly wait.
pub(crate) fn use_test_threads(command: &mut Command) -> &mut Command {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    command.env("RUST_TEST_THREADS", (2 * cores).to_string())
}

/// A program with tests in it.
pub(crate) struct TestProgram {
    pub(crate) file: PathBuf,
    /// The folder of its package, which cargo would run it in.
    pub(crate) package: PathBuf,
}

impl TestProgram {
    /// Whether this is the program of the stories, `tests/e2e/tests/it`.
    pub(crate) fn is_stories(&self) -> bool {
        self.package.ends_with("tests/e2e") && self.name().starts_with("it-")
    }

    /// The file name, such as `it-0123456789abcdef`.
    pub(crate) fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Builds all test programs of the workspace with the profile `local`.
pub(crate) async fn build(supervisor: &Supervisor, locked: &[&str]) -> Result<Vec<TestProgram>> {
    let mut build = cargo_command();
    build.args(["test", "--workspace", "--profile", "local", "--no-run", "--message-format", "json"]).args(locked);
    build.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let output = supervisor.spawn(&mut build)?.wait_with_output().await?;
    if !output.status.success() {
        bail!("the tests cannot be built");
    }
    let messages = String::from_utf8(output.stdout)?;
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs: Vec<TestProgram> = artifacts
        .filter(|artifact| artifact.pointer("/profile/test") == Some(&Value::Bool(true)))
        .filter_map(|artifact| {
            let package = Path::new(artifact.get("manifest_path")?.as_str()?).parent()?.to_path_buf();
            Some(TestProgram { file: PathBuf::from(artifact.get("executable")?.as_str()?), package })
        })
        .collect();
    programs.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(programs)
}
