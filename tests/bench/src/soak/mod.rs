//! Hours of steady mixed traffic while something fails every minute, with a comparison of both sides every minute, and an
//! eye on the memory and the files of every process.

#![expect(clippy::indexing_slicing, reason = "what is not there fails the soak")]

mod ads;
mod disturbance;
mod processes;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use e2e::crm::Crm;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::Person;
use e2e::tenant::Tenant;
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

use self::ads::Advertised;
use self::disturbance::disturb;
use self::processes::{Watched, Watcher};

/// What the webhook does with what happens at Meta, in turn.
const DELIVERIES: [&str; 6] = ["webhook", "duplicate", "webhook", "reorder", "webhook", "drop"];
/// By then, everything has to be where it belongs: a killed worker's messages come back after a minute and a half, and what
/// was dropped is found by the next search, twice a round at most.
const GRACE: Duration = Duration::from_secs(360);
/// How often a request is repeated that a busy or disturbed system did not answer.
const TRIES: usize = 10;

/// The parameters of a soak.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Soak {
    /// Names the orgs, and decides in which order things fail.
    pub(crate) seed: u64,
    /// How long there is traffic. The last comparison comes after [`GRACE`] more.
    pub(crate) time: Duration,
    /// How often everything happens.
    pub(crate) round: Duration,
}

/// The outcome of a soak.
#[derive(Debug, Default)]
struct SoakReport {
    /// Rounds of traffic.
    rounds: usize,
    /// What happened at Meta and in the CRM, by kind.
    traffic: BTreeMap<&'static str, usize>,
    /// What was made to fail, by kind.
    faults: BTreeMap<&'static str, usize>,
    /// Requests to the API that had to be repeated.
    repeated: usize,
    /// Alarms that were on at some time.
    alarms: BTreeSet<String>,
    /// The processes, by name.
    processes: Vec<Watched>,
    /// Every violated expectation.
    violations: BTreeSet<String>,
}

/// Something that happened, and when.
struct Happened {
    id: String,
    at: Instant,
}

/// The traffic of one org.
struct Traffic {
    tenant: Tenant,
    person: Person,
    integration: String,
    crm: Crm,
    ads: Advertised,
    leads: Vec<Happened>,
    messages: Vec<Happened>,
    posts: Vec<Happened>,
}

/// Runs a soak and prints its outcome.
pub(crate) async fn measure(soak: Soak) -> anyhow::Result<()> {
    println!("{:.1} hours, seed {}", soak.time.as_secs_f64() / 3600.0, soak.seed);
    let report = run(soak).await?;
    tell(&report, soak.time);
    println!("faults       {:?}", report.faults);
    println!("alarms on    {:?}", report.alarms);
    for process in &report.processes {
        let megabytes = process.most_memory / 1_000_000;
        println!(
            "  {:<28} {:>3} processes, at most {megabytes:>4} MB and {:>3} files",
            process.name, process.count, process.most_files
        );
    }
    for violation in report.violations.iter().take(30) {
        println!("WRONG        {violation}");
    }
    anyhow::ensure!(report.violations.is_empty(), "{} things are not as they have to be", report.violations.len());
    println!("nothing is lost, nothing is doubled, all turns are fair, and no function grows");
    Ok(())
}

fn tell(report: &SoakReport, elapsed: Duration) {
    let minutes = elapsed.as_secs() / 60;
    println!(
        "{minutes:>4} min     {:?}, requests repeated: {}, wrong: {}",
        report.traffic,
        report.repeated,
        report.violations.len()
    );
}

async fn run(soak: Soak) -> anyhow::Result<SoakReport> {
    let mut report = SoakReport::default();
    let mut orgs = Vec::new();
    for number in 0..2 {
        let org = format!("soak-{}-{number}", soak.seed);
        let org = OrgFixture::new(&org).users(&["ann", "bob", "cem"]).pages(2).round_robin();
        let ConnectedOrg { tenant, person, integration, .. } = org.connect().await;
        let crm = Crm::start().await;
        let endpoint = json!({ "url": crm.url, "description": "The CRM", "events": ["lead.created"] });
        tenant.call_ok(Method::POST, "/api/webhooks", &endpoint).await;
        let ads = Advertised::link(&tenant, number).await;
        let (leads, messages, posts) = (Vec::new(), Vec::new(), Vec::new());
        orgs.push(Traffic { tenant, person, integration, crm, ads, leads, messages, posts });
    }
    let mut watcher = Watcher::new(&world().endpoints.aws_endpoint)?;
    let begun = Instant::now();
    while begun.elapsed() < soak.time {
        let (round, since) = (report.rounds, Instant::now());
        disturb(round + usize::try_from(soak.seed).unwrap_or_default(), &orgs, &mut report).await;
        for org in &mut orgs {
            org.happen(round, &mut report).await;
        }
        if round.is_multiple_of(2) {
            search(&orgs).await;
        }
        if round.is_multiple_of(10) {
            renew_tokens(&mut orgs).await;
            probe(&orgs).await;
        }
        compare(&orgs, &mut report, false).await;
        watcher.look();
        report.rounds += 1;
        if report.rounds.is_multiple_of(10) {
            tell(&report, begun.elapsed());
        }
        tokio::time::sleep(soak.round.saturating_sub(since.elapsed())).await;
    }
    // Nothing fails any more, and nothing more happens: then all is there.
    world().call_sim(Method::DELETE, "faults", &Value::Null).await;
    let quiet = Instant::now();
    while quiet.elapsed() < GRACE {
        search(&orgs).await;
        probe(&orgs).await;
        tokio::time::sleep(soak.round).await;
    }
    compare(&orgs, &mut report, true).await;
    watcher.look();
    report.violations.extend(watcher.growing());
    report.processes = watcher.seen();
    Ok(report)
}

impl Traffic {
    /// Everything that happens in a round.
    async fn happen(&mut self, round: usize, report: &mut SoakReport) {
        let (page, at) = (self.person.pages[round % self.person.pages.len()].clone(), Instant::now());
        let form = &self.person.forms[round % self.person.forms.len()];
        for deliver in DELIVERIES {
            let ids = LeadFixture::new(form).delivery(deliver).submit(1).await;
            self.leads.extend(ids.into_iter().map(|id| Happened { id, at }));
            *report.traffic.entry("leads").or_default() += 1;
        }
        for (number, deliver) in DELIVERIES.iter().enumerate() {
            let text = format!("{round} of {number}");
            let message = json!({ "channel": "messenger", "page_id": page, "person": format!("Soak {number}"),
                "text": text, "deliver": deliver });
            let sent = world().call_sim(Method::POST, "messages", &message).await;
            self.messages.push(Happened { id: sent.text("mid").to_owned(), at });
            *report.traffic.entry("messages").or_default() += 1;
        }
        self.ads.click().await;
        *report.traffic.entry("clicks on ads").or_default() += 7;
        if round.is_multiple_of(5) {
            let message = format!("Post {round} of {}", self.tenant.org);
            let post = json!({ "requestId": format!("soak-{round}"), "pageId": page, "message": message });
            let path = "/api/upstream/call/facebook-provider/post-to-page";
            let posted = patiently(&self.tenant, Method::POST, path, &post, report).await;
            if posted.is_some() {
                self.posts.push(Happened { id: message, at });
                *report.traffic.entry("posts").or_default() += 1;
            }
        }
    }

    /// What both sides say of what is old enough.
    async fn compare(&self, state: &Value, report: &mut SoakReport, at_rest: bool) {
        let org = &self.tenant.org;
        let Some(leads) = everything(&self.tenant, "/api/leads?limit=50", report).await else { return };
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        let mut turns: BTreeMap<&str, usize> = ["ann", "bob", "cem"].map(|user| (user, 0)).into();
        for lead in &leads {
            *found.entry(lead["leadgen_id"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            *turns.entry(lead["assigned_to"].as_str().unwrap_or("unassigned")).or_default() += 1;
            if lead["submissions_count"].as_u64().unwrap_or_default() > 0 {
                let path = format!("/api/leads/{}", lead.text("id"));
                let Some(details) = patiently(&self.tenant, Method::GET, &path, &Value::Null, report).await else {
                    return;
                };
                for submission in details["submissions"].as_array().into_iter().flatten() {
                    let id = submission["leadgen_id"].as_str().unwrap_or_default();
                    *found.entry(id.to_owned()).or_default() += 1;
                }
            }
        }
        let mut wrong = Vec::new();
        wrong.extend(
            found.iter().filter(|(_, times)| **times != 1).map(|(id, times)| format!("lead {id} {times} times")),
        );
        let due = |happened: &&Happened| happened.at.elapsed() > GRACE;
        wrong.extend(
            self.leads
                .iter()
                .filter(due)
                .filter(|lead| !found.contains_key(&lead.id))
                .map(|lead| format!("lead {} is missing", lead.id)),
        );
        let (most, least) = (turns.values().max().unwrap_or(&0), turns.values().min().unwrap_or(&0));
        if most - least > 1 || turns.len() != 3 {
            wrong.push(format!("turns {turns:?}"));
        }
        let told: BTreeSet<String> = self
            .crm
            .received_of("lead.created")
            .iter()
            .map(|event| event.json().text("data.lead.leadgen_id").to_owned())
            .collect();
        let created: BTreeSet<&str> = leads.iter().filter_map(|lead| lead["leadgen_id"].as_str()).collect();
        wrong.extend(
            self.leads
                .iter()
                .filter(due)
                .filter(|lead| created.contains(lead.id.as_str()) && !told.contains(&lead.id))
                .map(|lead| format!("the CRM was not told of lead {}", lead.id)),
        );
        if let Some(parked) = everything(&self.tenant, "/api/parked?limit=50", report).await {
            wrong.extend(parked.iter().map(|lead| format!("parked: {} {}", lead["leadgen_id"], lead["reason"])));
        }
        wrong.extend(self.compare_messages(report).await);
        wrong.extend(self.ads.compare(&self.tenant, at_rest).await);
        let integration = format!("/api/meta/integrations/{}", self.integration);
        if let Some(found) = patiently(&self.tenant, Method::GET, &integration, &Value::Null, report).await
            && found["status"] != "active"
        {
            wrong.push(format!("the integration is {}: {}", found["status"], found["status_reason"]));
        }
        let public = |message: &str| {
            state["posts"].as_array().into_iter().flatten().filter(|post| post["message"] == message).count()
        };
        wrong.extend(
            self.posts
                .iter()
                .filter(due)
                .map(|post| (post, public(&post.id)))
                .filter(|(_, times)| *times != 1)
                .map(|(post, times)| format!("“{}” is public {times} times", post.id)),
        );
        report.violations.extend(wrong.into_iter().map(|what| format!("{org}: {what}")));
    }

    async fn compare_messages(&self, report: &mut SoakReport) -> Vec<String> {
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        let Some(conversations) = everything(&self.tenant, "/api/conversations?limit=50", report).await else {
            return Vec::new();
        };
        for conversation in &conversations {
            let path = format!("/api/conversations/{}/messages?limit=50", conversation.text("id"));
            let Some(messages) = everything(&self.tenant, &path, report).await else { return Vec::new() };
            for message in messages {
                *found.entry(message["meta_id"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
        }
        let due = self.messages.iter().filter(|message| message.at.elapsed() > GRACE);
        let times = due.map(|message| (&message.id, found.get(&message.id).copied().unwrap_or_default()));
        times.filter(|(_, times)| *times != 1).map(|(id, times)| format!("message {id} {times} times")).collect()
    }
}

/// Has everything searched that schedules search, and due work done.
async fn search(orgs: &[Traffic]) {
    for org in orgs {
        for job in ["lead-sweep", "social-sync", "delivery-worker"] {
            dev_api(&format!("fire/{job}?org={}", org.tenant.org)).await;
        }
    }
}

/// Logs in again: a token lasts for an hour.
async fn renew_tokens(orgs: &mut [Traffic]) {
    let email = &world().endpoints.user("", "superadmin").expect("a superadmin").email;
    let token = world().token_of(email).await;
    orgs.iter_mut().for_each(|org| org.tenant.token.clone_from(&token));
}

/// Has the connections checked, and the ad accounts read.
async fn probe(orgs: &[Traffic]) {
    for org in orgs {
        dev_api(&format!("fire/expiry-notice?org={}", org.tenant.org)).await;
        org.ads.sync(&org.tenant).await;
    }
}

/// Calls the local API. A busy system may refuse it; the next round repeats it.
async fn dev_api(call: &str) {
    let _ = world().http.post(format!("{}/_local/{call}", world().endpoints.url)).send().await;
}

/// Compares both sides, and looks at the alarms. `at_rest`: nothing is on its way any more.
async fn compare(orgs: &[Traffic], report: &mut SoakReport, at_rest: bool) {
    let state = world().sim_state().await;
    for org in orgs {
        org.compare(&state, report, at_rest).await;
    }
    let url = format!("{}/_local/alarms", world().endpoints.url);
    let Ok(answer) = world().http.get(url).send().await else { return };
    let alarms: Value = answer.json().await.unwrap_or_default();
    for alarm in alarms.as_array().into_iter().flatten().filter(|alarm| alarm["state"] == "ALARM") {
        let id = alarm.text("id");
        // What is lost, or a defect, is no consequence of what is made to fail here.
        if id.ends_with("DeadLettersAlarm") || ["RecordsAlarm", "WebhookLossAlarm", "AuditLossAlarm"].contains(&id) {
            report.violations.insert(format!("the alarm {id}"));
        }
        report.alarms.insert(id.to_owned());
    }
}

/// Calls the API until it succeeds. `None` if it did not in [`TRIES`] tries, which is a violation.
async fn patiently(
    tenant: &Tenant,
    method: Method,
    path: &str,
    body: &Value,
    report: &mut SoakReport,
) -> Option<Value> {
    for _ in 0..TRIES {
        let (status, answer) = tenant.call(method.clone(), path, body).await;
        if (200..300).contains(&status) {
            return Some(answer);
        }
        report.repeated += 1;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    report.violations.insert(format!("{path} of {} failed {TRIES} times", tenant.org));
    None
}

/// All items of a list. `path` has a query.
async fn everything(tenant: &Tenant, path: &str, report: &mut SoakReport) -> Option<Vec<Value>> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = patiently(tenant, Method::GET, &format!("{path}{cursor}"), &Value::Null, report).await?;
        items.extend(page.list("items").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Some(items),
        }
    }
}
