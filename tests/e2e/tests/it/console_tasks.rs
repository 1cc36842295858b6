//! What admins come for, as they would do it: by what they read on the screen, from Home, in few taps, on a desk and on a
//! phone. Connecting, and the first lead, are in `console.rs`.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::fixtures::create_demo_org;
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};

/// Someone who taps, and counts it.
struct Tapper {
    browser: Browser,
    is_on_phone: bool,
    taps: usize,
}

impl Tapper {
    async fn go_home(&mut self) {
        self.browser.open_page("/home").await;
        self.browser.wait_until_loaded().await;
        self.taps = 0;
    }

    async fn tap(&mut self, words: &str) {
        self.browser.press(words).await;
        self.taps += 1;
    }

    /// Opens a section that is behind "More" on a phone.
    async fn open(&mut self, section: &str) {
        if self.is_on_phone {
            self.browser.click("nav .more").await;
            self.taps += 1;
        }
        self.tap(section).await;
    }

    /// Opens a person by the beginning of their name.
    async fn find(&mut self, name: &str) {
        self.browser.click("[data-palette]").await;
        self.browser.press_key(&name[..6]).await;
        self.browser.wait_for_text("1 result").await;
        self.browser.press_key("\u{e015}").await;
        self.browser.press_key("\u{e007}").await;
        self.browser.wait_for_text("History").await;
        self.taps += 2;
    }

    async fn choose(&mut self, list: &str, words: &str) {
        self.browser.choose(list, words).await;
        self.taps += 1;
    }

    /// Checks the number of taps since Home.
    fn needed_at_most(&self, most: usize, task: &str) {
        assert!(self.taps <= most, "{task}: {} taps", self.taps);
    }
}

#[tokio::test]
async fn what_admins_come_for_takes_few_taps_on_a_desk_and_on_a_phone() {
    let person = world().create_person(2).await;
    let demo = create_demo_org("console-tasks", &person, ["700600001", "700600002"]).await;
    let tenant = Tenant::as_superadmin("console-tasks");
    let people: Vec<(String, String)> = tenant
        .leads("status=new")
        .await
        .iter()
        .filter(|lead| lead.text("full_name").is_ascii() && lead["assigned_to"] == "scott")
        .map(|lead| (lead.text("full_name").to_owned(), lead.text("id").to_owned()))
        .collect();
    for (screen, (name, id)) in [DESK, PHONE].into_iter().zip(people) {
        let browser = Browser::open(screen).await;
        browser.open_page("/").await;
        browser.log_in(&demo.admin).await;
        let mut admin = Tapper { browser, is_on_phone: screen.name == PHONE.name, taps: 0 };

        // Give a person to a colleague.
        admin.go_home().await;
        admin.find(&name).await;
        admin.choose("select[name=assigned_to]", "Sofia Brandt").await;
        admin.tap("Reassign").await;
        admin.browser.wait_for_text("Reassigned.").await;
        admin.needed_at_most(4, "find a person and reassign");
        let lead = format!("/api/leads/{id}");
        assert_eq!(tenant.get(&lead).await["assigned_to"], "sofia");

        // Which campaign brings customers at the lowest cost.
        admin.go_home().await;
        admin.open("Ads").await;
        admin.tap("Results").await;
        admin.browser.wait_for_text("Group by").await;
        if admin.is_on_phone {
            // Applies at once.
            admin.choose("select[name=sort]", "Cost per won lead").await;
        } else {
            admin.tap("Cost per won lead").await;
        }
        admin.browser.wait_until_loaded().await;
        let first = "return document.querySelector('tbody tr td a').textContent";
        wait_for("the cheapest", async || {
            let first = admin.browser.client.execute(first, vec![]).await.ok()?;
            first.as_str()?.contains("Leads 1").then_some(())
        })
        .await;
        admin.needed_at_most(5, "the cheapest campaign");

        // Why a page is silent.
        admin.go_home().await;
        admin.open("Integrations").await;
        admin.tap("The old account").await;
        admin.browser.wait_for_text("Meta no longer accepts the access token.").await;
        admin.browser.wait_for_text("What to do:").await;
        admin.needed_at_most(3, "why a page is silent");

        // Forget a customer.
        admin.go_home().await;
        admin.find(&name).await;
        admin.tap("Erase this person").await;
        admin.tap(&format!("Erase {name}")).await;
        admin.browser.wait_for_text("The person is erased").await;
        admin.needed_at_most(4, "forget a customer");
        let (status, _) = tenant.call(reqwest::Method::GET, &lead, &serde_json::Value::Null).await;
        assert_eq!(status, 404);
        admin.browser.close().await;
    }
}
