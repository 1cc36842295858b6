//! File locations: this checkout, cargo's output, and the folder of a running system.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The checkout this crate was built from.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Cargo's target directory for this workspace.
pub(crate) fn cargo_target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The path of a workspace program built with the profile `local`.
pub(crate) fn program_file(program: &str) -> PathBuf {
    cargo_target().join("local").join(program)
}

/// The folder of one running system, locked against other systems while this value lives.
pub(crate) struct Workdir {
    dir: PathBuf,
    _lock: File,
}

impl Workdir {
    /// Locks the folder and removes the files of an earlier run, except those that are expensive to recreate.
    pub(crate) fn lock(dir: &Path) -> Result<Self> {
        let run = dir.join("run");
        fs::create_dir_all(&run).with_context(|| format!("cannot create {}", run.display()))?;
        let file = File::create(dir.join("run.lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("another system runs in {}: stop it first, with Ctrl-C where it was started", dir.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the folder of the system"),
        }
        fs::remove_dir_all(&run)?;
        for folder in ["logs", "tmp", "packages"] {
            fs::create_dir_all(run.join(folder))?;
        }
        let workdir = Self { dir: dir.to_path_buf(), _lock: file };
        // A reader must not mistake an earlier run's addresses for this run's.
        let _ = fs::remove_file(workdir.endpoints_file());
        Ok(workdir)
    }

    /// The file from which other programs learn the addresses of the system.
    pub(crate) fn endpoints_file(&self) -> PathBuf {
        self.dir.join("endpoints.json")
    }

    /// The file to source before running a command-line program on the system.
    pub(crate) fn environment_file(&self) -> PathBuf {
        self.dir.join("environment.sh")
    }

    /// The log of one part.
    pub(crate) fn log_file(&self, part: &str) -> PathBuf {
        self.run_file("logs").join(format!("{part}.log"))
    }

    /// The path of a file that belongs to this run only.
    pub(crate) fn run_file(&self, name: &str) -> PathBuf {
        self.dir.join("run").join(name)
    }
}
