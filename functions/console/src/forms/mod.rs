//! Forms of the org's pages: the list, test leads, and the mapping of their answers.

mod mapping;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::connections::ConnectionOut;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::{FormId, IntegrationId};
use leadwire::leads::FormList;
use maud::{Markup, html};

use crate::components::{alert, badge, csrf_field, empty, lazy_fragment};
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
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let connections = console.connections.connections(&access).await?.items;
    let part = table(&visitor, &console.leads.forms(&access).await?, &connections);
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Forms, "Forms"), &part))
}

fn table(visitor: &Visitor, list: &FormList, connections: &[ConnectionOut]) -> Markup {
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
            (empty("No forms yet", html! { "Create a lead form for one of your pages in Meta Ads Manager, or "
                a href="/integrations" { "connect a page that has one" } "." }))
        } @else if !list.items.is_empty() {
            div.card.flush {
                table {
                    thead { tr { th { "Form" } th { "Page" } th { "Status" } th { "Language" } th { "Mapping" } th { span.hidden { "Test" } } } }
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
                                td.acts {
                                    form method="post" action={ "/forms/" (form.form_id) "/test-lead" } {
                                        (csrf_field(visitor))
                                        button aria-label={ "Send a test lead through " (form.name) } { "Send a test lead" }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

async fn send_test(
    Id(id): Id<FormId>,
    AdminForm { console, admin: Admin { access, .. }, jar, .. }: AdminForm,
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
