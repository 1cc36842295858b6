//! WhatsApp: accounts and numbers, and the webhooks of messages and statuses.

use serde_json::{Map, Value, json};

use super::Account;
use super::message::{Message, Status};
use super::template::{self, Template};
use super::visitor;
use crate::webhook::outbox::{Change, Manner, Place};
use crate::world::World;

/// Ids of accounts, numbers and templates count up from here.
const FIRST_WABA: u64 = 102_290_129_340_001;
const FIRST_NUMBER: u64 = 106_540_352_242_001;
const FIRST_TEMPLATE: u64 = 594_425_479_261_001;

/// A WhatsApp Business account.
#[derive(Debug, Clone)]
pub(crate) struct Waba {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) business_id: String,
    /// A business that the account is shared with.
    pub(crate) client_of: Option<String>,
    /// Whether the app is installed.
    pub(crate) subscribed: bool,
    pub(crate) templates: Vec<Template>,
}

/// A phone number of an account.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    pub(crate) id: String,
    pub(crate) waba_id: String,
    /// Digits only.
    pub(crate) phone: String,
    pub(crate) verified_name: String,
}

impl Number {
    /// The number as people read it.
    pub(crate) fn display(&self) -> String {
        format!("+{}", self.phone)
    }
}

/// The titles of the errors that statuses and responses carry.
pub(crate) fn error_title(code: i64) -> &'static str {
    match code {
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_042 => "Business eligibility payment issue",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "This message was not delivered to maintain healthy ecosystem engagement.",
        131_050 => "User has stopped marketing messages",
        131_051 => "Unsupported message type",
        131_052 => "Media download error",
        131_053 => "Media upload error",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        132_000 => "Number of parameters does not match the expected number of params",
        132_001 => "Template name does not exist in the translation",
        132_015 => "Template is paused",
        132_016 => "Template is disabled",
        133_010 => "Phone number not registered",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        _ => "Something went wrong",
    }
}

/// What an error says in `error_data.details`.
pub(crate) fn error_details(code: i64) -> &'static str {
    match code {
        131_026 => "Message Undeliverable.",
        131_047 => {
            "Message failed to send because more than 24 hours have passed since the customer last replied to this number."
        }
        131_056 => "Too many messages sent from this phone number to the same phone number in a short period of time.",
        131_021 => "The recipient of the message cannot be the sender.",
        131_053 => "The media could not be downloaded from the link.",
        other => error_title(other),
    }
}

impl World {
    /// Adds an account with a number and templates to a business and returns its id.
    pub(crate) fn open_whatsapp(&mut self, business_id: &str, name: &str, client_of: Option<&str>) -> String {
        let count = u64::try_from(self.inbox.wabas.len()).unwrap_or_default();
        let id = (FIRST_WABA + count * 10).to_string();
        let number_id = (FIRST_NUMBER + count * 10).to_string();
        let waba = Waba {
            id: id.clone(),
            name: name.to_owned(),
            business_id: business_id.to_owned(),
            client_of: client_of.map(str::to_owned),
            subscribed: false,
            templates: template::usual(FIRST_TEMPLATE + count * 100),
        };
        let number = Number {
            id: number_id.clone(),
            waba_id: id.clone(),
            phone: format!("3120{:07}", 2_000_001 + count),
            verified_name: name.to_owned(),
        };
        self.inbox.wabas.insert(id.clone(), waba);
        self.inbox.numbers.insert(number_id, number);
        id
    }

    /// Sets the status of the templates of a name in all accounts and announces it. Returns how many there are.
    pub(crate) fn set_template_status(&mut self, name: &str, language: Option<&str>, status: &str) -> usize {
        let mut changes = Vec::new();
        for waba in self.inbox.wabas.values_mut() {
            let wanted =
                |it: &&mut Template| it.name == name && language.is_none_or(|language| it.language == language);
            for template in waba.templates.iter_mut().filter(wanted) {
                status.clone_into(&mut template.status);
                let value = json!({
                    "event": status, "message_template_id": template.id.parse::<u64>().ok(),
                    "message_template_name": template.name, "message_template_language": template.language,
                    "reason": "NONE",
                });
                let field = "message_template_status_update";
                changes.push(Change {
                    object: "whatsapp_business_account".to_owned(),
                    entry_id: waba.id.clone(),
                    body: json!({"field": field, "value": value}),
                    place: Place::Changes,
                    leadgen_id: None,
                });
            }
        }
        let count = changes.len();
        for change in changes {
            self.announce_change(change, "message_template_status_update", Manner::Normal);
        }
        count
    }

    /// Announces a value of `field` of a number's account.
    fn announce_whatsapp(&mut self, number_id: &str, field: &str, body: Value, manner: Manner) {
        let Some(number) = self.inbox.numbers.get(number_id) else { return };
        let mut value = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": number.phone, "phone_number_id": number.id},
        });
        if let (Some(members), Value::Object(mut body)) = (value.as_object_mut(), body) {
            members.append(&mut body);
        }
        let change = Change {
            object: "whatsapp_business_account".to_owned(),
            entry_id: number.waba_id.clone(),
            body: json!({"field": field, "value": value}),
            place: Place::Changes,
            leadgen_id: None,
        };
        self.announce_change(change, field, manner);
    }

    /// `contacts` of a person: the number only if it is not hidden.
    fn contact(&self, visitor: usize, number_id: &str) -> Value {
        let Some(person) = self.inbox.visitors.get(visitor) else { return Value::Null };
        let mut profile = json!({ "name": person.name });
        if let (Some(username), Some(members)) = (&person.whatsapp_username, profile.as_object_mut()) {
            members.insert("username".to_owned(), json!(username));
        }
        let mut contact = json!({"profile": profile, "user_id": self.user_id(visitor, number_id)});
        if let Some(members) = contact.as_object_mut().filter(|_| !person.hides_phone) {
            members.insert("wa_id".to_owned(), json!(person.phone));
        }
        contact
    }

    /// Announces the message `content`, whose author is a person.
    pub(crate) fn announce_whatsapp_message(
        &mut self,
        thread: usize,
        content: Map<String, Value>,
        at_ms: i64,
        manner: Manner,
    ) {
        let Some(it) = self.inbox.threads.get(thread) else { return };
        let (Account::Number(number_id), visitor) = (it.account.clone(), it.visitor) else { return };
        let mut message = content;
        message.insert("timestamp".to_owned(), json!(at_ms.div_euclid(1000).to_string()));
        message.entry("from_user_id").or_insert_with(|| json!(self.user_id(visitor, &number_id)));
        if let Some(person) = self.inbox.visitors.get(visitor).filter(|person| !person.hides_phone) {
            message.entry("from").or_insert_with(|| json!(person.phone));
        }
        let body = json!({"contacts": [self.contact(visitor, &number_id)], "messages": [message]});
        self.announce_whatsapp(&number_id, "messages", body, manner);
    }

    /// Announces what the business wrote in the WhatsApp Business app.
    pub(crate) fn announce_whatsapp_echo(
        &mut self,
        thread: usize,
        mut content: Map<String, Value>,
        at_ms: i64,
        manner: Manner,
    ) {
        let Some(it) = self.inbox.threads.get(thread) else { return };
        let (Account::Number(number_id), visitor) = (it.account.clone(), it.visitor) else { return };
        let Some(number) = self.inbox.numbers.get(&number_id) else { return };
        content.insert("from".to_owned(), json!(number.phone));
        content.insert("timestamp".to_owned(), json!(at_ms.div_euclid(1000).to_string()));
        if let Some(person) = self.inbox.visitors.get(visitor).filter(|person| !person.hides_phone) {
            content.insert("to".to_owned(), json!(person.phone));
        }
        content.insert("to_user_id".to_owned(), json!(self.user_id(visitor, &number_id)));
        let body = json!({"contacts": [self.contact(visitor, &number_id)], "message_echoes": [content]});
        self.announce_whatsapp(&number_id, "smb_message_echoes", body, manner);
    }

    /// Records how far a message got and announces it.
    pub(crate) fn report_status(&mut self, mid: &str, status: Status, at_ms: i64, manner: Manner) {
        let Some((thread, message)) = self.inbox.message(mid) else { return };
        let (Account::Number(number_id), visitor) = (thread.account.clone(), thread.visitor) else { return };
        let mut value = json!({
            "id": mid, "status": status.name(), "timestamp": at_ms.div_euclid(1000).to_string(),
            "recipient_user_id": self.user_id(visitor, &number_id),
        });
        if let Some(members) = value.as_object_mut() {
            if let Some(person) = self.inbox.visitors.get(visitor).filter(|person| !person.hides_phone) {
                members.insert("recipient_id".to_owned(), json!(person.phone));
            }
            if let Some(opaque) = &message.opaque {
                members.insert("biz_opaque_callback_data".to_owned(), json!(opaque));
            }
            match status {
                Status::Failed(code) => {
                    let error = json!({
                        "code": code, "title": error_title(code), "message": error_title(code),
                        "error_data": {"details": error_details(code)},
                        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
                    });
                    members.insert("errors".to_owned(), json!([error]));
                }
                Status::Sent | Status::Delivered => {
                    let category = if message.kind == "template" { "utility" } else { "service" };
                    let pricing = json!({"billable": message.kind == "template", "pricing_model": "PMP",
                        "type": if message.kind == "template" { "regular" } else { "free_customer_service" },
                        "category": category});
                    members.insert("pricing".to_owned(), pricing);
                }
                Status::Accepted | Status::Read => {}
            }
        }
        let rank = |status: Option<Status>| match status {
            None | Some(Status::Accepted) => 0,
            Some(Status::Sent) => 1,
            Some(Status::Delivered) => 2,
            Some(Status::Read) => 3,
            Some(Status::Failed(_)) => 4,
        };
        if let Some(message) = self.inbox.message_mut(mid).filter(|it| rank(it.status) <= rank(Some(status))) {
            message.status = Some(status);
        }
        self.announce_whatsapp(&number_id, "messages", json!({ "statuses": [value] }), manner);
    }

    /// Adds a message of the business, and announces its statuses: `failure`, or the usual ones. Returns its id.
    pub(crate) fn send_whatsapp(&mut self, thread: usize, message: Message, failure: Option<i64>) -> String {
        let at_ms = message.at_ms;
        let status = Some(Status::Accepted);
        let mid = self.add_message(thread, Message { out: true, status, ..message });
        if let Some(code) = failure {
            self.report_status(&mid, Status::Failed(code), at_ms, Manner::Normal);
            return mid;
        }
        for name in self.inbox.settings.statuses.clone() {
            let status = match name.as_str() {
                "delivered" => Status::Delivered,
                "read" => Status::Read,
                _ => Status::Sent,
            };
            let at_ms = at_ms + if status == Status::Sent { 0 } else { 1000 };
            self.report_status(&mid, status, at_ms, Manner::Normal);
        }
        mid
    }

    /// Gives a person another number, or another business-scoped id, and announces it to every number they wrote to.
    pub(crate) fn change_number(&mut self, visitor: usize, phone: &str, manner: Manner) {
        let Some(person) = self.inbox.visitors.get(visitor) else { return };
        let (old, name, hides) = (person.phone.clone(), person.name.clone(), person.hides_phone);
        let phone = visitor::digits(phone);
        let threads: Vec<(usize, String)> = self
            .inbox
            .threads
            .iter()
            .enumerate()
            .filter(|(_, thread)| thread.visitor == visitor)
            .filter_map(|(at, thread)| match &thread.account {
                Account::Number(id) => Some((at, id.clone())),
                Account::Page(_) | Account::Instagram(_) => None,
            })
            .collect();
        let before: Vec<String> = threads.iter().map(|(_, id)| self.user_id(visitor, id)).collect();
        if let Some(person) = self.inbox.visitors.get_mut(visitor) {
            person.phone.clone_from(&phone);
            person.user_id = None;
        }
        let now = self.clock.now_ms();
        for ((thread, number_id), previous) in threads.into_iter().zip(before) {
            let kind = if hides { "user_changed_user_id" } else { "user_changed_number" };
            let user_id = self.user_id(visitor, &number_id);
            let mut system = json!({"type": kind, "user_id": user_id, "previous_user_id": &previous});
            if let Some(members) = system.as_object_mut().filter(|_| !hides) {
                members.insert("body".to_owned(), json!(format!("User {name} changed from {old} to {phone}")));
                members.insert("wa_id".to_owned(), json!(phone));
            }
            let content =
                json!({"id": crate::world::ids::message_text("whatsapp"), "type": "system", "system": system});
            let Value::Object(mut content) = content else { continue };
            // The author is who the person was.
            content.insert("from_user_id".to_owned(), json!(previous));
            if !hides {
                content.insert("from".to_owned(), json!(old));
            }
            self.announce_whatsapp_message(thread, content, now, manner);
        }
    }
}
