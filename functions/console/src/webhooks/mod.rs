//! Webhooks: the endpoints to which events are sent, and what came of it.

mod detail;
mod log;
mod settings;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::deliveries::{EndpointIn, EndpointOut, EndpointState, EndpointWithSecret};
use leadwire::error::ActError;
use leadwire::http::Problem;
use leadwire::tr;
use maud::{Markup, html};

use self::settings::{form, read_events};
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{Tone, alert, badge, empty, problem_alert, time, with_markup};
use crate::form::{AdminForm, Fields};
use crate::layout::{PageHead, Section, page};
use crate::session::Visitor;
use crate::state::Console;

const PATH: &str = "/webhooks";

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list).post(add))
        .route("/{id}", get(detail::show).post(settings::change))
        .route("/{id}/test", post(detail::test))
        .route("/{id}/rotate", post(settings::rotate))
        .route("/{id}/delete", post(settings::delete))
        .route("/{id}/deliveries/{delivery}/resend", post(detail::resend))
}

async fn list(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let endpoints = console.rooms.deliveries.endpoints(&access).await?.items;
    let body = render(&visitor, &endpoints, &Fields::new(Vec::new()), None);
    let title = tr!("Settings");
    Ok(page(&visitor, jar, Section::Settings, head(&title), &body))
}

async fn add(form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor: Admin { visitor, access }, jar, fields } = form;
    let input = EndpointIn {
        url: fields.text("url"),
        description: fields.text("description"),
        events: read_events(&fields),
        active: true,
    };
    match console.rooms.deliveries.add_endpoint(&access, input).await {
        Ok(added) => Ok(show_secret(&visitor, jar, &added)),
        Err(ActError::Refused(refusal)) => {
            let endpoints = console.rooms.deliveries.endpoints(&access).await?.items;
            let problem = Problem::from(ActError::Refused(refusal));
            let body = render(&visitor, &endpoints, &fields, Some(&problem));
            let title = tr!("Settings");
            Ok(page(&visitor, jar, Section::Settings, head(&title), &body).showing(Some(&problem)))
        }
        Err(error) => Err(error.into()),
    }
}

/// The page that shows a secret. It cannot be opened again.
fn show_secret(visitor: &Visitor, jar: PrivateCookieJar, added: &EndpointWithSecret) -> Response {
    let id = &added.endpoint.id;
    let body = html! {
        section.card.narrow {
            (alert(Tone::Warn, html! { p { (tr!("Copy this secret now. It is not shown again.")) } }))
            @let address = html! { b { (added.endpoint.url) } };
            p { (with_markup(&tr!("The receiver at {address} verifies signatures with it:"), &[("address", address)])) }
            p { code { (added.secret) } }
            @if let Some(until) = added.endpoint.previous_secret_until {
                p { (with_markup(&tr!("The previous secret is valid until {time}."), &[("time", time(until))])) }
            }
            p { a.button.primary href={ (PATH) "/" (id) } { (tr!("I have copied it")) } }
        }
    };
    page(visitor, jar, Section::Settings, &tr!("The endpoint's secret"), &body).into_response()
}

/// The head of the list, one of the settings.
fn head(title: &str) -> PageHead<'_> {
    let about = tr!(
        "Leadwire sends its events to these addresses, signed according to Standard Webhooks. Events that are not accepted are sent again for 24 hours."
    );
    let tabs = crate::settings::tabs(PATH);
    PageHead::new(title).of_part(&tr!("Webhooks")).about(html! { (about) }).tabs(tabs)
}

fn render(visitor: &Visitor, endpoints: &[EndpointOut], typed: &Fields, problem: Option<&Problem>) -> Markup {
    html! {
        @if endpoints.is_empty() {
            (empty(&tr!("No endpoints yet"), html! { (tr!("Add the address at which your CRM receives events.")) }))
        }
        div.cards {
            @for endpoint in endpoints {
                a.card.integration href={ (PATH) "/" (endpoint.id) } {
                    span.row { b { (if endpoint.description.is_empty() { &endpoint.url } else { &endpoint.description }) } (state_of(endpoint)) }
                    span.quiet { (endpoint.url) }
                    @if let Some(message) = &endpoint.reason_message { span.wrong { (message) } }
                    span.facts { span { @match &endpoint.events {
                        None => (tr!("All events")),
                        Some(names) => (tr!([names.len()] "{n} event" | "{n} events")),
                    } } }
                }
            }
        }
        section.card.narrow {
            h2 { (tr!("Add an endpoint")) }
            (problem_alert(problem))
            (form(visitor, PATH, None, typed, problem))
        }
    }
}

/// The state of an endpoint as a badge.
fn state_of(endpoint: &EndpointOut) -> Markup {
    match endpoint.state {
        EndpointState::Active => badge(Tone::Good, &tr!("Active")),
        EndpointState::Failing => badge(Tone::Warn, &tr!("Failing")),
        EndpointState::Inactive => badge(Tone::Dim, &tr!("Inactive")),
        EndpointState::Disabled => badge(Tone::Bad, &tr!("Deactivated")),
    }
}
