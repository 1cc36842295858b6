//! Exports of leads: what was requested, how far it is, and its file.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::exports::ExportOut;
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::ExportId;
use leadwire::model::lead::export::ExportState;
use maud::{Markup, html};

use super::{FILTERS, lead_query};
use crate::components::{badge, count, csrf_field, empty, live_fragment, plural, refresh_in, size, time};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::layout::{Section, fragment_or_page, page};
use crate::request::ListQuery;
use crate::session::{Admin, Visitor};
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/leads/exports";

/// The button that exports what a list shows.
pub(super) fn button(visitor: &Visitor, query: &ListQuery) -> Markup {
    html! {
        form method="post" action=(PATH) {
            (csrf_field(visitor))
            @for name in FILTERS { @if let Some(value) = query.get(name) { input type="hidden" name=(name) value=(value); } }
            button { @if super::filters_any(query) { "Export these leads" } @else { "Export all leads" } }
        }
    }
}

pub(super) async fn start(zone: Zone, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, fields } = form;
    let query = ListQuery::new(fields.iter().filter(|(name, _)| FILTERS.contains(name)));
    let outcome = console.exports.start(&actor.access, lead_query(&query, &zone)?).await;
    let outcome = outcome.map(|_| "The export began. It goes on if you leave this page.".to_owned());
    Ok(redirect_with(PATH, jar, outcome.map_err(Problem::from)))
}

pub(super) async fn list(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let exports = console.exports.list(&access).await?.items;
    let part = part(&visitor, &exports);
    if crate::request::wants_fragment(&headers) {
        return Ok(fragment_or_page(&headers, &visitor, jar, (Section::Leads, "Exports"), &part));
    }
    let body = html! {
        p.quiet { "Files for spreadsheets, one row for each lead. They are deleted after seven days." }
        (live_fragment(PATH, &part))
    };
    Ok(page(&visitor, jar, Section::Leads, "Exports", &body))
}

fn part(visitor: &Visitor, exports: &[ExportOut]) -> Markup {
    html! {
        @if exports.iter().any(|export| export.state == ExportState::Running) { (refresh_in(2)) }
        @if exports.is_empty() {
            (empty("No exports yet", html! { "Filter " a href="/leads" { "the leads" } " and choose Export." }))
        }
        @for export in exports {
            section.card {
                p { (state_of(export.state)) " " b { (plural(export.leads, "lead")) } ", requested " (time(export.requested_at)) }
                @if export.state == ExportState::Running { p.quiet { "Leads are being written. " (count(export.leads)) " so far." } }
                @if let Some(problem) = export.problem { p.wrong { (problem) } }
                @if export.state == ExportState::Done { p.quiet { (size(export.bytes.unwrap_or_default())) ", kept until " (time(export.expires_at)) } }
                div.acts {
                    @if export.state == ExportState::Done { a.button.primary href={ (PATH) "/" (export.id) "/file" } { "Download" } }
                    form method="post" action={ (PATH) "/" (export.id) "/delete" } {
                        (csrf_field(visitor)) button.plain { @if export.state == ExportState::Running { "Stop" } @else { "Delete" } }
                    }
                }
            }
        }
    }
}

fn state_of(state: ExportState) -> Markup {
    match state {
        ExportState::Running => badge("calm", "Running"),
        ExportState::Done => badge("good", "Complete"),
        ExportState::Failed => badge("bad", "Stopped"),
        ExportState::Erased => badge("dim", "Deleted"),
    }
}

/// Leads to the file itself, by a link that ends soon.
pub(super) async fn file(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Id(id): Id<ExportId>,
) -> Result<Response, Problem> {
    let export = console.exports.read(&access, &id).await?;
    let url = export.url.ok_or_else(|| Problem::new(ProblemCode::NoSuchPage, "This export has no file."))?;
    Ok(Redirect::to(&url).into_response())
}

pub(super) async fn delete(Id(id): Id<ExportId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let outcome = console.exports.delete(&actor.access, &id).await;
    Ok(redirect_with(PATH, jar, outcome.map(|()| "The export is deleted.".to_owned()).map_err(Problem::from)))
}
