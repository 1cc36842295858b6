//! The whole product, started on this machine.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::aws::Aws;
use crate::backstage::{self, Backstage, Events};
use crate::deploy::{self, Build, Stage};
use crate::endpoints::{Endpoints, Org};
use crate::keeper::Keeper;
use crate::ministack::MiniStack;
use crate::people::{Pool, TENANTS};
use crate::place::Place;
use crate::progress::Progress;
use crate::python::Environment;
use crate::seed::Caller;
use crate::simulator::{App, Simulator};
use crate::stack::Stack;
use crate::template::Template;
use crate::{environment, front_door, logins, routes};

/// How to start a system.
pub struct Options {
    /// The port of the single origin; 0 picks a free one.
    pub port: u16,
    /// The folder for the logs and `endpoints.json`. Two systems cannot share a folder.
    pub dir: PathBuf,
    /// Whether to connect the demo org and send a lead.
    pub demo: bool,
    /// Whether to reinstall the Python programs.
    pub fresh: bool,
    /// What to compile before the start.
    pub build: Build,
    /// How to show progress.
    pub progress: Progress,
}

impl Options {
    /// Options for a test: a free port, an own folder, no demo, no output.
    #[must_use]
    pub fn private(dir: PathBuf) -> Self {
        Self { port: 0, dir, demo: false, fresh: false, build: Build::ProgramsAndTests, progress: Progress::Silent }
    }
}

/// A running system. It ends when this value is dropped or its process ends.
pub struct System {
    endpoints: Endpoints,
    lead: Option<(Value, Duration)>,
    ministack: MiniStack,
    simulator: Simulator,
    door: JoinHandle<()>,
    // Drop order matters: the folder is unlocked only after every process in it has ended.
    _keeper: Keeper,
    place: Place,
}

impl System {
    /// Starts an empty system. The data of an earlier run is deleted, as the simulated Meta's is.
    ///
    /// # Errors
    /// The error names the step that failed and its log.
    pub async fn start(options: Options) -> Result<Self> {
        let progress = &options.progress;
        let template = Template::read()?;
        let stage = Stage::read()?;
        let listener = front_door::listen(options.port).await?;
        let url = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        let place = Place::take(&options.dir)?;
        let keeper = Keeper::start()?;

        prepare(&keeper, &place, &options).await?;
        // Start the local AWS and Meta, then deploy the stack to them.
        let (ministack, simulator) = progress
            .step("MiniStack and the simulated Meta", async |_| {
                tokio::try_join!(MiniStack::start(&keeper, &place, &stage.region), Simulator::start(&keeper, &place))
            })
            .await?;
        let app = simulator.world().await?.app;
        let aws = Aws::new(ministack.endpoint.clone(), stage.region.clone())?;
        progress
            .step("sam deploy", async |step| {
                deploy::package(&template, &place)?;
                let parameters = parameters(&url, &simulator.url, &app);
                deploy::deploy(&keeper, step, &place, &aws, &stage, &template, parameters).await
            })
            .await?;
        let stack = Stack::describe(&aws, &stage.stack).await?;
        let pool = Pool::of(&aws, &stack)?;
        let (users, events) = progress
            .step("routes and logins", async |_| {
                routes::create(&aws, &stack, &template).await?;
                tokio::try_join!(pool.fill(), Events::capture(&aws, stack.output("BusName")?))
            })
            .await?;
        let endpoints = Endpoints {
            url,
            graph_sim: simulator.url.clone(),
            aws_endpoint: aws.endpoint.clone(),
            region: aws.region.clone(),
            table: stack.output("TableName")?.to_owned(),
            users,
            orgs: TENANTS.iter().map(|tenant| Org { id: tenant.id.into(), plan: tenant.plan.into() }).collect(),
        };
        environment::write(&place.environment(), &endpoints, &stack)?;
        // Open the front door before seeding: the seed goes through it.
        let api = format!("{}/_aws/execute-api/{}/$default", aws.endpoint, stack.output("HttpApiId")?);
        let functions = template.functions()?;
        let functions = functions.into_iter().map(|function| {
            let name = stack.resource(&function.logical_id)?.to_owned();
            Ok((function, name))
        });
        let functions = functions.collect::<Result<_>>()?;
        let backstage = Arc::new(Backstage { aws, pool, events, functions });
        let local = backstage::routes(Arc::clone(&backstage)).merge(logins::routes(&endpoints));
        let door = front_door::open(listener, api, local)?;
        let mut system = Self { endpoints, lead: None, ministack, simulator, door, _keeper: keeper, place };
        if let Err(error) = system.seed(&app, &options).await {
            backstage.save_logs(&system.place).await;
            bail!("{error:#}\nthe logs of all parts are in {}", system.place.file("logs").display());
        }
        system.endpoints.write(&system.place.endpoints())?;
        Ok(system)
    }

    async fn seed(&mut self, app: &App, options: &Options) -> Result<()> {
        let progress = &options.progress;
        let caller = Caller::new(&self.endpoints)?;
        progress.step("orgs and users", async |_| caller.directory().await).await?;
        let callback = format!("{}/connect/webhook/facebook", self.endpoints.url);
        progress
            .step("the Meta app's callbacks", async |_| {
                self.simulator.subscribe(app, &callback).await?;
                self.simulator.privacy_callbacks(&self.endpoints.url).await
            })
            .await?;
        if options.demo {
            progress.step("connecting the demo org", async |_| caller.connect().await).await?;
            self.lead = Some(progress.step("a lead", async |_| caller.lead(&self.simulator).await).await?);
        }
        Ok(())
    }

    /// The addresses and logins.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The path of `endpoints.json`, from which other programs read [`System::endpoints`].
    #[must_use]
    pub fn endpoints_file(&self) -> PathBuf {
        self.place.endpoints()
    }

    /// The log of a part: `ministack`, `graph-sim`, `sam-deploy`, `build`.
    #[must_use]
    pub fn log(&self, part: &str) -> PathBuf {
        self.place.log(part)
    }

    /// The demo lead as the CRM shows it, and the time it took from the form. `None` without a demo.
    #[must_use]
    pub fn lead(&self) -> Option<&(Value, Duration)> {
        self.lead.as_ref()
    }

    /// Waits until a part stops, which is always a failure, and returns which one and why.
    pub async fn death(&mut self) -> Result<String> {
        tokio::select! {
            reason = self.ministack.death() => reason,
            reason = self.simulator.death() => reason,
            _ = &mut self.door => Ok("the front door closed".to_owned()),
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// Installs the Python programs and compiles the workspace.
async fn prepare(keeper: &Keeper, place: &Place, options: &Options) -> Result<()> {
    let progress = &options.progress;
    let install = async |environment: Environment| environment.install(keeper, progress, place, options.fresh).await;
    let build = progress
        .step("cargo build", async |step| deploy::build(keeper, step, options.build, &place.log("build")).await);
    tokio::try_join!(install(Environment::MiniStack), install(Environment::Sam), build)?;
    Ok(())
}

/// The template parameters that only this run knows.
fn parameters(url: &str, simulator: &str, app: &App) -> BTreeMap<&'static str, String> {
    // The functions are compiled for this machine.
    let architecture = if env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
    BTreeMap::from([
        ("MetaAppId", app.id.clone()),
        ("MetaAppSecret", app.secret.clone()),
        ("MetaVerifyToken", app.verify_token.clone()),
        ("GraphBaseUrl", simulator.to_owned()),
        ("DialogBaseUrl", simulator.to_owned()),
        ("PublicUrl", url.to_owned()),
        ("ReturnUrlAllowList", format!("{url},{}", url.replace("127.0.0.1", "localhost"))),
        ("TokenJwksUrl", format!("{url}/_local/jwks.json")),
        ("LoginConfigurationUrl", format!("{url}/_local/openid-configuration")),
        ("Architecture", architecture.to_owned()),
    ])
}
