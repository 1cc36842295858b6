//! `POST /{dataset}/events`: the Conversions API. Meta takes a request as a whole or, if one event is wrong, not at all.

use serde_json::{Map, Value, json};

use super::error::{GraphError, Rejection};
use super::session::Call;
use super::{datasets, request};
use crate::world::dataset::ConversionEvent;
use crate::world::ids;

const MAX_EVENTS: usize = 1000;
const MAX_AGE_S: i64 = 7 * 24 * 3600;
/// Clocks may differ by this much. (Unconfirmed.)
const MAX_AHEAD_S: i64 = 60;
/// Tells Meta where an event happened.
const ACTION_SOURCES: &[&str] = &[
    "email",
    "website",
    "app",
    "phone_call",
    "chat",
    "physical_store",
    "system_generated",
    "business_messaging",
    "other",
];
/// Details of a person that must be hashed.
const HASHED: &[&str] = &["em", "ph", "fn", "ln", "ge", "db", "ct", "st", "zp", "country"];

/// What is wrong with an event: the subcode and the title. Texts are unconfirmed.
type Fault = (i64, &'static str);

const MISSING: Fault = (2_804_001, "Missing required parameter");
const INVALID: Fault = (2_804_016, "Invalid parameter");
const TOO_OLD: Fault = (2_804_003, "Event Timestamp Too Old");
const IN_FUTURE: Fault = (2_804_007, "Event Timestamp In The Future");
const NO_CUSTOMER: Fault =
    (2_804_050, "You haven't added sufficient customer information parameter data for this event");

/// Takes events.
///
/// # Errors
/// As [`datasets::check_usable`]; 100 if `data` is no list of 1 to 1000 events, and for the first event that is wrong.
pub(crate) fn receive(call: &mut Call<'_>, dataset_id: &str) -> Result<Value, GraphError> {
    datasets::check_usable(call, dataset_id)?;
    let data =
        call.request.param("data").ok_or_else(|| GraphError::invalid("(#100) The parameter data is required"))?;
    let events: Vec<Map<String, Value>> =
        request::json(data).ok_or_else(|| GraphError::invalid("(#100) Param data must be an array"))?;
    if events.is_empty() || events.len() > MAX_EVENTS {
        return Err(GraphError::invalid("(#100) Param data must have between 1 and 1000 events"));
    }
    let now_s = call.world.clock.now_s();
    for (index, event) in events.iter().enumerate() {
        check(event, now_s).map_err(|fault| refusal(fault, index))?;
    }
    let test_event_code = call.request.param("test_event_code").map(str::to_owned);
    let received_ms = call.world.clock.now_ms();
    let count = events.len();
    for body in events {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let event = ConversionEvent {
            name: text("event_name").unwrap_or_default(),
            event_id: text("event_id"),
            test_event_code: test_event_code.clone(),
            ignored: reason_to_ignore(call, dataset_id, &body),
            times: 1,
            received_ms,
            body,
        };
        if let Some(dataset) = call.world.dataset_mut(dataset_id) {
            dataset.take(event);
        }
    }
    Ok(json!({"events_received": count, "messages": [], "fbtrace_id": ids::trace_text()}))
}

fn refusal((subcode, title): Fault, index: usize) -> GraphError {
    let mut error = GraphError::invalid("Invalid parameter").with_subcode(subcode);
    let text = format!("{title} (event_index {index}).");
    error.rejection = Some(Box::new(Rejection { texts: [title.to_owned(), text], blame: Vec::new() }));
    error
}

fn check(event: &Map<String, Value>, now_s: i64) -> Result<(), Fault> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("event_name").ok_or(MISSING)?;
    let at = event.get("event_time").ok_or(MISSING)?.as_i64().ok_or(INVALID)?;
    if at > now_s + MAX_AHEAD_S {
        return Err(IN_FUTURE);
    }
    if at < now_s - MAX_AGE_S {
        return Err(TOO_OLD);
    }
    if !ACTION_SOURCES.contains(&text("action_source").ok_or(MISSING)?) {
        return Err(INVALID);
    }
    let user = event.get("user_data").and_then(Value::as_object).ok_or(MISSING)?;
    for (_, value) in user.iter().filter(|(name, _)| HASHED.contains(&name.as_str())) {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if !values.iter().all(is_hash) {
            return Err(INVALID);
        }
    }
    if user.is_empty() {
        return Err(NO_CUSTOMER);
    }
    if user.get("lead_id").is_some_and(|id| lead_id(id).is_none()) {
        return Err(INVALID);
    }
    match event.get("custom_data").and_then(|custom| custom.get("value")) {
        Some(value) if value.as_f64().is_none_or(|value| value < 0.0) => Err(INVALID),
        _ => Ok(()),
    }
}

fn is_hash(value: &Value) -> bool {
    value.as_str().is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// Returns the lead of an event: 15 to 17 digits, as a number or as text.
pub(crate) fn lead_id(value: &Value) -> Option<String> {
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))?;
    (text.len() >= 15 && text.len() <= 17 && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// Why Meta says nothing about an event and drops it.
fn reason_to_ignore(call: &Call<'_>, dataset_id: &str, event: &Map<String, Value>) -> Option<&'static str> {
    let custom = |name: &str| event.get("custom_data").and_then(|custom| custom.get(name)).and_then(Value::as_str);
    let is_crm = call.world.dataset(dataset_id).is_some_and(|dataset| dataset.is_crm);
    if is_crm && (custom("event_source") != Some("crm") || custom("lead_event_source").is_none()) {
        return Some("not_of_a_crm");
    }
    let Some(id) = event.get("user_data").and_then(|user| lead_id(user.get("lead_id")?)) else {
        return is_crm.then_some("no_lead_id");
    };
    let Some(lead) = call.world.lead(&id) else { return Some("no_such_lead") };
    let at = event.get("event_time").and_then(Value::as_i64)?;
    (at < lead.created_ms.div_euclid(1000)).then_some("before_its_lead")
}
