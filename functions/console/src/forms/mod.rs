//! Forms of the org's pages: the list, test leads, and the mapping of their answers.

mod mapping;
mod mapping_form;
mod mapping_page;

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
use maud::{Markup, html};
use serde::Deserialize;

use crate::components::{Confirm, Confirming, alert, badge, csrf_field, empty, lazy_fragment};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::layout::{Section, fragment_or_page, page};
use crate::session::{Admin, Visitor};
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
        p.lead { "How the answers of each form become fields of a lead. Standard questions are mapped automatically. For others, choose the field." }
        (lazy_fragment("/forms/list", "Loading the forms of your pages from Meta…"))
    };
    page(&visitor, jar, Section::Forms, "Forms", &body)
}

async fn listed(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(Confirming { confirm }): Query<Confirming>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let connections = console.connections.connections(&access).await?.items;
    let part = table(&visitor, &console.leads.forms(&access).await?, &connections, &confirm);
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Forms, "Forms"), &part))
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
            (alert("warn", html! {
                p { b { (pages.join(", ")) } ": Meta does not list the forms. " (message) }
                @if let Some(id) = integration { a.button href={ "/integrations/" (id) } { "View the connection" } }
            }))
        }
        @if list.items.is_empty() && list.refused.is_empty() {
            (empty("No forms yet", html! { a href="/campaigns/new" { "Create a campaign" } ", which makes a lead form on the way, or "
                a href="/integrations" { "connect a page that has one" } "." }))
        } @else if !list.items.is_empty() {
            div.card.flush {
                table {
                    thead { tr { th { "Form" } th { "Page" } th { "Status" } th { "Language" } th { "Mapping" } th { span.hidden { "Actions" } } } }
                    tbody {
                        @for form in &list.items {
                            tr {
                                td data-label="Form" { a href={ "/forms/" (form.form_id) } { (form.name) } }
                                td data-label="Page" { (form.page_name) }
                                td data-label="Status" {
                                    @if form.status == "ACTIVE" { (badge("good", "Active")) } @else { (badge("dim", &form.status.to_lowercase())) }
                                }
                                td data-label="Language" { (form.locale.as_deref().unwrap_or("–")) }
                                td data-label="Mapping" {
                                    @match form.mapping_version { Some(version) => { "Your rules (version " (version) ")" }, None => span.quiet { "Automatic" } }
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

/// What can be done with a form. An archived one takes no leads, and is not archived again.
fn acts(visitor: &Visitor, form: &FormOut, confirm: &str) -> Markup {
    let id = format!("archive-{}", form.form_id);
    let archive = Confirm {
        id: &id,
        label: "Archive",
        question: &format!("Archive “{}”?", form.name),
        action: &format!("/forms/{}/archive?page_id={}", form.form_id, form.page_id),
        act: "Archive the form",
        open: confirm == id,
        sends: None,
    };
    html! {
        @if form.status == "ACTIVE" {
            form method="post" action={ "/forms/" (form.form_id) "/test-lead" } {
                (csrf_field(visitor))
                button aria-label={ "Send a test lead through " (form.name) } { "Send a test lead" }
            }
            (archive.show(visitor, html! { p { "It takes no more leads, and ads that show it stop. Its leads stay here." } }))
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
    let archived = console.campaigns.archive_form(&access, &choice).await.map_err(Problem::from);
    redirect_with("/forms", jar, archived.map(|_| "The form is archived. It takes no more leads.".to_owned()))
}

async fn send_test(
    Id(id): Id<FormId>,
    AdminForm { console, actor: Admin { access, .. }, jar, .. }: AdminForm,
) -> Response {
    match console.leads.send_test_lead(&access, &id).await {
        Ok(sent) => {
            let path = format!("/leads/{}?awaited", sent.lead_id);
            redirect_with(
                &path,
                jar,
                Ok("A test lead was requested from Meta. It is marked as a test, not assigned and not counted."
                    .to_owned()),
            )
        }
        Err(error) => redirect_with("/forms", jar, Err(error.into())),
    }
}
