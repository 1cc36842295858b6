//! A person at a real browser: from the start page through Meta's consent page and back, then through a lead form.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use e2e::tenant::Tenant;
use e2e::world::{eventually, folder, world};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::process::{Child, Command};

/// A browser; it ends with this value.
struct Browser {
    client: Client,
    _driver: Child,
    pictures: PathBuf,
}

impl Browser {
    async fn open(width: u32, height: u32) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let driver = driver.expect("chromedriver is installed: cargo verify installs it");
        let folder = folder();
        let profile = folder.join(format!("browser-{port}"));
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
            format!("--user-data-dir={}", profile.display()),
            format!("--window-size={width},{height}"),
        ];
        let mut capabilities = Capabilities::new();
        capabilities.insert("goog:chromeOptions".into(), json!({ "args": arguments }));
        capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        let address = format!("http://127.0.0.1:{port}");
        let client = eventually("chromedriver", async || {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities.clone()).connect(&address).await.ok()
        })
        .await;
        let pictures = folder.join("pictures");
        std::fs::create_dir_all(&pictures).unwrap();
        Self { client, _driver: driver, pictures }
    }

    async fn picture(&self, name: &str) {
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(self.pictures.join(format!("{name}.png")), picture).unwrap();
    }

    async fn click(&self, selector: &str) {
        let found = self.client.wait().at_most(Duration::from_secs(20)).for_element(Locator::Css(selector)).await;
        found.unwrap_or_else(|_| panic!("nothing to click at {selector}")).click().await.unwrap();
    }

    async fn text(&self) -> String {
        // Not through an element: the page may be replaced between finding one and reading it.
        let text = self.client.execute("return document.body ? document.body.innerText : ''", vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_person_connects_sends_a_form_and_sees_the_lead() {
    let world = world();
    let browser = Browser::open(1280, 1000).await;
    browser.client.goto(&world.endpoints.url).await.unwrap();
    browser.picture("start").await;
    browser.click("#connect").await;
    // The simulated Meta asks who is logging in, then what is allowed.
    browser.click("input[value='10160934411872002'] ~ .actions button").await;
    eventually("the consent page", async || browser.text().await.contains("Atelier Brandt").then_some(())).await;
    browser.picture("consent").await;
    browser.click("input[name='_page'][value='104398761152301']").await;
    browser.click("button[value='allow']").await;
    let back = eventually("the way back", async || {
        browser.client.current_url().await.ok().filter(|url| url.query().is_some_and(|query| query.contains("status=")))
    });
    let back = back.await;
    assert!(back.query().unwrap().contains("status=connected") && back.query().unwrap().contains("pages=1"), "{back}");

    let truth = world.truth().await;
    let page = truth["pages"].as_array().unwrap().iter().find(|page| page["id"] == "104398761152378").unwrap();
    let form = page["forms"][0]["id"].as_str().unwrap();
    browser.client.goto(&format!("{}/lead_ads/{form}", world.endpoints.graph_sim)).await.unwrap();
    for (name, value) in
        [("full_name", "Ines Grünwald"), ("email", "ines@example.com"), ("phone_number", "+4930901820")]
    {
        let field = browser.client.find(Locator::Css(&format!("input[name='q:{name}']"))).await.unwrap();
        field.send_keys(value).await.unwrap();
    }
    browser.click("input[name='platform'][value='ig']").await;
    browser.picture("form").await;
    browser.click("button[type='submit']").await;
    let id = browser
        .client
        .wait()
        .at_most(Duration::from_secs(20))
        .for_element(Locator::Css("[data-leadgen-id]"))
        .await
        .unwrap();
    let id = id.attr("data-leadgen-id").await.unwrap().unwrap();

    browser.client.goto(&world.endpoints.url).await.unwrap();
    eventually("the lead on the start page", async || {
        let text = browser.text().await;
        (text.contains("Ines Grünwald") && text.contains("Instagram Lead Ad")).then_some(())
    })
    .await;
    browser.picture("lead").await;
    let demo = Tenant::somebody("demo", "admin", "demo");
    let lead = demo.get(&format!("/api/leads/meta-{id}")).await;
    assert_eq!(
        (&lead["full_name"], &lead["page_name"], &lead["platform"]),
        (&json!("Ines Grünwald"), &json!("Atelier Brandt"), &json!("ig"))
    );
    assert!(["sales-1", "sales-2", "sales-3"].iter().any(|user| lead["assigned_to"] == *user), "{lead}");
    browser.client.clone().close().await.unwrap();
}

#[tokio::test]
async fn a_person_who_refuses_is_told_so_on_a_phone_too() {
    let world = world();
    let browser = Browser::open(360, 740).await;
    browser.client.goto(&world.endpoints.url).await.unwrap();
    browser.picture("start-phone").await;
    browser.click("#connect").await;
    browser.click("input[value='10160934411872002'] ~ .actions button").await;
    browser.picture("consent-phone").await;
    browser.click("button[value='deny']").await;
    eventually("the refusal", async || browser.text().await.contains("access_denied").then_some(())).await;
    browser.client.clone().close().await.unwrap();
}
