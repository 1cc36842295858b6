//! Forms of the org's pages: the list, test leads, and the mapping of their answers.

mod mapping;
mod mapping_form;
mod mapping_page;

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::campaigns::FormChoice;
use leadwire::connections::ConnectionOut;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::{FormId, IntegrationId, PageId};
use leadwire::leads::{FormList, FormOut};
use leadwire::tr;
use maud::{Markup, html};
use serde::Deserialize;

use crate::actor::Admin;
use crate::campaigns::language_name;
use crate::components::{Confirm, Confirming, Tone, alert, badge, csrf_field, empty, lazy_fragment, with_markup};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::layout::{PageHead, Section, fragment_or_page, page};
use crate::session::Visitor;
use crate::state::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(show))
        .route("/list", get(listed))
        .route("/{id}", get(mapping::show).post(mapping::save))
        .route("/{id}/preview", post(mapping::preview))
        .route("/{id}/rerun", post(mapping::rerun))
        .route("/{id}/test-lead", post(send_test))
        .route("/{id}/archive", post(archive))
}

async fn show(Admin { visitor, .. }: Admin, jar: PrivateCookieJar) -> Response {
    let body = html! {
        (lazy_fragment("/forms/list", &tr!("Loading the forms of your pages from Meta…")))
    };
    let about = tr!(
        "How the answers of each form become fields of a lead. Standard questions are mapped automatically. For others, choose the field."
    );
    let title = tr!("Forms");
    page(&visitor, jar, Section::Forms, PageHead::new(&title).about(html! { (about) }), &body)
}

async fn listed(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(Confirming { confirm }): Query<Confirming>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let connections = console.rooms.connections.connections(&access).await?.items;
    let part = table(&visitor, &console.rooms.leads.forms(&access).await?, &connections, &confirm);
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Forms, &tr!("Forms")), &part))
}

fn table(visitor: &Visitor, list: &FormList, connections: &[ConnectionOut], confirm: &str) -> Markup {
    // Group by account, which is usually the cause for all of its pages.
    let mut why: BTreeMap<(Option<&IntegrationId>, &str), Vec<&str>> = BTreeMap::new();
    for refused in &list.refused {
        let integration_id =
            connections.iter().find(|page| page.page_id == refused.page_id).map(|page| &page.integration_id);
        // Strip Meta's id of the failed call, which differs from call to call.
        let message = refused.message.split(" [").next().unwrap_or_default();
        why.entry((integration_id, message)).or_default().push(&refused.page_name);
    }
    html! {
        @for ((integration, message), pages) in &why {
            (alert(Tone::Warn, html! {
                p { b { (pages.join(", ")) } ": " (tr!("Meta does not list the forms.")) " " (message) }
                @if let Some(id) = integration { a.button href={ "/integrations/" (id) } { (tr!("Open the integration")) } }
            }))
        }
        @if list.items.is_empty() && list.refused.is_empty() {
            (empty(&tr!("No forms yet"), with_markup(&tr!("{create} with a new lead form, or {connect}."), &[
                ("create", html! { a href="/campaigns/new" { (tr!("Create a campaign")) } }),
                ("connect", html! { a href="/integrations" { (tr!("connect a page that has one")) } }),
            ])))
        } @else if !list.items.is_empty() {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Form")) } th { (tr!("Page")) } th { (tr!("Status")) } th { (tr!("Language")) } th { (tr!("Mapping")) } th { span.hidden { (tr!("Actions")) } } } }
                    tbody {
                        @for form in &list.items {
                            tr {
                                td data-label=(tr!("Form")) { a href={ "/forms/" (form.form_id) } { (form.name) } }
                                td data-label=(tr!("Page")) { (form.page_name) }
                                td data-label=(tr!("Status")) {
                                    (status_badge(&form.status))
                                }
                                td data-label=(tr!("Language")) { (form.locale.as_deref().map_or(Cow::Borrowed("–"), language_name)) }
                                td data-label=(tr!("Mapping")) {
                                    @match form.mapping_version { Some(version) => (tr!("Your rules (version {version})", version = version)), None => span.quiet { (tr!("Automatic")) } }
                                }
                                td.acts { div.acts { (acts(visitor, form, confirm)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A form's status. What Meta adds to these is shown in its own word.
fn status_badge(status: &str) -> Markup {
    let word: Cow<'static, str> = match status {
        "ACTIVE" => return badge(Tone::Good, &tr!("Active")),
        "ARCHIVED" => tr!("Archived"),
        "DELETED" => tr!("Deleted"),
        "DRAFT" => tr!("Draft"),
        other => other.to_lowercase().into(),
    };
    badge(Tone::Dim, &word)
}

/// What can be done with a form. An archived one takes no leads, and is not archived again.
fn acts(visitor: &Visitor, form: &FormOut, confirm: &str) -> Markup {
    let id = format!("archive-{}", form.form_id);
    let archive = Confirm {
        id: &id,
        label: &tr!("Archive"),
        question: &tr!("Archive “{name}”?", name = form.name),
        action: &format!("/forms/{}/archive?page_id={}", form.form_id, form.page_id),
        act: &tr!("Archive the form"),
        open: confirm == id,
        sends: None,
    };
    html! {
        @if form.status == "ACTIVE" {
            form method="post" action={ "/forms/" (form.form_id) "/test-lead" } {
                (csrf_field(visitor))
                button aria-label=(tr!("Send a test lead through {form}", form = form.name)) { (tr!("Send a test lead")) }
            }
            (archive.show(visitor, html! { p { (tr!("The form takes no more leads, and ads that show it stop. Its leads stay in Leadwire.")) } }))
        }
    }
}

#[derive(Deserialize)]
struct OfPage {
    page_id: PageId,
}

async fn archive(
    Id(id): Id<FormId>,
    Query(OfPage { page_id }): Query<OfPage>,
    AdminForm { console, actor: Admin { access, .. }, jar, .. }: AdminForm,
) -> Response {
    let choice = FormChoice { page_id, lead_form_id: id, request_id: None };
    let archived = console.rooms.campaigns.archive_form(&access, &choice).await.map_err(Problem::from);
    redirect_with("/forms", jar, archived.map(|_| tr!("The form is archived. It takes no more leads.").into_owned()))
}

async fn send_test(
    Id(id): Id<FormId>,
    AdminForm { console, actor: Admin { access, .. }, jar, .. }: AdminForm,
) -> Response {
    match console.rooms.leads.send_test_lead(&access, &id).await {
        Ok(sent) => {
            let path = format!("/leads/{}?awaited", sent.lead_id);
            redirect_with(
                &path,
                jar,
                Ok(tr!("Meta is sending a test lead. It is marked as a test, and is neither assigned nor counted.")
                    .into_owned()),
            )
        }
        Err(error) => redirect_with("/forms", jar, Err::<String, _>(error.into())),
    }
}
