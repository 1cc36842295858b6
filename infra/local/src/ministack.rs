//! MiniStack, the local AWS. It starts empty and enforces IAM.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::command::log_tail;
use crate::python::Environment;
use crate::supervisor::Supervisor;
use crate::workdir::Workdir;

const MINISTACK_START_TIMEOUT: Duration = Duration::from_secs(60);

/// The running MiniStack.
pub(crate) struct MiniStack {
    pub(crate) endpoint: String,
    process: Child,
    log: PathBuf,
}

impl MiniStack {
    /// Starts it. With `dynamodb`, the functions use that DynamoDB.
    pub(crate) async fn start(
        supervisor: &Supervisor,
        workdir: &Workdir,
        region: &str,
        dynamodb: Option<&str>,
    ) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let log = workdir.log_file("ministack");
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        // The functions inherit this environment. It must not contain anything that could stand in for a setting
        // missing from the template.
        let mut command = Environment::MiniStack.command("hypercorn", &workdir.run_file("tmp"));
        // No worker processes: the process watched here would then not be the one that serves.
        command.args(["ministack.app:app", "--workers", "0", "--keep-alive", "75", "--bind"]);
        command.arg(format!("127.0.0.1:{port}"));
        command.env("GATEWAY_PORT", port.to_string()).env("MINISTACK_HOST", "127.0.0.1");
        command.env("MINISTACK_REGION", region);
        // Without this variable the functions would call the real AWS.
        command.env("AWS_ENDPOINT_URL", &endpoint);
        if let Some(dynamodb) = dynamodb {
            command.env("AWS_ENDPOINT_URL_DYNAMODB", dynamodb);
        }
        command.env("AUTH", "true");
        // Lambda sets these where the template asks for JSON logs.
        command.env("AWS_LAMBDA_LOG_FORMAT", "JSON").env("AWS_LAMBDA_LOG_LEVEL", "INFO");
        // Two MiniStack services would open ports of their own, one of them on all interfaces.
        command.env("IOT_MTLS_ENABLED", "0").env("SFTP_ENABLED", "0");
        command.env("S3_DATA_DIR", workdir.run_file("s3")).env("STATE_DIR", workdir.run_file("state"));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = supervisor.spawn(&mut command).context("cannot run MiniStack")?;
        let mut ministack = Self { endpoint, process, log };
        ministack.wait_until_healthy().await?;
        Ok(ministack)
    }

    /// Waits until MiniStack is healthy.
    async fn wait_until_healthy(&mut self) -> Result<()> {
        let begun = Instant::now();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let health = format!("{}/_ministack/health", self.endpoint);
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!(self.exit_message(status));
            }
            if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if begun.elapsed() > MINISTACK_START_TIMEOUT {
                bail!(
                    "MiniStack does not answer after {} s; its log is {}",
                    MINISTACK_START_TIMEOUT.as_secs(),
                    self.log.display()
                );
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for MiniStack to stop, which is always a failure, and returns the reason.
    pub(crate) async fn wait_for_exit(&mut self) -> Result<String> {
        let status = self.process.wait().await?;
        Ok(self.exit_message(status))
    }

    fn exit_message(&self, status: ExitStatus) -> String {
        format!("MiniStack stopped ({status}); its log is {}\n{}", self.log.display(), log_tail(&self.log))
    }
}
