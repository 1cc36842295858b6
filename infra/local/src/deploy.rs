//! Builds the functions and deploys the template, as `sam deploy` does for the stage `local` of `samconfig.toml`.
//!
//! Two things differ from a deployment to AWS. Unless release packages are requested, cargo builds the functions for this
//! machine, with the profile `local`. The template is a copy that [`crate::template`] adapts to MiniStack.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use aws_calls::{Aws, ROOT_KEY, Stack};
use http::Method;
use serde_json::Value;
use tokio::process::Command;
use zip::write::SimpleFileOptions;

use crate::command;
use crate::packages;
use crate::progress::Step;
use crate::python::Environment;
use crate::supervisor::Supervisor;
use crate::template::Template;
use crate::workdir::{self, Workdir};

const PACKAGE_BUCKET: &str = "packages";

/// The stage `local` of `samconfig.toml`.
pub(crate) struct Stage {
    pub(crate) stack: String,
    pub(crate) region: String,
    parameters: BTreeMap<String, String>,
}

impl Stage {
    pub(crate) fn read() -> Result<Self> {
        let path = workdir::root().join("samconfig.toml");
        let file: toml::Table = fs::read_to_string(&path)?.parse().with_context(|| format!("{}", path.display()))?;
        Self::parse(&file).with_context(|| format!("{} needs a section local.deploy.parameters", path.display()))
    }

    fn parse(file: &toml::Table) -> Option<Self> {
        let section = file.get("local")?.get("deploy")?.get("parameters")?;
        let text = |key: &str| Some(section.get(key)?.as_str()?.to_owned());
        let overrides = section.get("parameter_overrides").and_then(toml::Value::as_array);
        let parameters = overrides.into_iter().flatten().filter_map(|item| item.as_str()?.split_once('='));
        Some(Self {
            stack: text("stack_name")?,
            region: text("region")?,
            parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        })
    }
}

/// What cargo compiles.
#[derive(Debug, Clone, Copy)]
pub enum Build {
    /// The programs.
    Programs,
    /// The programs and the tests. Needed inside a test: cargo has already compiled the dependencies with the features
    /// that the tests request, and building the programs alone would compile them again without these features.
    ProgramsAndTests,
}

/// Which build of the functions is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build.
    Local,
    /// The release packages, see [`crate::packages`].
    Release,
}

/// Compiles the workspace with the profile `local`.
pub(crate) async fn build(supervisor: &Supervisor, step: &Step, what: Build, log: &Path) -> Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let targets = match what {
        Build::Programs => "--bins",
        Build::ProgramsAndTests => "--all-targets",
    };
    cargo.args(["build", "--workspace", "--profile", "local", targets]).current_dir(workdir::root());
    command::run(supervisor, step, &mut cargo, log).await
}

/// Creates the Lambda package of each function.
pub(crate) fn package(template: &Template, workdir: &Workdir, profile: Profile) -> Result<()> {
    for function in template.functions()? {
        let program = match profile {
            Profile::Local => workdir::program_file(&function.name),
            Profile::Release => packages::program_file(&function.name),
        };
        let mut program = File::open(&program).with_context(|| format!("{} was not built", program.display()))?;
        let package = File::create(workdir.run_file("packages").join(format!("{}.zip", function.name)))?;
        let mut package = zip::ZipWriter::new(package);
        // Uncompressed: MiniStack unpacks it on the same machine.
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        package.start_file("bootstrap", options.unix_permissions(0o755).large_file(false))?;
        io::copy(&mut program, &mut package)?;
        package.finish()?.flush()?;
    }
    Ok(())
}

/// Deploys the stack. `parameters` holds the values known only to this run; the stage provides the rest.
pub(crate) async fn deploy(
    supervisor: &Supervisor,
    step: &Step,
    workdir: &Workdir,
    aws: &Aws,
    stage: &Stage,
    template: &Template,
    parameters: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<()> {
    let mut values = stage.parameters.clone();
    values.extend(parameters.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let copy = workdir.run_file("template.json");
    let document = template.adapt_to_ministack(&values, &workdir.run_file("packages"))?;
    fs::write(&copy, serde_json::to_vec_pretty(&document)?)?;
    aws.rest("s3", Method::PUT, &format!("/{PACKAGE_BUCKET}"), &Value::Null).await?;

    let mut sam = Environment::Sam.command("sam", &workdir.run_file("tmp"));
    sam.args(["deploy", "--config-env", "local", "--no-progressbar", "--no-fail-on-empty-changeset"]);
    sam.arg("--config-file").arg(workdir::root().join("samconfig.toml"));
    sam.arg("--template-file").arg(&copy).args(["--s3-bucket", PACKAGE_BUCKET]);
    sam.arg("--parameter-overrides").args(values.iter().map(|(name, value)| format!("{name}={value}")));
    sam.env("AWS_ENDPOINT_URL", aws.endpoint()).env("AWS_REGION", &stage.region);
    sam.env("AWS_ACCESS_KEY_ID", ROOT_KEY).env("AWS_SECRET_ACCESS_KEY", ROOT_KEY);
    let log = workdir.log_file("sam-deploy");
    let Err(error) = command::run(supervisor, step, &mut sam, &log).await else { return Ok(()) };
    match Stack::failures(aws, &stage.stack).await {
        Ok(failures) if !failures.is_empty() => {
            bail!("sam deploy failed; its log is {}\n    {}", log.display(), failures.join("\n    "))
        }
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_gives_stack_region_and_parameters() {
        let file = "[local.deploy.parameters]\nstack_name = 's'\nregion = 'r'\nparameter_overrides = ['A=1', 'B=x=y']";
        let stage = Stage::parse(&file.parse().unwrap()).unwrap();
        assert_eq!((stage.stack.as_str(), stage.region.as_str()), ("s", "r"));
        assert_eq!(stage.parameters, BTreeMap::from([("A".into(), "1".into()), ("B".into(), "x=y".into())]));
    }
}
