//! Regular sweeps.

use axum::http::Method;
use e2e::fake_aws::Used;
use jiff::{SignedDuration, Timestamp};
use leadwire::jobs::LeadBatch;
use leadwire::leads::{Search, Sweep};
use serde_json::json;

use super::aws::{Aws, Usage};
use super::leads::{enqueue, work};
use super::prices::CostFile;
use super::tenant::{Tenant, lead_worker};
use super::{Flow, RUNS_PER_MONTH};

/// What regular sweeps of a day use for each lead that a webhook brought, beyond those of an idle page.
pub(super) fn of_leads(costs: &CostFile, (name, leads): (&'static str, f64), busy: &Usage, idle: &Usage) -> Flow {
    let (with, without) = (&busy.of_services, &idle.of_services);
    let used = Used {
        write_units: with.write_units - without.write_units,
        read_units: with.read_units - without.read_units,
        graph_requests: with.graph_requests.saturating_sub(without.graph_requests),
        graph_calls: with.graph_calls.saturating_sub(without.graph_calls),
        ..Used::default()
    };
    let lambda_ms = (busy.lambda_ms - idle.lambda_ms) / costs.assumptions.sweeps_per_invocation;
    let log_bytes = busy.log_bytes - idle.log_bytes;
    let usage = Usage { of_services: used, lambda_ms, invocations: 0.0, log_bytes };
    let memory_mb = costs.memory_mb.lead_sweep;
    Flow { name, unit: "leads", number: leads, usage, memory_mb, beside: Vec::new() }
}

/// Sweeps a tenant with pages of five forms for a day, in which leads arrive so many times, so many at once.
pub(super) async fn day(costs: &CostFile, pages: usize, (times, at_once): (usize, usize)) -> anyhow::Result<Usage> {
    const SWEEPS: usize = 96;
    let aws = Aws::start(costs.milliseconds).await?;
    let tenant = Tenant::connect(&aws, 0, 20, pages, 5).await?;
    let (worker, table, leads) = (lead_worker(&aws).await?, aws.table(), aws.queue::<LeadBatch>());
    let mut usage = Usage::default();
    let begun: Timestamp = leadwire::clock::now();
    for number in 0..SWEEPS {
        if times > 0 && number % (SWEEPS / times) == 1 {
            let notices = tenant.submit(&aws, 0, 0, at_once).await?;
            let messages = enqueue(&aws, notices).await?;
            work(&aws, &worker, &messages).await?;
        }
        aws.call_sim(Method::POST, "clock", &json!({ "advance_s": 900 })).await?;
        let now = begun + SignedDuration::from_mins(15 * i64::try_from(number + 1).unwrap_or(0));
        let search = Search::regular(now - SignedDuration::from_mins(5));
        let meta = &worker.meta;
        let _ = aws.take_usage();
        let found = aws
            .invoke(async {
                let Some((scope, integration)) =
                    table.integration_of(tenant.scope.org().clone(), &tenant.integration.id).await?
                else {
                    anyhow::bail!("the integration is gone");
                };
                table.org(&scope).await?;
                let pages = table.swept_pages(&scope, &integration.id, now).await?;
                let sweep = Sweep { meta, table: &table, leads: &leads };
                sweep.run(&scope, &integration, &pages, &search, now).await.map_err(|error| anyhow::anyhow!("{error}"))
            })
            .await?;
        anyhow::ensure!(found == 0, "the sweep found {found} leads that a webhook had brought");
        usage.add(&aws.take_usage());
    }
    Ok(usage)
}

/// What the sweeps of a tenant with ten pages of five forms cost a month if nothing happens, and its daily check, in USD.
pub(super) fn idle_tenant(costs: &CostFile, day: &Usage) -> f64 {
    let used = &day.of_services;
    println!(
        "idle tenant: a sweep of 10 pages of 5 forms takes {:.1} read units, {:.2} write units, {:.0} ms, {:.0} bytes of log",
        used.read_units / 96.0,
        used.write_units / 96.0,
        day.lambda_ms / 96.0,
        day.log_bytes / 96.0,
    );
    let shared = costs.assumptions.sweeps_per_invocation;
    let prices = &costs.prices;
    let lambda = prices.lambda(RUNS_PER_MONTH / shared, day.lambda_ms * 30.0 / shared, costs.memory_mb.lead_sweep);
    let services = Usage { of_services: *used, log_bytes: day.log_bytes, ..Usage::default() };
    let units: f64 = prices.bill(&services, 0.0).iter().map(|(_, usd)| usd * 30.0).sum();
    // Sent, received and deleted in tens.
    let sqs = RUNS_PER_MONTH * 0.3 * prices.sqs_request;
    let check = costs.assumptions.daily_check_usd * 30.0;
    for (what, usd) in
        [("sweep: services", units), ("sweep: Lambda", lambda), ("sweep: SQS", sqs), ("daily check", check)]
    {
        println!("  {what:<24} {usd:>9.4}");
    }
    units + lambda + sqs + check
}
