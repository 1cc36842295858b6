//! What leads and ads cost. The product's own code runs against stand-ins for AWS and Meta that count; the bill follows
//! from the prices in `tests/bench/cost.toml`.

mod ads;
mod aws;
mod deliveries;
mod leads;
mod log;
mod messages;
mod monitoring;
mod prices;
mod sweeps;
mod tenant;

use self::aws::Usage;
use self::prices::CostFile;

/// Readings and sweeps of a month, one every 15 minutes.
const RUNS_PER_MONTH: f64 = 2880.0;

/// Prints the bill of every flow beside its budget. Fails if a budget is exceeded.
pub(crate) async fn measure() -> anyhow::Result<()> {
    log::start();
    let mut costs = CostFile::read()?;
    costs.webhook_log_bytes = log::of_webhook().await?;
    let budgets = &costs.budgets;
    let mut exceeded = Vec::new();
    let mut check = |what: &str, value: f64, budget: f64, unit: &str| {
        let verdict = if value <= budget { "" } else { "OVER BUDGET" };
        println!("{what}: {value:.3} of {budget} {unit} {verdict}\n");
        if value > budget {
            exceeded.push(what.to_owned());
        }
    };
    check("log of a delivery in the webhook", costs.webhook_log_bytes, budgets.log_bytes_webhook, "bytes");
    check("watching, at most", monitoring::month(&costs)?, budgets.watching, "USD a month");
    let many = leads::contention(&costs).await?;
    check("read units of a list of 50 leads", many.list_units, budgets.list_units, "");
    check("read units of a search", many.search_units, budgets.search_units, "");
    check("an export", many.export_units * costs.prices.read_unit * 1e6, budgets.export, "USD per million leads");
    check("failed transactions a commit", many.conflicts, budgets.conflicts, "");
    // Together, because they mostly wait.
    let (busy, stormy, idle, tenant) = tokio::try_join!(
        sweeps::day(&costs, 1, (24, 1)),
        sweeps::day(&costs, 1, (1, 1000)),
        sweeps::day(&costs, 1, (0, 0)),
        sweeps::day(&costs, 10, (0, 0))
    )?;
    let sweep = sweeps::of_leads(&costs, ("the sweep's share of a lead", 24.0), &busy, &idle).print(&costs);
    let stormy = sweeps::of_leads(&costs, ("the sweep's share of a lead of a burst", 1000.0), &stormy, &idle);
    let burst_sweep = stormy.print(&costs);
    let typical = leads::typical(&costs).await?;
    check("log of a lead", typical.log_bytes(), budgets.log_bytes_lead, "bytes");
    let typical = typical.print(&costs);
    check("typical, sweep included", typical + sweep, budgets.typical, "USD per million leads");

    let burst = leads::burst(&costs, 30, "burst: 1,000 leads of 30 pages in one body").await?;
    let total = burst.print(&costs);
    check("write units of a lead in a burst", burst.each(|used| used.write_units), budgets.burst_write_units, "");
    check(
        "Graph requests of a lead in a burst",
        burst.each(|used| count(used.graph_requests)),
        budgets.burst_graph_requests,
        "",
    );
    check(
        "SQS requests of a lead in a burst",
        burst.each(|used| count(used.sqs_requests)),
        budgets.burst_sqs_requests,
        "",
    );
    check("log of a lead in a burst", burst.log_bytes(), budgets.log_bytes_burst_lead, "bytes");
    check("burst, sweep included", total + burst_sweep, budgets.burst, "USD per million leads");
    let one_page = leads::burst(&costs, 1, "burst: 1,000 leads of one page in one body").await?.print(&costs);
    check("one page, sweep included", one_page + burst_sweep, budgets.one_page, "USD per million leads");

    let messages = messages::typical(&costs).await?;
    check("log of a message", messages.log_bytes(), budgets.log_bytes_message, "bytes");
    let messages = messages.print(&costs);
    check("messages", messages, budgets.messages, "USD per million messages");

    let unheard = deliveries::typical(&costs, 0).await?.print(&costs);
    check("events without an endpoint", unheard, budgets.events_unheard, "USD per million events");
    let delivered = deliveries::typical(&costs, 1).await?.print(&costs);
    check("events to one endpoint", delivered, budgets.events_delivered, "USD per million events");

    let idle_ads = ads::month(&costs, 1).await?;
    let idle = sweeps::idle_tenant(&costs, &tenant) + idle_ads;
    check("idle tenant, without its secret", idle, budgets.idle_tenant, "USD a month");
    println!("its secret: {} USD a month\n", costs.prices.secret_month);
    let unchanged = ads::month(&costs, 1000).await?;
    check("ad account of 1,000 ads, unchanged", unchanged, budgets.ads_unchanged, "USD a month");
    anyhow::ensure!(exceeded.is_empty(), "over budget: {}", exceeded.join(", "));
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn count(count: u64) -> f64 {
    count as f64
}

/// What a flow used, for a number of leads or of something else.
struct Flow {
    name: &'static str,
    /// What is counted, as in "million leads".
    unit: &'static str,
    number: f64,
    usage: Usage,
    memory_mb: f64,
    /// Bills for what the flow does not run, in USD for all of them.
    beside: Vec<(&'static str, f64)>,
}

impl Flow {
    /// Returns what one has of something.
    fn each(&self, what: impl Fn(&e2e::fake_aws::Used) -> f64) -> f64 {
        what(&self.usage.of_services) / self.number
    }

    /// Returns the bytes that the worker logs for one.
    fn log_bytes(&self) -> f64 {
        self.usage.log_bytes / self.number
    }

    /// Prints the bill, and returns it in USD per million.
    fn print(&self, costs: &CostFile) -> f64 {
        let per_million = |usd: f64| usd / self.number * 1e6;
        println!("{}: {} {}, each with", self.name, self.number, self.unit);
        println!(
            "  {:.2} write units, {:.2} read units, {:.2} DynamoDB requests, {:.3} SQS requests, {:.2} events,",
            self.each(|used| used.write_units),
            self.each(|used| used.read_units),
            self.each(|used| count(used.dynamodb_requests)),
            self.each(|used| count(used.sqs_requests)),
            self.each(|used| count(used.events)),
        );
        println!(
            "  {:.3} Graph requests with {:.2} calls, {:.3} invocations of {:.0} ms, {:.0} bytes of log",
            self.each(|used| count(used.graph_requests)),
            self.each(|used| count(used.graph_calls)),
            self.usage.invocations / self.number,
            self.usage.lambda_ms / self.usage.invocations.max(1.0),
            self.log_bytes(),
        );
        let mut bill = costs.prices.bill(&self.usage, self.memory_mb);
        bill.extend(self.beside.iter().copied());
        for (what, usd) in bill.iter().filter(|(_, usd)| *usd > 0.0) {
            println!("  {what:<24} {:>9.3}", per_million(*usd));
        }
        let total = bill.iter().map(|(_, usd)| per_million(*usd)).sum();
        println!("  {:<24} {total:>9.3} USD per million {}", "sum", self.unit);
        total
    }
}
