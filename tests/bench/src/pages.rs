//! The size of the console's pages, and the time the function takes for each.

use e2e::console::Guest;
use e2e::fixtures::{create_demo_org, mara_for_pictures};

/// Requests every page of the demo org `times` times. The baseline is a static file from the same function, which
/// makes no calls; the time above it is the page's own.
pub(crate) async fn measure(times: usize) -> anyhow::Result<()> {
    let made = create_demo_org("pages", &mara_for_pictures().await, ["700500001", "700500002"]).await;
    let mut guest = Guest::log_in(&made.admin).await;
    let first = guest.get("/leads").await;
    let assets = first.text.split('"').filter(|text| text.starts_with("/assets/")).map(ToOwned::to_owned);
    let assets = assets.map(|path| ("(asset)", path)).collect::<Vec<_>>();
    println!("{:<16} {:>8} {:>10} {:>10} {:>12}", "page", "bytes", "median ms", "slowest ms", "with gateway");
    for (name, path) in assets.iter().chain(&made.pages) {
        let (mut here, mut there, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..times {
            let begun = std::time::Instant::now();
            let page = guest.get(path).await;
            there.push(begun.elapsed().as_secs_f64() * 1000.0);
            anyhow::ensure!(page.status.is_success(), "{path}: {}", page.status);
            let timing = page.headers.get("server-timing").and_then(|value| value.to_str().ok()).unwrap_or_default();
            here.push(timing.strip_prefix("app;dur=").and_then(|ms| ms.parse().ok()).unwrap_or(f64::NAN));
            bytes = page.text.len();
        }
        here.sort_by(f64::total_cmp);
        there.sort_by(f64::total_cmp);
        let at = |of: &[f64], part: usize| of.get(of.len() * part / 100).copied().unwrap_or(f64::NAN);
        let (median, slowest, gateway) = (at(&here, 50), at(&here, 99), at(&there, 50));
        println!("{name:<16} {bytes:>8} {median:>10.1} {slowest:>10.1} {gateway:>12.1}");
    }
    Ok(())
}
