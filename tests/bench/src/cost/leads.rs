//! Leads that webhooks report.

use std::collections::BTreeMap;

use leadwire::exports::Exporter;
use leadwire::ids::{FormId, UserId};
use leadwire::jobs::LeadBatch;
use leadwire::leads::{Arrival, Ingest, LeadLister};
use leadwire::model::lead::query::LeadQuery;
use leadwire::model::lead::{Lead, Status};
use leadwire::model::webhook::LeadNotice;
use leadwire::secret::HmacKey;
use leadwire::table::lead_list::LeadFilter;

use super::aws::Aws;
use super::prices::CostFile;
use super::tenant::{Tenant, arrival, job, lead_worker};
use super::{Flow, count};

/// The time that a lead worker may take for one event.
const TIME_LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
/// Messages that Lambda hands to one invocation, as in the template.
const MESSAGES_PER_INVOCATION: usize = 20;
/// Deliveries after which a lead would be parked at the next one.
const MAX_DELIVERIES: u32 = 9;

/// Sends what a webhook reported to the queue, and returns the messages.
pub(super) async fn enqueue(aws: &Aws, notices: Vec<LeadNotice>) -> anyhow::Result<Vec<LeadBatch>> {
    let now = leadwire::clock::now();
    let batches = LeadBatch::pack(notices.into_iter().map(|notice| job(notice, now)).collect());
    aws.queue::<LeadBatch>().send(&batches).await?;
    Ok(batches)
}

/// Hands messages to the lead worker as Lambda does.
pub(super) async fn work(aws: &Aws, worker: &Ingest, messages: &[LeadBatch]) -> anyhow::Result<()> {
    for messages in messages.chunks(MESSAGES_PER_INVOCATION) {
        let mut open: Vec<Arrival> = messages.iter().flat_map(|message| &message.leads).cloned().map(arrival).collect();
        // What waits too long for its org's other writers comes again, as it does from a queue.
        while !open.is_empty() {
            let outcomes = aws.invoke(worker.ingest(&open, TIME_LIMIT, leadwire::clock::now())).await;
            open.retain(|arrival| outcomes.get(&arrival.lead_id()).is_some_and(Result::is_err));
            if let Some(arrival) = open.iter().find(|arrival| arrival.receive_count >= MAX_DELIVERIES) {
                let error = outcomes.get(&arrival.lead_id());
                anyhow::bail!("{} failed at every delivery: {error:?}", arrival.lead_id());
            }
            open.iter_mut().for_each(|arrival| arrival.receive_count += 1);
        }
    }
    Ok(())
}

/// What a body costs at the gateway, in the webhook, and in the messages' receipts and deletions.
pub(super) fn beside(costs: &CostFile, bodies: f64, messages: f64) -> Vec<(&'static str, f64)> {
    let receipts = (messages / 10.0).ceil() * 2.0;
    let log_bytes = bodies * (costs.assumptions.gateway_log_bytes + costs.webhook_log_bytes);
    vec![
        ("HTTP API", bodies * costs.prices.http_api_request),
        ("webhook", costs.prices.lambda(bodies, bodies * costs.assumptions.webhook_ms, costs.memory_mb.webhook)),
        ("SQS receipts, deletions", receipts * costs.prices.sqs_request),
        ("logs of gateway, webhook", costs.prices.log(log_bytes)),
    ]
}

/// One lead a body and message, of many tenants, three on each form.
pub(super) async fn typical(costs: &CostFile) -> anyhow::Result<Flow> {
    const TENANTS: usize = 6;
    const PAGES: usize = 5;
    let aws = Aws::start(costs.milliseconds).await?;
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        tenants.push(Tenant::connect(&aws, number, 20, PAGES, 1).await?);
    }
    let worker = lead_worker(&aws).await?;
    let mut leads = 0.0;
    for _ in 0..3 {
        for page in 0..PAGES {
            for tenant in &tenants {
                let notices = tenant.submit(&aws, page, 0, 1).await?;
                if leads == 0.0 {
                    let _ = aws.take_usage();
                }
                let messages = enqueue(&aws, notices).await?;
                work(&aws, &worker, &messages).await?;
                leads += 1.0;
            }
        }
    }
    // How often a secret is read depends on how long containers live, which this run does not show.
    let mut usage = aws.take_usage();
    usage.of_services.secret_calls = 0;
    let mut beside = beside(costs, leads, leads * 10.0);
    beside.push(("Secrets Manager", leads * costs.assumptions.secret_calls_per_lead * costs.prices.secret_call));
    let memory_mb = costs.memory_mb.lead_worker;
    Ok(Flow { name: "typical: one lead a body, many tenants", unit: "leads", number: leads, usage, memory_mb, beside })
}

/// A body with 1,000 leads of one org.
pub(super) async fn burst(costs: &CostFile, pages: usize, name: &'static str) -> anyhow::Result<Flow> {
    let aws = Aws::start(costs.milliseconds).await?;
    let tenant = Tenant::connect(&aws, 0, 20, pages, 1).await?;
    let worker = lead_worker(&aws).await?;
    let mut notices = Vec::new();
    for page in 0..pages {
        let count = 1000 / pages + usize::from(page < 1000 % pages);
        notices.extend(tenant.submit(&aws, page, 0, count).await?);
    }
    let _ = aws.take_usage();
    let messages = enqueue(&aws, notices).await?;
    work(&aws, &worker, &messages).await?;
    let usage = aws.take_usage();
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let beside = beside(costs, 1.0, messages.len() as f64);
    Ok(Flow { name, unit: "leads", number: 1000.0, usage, memory_mb: costs.memory_mb.lead_worker, beside })
}

/// Many containers with leads of one org at once: how often they collide, and how many leads a second can be written.
/// Then lists of these leads, searches for one of them, and an export of all.
pub(super) async fn contention(costs: &CostFile) -> anyhow::Result<Contention> {
    const CONTAINERS: usize = 100;
    const LEADS_EACH: usize = 100;
    let aws = Aws::start(costs.milliseconds).await?;
    let tenant = Tenant::connect(&aws, 0, 20, 10, 1).await?;
    let mut batches = Vec::new();
    for container in 0..CONTAINERS {
        batches.push(LeadBatch::pack(
            tenant
                .submit(&aws, container % 10, 0, LEADS_EACH)
                .await?
                .into_iter()
                .map(|notice| job(notice, leadwire::clock::now()))
                .collect(),
        ));
    }
    let mut workers = Vec::new();
    for _ in 0..CONTAINERS {
        workers.push(lead_worker(&aws).await?);
    }
    let _ = aws.take_usage();
    let work = workers.iter().zip(&batches).map(|(worker, messages)| work(&aws, worker, messages));
    futures_util::future::try_join_all(work).await?;
    let used = aws.take_usage().of_services;
    let turns = aws.table().leads(&tenant.scope, &LeadFilter::default(), None, CONTAINERS * LEADS_EACH).await?.0;
    let mut counts: BTreeMap<Option<UserId>, usize> = BTreeMap::new();
    turns.iter().for_each(|lead| *counts.entry(lead.assigned_to.clone()).or_default() += 1);
    let (most, least) = (counts.values().max().unwrap_or(&0), counts.values().min().unwrap_or(&0));
    anyhow::ensure!(turns.len() == CONTAINERS * LEADS_EACH && most - least <= 1, "{} leads, {counts:?}", turns.len());
    let (commits, conflicts) = (count(used.commits), count(used.conflicts));
    let leads = count((CONTAINERS * LEADS_EACH) as u64);
    println!("{CONTAINERS} containers with {LEADS_EACH} leads of one org each: turns differ by {}", most - least);
    println!("  {:.1} leads a commit, {:.3} failed transactions a commit", leads / commits, conflicts / commits);
    // Writers take turns: each reads what its plan relies on, and commits.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds")]
    let turn_ms = (costs.milliseconds.dynamodb + costs.milliseconds.transaction) as f64 * (1.0 + conflicts / commits);
    let per_second = leads / commits / turn_ms * 1000.0;
    println!("  {turn_ms:.1} ms a commit: {per_second:.0} leads a second for one org\n");
    let sample = turns.first().ok_or_else(|| anyhow::anyhow!("no lead"))?;
    Ok(Contention {
        conflicts: conflicts / commits,
        list_units: list(&aws, &tenant).await?,
        search_units: search(&aws, &tenant, sample).await?,
        export_units: export(&aws, &tenant, turns.len()).await?,
    })
}

/// What many leads of one org cost.
pub(super) struct Contention {
    /// Failed transactions of each committed one.
    pub(super) conflicts: f64,
    /// Read units of the most expensive list of fifty leads.
    pub(super) list_units: f64,
    /// Read units of the most expensive search.
    pub(super) search_units: f64,
    /// Read units of each lead of an export.
    pub(super) export_units: f64,
}

/// Searches for a lead by what is known of its person. The units depend on what is found, not on how many leads there are.
async fn search(aws: &Aws, tenant: &Tenant, lead: &Lead) -> anyhow::Result<f64> {
    let (table, key) = (aws.table(), HmacKey::new("key".to_owned()));
    let lister = LeadLister { table: &table, key: &key };
    let mut most: f64 = 0.0;
    for (name, text) in [("name", &lead.full_name), ("address", &lead.email), ("number", &lead.phone)] {
        let query = LeadQuery { text: text.clone(), ..LeadQuery::default() };
        let _ = aws.take_usage();
        let found = lister.list(&tenant.scope, &query, None, 50).await?.items.len();
        let used = aws.take_usage().of_services;
        anyhow::ensure!(found > 0 && text.is_some(), "no lead by {name} {text:?}");
        println!("  search by {name}: {found} leads, {:.1} read units", used.read_units);
        most = most.max(used.read_units);
    }
    Ok(most)
}

/// Reads all leads as an export does.
async fn export(aws: &Aws, tenant: &Tenant, leads: usize) -> anyhow::Result<f64> {
    let (table, key) = (aws.table(), HmacKey::new("key".to_owned()));
    let lister = LeadLister { table: &table, key: &key };
    let (mut cursor, mut found) = (None, 0);
    let _ = aws.take_usage();
    loop {
        let page = lister.list(&tenant.scope, &LeadQuery::default(), cursor.as_deref(), Exporter::PAGE).await?;
        found += page.items.len();
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    anyhow::ensure!(found == leads, "{found} of {leads} leads");
    let used = aws.take_usage().of_services;
    let each = used.read_units / count(leads as u64);
    println!("  export: {each:.2} read units a lead, {} requests for {leads}\n", used.dynamodb_requests);
    Ok(each)
}

/// Lists fifty leads by each filter, and returns the read units of the most expensive list. They depend on the number of
/// parts that a list is merged from, not on how many leads there are.
async fn list(aws: &Aws, tenant: &Tenant) -> anyhow::Result<f64> {
    let all = LeadFilter::default;
    let assignee = aws.table().rotation(&tenant.scope).await?.roster.pop();
    let page = tenant.pages.first().map(|(page, _)| page.page_id.clone());
    let form = tenant.pages.last().and_then(|(_, forms)| FormId::parse(forms.first()?).ok());
    let mut most: f64 = 0.0;
    for (name, filter) in [
        ("all", all()),
        ("status", LeadFilter { status: Some(Status::New), ..all() }),
        ("a status that none has", LeadFilter { status: Some(Status::Lost), ..all() }),
        ("assignee", LeadFilter { assignee: Some(assignee.clone()), ..all() }),
        ("without assignee", LeadFilter { assignee: Some(None), ..all() }),
        ("assignee and status", LeadFilter { assignee: Some(assignee), status: Some(Status::New), ..all() }),
        ("page", LeadFilter { page, ..all() }),
        ("form", LeadFilter { form, ..all() }),
    ] {
        let _ = aws.take_usage();
        let found = aws.table().leads(&tenant.scope, &filter, None, 50).await?.0.len();
        let used = aws.take_usage().of_services;
        println!(
            "  list by {name}: {found} leads, {:.1} read units, {} requests",
            used.read_units, used.dynamodb_requests
        );
        most = most.max(used.read_units);
    }
    Ok(most)
}
