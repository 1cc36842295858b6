//! The whole product, started on this machine.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use aws_calls::{Aws, Stack};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::alarms::Alarms;
use crate::database::create_table;
use crate::deploy::{self, Build, Profile, Stage};
use crate::dev_api::{self, DevApi, EventCapture};
use crate::endpoints::{Endpoints, Org};
use crate::ministack::MiniStack;
use crate::packages::{self, Architecture};
use crate::progress::Progress;
use crate::python::Environment;
use crate::seed::ApiClient;
use crate::simulator::{App, Simulator};
use crate::supervisor::Supervisor;
use crate::template::Template;
use crate::user_pool::{SEED_ORGS, UserPool};
use crate::workdir::Workdir;
use crate::{environment, logins, proxy, routes};

/// Set for a test program whose system runs the release packages.
pub(crate) const RELEASE_VARIABLE: &str = "LEADWIRE_STORIES_RELEASE";

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
    /// Which build of the functions to deploy.
    pub profile: Profile,
    /// The DynamoDB of the functions, instead of MiniStack's. It does not have the tables at first.
    pub dynamodb: Option<String>,
    /// How to show progress.
    pub progress: Progress,
}

impl Options {
    /// Options for a test: a free port, an own folder, no demo, no output. Under `cargo stories --release` the release
    /// packages.
    #[must_use]
    pub fn for_tests(dir: PathBuf) -> Self {
        let profile = if env::var_os(RELEASE_VARIABLE).is_some() { Profile::Release } else { Profile::Local };
        let (build, progress) = (Build::ProgramsAndTests, Progress::Silent);
        Self { port: 0, dir, demo: false, fresh: false, build, profile, dynamodb: None, progress }
    }
}

/// A running system. It ends when this value is dropped or its process ends.
pub struct System {
    endpoints: Endpoints,
    lead: Option<(Value, Duration)>,
    ministack: MiniStack,
    simulator: Simulator,
    proxy_task: JoinHandle<()>,
    // Drop order matters: the folder is unlocked only after every process in it has ended.
    _keeper: Supervisor,
    workdir: Workdir,
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
        let listener = proxy::listen(options.port).await?;
        let url = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        let workdir = Workdir::lock(&options.dir)?;
        let supervisor = Supervisor::start()?;

        prepare(&supervisor, &workdir, &options, &template).await?;
        // Start the local AWS and Meta, then deploy the stack to them.
        let (ministack, simulator) = progress
            .step("MiniStack and the simulated Meta", async |_| {
                tokio::try_join!(
                    MiniStack::start(&supervisor, &workdir, &stage.region, options.dynamodb.as_deref()),
                    Simulator::start(&supervisor, &workdir)
                )
            })
            .await?;
        let app = simulator.state().await?.app;
        let aws = Aws::new(ministack.endpoint.clone(), stage.region.clone())?;
        progress
            .step("sam deploy", async |step| {
                deploy::package(&template, &workdir, options.profile)?;
                let parameters = parameters(&url, &simulator.url, &app);
                deploy::deploy(&supervisor, step, &workdir, &aws, &stage, &template, parameters).await
            })
            .await?;
        let stack = Stack::describe(&aws, &stage.stack).await?;
        if let Some(dynamodb) = &options.dynamodb {
            for (resource, output) in [("Table", "TableName"), ("Sessions", "SessionsTableName")] {
                create_table(dynamodb, &template, resource, stack.output(output)?).await?;
            }
        }
        let pool = UserPool::open(&aws, &stack)?;
        let (users, events) = progress
            .step("routes and logins", async |_| {
                routes::create(&aws, &stack, &template).await?;
                tokio::try_join!(pool.create_logins(), EventCapture::start(&aws, stack.output("BusName")?))
            })
            .await?;
        let endpoints = Endpoints {
            url,
            graph_sim: simulator.url.clone(),
            aws_endpoint: aws.endpoint().to_owned(),
            region: aws.region.clone(),
            table: stack.output("TableName")?.to_owned(),
            sessions_table: stack.output("SessionsTableName")?.to_owned(),
            users,
            orgs: SEED_ORGS.iter().map(|org| Org { id: org.id.into(), plan: org.plan.into() }).collect(),
            program: pool.program().await?,
        };
        environment::write(&workdir.environment_file(), &endpoints, &stack)?;
        // The front door is open before the seed, which goes through it.
        let api = format!("{}/_aws/execute-api/{}/$default", aws.endpoint(), stack.output("HttpApiId")?);
        let functions = template.functions()?;
        let functions = functions.into_iter().map(|function| {
            let name = stack.resource(&function.logical_id)?.to_owned();
            Ok((function, name))
        });
        let functions = functions.collect::<Result<_>>()?;
        let server_errors = Arc::default();
        let alarms = Alarms::new(aws.clone(), &stage.stack, &stack, &template, Arc::clone(&server_errors))?;
        let dev_api = Arc::new(DevApi { alarms, aws, pool, events, functions });
        let local = dev_api::routes(Arc::clone(&dev_api)).merge(logins::routes(&endpoints));
        let proxy_task = proxy::serve(listener, api, local, server_errors)?;
        let mut system = Self { endpoints, lead: None, ministack, simulator, proxy_task, _keeper: supervisor, workdir };
        if let Err(error) = system.seed(&app, &options).await {
            dev_api.save_logs(&system.workdir).await;
            bail!("{error:#}\nthe logs of all parts are in {}", system.workdir.run_file("logs").display());
        }
        system.endpoints.write(&system.workdir.endpoints_file())?;
        Ok(system)
    }

    async fn seed(&mut self, app: &App, options: &Options) -> Result<()> {
        let progress = &options.progress;
        let client = ApiClient::new(&self.endpoints)?;
        progress.step("orgs and users", async |_| client.create_directory().await).await?;
        let callback = format!("{}/connect/webhook/facebook", self.endpoints.url);
        progress
            .step("the Meta app's callbacks", async |_| {
                self.simulator.subscribe(app, &callback).await?;
                self.simulator.set_privacy_callbacks(&self.endpoints.url).await
            })
            .await?;
        if options.demo {
            progress.step("connecting the demo org", async |_| client.connect_demo_org().await).await?;
            self.lead = Some(progress.step("a lead", async |_| client.submit_demo_lead(&self.simulator).await).await?);
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
        self.workdir.endpoints_file()
    }

    /// The log of a part: `ministack`, `graph-sim`, `sam-deploy`, `build`.
    #[must_use]
    pub fn log_file(&self, part: &str) -> PathBuf {
        self.workdir.log_file(part)
    }

    /// The demo lead as the CRM shows it, and the time it took from the form. `None` without a demo.
    #[must_use]
    pub fn demo_lead(&self) -> Option<&(Value, Duration)> {
        self.lead.as_ref()
    }

    /// Waits until a part stops, which is always a failure, and returns which one and why.
    pub async fn wait_for_exit(&mut self) -> Result<String> {
        tokio::select! {
            reason = self.ministack.wait_for_exit() => reason,
            reason = self.simulator.wait_for_exit() => reason,
            _ = &mut self.proxy_task => Ok("the proxy stopped".to_owned()),
        }
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.proxy_task.abort();
    }
}

/// Installs the Python programs and compiles the workspace.
async fn prepare(supervisor: &Supervisor, workdir: &Workdir, options: &Options, template: &Template) -> Result<()> {
    let progress = &options.progress;
    let install =
        async |environment: Environment| environment.install(supervisor, progress, workdir, options.fresh).await;
    let build = progress.step("cargo build", async |step| {
        deploy::build(supervisor, step, options.build, &workdir.log_file("build")).await
    });
    tokio::try_join!(install(Environment::MiniStack), install(Environment::Sam), build)?;
    if options.profile == Profile::Release {
        install(Environment::CargoLambda).await?;
        packages::build(supervisor, progress, workdir, Architecture::host(), &template.functions()?, &[]).await?;
    }
    Ok(())
}

/// The template parameters that only this run knows.
fn parameters(url: &str, simulator: &str, app: &App) -> BTreeMap<&'static str, String> {
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
        // The functions are compiled for this machine.
        ("Architecture", Architecture::host().name().to_owned()),
    ])
}
