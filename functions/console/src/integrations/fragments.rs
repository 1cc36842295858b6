//! Fragments of an integration's page that take a while or change by themselves: its health and its searches.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::leads::RunOut;
use leadwire::model::connection::check::{Check, CheckId, CheckStatus};
use leadwire::model::lead::FoundBy;
use leadwire::model::lead::run::RunState;
use maud::{Markup, html};

use crate::components::{badge, count, plural, prose, refresh_in, time};
use crate::layout::{Section, fragment_or_page};
use crate::session::Admin;
use crate::state::Console;

/// The integration's health, as Meta reports it now.
pub(super) async fn health(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<IntegrationId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let health = console.connections.health(&access, &id).await?;
    let failed = health.items.iter().filter(|check| check.status == CheckStatus::Fail).count();
    let unseen =
        health.items.iter().filter(|check| check.status == CheckStatus::Unknown && check.id.is_asked_of_meta());
    let unseen = unseen.count();
    let part = html! {
        p {
            @if failed > 0 { (badge("bad", "Needs attention")) " " (plural(failed, "check")) " failed." }
            @else if unseen > 0 { (badge("warn", "Incomplete")) " " (plural(unseen, "check")) " could not be completed: leads may be blocked." }
            @else { (badge("good", "Healthy")) " Nothing blocks leads." }
            " " span.quiet { "Checked with Meta on " (time(health.checked_at)) "." }
        }
        ul.checks { @for check in &health.items { (line(check)) } }
    };
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Integrations, "Health"), &part))
}

fn line(check: &Check) -> Markup {
    let (kind, status) = match check.status {
        CheckStatus::Pass => ("good", "Passed"),
        CheckStatus::Fail => ("bad", "Failed"),
        CheckStatus::Unknown => ("calm", "Unknown"),
    };
    html! {
        li {
            (badge(kind, status))
            div {
                b { (name(check.id)) }
                p { (prose(&check.evidence)) }
                @if let Some(fix) = &check.fix { p.fix { b { "What to do: " } (prose(fix)) } }
            }
        }
    }
}

fn name(id: CheckId) -> &'static str {
    match id {
        CheckId::Token => "Access token",
        CheckId::Scopes => "Permissions",
        CheckId::PageTasks => "Page tasks",
        CheckId::Subscription => "Webhook subscription",
        CheckId::LeadAccess => "Leads Access Manager",
        CheckId::Forms => "Forms",
        CheckId::LastWebhook => "Last webhook",
        CheckId::LastLead => "Last lead",
        CheckId::AppMode => "App mode",
        CheckId::Backlog => "Backlog",
        CheckId::Whatsapp => "WhatsApp",
    }
}

/// The integration's searches, newest first.
pub(super) async fn runs(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<IntegrationId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let runs = console.leads.runs(&access, &id).await?.items;
    let part = list_of_runs(&runs, &id);
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Integrations, "Searches"), &part))
}

/// Searches with their progress, as a fragment that reloads while one of them is in progress.
pub(super) fn list_of_runs(runs: &[RunOut], id: &IntegrationId) -> Markup {
    let is_going = |run: &RunOut| matches!(run.state, RunState::Searching | RunState::BringingIn);
    html! {
        @if runs.iter().any(is_going) { (refresh_in(2)) }
        @if runs.is_empty() { p.quiet { "No searches yet. Leads arrive automatically; a search imports missing ones." } }
        ul.runs { @for out in runs.iter().take(5) { (run(out, id)) } }
    }
}

fn run(out: &RunOut, id: &IntegrationId) -> Markup {
    let run = &out.run;
    let (kind, state) = match out.state {
        RunState::Searching => ("calm", "Searching"),
        RunState::BringingIn => ("calm", "Importing"),
        RunState::Done if run.problems.is_empty() => ("good", "Done"),
        RunState::Done => ("warn", "Done, except some pages"),
        RunState::Stopped => ("bad", "Stopped"),
    };
    let title = if run.kind == FoundBy::Backfill { "Earlier leads" } else { "Sync" };
    let (done, all) = match out.state {
        RunState::Searching => (run.pages_done.len() as u64, run.pages.len() as u64),
        _ => (run.settled.min(run.found), run.found),
    };
    html! {
        li {
            p { (badge(kind, state)) " " b { (title) } " of " (time(run.asked_at)) }
            @match out.state {
                RunState::Searching | RunState::BringingIn => {
                    progress value=(done) max=(all.max(1)) aria-label="Progress" {}
                    p.quiet {
                        @if out.state == RunState::Searching { (count(done)) " of " (count(all)) " pages searched, " (count(run.found)) " new leads so far." }
                        @else { (count(done)) " of " (count(all)) " new leads imported." }
                    }
                }
                RunState::Done if run.found == 0 && run.problems.is_empty() => {
                    p { "No missing leads " (span_of(out)) "." @if run.kind != FoundBy::Backfill { " " a href={ "/integrations/" (id) "#earlier" } { "Search further back" } } }
                }
                RunState::Done => { p { (plural(run.found, "new lead")) " " (span_of(out)) " imported." } }
                RunState::Stopped => { p { "It did not finish within a day. Search again; no lead is imported twice." } }
            }
            @for problem in &run.problems { p.wrong { "Page " (problem.page_id) ": " (problem.message) } }
        }
    }
}

/// The time that a search covered: it says nothing of leads from before.
fn span_of(out: &RunOut) -> String {
    let hours = (out.run.asked_at.duration_since(out.run.since).as_secs() + 1800) / 3600;
    match hours {
        ..=72 => format!("in the last {hours} hours"),
        _ => format!("in the last {} days", (hours + 12) / 24),
    }
}
