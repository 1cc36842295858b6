//! Results: what ads cost beside what became of the leads they brought, as a table and as a file.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::ads::AccountFilter;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::outcomes::{OutcomeQuery, OutcomeReport, OutcomeRow, object_kind, parse_outcome_dimension};
use leadwire::http::Problem;
use leadwire::language::decimal;
use leadwire::model::ads::outcome::{OtherAmount, OutcomeDimension, OutcomeFigures};
use leadwire::tr;
use maud::{Markup, html};
use rust_decimal::Decimal;

use super::days::ShownDays;
use super::report::{Heading, send_csv};
use super::within::ObjectName;
use super::{Number, head};
use crate::actor::Admin;
use crate::components::{count, empty, money, problem_alert};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/ads/outcomes";
/// Rows on the page. The file has all of them.
const MAX_SHOWN_ROWS: usize = 200;

/// The columns that fit on a desk.
const USUAL_COLUMNS: [&str; 9] = [
    "leads",
    "qualified",
    "won",
    "spend",
    "cost_per_lead",
    "cost_per_qualified",
    "cost_per_won",
    "value",
    "return_on_spend",
];

/// What rows can be about, with its name in the address.
fn choices() -> [(&'static str, Cow<'static, str>); 6] {
    [
        ("campaign", tr!("Campaign")),
        ("adset", tr!("Ad set")),
        ("ad", tr!("Ad")),
        ("form", tr!("Form")),
        ("page", tr!("Page")),
        ("assignee", tr!("Assignee")),
    ]
}

/// A column of numbers.
struct OutcomeColumn {
    name: &'static str,
    heading: Cow<'static, str>,
    value: fn(&OutcomeFigures) -> Option<Decimal>,
    is_money: bool,
}

fn number(
    name: &'static str,
    heading: Cow<'static, str>,
    value: fn(&OutcomeFigures) -> Option<Decimal>,
) -> OutcomeColumn {
    OutcomeColumn { name, heading, value, is_money: false }
}

fn amount(
    name: &'static str,
    heading: Cow<'static, str>,
    value: fn(&OutcomeFigures) -> Option<Decimal>,
) -> OutcomeColumn {
    OutcomeColumn { name, heading, value, is_money: true }
}

fn columns() -> [OutcomeColumn; 11] {
    [
        number("leads", tr!("Leads"), |of| Some(of.leads.into())),
        number("qualified", tr!("Qualified"), |of| Some(of.qualified.into())),
        number("won", tr!("Won"), |of| Some(of.won.into())),
        number("lost", tr!("Lost"), |of| Some(of.lost.into())),
        amount("spend", tr!("Spend"), |of| of.spend),
        amount("cost_per_lead", tr!("Cost per lead"), |of| of.cost_per_lead),
        amount("cost_per_qualified", tr!("Cost per qualified lead"), |of| of.cost_per_qualified),
        amount("cost_per_won", tr!("Cost per won lead"), |of| of.cost_per_won),
        amount("value", tr!("Value won"), |of| of.value),
        number("return_on_spend", tr!("ROAS"), |of| of.return_on_spend),
        number("meta_conversions", tr!("Counted by Meta"), |of| Some(of.meta_conversions.into())),
    ]
}

impl OutcomeColumn {
    fn text(&self, of: &OutcomeFigures) -> String {
        match ((self.value)(of), &of.currency) {
            (None, _) => "–".to_owned(),
            (Some(value), Some(currency)) if self.is_money => money(&value.to_string(), currency),
            (Some(value), _) if self.name == "return_on_spend" => return_on_spend(value),
            (Some(value), _) => count(u64::try_from(value).unwrap_or_default()),
        }
    }
}

fn outcome_query(query: &ListQuery, zone: &Zone) -> Result<OutcomeQuery, Problem> {
    let by = query.get("group_by").map(parse_outcome_dimension).transpose()?.unwrap_or_default();
    let (accounts, within, days) = (query.accounts()?, query.within()?, query.days()?);
    Ok(OutcomeQuery { by, accounts, within, days, zone: Some(zone.time_zone().clone()) })
}

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let report = async {
        let report = console.rooms.ads.outcomes(&access, &outcome_query(&query, &zone)?).await?;
        Ok::<_, Problem>(report)
    };
    let all_accounts = AccountFilter::default();
    let (accounts, report) = tokio::join!(console.rooms.ads.accounts(&access, &all_accounts), report);
    let accounts = accounts?.items;
    let now = query.get("group_by").unwrap_or("campaign");
    let by = html! {
        label { (tr!("Group by")) select name="group_by" {
            @for (value, name) in choices() { option value=(value) selected[value == now] { (name) } }
        } }
        label.on-phones { (tr!("Sort by")) select name="sort" {
            option value="" { (tr!("Usual order")) }
            @for column in columns() { option value=(column.name) selected[query.get("sort") == Some(column.name)] { (column.heading) } }
        } }
    };
    let shown = report.as_ref().ok().map(ShownDays::from);
    let parents = report.as_ref().map_or(&[][..], |report| &report.parents);
    // Only without a selection do leads of no account count.
    let counts_others =
        ["account_id", "client_id", "campaign_id", "adset_id"].iter().all(|name| query.get(name).is_none());
    let body = html! {
        div.bars {
            (query.presets(PATH, zone.day(leadwire::clock::now()), shown))
            (query.chooser(PATH, &accounts, &by, shown))
        }
        (query.way_up(PATH, parents))
        @if let Some(shown) = shown { (shown.note(query.selected(&accounts), Some(&zone).filter(|_| counts_others))) }
        @match report {
            Err(problem) => { (problem_alert(Some(&problem))) }
            Ok(report) if report.items.is_empty() => {
                (empty(&tr!("No leads and no spend in these days"), html! { (tr!("Choose other days. Leads count on the day on which they were submitted.")) }))
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
    zone: Zone,
) -> Result<Response, Problem> {
    Ok(send_csv(&console.rooms.ads.outcomes_csv(&access, &outcome_query(&query, &zone)?).await?))
}

fn table(query: &ListQuery, mut report: OutcomeReport, accounts: &[AdAccountOut]) -> Markup {
    let by = query.get("group_by").and_then(|text| text.parse().ok()).unwrap_or_default();
    let (sort, upwards) = (query.get("sort").unwrap_or(""), query.is_upwards());
    let all_columns = columns();
    let is_shown = |column: &&OutcomeColumn| query.shows_column(column.name, &USUAL_COLUMNS);
    let columns: Vec<&OutcomeColumn> = all_columns.iter().filter(is_shown).collect();
    if let Some(column) = columns.iter().find(|column| column.name == sort) {
        let number = |row: &OutcomeRow| Number {
            currency: row.figures.currency.clone().filter(|_| column.is_money),
            value: (column.value)(&row.figures),
        };
        report.items.sort_by(|one, other| number(one).compare(&number(other), upwards));
    }
    let heading = |key: &str, name: &str, is_number: bool| {
        Heading { path: PATH, key, name, sort, upwards, is_number }.show(query)
    };
    let shows_account = query.selected(accounts).nth(1).is_some();
    let days = [("from", report.since.to_string()), ("until", report.until.to_string())];
    let all = report.items.len();
    html! {
        div.acts {
            span { (tr!([all] "{n} row" | "{n} rows")) }
            a.button href=(query.at("/ads/outcomes.csv", &[])) { (tr!("Download as CSV")) }
            (query.column_menu(PATH, all_columns.iter().map(|column| (column.name, &*column.heading)), &USUAL_COLUMNS))
        }
        div.card.flush.scroll tabindex="0" role="region" aria-label=(tr!("Results")) {
            table.report {
                thead { tr {
                    th { (tr!("Name")) }
                    @for column in &columns { (heading(column.name, &column.heading, true)) }
                } }
                tbody {
                    @for row in report.items.iter().take(MAX_SHOWN_ROWS) {
                        @let leads = leads_of(query, by, row.id.as_deref(), &days);
                        @let name = result_name(query, by, row, shows_account, leads.as_deref());
                        (line(&name, &row.figures, &columns, leads.zip(row.name.as_deref().or(row.id.as_deref()))))
                    }
                }
                tfoot { (totals(&report.totals, &columns)) }
            }
        }
        @if all > MAX_SHOWN_ROWS { p.quiet { (tr!("Only the first {count} are shown. The file contains all rows.", count = MAX_SHOWN_ROWS)) } }
        (difference(&report))
    }
}

/// A row. The number of its leads leads to them: `leads` are their address, and the name of what they came from.
fn line(name: &Markup, figures: &OutcomeFigures, columns: &[&OutcomeColumn], leads: Option<(String, &str)>) -> Markup {
    html! {
        tr {
            td data-label=(tr!("Name")) {
                (name)
                @for other in &figures.other_amounts {
                    @let (spend, value) = (money(&other.spend.to_string(), &other.currency), money(&other.value.to_string(), &other.currency));
                    div.quiet { (tr!("{spend} spent, {value} won", spend = spend, value = value)) }
                }
            }
            @for column in columns {
                td.number.none[column.text(figures) == "–"] data-label=(column.heading) {
                    @match leads.as_ref().filter(|_| column.name == "leads" && figures.leads > 0) {
                        Some((leads, of)) => a href=(leads) aria-label=(tr!([figures.leads] "See {n} lead of {name}" | "See {n} leads of {name}", name = of)) { (column.text(figures)) },
                        None => (column.text(figures)),
                    }
                }
            }
        }
    }
}

/// The sums. Leads are of no currency: with several, they are counted in a row of their own, above the amounts of each.
fn totals(figures: &OutcomeFigures, columns: &[&OutcomeColumn]) -> Markup {
    let has_amounts = columns.iter().any(|column| matches!(column.name, "spend" | "value" | "return_on_spend"));
    let others = figures.other_amounts.iter().filter(|_| has_amounts);
    html! {
        (total_line(&tr!("Total"), columns, &|column| match (column.value)(figures) {
            None if !figures.other_amounts.is_empty() => String::new(),
            _ => column.text(figures),
        }))
        @for OtherAmount { currency, spend, value } in others {
            (total_line(&tr!("Total in {currency}", currency = currency), columns, &|column| match column.name {
                "spend" => money(&spend.to_string(), currency),
                "value" => money(&value.to_string(), currency),
                "return_on_spend" => value.checked_div(*spend).map(return_on_spend).unwrap_or_default(),
                _ => String::new(),
            }))
        }
    }
}

fn total_line(name: &str, columns: &[&OutcomeColumn], text: &dyn Fn(&OutcomeColumn) -> String) -> Markup {
    html! {
        tr {
            td data-label=(tr!("Name")) { b { (name) } }
            @for column in columns {
                @let text = text(column);
                td.number.none[text.is_empty() || text == "–"] data-label=(column.heading) { (text) }
            }
        }
    }
}

fn return_on_spend(value: Decimal) -> String {
    format!("{}×", decimal(&value.round_dp(2).to_string()))
}

/// The filter of the list of leads that selects what a dimension's rows are about.
fn leads_filter(by: OutcomeDimension) -> Option<&'static str> {
    match by {
        OutcomeDimension::Campaign => Some("campaign_id"),
        OutcomeDimension::Form => Some("form_id"),
        OutcomeDimension::Page => Some("page_id"),
        OutcomeDimension::Assignee => Some("assigned_to"),
        OutcomeDimension::Adset | OutcomeDimension::Ad => None,
    }
}

/// The address of the leads that a row counts. `None` where the list of leads has no filter for them: it knows campaigns,
/// and neither ad sets nor accounts.
fn leads_of(query: &ListQuery, by: OutcomeDimension, id: Option<&str>, days: &[(&str, String)]) -> Option<String> {
    let (filter, id) = (leads_filter(by)?, id?);
    let campaign = query.get("campaign_id").unwrap_or_default();
    let has_account = query.get("account_id").is_some() || query.get("client_id").is_some();
    let is_whole = by == OutcomeDimension::Campaign || !campaign.is_empty() || !has_account;
    let days = days.iter().map(|(name, day)| (*name, day.as_str()));
    let leads = || ListQuery::new(days).at("/leads", &[("campaign_id", campaign), (filter, id)]);
    (is_whole && query.get("adset_id").is_none()).then(leads)
}

/// The name of a row: that of an object of ads leads to what lies in it, any other to its leads.
fn result_name(
    query: &ListQuery,
    by: OutcomeDimension,
    row: &OutcomeRow,
    shows_account: bool,
    leads: Option<&str>,
) -> Markup {
    match (object_kind(by), &row.id) {
        (Some(kind), Some(id)) => {
            let OutcomeRow { name, place, state, .. } = row;
            ObjectName { kind, id, name: name.as_deref(), place, state, shows_account }.show(query, PATH)
        }
        _ => linked_name(by, row, leads),
    }
}

/// The name of a row, linked to its leads of all days.
pub(crate) fn row_name(by: OutcomeDimension, row: &OutcomeRow) -> Markup {
    let leads = leads_of(&ListQuery::new(std::iter::empty()), by, row.id.as_deref(), &[]);
    linked_name(by, row, leads.as_deref())
}

fn linked_name(by: OutcomeDimension, row: &OutcomeRow, leads: Option<&str>) -> Markup {
    let missing = match by {
        OutcomeDimension::Campaign => tr!("No campaign"),
        OutcomeDimension::Adset => tr!("No ad set"),
        OutcomeDimension::Ad => tr!("No ad"),
        OutcomeDimension::Form => tr!("No form, or ads without leads"),
        OutcomeDimension::Page => tr!("No page, or ads without leads"),
        OutcomeDimension::Assignee => tr!("Unassigned, or ads without leads"),
    };
    html! {
        @match (&row.id, leads) {
            (None, _) => span.quiet { (missing) },
            (Some(id), Some(leads)) => a href=(leads) { (row.name.as_deref().unwrap_or(id)) },
            (Some(id), None) => (row.name.as_deref().unwrap_or(id)),
        }
    }
}

/// Explains why Meta counts other leads than are here.
fn difference(report: &OutcomeReport) -> Markup {
    let OutcomeFigures { leads, repeats, meta_conversions, .. } = report.totals;
    html! {
        details {
            summary { (tr!([leads] "Meta counts {meta}, Leadwire counts {n} lead. Why?" | "Meta counts {meta}, Leadwire counts {n} leads. Why?", meta = count(meta_conversions))) }
            ul {
                li { (tr!([repeats]
                    "{n} submission came from a person who was already a lead. Leadwire added it to that lead, but Meta counts it."
                    | "{n} submissions came from people who were already leads. Leadwire added them to those leads, but Meta counts them."
                )) }
                li { (tr!([report.not_imported] "{n} lead could not be imported yet." | "{n} leads could not be imported yet.")) " " @if report.not_imported > 0 { a href="/delivery#parked" { (tr!("See why")) } } }
                li { (tr!("Leadwire also counts leads without a linked ad account, imported leads, and leads from forms that were opened without an ad. Meta does not.")) }
                li { (tr!("Meta counts a lead on the day on which the ad was seen, up to 28 days before the form was submitted. Leadwire counts it on the day of submission. The newest days differ most.")) }
                li { (tr!("Meta's number includes everything that the ad account's settings count as a conversion. Leadwire does not count test leads.")) }
            }
            p.quiet { (tr!("When results are grouped by form, page or assignee, the cost of each ad is split equally among its leads. Only won leads have a value.")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::ads::outcome::OutcomeSums;

    use super::*;

    #[test]
    fn with_several_currencies_leads_are_counted_once_and_amounts_have_a_row_each() {
        let other = |currency: &str| OtherAmount { currency: currency.to_owned(), spend: 2.into(), value: 5.into() };
        let other_amounts = vec![other("EUR"), other("USD")];
        let figures = OutcomeFigures { leads: 16, other_amounts, ..OutcomeSums::default().figures() };
        let shown = totals(&figures, &columns().iter().collect::<Vec<_>>()).into_string();
        for words in ["Total in EUR", "Total in USD", ">16<", ">2.50×<"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(shown.matches(">16<").count() == 1 && !shown.contains('–'), "{shown}");
    }

    #[test]
    fn a_number_of_leads_leads_to_these_or_nowhere() {
        let days = [("from", "2026-11-01".to_owned())];
        let leads = |by, fields: &[(&'static str, &'static str)]| {
            leads_of(&ListQuery::new(fields.iter().copied()), by, Some("9"), &days)
        };
        let address = |words: &str| Some(format!("/leads?{words}"));
        let (account, campaign, adset) = (("account_id", "act_1"), ("campaign_id", "2"), ("adset_id", "3"));
        let mona = OutcomeDimension::Assignee;
        assert_eq!(leads(mona, &[]), address("assigned_to=9&from=2026-11-01"));
        assert_eq!(leads(mona, &[account, campaign]), address("assigned_to=9&campaign_id=2&from=2026-11-01"));
        for elsewhere in [&[account][..], &[("client_id", "c")], &[campaign, adset]] {
            assert_eq!(leads(mona, elsewhere), None, "{elsewhere:?}");
        }
        let spring = OutcomeDimension::Campaign;
        assert_eq!(leads(spring, &[account, ("campaign_id", "9")]), address("campaign_id=9&from=2026-11-01"));
        assert_eq!(leads(spring, &[adset]), None);
        assert_eq!(leads(OutcomeDimension::Ad, &[]), None);
    }
}
