//! One endpoint: its settings, and the log of what it was sent.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::deliveries::{DeliveryList, DeliveryQuery, EndpointOut};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::{DeliveryId, EndpointId};
use leadwire::tr;
use maud::{Markup, html};

use super::log::{delivery_query, log};
use super::settings::form;
use super::{PATH, state_of};
use crate::actor::Admin;
use crate::components::{Confirm, Confirming, Tone, alert, csrf_field, problem_alert, time, with_markup};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{PageHead, Section, page};
use crate::request::ListQuery;
use crate::session::Visitor;
use crate::state::Console;

const DELIVERIES_SHOWN: usize = 25;

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<EndpointId>,
    Query(query): Query<ListQuery>,
    Query(confirming): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let wanted = delivery_query(&query)?;
    let (endpoint, deliveries) = tokio::try_join!(
        console.rooms.deliveries.endpoint(&admin.access, &id),
        console.rooms.deliveries.deliveries(&admin.access, &id, &wanted, DELIVERIES_SHOWN),
    )?;
    let body = render(&admin.visitor, &endpoint, (&deliveries, &query), None);
    let head = head(&admin.visitor, &endpoint, confirming.confirm == "delete");
    Ok(page(&admin.visitor, jar, Section::Settings, head, &body))
}

/// The page after settings were refused.
pub(super) async fn render_page(
    console: &Console,
    admin: &Admin,
    jar: PrivateCookieJar,
    id: &EndpointId,
    refused: Option<(&Fields, &Problem)>,
) -> Result<Response, Problem> {
    let endpoint = console.rooms.deliveries.endpoint(&admin.access, id).await?;
    let deliveries =
        console.rooms.deliveries.deliveries(&admin.access, id, &DeliveryQuery::default(), DELIVERIES_SHOWN).await?;
    let query = ListQuery::new(std::iter::empty());
    let body = render(&admin.visitor, &endpoint, (&deliveries, &query), refused);
    Ok(page(&admin.visitor, jar, Section::Settings, head(&admin.visitor, &endpoint, false), &body))
}

pub(super) async fn test(Id(id): Id<EndpointId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let path = format!("{PATH}/{id}");
    let tested = console.rooms.deliveries.test(&actor.access, &id).await?;
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
    Query(query): Query<ListQuery>,
    form: AdminForm,
) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let outcome = console.rooms.deliveries.resend(&actor.access, &id, &delivery).await;
    let outcome = outcome.map(|_| tr!("The event is being sent again.").into_owned()).map_err(Problem::from);
    Ok(redirect_with(&query.at(&format!("{PATH}/{id}"), &[]), jar, outcome))
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
        form method="post" action={ (path) "/test" } { (csrf_field(visitor)) button { (tr!("Send a test")) } }
        form method="post" action={ (path) "/rotate" } { (csrf_field(visitor)) button { (tr!("Rotate the secret")) } }
        (delete.show(visitor, html! { p { (tr!("Leadwire stops sending events to it, also those that are waiting. The secret becomes invalid.")) } }))
    };
    PageHead::new(&endpoint.url)
        .of_part(&tr!("Webhooks"))
        .below(tr!("Webhooks"), PATH)
        .about(state_of(endpoint))
        .acts(acts)
}

fn render(
    visitor: &Visitor,
    endpoint: &EndpointOut,
    (deliveries, query): (&DeliveryList, &ListQuery),
    refused: Option<(&Fields, &Problem)>,
) -> Markup {
    let path = format!("{PATH}/{}", endpoint.id);
    let nothing = Fields::new(Vec::new());
    let (typed, problem) = refused.map_or((&nothing, None), |(typed, problem)| (typed, Some(problem)));
    html! {
        @if let (Some(message), Some(at)) = (&endpoint.reason_message, endpoint.disabled_at) {
            (alert(Tone::Bad, html! { p {
                (with_markup(&tr!("Deactivated on {time}."), &[("time", time(at))])) " " (message) " "
                (tr!("Fix the receiver, activate the endpoint below, and send the missing events again."))
            } }))
        } @else if let Some(since) = endpoint.failing_since {
            @let sentences = tr!("No event has been accepted since {time}. After three days the endpoint is deactivated.");
            (alert(Tone::Warn, html! { p { (with_markup(&sentences, &[("time", time(since))])) } }))
        }
        @if let Some(until) = endpoint.previous_secret_until {
            p.quiet { (with_markup(&tr!("The previous secret is valid until {time}."), &[("time", time(until))])) }
        }
        details.card.narrow open[problem.is_some() || endpoint.reason.is_some()] {
            summary { (tr!("Settings")) }
            (problem_alert(problem))
            (form(visitor, &path, Some(endpoint), typed, problem))
        }
        (log(visitor, endpoint, deliveries, query))
    }
}
