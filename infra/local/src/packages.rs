//! `cargo packages`: builds the release packages as `sam build` does, starts each function once, and compares the sizes
//! with `tests/bench/budgets.toml`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Deserialize;
use tokio::process::Command;

use crate::command;
use crate::progress::Progress;
use crate::python::Environment;
use crate::stub_runtime::RunningFunction;
use crate::supervisor::Supervisor;
use crate::template::{Function, Template};
use crate::workdir::{self, Workdir};

/// A processor architecture of Lambda, named as in the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    #[value(name = "x86_64")]
    X86_64,
}

impl Architecture {
    /// The architecture of this machine.
    #[must_use]
    pub fn host() -> Self {
        if env::consts::ARCH == "aarch64" { Self::Arm64 } else { Self::X86_64 }
    }

    /// The name in the template.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// cargo-lambda's flag.
    fn flag(self) -> &'static str {
        match self {
            Self::Arm64 => "--arm64",
            Self::X86_64 => "--x86-64",
        }
    }
}

/// The limits in `tests/bench/budgets.toml`, which says what they mean.
#[derive(Debug, Deserialize)]
pub struct Budgets {
    /// The size of each function's binary, in MB.
    pub size_mb: BTreeMap<String, f64>,
    /// The start of each function, as a multiple of a baseline's.
    pub start: BTreeMap<String, f64>,
    /// The CPU time of a delivery by its number of changes, as a multiple of a baseline's.
    pub delivery: BTreeMap<String, f64>,
    /// The console's pages.
    pub pages: PageBudgets,
}

/// The limits of the console's pages.
#[derive(Debug, Deserialize)]
pub struct PageBudgets {
    /// Milliseconds of the function for a page, in the median, the table's included.
    pub server_ms: f64,
    /// Milliseconds that DynamoDB takes for calls at once.
    pub table_ms: f64,
    /// What the first visit loads, compressed: the home page with its stylesheet, scripts and logo.
    pub first_load_bytes: usize,
    /// The pages that need longer, by their names in the measurement.
    pub slower: BTreeMap<String, f64>,
}

impl Budgets {
    /// Reads the file.
    pub fn read() -> Result<Self> {
        let path = workdir::root().join("tests/bench/budgets.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{}", path.display()))
    }
}

/// Builds and checks the packages.
///
/// # Errors
/// If a function does not build, does not start, or exceeds its size. All functions are shown before.
pub async fn run(architecture: Architecture) -> Result<()> {
    let packages = Packages::build(architecture, &[]).await?;
    packages.zip().await?;
    let budgets = Budgets::read()?;
    let mut failures = Vec::new();
    println!("\n{:<16} {:>8} {:>8} {:>8} {:>9}", "function", "binary", "budget", "zip", "start");
    for function in &packages.functions {
        let name = &function.name;
        let size = megabytes(&program_file(name))?;
        let zip = megabytes(&program_file(name).with_extension("zip"))?;
        let budget =
            budgets.size_mb.get(name).copied().with_context(|| format!("{name} has no size in the budgets"))?;
        if size > budget {
            failures.push(format!("{name} has {size:.1} MB, more than its {budget:.1} MB"));
        }
        let start = if architecture == Architecture::host() {
            match packages.start(name, &function.variables).await {
                Ok(started) => format!("{:.1} ms", started.start_time().as_secs_f64() * 1000.0),
                Err(error) => {
                    failures.push(format!("{error:#}"));
                    "failed".to_owned()
                }
            }
        } else {
            "not here".to_owned()
        };
        println!("{name:<16} {size:>5.1} MB {budget:>5.1} MB {zip:>5.1} MB {start:>9}");
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(())
}

/// The release packages of all functions.
pub struct Packages {
    functions: Vec<Function>,
    architecture: Architecture,
    supervisor: Supervisor,
    progress: Progress,
    workdir: Workdir,
}

impl Packages {
    /// Builds the packages, and some programs of the package `baselines` with them.
    ///
    /// # Errors
    /// The error includes the end of the build's output.
    pub async fn build(architecture: Architecture, baselines: &[&str]) -> Result<Self> {
        let packages = Self {
            functions: Template::read()?.functions()?,
            architecture,
            supervisor: Supervisor::start()?,
            progress: Progress::detect(),
            workdir: Workdir::lock(&workdir::cargo_target().join("packages"))?,
        };
        let Self { supervisor, progress, workdir, .. } = &packages;
        Environment::CargoLambda.install(supervisor, progress, workdir, false).await?;
        build(supervisor, progress, workdir, architecture, &packages.functions, baselines).await?;
        Ok(packages)
    }

    /// The functions of the template.
    #[must_use]
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Starts a function or baseline with these variables and a stub of AWS.
    ///
    /// # Errors
    /// If it does not request an event. The error includes the end of its output.
    pub async fn start(&self, name: &str, variables: &[String]) -> Result<RunningFunction> {
        RunningFunction::start(&program_file(name), variables, &self.workdir.log_file(name)).await
    }

    /// Compresses the packages, which SAM does while it deploys.
    async fn zip(&self) -> Result<()> {
        let mut zip = cargo_lambda(self.architecture, &self.functions, &[]);
        zip.args(["--output-format", "zip"]);
        let log = self.workdir.log_file("zip");
        self.progress.step("zip", async |step| command::run(&self.supervisor, step, &mut zip, &log).await).await
    }
}

/// Builds one function with the profile `local` and starts it with a stub of AWS. Also returns the file with its output.
///
/// # Errors
/// If it does not build, or does not request an event. The error includes the end of its output.
pub async fn start_quick_build(name: &str) -> Result<(RunningFunction, PathBuf)> {
    let functions = Template::read()?.functions()?;
    let function = functions.iter().find(|function| function.name == name).with_context(|| format!("no {name}"))?;
    let (supervisor, progress) = (Supervisor::start()?, Progress::detect());
    let workdir = Workdir::lock(&workdir::cargo_target().join("quick"))?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--workspace", "--profile", "local", "--bin", name]).current_dir(workdir::root());
    let (build_log, log) = (workdir.log_file("build"), workdir.log_file(name));
    progress.step("cargo build", async |step| command::run(&supervisor, step, &mut cargo, &build_log).await).await?;
    Ok((RunningFunction::start(&workdir::program_file(name), &function.variables, &log).await?, log))
}

/// The file of a release program.
pub(crate) fn program_file(name: &str) -> PathBuf {
    workdir::cargo_target().join("lambda").join(name).join("bootstrap")
}

/// Builds the functions in one call, with the profile `release`. Needs [`Environment::CargoLambda`].
pub(crate) async fn build(
    supervisor: &Supervisor,
    progress: &Progress,
    workdir: &Workdir,
    architecture: Architecture,
    functions: &[Function],
    baselines: &[&str],
) -> Result<()> {
    let mut build = cargo_lambda(architecture, functions, baselines);
    let log = workdir.log_file("packages");
    progress.step("cargo lambda build", async |step| command::run(supervisor, step, &mut build, &log).await).await
}

fn cargo_lambda(architecture: Architecture, functions: &[Function], baselines: &[&str]) -> Command {
    let environment = Environment::CargoLambda.programs();
    let mut command = Command::new(environment.join("cargo-lambda"));
    command.args(["lambda", "build", "--release", architecture.flag()]).current_dir(workdir::root());
    for function in functions {
        command.args(["--bin", &function.name]);
    }
    if !baselines.is_empty() {
        // Replaces the list in Cargo.toml, which leaves out the baselines as well.
        for package in ["bench", "e2e", "graph-sim", "local"] {
            command.args(["--exclude", package]);
        }
    }
    for baseline in baselines {
        command.args(["--bin", baseline]);
    }
    // It looks for zig, which is a program of the same environment.
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([environment].into_iter().chain(env::split_paths(&path))).unwrap_or(path);
    command.env("PATH", path);
    command
}

#[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
fn megabytes(file: &std::path::Path) -> Result<f64> {
    let size = fs::metadata(file).with_context(|| format!("{} was not built", file.display()))?.len();
    Ok(size as f64 / 1_000_000.0)
}
