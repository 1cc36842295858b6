//! The simulator as a program. Prints `listening <url>` on standard output once it accepts requests. Logs go to
//! standard error, filtered by `RUST_LOG`.

use std::io::{self, Write};
use std::net::IpAddr;

use anyhow::Context;
use clap::{ArgAction, Parser};
use graph_sim::{Options, seed};
use tracing_subscriber::EnvFilter;

/// Simulates Meta's Graph API, login dialog, lead forms and webhook sender.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 8081)]
    port: u16,
    /// Interface to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// Origin that clients see, used for URLs in responses. Defaults to the listening address.
    #[arg(long)]
    public_url: Option<String>,
    /// Redirect URI the login dialog accepts, compared exactly; may be repeated. Without it: any https address, and
    /// http on localhost.
    #[arg(long = "redirect-uri")]
    redirect_uris: Vec<String>,
    /// Id of the app.
    #[arg(long, default_value = seed::APP_ID)]
    app_id: String,
    /// Secret of the app.
    #[arg(long, env = "GRAPH_SIM_APP_SECRET", default_value = seed::APP_SECRET, hide_env_values = true)]
    app_secret: String,
    /// Verify token sent to a webhook callback when the subscription names none.
    #[arg(long, default_value = seed::VERIFY_TOKEN)]
    verify_token: String,
    /// "Require App Secret": reject calls without appsecret_proof.
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    require_proof: bool,
    /// URL to notify when a person removes the app.
    #[arg(long)]
    deauthorize_url: Option<String>,
    /// URL to notify when a person requests deletion of their data.
    #[arg(long)]
    deletion_url: Option<String>,
    /// Send ids in webhooks as numbers, as in Meta's documentation, instead of strings.
    #[arg(long)]
    numeric_webhook_ids: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,graph_sim=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let arguments = Arguments::parse();
    let (host, port) = (arguments.host, arguments.port);
    let handle = graph_sim::start(Options {
        host,
        port,
        public_url: arguments.public_url,
        redirect_uris: arguments.redirect_uris,
        app_id: arguments.app_id,
        app_secret: arguments.app_secret,
        verify_token: arguments.verify_token,
        require_proof: arguments.require_proof,
        deauthorize_url: arguments.deauthorize_url,
        deletion_url: arguments.deletion_url,
        numeric_webhook_ids: arguments.numeric_webhook_ids,
    })
    .await
    .with_context(|| format!("Failed to listen on {host}:{port}"))?;
    let mut stdout = io::stdout();
    writeln!(stdout, "listening {}", handle.url())
        .and_then(|()| stdout.flush())
        .context("Failed to print the address")?;
    tokio::signal::ctrl_c().await.context("Failed to wait for Ctrl-C")
}
