//! What stories start from: orgs, leads, and an org with an example of everything the console shows.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::ad_accounts::{create_ad_accounts, import_leads_of_ads, link_ad_account, wait_until_ready};
use crate::inbox::fill_inbox;
use crate::json::Json;
use crate::meta::{MARA_ID, Person};
use crate::tenant::{Tenant, admin_email};
use crate::world::{wait_for, world};

/// Builds an org whose plan includes Meta, connected to Meta or not.
#[must_use]
pub struct OrgFixture<'a> {
    org: &'a str,
    users: Vec<(&'a str, bool)>,
    has_admin: bool,
    pages: u64,
    settings: Map<String, Value>,
    denied_scopes: Option<&'a str>,
}

/// An org that is connected to Meta through a person of its own.
pub struct ConnectedOrg {
    /// The superadmin, acting for the org.
    pub tenant: Tenant,
    /// The person at Meta, used by no other story.
    pub person: Person,
    /// The id of the integration.
    pub integration: String,
    /// The e-mail address of the org's admin; empty without [`OrgFixture::admin`].
    pub admin: String,
}

impl<'a> OrgFixture<'a> {
    /// An org without users. Its person at Meta has one page.
    pub fn new(org: &'a str) -> Self {
        Self { org, users: Vec::new(), has_admin: false, pages: 1, settings: Map::new(), denied_scopes: None }
    }

    /// Adds active users who manage leads.
    pub fn users(mut self, ids: &[&'a str]) -> Self {
        self.users.extend(ids.iter().map(|id| (*id, true)));
        self
    }

    /// Adds inactive users who manage leads.
    pub fn inactive_users(mut self, ids: &[&'a str]) -> Self {
        self.users.extend(ids.iter().map(|id| (*id, false)));
        self
    }

    /// Adds an admin to the directory, who receives the mails about connections.
    pub fn admin(mut self) -> Self {
        self.has_admin = true;
        self
    }

    /// Sets the number of pages of the person at Meta.
    pub fn pages(mut self, pages: u64) -> Self {
        self.pages = pages;
        self
    }

    /// Sets fields of the request that connects the org, such as the integration's name.
    pub fn settings(mut self, settings: &Value) -> Self {
        self.settings
            .extend(settings.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
        self
    }

    /// Assigns leads to the users in turn.
    pub fn round_robin(self) -> Self {
        self.settings(&json!({ "assignment": { "strategy": "round_robin" } }))
    }

    /// Makes the person at Meta deny these scopes, separated by commas.
    pub fn deny_scopes(mut self, scopes: &'a str) -> Self {
        self.denied_scopes = Some(scopes);
        self
    }

    /// Creates the org and its users.
    ///
    /// # Panics
    /// Panics if the API rejects the org or a user.
    pub async fn create(self) -> Tenant {
        let tenant = Tenant::as_superadmin(self.org);
        tenant.put_org(self.org, &["meta"]).await;
        for (id, active) in &self.users {
            tenant.put_user(id, id, *active).await;
        }
        if self.has_admin {
            tenant.add_admin("boss").await;
        }
        tenant
    }

    /// Creates the org and connects all pages of a new person at Meta.
    ///
    /// # Panics
    /// Panics if a step fails.
    pub async fn connect(self) -> ConnectedOrg {
        let (pages, settings) = (self.pages, Value::from(self.settings.clone()));
        let answer = self.denied_scopes.map(|scopes| ("_deny_scopes", scopes));
        let admin = if self.has_admin { admin_email("boss", self.org) } else { String::new() };
        let tenant = self.create().await;
        let person = world().create_person(pages).await;
        let outcome = tenant.connect(&person.id, &[], settings, answer.as_slice()).await;
        ConnectedOrg { tenant, person, integration: outcome.get("integrationId"), admin }
    }
}

/// Builds submissions of a lead form at Meta.
#[must_use]
pub struct LeadFixture {
    parameters: Map<String, Value>,
}

impl LeadFixture {
    /// Submissions with the answers that the simulator makes up, each announced by a webhook.
    pub fn new(form: &str) -> Self {
        Self { parameters: Map::from_iter([("form_id".to_owned(), json!(form))]) }
    }

    /// Makes Meta send no webhook.
    pub fn undelivered(self) -> Self {
        self.delivery("drop")
    }

    /// Sets how Meta sends the webhook: `webhook`, `duplicate`, `reorder` or `drop`.
    pub fn delivery(self, how: &str) -> Self {
        self.set("deliver", json!(how))
    }

    /// Sets the answers, by question key.
    pub fn answers(self, answers: &Value) -> Self {
        self.set("answers", answers.clone())
    }

    /// Sets the consents, by their keys.
    pub fn consents(self, consents: &Value) -> Self {
        self.set("consents", consents.clone())
    }

    /// Sets the platform: `fb` or `ig`.
    pub fn platform(self, platform: &str) -> Self {
        self.set("platform", json!(platform))
    }

    /// Sets the partner of Meta's that the submissions come through.
    pub fn partner(self, name: &str) -> Self {
        self.set("partner_name", json!(name))
    }

    /// Dates the submissions back, in seconds.
    pub fn age_s(self, seconds: i64) -> Self {
        self.set("age_s", json!(seconds))
    }

    /// Makes the submissions come from no ad.
    pub fn organic(self) -> Self {
        self.set("organic", json!(true))
    }

    /// Makes Meta refuse to show the submissions at first, in milliseconds.
    pub fn readable_after_ms(self, milliseconds: u64) -> Self {
        self.set("readable_after_ms", json!(milliseconds))
    }

    /// Submits the form `count` times and returns the leadgen ids.
    ///
    /// # Panics
    /// Panics if the simulator rejects the call.
    pub async fn submit(self, count: usize) -> Vec<String> {
        let input = Value::from(self.set("count", json!(count)).parameters);
        let response = world().call_sim(Method::POST, "leads", &input).await;
        response.list("ids").iter().map(|id| id.text("").to_owned()).collect()
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.parameters.insert(name.to_owned(), value);
        self
    }
}

/// An org with an example of everything, and what is needed to look at it.
pub struct DemoOrg {
    /// The e-mail address of a user who may see everything.
    pub admin: String,
    /// The pages of the console, each with a name for its picture.
    pub pages: Vec<(&'static str, String)>,
}

/// Creates an org with an example of everything: the pages of `person`, those of a second person whose token then ends,
/// leads of all kinds, a parked one, a mapping, and two linked ad accounts with these ids.
///
/// # Panics
/// Panics if a step fails.
pub async fn create_demo_org(org: &str, person: &Person, ad_accounts: [&str; 2]) -> DemoOrg {
    let tenant = Tenant::as_superadmin(org);
    tenant.put_org("Northwind Group", &["meta"]).await;
    for (id, name) in [("sofia", "Sofia Brandt"), ("scott", "Scott Okafor")] {
        tenant.put_user(id, name, true).await;
    }
    let (admin, gone) = (tenant.create_login("Luca Lindqvist", "admin").await, world().create_person(1).await);
    let round = json!({ "strategy": "round_robin" });
    let more = json!({ "name": "Northwind pages", "description": "All of the north", "assignment": round });
    // Two connections, leads of all kinds, and a parked one.
    let pages: Vec<&str> = person.pages.iter().map(String::as_str).collect();
    let integration = tenant.connect(&person.id, &pages, more, &[]).await.get("integrationId");
    tenant.connect(&gone.id, &[], json!({ "name": "The old account" }), &[]).await;

    let answers = json!({ "full_name": "Maximiliane Freifrau von und zu Hohenlohe-Waldenburg-Schillingsfürst",
        "email": "maximiliane.hohenlohe-waldenburg-schillingsfuerst@very-long-domain-name.example.com" });
    let mut ids = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    let answers = json!({ "full_name": "نورة عبد الله (الرياض)", "phone_number": "+966501234567" });
    ids.extend(LeadFixture::new(&person.forms[1]).answers(&answers).platform("ig").submit(1).await);
    for (form, count, platform) in [(0, 6, "fb"), (1, 4, "ig")] {
        ids.extend(LeadFixture::new(&person.forms[form]).platform(platform).submit(count).await);
    }
    tenant.wait_for_leads(&ids).await;
    for (id, status) in ids.iter().zip(["new", "contacted", "qualified", "converted", "lost"]) {
        tenant.call_ok(Method::PATCH, &format!("/api/leads/meta-{id}"), &json!({ "status": status })).await;
    }
    world().submit_withheld_lead(person).await;
    tenant.wait_for_parked().await;
    let rules = json!({ "rules": [{ "field": "notes", "from": ["full_name", "email"], "join": " / " }] });
    tenant.call_ok(Method::PUT, &format!("/api/meta/forms/{}/mapping", person.forms[0]), &rules).await;
    tenant.call_ok(Method::POST, &format!("/api/meta/integrations/{integration}/sync"), &Value::Null).await;

    // Two ad accounts with data.
    let [dollars, yen] = ad_accounts;
    let token = create_ad_accounts(&[(dollars, "USD", "America/New_York"), (yen, "JPY", "Asia/Tokyo")]).await;
    for (id, client) in [(dollars, "outdoor"), (yen, "tokyo")] {
        link_ad_account(&tenant, id, client, &token).await;
        wait_until_ready(&tenant, id).await;
    }
    let ads = tenant.get(&format!("/api/meta-ads/report?group_by=campaign,adset,ad&account_id=act_{dollars}")).await;
    let ads: Vec<Value> = ads.list("items").iter().take(4).cloned().collect();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    for (id, status) in import_leads_of_ads(&tenant, &ads, &now).await.iter().zip(["converted", "qualified", "lost"]) {
        let change = json!({ "status": status, "value": "1850", "currency": "USD", "assigned_to": "sofia" });
        tenant.call_ok(Method::PATCH, &format!("/api/leads/{id}"), &change).await;
    }
    // The second connection ends.
    world().change_tokens(json!({ "action": "revoke", "user_id": gone.id })).await;
    wait_for("the end of the old account", async || {
        tenant.check_integrations().await;
        let integrations = tenant.get("/api/meta/integrations").await;
        integrations.list("items").iter().any(|found| found["status"] == "error").then_some(())
    })
    .await;
    // There is no such host: what is sent there is shown as failing.
    let endpoint = json!({ "url": "https://crm.example/events", "description": "The CRM" });
    let endpoint = tenant.call_ok(Method::POST, "/api/webhooks", &endpoint).await.text("id").to_owned();
    let failed = fail_post(&tenant, &person.pages[0]).await;
    let [conversation, contact] = fill_inbox(&tenant, &person.pages[0]).await;
    let pages = [
        ("integrations", "/integrations".to_owned()),
        ("disconnect", "/integrations?confirm=disconnect".to_owned()),
        ("integration", format!("/integrations/{integration}")),
        ("integration-pages", format!("/integrations/{integration}/pages")),
        ("integration-searches", format!("/integrations/{integration}/searches")),
        ("integration-settings", format!("/integrations/{integration}/settings")),
        ("quality", format!("/integrations/{integration}/quality")),
        ("system-user", "/integrations/token".to_owned()),
        ("webhooks", "/webhooks".to_owned()),
        ("webhook", format!("/webhooks/{endpoint}")),
        ("audit", "/audit".to_owned()),
        ("account", "/account".to_owned()),
        ("leads-view", "/leads?status=lost&assigned_to=sofia".to_owned()),
        ("leads", "/leads".to_owned()),
        ("lead", format!("/leads/meta-{}", ids[8])),
        ("lead-long", format!("/leads/meta-{}", ids[0])),
        ("import", "/leads/import".to_owned()),
        ("delivery", "/delivery".to_owned()),
        ("forms", "/forms".to_owned()),
        ("mapping", format!("/forms/{}", person.forms[0])),
        ("posts", "/posts".to_owned()),
        ("posts-calendar", "/posts/calendar".to_owned()),
        ("post-new", "/posts/new".to_owned()),
        ("post", format!("/posts/{}", schedule_post(&tenant, &person.pages[0]).await)),
        ("post-failed", format!("/posts/{failed}")),
        ("post-copy", format!("/posts/new?copy={failed}")),
        ("inbox", "/inbox".to_owned()),
        ("inbox-thread", format!("/inbox/{conversation}")),
        ("inbox-people", "/inbox/people".to_owned()),
        ("inbox-person", format!("/inbox/people/{contact}")),
        ("campaigns", "/campaigns".to_owned()),
        (
            "campaign",
            format!(
                "/campaigns/{}",
                create_campaign(&tenant, &integration, [&person.pages[0], &person.forms[0]]).await
            ),
        ),
        ("campaign-form", wizard(person, "1")),
        ("campaign-new-form", format!("{}&go=form", wizard(person, "1"))),
        ("campaign-subject", wizard(person, "2")),
        ("campaign-audience", wizard(person, "3")),
        ("campaign-ad", wizard(person, "4")),
        ("campaign-budget", wizard(person, "5")),
        ("campaign-new", "/campaigns/new".to_owned()),
        ("ads", "/ads".to_owned()),
        ("ads-report", "/ads/report?group_by=campaign&sort=spend&dir=desc".to_owned()),
        ("ads-report-days", "/ads/report?group_by=day".to_owned()),
        ("ads-report-ads", format!("/ads/report?group_by=ad&campaign_id={}", ads[0].text("campaign_id"))),
        ("ads-log", "/ads/log".to_owned()),
        ("ad-account", format!("/ads/accounts/act_{dollars}")),
        ("ad-account-new", "/ads/accounts/new".to_owned()),
        ("home", "/home".to_owned()),
        ("ads-results", "/ads/outcomes".to_owned()),
        ("ads-results-ads", format!("/ads/outcomes?group_by=ad&campaign_id={}", ads[0].text("campaign_id"))),
        ("settings", "/settings".to_owned()),
        ("settings-api", "/settings/api".to_owned()),
    ];
    DemoOrg { admin, pages: pages.into() }
}

/// Schedules a post with two pictures for in two days, and returns its id.
///
/// # Panics
/// Panics if the API rejects it.
pub async fn schedule_post(tenant: &Tenant, page: &str) -> String {
    // Without TLS, so that no browser loads them: there is no such host.
    let images = ["http://cdn.example/1.jpg", "http://cdn.example/2.jpg"];
    let at = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(48)).to_string();
    let post = json!({ "targets": [{ "page_id": page }], "message": "Open day\n\nCome in", "images": images, "scheduled_at": at });
    let (status, answer) = tenant.call(Method::POST, "/api/posts", &post).await;
    assert_eq!(status, 202, "{answer}");
    answer.text("items.0.post_id").to_owned()
}

/// Publishes a post with three pictures, one of which Meta refuses, and returns its id.
async fn fail_post(tenant: &Tenant, page: &str) -> String {
    let fault = json!({ "path": format!("/{page}/photos"), "method": "POST", "kind": "error", "code": 100, "subcode": 1_366_046, "times": 1 });
    world().call_sim(Method::POST, "faults", &fault).await;
    let images = ["http://cdn.example/1.jpg", "http://cdn.example/2.jpg", "http://cdn.example/3.jpg"];
    let message =
        "Three rooms, one harbour: come in on Saturday and see how we have rebuilt them all. #openday #harbour";
    let post = json!({ "targets": [{ "page_id": page }], "message": message, "images": images });
    let (status, answer) = tenant.call(Method::POST, "/api/posts", &post).await;
    assert_eq!(status, 202, "{answer}");
    let id = answer.text("items.0.post_id").to_owned();
    wait_for("the post to fail", async || {
        (tenant.get(&format!("/api/posts/{id}")).await["status"] == "failed").then_some(())
    })
    .await;
    id
}

/// The address of a step of the campaign wizard, with some answers.
fn wizard(person: &Person, step: &str) -> String {
    format!(
        "/campaigns/new?step={step}&page_id={}+Northwind&ad_account_id=act_1+USD+Northwind&lead_form_id={}+Trial\
         &special=NONE&countries=US&message=Open+day+at+the+harbour&image=http://cdn.example/1.jpg&headline=Come+in",
        person.pages[0], person.forms[0]
    )
}

/// Creates a campaign for a page and its form, and returns its id once it is complete.
///
/// # Panics
/// Panics if the API rejects it, or if Meta does.
pub async fn create_campaign(tenant: &Tenant, integration: &str, [page, form]: [&str; 2]) -> String {
    let accounts = tenant.items(&format!("/api/meta/integrations/{integration}/ad-accounts")).await;
    let account = accounts.iter().find(|account| account["currency"] == "USD").expect("an account in dollars");
    let campaign = json!({
        "adAccountId": account.text("ad_account_id"), "pageId": page, "name": "Open day at the harbour",
        "leadFormId": form, "dailyBudget": "20.00", "specialAdCategories": [], "targeting": { "countries": ["US"] },
        "creative": { "message": "Open day\n\nCome in", "headline": "Meet us", "image": "http://cdn.example/1.jpg" },
    });
    let path = "/api/upstream/call/facebook-provider/create-campaign";
    let (status, answer) = tenant.call(Method::POST, path, &campaign).await;
    assert_eq!(status, 202, "{answer}");
    let id = answer.text("campaignId").to_owned();
    wait_for("the campaign", async || {
        let campaign = tenant.get(&format!("/api/campaigns/{id}")).await;
        assert_ne!(campaign["status"], "failed", "{campaign}");
        (campaign["status"] == "paused").then_some(())
    })
    .await;
    id
}

/// Mara with only the three pages whose names suit pictures.
///
/// # Panics
/// Panics if the simulated world lacks one of the pages.
pub async fn mara_for_pictures() -> Person {
    let state = world().sim_state().await;
    let pages = ["Harbour Lane Dental", "Northwind Outdoor", "Café Élan"].map(|name| state.find("pages", "name", name));
    Person {
        id: MARA_ID.to_owned(),
        pages: pages.iter().map(|page| page.text("id").to_owned()).collect(),
        forms: pages.iter().map(|page| page.text("forms.0.id").to_owned()).collect(),
    }
}
