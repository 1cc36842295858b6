//! Results: what ads cost beside what became of the leads they brought, as a table and as a file.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::ads::AccountFilter;
use leadwire::ads::outcomes::{OutcomeQuery, OutcomeReport, OutcomeRow, parse_outcome_dimension};
use leadwire::http::Problem;
use leadwire::model::ads::outcome::{OutcomeDimension, OutcomeFigures};
use maud::{Markup, html};
use rust_decimal::Decimal;

use super::report::{Heading, send_csv};
use super::tabs;
use crate::components::{count, empty, money, plural, problem_alert};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::session::Admin;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/ads/outcomes";
/// Rows on the page. The file has all of them.
const MAX_SHOWN_ROWS: usize = 200;

const CHOICES: [(&str, &str); 6] = [
    ("campaign", "Campaign"),
    ("adset", "Ad set"),
    ("ad", "Ad"),
    ("form", "Form"),
    ("page", "Page"),
    ("assignee", "Assignee"),
];

/// A column of numbers.
struct OutcomeColumn {
    name: &'static str,
    heading: &'static str,
    value: fn(&OutcomeFigures) -> Option<Decimal>,
    is_money: bool,
}

const fn number(
    name: &'static str,
    heading: &'static str,
    value: fn(&OutcomeFigures) -> Option<Decimal>,
) -> OutcomeColumn {
    OutcomeColumn { name, heading, value, is_money: false }
}

const fn amount(
    name: &'static str,
    heading: &'static str,
    value: fn(&OutcomeFigures) -> Option<Decimal>,
) -> OutcomeColumn {
    OutcomeColumn { name, heading, value, is_money: true }
}

const COLUMNS: [OutcomeColumn; 11] = [
    number("leads", "Leads", |of| Some(of.leads.into())),
    number("qualified", "Qualified", |of| Some(of.qualified.into())),
    number("won", "Won", |of| Some(of.won.into())),
    number("lost", "Lost", |of| Some(of.lost.into())),
    amount("spend", "Spend", |of| of.spend),
    amount("cost_per_lead", "Cost per lead", |of| of.cost_per_lead),
    amount("cost_per_qualified", "Cost per qualified", |of| of.cost_per_qualified),
    amount("cost_per_won", "Cost per won", |of| of.cost_per_won),
    amount("value", "Value won", |of| of.value),
    number("return_on_spend", "Return", |of| of.return_on_spend),
    number("meta_conversions", "Meta counts", |of| Some(of.meta_conversions.into())),
];

impl OutcomeColumn {
    fn text(&self, of: &OutcomeFigures) -> String {
        match ((self.value)(of), &of.currency) {
            (None, _) => "–".to_owned(),
            (Some(value), Some(currency)) if self.is_money => money(&value.to_string(), currency),
            (Some(value), _) if self.name == "return_on_spend" => format!("{value} ×"),
            (Some(value), _) => count(u64::try_from(value).unwrap_or_default()),
        }
    }
}

fn outcome_query(query: &ListQuery, zone: &Zone) -> Result<OutcomeQuery, Problem> {
    let by = query.get("group_by").map(parse_outcome_dimension).transpose()?.unwrap_or_default();
    Ok(OutcomeQuery { by, accounts: query.accounts()?, days: query.days()?, zone: Some(zone.time_zone().clone()) })
}

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let accounts = console.ads.accounts(&access, &AccountFilter::default()).await?.items;
    let report = async { Ok(console.ads.outcomes(&access, &outcome_query(&query, &zone)?).await?) };
    let report: Result<OutcomeReport, Problem> = report.await;
    let now = query.get("group_by").unwrap_or("campaign");
    let by = html! {
        label { "By" select name="group_by" {
            @for (value, name) in CHOICES { option value=(value) selected[value == now] { (name) } }
        } }
    };
    let body = html! {
        (tabs(PATH))
        (query.chooser(PATH, &accounts, &by))
        (query.presets(PATH, zone.day(leadwire::clock::now())))
        @match report {
            Err(problem) => { (problem_alert(Some(&problem))) }
            Ok(report) if report.items.is_empty() => {
                (empty("No leads and no spend in these days", html! { "Choose other days. Leads count on the day on which they were submitted." }))
            }
            Ok(report) => { (table(&query, report)) }
        }
    };
    Ok(page(&visitor, jar, Section::Ads, "Results", &body))
}

pub(super) async fn csv(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
) -> Result<Response, Problem> {
    Ok(send_csv(console.ads.outcomes_csv(&access, &outcome_query(&query, &zone)?).await?))
}

fn table(query: &ListQuery, mut report: OutcomeReport) -> Markup {
    let by = query.get("group_by").and_then(|text| text.parse().ok()).unwrap_or_default();
    let (sort, upwards) = (query.get("sort").unwrap_or(""), query.get("dir") == Some("asc"));
    if let Some(column) = COLUMNS.iter().find(|column| column.name == sort) {
        let value = |row: &OutcomeRow| (column.value)(&row.figures);
        // Rows without a number come last in either direction.
        report.items.sort_by(|one, other| match (value(one), value(other)) {
            (Some(one), Some(other)) if upwards => one.cmp(&other),
            (Some(one), Some(other)) => other.cmp(&one),
            (one, other) => other.is_some().cmp(&one.is_some()),
        });
    }
    let heading = |key, name, is_number| Heading { path: PATH, key, name, sort, upwards, is_number }.show(query);
    let all = report.items.len();
    html! {
        div.acts {
            span { (plural(all, "row")) ", " (report.since) " to " (report.until) }
            a.button href=(query.at("/ads/outcomes.csv", &[])) { "Download as CSV" }
        }
        div.card.flush.scroll tabindex="0" role="region" aria-label="Results" {
            table.report {
                thead { tr {
                    th { "Name" }
                    @for column in &COLUMNS { (heading(column.name, column.heading, true)) }
                } }
                tbody {
                    @for row in report.items.iter().take(MAX_SHOWN_ROWS) { (line(&row_name(by, row), &row.figures)) }
                }
                tfoot { (line(&html! { b { "Total" } }, &report.totals)) }
            }
        }
        @if all > MAX_SHOWN_ROWS { p.quiet { "Only the first " (MAX_SHOWN_ROWS) " are shown. The file contains all rows." } }
        (difference(&report))
    }
}

fn line(name: &Markup, figures: &OutcomeFigures) -> Markup {
    html! {
        tr {
            td data-label="Name" {
                (name)
                @for other in &figures.other_amounts { div.quiet { (money(&other.spend.to_string(), &other.currency)) " spent, " (money(&other.value.to_string(), &other.currency)) " won" } }
            }
            @for column in &COLUMNS { td.number data-label=(column.heading) { (column.text(figures)) } }
        }
    }
}

/// The name of a row, linked to its leads.
pub(crate) fn row_name(by: OutcomeDimension, row: &OutcomeRow) -> Markup {
    let (filter, missing) = match by {
        OutcomeDimension::Campaign => (Some("campaign_id"), "No campaign"),
        OutcomeDimension::Adset => (None, "No ad set"),
        OutcomeDimension::Ad => (None, "No ad"),
        OutcomeDimension::Form => (Some("form_id"), "No form, or ads without leads"),
        OutcomeDimension::Page => (Some("page_id"), "No page, or ads without leads"),
        OutcomeDimension::Assignee => (Some("assigned_to"), "Unassigned, or ads without leads"),
    };
    html! {
        @match &row.id {
            None => span.quiet { (missing) },
            Some(id) => {
                @let name = row.name.as_deref().unwrap_or(id);
                @match filter {
                    Some(filter) => a href={ "/leads?" (filter) "=" (id) } { (name) },
                    None => (name),
                }
            }
        }
    }
}

/// Explains why Meta counts other leads than are here.
fn difference(report: &OutcomeReport) -> Markup {
    let OutcomeFigures { leads, repeats, meta_conversions, .. } = report.totals;
    html! {
        details {
            summary { "Meta counts " (count(meta_conversions)) ", here are " (plural(leads, "lead")) ": why?" }
            ul {
                li { (plural(repeats, "submission")) " came from people who were leads already. They are added to those leads, and Meta counts them." }
                li { (plural(report.not_imported, "lead")) " could not be imported yet. " @if report.not_imported > 0 { a href="/delivery#parked" { "See why" } } }
                li { "Leads without a linked ad account, imported ones and those of forms that were opened without an ad are here, and not in Meta's count." }
                li { "Meta counts a lead on the day on which the ad was seen, up to 28 days before the form was sent; here it counts on the day of the form. The newest days differ most." }
                li { "Meta counts what the account's setting says is a conversion; test leads count nowhere here." }
            }
            p.quiet { "By form, page and assignee, what each ad cost is shared equally among its leads. Only won leads have a value." }
        }
    }
}
