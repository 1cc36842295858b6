//! What holds for every page in a browser: nothing overflows, everyone can use it, nothing moves by itself.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::browser::{Browser, ChromeCommand};
use crate::world::{output_folder, world};

/// The axe accessibility rules, taken from the Python package that bundles them.
static AXE: LazyLock<String> = LazyLock::new(|| {
    const AXE_PACKAGE: &str = "axe-playwright-python==0.1.8 \
        --hash=sha256:fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8";
    let place = output_folder().join("axe-core-0.1.8");
    let file = place.join("axe_playwright_python/axe.min.js");
    if !file.exists() {
        std::fs::create_dir_all(&place).expect("a folder");
        let python = |arguments: &[&str]| {
            let done = std::process::Command::new("python3").args(arguments).current_dir(&place).output();
            let done = done.expect("python3 is installed");
            assert!(done.status.success(), "python3 {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        };
        // Without dependencies: only the script inside the package is needed.
        std::fs::write(place.join("packages.txt"), AXE_PACKAGE).expect("a writable folder");
        let pinned = ["--require-hashes", "--only-binary", ":all:", "--requirement", "packages.txt"];
        python(&[&["-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."][..], &pinned].concat());
        let wheel = std::fs::read_dir(&place).expect("a folder").flatten().map(|file| file.file_name());
        let wheel = wheel.into_iter().find(|name| name.to_string_lossy().ends_with(".whl")).expect("a wheel");
        python(&["-m", "zipfile", "--extract", &wheel.to_string_lossy(), "."]);
    }
    std::fs::read_to_string(file).expect("the package has it")
});

impl Browser {
    /// Checks a page and saves a picture of it. Nothing may overflow sideways, no accessibility rule of any severity may
    /// be violated, and the browser may not log an error.
    ///
    /// # Panics
    /// Panics if a check fails.
    pub async fn check_page(&self, name: &str) {
        // Beyond the usual rules: a contrast of 7 to 1, and room for a finger.
        const RUN_RULES: &str = "const done = arguments[arguments.length - 1]; \
            axe.run(document, { resultTypes: ['violations'], rules: { 'color-contrast-enhanced': { enabled: true }, 'target-size': { enabled: true } } }).then((found) => done(found.violations.map((rule) => \
                [rule.impact, rule.id, rule.help, rule.nodes.slice(0, 3).map((node) => [node.html, (node.any[0] ?? node.all[0] ?? node.none[0])?.message])])), (error) => done([['critical', String(error)]]))";
        // Not `innerWidth`: on a phone it grows with the overflow.
        const READ_OVERFLOW: &str = "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        self.wait_until_loaded().await;
        self.save_picture(name).await;
        let width = self.client.execute(READ_OVERFLOW, vec![]).await.unwrap();
        assert!(
            width.as_i64().unwrap_or_default() <= 0,
            "{name}: {width} pixels hang out at the side on {}",
            self.screen.name
        );
        // Accessibility.
        self.client.execute(&AXE, vec![]).await.unwrap();
        let found = self.client.execute_async(RUN_RULES, vec![]).await.unwrap();
        let found: Vec<&Value> = found.as_array().into_iter().flatten().collect();
        assert!(found.is_empty(), "{name} on {}: {found:#?}", self.screen.name);
        self.check_log(name).await;
    }

    /// How far things have moved since the page was opened without the reader's doing, as browsers count it: what share
    /// of the screen moved, times how far.
    ///
    /// # Panics
    /// Panics if the browser does not count it.
    pub async fn layout_shift(&self) -> (f64, Value) {
        const READ_SHIFTS: &str = "if (!PerformanceObserver.supportedEntryTypes.includes('layout-shift')) return null; \
            const observer = new PerformanceObserver(() => {}); observer.observe({ type: 'layout-shift', buffered: true }); \
            const moved = observer.takeRecords().filter((entry) => !entry.hadRecentInput); \
            return [moved.reduce((sum, entry) => sum + entry.value, 0), \
                moved.flatMap((entry) => entry.sources.map((source) => source.node?.outerHTML?.slice(0, 200)))]";
        let found = self.client.execute(READ_SHIFTS, vec![]).await.expect("the browser counts it");
        (found[0].as_f64().expect("a number"), found[1].clone())
    }

    /// How many animations and transitions run.
    ///
    /// # Panics
    /// Panics if the browser does not count them.
    pub async fn animations(&self) -> u64 {
        const COUNT: &str = "return document.getAnimations().filter((one) => one.playState === 'running').length";
        self.client.execute(COUNT, vec![]).await.expect("the browser counts them").as_u64().unwrap_or_default()
    }

    /// Checks the browser's log: content blocked by the page's policy, script errors, failed loads.
    ///
    /// # Panics
    /// Panics if the log contains an error.
    pub async fn check_log(&self, name: &str) {
        let log = self.client.issue_cmd(ChromeCommand("se/log", json!({ "type": "browser" }))).await.unwrap();
        // The issuer's login page and Meta's pages are not ours to fix.
        let ours = |entry: &&Value| entry["message"].to_string().contains(&world().endpoints.url);
        let bad = |entry: &&Value| {
            entry["level"] == "SEVERE" || entry["message"].to_string().contains("Content Security Policy")
        };
        let bad: Vec<&Value> = log.as_array().into_iter().flatten().filter(ours).filter(bad).collect();
        assert!(bad.is_empty(), "{name}: {bad:#?}");
    }
}
