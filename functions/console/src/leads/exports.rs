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
use leadwire::tr;
use maud::{Markup, html};

use super::bulk::Selection;
use super::{FILTERS, lead_query};
use crate::actor::Admin;
use crate::components::{Tone, badge, count, csrf_field, empty, live_fragment, refresh_in, size, time, with_markup};
use crate::download;
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::layout::{PageHead, Section, fragment_or_page, page};
use crate::request::ListQuery;
use crate::session::Visitor;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/leads/exports";

/// The button that exports what a list shows.
pub(super) fn button(visitor: &Visitor, query: &ListQuery) -> Markup {
    html! {
        form method="post" action=(PATH) {
            (csrf_field(visitor))
            @for name in FILTERS { @if let Some(value) = query.get(name) { input type="hidden" name=(name) value=(value); } }
            button { @if super::filters_any(query) { (tr!("Export these leads")) } @else { (tr!("Export all leads")) } }
        }
    }
}

pub(super) async fn start(zone: Zone, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, fields } = form;
    let query = ListQuery::new(fields.iter().filter(|(name, _)| FILTERS.contains(name)));
    let outcome = console.rooms.exports.start(&actor.access, lead_query(&query, &zone)?).await;
    Ok(redirect_with(PATH, jar, outcome.map(|_| has_started()).map_err(Problem::from)))
}

/// Exports the selected leads: a few at once, all that match as every other export.
pub(super) async fn selected(zone: Zone, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, fields } = form;
    match Selection::read(&fields, &zone)? {
        Selection::Every(query) => {
            let started = console.rooms.exports.start(&actor.access, query).await.map_err(Problem::from);
            Ok(redirect_with(PATH, jar, started.map(|_| has_started())))
        }
        Selection::Leads(leads) => {
            let file = console.rooms.exports.file(&actor.access, leads.into_iter().collect()).await?;
            Ok(download::csv("leads.csv", file))
        }
    }
}

fn has_started() -> String {
    tr!("The export has started. It continues if you leave this page.").into_owned()
}

pub(super) async fn list(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let exports = console.rooms.exports.list(&access).await?.items;
    let part = part(&visitor, &exports);
    if crate::request::wants_fragment(&headers) {
        return Ok(fragment_or_page(&headers, &visitor, jar, (Section::Leads, &tr!("Exports")), &part));
    }
    let body = html! {
        (live_fragment(PATH, &part))
    };
    let title = tr!("Exports");
    let about = html! { (tr!("Files for spreadsheets, one row for each lead. They are deleted after seven days.")) };
    Ok(page(&visitor, jar, Section::Leads, PageHead::new(&title).about(about), &body))
}

fn part(visitor: &Visitor, exports: &[ExportOut]) -> Markup {
    html! {
        @if exports.iter().any(|export| export.state == ExportState::Running) { (refresh_in(2)) }
        @if exports.is_empty() {
            @let leads = html! { a href="/leads" { (tr!("the leads")) } };
            (empty(&tr!("No exports yet"), with_markup(&tr!("Filter {leads}, then choose “Export these leads”."), &[("leads", leads)])))
        }
        @for export in exports {
            section.card {
                @let leads = html! { b { (tr!([export.leads] "{n} lead" | "{n} leads")) } };
                p { (state_of(export.state)) " " (with_markup(&tr!("{leads}, requested {time}"), &[("leads", leads), ("time", time(export.requested_at))])) }
                @if export.state == ExportState::Running { p.quiet { (tr!("Writing leads: {count} so far.", count = count(export.leads))) } }
                @if let Some(problem) = &export.problem { p.wrong { (problem) } }
                @if export.state == ExportState::Done {
                    @let size = html! { (size(export.bytes.unwrap_or_default())) };
                    p.quiet { (with_markup(&tr!("{size}, kept until {time}"), &[("size", size), ("time", time(export.expires_at))])) }
                }
                div.acts {
                    @if export.state == ExportState::Done { a.button.primary href={ (PATH) "/" (export.id) "/file" } { (tr!("Download")) } }
                    form method="post" action={ (PATH) "/" (export.id) "/delete" } {
                        (csrf_field(visitor)) button.plain { @if export.state == ExportState::Running { (tr!("Stop")) } @else { (tr!("Delete")) } }
                    }
                }
            }
        }
    }
}

fn state_of(state: ExportState) -> Markup {
    match state {
        ExportState::Running => badge(Tone::Calm, &tr!("Running")),
        ExportState::Done => badge(Tone::Good, &tr!("Complete")),
        ExportState::Failed => badge(Tone::Bad, &tr!("an export" => "Stopped")),
        ExportState::Erased => badge(Tone::Dim, &tr!("Deleted")),
    }
}

/// Leads to the file itself, by a link that ends soon.
pub(super) async fn file(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Id(id): Id<ExportId>,
) -> Result<Response, Problem> {
    let export = console.rooms.exports.read(&access, &id).await?;
    let url = export.url.ok_or_else(|| Problem::new(ProblemCode::NoSuchPage, tr!("This export has no file.")))?;
    Ok(Redirect::to(&url).into_response())
}

pub(super) async fn delete(Id(id): Id<ExportId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let outcome = console.rooms.exports.delete(&actor.access, &id).await;
    Ok(redirect_with(PATH, jar, outcome.map(|()| tr!("The export is deleted.").into_owned()).map_err(Problem::from)))
}
