//! Imports of files: what each brought, and undoing it.

use axum::response::Response;
use leadwire::http::path::Id;
use leadwire::http::{ACT_TIMEOUT, Problem};
use leadwire::ids::ImportId;
use leadwire::leads::ImportOut;
use leadwire::model::lead::file_import::ImportState;
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};

use crate::components::{Confirm, Tone, badge, count, time, with_markup};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::session::Visitor;

/// The imports of the last 30 days. `confirm` is the dialog to show as open.
pub(super) fn table(visitor: &Visitor, imports: &[ImportOut], users: &[User], confirm: &str) -> Markup {
    html! {
        @if !imports.is_empty() {
            section #imports {
                h2 { (tr!("Imports of the last 30 days")) }
                div.card.flush {
                    table {
                        thead { tr { th { (tr!("When")) } th { (tr!("File")) } th { (tr!("Imported by")) } th { (tr!("Result")) } th { span.hidden { (tr!("Undo")) } } } }
                        tbody { @for import in imports { (row(visitor, import, users, confirm)) } }
                    }
                }
            }
        }
    }
}

fn row(visitor: &Visitor, out: &ImportOut, users: &[User], confirm: &str) -> Markup {
    let import = &out.import;
    let by = users.iter().find(|user| user.id == import.asked_by).map(|user| user.name.as_str());
    let by = by.or(import.asked_by_name.as_deref());
    html! {
        tr {
            td data-label=(tr!("When")) { (time(import.asked_at)) }
            td data-label=(tr!("File")) { @match &import.file_name { Some(name) => bdi { (name) }, None => span.quiet { (tr!("Sent by a program")) } } }
            td data-label=(tr!("Imported by")) { @match by { Some(name) => span title=(import.asked_by) { (name) }, None => span.quiet { (import.asked_by) } } }
            td data-label=(tr!("Result")) { (outcome(out)) }
            td.acts { @if !matches!(out.state, ImportState::Running | ImportState::Undone) { (undo_button(visitor, out, confirm)) } }
        }
    }
}

fn outcome(out: &ImportOut) -> Markup {
    let import = &out.import;
    html! {
        @match out.state {
            ImportState::Running => (badge(Tone::Calm, &tr!("Running"))),
            ImportState::Imported => {},
            ImportState::Undoing => { (badge(Tone::Warn, &tr!("Partly undone"))) " " },
            ImportState::Undone => { (badge(Tone::Dim, &tr!("Undone"))) " " },
        }
        @match &import.undo {
            Some(undo) => {
                (tr!("{removed} removed", removed = count(undo.removed)))
                @if undo.kept > 0 { ", " (tr!([undo.kept] "{n} kept because of activity since the import" | "{n} kept because of activity since the import")) }
            }
            None if out.state == ImportState::Imported => {
                (tr!([import.created] "{n} new lead" | "{n} new leads"))
                @if import.merged > 0 { ", " (tr!([import.merged] "{n} form of a known lead" | "{n} forms of known leads")) }
                @if import.failed > 0 { ", " (tr!([import.failed] "{n} line skipped" | "{n} lines skipped")) }
            }
            None => {},
        }
    }
}

/// The button that undoes an import, with what that means.
fn undo_button(visitor: &Visitor, out: &ImportOut, confirm: &str) -> Markup {
    let id = &out.import.id;
    let dialog = format!("undo-{id}");
    let label = if out.state == ImportState::Undoing { tr!("Continue undoing") } else { tr!("Undo") };
    let confirmation = Confirm {
        id: &dialog,
        label: &label,
        question: &tr!("Undo this import?"),
        action: &format!("/leads/imports/{id}/undo"),
        act: &tr!("Undo the import"),
        open: confirm == dialog,
        sends: None,
    };
    confirmation.show(
        visitor,
        html! {
            p { (tr!([out.import.created] "This removes {n} lead that the import created and notifies the CRM." | "This removes {n} leads that the import created and notifies the CRM.")) }
            ul {
                li { (tr!("Leads with activity since the import are kept: a new status, a note, a value, a manually chosen assignee, another form, or a conversation.")) }
                li { (tr!("The file can be imported again afterwards.")) }
                li { (with_markup(&tr!("You can undo this import until {time}."), &[("time", time(out.undo_until))])) }
            }
        },
    )
}

pub(super) async fn undo(Id(id): Id<ImportId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let outcome = console.rooms.leads.undo_import(&actor.access, &id, ACT_TIMEOUT).await;
    let outcome = outcome.map(|out| match (&out.import.undo, out.state) {
        (Some(undo), ImportState::Undone) if undo.kept > 0 => tr!(
            "The import is undone: {removed} removed, {kept} kept because of activity since the import.",
            removed = count(undo.removed),
            kept = count(undo.kept)
        ),
        (Some(undo), ImportState::Undone) => {
            tr!("The import is undone: {removed} removed.", removed = count(undo.removed))
        }
        _ => tr!("There was no time to undo the whole import. Choose “Continue undoing” below.").into_owned(),
    });
    Ok(redirect_with("/leads/import", jar, outcome.map_err(Problem::from)))
}
