//! Searches for leads that did not arrive by themselves: missed ones, and those from before the connection.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::language::translate;
use leadwire::leads::RunOut;
use leadwire::model::lead::FoundBy;
use leadwire::model::lead::run::RunState;
use leadwire::tr;
use maud::{Markup, html};

use super::tabs::Tab;
use crate::actor::Admin;
use crate::components::{Tone, badge, count, csrf_field, live_fragment, refresh_in, time, with_markup};
use crate::request::wants_fragment;
use crate::state::Console;

/// Searches that are listed.
const MAX_LISTED: usize = 20;

/// The tab; the list of searches alone for the script, which asks again while one is in progress.
pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<IntegrationId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    if wants_fragment(&headers) {
        return Ok(list(&console.rooms.leads.runs(&access, &id).await?.items).into_response());
    }
    let (integration, runs) =
        tokio::try_join!(console.rooms.connections.integration(&access, &id), console.rooms.leads.runs(&access, &id))?;
    let body = html! {
        div.card {
            h2 { (tr!("Missed leads")) }
            p { (tr!("“Sync now” checks the last 48 hours of every form and imports missed leads. Leadwire does the same regularly.")) }
            h2 #earlier { (tr!("Leads from before the connection")) }
            form.inline method="post" action={ "/integrations/" (id) "/backfill" } {
                (csrf_field(&visitor))
                label { (tr!("Days back")) input type="number" name="days" min="1" max="90" value="30" required; }
                label.tick { input type="checkbox" name="assign" value="yes"; (tr!("Assign them like new leads")) }
                button { (tr!("Import earlier leads")) }
            }
        }
        section {
            h2 { (tr!("Latest searches")) }
            div.card { (live_fragment(&Tab::Searches.path(&id), &list(&runs.items))) }
        }
    };
    Ok(Tab::Searches.page(&visitor, jar, &integration, &body))
}

fn list(runs: &[RunOut]) -> Markup {
    let is_going = |run: &RunOut| matches!(run.state, RunState::Searching | RunState::BringingIn);
    html! {
        @if runs.iter().any(is_going) { (refresh_in(2)) }
        @if runs.is_empty() { p.quiet { (tr!("No searches yet. Leads arrive automatically; a search imports missed ones.")) } }
        ul.runs { @for out in runs.iter().take(MAX_LISTED) { (run(out)) } }
    }
}

fn run(out: &RunOut) -> Markup {
    let run = &out.run;
    let (tone, state) = match out.state {
        RunState::Searching => (Tone::Calm, tr!("Searching")),
        RunState::BringingIn => (Tone::Calm, tr!("Importing")),
        RunState::Done if run.problems.is_empty() => (Tone::Good, tr!("Done")),
        RunState::Done => (Tone::Warn, tr!("Done, except for some pages")),
        RunState::Stopped => (Tone::Bad, tr!("Stopped")),
    };
    let title = if run.kind == FoundBy::Backfill { tr!("Earlier leads") } else { tr!("Sync") };
    let (done, all) = match out.state {
        RunState::Searching => (run.pages_done.len() as u64, run.pages.len() as u64),
        _ => (run.settled.min(run.found), run.found),
    };
    html! {
        li {
            p {
                (badge(tone, &state)) " "
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
                    p { (tr!("No missed leads {span}.", span = span_of(out))) @if run.kind != FoundBy::Backfill { " " a href="#earlier" { (tr!("Search further back")) } } }
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
