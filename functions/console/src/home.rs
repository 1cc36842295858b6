//! Home: how leads stand, what is broken, and what to do next.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use jiff::civil::Date;
use leadwire::ads::AccountFilter;
use leadwire::ads::outcomes::OutcomeRow;
use leadwire::ads::overview::LeadOverview;
use leadwire::connections::{ConnectionOut, IntegrationOut};
use leadwire::directory::UserOut;
use leadwire::http::Problem;
use leadwire::leads::{LatencyReport, ParkedList};
use leadwire::model::ads::outcome::OutcomeDimension;
use leadwire::model::connection::lead_state::Severity;
use leadwire::tr;
use maud::{Markup, html};

use crate::actor::Admin;
use crate::ads::{account_problems, row_name};
use crate::chart::Chart;
use crate::components::{Tone, badge, count, duration, lazy_fragment, money, number_cell};
use crate::delivery::parked_banner;
use crate::integrations::{alerted, silences, stops, welcome};
use crate::layout::{Section, fragment_or_page, page};
use crate::session::Visitor;
use crate::state::Console;
use crate::steps::{checklist, next_steps};
use crate::zone::Zone;

/// Parked leads that are counted.
const MAX_COUNTED: usize = 100;
/// Rows of each list.
const MAX_ROWS: usize = 6;

pub(crate) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let all_accounts = AccountFilter::default();
    let (integrations, connections, users, parked, accounts) = tokio::try_join!(
        console.rooms.connections.integrations(&access),
        console.rooms.connections.connections(&access),
        console.rooms.directory.describe_users(&access.scope),
        console.rooms.leads.parked(&access, None, MAX_COUNTED),
        console.rooms.ads.accounts(&access, &all_accounts),
    )?;
    let (integrations, connections, accounts) = (integrations.items, connections.items, accounts.items);
    let steps = next_steps(&visitor, &jar, &checklist(&integrations, &connections, &users));
    let has_leads = connections.iter().any(|page| page.leads_count > 0);
    let body = html! {
        @if integrations.is_empty() { (welcome(&visitor)) }
        (needs(&visitor, &integrations, &connections, &parked, &account_problems(&accounts), &users))
        (steps)
        @if has_leads || !accounts.is_empty() {
            (lazy_fragment("/home/figures", &tr!("Counting leads…")))
        }
    };
    Ok(page(&visitor, jar, Section::Home, &tr!("Home"), &body))
}

/// What is broken, with the way out; one line if nothing is.
fn needs(
    visitor: &Visitor,
    integrations: &[IntegrationOut],
    connections: &[ConnectionOut],
    parked: &ParkedList,
    accounts: &Markup,
    users: &[UserOut],
) -> Markup {
    let problems = html! { (stops(visitor, integrations, connections)) (parked_banner(parked)) (silences(connections)) (accounts) };
    let is_well = problems.0.is_empty() && integrations.iter().all(|it| it.severity <= Severity::Notice);
    html! {
        @if is_well && !integrations.is_empty() {
            p { (badge(Tone::Good, &tr!("All good"))) " " (tr!([connections.len()] "Leads arrive from {n} page." | "Leads arrive from {n} pages.")) }
        }
        div.problems { (problems) @if !integrations.is_empty() { (alerted(users)) } }
    }
}

/// The figures, which take a moment to count.
pub(crate) async fn figures(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    zone: Zone,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let now = leadwire::clock::now();
    let (mut overview, latency) = tokio::try_join!(
        console.rooms.ads.overview(&access, zone.time_zone().clone(), now),
        console.rooms.leads.latency(&access.scope, None, None),
    )?;
    for form in overview.forms.iter_mut().filter(|form| form.name.is_none()) {
        form.name = form.id.as_ref().map(|id| tr!("Form {id}", id = id));
    }
    let part = html! {
        section { h2 { (tr!("Leads")) } (numbers(&overview, &latency)) }
        div.halves {
            section { h2 { (tr!("Last 30 days")) } (chart(&overview)) }
            (assignees(&overview.assignees))
            (list(&tr!("Campaigns of the last 7 days"), OutcomeDimension::Campaign, &overview.campaigns, "/ads/outcomes"))
            (list(&tr!("Forms of the last 7 days"), OutcomeDimension::Form, &overview.forms, "/ads/outcomes?group_by=form"))
        }
        (zone.note())
    };
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Home, &tr!("Leads in brief")), &part))
}

fn numbers(overview: &LeadOverview, latency: &LatencyReport) -> Markup {
    let (week, before) = (overview.count(7, 0), overview.count(7, 7));
    let speed = latency.all.p50_s.map_or_else(|| "–".to_owned(), duration);
    html! {
        div.figures {
            div { span { (tr!("Today")) } b { (count(overview.count(1, 0))) } span { (tr!("{count} yesterday", count = count(overview.count(1, 1)))) } }
            div { span { (tr!("Last 7 days")) } b { (count(week)) } span { (change(week, before)) } }
            div { span { (tr!("Last 30 days")) } b { (count(overview.count(30, 0))) } }
            div { span { (tr!("Typical arrival time")) } b { (speed) } span { a href="/delivery" { (tr!("Delivery times")) } } }
        }
    }
}

/// The difference to the time before.
fn change(now: u64, before: u64) -> String {
    match (i128::from(now) - i128::from(before), before) {
        (0, _) => tr!("as in the 7 days before ({before})", before = count(before)),
        (_, 0) => tr!("none in the 7 days before").into_owned(),
        (difference, _) => {
            let change = format!("{:+}", difference * 100 / i128::from(before));
            tr!("{change}% compared with the 7 days before ({before})", change = change, before = count(before))
        }
    }
}

fn chart(overview: &LeadOverview) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "heights of bars")]
    let days: Vec<(Date, Option<(f64, String)>)> =
        overview.days.iter().map(|(day, leads)| (*day, Some((*leads as f64, count(*leads))))).collect();
    // The last day is today.
    let unfinished_since = days.last().map(|(day, _)| *day);
    let chart =
        Chart { title: &tr!("Leads by day"), total: count(overview.count(30, 0)), bars: days, unfinished_since };
    chart.draw()
}

fn list(title: &str, by: OutcomeDimension, rows: &[OutcomeRow], more: &str) -> Markup {
    let amount = |row: &OutcomeRow, amount: Option<rust_decimal::Decimal>| match (&row.figures.currency, amount) {
        (Some(currency), Some(amount)) => money(&amount.to_string(), currency),
        _ => "–".to_owned(),
    };
    html! {
        section {
            h2 { (title) }
            // What was spent on ads without leads belongs to no form.
            @let rows = rows.iter().filter(|row| row.id.is_some() || row.figures.leads > 0).take(MAX_ROWS);
            @let rows = of_each_currency(rows.collect());
            @let accounts: BTreeSet<&str> = rows.iter().filter_map(|row| row.place.account_id.as_deref()).collect();
            @if rows.is_empty() { p.quiet { (tr!("No leads.")) } }
            @else {
                div.card.flush {
                    table {
                        thead { tr { th { (tr!("Name")) } th.number { (tr!("Leads")) } th.number { (tr!("Cost per lead")) } th.number { (tr!("Spend")) } } }
                        tbody {
                            @for row in &rows {
                                tr {
                                    td data-label=(tr!("Name")) {
                                        (row_name(by, row))
                                        @if let Some(account) = row.place.account_name.as_ref().filter(|_| accounts.len() > 1) { div.quiet { (account) } }
                                    }
                                    (number_cell(&tr!("Leads"), &count(row.figures.leads)))
                                    (number_cell(&tr!("Cost per lead"), &amount(row, row.figures.cost_per_lead)))
                                    (number_cell(&tr!("Spend"), &amount(row, row.figures.spend)))
                                }
                            }
                        }
                    }
                }
                p { a href=(more) { (tr!("All results")) } }
            }
        }
    }
}

/// Rows of one currency together, the one with the most leads first.
fn of_each_currency(mut rows: Vec<&OutcomeRow>) -> Vec<&OutcomeRow> {
    let mut leads = BTreeMap::<Option<&str>, u64>::new();
    for row in &rows {
        *leads.entry(row.figures.currency.as_deref()).or_default() += row.figures.leads;
    }
    rows.sort_by_key(|row| {
        let currency = row.figures.currency.as_deref();
        (Reverse(leads.get(&currency).copied()), currency)
    });
    rows
}

fn assignees(rows: &[OutcomeRow]) -> Markup {
    html! {
        section {
            h2 { (tr!("Leads by colleague, last 30 days")) }
            @if rows.is_empty() { p.quiet { (tr!("No leads.")) } }
            @else {
                div.card.flush {
                    table {
                        thead { tr { th { (tr!("Name")) } th.number { (tr!("Open")) } th.number { (tr!("Leads")) } th.number { (tr!("Qualified")) } th.number { (tr!("Won")) } } }
                        tbody {
                            @for row in rows {
                                tr {
                                    td data-label=(tr!("Name")) { @if row.id.is_none() { a href="/leads?assigned_to=unassigned" { (tr!("Unassigned")) } } @else { (row_name(OutcomeDimension::Assignee, row)) } }
                                    td.number data-label=(tr!("Open")) { (count(row.figures.open)) }
                                    td.number data-label=(tr!("Leads")) { (count(row.figures.leads)) }
                                    td.number data-label=(tr!("Qualified")) { (count(row.figures.qualified)) }
                                    td.number data-label=(tr!("Won")) { (count(row.figures.won)) }
                                }
                            }
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
    use leadwire::model::ads::outcome::{OutcomeFigures, OutcomeSums};

    use super::*;

    #[test]
    fn the_currency_with_the_most_leads_is_first_and_campaigns_of_two_accounts_name_them() {
        let row = |id: &str, currency: &str, leads| OutcomeRow {
            id: Some(id.to_owned()),
            name: None,
            place: AdPlace {
                account_id: Some(format!("act_{currency}")),
                account_name: Some(format!("{currency} account")),
                ..AdPlace::default()
            },
            state: AdObjectState::default(),
            figures: OutcomeFigures { currency: Some(currency.to_owned()), leads, ..OutcomeSums::default().figures() },
        };
        let rows = [row("1", "JPY", 1), row("2", "USD", 0), row("3", "USD", 4)];
        let order: Vec<_> = of_each_currency(rows.iter().collect()).iter().map(|row| row.id.clone().unwrap()).collect();
        assert_eq!(order, ["2", "3", "1"]);
        let shown =
            |rows: &[OutcomeRow]| list("Campaigns", OutcomeDimension::Campaign, rows, "/ads/outcomes").into_string();
        assert!(shown(&rows).contains("<div class=\"quiet\">JPY account</div>"), "{}", shown(&rows));
        assert!(!shown(&rows[1..]).contains("account</div>"));
    }

    #[test]
    fn a_change_is_told_with_what_it_is_a_change_of() {
        assert_eq!(change(150, 100), "+50% compared with the 7 days before (100)");
        assert_eq!(change(50, 100), "-50% compared with the 7 days before (100)");
        assert_eq!(change(7, 0), "none in the 7 days before");
        assert_eq!(change(0, 0), "as in the 7 days before (0)");
    }
}
