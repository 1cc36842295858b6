//! One endpoint: its settings, and the log of what it was sent.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::deliveries::{DeliveryList, DeliveryOut, DeliveryQuery, EndpointOut};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::{DeliveryId, EndpointId};
use leadwire::model::delivery::{EventDeliveryState, UndeliveredReason};
use maud::{Markup, html};
use serde::Deserialize;

use super::settings::form;
use super::{PATH, state_of};
use crate::components::{
    Confirm, Confirming, alert, badge, brief_time, csrf_field, empty, plural, problem_alert, time,
};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, page};
use crate::session::{Admin, Visitor};
use crate::state::Console;

const DELIVERIES_SHOWN: usize = 25;

/// Where the list resumes.
#[derive(Deserialize)]
pub(super) struct ListPosition {
    cursor: Option<String>,
}

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<EndpointId>,
    Query(position): Query<ListPosition>,
    Query(confirming): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let endpoint = console.deliveries.endpoint(&admin.access, &id).await?;
    let query = DeliveryQuery { state: None, cursor: position.cursor };
    let log = console.deliveries.deliveries(&admin.access, &id, &query, DELIVERIES_SHOWN).await?;
    let body = render(&admin.visitor, &endpoint, &log, None, confirming.confirm == "delete");
    Ok(page(&admin.visitor, jar, Section::Integrations, "Webhooks", &body))
}

/// The page after settings were refused.
pub(super) async fn render_page(
    console: &Console,
    admin: &Admin,
    jar: PrivateCookieJar,
    id: &EndpointId,
    refused: Option<(&Fields, &Problem)>,
) -> Result<Response, Problem> {
    let endpoint = console.deliveries.endpoint(&admin.access, id).await?;
    let query = DeliveryQuery::default();
    let log = console.deliveries.deliveries(&admin.access, id, &query, DELIVERIES_SHOWN).await?;
    let body = render(&admin.visitor, &endpoint, &log, refused, false);
    Ok(page(&admin.visitor, jar, Section::Integrations, "Webhooks", &body))
}

pub(super) async fn test(Id(id): Id<EndpointId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let path = format!("{PATH}/{id}");
    let tested = console.deliveries.test(&actor.access, &id).await?;
    let status = tested.attempt.attempt.status.map(|status| format!(" It answered {status}.")).unwrap_or_default();
    let flash = match tested.delivered {
        true => crate::flash::Flash::done(format!("The receiver accepted the test.{status}")),
        false => crate::flash::Flash::failed(format!("{}{status}", tested.attempt.message.unwrap_or_default())),
    };
    Ok(axum::response::IntoResponse::into_response((flash.put(jar), axum::response::Redirect::to(&path))))
}

pub(super) async fn resend(
    Id(id): Id<EndpointId>,
    Id(delivery): Id<DeliveryId>,
    form: AdminForm,
) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let outcome = console.deliveries.resend(&actor.access, &id, &delivery).await;
    let outcome = outcome.map(|_| "It is being sent again.".to_owned()).map_err(Problem::from);
    Ok(redirect_with(&format!("{PATH}/{id}"), jar, outcome))
}

fn render(
    visitor: &Visitor,
    endpoint: &EndpointOut,
    log: &DeliveryList,
    refused: Option<(&Fields, &Problem)>,
    confirms: bool,
) -> Markup {
    let path = format!("{PATH}/{}", endpoint.id);
    let nothing = Fields::new(Vec::new());
    let (typed, problem) = refused.map_or((&nothing, None), |(typed, problem)| (typed, Some(problem)));
    let delete = Confirm {
        id: "delete",
        label: "Delete",
        question: "Delete this endpoint?",
        action: &format!("{path}/delete"),
        act: "Delete",
        open: confirms,
        sends: None,
    };
    html! {
        p { a href=(PATH) { "All endpoints" } }
        @if let (Some(message), Some(at)) = (endpoint.reason_message, endpoint.disabled_at) {
            (alert("bad", html! { p { "Deactivated on " (time(at)) ". " (message) " Repair the receiver, activate the endpoint below, and send again what is missing." } }))
        } @else if let Some(since) = endpoint.failing_since {
            (alert("warn", html! { p { "No event has been accepted since " (time(since)) ". After three days the endpoint is deactivated." } }))
        }
        section.card {
            h2 { (endpoint.url) " " (state_of(endpoint)) }
            div.acts {
                form method="post" action={ (path) "/test" } { (csrf_field(visitor)) button { "Send a test" } }
                form method="post" action={ (path) "/rotate" } { (csrf_field(visitor)) button { "Rotate the secret" } }
                (delete.show(visitor, html! { p { "What is on its way to it is no longer sent. Its secret ends." } }))
            }
            @if let Some(until) = endpoint.previous_secret_until { p.quiet { "The secret before the current one is valid until " (time(until)) "." } }
            details open[problem.is_some() || endpoint.reason.is_some()] {
                summary { "Settings" }
                (problem_alert(problem))
                (form(visitor, &path, Some(endpoint), typed, problem))
            }
        }
        section {
            h2 { "Sent in the last 30 days" }
            @if log.items.is_empty() { (empty("Nothing yet", html! { "Events appear here as soon as they happen." })) }
            @else {
                div.card.flush {
                    table {
                        thead { tr { th { "When" } th { "Event" } th { "State" } th { "Tries" } th { span.hidden { "Act" } } } }
                        tbody { @for delivery in &log.items { (row(visitor, &path, endpoint, delivery)) } }
                    }
                }
            }
            @if let Some(cursor) = &log.next_cursor { p { a.button href={ (path) "?cursor=" (cursor) } { "Earlier" } } }
        }
    }
}

fn row(visitor: &Visitor, path: &str, endpoint: &EndpointOut, delivery: &DeliveryOut) -> Markup {
    html! {
        tr {
            td data-label="When" { (brief_time(delivery.created_at)) }
            td data-label="Event" { (delivery.r#type)
                @if let Some(lead) = &delivery.lead_id { " " a href={ "/leads/" (lead) } { "Lead" } } }
            td data-label="State" {
                (badge_of(delivery.state))
                @if let Some(reason) = delivery.reason { " " span.quiet { (explain(reason)) } }
                @if let Some(next) = delivery.next_attempt_at.filter(|_| delivery.attempts_count > 0) { " " span.quiet { "again at " (brief_time(next)) } }
            }
            td data-label="Tries" {
                @if delivery.attempts.is_empty() { span.quiet { "none" } }
                @else {
                    details {
                        summary { (plural(delivery.attempts_count, "try").replace("trys", "tries")) }
                        @for attempt in &delivery.attempts {
                            p { (brief_time(attempt.attempt.at)) ": "
                                @if let Some(status) = attempt.attempt.status { (status) " " }
                                (attempt.attempt.duration_ms) " ms "
                                @if let Some(message) = attempt.message { span.wrong { (message) } } }
                        }
                    }
                }
            }
            td.acts {
                @if endpoint.active {
                    form method="post" action={ (path) "/deliveries/" (delivery.id) "/resend" } {
                        (csrf_field(visitor))
                        button aria-label={ "Send again: " (delivery.r#type) " " (delivery.id) } { "Send again" }
                    }
                }
            }
        }
    }
}

fn badge_of(state: EventDeliveryState) -> Markup {
    match state {
        EventDeliveryState::Pending => badge("calm", "Pending"),
        EventDeliveryState::Delivered => badge("good", "Delivered"),
        EventDeliveryState::Failed => badge("bad", "Failed"),
        EventDeliveryState::NotDelivered => badge("warn", "Not delivered"),
    }
}

fn explain(reason: UndeliveredReason) -> &'static str {
    match reason {
        UndeliveredReason::RetriesExhausted => "no try of 24 hours was accepted",
        UndeliveredReason::Gone => "the receiver wants no more events",
        UndeliveredReason::EndpointInactive => "the endpoint was not active",
        UndeliveredReason::ContentErased => "what it said is erased",
    }
}
