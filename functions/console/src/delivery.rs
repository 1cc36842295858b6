//! Whether leads arrive as promised: their latency, silent pages, and parked leads.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::ConnectionOut;
use leadwire::http::Problem;
use leadwire::ids::LeadId;
use leadwire::leads::{LatencyReport, ParkedList, ReplayRequest};
use leadwire::model::failure::FailureCode;
use leadwire::model::lead::latency::LatencySummary;
use maud::{Markup, html};
use serde::Deserialize;

use crate::components::{alert, badge, count, csrf_field, duration, empty, plural, time};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::layout::{Section, page};
use crate::session::{Admin, Visitor};
use crate::state::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/", get(show)).route("/replay", post(try_again))
}

const PAGE_SIZE: usize = 25;

#[derive(Deserialize)]
struct ParkedQuery {
    cursor: Option<String>,
}

async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ParkedQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let latency = console.leads.latency(&access.scope, None, None).await?;
    let connections = console.connections.connections(&access).await?.items;
    let parked = console.leads.parked(&access, query.cursor.as_deref(), PAGE_SIZE).await?;
    let body = html! {
        section { h2 { "From submission to the CRM" } (times(&latency)) }
        @let silent: Vec<_> = connections.iter().filter(|page| page.quiet_since.is_some()).collect();
        @if !silent.is_empty() { section { h2 { "Silent pages" } (quiet(&silent)) } }
        section #parked { h2 { "Parked leads" } (waiting(&visitor, &parked, &connections)) }
    };
    Ok(page(&visitor, jar, Section::Delivery, "Delivery", &body))
}

fn times(report: &LatencyReport) -> Markup {
    let seconds = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), duration);
    let share = |summary: &LatencySummary| {
        (summary.within_2_minutes * 100)
            .checked_div(summary.leads)
            .map_or_else(|| "–".to_owned(), |share| format!("{share} %"))
    };
    html! {
        @if report.all.leads == 0 {
            (empty("No leads in the last seven days", html! { "Delivery times appear here as soon as leads arrive. " a href="/forms" { "Send a test lead" } }))
        } @else {
            div.figures {
                div { span { "Half of the leads within" } b { (seconds(report.all.p50_s)) } }
                div { span { "95 % of the leads within" } b { (seconds(report.all.p95_s)) } }
                div { span { "Within 2 minutes" } b { (share(&report.all)) } }
                div { span { "Leads in 7 days" } b { (count(report.all.leads)) } }
            }
            details {
                summary { "By day" }
                div.card.flush {
                    table {
                        thead { tr { th { "Day (UTC)" } th.number { "Leads" } th.number { "Half within" } th.number { "95 % within" } th.number { "Within 2 minutes" } } }
                        tbody {
                            @for day in &report.items {
                                tr {
                                    td data-label="Day" { (day.day) }
                                    td.number data-label="Leads" { (count(day.summary.leads)) }
                                    td.number data-label="Half within" { (seconds(day.summary.p50_s)) }
                                    td.number data-label="95 % within" { (seconds(day.summary.p95_s)) }
                                    td.number data-label="Within 2 minutes" { (share(&day.summary)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn quiet(pages: &[&ConnectionOut]) -> Markup {
    html! {
        @for page in pages {
            @if let Some(since) = page.quiet_since {
                (alert("warn", html! { p {
                    b { (page.page_name) } " sent its last lead on " (time(since)) ". It is usually not silent for this long. "
                    a href={ "/integrations/" (page.integration_id) "#health" } { "Check its health" }
                } }))
            }
        }
    }
}

fn waiting(visitor: &Visitor, parked: &ParkedList, connections: &[ConnectionOut]) -> Markup {
    let names: BTreeMap<&str, &str> =
        connections.iter().map(|page| (page.page_id.as_str(), page.page_name.as_str())).collect();
    if parked.items.is_empty() && parked.next_cursor.is_none() {
        return empty(
            "Nothing is parked",
            html! { "Leads that cannot be imported wait here with the reason until you try again. Nothing is lost." },
        );
    }
    html! {
        p { "These leads could not be imported. Meta stores each for 90 days. Fix the cause, then try again." }
        form method="post" action="/delivery/replay" { (csrf_field(visitor)) button.primary { "Try all again" } }
        div.card.flush {
            table {
                thead { tr { th { "Lead" } th { "Page" } th { "Reason" } th { "Parked" } th { span.hidden { "Try again" } } } }
                tbody {
                    @for lead in &parked.items {
                        @let id = LeadId::from_leadgen(&lead.leadgen_id);
                        tr {
                            td data-label="Lead" { a href={ "/leads/" (id) } { (lead.leadgen_id) } }
                            td data-label="Page" { (names.get(lead.page_id.as_str()).copied().unwrap_or(lead.page_id.as_str())) }
                            td data-label="Reason" { (badge("bad", reason(lead.reason))) div.quiet { (lead.evidence) } }
                            td data-label="Parked" { (time(lead.parked_at)) }
                            td.acts {
                                form method="post" action="/delivery/replay" {
                                    (csrf_field(visitor))
                                    input type="hidden" name="leadgen_id" value=(lead.leadgen_id);
                                    button aria-label={ "Try again: " (lead.leadgen_id) } { "Try again" }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(next) = &parked.next_cursor { p.acts { a.button href={ "/delivery?cursor=" (next) "#parked" } { "More" } } }
    }
}

/// A parked lead's reason, in plain words.
fn reason(code: FailureCode) -> &'static str {
    match code {
        FailureCode::TokenDead | FailureCode::IntegrationEnded => "The connection has ended",
        FailureCode::TokenUnreadable => "The access token could not be read",
        FailureCode::WrongTokenKind => "The access token is of the wrong kind",
        FailureCode::NotPermitted => "Meta does not permit access",
        FailureCode::NotVisible => "Meta does not show it",
        FailureCode::ProofRefused => "Meta did not accept the app secret",
        FailureCode::Refused => "Meta refused the request",
        FailureCode::TooMuchData => "Meta found the request too large",
        FailureCode::MessagingWindowClosed => "The reply window is closed",
        FailureCode::Throttled => "Meta limits the page",
        FailureCode::Unavailable | FailureCode::NoAnswer | FailureCode::Garbage => "Meta did not respond properly",
        FailureCode::ItemRejected => "The lead is too large",
        FailureCode::TableFailed
        | FailureCode::VaultFailed
        | FailureCode::QueueFailed
        | FailureCode::BusFailed
        | FailureCode::MailFailed
        | FailureCode::FileFailed => "An AWS service failed",
        FailureCode::MetaNotInPlan => "The plan does not include Meta",
        FailureCode::Disconnected | FailureCode::NotConnected => "The page was disconnected",
        FailureCode::PageWithoutToken => "Meta granted no access to the page",
        FailureCode::OutOfTime => "There was not enough time",
        FailureCode::Defect => "A defect of Leadwire",
    }
}

async fn try_again(AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm) -> Response {
    let leadgen_ids: Vec<String> = fields.all("leadgen_id").map(ToOwned::to_owned).collect();
    let request = ReplayRequest { leadgen_ids: (!leadgen_ids.is_empty()).then_some(leadgen_ids) };
    let replayed = console.leads.replay(&access, request).await;
    let message = replayed.map_err(Problem::from).map(|done| match done.replayed {
        0 => "There was nothing to try again.".to_owned(),
        more => format!(
            "Retrying {}. Imported leads appear under Leads; the others appear here again with the reason.",
            plural(more, "lead")
        ),
    });
    redirect_with("/delivery", jar, message)
}
