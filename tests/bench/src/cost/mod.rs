//! What leads cost. The product's own code runs against stand-ins for AWS and Meta that count; the bill follows from the
//! prices in `tests/bench/cost.toml`.

mod aws;
mod prices;
mod tenant;

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use leadwire::jobs::LeadBatch;
use leadwire::leads::{Arrival, Search, Sweep};
use leadwire::model::webhook::LeadNotice;
use serde_json::json;

use self::aws::{Aws, Used};
use self::prices::CostFile;
use self::tenant::{Tenant, arrival, job, lead_worker};

/// The time that a lead worker may take for one event.
const TIME_LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
/// Messages that Lambda hands to one invocation, as in the template.
const MESSAGES_PER_INVOCATION: usize = 20;
const SWEEPS_PER_MONTH: f64 = 2880.0;

/// Prints the bill of every flow beside its budget. Fails if a budget is exceeded.
pub(crate) async fn measure() -> anyhow::Result<()> {
    let costs = CostFile::read()?;
    let budgets = &costs.budgets;
    let mut exceeded = Vec::new();
    let mut check = |what: &str, value: f64, budget: f64, unit: &str| {
        let verdict = if value <= budget { "ok" } else { "OVER" };
        println!("{what:<44} {value:>9.3} of {budget:>7.3} {unit:<16} {verdict}\n");
        if value > budget {
            exceeded.push(what.to_owned());
        }
    };
    // Together, because they mostly wait.
    let (busy, idle, tenant) = tokio::try_join!(
        day_of_sweeps(&costs, 1, Some(4)),
        day_of_sweeps(&costs, 1, None),
        day_of_sweeps(&costs, 10, None)
    )?;
    let sweep = sweep_of_leads(&costs, &busy, &idle).print(&costs);

    let typical = typical(&costs).await?.print(&costs);
    check("typical, sweep included", typical + sweep, budgets.typical, "USD per million");
    let burst = burst(&costs, 30, "burst: 1,000 leads of 30 pages in one body").await?;
    let per_lead = |count: f64| count / burst.leads;
    check("write units a lead in a burst", per_lead(burst.used.write_units), budgets.burst_write_units, "");
    let (requests, messages) = (burst.used.graph_requests, burst.used.sqs_requests);
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let (requests, messages) = (requests as f64, messages as f64);
    check("Graph requests a lead in a burst", per_lead(requests), budgets.burst_graph_requests, "");
    check("SQS requests a lead in a burst", per_lead(messages), budgets.burst_sqs_requests, "");
    check("burst, sweep included", burst.print(&costs) + sweep, budgets.burst, "USD per million");
    let one_page = self::burst(&costs, 1, "burst: 1,000 leads of one page in one body").await?.print(&costs);
    check("one page, sweep included", one_page + sweep, budgets.one_page, "USD per million");
    check(
        "idle tenant without its secret and its ads",
        idle_tenant(&costs, tenant),
        budgets.idle_tenant,
        "USD a month",
    );
    println!("its secret {:>40.3} USD a month", costs.prices.secret_month);
    anyhow::ensure!(exceeded.is_empty(), "over budget: {}", exceeded.join(", "));
    Ok(())
}

/// What a flow used, for a number of leads.
struct Flow {
    name: &'static str,
    leads: f64,
    used: Used,
    memory_mb: f64,
    /// Bills for what the flow does not run, in USD for all its leads.
    beside: Vec<(&'static str, f64)>,
}

impl Flow {
    /// Prints the bill, and returns it in USD per million leads.
    fn print(&self, costs: &CostFile) -> f64 {
        let per_million = |usd: f64| usd / self.leads * 1e6;
        let Used { write_units, read_units, dynamodb_requests, sqs_requests, secret_calls, events, .. } = self.used;
        let Used { graph_requests, graph_calls, lambda_ms, invocations, .. } = self.used;
        println!("{}: {} leads", self.name, self.leads);
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let each = |count: u64| count as f64 / self.leads;
        println!(
            "  a lead: {:.2} write units, {:.2} read units, {:.2} DynamoDB, {:.3} SQS, {:.2} event, {:.2} secret, {:.3} Graph \
             requests ({:.2} calls), {:.3} invocations, {:.1} ms",
            write_units / self.leads,
            read_units / self.leads,
            each(dynamodb_requests),
            each(sqs_requests),
            each(events),
            each(secret_calls),
            each(graph_requests),
            each(graph_calls),
            each(invocations),
            lambda_ms / self.leads,
        );
        let mut bill = costs.prices.bill(&self.used, self.memory_mb);
        bill.extend(self.beside.iter().copied());
        for (what, usd) in bill.iter().filter(|(_, usd)| *usd > 0.0) {
            println!("  {what:<24} {:>9.3}", per_million(*usd));
        }
        let total = bill.iter().map(|(_, usd)| per_million(*usd)).sum();
        println!("  {:<24} {total:>9.3} USD per million leads", "sum");
        total
    }
}

/// Sends what a webhook reported to the queue, and returns the messages.
async fn enqueue(aws: &Aws, notices: Vec<LeadNotice>) -> anyhow::Result<Vec<LeadBatch>> {
    let now = leadwire::clock::now();
    let batches = LeadBatch::pack(notices.into_iter().map(|notice| job(notice, now)).collect());
    aws.queue::<LeadBatch>().send(&batches).await?;
    Ok(batches)
}

/// Hands messages to the lead worker as Lambda does.
async fn work(aws: &Aws, worker: &leadwire::leads::Ingest, messages: &[LeadBatch]) -> anyhow::Result<()> {
    for messages in messages.chunks(MESSAGES_PER_INVOCATION) {
        let arrivals: Vec<Arrival> = messages.iter().flat_map(|message| &message.leads).cloned().map(arrival).collect();
        let outcomes = aws.invoke(worker.ingest(&arrivals, TIME_LIMIT, leadwire::clock::now())).await;
        for (lead, outcome) in outcomes {
            outcome.map_err(|error| anyhow::anyhow!("{lead}: {error}"))?;
        }
    }
    Ok(())
}

/// What a body costs at the gateway, in the webhook, and in the messages' receipts and deletions.
fn beside(costs: &CostFile, bodies: f64, leads: f64, messages: f64) -> Vec<(&'static str, f64)> {
    let receipts = (messages / 10.0).ceil() * 2.0;
    let log_kb = bodies * costs.assumptions.log_kb_webhook + leads * costs.assumptions.log_kb_worker;
    vec![
        ("HTTP API", bodies * costs.prices.http_api_request),
        ("webhook", costs.prices.lambda(bodies, bodies * costs.assumptions.webhook_ms, costs.memory_mb.webhook)),
        ("SQS receipts, deletions", receipts * costs.prices.sqs_request),
        ("logs", log_kb / 1e6 * costs.prices.log_gb),
    ]
}

/// One lead a body and message, of many tenants, three on each form.
async fn typical(costs: &CostFile) -> anyhow::Result<Flow> {
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
                    aws.take_used();
                }
                let messages = enqueue(&aws, notices).await?;
                work(&aws, &worker, &messages).await?;
                leads += 1.0;
            }
        }
    }
    // How often a secret is read depends on how long containers live, which this run does not show.
    let used = Used { secret_calls: 0, ..aws.take_used() };
    let mut beside = beside(costs, leads, leads, leads * 10.0);
    beside.push(("Secrets Manager", leads * costs.assumptions.secret_calls_per_lead * costs.prices.secret_call));
    let memory_mb = costs.memory_mb.lead_worker;
    Ok(Flow { name: "typical: one lead a body, many tenants", leads, used, memory_mb, beside })
}

/// A body with 1,000 leads of one org.
async fn burst(costs: &CostFile, pages: usize, name: &'static str) -> anyhow::Result<Flow> {
    let aws = Aws::start(costs.milliseconds).await?;
    let tenant = Tenant::connect(&aws, 0, 20, pages, 1).await?;
    let worker = lead_worker(&aws).await?;
    let mut notices = Vec::new();
    for page in 0..pages {
        let count = 1000 / pages + usize::from(page < 1000 % pages);
        notices.extend(tenant.submit(&aws, page, 0, count).await?);
    }
    aws.take_used();
    let messages = enqueue(&aws, notices).await?;
    work(&aws, &worker, &messages).await?;
    let used = aws.take_used();
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let beside = beside(costs, 1.0, 1000.0, messages.len() as f64);
    Ok(Flow { name, leads: 1000.0, used, memory_mb: costs.memory_mb.lead_worker, beside })
}

/// What regular sweeps of a day use for each lead that a webhook brought, beyond those of an idle page.
fn sweep_of_leads(costs: &CostFile, busy: &Used, idle: &Used) -> Flow {
    let used = Used {
        write_units: busy.write_units - idle.write_units,
        read_units: busy.read_units - idle.read_units,
        graph_requests: busy.graph_requests.saturating_sub(idle.graph_requests),
        graph_calls: busy.graph_calls.saturating_sub(idle.graph_calls),
        lambda_ms: (busy.lambda_ms - idle.lambda_ms) / costs.assumptions.sweeps_per_invocation,
        ..Used::default()
    };
    let memory_mb = costs.memory_mb.lead_sweep;
    Flow { name: "the sweep's share of a lead", leads: 24.0, used, memory_mb, beside: Vec::new() }
}

/// Sweeps a tenant with pages of five forms for a day, with a lead every `lead_every` sweeps.
async fn day_of_sweeps(costs: &CostFile, pages: usize, lead_every: Option<usize>) -> anyhow::Result<Used> {
    const SWEEPS: usize = 96;
    let aws = Aws::start(costs.milliseconds).await?;
    let tenant = Tenant::connect(&aws, 0, 20, pages, 5).await?;
    let (worker, table, leads) = (lead_worker(&aws).await?, aws.table(), aws.queue::<LeadBatch>());
    let mut used = Used::default();
    let begun: Timestamp = leadwire::clock::now();
    for number in 0..SWEEPS {
        if lead_every.is_some_and(|every| number % every == 1) {
            let notices = tenant.submit(&aws, 0, 0, 1).await?;
            let messages = enqueue(&aws, notices).await?;
            work(&aws, &worker, &messages).await?;
        }
        aws.call_sim(Method::POST, "clock", &json!({ "advance_s": 900 })).await?;
        let now = begun + SignedDuration::from_mins(15 * i64::try_from(number + 1).unwrap_or(0));
        let search = Search::regular(now - SignedDuration::from_mins(5));
        let meta = &worker.meta;
        aws.take_used();
        let found = aws
            .invoke(async {
                let Some((scope, integration)) =
                    table.integration_of(tenant.scope.org().clone(), &tenant.integration.id).await?
                else {
                    anyhow::bail!("the integration is gone");
                };
                table.org(&scope).await?;
                let pages = table.pages_of(&scope, &integration.id).await?;
                let sweep = Sweep { meta, table: &table, leads: &leads };
                sweep.run(&scope, &integration, &pages, &search, now).await.map_err(|error| anyhow::anyhow!("{error}"))
            })
            .await?;
        anyhow::ensure!(found == 0, "the sweep found {found} leads that a webhook had brought");
        let of_sweep = aws.take_used();
        used.write_units += of_sweep.write_units;
        used.read_units += of_sweep.read_units;
        used.dynamodb_requests += of_sweep.dynamodb_requests;
        used.graph_requests += of_sweep.graph_requests;
        used.graph_calls += of_sweep.graph_calls;
        used.lambda_ms += of_sweep.lambda_ms;
        used.invocations += 1;
    }
    Ok(used)
}

/// What a tenant with ten pages of five forms costs a month if nothing happens, in USD.
fn idle_tenant(costs: &CostFile, day: Used) -> f64 {
    let a_sweep = |of_day: f64| of_day / 96.0;
    println!(
        "idle tenant: a sweep of 10 pages of 5 forms takes {:.1} read units, {:.2} write units, {:.0} ms",
        a_sweep(day.read_units),
        a_sweep(day.write_units),
        a_sweep(day.lambda_ms),
    );
    let shared = costs.assumptions.sweeps_per_invocation;
    let lambda =
        costs.prices.lambda(SWEEPS_PER_MONTH / shared, day.lambda_ms * 30.0 / shared, costs.memory_mb.lead_sweep);
    let units: f64 =
        costs.prices.bill(&Used { lambda_ms: 0.0, invocations: 0, ..day }, 0.0).iter().map(|(_, usd)| usd * 30.0).sum();
    // Sent, received and deleted in tens.
    let sqs = SWEEPS_PER_MONTH * 0.3 * costs.prices.sqs_request;
    let check = costs.assumptions.daily_check_usd * 30.0;
    for (what, usd) in
        [("sweep: DynamoDB", units), ("sweep: Lambda", lambda), ("sweep: SQS", sqs), ("daily check", check)]
    {
        println!("  {what:<24} {usd:>9.4}");
    }
    units + lambda + sqs + check
}
