//! Reports: a table with selectable grouping and sorting, and the same data as a file.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::header;
use leadwire::ads::AccountFilter;
use leadwire::ads::report::{MAX_ROWS, ReportOut, ReportQuery, RowOut, parse_dimensions};
use leadwire::http::Problem;
use maud::{Markup, html};
use rust_decimal::Decimal;

use super::overview::{cost, price};
use super::{Words, tabs};
use crate::components::{count, empty, money, plural, problem_alert};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::session::Admin;
use crate::state::Console;

/// Maximum number of rows on the page. The file has all of them.
const SHOWN: usize = 200;

const CHOICES: [(&str, &str); 8] = [
    ("client", "Client"),
    ("account", "Account"),
    ("campaign", "Campaign"),
    ("adset", "Ad set"),
    ("ad", "Ad"),
    ("day", "Day"),
    ("client,day", "Client and day"),
    ("campaign,day", "Campaign and day"),
];

/// The number columns: their name in the address and their heading.
fn columns(words: Words) -> [(&'static str, &'static str); 9] {
    [
        ("spend", "Spend"),
        ("conversions", words.many),
        ("cost", words.cost),
        ("impressions", "Impressions"),
        ("clicks", "Clicks"),
        ("ctr", "CTR"),
        ("cpc", "CPC"),
        ("cpm", "CPM"),
        ("reach", "Reach"),
    ]
}

fn report_query(asked: &ListQuery) -> Result<ReportQuery, Problem> {
    let by = parse_dimensions(asked.get("group_by").unwrap_or("campaign"))?;
    Ok(ReportQuery { by, accounts: asked.accounts()?, days: asked.days()? })
}

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(asked): Query<ListQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let accounts = console.ads.accounts(&access, &AccountFilter::default()).await?.items;
    let report = async { Ok(console.ads.report(&access, &report_query(&asked)?, None, MAX_ROWS).await?) };
    let report: Result<ReportOut, Problem> = report.await;
    let now = asked.get("group_by").unwrap_or("campaign");
    let by = html! {
        label { "By" select name="group_by" {
            @for (value, name) in CHOICES { option value=(value) selected[value == now] { (name) } }
            @if !CHOICES.iter().any(|(value, _)| *value == now) { option value=(now) selected { (now) } }
        } }
        label { "Sorted by" select name="sort" {
            option value="" { "Nothing" }
            option value="name" selected[asked.get("sort") == Some("name")] { "Name" }
            @for (value, name) in columns(asked.words(&accounts)) { option value=(value) selected[asked.get("sort") == Some(value)] { (name) } }
        } }
    };
    let body = html! {
        (tabs("/ads/report"))
        (asked.chooser("/ads/report", &accounts, &by))
        @match report {
            Err(problem) => { (problem_alert(Some(&problem))) }
            Ok(report) if report.items.is_empty() => {
                (empty("No numbers for these days", html! { "Choose other days, or " a href="/ads" { "see how the accounts stand" } "." }))
            }
            Ok(report) => { (asked.usual_days()) (table(&asked, report, asked.words(&accounts))) }
        }
    };
    Ok(page(&visitor, jar, Section::Ads, "Reports", &body))
}

pub(super) async fn csv(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Query(asked): Query<ListQuery>,
) -> Result<Response, Problem> {
    let file = console.ads.report_csv(&access, &report_query(&asked)?, None).await?;
    let named = format!("attachment; filename=\"{}\"", file.file_name);
    Ok((
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, named)],
        file.bytes,
    )
        .into_response())
}

fn table(asked: &ListQuery, mut report: ReportOut, words: Words) -> Markup {
    let (sort, upwards) = (asked.get("sort").unwrap_or(""), asked.get("dir") == Some("asc"));
    let columns = columns(words);
    if columns.iter().any(|(word, _)| *word == sort) {
        // Amounts in different currencies cannot be compared. Rows without a number come last in either direction.
        report.items.sort_by(|one, other| {
            one.currency.cmp(&other.currency).then_with(|| match (value(one, sort), value(other, sort)) {
                (Some(one), Some(other)) if upwards => one.cmp(&other),
                (Some(one), Some(other)) => other.cmp(&one),
                (one, other) => other.is_some().cmp(&one.is_some()),
            })
        });
    } else if sort == "name" {
        let order = |one: &RowOut, other: &RowOut| labels(one).cmp(&labels(other));
        report.items.sort_by(|one, other| if upwards { order(one, other) } else { order(other, one) });
    }
    let all = report.items.len();
    html! {
        div.acts {
            span { (plural(all, "row")) @if report.next_cursor.is_some() { " and more" } }
            a.button href=(asked.at("/ads/report.csv", &[])) { "Download as CSV" }
        }
        div.card.flush.scroll tabindex="0" role="region" aria-label="Report" {
            table.report {
                thead { tr {
                    (heading(asked, "name", "Name", sort, upwards, false))
                    @for (word, name) in columns { (heading(asked, word, name, sort, upwards, true)) }
                } }
                tbody { @for row in report.items.iter().take(SHOWN) { (line(&html! { @for label in labels(row) { div { (label) } } }, row, words)) } }
                tfoot { @for total in &report.totals { (line(&html! { b { "All in " (total.currency) } }, total, words)) } }
            }
        }
        @if all > SHOWN { p.quiet { "The first " (SHOWN) " are shown; the file has all." } }
    }
}

fn heading(asked: &ListQuery, word: &str, name: &str, sort: &str, upwards: bool, is_number: bool) -> Markup {
    let is_sorted = word == sort;
    // The first click sorts numbers from the largest and names from the first.
    let next = if is_sorted && !upwards || !is_sorted && !is_number { "asc" } else { "desc" };
    let order = is_sorted.then_some(if upwards { "ascending" } else { "descending" });
    html! {
        th class=[is_number.then_some("number")] aria-sort=[order] {
            a href=(asked.at("/ads/report", &[("sort", word), ("dir", next)])) { (name) @if is_sorted { span aria-hidden="true" { @if upwards { " ↑" } @else { " ↓" } } } }
        }
    }
}

fn line(name: &Markup, row: &RowOut, words: Words) -> Markup {
    let share = row.ctr.map_or_else(|| "–".to_owned(), |share| format!("{} %", share.round_dp(2)));
    html! {
        tr {
            td data-label="Name" { (name) }
            td.number data-label="Spend" { (money(&row.spend, &row.currency)) }
            td.number data-label=(words.many) { (count(row.conversions)) }
            td.number data-label=(words.cost) { (cost(row)) }
            td.number data-label="Impressions" { (count(row.impressions)) }
            td.number data-label="Clicks" { (count(row.clicks)) }
            td.number data-label="CTR" { (share) }
            td.number data-label="CPC" { (price(row.cpc, &row.currency)) }
            td.number data-label="CPM" { (price(row.cpm, &row.currency)) }
            td.number data-label="Reach" { (row.reach.map_or_else(|| "–".to_owned(), count)) }
        }
    }
}

/// The labels of a row: the names of its objects, and its day.
fn labels(row: &RowOut) -> Vec<&str> {
    let named = [
        (&row.client_name, &row.client_id),
        (&row.account_name, &row.account_id),
        (&row.campaign_name, &row.campaign_id),
        (&row.adset_name, &row.adset_id),
        (&row.ad_name, &row.ad_id),
        (&row.day, &None),
    ];
    named.into_iter().filter_map(|(name, id)| name.as_deref().or(id.as_deref())).collect()
}

fn value(row: &RowOut, column: &str) -> Option<Decimal> {
    let spend = || row.spend.parse::<Decimal>().ok();
    match column {
        "spend" => spend(),
        "conversions" => Some(row.conversions.into()),
        "cost" => spend()?.checked_div(row.conversions.into()),
        "impressions" => Some(row.impressions.into()),
        "clicks" => Some(row.clicks.into()),
        "ctr" => row.ctr,
        "cpc" => row.cpc,
        "cpm" => row.cpm,
        "reach" => row.reach.map(Decimal::from),
        _ => None,
    }
}
