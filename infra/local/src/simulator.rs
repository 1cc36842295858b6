//! The simulated Meta, `tests/graph-sim`, used only over its network interface, as by any other program.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::command::log_tail;
use crate::supervisor::Supervisor;
use crate::workdir::{self, Workdir};

const SIMULATOR_START_TIMEOUT: Duration = Duration::from_secs(20);

/// The fields the app subscribes to, for each kind of object.
const SUBSCRIBED_FIELDS: [(&str, &str); 3] = [
    (
        "page",
        "leadgen,feed,mention,messages,messaging_postbacks,message_echoes,message_deliveries,message_reads,\
         message_reactions,message_edits,messaging_referrals,messaging_handovers,standby",
    ),
    (
        "instagram",
        "comments,live_comments,mentions,messages,messaging_postbacks,messaging_seen,message_reactions,message_edit,\
         messaging_referral,messaging_handover,standby",
    ),
    ("whatsapp_business_account", "messages,smb_message_echoes,user_id_update"),
];

/// The running simulator.
pub(crate) struct Simulator {
    pub(crate) url: String,
    process: Child,
    log: PathBuf,
    http: reqwest::Client,
}

/// The Meta app.
#[derive(Deserialize)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) verify_token: String,
}

/// The part of the simulator's state that is used here.
#[derive(Deserialize)]
pub(crate) struct SimulatorState {
    pub(crate) app: App,
    pub(crate) pages: Vec<Page>,
}

/// A page of the simulated Meta.
#[derive(Deserialize)]
pub(crate) struct Page {
    #[serde(default)]
    pub(crate) subscribed_fields: Vec<String>,
    pub(crate) forms: Vec<Form>,
}

/// A lead form of a page.
#[derive(Deserialize)]
pub(crate) struct Form {
    pub(crate) id: String,
}

#[derive(Deserialize)]
struct Leads {
    ids: Vec<String>,
}

impl Simulator {
    pub(crate) async fn start(supervisor: &Supervisor, workdir: &Workdir) -> Result<Self> {
        let log = workdir.log_file("graph-sim");
        let errors = OpenOptions::new().create(true).append(true).open(&log)?;
        let mut command = Command::new(workdir::program_file("graph-sim"));
        command.args(["--port", "0"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let mut process = supervisor.spawn(&mut command).context("cannot run the simulator")?;
        let mut output = BufReader::new(process.stdout.take().context("the simulator has no output")?).lines();
        // The simulator prints its address once it listens.
        let url = timeout(SIMULATOR_START_TIMEOUT, async {
            while let Some(line) = output.next_line().await? {
                if let Some(url) = line.strip_prefix("listening ") {
                    return Ok(url.trim().trim_end_matches('/').to_owned());
                }
            }
            let status = process.wait().await?;
            bail!("the simulator stopped ({status}); its log is {}\n{}", log.display(), log_tail(&log))
        })
        .await
        .with_context(|| format!("the simulator does not say where it listens; its log is {}", log.display()))??;
        // The output must be drained, or the simulator would block on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        Ok(Self { url, process, log, http })
    }

    /// Returns the simulator's state.
    pub(crate) async fn state(&self) -> Result<SimulatorState> {
        let answer = self.http.get(format!("{}/_sim/state", self.url)).send().await?.error_for_status()?;
        answer.json().await.context("the simulator's state is not as expected")
    }

    /// Subscribes the app's webhooks to `callback`. Meta verifies the URL at once: it must echo Meta's challenge.
    pub(crate) async fn subscribe(&self, app: &App, callback: &str) -> Result<()> {
        for (object, fields) in SUBSCRIBED_FIELDS {
            let form = [
                ("object", object),
                ("fields", fields),
                ("callback_url", callback),
                ("verify_token", &app.verify_token),
                ("access_token", &format!("{}|{}", app.id, app.secret)),
            ];
            let answer = self.http.post(format!("{}/{}/subscriptions", self.url, app.id)).form(&form).send().await?;
            let (status, body) = (answer.status(), answer.text().await?);
            if !status.is_success() {
                bail!("the simulated Meta did not accept our webhook for {object}: {status} {body}");
            }
        }
        Ok(())
    }

    /// Sets the app's deauthorization and data deletion callbacks, as its developer would in the app dashboard.
    pub(crate) async fn set_privacy_callbacks(&self, url: &str) -> Result<()> {
        let addresses = json!({
            "deauthorize_url": format!("{url}/connect/deauthorize/facebook"),
            "deletion_url": format!("{url}/connect/deletion/facebook"),
        });
        let answer = self.http.post(format!("{}/_sim/app", self.url)).json(&addresses).send().await?;
        answer.error_for_status().context("the simulated Meta did not take our privacy callbacks")?;
        Ok(())
    }

    /// Submits a lead form and returns the lead's id.
    pub(crate) async fn submit_lead(&self, form: &str) -> Result<String> {
        let lead = json!({ "form_id": form, "count": 1 });
        let answer = self.http.post(format!("{}/_sim/leads", self.url)).json(&lead).send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        let leads: Option<Leads> = serde_json::from_str(&body).ok();
        let id = leads.and_then(|leads| leads.ids.into_iter().next());
        id.with_context(|| format!("the simulator did not take the lead: {status} {body}"))
    }

    /// Waits for the simulator to stop, which is always a failure, and returns the reason.
    pub(crate) async fn wait_for_exit(&mut self) -> Result<String> {
        let status = self.process.wait().await?;
        Ok(format!("the simulator stopped ({status}); its log is {}\n{}", self.log.display(), log_tail(&self.log)))
    }
}
