//! The cost and results of the ads of all clients: figures, charts by day, clients, accounts.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use jiff::ToSpan;
use jiff::civil::Date;
use leadwire::ads::AccountFilter;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::parents::AdParents;
use leadwire::ads::report::{MAX_ROWS, ReportOut, ReportQuery, RowOut};
use leadwire::http::Problem;
use leadwire::model::ads::currency::{decimals, format_amount};
use leadwire::model::ads::metrics::MainMetrics;
use leadwire::model::ads::report::{Dimension, Figures};
use leadwire::tr;
use maud::{Markup, html};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::days::ShownDays;
use super::{ConversionLabels, head, state_of};
use crate::actor::Admin;
use crate::chart::Chart;
use crate::components::{Tone, alert, count, csrf_field, empty, money, percent, problem_alert, time_or};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let reports = async {
        let report = async |by: Dimension| {
            let within = AdParents::default();
            let report_query = ReportQuery { by: vec![by], accounts: query.accounts()?, within, days: query.days()? };
            Ok::<_, Problem>(console.rooms.ads.report(&access, &report_query, None, MAX_ROWS).await?)
        };
        // What was before is only compared with. Without it, the numbers of these days stand alone.
        let earlier = query.days_before(zone.day(leadwire::clock::now()))?;
        let (by, within) = (vec![Dimension::Day], AdParents::default());
        let earlier = ReportQuery { by, accounts: query.accounts()?, within, days: earlier };
        let before = async {
            let before = console.rooms.ads.report(&access, &earlier, None, MAX_ROWS).await;
            Ok(before.map_or_else(|_| Vec::new(), |report| report.items))
        };
        tokio::try_join!(report(Dimension::Day), report(Dimension::Client), before)
    };
    let all_accounts = AccountFilter::default();
    let (accounts, reports) = tokio::join!(console.rooms.ads.accounts(&access, &all_accounts), reports);
    let accounts = accounts?.items;
    let labels = query.conversion_labels(&accounts);
    let shown = reports.as_ref().ok().map(|(days, _, _)| ShownDays::from(days));
    let body = html! {
        @if accounts.is_empty() {
            (empty(&tr!("No ad accounts yet"), html! {
                (tr!("Link an ad account to see what its ads cost and achieve, to the cent as in Ads Manager.")) " "
                a.button.primary href="/ads/accounts/new" { (tr!("Link an ad account")) }
            }))
        } @else {
            (account_problems(&accounts))
            div.bars {
                (query.presets("/ads", zone.day(leadwire::clock::now()), shown))
                (query.chooser("/ads", &accounts, &html! {}, shown))
            }
            @if let Some(shown) = shown { (shown.note(query.selected(&accounts), None)) }
            @match &reports {
                Err(problem) => { (problem_alert(Some(problem))) }
                Ok((days, clients, before)) => { (figures(&query, days, before, labels)) (clients_table(&query, clients, labels)) }
            }
            section { h2 { (tr!("Accounts")) } (accounts_table(&accounts)) }
        }
    };
    let title = tr!("Ads");
    // Without accounts, the page itself says how to begin.
    let acts = html! {
        @if !accounts.is_empty() {
            form method="post" action="/ads/sync" { (csrf_field(&visitor)) button { (tr!("Sync all now")) } }
            a.button.primary href="/ads/accounts/new" { (tr!("Link an ad account")) }
        }
    };
    Ok(page(&visitor, jar, Section::Ads, head(&title, "/ads").acts(acts), &body))
}

/// What keeps accounts from being synced.
pub(crate) fn account_problems(accounts: &[AdAccountOut]) -> Markup {
    html! {
        @for account in accounts {
            @if let (Some(message), true) = (&account.reason_message, account.waiting_until.is_none()) {
                (alert(Tone::Bad, html! { p { b { a href={ "/ads/accounts/" (account.id) } { (account.label) } } ": " (message) " " (account.fix.as_deref().unwrap_or_default()) } a.button href={ "/ads/accounts/" (account.id) } { (tr!("Open the ad account")) } }))
            }
        }
    }
}

/// The figures and charts of each currency, beside those of the days before.
fn figures(query: &ListQuery, report: &ReportOut, before: &[RowOut], labels: ConversionLabels) -> Markup {
    html! {
        @if report.totals.is_empty() {
            (empty(&tr!("No numbers for these days"), html! { (tr!("Choose other days, or wait until the accounts are synced.")) }))
        }
        @for total in &report.totals {
            @let comparison = Comparison::new(report, before, &total.figures.currency);
            section {
                h2 { (tr!("In {currency}", currency = total.figures.currency)) }
                p.quiet { (comparison.note()) }
                div.figures {
                    div { span { (tr!("Spend")) } b { (money(&total.figures.metrics.spend.to_string(), &total.figures.currency)) } (comparison.change(|of| Some(of.spend))) }
                    div { span { (labels.plural()) } b { (count(total.figures.metrics.conversions)) } (comparison.change(|of| Some(of.conversions.into()))) }
                    div { span { (labels.cost()) } b { (cost(total)) } (comparison.change(cost_of_each)) }
                    div { span { (tr!("Clicks")) } b { (count(total.figures.metrics.clicks)) } (comparison.change(|of| Some(of.clicks.into()))) }
                    div { span { (tr!("Impressions")) } b { (count(total.figures.metrics.impressions)) } (comparison.change(|of| Some(of.impressions.into()))) }
                }
                (charts(report, total, labels))
                p { a href=(query.at("/ads/report", &[("group_by", "campaign")])) { (tr!("By campaign")) } " · "
                    a href=(query.at("/ads/report", &[("group_by", "day")])) { (tr!("By day")) } }
            }
        }
    }
}

/// The sums of the days that are over, and of as many days before. A day in progress would be compared with whole ones.
struct Comparison {
    now: Option<MainMetrics>,
    before: Option<MainMetrics>,
    leaves_out: bool,
}

impl Comparison {
    /// Compares the days of a report with rows of earlier days, in one currency.
    fn new(report: &ReportOut, earlier: &[RowOut], currency: &str) -> Self {
        let shown = ShownDays::from(report);
        let sum = |rows: &[RowOut], days: Option<(Date, Date)>| {
            let (since, until) = days?;
            let is_within = |row: &RowOut| {
                row.day.as_deref().and_then(|day| day.parse().ok()).is_some_and(|day| (since..=until).contains(&day))
            };
            let rows = rows.iter().filter(|row| row.figures.currency == currency && is_within(row));
            rows.map(|row| row.figures.metrics).reduce(|one, other| one.plus(&other))
        };
        let (now, before) = (sum(&report.items, shown.finished()), sum(earlier, shown.before()));
        Self { now, before, leaves_out: shown.unfinished_since.is_some() }
    }

    /// What the changes are measured by, said once above them.
    fn note(&self) -> Cow<'static, str> {
        match (self.now.is_some() && self.before.is_some(), self.leaves_out) {
            (false, _) => tr!("Nothing to compare with"),
            (true, false) => tr!("Compared with the same number of days before"),
            (true, true) => tr!("The days that are over, compared with the same number of days before"),
        }
    }

    /// The change of a number.
    fn change(&self, value: fn(&MainMetrics) -> Option<Decimal>) -> Markup {
        let (now, before) = (self.now.as_ref().and_then(value), self.before.as_ref().and_then(value));
        let change =
            now.zip(before).and_then(|(now, before)| ((now - before) * Decimal::ONE_HUNDRED).checked_div(before));
        let signed = |change: Decimal| {
            let sign = if change.is_sign_negative() { "−" } else { "+" };
            format!("{sign}{}", percent(&change.abs().to_string()))
        };
        html! { @if let Some(change) = change { span { (signed(change.round())) } } }
    }
}

fn charts(report: &ReportOut, total: &RowOut, labels: ConversionLabels) -> Markup {
    let of_currency = report.items.iter().filter(|row| row.figures.currency == total.figures.currency);
    let rows: BTreeMap<Date, &RowOut> =
        of_currency.filter_map(|row| Some((row.day.as_deref()?.parse().ok()?, row))).collect();
    // Include days without a number.
    let days = |value: &dyn Fn(&RowOut) -> Option<(f64, String)>| -> Vec<_> {
        let (Some((first, _)), Some((last, _))) = (rows.first_key_value(), rows.last_key_value()) else {
            return Vec::new();
        };
        let all = first.series(1.day()).take_while(|day| day <= last);
        all.map(|day| (day, rows.get(&day).and_then(|row| value(row)))).collect()
    };
    let spend = |row: &RowOut| {
        Some((
            row.figures.metrics.spend.to_f64()?,
            money(&row.figures.metrics.spend.to_string(), &row.figures.currency),
        ))
    };
    let number =
        |row: &RowOut| Some((row.figures.metrics.conversions.to_f64()?, count(row.figures.metrics.conversions)));
    let each = |row: &RowOut| Some((cost_of_one(&row.figures)?.to_f64()?, cost(row)));
    let draw = |title: &str, total: String, days| {
        Chart { title, total, bars: days, unfinished_since: report.unfinished_since }.draw()
    };
    html! {
        div.charts {
            (draw(&tr!("Spend"), money(&total.figures.metrics.spend.to_string(), &total.figures.currency), days(&spend)))
            (draw(&labels.plural(), count(total.figures.metrics.conversions), days(&number)))
            (draw(&labels.cost(), cost(total), days(&each)))
        }
    }
}

/// Spend per conversion, computed from the sums. `None` without conversions.
pub(super) fn cost_of_one(row: &Figures) -> Option<Decimal> {
    cost_of_each(&row.metrics)
}

fn cost_of_each(of: &MainMetrics) -> Option<Decimal> {
    of.spend.checked_div(Decimal::from(of.conversions))
}

/// Formats the cost per conversion.
fn cost(row: &RowOut) -> String {
    price(cost_of_one(&row.figures), &row.figures.currency)
}

/// Formats a unit price, rounded like other amounts of its currency.
pub(super) fn price(each: Option<Decimal>, currency: &str) -> String {
    let rounded = |each: Decimal| money(&format_amount(each.round_dp(decimals(currency)), currency), currency);
    each.map_or_else(|| "–".to_owned(), rounded)
}

fn clients_table(query: &ListQuery, report: &ReportOut, labels: ConversionLabels) -> Markup {
    html! {
        @if report.items.len() > 1 {
            section {
                h2 { (tr!("Clients")) }
                div.card.flush {
                    table {
                        thead { tr { th { (tr!("Client")) } th.number { (tr!("Spend")) } th.number { (labels.plural()) } th.number { (labels.cost()) } th.number { (tr!("Clicks")) } } }
                        tbody {
                            @for row in &report.items {
                                @let id = row.client_id.as_deref().unwrap_or_default();
                                tr {
                                    td data-label=(tr!("Client")) { a href=(query.at("/ads", &[("client_id", id)])) { (row.client_name.as_deref().unwrap_or(id)) } }
                                    td.number data-label=(tr!("Spend")) { (money(&row.figures.metrics.spend.to_string(), &row.figures.currency)) }
                                    td.number data-label=(labels.plural()) { (count(row.figures.metrics.conversions)) }
                                    td.number data-label=(labels.cost()) { (cost(row)) }
                                    td.number data-label=(tr!("Clicks")) { (count(row.figures.metrics.clicks)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn accounts_table(accounts: &[AdAccountOut]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("Account")) } th { (tr!("Client")) } th { (tr!("Status")) } th { (tr!("Currency")) } th { (tr!("Time zone")) } th { (tr!("Last synced")) } } }
                tbody {
                    @for account in accounts {
                        tr {
                            td data-label=(tr!("Account")) { a href={ "/ads/accounts/" (account.id) } { (account.label) } div.quiet { (account.id) } }
                            td data-label=(tr!("Client")) { (account.client.name) }
                            td data-label=(tr!("Status")) { (state_of(account)) }
                            td data-label=(tr!("Currency")) { (account.currency) }
                            td data-label=(tr!("Time zone")) { (account.timezone) }
                            td data-label=(tr!("Last synced")) { (time_or(account.last_sync_at, &tr!("Not yet"))) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::ads::place::{AdObjectState, AdPlace};
    use leadwire::model::ads::report::Sums;

    use super::*;

    fn row(day: &str, spend: u32, conversions: u64) -> RowOut {
        let metrics = MainMetrics { spend: spend.into(), conversions, ..MainMetrics::default() };
        RowOut {
            client_id: None,
            client_name: None,
            place: AdPlace::default(),
            ad_id: None,
            ad_name: None,
            day: Some(day.to_owned()),
            figures: Sums::single(metrics, None).figures("EUR"),
            state: AdObjectState::default(),
        }
    }

    #[test]
    fn a_half_day_does_not_look_like_a_fall() {
        let before =
            [row("2026-11-23", 99, 9), row("2026-11-24", 10, 1), row("2026-11-25", 10, 1), row("2026-11-26", 99, 9)];
        let report = |unfinished_since: Option<&str>| ReportOut {
            items: vec![row("2026-11-26", 15, 1), row("2026-11-27", 15, 1), row("2026-11-28", 1, 0)],
            totals: Vec::new(),
            next_cursor: None,
            since: "2026-11-26".parse().unwrap(),
            until: "2026-11-28".parse().unwrap(),
            unfinished_since: unfinished_since.map(|day| day.parse().unwrap()),
            parents: Vec::new(),
        };
        let spend = |report: &ReportOut, currency: &str| {
            let comparison = Comparison::new(report, &before, currency);
            format!("{}{}", comparison.note(), comparison.change(|of| Some(of.spend)).into_string())
        };
        let days = "compared with the same number of days before";
        assert_eq!(
            spend(&report(Some("2026-11-28")), "EUR"),
            format!("The days that are over, {days}<span>+50%</span>")
        );
        assert_eq!(spend(&report(None), "EUR"), "Compared with the same number of days before<span>−74%</span>");
        assert_eq!(spend(&report(Some("2026-11-26")), "EUR"), "Nothing to compare with");
        assert_eq!(spend(&report(None), "JPY"), "Nothing to compare with");
    }
}
