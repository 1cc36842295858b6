//! One endpoint: its settings, and the log of what it was sent.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::deliveries::{DeliveryList, DeliveryOut, DeliveryQuery, EndpointOut};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::{DeliveryId, EndpointId};
use leadwire::model::delivery::{EventDeliveryState, UndeliveredReason};
use leadwire::tr;
use maud::{Markup, html};
use serde::Deserialize;

use super::settings::form;
use super::{PATH, state_of};
use crate::actor::Admin;
use crate::components::{
    Confirm, Confirming, alert, badge, brief_time, csrf_field, empty, problem_alert, time, with_markup,
};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{PageHead, Section, page};
use crate::session::Visitor;
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
    let query = DeliveryQuery { state: None, cursor: position.cursor };
    let (endpoint, log) = tokio::try_join!(
        console.deliveries.endpoint(&admin.access, &id),
        console.deliveries.deliveries(&admin.access, &id, &query, DELIVERIES_SHOWN),
    )?;
    let body = render(&admin.visitor, &endpoint, &log, None);
    Ok(page(
        &admin.visitor,
        jar,
        Section::Settings,
        head(&admin.visitor, &endpoint, confirming.confirm == "delete"),
        &body,
    ))
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
    let body = render(&admin.visitor, &endpoint, &log, refused);
    Ok(page(&admin.visitor, jar, Section::Settings, head(&admin.visitor, &endpoint, false), &body))
}

pub(super) async fn test(Id(id): Id<EndpointId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let path = format!("{PATH}/{id}");
    let tested = console.deliveries.test(&actor.access, &id).await?;
    let answer = |status: u16| format!(" {}", tr!("It answered {status}.", status = status));
    let status = tested.attempt.attempt.status.map(answer).unwrap_or_default();
    let flash = match tested.delivered {
        true => crate::flash::Flash::done(format!("{}{status}", tr!("The receiver accepted the test."))),
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
    let outcome = outcome.map(|_| tr!("The event is being sent again.").into_owned()).map_err(Problem::from);
    Ok(redirect_with(&format!("{PATH}/{id}"), jar, outcome))
}

/// What the endpoint is called, with what can be done with it.
fn head<'a>(visitor: &Visitor, endpoint: &'a EndpointOut, confirms: bool) -> PageHead<'a> {
    let path = format!("{PATH}/{}", endpoint.id);
    let delete = Confirm {
        id: "delete",
        label: &tr!("Delete"),
        question: &tr!("Delete this endpoint?"),
        action: &format!("{path}/delete"),
        act: &tr!("Delete"),
        open: confirms,
        sends: None,
    };
    let acts = html! {
        (delete.show(visitor, html! { p { (tr!("Leadwire stops sending events to it, also those that are waiting. The secret becomes invalid.")) } }))
        form method="post" action={ (path) "/rotate" } { (csrf_field(visitor)) button { (tr!("Rotate the secret")) } }
        form method="post" action={ (path) "/test" } { (csrf_field(visitor)) button { (tr!("Send a test")) } }
    };
    let about = html! { (state_of(endpoint)) " " a href=(PATH) { (tr!("All endpoints")) } };
    PageHead::new(&endpoint.url).of_part(&tr!("Webhooks")).about(about).acts(acts)
}

fn render(
    visitor: &Visitor,
    endpoint: &EndpointOut,
    log: &DeliveryList,
    refused: Option<(&Fields, &Problem)>,
) -> Markup {
    let path = format!("{PATH}/{}", endpoint.id);
    let nothing = Fields::new(Vec::new());
    let (typed, problem) = refused.map_or((&nothing, None), |(typed, problem)| (typed, Some(problem)));
    html! {
        @if let (Some(message), Some(at)) = (&endpoint.reason_message, endpoint.disabled_at) {
            (alert("bad", html! { p {
                (with_markup(&tr!("Deactivated on {time}."), &[("time", time(at))])) " " (message) " "
                (tr!("Fix the receiver, activate the endpoint below, and send the missing events again."))
            } }))
        } @else if let Some(since) = endpoint.failing_since {
            @let sentences = tr!("No event has been accepted since {time}. After three days the endpoint is deactivated.");
            (alert("warn", html! { p { (with_markup(&sentences, &[("time", time(since))])) } }))
        }
        section.card {
            @if let Some(until) = endpoint.previous_secret_until {
                p.quiet { (with_markup(&tr!("The previous secret is valid until {time}."), &[("time", time(until))])) }
            }
            details open[problem.is_some() || endpoint.reason.is_some()] {
                summary { (tr!("Settings")) }
                (problem_alert(problem))
                (form(visitor, &path, Some(endpoint), typed, problem))
            }
        }
        section {
            h2 { (tr!("Sent in the last 30 days")) }
            @if log.items.is_empty() { (empty(&tr!("Nothing yet"), html! { (tr!("Events appear here as soon as they happen.")) })) }
            @else {
                div.card.flush {
                    table {
                        thead { tr {
                            th { (tr!("When")) } th { (tr!("Event")) } th { (tr!("State")) } th { (tr!("Attempts")) }
                            th { span.hidden { (tr!("Actions")) } }
                        } }
                        tbody { @for delivery in &log.items { (row(visitor, &path, endpoint, delivery)) } }
                    }
                }
            }
            @if let Some(cursor) = &log.next_cursor { p { a.button href={ (path) "?cursor=" (cursor) } { (tr!("Earlier events")) } } }
        }
    }
}

fn row(visitor: &Visitor, path: &str, endpoint: &EndpointOut, delivery: &DeliveryOut) -> Markup {
    html! {
        tr {
            td data-label=(tr!("When")) { (brief_time(delivery.created_at)) }
            td data-label=(tr!("Event")) { (delivery.r#type)
                @if let Some(lead) = &delivery.lead_id { " " a href={ "/leads/" (lead) } { (tr!("Lead")) } } }
            td data-label=(tr!("State")) {
                (badge_of(delivery.state))
                @if let Some(reason) = delivery.reason { " " span.quiet { (explain(reason)) } }
                @if let Some(next) = delivery.next_attempt_at.filter(|_| delivery.attempts_count > 0) {
                    " " span.quiet { (with_markup(&tr!("next attempt at {time}"), &[("time", brief_time(next))])) }
                }
            }
            td data-label=(tr!("Attempts")) {
                @if delivery.attempts.is_empty() { span.quiet { (tr!("tries" => "none")) } }
                @else {
                    details {
                        summary { (tr!([delivery.attempts_count] "{n} attempt" | "{n} attempts")) }
                        @for attempt in &delivery.attempts {
                            p { (brief_time(attempt.attempt.at)) ": "
                                @if let Some(status) = attempt.attempt.status { (status) " " }
                                (attempt.attempt.duration_ms) " ms "
                                @if let Some(message) = &attempt.message { span.wrong { (message) } } }
                        }
                    }
                }
            }
            td.acts {
                @if endpoint.active {
                    form method="post" action={ (path) "/deliveries/" (delivery.id) "/resend" } {
                        (csrf_field(visitor))
                        @let label = tr!("Send again: {event} {id}", event = delivery.r#type, id = delivery.id);
                        button aria-label=(label) { (tr!("Send again")) }
                    }
                }
            }
        }
    }
}

fn badge_of(state: EventDeliveryState) -> Markup {
    match state {
        EventDeliveryState::Pending => badge("calm", &tr!("Pending")),
        EventDeliveryState::Delivered => badge("good", &tr!("Delivered")),
        EventDeliveryState::Failed => badge("bad", &tr!("Failed")),
        EventDeliveryState::NotDelivered => badge("warn", &tr!("Not delivered")),
    }
}

fn explain(reason: UndeliveredReason) -> Cow<'static, str> {
    match reason {
        UndeliveredReason::RetriesExhausted => tr!("no attempt was accepted within 24 hours"),
        UndeliveredReason::Gone => tr!("the receiver wants no more events"),
        UndeliveredReason::EndpointInactive => tr!("the endpoint was not active"),
        UndeliveredReason::ContentErased => tr!("the content of the event is erased"),
    }
}
