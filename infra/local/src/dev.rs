//! `cargo dev`: a running system for interactive use.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::system::{Options, System};
use crate::workdir;

/// Returns the folder of `cargo dev`, which holds `endpoints.json`. It is fixed, independent of cargo's target
/// directory.
#[must_use]
pub fn folder() -> PathBuf {
    workdir::root().join("target/local")
}

/// Has the alarms judged again and again, as CloudWatch does, so that their states and metrics in MiniStack are true.
async fn judge_alarms(url: &str) {
    const INTERVAL: Duration = Duration::from_secs(15);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let _ = reqwest::get(format!("{url}/_local/alarms")).await;
    }
}

/// Starts a system, prints its addresses, and runs until one of its parts stops.
///
/// # Errors
/// Always returns an error: the startup failure, or the reason a part stopped.
pub async fn run(options: Options) -> Result<()> {
    let mut system = System::start(options).await?;
    if let Some((lead, time)) = system.demo_lead() {
        println!("\nA lead, {:.1} s after its form was sent:\n{lead:#}\n", time.as_secs_f32());
    }
    let endpoints = system.endpoints().clone();
    println!("logins      {}/_local/", endpoints.url);
    println!("alarms      {}/_local/alarms", endpoints.url);
    println!("Meta        {}", endpoints.graph_sim);
    println!("AWS         {}", endpoints.aws_endpoint);
    println!("addresses, logins and tokens are in {}", system.endpoints_file().display());
    println!("Ctrl-C ends all of it.\n");
    println!("ready {}", endpoints.url);
    tokio::select! {
        reason = system.wait_for_exit() => bail!(reason?),
        () = judge_alarms(&endpoints.url) => bail!("the alarms are no longer judged"),
    }
}
