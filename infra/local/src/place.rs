//! Where things are: this checkout, what cargo builds, and what a running system writes.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The checkout this crate was built from.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Where cargo puts what it builds for this workspace.
pub(crate) fn cargo_target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A program of this workspace, as the profile `local` builds it.
pub(crate) fn built(program: &str) -> PathBuf {
    cargo_target().join("local").join(program)
}

/// The folder of one running system. Nobody else uses it while this value lives.
pub(crate) struct Place {
    dir: PathBuf,
    _lock: File,
}

impl Place {
    /// Takes the folder and empties it of what an earlier run left, but for what is dear to make again.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let run = dir.join("run");
        fs::create_dir_all(&run).with_context(|| format!("cannot create {}", run.display()))?;
        let lock = File::create(dir.join("run.lock"))?;
        match lock.try_lock() {
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
        let place = Self { dir: dir.to_path_buf(), _lock: lock };
        // A reader must not take an earlier run's addresses for this one's.
        let _ = fs::remove_file(place.endpoints());
        Ok(place)
    }

    /// What other programs read to find the system.
    pub(crate) fn endpoints(&self) -> PathBuf {
        self.dir.join("endpoints.json")
    }

    /// What a program of somebody's command line sources to work on the system.
    pub(crate) fn environment(&self) -> PathBuf {
        self.dir.join("environment.sh")
    }

    /// The log of one part.
    pub(crate) fn log(&self, part: &str) -> PathBuf {
        self.file("logs").join(format!("{part}.log"))
    }

    /// A file of this run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join("run").join(name)
    }
}
