//! Runs a program to completion and logs its output.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use crate::progress::Step;
use crate::supervisor::Supervisor;

/// The number of log lines an error message includes.
const LOG_TAIL_LINES: usize = 25;

/// Runs the command. On failure, the error names the step and the log, and includes the log's last lines.
pub(crate) async fn run(supervisor: &Supervisor, step: &Step, command: &mut Command, log: &Path) -> Result<()> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = supervisor.spawn(command).with_context(|| format!("{}: cannot run {program}", step.name()))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err, status) = tokio::join!(copy(step, out, log), copy(step, err, log), child.wait());
    out.and(err).with_context(|| format!("cannot write {}", log.display()))?;
    let status = status?;
    if !status.success() {
        bail!("{} failed ({status}); its log is {}\n{}", step.name(), log.display(), log_tail(log));
    }
    Ok(())
}

/// Appends a program's output to its log, line by line.
async fn copy(step: &Step, output: Option<impl AsyncRead + Unpin>, log: &Path) -> Result<()> {
    let Some(output) = output else { return Ok(()) };
    let mut file = OpenOptions::new().create(true).append(true).open(log)?;
    let mut lines = BufReader::new(output).split(b'\n');
    while let Some(line) = lines.next_segment().await? {
        file.write_all(&[line.as_slice(), b"\n"].concat())?;
        step.note(&String::from_utf8_lossy(&line));
    }
    Ok(())
}

/// Returns the last lines of a log, indented.
pub(crate) fn log_tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(LOG_TAIL_LINES)..).unwrap_or_default();
    last.iter().map(|line| format!("    {line}\n")).collect()
}
