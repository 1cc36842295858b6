//! `cargo calendar`: the tests on other days. A test that depends on the date fails here first.
//!
//! Tests run under `faketime`, which shifts the clock of a program and of all it starts; cargo itself keeps the real one.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use tokio::process::Command;

use crate::supervisor::Supervisor;
use crate::test_programs;

/// The ends and beginnings of months and years, leap days, and the hours around every change of the clocks in New York
/// and Berlin, most of them a moment before or after midnight in one of the zones of the tests' accounts.
const MOMENTS: &str = include_str!("../moments.txt");
/// The moments of `cargo verify`: the end of a leap day, a clock change, and the end of a year while the account is on
/// another day than UTC.
const VERIFY_MOMENTS: [&str; 3] = ["2028-02-29T23:58:00Z", "2027-03-14T06:58:00Z", "2028-01-01T04:30:00Z"];
/// Modules of the stories that need no running system.
const MODULES_WITHOUT_SYSTEM: [&str; 3] = ["ads_oddities", "ads_schedule", "ads_sync"];

const FAKETIME_HELP: &str =
    "cannot run faketime: install it (Debian: apt-get install faketime), or run cargo verify once";

/// Which tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Only tests that need no running system: rules, table, simulator, and syncs of ads.
    Parts,
    /// All tests. The stories get a system of their own at each moment.
    Stories,
}

/// Runs the tests at each moment, or at all [`MOMENTS`] if the list is empty. Continues with the next moment after a
/// failure.
///
/// # Errors
/// If a test failed at any moment.
pub async fn run(moments: &[Timestamp], extent: Extent) -> Result<()> {
    let supervisor = Supervisor::start()?;
    let all = parse_moments(MOMENTS.lines())?;
    let moments = if moments.is_empty() { &all } else { moments };
    run_at_moments(&supervisor, moments, extent, &[]).await
}

/// Runs the tests at the few moments of `cargo verify`.
pub(crate) async fn run_verify_moments(supervisor: &Supervisor, locked: &[&str]) -> Result<()> {
    run_at_moments(supervisor, &parse_moments(VERIFY_MOMENTS)?, Extent::Parts, locked).await
}

fn parse_moments<'t>(moments: impl IntoIterator<Item = &'t str>) -> Result<Vec<Timestamp>> {
    moments.into_iter().map(|moment| moment.parse().with_context(|| format!("{moment:?} is no time"))).collect()
}

async fn run_at_moments(supervisor: &Supervisor, moments: &[Timestamp], extent: Extent, locked: &[&str]) -> Result<()> {
    let programs = test_programs::build(supervisor, locked).await?;
    let mut failed = Vec::new();
    for moment in moments {
        let begun = Instant::now();
        for program in &programs {
            let mut test = faketime_command(*moment, &program.file)?;
            test.current_dir(&program.package).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            if program.is_stories() && extent == Extent::Parts {
                test.args(MODULES_WITHOUT_SYSTEM.map(|module| format!("{module}::")));
            }
            let output = supervisor.spawn(&mut test).context(FAKETIME_HELP)?.wait_with_output().await?;
            if !output.status.success() {
                let name = program.name();
                let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
                eprintln!("{}\n✗ {name} at {moment} ({})", said.concat(), output.status);
                failed.push(moment.to_string());
            }
        }
        let verdict = if failed.last() == Some(&moment.to_string()) { "✗" } else { "✓" };
        eprintln!("{verdict} tests at {moment} ({:.1} s)", begun.elapsed().as_secs_f32());
    }
    failed.dedup();
    match failed.as_slice() {
        [] => Ok(()),
        failed => bail!("tests failed at {} of {} moments: {}", failed.len(), moments.len(), failed.join(", ")),
    }
}

/// Returns a command that runs a program with its clock set to this moment.
fn faketime_command(moment: Timestamp, program: &Path) -> Result<Command> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let mut command = Command::new("faketime");
    command.args(["--exclude-monotonic", "-f", &format!("{:+}s", moment.as_second() - now)]).arg(program);
    // File times stay real, because cargo compares them.
    command.env("NO_FAKE_STAT", "1");
    Ok(command)
}

/// The environment variables through which faketime works, for programs that inherit no others.
pub(crate) fn faketime_variables() -> impl Iterator<Item = (OsString, OsString)> {
    env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| name == "LD_PRELOAD" || name.starts_with("FAKETIME") || name == "NO_FAKE_STAT")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_is_one() {
        let moments = parse_moments(MOMENTS.lines()).unwrap();
        assert!(moments.len() >= 40);
        assert_eq!(parse_moments(VERIFY_MOMENTS).unwrap().len(), VERIFY_MOMENTS.len());
    }

    /// The stories that bring their own parts of the system, and no others.
    #[test]
    fn every_module_that_needs_no_system_is_run() {
        let stories = crate::workdir::root().join("tests/e2e/tests/it");
        let mut found: Vec<String> = Vec::new();
        for file in std::fs::read_dir(stories).unwrap().map(|file| file.unwrap().path()) {
            let text = if file.is_file() { std::fs::read_to_string(&file).unwrap() } else { String::new() };
            if text.contains("AdsHarness::") && !text.contains("world()") {
                found.push(file.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
        found.sort();
        assert_eq!(found, MODULES_WITHOUT_SYSTEM);
    }
}
