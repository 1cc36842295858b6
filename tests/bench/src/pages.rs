//! The console's pages from the release package, in an org of many leads: their size, what the first visit loads, and the
//! time that the function takes for each.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Result, ensure};
use e2e::console::{Guest, Page};
use e2e::fixtures::{create_demo_org, mara_for_pictures};
use e2e::tenant::Tenant;
use e2e::world::use_release_packages;
use local::packages::{Architecture, Budgets, Packages};
use reqwest::Method;

/// Leads of one file.
const FILE_LEADS: usize = 1_000;
const ORG: &str = "pages";
/// Pages of which many leads decide the time, besides those of the demo org.
const LISTS: [(&str, &str); 8] = [
    ("home", "/home"),
    ("home-figures", "/home/figures"),
    ("leads-mine", "/leads?view=mine"),
    ("leads-search", "/leads?q=Person 77"),
    ("leads-status", "/leads?status=lost"),
    ("leads-unassigned", "/leads?assigned_to=unassigned"),
    ("ads-results", "/ads/outcomes"),
    ("settings", "/settings"),
];

struct Timing {
    /// As the browser receives it.
    bytes: usize,
    /// Milliseconds of all requests, in order of size.
    here: Vec<f64>,
    through_gateway: Vec<f64>,
}

/// Requests every page of the demo org `times` times, once it has `leads` leads more. The baseline is a static file from
/// the same function, which makes no calls; the time above it is the page's own.
///
/// # Errors
/// If a page is not there, or exceeds a budget. All are shown before.
pub(crate) async fn measure(times: usize, leads: usize) -> Result<()> {
    let budgets = Budgets::read()?.pages;
    Packages::build(Architecture::host(), &[]).await?;
    use_release_packages();
    let made = create_demo_org(ORG, &mara_for_pictures().await, ["700500001", "700500002"]).await;
    import(leads).await?;
    let mut guest = Guest::log_in(&made.admin).await;
    let home = guest.get("/home").await;
    let assets: Vec<_> = home.text.split('"').filter(|text| text.starts_with("/assets/")).collect();
    let lists = LISTS.iter().map(|(name, path)| (*name, *path));
    let pages = made.pages.iter().map(|(name, path)| (*name, path.as_str()));
    let mut over = String::new();
    let mut first_load = 0;
    println!("{:<20} {:>8} {:>10} {:>10} {:>12}", "page", "bytes", "median ms", "slowest ms", "with gateway");
    for (name, path) in assets.iter().map(|path| ("(asset)", *path)).chain(lists).chain(pages) {
        let Timing { bytes, here, through_gateway } = time(&mut guest, path, times).await?;
        let at = |of: &[f64], part: usize| of.get(of.len() * part / 100).copied().unwrap_or(f64::NAN);
        let (median, slowest, gateway) = (at(&here, 50), at(&here, 99), at(&through_gateway, 50));
        println!("{name:<20} {bytes:>8} {median:>10.1} {slowest:>10.1} {gateway:>12.1}");
        if ["(asset)", "home"].contains(&name) {
            first_load += bytes;
        }
        if median > budgets.server_ms && !budgets.waits_for_meta.iter().any(|page| page == name) {
            write!(over, "\n{name} takes {median:.1} ms, more than {:.1}", budgets.server_ms)?;
        }
    }
    println!("the first visit loads {first_load} bytes");
    if first_load > budgets.first_load_bytes {
        write!(over, "\nthe first visit loads {first_load} bytes, more than {}", budgets.first_load_bytes)?;
    }
    ensure!(over.is_empty(), "over the budget:{over}");
    Ok(())
}

/// Imports leads of people of their own, with times of the last ninety days.
async fn import(leads: usize) -> Result<()> {
    let tenant = Tenant::as_superadmin(ORG);
    let now = jiff::Timestamp::now().as_second();
    for first in (0..leads).step_by(FILE_LEADS) {
        let mut file = "full_name,email,phone_number,created_time,form_id,platform,city\n".to_owned();
        for number in first..(first + FILE_LEADS).min(leads) {
            let at = jiff::Timestamp::from_second(now - i64::try_from(number)? * 777)?.strftime("%Y-%m-%dT%H:%M:%SZ");
            let (phone, form) = (1_700_000_000 + number, 900_000_001 + number % 7);
            writeln!(file, "Person {number},person{number}@example.com,+49{phone},{at},f:{form},fb,Ulm")?;
        }
        let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
        ensure!(status == 200, "{status}: {report}");
    }
    Ok(())
}

async fn time(guest: &mut Guest, path: &str, times: usize) -> Result<Timing> {
    let mut timing = Timing { bytes: 0, here: Vec::new(), through_gateway: Vec::new() };
    for _ in 0..times {
        let begun = Instant::now();
        let page = guest.request(Method::GET, path, &[], &[("accept-encoding", "gzip")]).await;
        timing.through_gateway.push(begun.elapsed().as_secs_f64() * 1000.0);
        ensure!(page.status.is_success(), "{path}: {}", page.status);
        let said = header(&page, "server-timing").and_then(|value| value.strip_prefix("app;dur="));
        timing.here.push(said.and_then(|ms| ms.parse().ok()).unwrap_or(f64::NAN));
        timing.bytes =
            header(&page, "content-length").and_then(|length| length.parse().ok()).unwrap_or(page.text.len());
    }
    timing.here.sort_by(f64::total_cmp);
    timing.through_gateway.sort_by(f64::total_cmp);
    Ok(timing)
}

fn header<'p>(page: &'p Page, name: &str) -> Option<&'p str> {
    page.headers.get(name)?.to_str().ok()
}
