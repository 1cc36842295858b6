//! Reports: a table with selectable grouping and sorting, and the same data as a file.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use jiff::civil::Date;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::place::AdPlace;
use leadwire::ads::report::{MAX_ROWS, ReportOut, ReportQuery, RowOut, parse_dimensions};
use leadwire::ads::{AccountFilter, CsvFile};
use leadwire::http::Problem;
use leadwire::language::{date, decimal};
use leadwire::model::ads::object::AdObjectKind;
use leadwire::model::ads::report::{COLUMNS, Column, Figures, Unit};
use leadwire::tr;
use maud::{Markup, html};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::days::ShownDays;
use super::overview::{cost_of_one, price};
use super::within::ObjectName;
use super::{ConversionLabels, Number, head};
use crate::actor::Admin;
use crate::components::{Tone, badge, count, empty, money, number_cell, percent, problem_alert, with_markup};
use crate::download;
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/ads/report";
/// Maximum number of rows on the page. The file has all of them.
const MAX_SHOWN_ROWS: usize = 200;

/// Usual groupings, each with its name in the address.
fn choices() -> [(&'static str, Cow<'static, str>); 8] {
    [
        ("client", tr!("Client")),
        ("account", tr!("Account")),
        ("campaign", tr!("Campaign")),
        ("adset", tr!("Ad set")),
        ("ad", tr!("Ad")),
        ("day", tr!("Day")),
        ("client,day", tr!("Client and day")),
        ("campaign,day", tr!("Campaign and day")),
    ]
}

/// The columns that fit on a desk.
const USUAL_COLUMNS: [&str; 7] = ["spend", "conversions", "cost", "impressions", "clicks", "ctr", "cpc"];

/// The number columns, and after the conversions the cost of each.
fn columns(labels: ConversionLabels) -> Vec<NumberColumn> {
    let number_column = |column: &'static Column| {
        let heading = if column.name == "conversions" { labels.plural() } else { column.heading() };
        NumberColumn { name: column.name, heading, unit: column.unit, value: column.value }
    };
    let cost = NumberColumn { name: "cost", heading: labels.cost(), unit: Unit::Price, value: cost_of_one };
    let first = ["spend", "conversions"];
    let find = |name: &str| COLUMNS.iter().find(|column| column.name == name);
    let rest = COLUMNS.iter().filter(|column| !first.contains(&column.name) && column.unit != Unit::Ratio);
    first.iter().filter_map(|name| find(name)).map(number_column).chain([cost]).chain(rest.map(number_column)).collect()
}

/// A column of the table.
struct NumberColumn {
    name: &'static str,
    heading: Cow<'static, str>,
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
            Unit::Percent => percent(&value.round_dp(2).to_string()),
            Unit::Ratio => decimal(&value.round_dp(2).to_string()),
        }
    }
}

fn report_query(query: &ListQuery) -> Result<ReportQuery, Problem> {
    let by = parse_dimensions(query.get("group_by").unwrap_or("campaign"))?;
    Ok(ReportQuery { by, accounts: query.accounts()?, within: query.within()?, days: query.days()? })
}

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let report = async {
        let report = console.rooms.ads.report(&access, &report_query(&query)?, None, MAX_ROWS).await?;
        Ok::<_, Problem>(report)
    };
    let all_accounts = AccountFilter::default();
    let (accounts, report) = tokio::join!(console.rooms.ads.accounts(&access, &all_accounts), report);
    let accounts = accounts?.items;
    let now = query.get("group_by").unwrap_or("campaign");
    let choices = choices();
    let by = html! {
        label { (tr!("Group by")) select name="group_by" {
            @for (value, name) in &choices { option value=(value) selected[*value == now] { (name) } }
            @if !choices.iter().any(|(value, _)| *value == now) { option value=(now) selected { (now) } }
        } }
        label.on-phones { (tr!("Sort by")) select name="sort" {
            option value="" { (tr!("Usual order")) }
            option value="name" selected[query.get("sort") == Some("name")] { (tr!("Name")) }
            @for column in columns(query.conversion_labels(&accounts)) { option value=(column.name) selected[query.get("sort") == Some(column.name)] { (column.heading) } }
        } }
    };
    let shown = report.as_ref().ok().map(ShownDays::from);
    let parents = report.as_ref().map_or(&[][..], |report| &report.parents);
    let body = html! {
        div.bars {
            (query.presets(PATH, zone.day(leadwire::clock::now()), shown))
            (query.chooser(PATH, &accounts, &by, shown))
        }
        (query.way_up(PATH, parents))
        @if let Some(shown) = shown { (shown.note(query.selected(&accounts), None)) }
        @match report {
            Err(problem) => { (problem_alert(Some(&problem))) }
            Ok(report) if report.items.is_empty() => {
                (empty(&tr!("No numbers for these days"), with_markup(
                    &tr!("Choose other days, or {check}."),
                    &[("check", html! { a href="/ads" { (tr!("check the state of the accounts")) } })],
                )))
            }
            Ok(report) => { (table(&query, report, &accounts)) }
        }
    };
    let title = tr!("Ads");
    Ok(page(&visitor, jar, Section::Ads, head(&title, PATH), &body))
}

pub(super) async fn csv(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    Ok(send_csv(&console.rooms.ads.report_csv(&access, &report_query(&query)?, None).await?))
}

/// A file for people, who may open it in Excel.
pub(super) fn send_csv(file: &CsvFile) -> Response {
    download::csv(&file.file_name, ["\u{feff}".as_bytes(), &file.bytes].concat())
}

fn table(query: &ListQuery, mut report: ReportOut, accounts: &[AdAccountOut]) -> Markup {
    // Days have an order of their own; of everything else, what cost most comes first.
    let usual = if query.get("group_by").is_some_and(|by| by.ends_with("day")) { "" } else { "spend" };
    let (sort, upwards) = (query.get("sort").unwrap_or(usual), query.is_upwards());
    let mut columns = columns(query.conversion_labels(accounts));
    let headings: Vec<(&str, String)> =
        columns.iter().map(|column| (column.name, column.heading.to_string())).collect();
    columns.retain(|column| query.shows_column(column.name, &USUAL_COLUMNS));
    if let Some(column) = columns.iter().find(|column| column.name == sort) {
        let number =
            |row: &RowOut| Number { currency: Some(row.figures.currency.clone()), value: (column.value)(&row.figures) };
        report.items.sort_by(|one, other| number(one).compare(&number(other), upwards));
    } else if sort == "name" {
        let order = |one: &RowOut, other: &RowOut| (names(one), &one.day).cmp(&(names(other), &other.day));
        report.items.sort_by(|one, other| if upwards { order(one, other) } else { order(other, one) });
    }
    let heading = |key: &str, name: &str, is_number: bool| {
        Heading { path: PATH, key, name, sort, upwards, is_number }.show(query)
    };
    let names = RowNames {
        query,
        shows_account: query.selected(accounts).nth(1).is_some(),
        unfinished_since: report.unfinished_since,
    };
    let all = report.items.len();
    let first = if query.get("group_by") == Some("day") { tr!("Day") } else { tr!("Name") };
    html! {
        div.acts {
            span {
                @if report.next_cursor.is_some() { (tr!([all] "More than {n} row" | "More than {n} rows")) }
                @else { (tr!([all] "{n} row" | "{n} rows")) }
            }
            a.button href=(query.at("/ads/report.csv", &[])) { (tr!("Download as CSV")) }
            (query.column_menu(PATH, headings.iter().map(|(name, heading)| (*name, heading.as_str())), &USUAL_COLUMNS))
        }
        div.card.flush.scroll tabindex="0" role="region" aria-label=(tr!("Report")) {
            table.report {
                thead { tr {
                    (heading("name", &first, false))
                    @for column in &columns { (heading(column.name, &column.heading, true)) }
                } }
                tbody { @for row in report.items.iter().take(MAX_SHOWN_ROWS) { (line(&first, &names.show(row), row, &columns)) } }
                tfoot { @for total in &report.totals { (line(&first, &html! { b { (tr!("Total in {currency}", currency = total.figures.currency)) } }, total, &columns)) } }
            }
        }
        @if all > MAX_SHOWN_ROWS { p.quiet { (tr!("Only the first {count} are shown. The file contains all rows.", count = MAX_SHOWN_ROWS)) } }
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
        // The first click sorts numbers from the largest, but costs from the lowest, and names from the first.
        let begins_upwards = !is_number || key.starts_with("cost");
        let next = if is_sorted && !upwards || !is_sorted && begins_upwards { "asc" } else { "desc" };
        let order = is_sorted.then_some(if upwards { "ascending" } else { "descending" });
        html! {
            th class=[is_number.then_some("number")] aria-sort=[order] {
                a href=(query.at(path, &[("sort", key), ("dir", next)])) { (name) @if is_sorted { span aria-hidden="true" { @if upwards { " ↑" } @else { " ↓" } } } }
            }
        }
    }
}

fn line(first: &str, name: &Markup, row: &RowOut, columns: &[NumberColumn]) -> Markup {
    html! {
        tr {
            td data-label=(first) { (name) }
            @for column in columns { (number_cell(&column.heading, &column.text(&row.figures))) }
        }
    }
}

/// What rows are about, in words.
struct RowNames<'a> {
    query: &'a ListQuery,
    shows_account: bool,
    unfinished_since: Option<Date>,
}

impl RowNames<'_> {
    /// The names of a row's objects, and its day.
    fn show(&self, row: &RowOut) -> Markup {
        let AdPlace { account_id, account_name, campaign_id, campaign_name, adset_id, adset_name } = &row.place;
        let objects = [
            (AdObjectKind::Ad, &row.ad_id, &row.ad_name),
            (AdObjectKind::Adset, adset_id, adset_name),
            (AdObjectKind::Campaign, campaign_id, campaign_name),
        ];
        let object = objects.into_iter().find_map(|(kind, id, name)| Some((kind, id.as_deref()?, name.as_deref())));
        let day = row.day.as_deref().map(|text| (text, text.parse::<Date>().ok()));
        html! {
            @if let Some(client) = row.client_name.as_deref().or(row.client_id.as_deref()) { div { (client) } }
            @match object {
                Some((kind, id, name)) => {
                    @let object = ObjectName { kind, id, name, place: &row.place, state: &row.state, shows_account: self.shows_account };
                    (object.show(self.query, PATH))
                }
                None => { @if let Some(account) = account_name.as_deref().or(account_id.as_deref()) { div { (account) } } }
            }
            @if let Some((text, day)) = day {
                div {
                    (day.map_or_else(|| text.to_owned(), date))
                    @if day >= self.unfinished_since && self.unfinished_since.is_some() { " " (badge(Tone::Dim, &tr!("Not over yet"))) }
                }
            }
        }
    }
}

/// The names of a row's objects, the narrowest first.
fn names(row: &RowOut) -> Vec<&str> {
    let names = [
        (&row.ad_name, &row.ad_id),
        (&row.place.adset_name, &row.place.adset_id),
        (&row.place.campaign_name, &row.place.campaign_id),
        (&row.place.account_name, &row.place.account_id),
        (&row.client_name, &row.client_id),
    ];
    names.into_iter().filter_map(|(name, id)| name.as_deref().or(id.as_deref())).collect()
}
