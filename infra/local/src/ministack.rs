//! MiniStack, the local AWS. It starts empty and enforces IAM.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::command::tail;
use crate::keeper::Keeper;
use crate::place::Place;
use crate::python::Environment;

const START_LIMIT: Duration = Duration::from_secs(60);

/// The running MiniStack.
pub(crate) struct MiniStack {
    pub(crate) endpoint: String,
    process: Child,
    log: PathBuf,
}

impl MiniStack {
    pub(crate) async fn start(keeper: &Keeper, place: &Place, region: &str) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let log = place.log("ministack");
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        // The functions inherit this environment. It must not contain anything that could stand in for a setting
        // missing from the template.
        let mut command = Environment::MiniStack.program("hypercorn", &place.file("tmp"));
        // No worker processes: the process watched here would then not be the one that serves.
        command.args(["ministack.app:app", "--workers", "0", "--keep-alive", "75", "--bind"]);
        command.arg(format!("127.0.0.1:{port}"));
        command.env("GATEWAY_PORT", port.to_string()).env("MINISTACK_HOST", "127.0.0.1");
        command.env("MINISTACK_REGION", region);
        // Without this variable the functions would call the real AWS.
        command.env("AWS_ENDPOINT_URL", &endpoint);
        command.env("AUTH", "true");
        // Lambda sets these where the template asks for JSON logs.
        command.env("AWS_LAMBDA_LOG_FORMAT", "JSON").env("AWS_LAMBDA_LOG_LEVEL", "INFO");
        // Two MiniStack services would open ports of their own, one of them on all interfaces.
        command.env("IOT_MTLS_ENABLED", "0").env("SFTP_ENABLED", "0");
        command.env("S3_DATA_DIR", place.file("s3")).env("STATE_DIR", place.file("state"));
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = keeper.spawn(&mut command).context("cannot run MiniStack")?;
        let mut ministack = Self { endpoint, process, log };
        ministack.answer().await?;
        Ok(ministack)
    }

    /// Waits until MiniStack is healthy.
    async fn answer(&mut self) -> Result<()> {
        let begun = Instant::now();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let health = format!("{}/_ministack/health", self.endpoint);
        loop {
            if let Some(status) = self.process.try_wait()? {
                bail!(self.stopped(status));
            }
            if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if begun.elapsed() > START_LIMIT {
                bail!("MiniStack does not answer after {} s; its log is {}", START_LIMIT.as_secs(), self.log.display());
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for MiniStack to stop, which is always a failure, and returns the reason.
    pub(crate) async fn death(&mut self) -> Result<String> {
        let status = self.process.wait().await?;
        Ok(self.stopped(status))
    }

    fn stopped(&self, status: ExitStatus) -> String {
        format!("MiniStack stopped ({status}); its log is {}\n{}", self.log.display(), tail(&self.log))
    }
}
