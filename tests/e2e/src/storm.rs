//! A campaign with an unusual volume of leads while everything that can fail does, followed by a count of what arrived
//! against what Meta has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::{ConnectedOrg, OrgFixture};
use crate::tenant::Tenant;
use crate::world::{World, world};

/// The parameters of a storm. The same seed makes the same decisions.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// Decides how each lead is delivered.
    pub seed: u64,
    /// The number of submissions.
    pub leads: usize,
    /// The number of orgs, each with three active users in the rotation.
    pub orgs: usize,
    /// Pages of each org.
    pub pages: u64,
    /// Submissions per second.
    pub per_second: usize,
    /// Whether this system runs nothing else. If so, whole requests to Meta fail as well, and workers are killed.
    pub alone: bool,
    /// The time limit for the whole storm.
    pub timeout: Duration,
}

/// The outcome of a storm.
#[derive(Debug, Default)]
pub struct StormReport {
    /// What the simulator did to the leads.
    pub injected: Value,
    /// Everything else that was injected: faults, limits, kills.
    pub faults: BTreeMap<String, usize>,
    /// Leads and repeat submissions by the way they were found.
    pub found_by: BTreeMap<String, usize>,
    /// The number of submissions that joined an existing lead.
    pub merged: usize,
    /// Calls that Meta received during the storm.
    pub graph_calls: u64,
    /// The time from the first submission until the last one was stored.
    pub elapsed: Duration,
    /// The p50 and p95 latency in seconds of the slowest org.
    pub latency: (f64, f64),
    /// Every violated expectation.
    pub violations: Vec<String>,
}

/// Runs a storm over the running system and counts the outcome.
///
/// # Panics
/// Panics if the system or the simulator rejects a call.
pub async fn run(storm: Storm) -> StormReport {
    let world = world();
    let mut report = StormReport::default();
    let (mut tenants, mut forms, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for org in 0..storm.orgs {
        let org = format!("storm-{}-{org}", storm.seed);
        let org = OrgFixture::new(&org).users(&["ann", "bob", "cem"]).inactive_users(&["dee"]);
        let ConnectedOrg { tenant, person, .. } = org.pages(storm.pages).round_robin().connect().await;
        forms.extend(person.forms);
        pages.push(person.pages);
        tenants.push(tenant);
    }
    let calls_before = graph_calls(world).await;
    if let Some(page) = pages.first().and_then(|pages| pages.first()) {
        let limit = json!({ "page_id": page, "calls": 40, "window_s": 60, "block_s": 5 });
        world.call_sim(Method::POST, "limits", &limit).await;
        report.faults.insert("pages limited to 40 calls a minute".to_owned(), 1);
    }
    // Start the leads, then disturb them until all have been submitted.
    let begun = Instant::now();
    let shares =
        json!({ "drop": 0.05, "late": 0.1, "duplicate": 0.1, "reorder": 0.1, "mixed": 0.05, "unreadable_first": 0.05 });
    let ask = json!({
        "seed": storm.seed, "leads": storm.leads, "form_ids": forms, "shares": shares, "same_person": 0.02,
        "late_ms": 4000, "readable_after_ms": 3000, "over_ms": storm.leads * 1000 / storm.per_second.max(1),
    });
    report.injected = world.call_sim(Method::POST, "storm", &ask).await["injected"].clone();
    let truth = inject_faults(world, storm, &forms, &mut report).await;
    // The next sweep finds the dropped leads; until then every worker is busy.
    let mut left = wait_for_leads(world, &tenants, &pages, &truth, begun + storm.timeout).await;
    report.elapsed = begun.elapsed();
    world.call_sim(Method::DELETE, "limits", &Value::Null).await;
    if !left.is_empty() {
        left.truncate(10);
        report.violations.push(format!("not in after {:?}, among others: {left:?}", report.elapsed));
    }
    check_result(world, &tenants, &pages, &truth, &mut report).await;
    report.graph_calls = graph_calls(world).await - calls_before;
    report
}

/// What Meta has: for each lead its page, and whether its webhook was dropped.
async fn submitted_leads(world: &World, forms: &[String]) -> BTreeMap<String, (String, bool)> {
    let state = world.sim_state().await;
    let of_ours = |lead: &&Value| forms.iter().any(|form| lead["form_id"] == *form);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lead = |lead: &Value| (text(&lead["id"]), (text(&lead["page_id"]), lead["delivery"]["state"] == "dropped"));
    state["leads"].as_array().into_iter().flatten().filter(of_ours).map(lead).collect()
}

async fn graph_calls(world: &World) -> u64 {
    let stats = world.call_sim(Method::GET, "stats", &Value::Null).await;
    stats["calls_total"].as_u64().unwrap_or(0)
}

/// Makes every twentieth lead fail at its first read, in rotating ways. Alone, also makes whole requests fail and kills
/// workers. Returns what Meta has in the end.
async fn inject_faults(
    world: &World,
    storm: Storm,
    forms: &[String],
    report: &mut StormReport,
) -> BTreeMap<String, (String, bool)> {
    if storm.alone {
        for (name, kind) in [("whole requests failed", "error"), ("whole requests garbled", "garbage")] {
            let fault = json!({ "path": "=/", "kind": kind, "code": 2, "status": 500, "times": 20, "probability": 0.2, "seed": storm.seed });
            world.call_sim(Method::POST, "faults", &fault).await;
            report.faults.insert(name.to_owned(), 20);
        }
    }
    let mut known: BTreeMap<String, (String, bool)> = BTreeMap::new();
    let mut last_kill = Instant::now();
    while known.len() < storm.leads {
        let now = submitted_leads(world, forms).await;
        for (at, lead) in (0..).zip(now.keys().filter(|lead| !known.contains_key(*lead))) {
            let number = known.len() + at;
            if number.is_multiple_of(20) {
                let (name, mut fault) = match number / 20 % 3 {
                    0 => ("leads unavailable at first", json!({ "kind": "error", "code": 2, "status": 500 })),
                    1 => ("leads timed out at first", json!({ "kind": "timeout", "hold_ms": 10 })),
                    _ => ("leads garbled at first", json!({ "kind": "garbage" })),
                };
                fault["path"] = format!("/{lead}").into();
                fault["times"] = 1.into();
                world.call_sim(Method::POST, "faults", &fault).await;
                *report.faults.entry(name.to_owned()).or_default() += 1;
            }
        }
        known = now;
        if storm.alone && last_kill.elapsed() > Duration::from_secs(20) {
            last_kill = Instant::now();
            world.call_dev_api(Method::POST, "kill/lead-worker").await;
            *report.faults.entry("workers killed".to_owned()).or_default() += 1;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    submitted_leads(world, forms).await
}

/// Waits until every lead is stored, with a sweep now and then, and returns the missing ones.
async fn wait_for_leads(
    world: &World,
    tenants: &[Tenant],
    pages: &[Vec<String>],
    truth: &BTreeMap<String, (String, bool)>,
    until: Instant,
) -> Vec<String> {
    for round in 0_u32.. {
        // Often enough to find dropped leads in time, and rarely enough not to dominate the measurement.
        if round.is_multiple_of(10) {
            for tenant in tenants {
                // A busy system may reject the call; the next round repeats it.
                let fire = format!("{}/_local/fire/lead-sweep?org={}", world.endpoints.url, tenant.org);
                let _ = world.http.post(fire).send().await;
            }
        }
        let mut left = Vec::new();
        for (tenant, pages) in tenants.iter().zip(pages) {
            let (_, connections) = tenant.call(Method::GET, "/api/meta/connections", &Value::Null).await;
            let counted: u64 = connections["items"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|page| page["leads_count"].as_u64())
                .sum();
            let expected = truth.values().filter(|(page, _)| pages.contains(page)).count() as u64;
            // Repeat submissions are not counted as leads, hence the margin. The exact comparison is costly and pays
            // off only once the count is close.
            if counted * 10 < expected * 9 {
                left.push(format!("{} of {expected} in {}", counted, tenant.org));
                continue;
            }
            let found = submissions(tenant).await;
            let missing = truth.iter().filter(|(id, (page, _))| pages.contains(page) && !found.contains_key(*id));
            left.extend(missing.map(|(id, _)| id.clone()));
        }
        if left.is_empty() || Instant::now() > until {
            return left;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    Vec::new()
}

/// Returns the org's submissions by leadgen id: how each was found, and how often it is stored.
async fn submissions(tenant: &Tenant) -> BTreeMap<String, (String, usize)> {
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut take = |submission: &Value| {
        let text = |name: &str| submission[name].as_str().unwrap_or_default().to_owned();
        found.entry(text("leadgen_id")).or_insert((text("found_by"), 0)).1 += 1;
    };
    for lead in tenant.leads("").await {
        take(&lead);
        if lead["submissions_count"].as_u64().unwrap_or(0) > 0 {
            let details = tenant.get(&format!("/api/leads/{}", lead["id"].as_str().unwrap_or_default())).await;
            details["submissions"].as_array().into_iter().flatten().for_each(&mut take);
        }
    }
    found
}

async fn check_result(
    world: &World,
    tenants: &[Tenant],
    pages: &[Vec<String>],
    truth: &BTreeMap<String, (String, bool)>,
    report: &mut StormReport,
) {
    let events = world.call_dev_api(Method::GET, "events").await;
    let published: BTreeSet<&str> =
        events.as_array().into_iter().flatten().filter_map(|event| event["detail"]["id"].as_str()).collect();
    for (tenant, pages) in tenants.iter().zip(pages) {
        let found = submissions(tenant).await;
        let expected: BTreeSet<&String> =
            truth.iter().filter(|(_, (page, _))| pages.contains(page)).map(|(id, _)| id).collect();
        for (id, (found_by, times)) in &found {
            if *times != 1 {
                report.violations.push(format!("{id} is {times} times in {}", tenant.org));
            }
            if !expected.contains(id) {
                report.violations.push(format!("{id} is in {} and not its", tenant.org));
            }
            if truth.get(id).is_some_and(|(_, dropped)| *dropped) && found_by != "sweep" {
                report.violations.push(format!("{id} was dropped and is marked {found_by}"));
            }
            *report.found_by.entry(found_by.clone()).or_default() += 1;
        }
        // Assignment must be fair, and every lead published.
        let leads = tenant.leads("").await;
        report.merged += found.len() - leads.len();
        let mut turns: BTreeMap<&str, usize> = ["ann", "bob", "cem"].map(|user| (user, 0)).into();
        for lead in &leads {
            let to = lead["assigned_to"].as_str().unwrap_or("nobody");
            *turns.entry(to).or_default() += 1;
            let id = lead["id"].as_str().unwrap_or_default();
            if !published.contains(format!("lead.created:{}:{id}", tenant.org).as_str()) {
                report.violations.push(format!("{id} of {} was never published", tenant.org));
            }
        }
        let (most, least) = (turns.values().max().unwrap_or(&0), turns.values().min().unwrap_or(&0));
        if most - least > 1 || turns.len() != 3 {
            report.violations.push(format!("turns of {}: {turns:?}", tenant.org));
        }
        let parked = tenant.get("/api/parked").await;
        if parked["items"].as_array().is_none_or(|items| !items.is_empty()) {
            report.violations.push(format!("parked in {}: {}", tenant.org, parked["items"][0]));
        }
        let latency = tenant.get("/api/leads/latency").await;
        let seconds = |name: &str| latency[name].as_f64().unwrap_or(0.0);
        if seconds("p95_s") > report.latency.1 {
            report.latency = (seconds("p50_s"), seconds("p95_s"));
        }
    }
}
