//! The memory and the open files of the system's processes over time.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

/// A process younger than this still grows into its work.
const YOUTH: Duration = Duration::from_secs(300);
/// Growth of a function's memory that is no leak: a share, and bytes.
const FREE_SHARE: f64 = 0.25;
const FREE_BYTES: f64 = 20e6;
/// The same of open files: connections come and go.
const FREE_FILES: usize = 30;

/// A process as it was at one time.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    memory: u64,
    files: usize,
}

/// What was seen of the processes of one name.
#[derive(Debug)]
pub(super) struct Watched {
    /// The function, `graph-sim` or `ministack`.
    pub(super) name: String,
    /// How many there were, one after the other or at once.
    pub(super) count: usize,
    /// The most bytes that one had.
    pub(super) most_memory: u64,
    /// The most files that one had open.
    pub(super) most_files: usize,
}

/// Looks at the processes of one system.
pub(super) struct Watcher {
    endpoint: String,
    system: System,
    samples: BTreeMap<(String, Pid), Vec<Sample>>,
}

impl Watcher {
    /// Watches the system whose local AWS has this address.
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Self> {
        let system = System::new()?;
        Ok(Self { endpoint: format!("AWS_ENDPOINT_URL={endpoint}"), system, samples: BTreeMap::new() })
    }

    /// Looks at all of them now.
    pub(super) fn look(&mut self) {
        let what = ProcessRefreshKind::nothing().with_environ(UpdateKind::OnlyIfNotSet).with_memory();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, what.with_exe(UpdateKind::OnlyIfNotSet));
        let at = Instant::now();
        for (pid, process) in self.system.processes() {
            if process.thread_kind().is_some() {
                continue;
            }
            let variable = |name: &str| {
                let of = |variable: &std::ffi::OsString| Some(variable.to_str()?.strip_prefix(name)?.to_owned());
                process.environ().iter().find_map(of)
            };
            if !process.environ().iter().any(|it| it.to_str() == Some(&self.endpoint)) {
                continue;
            }
            let program =
                || process.exe().and_then(|exe| exe.file_name()).map(|name| name.to_string_lossy().into_owned());
            let Some(name) = variable("AWS_LAMBDA_FUNCTION_NAME=").or_else(program) else { continue };
            let files = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
            let sample = Sample { at, memory: process.memory(), files };
            self.samples.entry((name, *pid)).or_default().push(sample);
        }
    }

    /// The processes by name.
    pub(super) fn seen(&self) -> Vec<Watched> {
        let mut found: BTreeMap<&str, Watched> = BTreeMap::new();
        for ((name, _), samples) in &self.samples {
            let watched = found.entry(name).or_insert_with(|| Watched {
                name: name.clone(),
                count: 0,
                most_memory: 0,
                most_files: 0,
            });
            watched.count += 1;
            watched.most_memory = samples.iter().map(|sample| sample.memory).fold(watched.most_memory, u64::max);
            watched.most_files = samples.iter().map(|sample| sample.files).fold(watched.most_files, usize::max);
        }
        found.into_values().collect()
    }

    /// Functions that grow for as long as they live, each with how much. The local AWS and Meta keep all that happened, so
    /// they grow with it.
    pub(super) fn growing(&self) -> Vec<String> {
        self.samples.iter().filter_map(|((name, _), samples)| growth(name, samples)).collect()
    }
}

/// How a process grew from the first third of its life after its youth to the last.
fn growth(name: &str, samples: &[Sample]) -> Option<String> {
    if ["graph-sim", "python3"].iter().any(|other| name.starts_with(other)) {
        return None;
    }
    let born = samples.first()?.at;
    let grown: Vec<&Sample> = samples.iter().filter(|sample| sample.at.duration_since(born) > YOUTH).collect();
    let third = grown.len() / 3;
    if third < 3 {
        return None;
    }
    let (early, late) = (grown.get(..third)?, grown.get(grown.len() - third..)?);
    #[expect(clippy::cast_precision_loss, reason = "bytes of one machine")]
    let memory = |samples: &[&Sample]| samples.iter().map(|sample| sample.memory as f64).sum::<f64>() / third as f64;
    let (before, after) = (memory(early), memory(late));
    if after > before * (1.0 + FREE_SHARE) && after > before + FREE_BYTES {
        return Some(format!("{name} grew from {:.0} to {:.0} MB", before / 1e6, after / 1e6));
    }
    let files = |samples: &[&Sample]| samples.iter().map(|sample| sample.files).max().unwrap_or_default();
    let (before, after) = (files(early), files(late));
    (after > before + FREE_FILES).then(|| format!("{name} had {before} files open, later {after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(memory: impl Fn(u64) -> u64, files: impl Fn(u64) -> usize) -> Vec<Sample> {
        let begun = Instant::now();
        let sample = |minute| Sample {
            at: begun + Duration::from_secs(60 * minute),
            memory: memory(minute) * 1_000_000,
            files: files(minute),
        };
        (0..60).map(sample).collect()
    }

    #[test]
    fn a_process_that_grows_for_as_long_as_it_lives_is_named() {
        assert!(growth("f", &samples(|minute| 50 + minute, |_| 10)).unwrap().contains("MB"));
        assert!(
            growth("f", &samples(|_| 50, |minute| 10 + usize::try_from(minute).unwrap())).unwrap().contains("files")
        );
        assert_eq!(
            growth("f", &samples(|minute| 50 + minute % 7, |minute| 10 + usize::try_from(minute % 9).unwrap())),
            None
        );
        assert_eq!(growth("f", &samples(|minute| if minute < 5 { 10 } else { 90 }, |_| 10)), None, "it was young");
        assert_eq!(growth("graph-sim", &samples(|minute| 50 + 9 * minute, |_| 10)), None);
    }
}
