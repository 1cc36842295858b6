//! Fragments of an integration's page that take a while or change by themselves: its health and its searches.

use std::borrow::Cow;

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::language::translate;
use leadwire::leads::RunOut;
use leadwire::model::connection::check::{Check, CheckId, CheckStatus};
use leadwire::model::lead::FoundBy;
use leadwire::model::lead::run::RunState;
use leadwire::tr;
use maud::{Markup, html};

use crate::actor::Admin;
use crate::components::{badge, count, prose, refresh_in, time, with_markup};
use crate::layout::{Section, fragment_or_page};
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
    // The report says itself that a secret cannot be read.
    let person = console.connections.connected_person(&access, &id).await.ok().flatten();
    let failed = health.items.iter().filter(|check| check.status == CheckStatus::Fail).count();
    let unseen =
        health.items.iter().filter(|check| check.status == CheckStatus::Unknown && check.id.is_asked_of_meta());
    let unseen = unseen.count();
    let part = html! {
        p {
            @if failed > 0 { (badge("bad", &tr!("Needs attention"))) " " (tr!([failed] "{n} check failed." | "{n} checks failed.")) }
            @else if unseen > 0 {
                (badge("warn", &tr!("Incomplete"))) " "
                (tr!([unseen] "{n} check could not be completed: leads may be blocked." | "{n} checks could not be completed: leads may be blocked."))
            }
            @else { (badge("good", &tr!("Healthy"))) " " (tr!("Nothing blocks leads.")) }
            " " span.quiet { (with_markup(&tr!("Checked with Meta on {time}."), &[("time", time(health.checked_at))])) }
        }
        @if let Some(name) = person { p { (with_markup(&tr!("Connected at Meta as {name}."), &[("name", html! { b { (name) } })])) } }
        ul.checks { @for check in &health.items { (line(check)) } }
    };
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Integrations, &tr!("Health")), &part))
}

fn line(check: &Check) -> Markup {
    let (kind, status) = match check.status {
        CheckStatus::Pass => ("good", tr!("Passed")),
        CheckStatus::Fail => ("bad", tr!("Failed")),
        CheckStatus::Unknown => ("calm", tr!("Unknown")),
    };
    html! {
        li {
            (badge(kind, &status))
            div {
                b { (name(check.id)) }
                p { (prose(&check.evidence)) }
                @if let Some(fix) = &check.fix { p.fix { b { (tr!("What to do:")) " " } (prose(fix)) } }
            }
        }
    }
}

fn name(id: CheckId) -> Cow<'static, str> {
    match id {
        CheckId::Token => tr!("Access token"),
        CheckId::Scopes => tr!("Permissions"),
        CheckId::PageTasks => tr!("Page tasks"),
        CheckId::Subscription => tr!("Webhook subscription"),
        CheckId::LeadAccess => "Leads Access Manager".into(),
        CheckId::Forms => tr!("Forms"),
        CheckId::LastWebhook => tr!("Last webhook"),
        CheckId::LastLead => tr!("Last lead"),
        CheckId::AppMode => tr!("App mode"),
        CheckId::Backlog => tr!("Backlog"),
        CheckId::Whatsapp => "WhatsApp".into(),
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
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Integrations, &tr!("Searches")), &part))
}

/// Searches with their progress, as a fragment that reloads while one of them is in progress.
pub(super) fn list_of_runs(runs: &[RunOut], id: &IntegrationId) -> Markup {
    let is_going = |run: &RunOut| matches!(run.state, RunState::Searching | RunState::BringingIn);
    html! {
        @if runs.iter().any(is_going) { (refresh_in(2)) }
        @if runs.is_empty() { p.quiet { (tr!("No searches yet. Leads arrive automatically; a search imports missed ones.")) } }
        ul.runs { @for out in runs.iter().take(5) { (run(out, id)) } }
    }
}

fn run(out: &RunOut, id: &IntegrationId) -> Markup {
    let run = &out.run;
    let (kind, state) = match out.state {
        RunState::Searching => ("calm", tr!("Searching")),
        RunState::BringingIn => ("calm", tr!("Importing")),
        RunState::Done if run.problems.is_empty() => ("good", tr!("Done")),
        RunState::Done => ("warn", tr!("Done, except for some pages")),
        RunState::Stopped => ("bad", tr!("Stopped")),
    };
    let title = if run.kind == FoundBy::Backfill { tr!("Earlier leads") } else { tr!("Sync") };
    let (done, all) = match out.state {
        RunState::Searching => (run.pages_done.len() as u64, run.pages.len() as u64),
        _ => (run.settled.min(run.found), run.found),
    };
    html! {
        li {
            p {
                (badge(kind, &state)) " "
                (with_markup(&tr!("{search}, started {time}"), &[("search", html! { b { (title) } }), ("time", time(run.asked_at))]))
            }
            @match out.state {
                RunState::Searching | RunState::BringingIn => {
                    progress value=(done) max=(all.max(1)) aria-label=(tr!("Progress")) {}
                    p.quiet {
                        @if out.state == RunState::Searching {
                            (tr!("{done} of {all} pages searched, {found} new leads so far.", done = count(done), all = count(all), found = count(run.found)))
                        } @else { (tr!("{done} of {all} new leads imported.", done = count(done), all = count(all))) }
                    }
                }
                RunState::Done if run.found == 0 && run.problems.is_empty() => {
                    p { (tr!("No missed leads {span}.", span = span_of(out))) @if run.kind != FoundBy::Backfill { " " a href={ "/integrations/" (id) "#earlier" } { (tr!("Search further back")) } } }
                }
                RunState::Done => { p { (tr!([run.found] "{n} new lead {span} imported." | "{n} new leads {span} imported.", span = span_of(out))) } }
                RunState::Stopped => { p { (tr!("It did not finish within a day. Search again; no lead is imported twice.")) } }
            }
            @for problem in &run.problems { p.wrong { (tr!("Page {id}: {message}", id = problem.page_id, message = translate(&problem.message))) } }
        }
    }
}

/// The time that a search covered: it says nothing of leads from before.
fn span_of(out: &RunOut) -> String {
    let hours = (out.run.asked_at.duration_since(out.run.since).as_secs() + 1800) / 3600;
    match hours {
        ..=72 => tr!("in the last {hours} hours", hours = hours),
        _ => tr!("in the last {days} days", days = (hours + 12) / 24),
    }
}
