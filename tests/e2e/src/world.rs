//! The one system that the stories share, the one that drills may break, and the responses they gave.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use local::{Endpoints, Options, Profile, System};
use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::description::Description;

/// A running system.
pub struct World {
    /// The addresses and logins of the system.
    pub endpoints: Endpoints,
    /// An HTTP client that does not follow redirects.
    pub http: reqwest::Client,
    /// The folder with the logs of the system's parts.
    pub logs: PathBuf,
    /// Every response body the stories received, for the check that none contains a secret.
    pub responses: Mutex<Vec<String>>,
    /// The cookies of browsers that agreed to a login, by its state.
    pub logins: Mutex<BTreeMap<String, String>>,
    description: OnceCell<Description>,
}

impl World {
    /// Returns the API's description of itself.
    ///
    /// # Panics
    /// Panics if the API does not answer with one.
    pub async fn description(&self) -> &Description {
        let read = async || {
            let answer = self.http.get(format!("{}/openapi.json", self.endpoints.url)).send().await.expect("an answer");
            Description::new(answer.json().await.expect("a description"))
        };
        self.description.get_or_init(read).await
    }
}

/// Returns the shared system, or within a drill the one that it may break. The first call starts it; it ends with the
/// process.
#[must_use]
pub fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| start("system"));
    static BREAKABLE: LazyLock<World> = LazyLock::new(|| start("drills"));
    if IS_DRILL.get() { &BREAKABLE } else { &WORLD }
}

thread_local! {
    /// Whether the story that runs on this thread is a drill.
    static IS_DRILL: Cell<bool> = const { Cell::new(false) };
}

/// A drill, for as long as it is held: [`world`] is the system that drills may break. For stories whose runtime has one
/// thread.
#[must_use]
pub struct Drill {
    _turn: Turn,
}

enum Turn {
    Beside { _others: RwLockReadGuard<'static, ()> },
    Alone { _others: RwLockWriteGuard<'static, ()> },
}

/// Held by the drills of this moment.
static TURNS: RwLock<()> = RwLock::const_new(());

impl Drill {
    /// A drill that breaks nothing that other drills use.
    pub async fn begin() -> Self {
        Self::in_turn(Turn::Beside { _others: TURNS.read().await })
    }

    /// A drill that breaks what every other one uses. It waits for those before it.
    pub async fn begin_alone() -> Self {
        Self::in_turn(Turn::Alone { _others: TURNS.write().await })
    }

    fn in_turn(turn: Turn) -> Self {
        IS_DRILL.set(true);
        Self { _turn: turn }
    }
}

impl Drop for Drill {
    fn drop(&mut self) {
        IS_DRILL.set(false);
    }
}

/// Which build of the functions the shared system runs, if a program has chosen one.
static PROFILE: OnceLock<Profile> = OnceLock::new();
/// The DynamoDB that the shared system uses, if a program has chosen one.
static DYNAMODB: OnceLock<String> = OnceLock::new();

/// Makes the shared system run the release packages, as AWS would. To be called before [`world`].
pub fn use_release_packages() {
    let _ = PROFILE.set(Profile::Release);
}

/// Makes the shared system use another DynamoDB than MiniStack's. To be called before [`world`].
pub fn use_dynamodb(address: String) {
    let _ = DYNAMODB.set(address);
}

/// The folder for the stories' output: `e2e` in cargo's target folder.
///
/// # Panics
/// Panics if this program is not in cargo's target folder.
#[must_use]
pub fn output_folder() -> PathBuf {
    let here = std::env::current_exe().expect("this program has a place");
    let profile = here.ancestors().skip(1).find(|folder| !folder.ends_with("deps")).expect("target/profile");
    profile.parent().expect("target").join("e2e")
}

fn start(folder: &'static str) -> World {
    let (send, receive) = std::sync::mpsc::channel();
    // The stories' own runtimes come and go; the system needs one that stays.
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let mut options = Options::for_tests(output_folder().join(folder));
            options.profile = PROFILE.get().copied().unwrap_or(options.profile);
            options.dynamodb = DYNAMODB.get().cloned();
            match System::start(options).await {
                Ok(mut system) => {
                    let logs = system.log_file("any").parent().map(PathBuf::from).unwrap_or_default();
                    let _ = send.send(Ok((system.endpoints().clone(), logs)));
                    let _ = system.wait_for_exit().await.inspect(|reason| eprintln!("the system ended: {reason}"));
                }
                Err(error) => drop(send.send(Err(format!("{error:#}")))),
            }
        });
    });
    let (endpoints, logs) = receive.recv().expect("the thread answers").expect("the system starts");
    let redirect = reqwest::redirect::Policy::none();
    // Each story has its own runtime, and a connection dies with the runtime that opened it. Idle connections are
    // therefore never reused.
    let http = reqwest::Client::builder().no_proxy().redirect(redirect).pool_max_idle_per_host(0);
    let http = http.timeout(Duration::from_secs(60)).build();
    World {
        endpoints,
        http: http.expect("a client"),
        logs,
        responses: Mutex::default(),
        logins: Mutex::default(),
        description: OnceCell::new(),
    }
}

/// How long a story waits for what has to come. The messages of a worker that another story kills come back after half of
/// it.
pub const PATIENCE: Duration = Duration::from_secs(400);

/// Calls `probe` repeatedly until it returns a value.
///
/// # Panics
/// Panics after [`PATIENCE`]. `what` names the expectation in the message.
pub async fn wait_for<T>(what: &str, probe: impl AsyncFnMut() -> Option<T>) -> T {
    wait_at_most(PATIENCE, what, probe).await
}

/// Calls `probe` repeatedly until it returns a value.
///
/// # Panics
/// Panics after `time`; `what` names the expectation in the message.
pub async fn wait_at_most<T>(time: Duration, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(begun.elapsed() < time, "waited {time:?} for {what}");
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}
