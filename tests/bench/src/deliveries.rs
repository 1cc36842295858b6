//! The CPU time that `webhook` spends on a delivery, compared with a function that forwards the same body to a queue in
//! one message.
//!
//! SQS is a stub over plain HTTP, so both lack the cost of TLS.

use std::fs;

use anyhow::{Context, Result, ensure};
use leadwire::secret::HmacKey;
use local::packages::{Architecture, Budgets, Packages};
use local::{APP_SECRET, RunningFunction};
use serde_json::{Value, json};

const BASELINE: &str = "baseline-forward";
/// Numbers of leads in a delivery. Meta sends up to 1,000.
const SIZES: [usize; 3] = [1, 10, 1000];
/// `/proc` counts CPU time in ticks of this many milliseconds.
const MS_PER_TICK: f64 = 10.0;

/// The cost of one delivery.
struct Cost {
    cpu_ms: f64,
    sqs_requests: u64,
}

/// Sends each function `times` deliveries of each size.
pub(crate) async fn measure(times: u32) -> Result<()> {
    let packages = Packages::build(Architecture::host(), &[BASELINE]).await?;
    let budgets = Budgets::read()?.delivery;
    let webhook = packages.functions().iter().find(|function| function.name == "webhook").context("no webhook")?;
    let mut over = Vec::new();
    println!(
        "\n{:>8} {:>12} {:>12} {:>12} {:>9} {:>9}",
        "leads", "webhook ms", "SQS requests", "forward ms", "multiple", "budget"
    );
    for size in SIZES {
        let mut costs = Vec::new();
        for name in ["webhook", BASELINE] {
            let mut function = packages.start(name, &webhook.variables).await?;
            costs.push(run(&mut function, &delivery(size), times).await?);
        }
        let [webhook, forward] = costs.as_slice() else { continue };
        let multiple = webhook.cpu_ms / forward.cpu_ms;
        let budget = budgets.get(&size.to_string()).with_context(|| format!("no budget for {size} leads"))?;
        println!(
            "{size:>8} {:>12.2} {:>12} {:>12.2} {multiple:>9.2} {budget:>9.1}",
            webhook.cpu_ms, webhook.sqs_requests, forward.cpu_ms
        );
        if multiple > *budget {
            over.push(size.to_string());
        }
    }
    ensure!(over.is_empty(), "over the budget: deliveries of {} leads", over.join(", "));
    Ok(())
}

/// Invokes the function repeatedly.
async fn run(function: &mut RunningFunction, event: &[u8], times: u32) -> Result<Cost> {
    // The first invocations open connections.
    for _ in 0..10 {
        let response = function.invoke(event.to_vec()).await?;
        ensure!(response.get("statusCode").is_some_and(|status| status == 200), "{response}");
    }
    let before = (cpu_ms(function)?, function.sqs_requests());
    for _ in 0..times {
        function.invoke(event.to_vec()).await?;
    }
    let cpu_ms = (cpu_ms(function)? - before.0) / f64::from(times);
    Ok(Cost { cpu_ms, sqs_requests: (function.sqs_requests() - before.1) / u64::from(times) })
}

/// The CPU time of the process so far, in user and kernel mode.
fn cpu_ms(function: &RunningFunction) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", function.process_id().context("the function ended")?))?;
    // The fields after the program's name, which may contain spaces: `utime` and `stime` are the 12th and 13th.
    let (_, fields) = stat.rsplit_once(')').context("/proc/…/stat has another form")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? * MS_PER_TICK)
}

/// Meta's delivery of leads of one page, as the HTTP API passes it on.
pub(crate) fn delivery(leads: usize) -> Vec<u8> {
    let change = |number: usize| {
        let value = json!({
            "leadgen_id": format!("{}", 900_000_000_000_u64 + number as u64), "page_id": "111111111111",
            "form_id": "333333333333", "adgroup_id": "555555555555", "ad_id": "555555555555",
            "created_time": 1_700_000_000,
        });
        json!({ "field": "leadgen", "value": value })
    };
    let changes: Vec<Value> = (0..leads).map(change).collect();
    let entry = json!([{ "id": "111111111111", "time": 1_700_000_000, "changes": changes }]);
    let body = json!({ "object": "page", "entry": entry }).to_string();
    let signature = hex::encode(HmacKey::new(APP_SECRET.to_owned()).sign(body.as_bytes()));
    let path = "/connect/webhook/facebook";
    let event = json!({
        "version": "2.0",
        "routeKey": format!("POST {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "content-type": "application/json", "host": "localhost", "x-hub-signature-256": format!("sha256={signature}") },
        "requestContext": {
            "accountId": "1", "apiId": "1", "domainName": "localhost", "domainPrefix": "localhost", "requestId": "1",
            "routeKey": format!("POST {path}"), "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_u64,
            "http": { "method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "facebook" },
        },
        "body": body,
        "isBase64Encoded": false,
    });
    event.to_string().into_bytes()
}
