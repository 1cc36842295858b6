//! The log of an endpoint: the events that it was sent, each with its tries.

use std::borrow::Cow;

use leadwire::deliveries::{DeliveryList, DeliveryOut, DeliveryQuery, EndpointOut, TryOut};
use leadwire::http::{Problem, ProblemCode};
use leadwire::model::delivery::{EventDeliveryState, UndeliveredReason};
use leadwire::tr;
use maud::{Markup, html};

use super::PATH;
use crate::components::{Tone, badge, brief_time, count, csrf_field, empty, with_markup};
use crate::request::ListQuery;
use crate::session::Visitor;

const STATES: [EventDeliveryState; 4] = [
    EventDeliveryState::Delivered,
    EventDeliveryState::Failed,
    EventDeliveryState::Pending,
    EventDeliveryState::NotDelivered,
];

/// The deliveries that an address describes.
pub(super) fn delivery_query(query: &ListQuery) -> Result<DeliveryQuery, Problem> {
    let unknown = |_| Problem::field("state", ProblemCode::StatusUnknown, tr!("Choose a status."));
    let state = query.get("state").map(str::parse).transpose().map_err(unknown)?;
    Ok(DeliveryQuery { state, cursor: query.text("cursor") })
}

pub(super) fn log(visitor: &Visitor, endpoint: &EndpointOut, log: &DeliveryList, query: &ListQuery) -> Markup {
    let path = format!("{PATH}/{}", endpoint.id);
    // Also the answer to a dialog is in the address of the page.
    let at = |path: &str, changed: &[(&str, &str)]| query.at(path, &[&[("confirm", "")], changed].concat());
    let chip = |state: &str, name: &str| {
        let is_here = query.get("state").unwrap_or_default() == state;
        html! { a.chip href={ (at(&path, &[("state", state), ("cursor", "")])) "#log" } aria-current=[is_here.then_some("true")] { (name) } }
    };
    html! {
        section #log {
            h2 { (tr!("Sent in the last 30 days")) }
            nav.chips aria-label=(tr!("Status")) {
                (chip("", &tr!("All")))
                @for state in STATES { (chip(state.into(), &state_name(state))) }
            }
            @if log.items.is_empty() {
                @if query.get("state").is_none() { (empty(&tr!("Nothing yet"), html! { (tr!("Events appear here as soon as they happen.")) })) }
                @else if log.next_cursor.is_some() { (empty(&tr!("No event with this status so far"), html! { (tr!("Earlier ones may be.")) })) }
                @else { (empty(&tr!("No event with this status"), html! { a href={ (at(&path, &[("state", ""), ("cursor", "")])) "#log" } { (tr!("Show all events")) } })) }
            } @else {
                div.card.flush {
                    table {
                        thead { tr {
                            th { (tr!("When")) } th { (tr!("Event")) } th { (tr!("Status")) } th { (tr!("Attempts")) }
                            th { span.hidden { (tr!("Actions")) } }
                        } }
                        tbody {
                            @for delivery in &log.items {
                                @let again = at(&format!("{path}/deliveries/{}/resend", delivery.id), &[]);
                                (row(visitor, endpoint, delivery, &again))
                            }
                        }
                    }
                }
            }
            @if let Some(cursor) = &log.next_cursor {
                p { a.button href={ (at(&path, &[("cursor", cursor)])) "#log" } rel="next" { (tr!("Earlier events")) } }
            }
        }
    }
}

fn row(visitor: &Visitor, endpoint: &EndpointOut, delivery: &DeliveryOut, again: &str) -> Markup {
    html! {
        tr {
            td data-label=(tr!("When")) { (brief_time(delivery.created_at)) }
            td.event data-label=(tr!("Event")) { (delivery.r#type)
                @if let Some(lead) = &delivery.lead_id { " " a href={ "/leads/" (lead) } { (tr!("Lead")) } } }
            td data-label=(tr!("Status")) {
                (state_badge(delivery.state))
                @if let Some(reason) = delivery.reason { " " span.quiet { (explain(reason)) } }
                @if let Some(next) = delivery.next_attempt_at.filter(|_| delivery.attempts_count > 0) {
                    " " span.quiet { (with_markup(&tr!("next attempt at {time}"), &[("time", brief_time(next))])) }
                }
            }
            td.none[delivery.attempts.is_empty()] data-label=(tr!("Attempts")) { (attempts(delivery)) }
            td.acts {
                @if endpoint.active && (delivery.state != EventDeliveryState::Pending || delivery.attempts_count > 0) {
                    form method="post" action=(again) {
                        (csrf_field(visitor))
                        @let label = tr!("Send again: {event} {id}", event = delivery.r#type, id = delivery.id);
                        button aria-label=(label) { (tr!("Send again")) }
                    }
                }
            }
        }
    }
}

/// The latest attempt, and all of them behind it.
fn attempts(delivery: &DeliveryOut) -> Markup {
    html! {
        @if let Some(latest) = delivery.attempts.last() {
            details {
                summary { (tr!([delivery.attempts_count] "{n} attempt" | "{n} attempts")) " · " (answer(latest)) }
                @for attempt in &delivery.attempts {
                    p { (brief_time(attempt.attempt.at)) " · " (answer(attempt)) @if let Some(message) = &attempt.message { " " span.wrong { (message) } } }
                }
            }
        } @else { span.quiet { (tr!("tries" => "none")) } }
    }
}

/// The status of a response, and how long it took.
fn answer(TryOut { attempt, .. }: &TryOut) -> Markup {
    html! {
        @match attempt.status { Some(status) => b { (status) }, None => (tr!("no response")) }
        " · " (count(attempt.duration_ms)) " ms"
    }
}

fn state_name(state: EventDeliveryState) -> Cow<'static, str> {
    match state {
        EventDeliveryState::Pending => tr!("Pending"),
        EventDeliveryState::Delivered => tr!("Delivered"),
        EventDeliveryState::Failed => tr!("Failed"),
        EventDeliveryState::NotDelivered => tr!("Not delivered"),
    }
}

fn state_badge(state: EventDeliveryState) -> Markup {
    let tone = match state {
        EventDeliveryState::Pending => Tone::Calm,
        EventDeliveryState::Delivered => Tone::Good,
        EventDeliveryState::Failed => Tone::Bad,
        EventDeliveryState::NotDelivered => Tone::Warn,
    };
    badge(tone, &state_name(state))
}

fn explain(reason: UndeliveredReason) -> Cow<'static, str> {
    match reason {
        UndeliveredReason::RetriesExhausted => tr!("no attempt was accepted within 24 hours"),
        UndeliveredReason::Gone => tr!("the receiver wants no more events"),
        UndeliveredReason::EndpointInactive => tr!("the endpoint was not active"),
        UndeliveredReason::ContentErased => tr!("the content of the event is erased"),
    }
}

#[cfg(test)]
mod tests {
    use leadwire::deliveries::EndpointState;
    use leadwire::ids::{DeliveryId, EndpointId};
    use leadwire::model::caller::Role;
    use leadwire::model::delivery::DeliveryTry;

    use super::*;
    use crate::session::tests::visitor;

    fn page(items: Vec<DeliveryOut>, next_cursor: Option<&str>, query: &[(&'static str, &'static str)]) -> String {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let endpoint = EndpointOut {
            id: EndpointId::parse("whe_1").unwrap(),
            url: "https://crm.example/".to_owned(),
            description: String::new(),
            events: None,
            active: true,
            state: EndpointState::Active,
            reason: None,
            reason_message: None,
            disabled_at: None,
            failing_since: None,
            previous_secret_until: None,
            created_at: now,
            updated_at: now,
        };
        let list = DeliveryList { items, next_cursor: next_cursor.map(ToOwned::to_owned) };
        log(&visitor(Role::Admin, &[]), &endpoint, &list, &ListQuery::new(query.iter().copied())).into_string()
    }

    fn delivery() -> DeliveryOut {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let attempt = |status, duration_ms| DeliveryTry { at, status, duration_ms, reason: None };
        DeliveryOut {
            id: DeliveryId::parse("evt_1").unwrap(),
            endpoint_id: EndpointId::parse("whe_1").unwrap(),
            event_id: "1".to_owned(),
            r#type: "lead.created".to_owned(),
            lead_id: None,
            state: EventDeliveryState::Failed,
            reason: None,
            attempts: [attempt(None, 15_000), attempt(Some(503), 87)].map(TryOut::from).to_vec(),
            attempts_count: 2,
            next_attempt_at: None,
            created_at: at,
            delivered_at: None,
        }
    }

    #[test]
    fn only_what_was_sent_can_be_sent_again() {
        let pending = |attempts_count| DeliveryOut { state: EventDeliveryState::Pending, attempts_count, ..delivery() };
        assert!(page(vec![pending(1)], None, &[]).contains("/resend"));
        assert!(!page(vec![pending(0)], None, &[]).contains("/resend"));
    }

    #[test]
    fn a_filter_is_kept_by_all_that_leads_on() {
        let page =
            page(vec![delivery()], Some("next"), &[("state", "failed"), ("cursor", "here"), ("confirm", "delete")]);
        for link in [
            "href=\"/webhooks/whe_1#log\">All<",
            "href=\"/webhooks/whe_1?state=failed#log\" aria-current=\"true\">Failed<",
            "href=\"/webhooks/whe_1?state=pending#log\">Pending<",
            "href=\"/webhooks/whe_1?cursor=next&amp;state=failed#log\" rel=\"next\"",
            "action=\"/webhooks/whe_1/deliveries/evt_1/resend?cursor=here&amp;state=failed\"",
        ] {
            assert!(page.contains(link), "{link}: {page}");
        }
        let unknown = delivery_query(&ListQuery::new([("state", "lost")].into_iter())).unwrap_err();
        assert_eq!((unknown.status, unknown.field.as_deref()), (400, Some("state")));
    }

    #[test]
    fn each_attempt_says_what_was_answered_and_how_fast() {
        let page = page(vec![delivery()], None, &[]);
        assert!(page.contains("<summary>2 attempts · <b>503</b> · 87 ms</summary>"), "{page}");
        assert!(page.contains("no response · 15,000 ms"), "{page}");
    }

    #[test]
    fn an_empty_log_says_what_that_means() {
        let failed = [("state", "failed")];
        assert!(page(Vec::new(), None, &[]).contains("Nothing yet"));
        assert!(page(Vec::new(), None, &failed).contains("Show all events"));
        let so_far = page(Vec::new(), Some("next"), &failed);
        assert!(so_far.contains("Earlier ones may be.") && so_far.contains("Earlier events"), "{so_far}");
    }
}
