//! Ends every process of a system when the process that started it ends.
//!
//! All processes share one process group, led by a shell that only reads from a pipe whose other end this process
//! holds. The kernel closes that end when this process exits, crashes or is killed. The shell then kills its group,
//! itself included. A destructor alone would not run on SIGKILL, and nothing would end a process group alone.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Holds the write end of the pipe. Dropping it kills the group and waits for the shell to end.
pub(crate) struct Supervisor {
    shell: Child,
    group: i32,
}

impl Supervisor {
    pub(crate) fn start() -> Result<Self> {
        let shell = Command::new("sh")
            .args(["-c", "read -r _; kill -s KILL 0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start a shell")?;
        let group = i32::try_from(shell.id()).context("a process id beyond any process id")?;
        Ok(Self { shell, group })
    }

    /// Starts a program in the process group.
    pub(crate) fn spawn(&self, command: &mut tokio::process::Command) -> io::Result<tokio::process::Child> {
        command.process_group(self.group).spawn()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[tokio::test]
    async fn dropping_it_ends_what_it_started_and_what_that_started() {
        let supervisor = Supervisor::start().unwrap();
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", "sleep 600 & wait"]).stdout(Stdio::piped());
        let mut child = supervisor.spawn(&mut command).unwrap();
        drop(supervisor);
        assert_eq!(child.wait().await.unwrap().signal(), Some(9));
        // The grandchild held the other end of this pipe.
        let mut output = child.stdout.take().unwrap();
        tokio::io::copy(&mut output, &mut tokio::io::sink()).await.unwrap();
    }
}
