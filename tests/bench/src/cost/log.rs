//! The bytes that functions write to their logs, of which CloudWatch bills each: those of the rooms as they run here, and
//! those of the webhook as its program writes them.

use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::ensure;
use leadwire::{metrics, telemetry};
use local::packages::start_quick_build;
use tracing::Instrument;

use crate::deliveries::delivery;

tokio::task_local! {
    /// Where the lines of an invocation are counted.
    static LOG: Arc<AtomicU64>;
}

/// Has the product log into the counters instead of to the standard output, as it logs in AWS.
pub(super) fn start() {
    telemetry::init_to(|| Counter);
    metrics::write_by("leadwire-prod", |line| count(line.len() + 1));
}

/// Runs `work` and adds the bytes that it logs to `log`.
pub(super) async fn counted<T>(log: &Arc<AtomicU64>, work: impl Future<Output = T>) -> T {
    // As every line of a function has it.
    let span = tracing::info_span!("work", trace = "0123456789abcdef");
    LOG.scope(Arc::clone(log), work.instrument(span)).await
}

/// What is written outside of an invocation is no function's: the simulated Meta logs too.
fn count(bytes: usize) {
    let _ = LOG.try_with(|log| log.fetch_add(bytes as u64, Ordering::Relaxed));
}

struct Counter;

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        count(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes that the webhook's program logs for a delivery of one lead.
#[expect(clippy::cast_precision_loss, reason = "a small file")]
pub(super) async fn of_webhook() -> anyhow::Result<f64> {
    const DELIVERIES: u32 = 20;
    let (mut webhook, log) = start_quick_build("webhook").await?;
    let event = delivery(1);
    let before = fs::metadata(&log)?.len();
    for _ in 0..DELIVERIES {
        let response = webhook.invoke(event.clone()).await?;
        ensure!(response.get("statusCode").is_some_and(|status| status == 200), "{response}");
    }
    Ok((fs::metadata(&log)?.len() - before) as f64 / f64::from(DELIVERIES))
}
