//! A user at a real browser: clicks, typing, reading, and checks of the pages shown.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

use crate::world::{PATIENCE, output_folder, wait_for, world};

/// A screen size and color scheme.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Part of the pictures' file names.
    pub name: &'static str,
    width: u32,
    height: u32,
    dark: bool,
    /// Whether the person asked for less motion.
    pub still: bool,
}

/// A desktop screen.
pub const DESK: Screen = Screen { name: "desk", width: 1280, height: 900, dark: false, still: false };
/// A desktop screen in dark mode.
pub const DESK_DARK: Screen = Screen { name: "desk-dark", dark: true, ..DESK };
/// A large screen.
pub const WIDE: Screen = Screen { name: "wide", width: 1600, height: 1000, ..DESK };
/// A desktop screen at 200 % zoom, of someone who asked for less motion.
pub const ZOOMED: Screen = Screen { name: "zoomed", width: 640, height: 450, still: true, ..DESK };
/// A small phone.
pub const PHONE: Screen = Screen { name: "phone", width: 360, height: 740, ..DESK };
/// A small phone in dark mode.
pub const PHONE_DARK: Screen = Screen { name: "phone-dark", dark: true, ..PHONE };

/// A browser, which ends when this value is dropped.
pub struct Browser {
    /// The WebDriver client, for actions without a method here.
    pub client: Client,
    /// The emulated screen.
    pub screen: Screen,
    _driver: Child,
}

/// A command specific to Chromium.
#[derive(Debug)]
pub(crate) struct ChromeCommand(pub(crate) &'static str, pub(crate) Value);

impl WebDriverCompatibleCommand for ChromeCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.to_string()))
    }
}

impl Browser {
    /// Opens a browser.
    ///
    /// # Panics
    /// Panics if Chromium or its driver is not installed.
    pub async fn open(screen: Screen) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let driver = driver.expect("chromedriver is installed: cargo verify installs it");
        let profile = output_folder().join(format!("browser-{port}"));
        // An earlier browser may have had the same port, and its profile is logged in.
        let _ = std::fs::remove_dir_all(&profile);
        let arguments = [
            "--headless=new".to_owned(),
            // Makes the browser end with its driver, even when a story fails.
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
        let client = wait_for("chromedriver", async || {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities.clone()).connect(&address).await.ok()
        })
        .await;
        let browser = Self { client, screen, _driver: driver };
        // A window cannot be as narrow as a phone, but the emulated viewport can.
        let phone = screen.width < 600;
        let size = json!({ "width": screen.width, "height": screen.height, "deviceScaleFactor": 1, "mobile": phone });
        browser.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let theme = if screen.dark { "dark" } else { "light" };
        let motion = if screen.still { "reduce" } else { "no-preference" };
        let media = [("prefers-color-scheme", theme), ("prefers-reduced-motion", motion)];
        let media = media.map(|(name, value)| json!({ "name": name, "value": value }));
        let media = json!({ "features": media });
        browser.devtools("Emulation.setEmulatedMedia", media).await;
        browser
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let call = ChromeCommand("goog/cdp/execute", json!({ "cmd": command, "params": parameters }));
        self.client.issue_cmd(call).await.expect("the browser does it")
    }

    /// Opens the page of all components, twice: letters that come late the first time are there the second time.
    ///
    /// # Panics
    /// Panics if the page cannot be opened.
    pub async fn open_styleguide(&self) {
        self.open_page("/_styleguide").await;
        self.open_page("/_styleguide").await;
    }

    /// Opens a page of the console.
    ///
    /// # Panics
    /// Panics if the page cannot be opened.
    pub async fn open_page(&self, path: &str) {
        self.client.goto(&format!("{}{path}", world().endpoints.url)).await.expect("the page opens");
    }

    /// Logs in at the issuer's login page, which must be the current page.
    ///
    /// # Panics
    /// Panics if the login page is not shown or does not lead back to the console.
    pub async fn log_in(&self, email: &str) {
        let password = &world().endpoints.users[0].password;
        self.fill("input[name=username]", email).await;
        self.fill("input[name=password]", password).await;
        self.client.active_element().await.unwrap().send_keys("\u{e007}").await.unwrap();
        let console = world().endpoints.url.clone();
        wait_for("the way back from the login page", async || {
            self.client.current_url().await.ok().filter(|url| url.as_str().starts_with(&console))
        })
        .await;
    }

    /// Clicks the element a selector finds, as soon as it exists.
    ///
    /// # Panics
    /// Panics if no element appears or it cannot be clicked.
    pub async fn click(&self, selector: &str) {
        self.click_element(Locator::Css(selector)).await;
    }

    /// Clicks a link or a button by its text, as soon as it exists.
    ///
    /// # Panics
    /// Panics if no element appears or it cannot be clicked.
    pub async fn press(&self, words: &str) {
        let path = format!(
            "//main//*[self::a or self::button or self::summary][normalize-space(.)={words:?} or @aria-label={words:?}] | \
             //nav//a[normalize-space(.)={words:?}] | //header//*[self::a or self::button][normalize-space(.)={words:?}] | //footer//a[normalize-space(.)={words:?}]"
        );
        self.click_element(Locator::XPath(&path)).await;
    }

    /// Clicks an element as soon as it exists. The page may replace it before it is clicked.
    async fn click_element(&self, locator: Locator<'_>) {
        let begun = Instant::now();
        loop {
            let clicked = match self.client.find(locator).await {
                Ok(found) => found.click().await,
                Err(error) => Err(error),
            };
            match clicked {
                Ok(()) => return,
                Err(error) if begun.elapsed() > PATIENCE => {
                    panic!("{locator:?} cannot be clicked: {error}\non: {}", self.text().await)
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Opens the first conversation of the inbox's list that shows these words, as soon as it exists.
    ///
    /// # Panics
    /// Panics if no conversation appears or it does not open.
    pub async fn press_conversation(&self, words: &str) {
        let path = format!("//a[contains(@class, 'conversation')][contains(., {words:?})]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        let found = match found {
            Ok(found) => found,
            Err(_) => panic!("no conversation with {words:?} on: {}", self.text().await),
        };
        let address = found.attr("href").await.unwrap().unwrap_or_default();
        found.click().await.unwrap_or_else(|error| panic!("{words:?} cannot be clicked: {error}"));
        let path = address.split('?').next().unwrap_or_default();
        let shown = format!("#thread [data-part^='{path}/live']");
        let opened = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(&shown)).await;
        assert!(opened.is_ok(), "{words:?} does not open: {}", self.text().await);
    }

    /// Replaces the content of a field.
    ///
    /// # Panics
    /// Panics if the field does not appear.
    pub async fn fill(&self, selector: &str, text: &str) {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        let found = match found {
            Ok(found) => found,
            Err(_) => panic!("no field {selector} on: {}", self.text().await),
        };
        found.clear().await.ok();
        found.send_keys(text).await.unwrap();
    }

    /// Selects an option of a list by its text.
    ///
    /// # Panics
    /// Panics if the list or the option does not exist.
    pub async fn choose(&self, selector: &str, words: &str) {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        let found = found.unwrap_or_else(|_| panic!("no list {selector}"));
        found.select_by_label(words).await.unwrap_or_else(|_| panic!("{selector} has no {words:?}"));
    }

    /// Returns the visible text of the page.
    ///
    /// # Panics
    /// Panics if the browser has ended.
    pub async fn text(&self) -> String {
        // Not through an element: the page may be replaced between finding the element and reading it.
        let text = self.client.execute("return document.body ? document.body.innerText : ''", vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows these words.
    ///
    /// # Panics
    /// Panics on a timeout.
    pub async fn wait_for_text(&self, words: &str) {
        let begun = Instant::now();
        loop {
            let text = self.text().await;
            if text.contains(words) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "nobody reads {words:?} on: {text}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Presses a key: `\u{e004}` is Tab, `\u{e007}` is Enter.
    ///
    /// # Panics
    /// Panics if the browser has ended.
    pub async fn press_key(&self, key: &str) {
        self.client.active_element().await.unwrap().send_keys(key).await.unwrap();
    }

    /// Presses Tab until the focused element has this text or label.
    ///
    /// # Panics
    /// Panics if no such element gets the focus, or if it does not show the focus.
    pub async fn tab_to(&self, words: &str) {
        const READ_FOCUS: &str = "const at = document.activeElement; \
            return [at.innerText || at.ariaLabel || at.name || '', at === document.body ? 'none' : getComputedStyle(at).outlineStyle]";
        let mut passed = Vec::new();
        for _ in 0..80 {
            self.press_key("\u{e004}").await;
            let focus = self.client.execute(READ_FOCUS, vec![]).await.unwrap();
            let name = focus[0].as_str().unwrap_or_default().trim().to_owned();
            if name == words {
                assert_ne!(focus[1], "none", "{words} does not show that it has the focus");
                return;
            }
            passed.push(name);
        }
        panic!("Tab never comes to {words:?}, but to {passed:?}");
    }

    /// Saves a picture of the whole page.
    ///
    /// # Panics
    /// Panics if the picture cannot be saved.
    pub async fn save_picture(&self, name: &str) {
        self.write_picture(name, true).await;
    }

    /// Saves a picture of the visible part of the page.
    ///
    /// # Panics
    /// Panics if the picture cannot be saved.
    pub async fn save_screen_picture(&self, name: &str) {
        self.write_picture(name, false).await;
    }

    async fn write_picture(&self, name: &str, whole: bool) {
        let pictures = picture_folder();
        std::fs::create_dir_all(&pictures).unwrap();
        let how = json!({ "format": "png", "captureBeyondViewport": whole });
        let picture = self.devtools("Page.captureScreenshot", how).await;
        let bytes = STANDARD.decode(picture["data"].as_str().unwrap_or_default()).unwrap();
        std::fs::write(pictures.join(format!("{name}-{}.png", self.screen.name)), bytes).unwrap();
    }

    /// Waits until the page and its fragments are loaded.
    ///
    /// # Panics
    /// Panics on a timeout.
    pub async fn wait_until_loaded(&self) {
        const IS_LOADED: &str = "return document.readyState === 'complete' && !document.querySelector('[data-later] .spinner, [aria-busy]')";
        wait_for("the page to be there as a whole", async || {
            (self.client.execute(IS_LOADED, vec![]).await.ok()? == json!(true)).then_some(())
        })
        .await;
    }

    /// Closes the browser.
    pub async fn close(self) {
        let _ = self.client.close().await;
    }
}

/// The folder for the pictures of a run.
#[must_use]
pub fn picture_folder() -> PathBuf {
    output_folder().join("pictures")
}
