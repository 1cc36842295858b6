//! `POST /{number}/messages`.

use serde_json::{Value, json};

use super::super::super::error::GraphError;
use super::super::super::request;
use super::super::super::session::Call;
use super::super::rights;
use super::content::{self, Content};
use super::media::require_product;
use crate::world::inbox::Account;
use crate::world::inbox::message::{Message, Status};
use crate::world::inbox::settings::ClosedWindow;
use crate::world::inbox::visitor::{self, Description};
use crate::world::inbox::whatsapp::{error_details, error_title};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// One pair may exchange a message every six seconds, with so many in advance.
const PAIR_BURST: usize = 45;
const PAIR_MS: i64 = 6000;

/// Whom a message is for.
struct Recipient {
    visitor: usize,
    /// What the request said.
    input: String,
    by_user_id: bool,
}

/// Sends a message, marks one as read, or reacts to one. 200 means accepted: the message may still fail.
///
/// # Errors
/// Returns 100 or 131008/131009 for parameters, 131021 for the own number, 131056 for too many messages to one person,
/// 132000, 132001, 132015 or 132016 for a template, 131047 after the window if that is configured.
pub(in crate::graph::inbox) fn send(call: &mut Call<'_>, number_id: &str) -> Result<Value, GraphError> {
    rights::number(call, number_id, "whatsapp_business_messaging")?;
    require_product(call)?;
    if let Some(status) = call.request.param("status") {
        return mark_read(call, number_id, status.to_owned());
    }
    let content = content::parse(call, number_id)?;
    let recipient = recipient(call, number_id)?;
    let account = Account::Number(number_id.to_owned());
    let thread = call.world.open_thread(&account, recipient.visitor);
    check_pair(call, thread)?;
    let failure = failure(call, thread, &recipient, &content)?;
    let Some(failure) = content::fetch(call, &content)?.map(|missing| failure.or(missing)) else {
        return Ok(Value::Null);
    };
    // Write it.
    let context: Option<Value> = call.request.param("context").and_then(request::json);
    let reply_to = context.as_ref().and_then(|value| value.get("message_id")).and_then(Value::as_str);
    let message = Message {
        kind: content.kind.clone(),
        text: content.text.clone(),
        attachments: content.attachments.clone(),
        at_ms: call.world.clock.now_ms(),
        reply_to: reply_to.map(str::to_owned),
        app_id: Some(call.world.app.id.clone()),
        opaque: call.request.param("biz_opaque_callback_data").map(str::to_owned),
        ..Message::default()
    };
    if failure.is_none()
        && let Some((mid, emoji)) = &content.reaction
        && let Some(target) = call.world.inbox.message_mut(mid)
    {
        target.reactions.retain(|(_, by)| by.is_some());
        if !emoji.is_empty() {
            target.reactions.push((emoji.clone(), None));
        }
    }
    let mid = call.world.send_whatsapp(thread, message, failure);
    let mut contact = json!({"input": recipient.input});
    if let Some(members) = contact.as_object_mut() {
        if recipient.by_user_id {
            members.insert("user_id".to_owned(), json!(call.world.user_id(recipient.visitor, number_id)));
        } else if let Some(person) = call.world.inbox.visitors.get(recipient.visitor) {
            members.insert("wa_id".to_owned(), json!(person.phone));
        }
    }
    Ok(json!({
        "messaging_product": "whatsapp", "contacts": [contact],
        "messages": [{"id": mid, "message_status": "accepted"}],
    }))
}

/// `{"status": "read", "message_id"}`: marks a person's message, and those before it, as read.
fn mark_read(call: &mut Call<'_>, number_id: &str, status: String) -> Result<Value, GraphError> {
    if status != "read" {
        return Err(GraphError::invalid("(#100) Param status must be one of {READ}."));
    }
    let mid = call.request.param("message_id").unwrap_or_default().to_owned();
    let account = Account::Number(number_id.to_owned());
    let known =
        call.world.inbox.message(&mid).is_some_and(|(thread, message)| thread.account == account && !message.out);
    if !known {
        return Err(GraphError::invalid("(#100) Invalid parameter").with_details("Message ID is invalid."));
    }
    if let Some(thread) = call.world.inbox.thread_of(&mid)
        && let Some(thread) = call.world.inbox.threads.get_mut(thread)
    {
        thread.actions.push("read".to_owned());
    }
    if let Some(message) = call.world.inbox.message_mut(&mid) {
        message.status = Some(Status::Read);
    }
    Ok(json!({"success": true}))
}

/// Finds the recipient: `to` with a phone number, or `recipient` with a business-scoped id.
fn recipient(call: &mut Call<'_>, number_id: &str) -> Result<Recipient, GraphError> {
    let text = |name: &str| call.request.param(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let kind = text("recipient_type").unwrap_or_else(|| "individual".to_owned());
    if kind != "individual" {
        return Err(GraphError::invalid("(#100) Param recipient_type must be one of {INDIVIDUAL}."));
    }
    let own = call.world.inbox.numbers.get(number_id).map(|number| number.phone.clone()).unwrap_or_default();
    if let Some(to) = text("to") {
        if !to.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')')) {
            return Err(invalid_value("to is not a phone number"));
        }
        let mut phone = visitor::digits(&to);
        let (code, _) = visitor::country(&own);
        // Without `+` the number may be taken for one of the business's own country.
        if !to.starts_with('+') && call.world.inbox.settings.prefixes_numbers && !phone.starts_with(code) {
            phone = format!("{code}{phone}");
        }
        if phone == own {
            return Err(GraphError::whatsapp(131_021, error_title(131_021), error_details(131_021)));
        }
        let known = call.world.inbox.visitors.iter().position(|person| person.phone == phone);
        // Nobody has the number: the message will fail.
        let visitor = known.unwrap_or_else(|| {
            let description = Description { phone: Some(phone), on_whatsapp: Some(false), ..Description::default() };
            call.world.add_visitor(&description)
        });
        return Ok(Recipient { visitor, input: to, by_user_id: false });
    }
    let id = text("recipient").ok_or_else(|| {
        GraphError::whatsapp(131_008, error_title(131_008), "Parameter 'to' or 'recipient' is mandatory.")
    })?;
    let people = 0..call.world.inbox.visitors.len();
    let visitor = people.into_iter().find(|index| call.world.user_id(*index, number_id) == id);
    let visitor = visitor.ok_or_else(|| invalid_value("recipient is not a user of this business"))?;
    Ok(Recipient { visitor, input: id, by_user_id: true })
}

fn invalid_value(details: &str) -> GraphError {
    GraphError::whatsapp(131_009, error_title(131_009), details)
}

fn check_pair(call: &Call<'_>, thread: usize) -> Result<(), GraphError> {
    let burst = i64::try_from(PAIR_BURST).unwrap_or(i64::MAX);
    let since = call.world.clock.now_ms() - PAIR_MS * burst;
    let sent = call.world.inbox.threads.get(thread).map_or(0, |thread| {
        thread.messages.iter().filter(|message| message.app_id.is_some() && message.at_ms > since).count()
    });
    if sent >= PAIR_BURST {
        return Err(GraphError::whatsapp(131_056, error_title(131_056), error_details(131_056)));
    }
    Ok(())
}

/// Returns the code with which an accepted message fails.
fn failure(
    call: &mut Call<'_>,
    thread: usize,
    recipient: &Recipient,
    content: &Content,
) -> Result<Option<i64>, GraphError> {
    let now = call.world.clock.now_ms();
    if let Some((code, times)) = call.world.inbox.settings.failing {
        call.world.inbox.settings.failing = (times > 1).then_some((code, times - 1));
        return Ok(Some(code));
    }
    let person = call.world.inbox.visitors.get(recipient.visitor);
    if person.is_none_or(|person| person.blocked || !person.on_whatsapp) {
        return Ok(Some(131_026));
    }
    let active = call.world.inbox.threads.get(thread).and_then(|thread| thread.active_ms);
    let is_open = active.is_some_and(|at| now - at < DAY_MS);
    if is_open || content.kind == "template" {
        return Ok(None);
    }
    match call.world.inbox.settings.closed_window {
        ClosedWindow::Status => Ok(Some(131_047)),
        ClosedWindow::Refusal => Err(GraphError::whatsapp(131_047, error_title(131_047), error_details(131_047))),
    }
}
