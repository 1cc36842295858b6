//! Reports: a table with selectable grouping and sorting, and the same data as a file.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::header;
use leadwire::ads::report::{MAX_ROWS, ReportOut, ReportQuery, RowOut, parse_dimensions};
use leadwire::ads::{AccountFilter, CsvFile};
use leadwire::http::Problem;
use leadwire::model::ads::report::{COLUMNS, Column, Figures, Unit};
use maud::{Markup, html};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::overview::{cost_of_one, price};
use super::{ConversionLabels, tabs};
use crate::components::{count, empty, money, plural, problem_alert};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::session::Admin;
use crate::state::Console;
use crate::zone::Zone;

/// Maximum number of rows on the page. The file has all of them.
const MAX_SHOWN_ROWS: usize = 200;

const CHOICES: [(&str, &str); 10] = [
    ("client", "Client"),
    ("account", "Account"),
    ("campaign", "Campaign"),
    ("adset", "Ad set"),
    ("ad", "Ad"),
    ("day", "Day"),
    ("campaign,adset", "Campaign and ad set"),
    ("campaign,adset,ad", "Campaign, ad set and ad"),
    ("client,day", "Client and day"),
    ("campaign,day", "Campaign and day"),
];

/// The number columns, and after the conversions the cost of each.
fn columns(labels: ConversionLabels) -> Vec<NumberColumn> {
    let number_column = |column: &'static Column| {
        let heading = if column.name == "conversions" { labels.plural } else { column.heading };
        NumberColumn { name: column.name, heading, unit: column.unit, value: column.value }
    };
    let cost = NumberColumn { name: "cost", heading: labels.cost, unit: Unit::Price, value: cost_of_one };
    let first = ["spend", "conversions"];
    let find = |name: &str| COLUMNS.iter().find(|column| column.name == name);
    let rest = COLUMNS.iter().filter(|column| !first.contains(&column.name) && column.unit != Unit::Ratio);
    first.iter().filter_map(|name| find(name)).map(number_column).chain([cost]).chain(rest.map(number_column)).collect()
}

/// A column of the table.
struct NumberColumn {
    name: &'static str,
    heading: &'static str,
    unit: Unit,
    value: fn(&Figures) -> Option<Decimal>,
}

impl NumberColumn {
    /// The value in a row, as text.
    fn text(&self, row: &Figures) -> String {
        let Some(value) = (self.value)(row) else { return "–".to_owned() };
        match self.unit {
            Unit::Count => count(value.to_u64().unwrap_or_default()),
            Unit::Money => money(&value.to_string(), &row.currency),
            Unit::Price => price(Some(value), &row.currency),
            Unit::Percent => format!("{} %", value.round_dp(2)),
            Unit::Ratio => value.round_dp(2).to_string(),
        }
    }
}

fn report_query(query: &ListQuery) -> Result<ReportQuery, Problem> {
    let by = parse_dimensions(query.get("group_by").unwrap_or("campaign"))?;
    Ok(ReportQuery { by, accounts: query.accounts()?, days: query.days()? })
}

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let accounts = console.ads.accounts(&access, &AccountFilter::default()).await?.items;
    let report = async { Ok(console.ads.report(&access, &report_query(&query)?, None, MAX_ROWS).await?) };
    let report: Result<ReportOut, Problem> = report.await;
    let now = query.get("group_by").unwrap_or("campaign");
    let by = html! {
        label { "By" select name="group_by" {
            @for (value, name) in CHOICES { option value=(value) selected[value == now] { (name) } }
            @if !CHOICES.iter().any(|(value, _)| *value == now) { option value=(now) selected { (now) } }
        } }
        label.on-phones { "Sort by" select name="sort" {
            option value="" { "Usual order" }
            option value="name" selected[query.get("sort") == Some("name")] { "Name" }
            @for column in columns(query.conversion_labels(&accounts)) { option value=(column.name) selected[query.get("sort") == Some(column.name)] { (column.heading) } }
        } }
    };
    let body = html! {
        (tabs("/ads/report"))
        (query.chooser("/ads/report", &accounts, &by))
        (query.presets("/ads/report", zone.day(leadwire::clock::now())))
        @match report {
            Err(problem) => { (problem_alert(Some(&problem))) }
            Ok(report) if report.items.is_empty() => {
                (empty("No numbers for these days", html! { "Choose other days, or " a href="/ads" { "check the state of the accounts" } "." }))
            }
            Ok(report) => { (query.usual_days()) (table(&query, report, query.conversion_labels(&accounts))) }
        }
    };
    Ok(page(&visitor, jar, Section::Ads, "Reports", &body))
}

pub(super) async fn csv(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    Ok(send_csv(console.ads.report_csv(&access, &report_query(&query)?, None).await?))
}

/// A file for people: without the mark in front, Excel would not read it as UTF-8.
pub(super) fn send_csv(file: CsvFile) -> Response {
    let disposition = format!("attachment; filename=\"{}\"", file.file_name);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, ["\u{feff}".as_bytes(), &file.bytes].concat()).into_response()
}

fn table(query: &ListQuery, mut report: ReportOut, conversion_labels: ConversionLabels) -> Markup {
    // Days have an order of their own; of everything else, what cost most comes first.
    let usual = if query.get("group_by").is_some_and(|by| by.ends_with("day")) { "" } else { "spend" };
    let (sort, upwards) = (query.get("sort").unwrap_or(usual), query.get("dir") == Some("asc"));
    let columns = columns(conversion_labels);
    if let Some(column) = columns.iter().find(|column| column.name == sort) {
        let value = |row: &RowOut| (column.value)(&row.figures);
        // Amounts in different currencies cannot be compared. Rows without a number come last in either direction.
        report.items.sort_by(|one, other| {
            one.figures.currency.cmp(&other.figures.currency).then_with(|| match (value(one), value(other)) {
                (Some(one), Some(other)) if upwards => one.cmp(&other),
                (Some(one), Some(other)) => other.cmp(&one),
                (one, other) => other.is_some().cmp(&one.is_some()),
            })
        });
    } else if sort == "name" {
        let order = |one: &RowOut, other: &RowOut| labels(one).cmp(&labels(other));
        report.items.sort_by(|one, other| if upwards { order(one, other) } else { order(other, one) });
    }
    let heading =
        |key, name, is_number| Heading { path: "/ads/report", key, name, sort, upwards, is_number }.show(query);
    let all = report.items.len();
    html! {
        div.acts {
            span { (plural(all, "row")) @if report.next_cursor.is_some() { " and more" } }
            a.button href=(query.at("/ads/report.csv", &[])) { "Download as CSV" }
        }
        div.card.flush.scroll tabindex="0" role="region" aria-label="Report" {
            table.report {
                thead { tr {
                    (heading("name", "Name", false))
                    @for column in &columns { (heading(column.name, column.heading, true)) }
                } }
                tbody { @for row in report.items.iter().take(MAX_SHOWN_ROWS) { (line(&html! { @for label in labels(row) { div { (label) } } }, row, &columns)) } }
                tfoot { @for total in &report.totals { (line(&html! { b { "Total in " (total.figures.currency) } }, total, &columns)) } }
            }
        }
        @if all > MAX_SHOWN_ROWS { p.quiet { "Only the first " (MAX_SHOWN_ROWS) " are shown. The file contains all rows." } }
    }
}

/// A heading by which a table can be sorted.
pub(super) struct Heading<'a> {
    pub(super) path: &'a str,
    /// The name of the column in the address.
    pub(super) key: &'a str,
    pub(super) name: &'a str,
    /// The column by which the table is sorted.
    pub(super) sort: &'a str,
    pub(super) upwards: bool,
    pub(super) is_number: bool,
}

impl Heading<'_> {
    pub(super) fn show(&self, query: &ListQuery) -> Markup {
        let Self { path, key, name, sort, upwards, is_number } = *self;
        let is_sorted = key == sort;
        // The first click sorts numbers from the largest and names from the first.
        let next = if is_sorted && !upwards || !is_sorted && !is_number { "asc" } else { "desc" };
        let order = is_sorted.then_some(if upwards { "ascending" } else { "descending" });
        html! {
            th class=[is_number.then_some("number")] aria-sort=[order] {
                a href=(query.at(path, &[("sort", key), ("dir", next)])) { (name) @if is_sorted { span aria-hidden="true" { @if upwards { " ↑" } @else { " ↓" } } } }
            }
        }
    }
}

fn line(name: &Markup, row: &RowOut, columns: &[NumberColumn]) -> Markup {
    html! {
        tr {
            td data-label="Name" { (name) }
            @for column in columns { td.number data-label=(column.heading) { (column.text(&row.figures)) } }
        }
    }
}

/// The labels of a row: the names of its objects, and its day.
fn labels(row: &RowOut) -> Vec<&str> {
    let names = [
        (&row.client_name, &row.client_id),
        (&row.account_name, &row.account_id),
        (&row.campaign_name, &row.campaign_id),
        (&row.adset_name, &row.adset_id),
        (&row.ad_name, &row.ad_id),
        (&row.day, &None),
    ];
    names.into_iter().filter_map(|(name, id)| name.as_deref().or(id.as_deref())).collect()
}
