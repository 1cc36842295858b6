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
use leadwire::{language, tr};
use maud::{Markup, html};

use crate::actor::Admin;
use crate::components::{
    Confirm, Confirming, Tone, alert, count, csrf_field, duration, empty, percent, time, with_markup,
};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, page};
use crate::session::Visitor;
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
    let (latency, connections, parked) = tokio::try_join!(
        console.rooms.leads.latency(&access.scope, None, None),
        console.rooms.connections.connections(&access),
        console.rooms.leads.parked(&access, None, MAX_READ),
    )?;
    let connections = connections.items;
    let body = html! {
        section { h2 { (tr!("From submission to the CRM")) } (times(&latency)) }
        @let silent: Vec<_> = connections.iter().filter(|page| page.quiet_since.is_some()).collect();
        @if !silent.is_empty() { section { h2 { (tr!("Silent pages")) } (quiet(&silent)) } }
        section #parked { h2 { (tr!("Parked leads")) } (waiting(&visitor, &parked, &connections, &query.confirm)) }
    };
    Ok(page(&visitor, jar, Section::Delivery, &tr!("Delivery"), &body))
}

fn times(report: &LatencyReport) -> Markup {
    let seconds = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), duration);
    let share = |summary: &LatencySummary| {
        (summary.within_2_minutes * 100)
            .checked_div(summary.leads)
            .map_or_else(|| "–".to_owned(), |share| percent(&share.to_string()))
    };
    html! {
        @if report.all.leads == 0 {
            (empty(&tr!("No leads in the last seven days"), html! { (tr!("Delivery times appear here as soon as leads arrive.")) " " a href="/forms" { (tr!("Send a test lead")) } }))
        } @else {
            div.figures {
                div { span { (tr!("Median")) } b { (seconds(report.all.p50_s)) } }
                div { span { (tr!("95% arrive in under")) } b { (seconds(report.all.p95_s)) } }
                div { span { (tr!("Within 2 minutes")) } b { (share(&report.all)) } }
                div { span { (tr!("Leads in the last 7 days")) } b { (count(report.all.leads)) } }
            }
            details {
                summary { (tr!("By day")) }
                div.card.flush {
                    table {
                        thead { tr { th { (tr!("Day (UTC)")) } th.number { (tr!("Leads")) } th.number { (tr!("Median")) } th.number { (tr!("95% within")) } th.number { (tr!("Within 2 minutes")) } } }
                        tbody {
                            @for day in &report.items {
                                tr {
                                    td data-label=(tr!("Day")) { (language::date(day.day)) }
                                    td.number data-label=(tr!("Leads")) { (count(day.summary.leads)) }
                                    td.number data-label=(tr!("Median")) { (seconds(day.summary.p50_s)) }
                                    td.number data-label=(tr!("95% within")) { (seconds(day.summary.p95_s)) }
                                    td.number data-label=(tr!("Within 2 minutes")) { (share(&day.summary)) }
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
                (alert(Tone::Warn, html! { p {
                    (with_markup(
                        &tr!("{page} usually sends leads more often. It has been unusually silent since {time}."),
                        &[("page", html! { b { (page.page_name) } }), ("time", time(since))],
                    ))
                    " " a href={ "/integrations/" (page.integration_id) } { (tr!("Check its health")) }
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
            &tr!("No leads are parked"),
            html! { (tr!("Leads that cannot be imported wait here with the reason until you try again. Nothing is lost.")) },
        );
    }
    html! {
        p { (tr!("These leads could not be imported. Meta keeps each for 90 days. Fix the cause, then try again.")) }
        @if groups.len() > 1 {
            form method="post" action="/delivery/replay" { (csrf_field(visitor)) button { (tr!("Try all again")) } }
        }
        @if parked.next_cursor.is_some() { p.quiet { (tr!("The first {count} are shown.", count = count(parked.items.len()))) } }
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
    let (label, question) = (tr!("Dismiss"), tr!("Dismiss these leads?"));
    let dismiss = Confirm {
        id: &id,
        label: &label,
        question: &question,
        action: "/delivery/dismiss",
        act: &label,
        open: confirm == id,
        sends: Some(("reason", &code)),
    };
    html! {
        section.card.parked {
            h3 { (reason.message()) ": " (tr!([leads.len()] "{n} lead" | "{n} leads")) }
            p.fix { b { (tr!("What to do:")) " " } (reason.fix()) }
            @if let Some(id) = integration { p { a href={ "/integrations/" (id) } { (tr!("Check the integration's health")) } } }
            div.acts {
                form method="post" action="/delivery/replay" {
                    (csrf_field(visitor))
                    input type="hidden" name="reason" value=(code);
                    button.primary { (tr!("Try again")) }
                }
                (dismiss.show(visitor, html! {
                    p { (tr!([leads.len()] "{n} lead will leave this list, and will not be tried or listed again." | "{n} leads will leave this list, and will not be tried or listed again.")) }
                    p { (tr!("Later searches skip dismissed leads. If you need one after all, download it at Meta within 90 days and import the file.")) }
                }))
            }
            details open[leads.len() <= 3] {
                summary { (tr!("Show the leads")) }
                table {
                    thead { tr { th { (tr!("Lead")) } th { (tr!("Page")) } th { (tr!("Meta's answer")) } th { (tr!("Parked")) } th { span.hidden { (tr!("Try again")) } } } }
                    tbody {
                        @for out in leads.iter().take(MAX_LISTED) {
                            @let lead = &out.lead;
                            tr {
                                td data-label=(tr!("Lead")) { a href={ "/leads/" (LeadId::from_leadgen(&lead.leadgen_id)) } { (lead.leadgen_id) } }
                                td data-label=(tr!("Page")) { (find(out).map_or(lead.page_id.as_str(), |page| &page.page_name)) }
                                td data-label=(tr!("Meta's answer")) { span.quiet { (lead.evidence) } }
                                td data-label=(tr!("Parked")) { (time(lead.parked_at)) }
                                td.acts {
                                    form method="post" action="/delivery/replay" {
                                        (csrf_field(visitor))
                                        input type="hidden" name="leadgen_id" value=(lead.leadgen_id);
                                        button aria-label=(tr!("Try again: {lead}", lead = lead.leadgen_id)) { (tr!("Try again")) }
                                    }
                                }
                            }
                        }
                    }
                }
                @if leads.len() > MAX_LISTED { p.quiet { (tr!("And {count} more.", count = count(leads.len() - MAX_LISTED))) } }
            }
        }
    }
}

/// Tells where people look that leads are parked: how many, why, and where to go.
pub(crate) fn parked_banner(parked: &ParkedList) -> Markup {
    let leads = parked.items.len();
    let mut reasons: Vec<_> = parked.items.iter().map(|lead| lead.lead.reason.message()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    html! {
        @if leads > 0 {
            (alert(Tone::Warn, html! {
                p {
                    b {
                        @if parked.next_cursor.is_some() { (tr!([leads] "More than {n} lead could not be imported." | "More than {n} leads could not be imported.")) }
                        @else { (tr!([leads] "{n} lead could not be imported." | "{n} leads could not be imported.")) }
                    }
                    " " (reasons.join("; ")) ". " (tr!("Nothing is lost."))
                }
                a.button href="/delivery#parked" { (tr!("See what to do")) }
            }))
        }
    }
}

/// The parked leads that a form selects.
fn selection(fields: &Fields) -> Result<ParkedSelection, Problem> {
    let leadgen_ids: Vec<String> = fields.all("leadgen_id").map(ToOwned::to_owned).collect();
    let parse = |code: &str| {
        let reason = serde_json::from_value(code.into());
        reason
            .map_err(|_| Problem::field("reason", ErrorCode::ListInvalid, tr!("No leads are parked for this reason.")))
    };
    let reason = fields.get("reason").map(parse).transpose()?;
    Ok(ParkedSelection { leadgen_ids: (!leadgen_ids.is_empty()).then_some(leadgen_ids), reason })
}

async fn try_again(AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm) -> Response {
    let replay = async { Ok::<_, Problem>(console.rooms.leads.replay(&access, selection(&fields)?).await?) };
    let message = replay.await.map(|done| match done.replayed {
        0 => tr!("There was nothing to try again.").into_owned(),
        more => tr!(
            [more] "Retrying {n} lead. If it fails again, it appears here with the reason."
                | "Retrying {n} leads. Those that fail again appear here with the reason."
        ),
    });
    redirect_with("/delivery", jar, message)
}

async fn dismiss(AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm) -> Response {
    let dismiss = async { Ok::<_, Problem>(console.rooms.leads.dismiss(&access, selection(&fields)?).await?) };
    let message = dismiss.await.map(|done| tr!([done.dismissed] "{n} lead dismissed." | "{n} leads dismissed."));
    redirect_with("/delivery", jar, message)
}
