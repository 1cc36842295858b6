//! Whether leads arrive as promised: their latency, silent pages, and parked leads.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::ConnectionOut;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::ids::LeadId;
use leadwire::leads::{LatencyReport, ParkedList, ParkedOut, ParkedSelection};
use leadwire::model::failure::FailureCode;
use leadwire::model::lead::latency::LatencySummary;
use maud::{Markup, html};

use crate::components::{Confirm, Confirming, alert, count, csrf_field, duration, empty, plural, time};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, page};
use crate::session::{Admin, Visitor};
use crate::state::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new().route("/", get(show)).route("/replay", post(try_again)).route("/dismiss", post(dismiss))
}

async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let latency = console.leads.latency(&access.scope, None, None).await?;
    let connections = console.connections.connections(&access).await?.items;
    let parked = console.leads.parked(&access, None, MAX_READ).await?;
    let body = html! {
        section { h2 { "From submission to the CRM" } (times(&latency)) }
        @let silent: Vec<_> = connections.iter().filter(|page| page.quiet_since.is_some()).collect();
        @if !silent.is_empty() { section { h2 { "Silent pages" } (quiet(&silent)) } }
        section #parked { h2 { "Parked leads" } (waiting(&visitor, &parked, &connections, &query.confirm)) }
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

/// Parked leads that are read for the page, and those of one reason that it lists.
const MAX_READ: usize = 1000;
const MAX_LISTED: usize = 25;

/// The parked leads, those of one reason together, with the way out.
fn waiting(visitor: &Visitor, parked: &ParkedList, connections: &[ConnectionOut], confirm: &str) -> Markup {
    let mut groups = BTreeMap::<FailureCode, Vec<&ParkedOut>>::new();
    for lead in &parked.items {
        groups.entry(lead.lead.reason).or_default().push(lead);
    }
    if groups.is_empty() {
        return empty(
            "No leads are parked",
            html! { "Leads that cannot be imported wait here with the reason until you try again. Nothing is lost." },
        );
    }
    html! {
        p { "These leads could not be imported. Meta keeps each for 90 days. Fix the cause, then try again." }
        @if groups.len() > 1 {
            form method="post" action="/delivery/replay" { (csrf_field(visitor)) button { "Try all again" } }
        }
        @if parked.next_cursor.is_some() { p.quiet { "The first " (count(parked.items.len())) " are shown." } }
        @for (reason, leads) in &groups { (group(visitor, *reason, leads, connections, confirm)) }
    }
}

fn group(
    visitor: &Visitor,
    reason: FailureCode,
    leads: &[&ParkedOut],
    connections: &[ConnectionOut],
    confirm: &str,
) -> Markup {
    let find = |lead: &ParkedOut| connections.iter().find(|page| page.page_id == lead.lead.page_id);
    let integration = leads.iter().find_map(|lead| Some(&find(lead)?.integration_id));
    let code = reason.to_string();
    let id = format!("dismiss-{code}");
    let dismiss = Confirm {
        id: &id,
        label: "Dismiss",
        question: "Dismiss these leads?",
        action: "/delivery/dismiss",
        act: "Dismiss",
        open: confirm == id,
        sends: Some(("reason", &code)),
    };
    html! {
        section.card.parked {
            h3 { (reason.message()) ": " (plural(leads.len(), "lead")) }
            p.fix { b { "What to do: " } (reason.fix()) }
            @if let Some(id) = integration { p { a href={ "/integrations/" (id) "#health" } { "Check the integration's health" } } }
            div.acts {
                form method="post" action="/delivery/replay" {
                    (csrf_field(visitor))
                    input type="hidden" name="reason" value=(code);
                    button.primary { "Try again" }
                }
                (dismiss.show(visitor, html! {
                    p { (plural(leads.len(), "lead")) " will leave this list, and will not be tried or listed again." }
                    p { "Searches leave them out from then on. To get one all the same, download it at Meta within 90 days and import the file." }
                }))
            }
            details open[leads.len() <= 3] {
                summary { "Show the leads" }
                table {
                    thead { tr { th { "Lead" } th { "Page" } th { "Meta's answer" } th { "Parked" } th { span.hidden { "Try again" } } } }
                    tbody {
                        @for out in leads.iter().take(MAX_LISTED) {
                            @let lead = &out.lead;
                            tr {
                                td data-label="Lead" { a href={ "/leads/" (LeadId::from_leadgen(&lead.leadgen_id)) } { (lead.leadgen_id) } }
                                td data-label="Page" { (find(out).map_or(lead.page_id.as_str(), |page| &page.page_name)) }
                                td data-label="Meta's answer" { span.quiet { (lead.evidence) } }
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
                @if leads.len() > MAX_LISTED { p.quiet { "And " (count(leads.len() - MAX_LISTED)) " more." } }
            }
        }
    }
}

/// Tells where people look that leads are parked: how many, why, and where to go.
pub(crate) fn parked_banner(parked: &ParkedList) -> Markup {
    let leads = parked.items.len();
    let mut reasons: Vec<&str> = parked.items.iter().map(|lead| lead.reason_message).collect();
    reasons.sort_unstable();
    reasons.dedup();
    html! {
        @if leads > 0 {
            (alert("warn", html! { p {
                b { @if parked.next_cursor.is_some() { "More than " } (plural(leads, "lead")) " could not be imported. " }
                (reasons.join("; ")) ". Nothing is lost. "
                a href="/delivery#parked" { "See what to do" }
            } }))
        }
    }
}

/// The parked leads that a form selects.
fn selection(fields: &Fields) -> Result<ParkedSelection, Problem> {
    let leadgen_ids: Vec<String> = fields.all("leadgen_id").map(ToOwned::to_owned).collect();
    let parse = |code: &str| {
        let reason = serde_json::from_value(code.into());
        reason.map_err(|_| Problem::field("reason", ErrorCode::ListInvalid, "Leads are parked for no such reason."))
    };
    let reason = fields.get("reason").map(parse).transpose()?;
    Ok(ParkedSelection { leadgen_ids: (!leadgen_ids.is_empty()).then_some(leadgen_ids), reason })
}

async fn try_again(AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm) -> Response {
    let replay = async { Ok::<_, Problem>(console.leads.replay(&access, selection(&fields)?).await?) };
    let message = replay.await.map(|done| match done.replayed {
        0 => "There was nothing to try again.".to_owned(),
        more => format!("Retrying {}. Those that fail again appear here with the reason.", plural(more, "lead")),
    });
    redirect_with("/delivery", jar, message)
}

async fn dismiss(AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm) -> Response {
    let dismiss = async { Ok::<_, Problem>(console.leads.dismiss(&access, selection(&fields)?).await?) };
    let message = dismiss.await.map(|done| format!("{} dismissed.", plural(done.dismissed, "lead")));
    redirect_with("/delivery", jar, message)
}
