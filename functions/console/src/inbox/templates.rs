//! The templates of WhatsApp, which are delivered when texts are not any more.

use axum::extract::{Query, State};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::ConversationId;
use leadwire::inbox::TemplateOut;
use leadwire::tr;
use maud::{Markup, html};

use crate::actor::Member;
use crate::components::{csrf_field, lazy_fragment};
use crate::form::new_request_id;
use crate::request::ListQuery;
use crate::session::Visitor;
use crate::state::Console;

/// The way to the templates. Meta is asked for them at once only if nothing else can be sent.
pub(super) fn offer(id: &ConversationId, query: &ListQuery, at_once: bool) -> Markup {
    let path = query.at(&format!("/inbox/{id}/templates"), &[("earlier", "")]);
    html! {
        @if at_once { (lazy_fragment(&path, &tr!("Loading templates from Meta…"))) }
        @else { div.templates data-part=(path) { a href=(path) data-again { (tr!("Send a template")) } } }
    }
}

/// The templates that Meta has approved, each with a form.
pub(super) async fn part(
    State(console): State<Console>,
    Member { visitor, access }: Member,
    Id(id): Id<ConversationId>,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Problem> {
    let templates = console.rooms.inbox.templates(&access, &id).await?.items;
    let action = query.at(&format!("/inbox/{id}/answer"), &[]);
    Ok(html! {
        @if templates.is_empty() { p.quiet { (tr!("Meta has not approved any templates for this number yet. Create templates in WhatsApp Manager.")) } }
        @else { p.quiet { (tr!("Templates that Meta has approved:")) } }
        div.templates { @for template in &templates { (form(&visitor, template, &action)) } }
    })
}

fn form(visitor: &Visitor, template: &TemplateOut, action: &str) -> Markup {
    html! {
        details {
            summary { (template.text) " " span.quiet { (template.name) ", " (template.language) } }
            form method="post" action=(action) data-in-place="#composer" {
                (csrf_field(visitor))
                input type="hidden" name="request_id" value=(new_request_id());
                input type="hidden" name="template" value=(template.name);
                input type="hidden" name="language" value=(template.language);
                @for number in 1..=template.variables {
                    label { "{{" (number) "}}" input name="variable" required; }
                }
                button.primary { (tr!("Send this template")) }
            }
        }
    }
}
