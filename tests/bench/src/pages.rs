//! The console's pages from the release package, in an org of many leads: their size, what the first visit loads, and the
//! time that the function takes for each.
//!
//! A page's time in AWS is put together: the function's own time as measured, without the compression of what it sends,
//! and for each round of calls to the table what DynamoDB takes. The table is not MiniStack's, which looks at every item
//! for each query.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use e2e::console::{Guest, Page};
use e2e::fake_aws::{config_at, start_database};
use e2e::fixtures::{create_demo_org, mara_for_pictures};
use e2e::tenant::Tenant;
use e2e::world::{use_dynamodb, use_release_packages, world};
use jiff::SignedDuration;
use leadwire::ids::{LeadId, OrgId};
use leadwire::model::lead::Lead;
use leadwire::model::lead::dedupe::WritePlan;
use leadwire::table::Table;
use leadwire::table::commit::CommitOutcome;
use leadwire::table::lead_list::LeadFilter;
use local::packages::{Architecture, Budgets, Packages};
use reqwest::{Method, StatusCode};

/// Leads that come as leads do. The others are like these.
const IMPORTED_LEADS: usize = 100;
const ORG: &str = "pages";
/// Pages of which many leads decide the time, besides those of the demo org.
const LISTS: [(&str, &str); 8] = [
    ("home", "/home"),
    ("home-figures", "/home/figures"),
    ("leads-mine", "/leads?assigned_to=sofia"),
    ("leads-search", "/leads?q=Person 77"),
    ("leads-status", "/leads?status=lost"),
    ("leads-unassigned", "/leads?assigned_to=unassigned"),
    ("ads-results", "/ads/outcomes"),
    ("settings", "/settings"),
];

struct Timing {
    /// As the browser receives it.
    bytes: usize,
    /// Milliseconds of all requests without the table, in order of size.
    own: Vec<f64>,
    with_table: Vec<f64>,
    calls: f64,
    rounds: f64,
}

/// Requests every page of the demo org `times` times, once it has `leads` leads more.
///
/// # Errors
/// If a page is not there, or exceeds a budget. All are shown before.
pub(crate) async fn measure(times: usize, leads: usize, quick: bool) -> Result<()> {
    let budgets = Budgets::read()?.pages;
    if !quick {
        Packages::build(Architecture::host(), &[]).await?;
        use_release_packages();
    }
    let database = start_database().await;
    use_dynamodb(database.clone());
    let made = create_demo_org(ORG, &mara_for_pictures().await, ["700500001", "700500002"]).await;
    import().await?;
    fill(&database, leads).await?;
    let mut guest = Guest::log_in(&made.admin).await;
    let home = guest.get("/home").await;
    let assets: Vec<_> = home.text.split('"').filter(|text| text.starts_with("/assets/")).collect();
    let lists = LISTS.iter().map(|(name, path)| (*name, *path));
    let pages = made.pages.iter().map(|(name, path)| (*name, path.as_str()));
    let mut over = String::new();
    let mut first_load = 0;
    println!("page                    bytes  own ms   calls  rounds  ms in AWS    ms here");
    for (name, path) in assets.iter().map(|path| ("(asset)", *path)).chain(lists).chain(pages) {
        let Timing { bytes, own, with_table, calls, rounds } = time(&mut guest, path, times).await?;
        let median = |of: &[f64]| of.get(of.len() / 2).copied().unwrap_or(f64::NAN);
        let (own, here) = (median(&own), median(&with_table));
        let in_aws = own + rounds * budgets.table_ms;
        println!("{name:<20} {bytes:>8} {own:>7.1} {calls:>7} {rounds:>7} {in_aws:>10.1} {here:>10.1}");
        if ["(asset)", "home"].contains(&name) {
            first_load += bytes;
        }
        if own.is_nan() {
            write!(over, "\n{name} is not there")?;
        }
        let budget = budgets.slower.get(name).copied().unwrap_or(budgets.server_ms);
        if in_aws > budget {
            write!(over, "\n{name} takes {in_aws:.1} ms, more than {budget:.1}")?;
        }
    }
    println!("the first visit loads {first_load} bytes");
    if first_load > budgets.first_load_bytes {
        write!(over, "\nthe first visit loads {first_load} bytes, more than {}", budgets.first_load_bytes)?;
    }
    ensure!(over.is_empty(), "over the budget:{over}");
    Ok(())
}

/// Imports a few leads.
async fn import() -> Result<()> {
    let mut file = "full_name,email,phone_number,form_id,platform,city\n".to_owned();
    for number in 0..IMPORTED_LEADS {
        let (phone, form) = (1_700_000_000 + number, 900_000_001 + number % 7);
        writeln!(file, "First {number},first{number}@example.com,+49{phone},f:{form},fb,Ulm")?;
    }
    let (status, report) = Tenant::as_superadmin(ORG).upload("/api/leads/import", file.as_bytes()).await;
    ensure!(status == 200, "{status}: {report}");
    Ok(())
}

/// Stores leads of the last 29 days that are like the known ones. No one is told of them: their events would keep this
/// machine busy.
async fn fill(database: &str, leads: usize) -> Result<()> {
    /// Leads of one transaction.
    const AT_ONCE: usize = 20;
    let client = aws_sdk_dynamodb::Client::new(&config_at(database));
    let table = Table::new(client, world().endpoints.table.clone());
    let scope = crate::scope(OrgId::parse(ORG)?)?;
    let (known, _) = table.leads(&scope, &LeadFilter::default(), None, IMPORTED_LEADS).await?;
    let now = jiff::Timestamp::now();
    let apart = SignedDuration::from_hours(29 * 24) / i32::try_from(leads.max(1))?;
    let created = |number: usize| now - apart * i32::try_from(number).unwrap_or_default();
    let lead = |number: usize| -> Result<Lead> {
        let like = known.get(number % known.len()).context("no lead to be like")?.clone();
        let id = LeadId::parse(&format!("file-{number:032x}"))?;
        let (name, email) = (format!("Person {number}"), format!("person{number}@example.com"));
        let created_time = created(number);
        Ok(Lead { id, created_time, full_name: Some(name), email: Some(email), leadgen_id: None, ..like })
    };
    for first in (0..leads).step_by(AT_ONCE) {
        let creates = (first..(first + AT_ONCE).min(leads)).map(lead).collect::<Result<_>>()?;
        let plan = WritePlan { creates, ..WritePlan::default() };
        ensure!(table.commit(&scope, &[], &plan, now).await? == CommitOutcome::Committed, "leads were not stored");
    }
    Ok(())
}

async fn time(guest: &mut Guest, path: &str, times: usize) -> Result<Timing> {
    let mut timing = Timing { bytes: 0, own: Vec::new(), with_table: Vec::new(), calls: 0.0, rounds: 0.0 };
    for _ in 0..times {
        let page = guest.request(Method::GET, path, &[], &[("accept-encoding", "gzip")]).await;
        if page.status == StatusCode::SERVICE_UNAVAILABLE {
            println!("{path} takes too long for this machine's table");
            return Ok(timing);
        }
        ensure!(page.status.is_success(), "{path}: {}", page.status);
        // Such as `app;dur=12.5, table;dur=9.1;desc="7 calls in 3 rounds"`.
        let said = header(&page, "server-timing").unwrap_or_default();
        let mut numbers = said.split(|c: char| !c.is_ascii_digit() && c != '.').filter_map(|text| text.parse().ok());
        let mut next = || numbers.next().with_context(|| format!("{path}: {said}"));
        let (app, table): (f64, f64) = (next()?, next()?);
        (timing.calls, timing.rounds) = (next()?, next()?);
        timing.own.push(app - table);
        timing.with_table.push(app);
        timing.bytes =
            header(&page, "content-length").and_then(|length| length.parse().ok()).unwrap_or(page.text.len());
    }
    timing.own.sort_by(f64::total_cmp);
    timing.with_table.sort_by(f64::total_cmp);
    Ok(timing)
}

fn header<'p>(page: &'p Page, name: &str) -> Option<&'p str> {
    page.headers.get(name)?.to_str().ok()
}
