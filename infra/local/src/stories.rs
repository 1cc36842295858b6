//! `cargo stories`: the end-to-end stories of some modules, over the same system as under `cargo verify`.

use std::collections::BTreeSet;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::deploy::Profile;
use crate::packages::{Architecture, Packages};
use crate::progress::Progress;
use crate::supervisor::Supervisor;
use crate::system::RELEASE_VARIABLE;
use crate::test_programs::{self, TestProgram, use_test_threads};
use crate::verify::{install_environments, install_tools, run_check};
use crate::workdir::{self, Workdir};

/// Runs the stories of the modules whose names start with one of `prefixes`, or all stories if there are no prefixes.
/// `test_arguments` go to the test program as they are. The system runs the functions of `profile`.
///
/// # Errors
/// If a story fails, or if a prefix matches no module.
pub async fn run(prefixes: &[String], test_arguments: &[String], locked: bool, profile: Profile) -> Result<()> {
    if profile == Profile::Release {
        // Before the stories, which would build them without showing it.
        Packages::build(Architecture::host(), &[]).await?;
    }
    let supervisor = Supervisor::start()?;
    let workdir = Workdir::lock(&workdir::cargo_target().join("verify"))?;
    install_environments(&supervisor, &Progress::detect(), &workdir).await?;
    install_tools(&supervisor).await?;
    let programs = test_programs::build(&supervisor, if locked { &["--locked"] } else { &[] }).await?;
    let program = programs.iter().find(|program| program.is_stories()).context("the stories were not built")?;
    let mut test = Command::new(&program.file);
    if !prefixes.is_empty() {
        // By full names: the test program's own filters match anywhere in a name, and `leads` contains `ads`.
        test.arg("--exact").args(select(&list(&supervisor, program).await?, prefixes)?);
    }
    use_test_threads(&mut test).args(test_arguments).current_dir(&program.package);
    if profile == Profile::Release {
        test.env(RELEASE_VARIABLE, "true");
    }
    run_check(&supervisor, format!("stories {}", prefixes.join(" ")).trim_end(), &mut test).await
}

/// The names of all stories, such as `leads::lists_are_filtered_and_paged`.
async fn list(supervisor: &Supervisor, program: &TestProgram) -> Result<Vec<String>> {
    let mut command = Command::new(&program.file);
    command.args(["--list", "--format", "terse"]).current_dir(&program.package);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let output = supervisor.spawn(&mut command)?.wait_with_output().await?;
    if !output.status.success() {
        bail!("the stories cannot be listed ({})", output.status);
    }
    let lines = String::from_utf8(output.stdout)?;
    Ok(lines.lines().filter_map(|line| line.strip_suffix(": test")).map(ToOwned::to_owned).collect())
}

/// The stories of the modules that start with one of the prefixes.
fn select<'s>(stories: &'s [String], prefixes: &[String]) -> Result<Vec<&'s str>> {
    if let Some(prefix) = prefixes.iter().find(|prefix| !stories.iter().any(|story| story.starts_with(*prefix))) {
        let modules: BTreeSet<&str> = stories.iter().filter_map(|story| Some(story.split_once("::")?.0)).collect();
        let modules: Vec<&str> = modules.into_iter().collect();
        bail!("no module of the stories starts with {prefix:?}; there are: {}", modules.join(", "));
    }
    let is_selected = |story: &&str| prefixes.iter().any(|prefix| story.starts_with(prefix));
    Ok(stories.iter().map(String::as_str).filter(is_selected).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_select_modules() {
        let stories = ["ads::a", "ads_sync::b", "leads::c", "leads::d"].map(String::from);
        let select = |prefixes: &[&str]| {
            let prefixes: Vec<String> = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
            select(&stories, &prefixes)
        };
        assert_eq!(select(&["ads"]).unwrap(), ["ads::a", "ads_sync::b"]);
        assert_eq!(select(&["ads_", "leads"]).unwrap(), ["ads_sync::b", "leads::c", "leads::d"]);
        let error = select(&["leads", "nothing"]).unwrap_err().to_string();
        assert!(error.contains("nothing") && error.ends_with("ads, ads_sync, leads"), "{error}");
    }
}
