//! Progress output: a spinner on a terminal, plain lines elsewhere, nothing in tests.

use std::env;
use std::io::{self, IsTerminal};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The interval at which a long step reports that it is still running, where there is no spinner.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(15);

/// How steps are shown.
#[derive(Clone)]
pub enum Progress {
    /// One line per running step, redrawn in place.
    Terminal(MultiProgress),
    /// A periodic line while a step runs and one when it ends.
    Lines,
    /// No output except errors.
    Silent,
}

impl Progress {
    /// Chooses the mode that suits standard error.
    #[must_use]
    pub fn detect() -> Self {
        if io::stderr().is_terminal() && env::var_os("CI").is_none() {
            Self::Terminal(MultiProgress::new())
        } else {
            Self::Lines
        }
    }

    /// Runs a piece of work and shows how long it takes.
    pub(crate) async fn step<T>(&self, name: &str, work: impl AsyncFnOnce(&Step) -> Result<T>) -> Result<T> {
        let step = Step { name: name.to_owned(), begun: Instant::now(), bar: self.bar(name), last: Mutex::default() };
        let outcome = {
            let work = work(&step);
            tokio::pin!(work);
            loop {
                tokio::select! {
                    outcome = &mut work => break outcome,
                    () = tokio::time::sleep(PROGRESS_INTERVAL), if matches!(self, Self::Lines) => {
                        let last: String = step.last.lock().map(|last| last.chars().take(80).collect()).unwrap_or_default();
                        eprintln!("  … {name} ({} s) {last}", step.begun.elapsed().as_secs());
                    }
                }
            }
        };
        let seconds = step.begun.elapsed().as_secs_f32();
        let mark = if outcome.is_ok() { "✓" } else { "✗" };
        let line = format!("{mark} {name} ({seconds:.1} s)");
        match (self, &step.bar) {
            (Self::Terminal(bars), Some(bar)) => {
                bar.finish_and_clear();
                let _ = bars.println(line);
            }
            (Self::Silent, _) => {}
            _ => eprintln!("{line}"),
        }
        outcome
    }

    fn bar(&self, name: &str) -> Option<ProgressBar> {
        let Self::Terminal(bars) = self else { return None };
        let bar = bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} ({elapsed}) {wide_msg:.dim}") {
            bar.set_style(style);
        }
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }
}

/// A step in progress.
pub(crate) struct Step {
    name: String,
    begun: Instant,
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Step {
    /// The name of the step in messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sets the detail shown beside the step, such as the newest line of a program's output.
    pub(crate) fn note(&self, what: &str) {
        let what = what.trim();
        if let Some(bar) = &self.bar {
            bar.set_message(what.to_owned());
        }
        if let Ok(mut last) = self.last.lock() {
            what.clone_into(&mut last);
        }
    }
}
