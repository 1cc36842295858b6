//! The fields `messages`, `smb_message_echoes` and `user_id_update` of WhatsApp accounts: messages, what became of ours,
//! and people whose numbers or ids change.

use serde_json::Value;

use super::attachments::{UNSUPPORTED, fill_empty, placeholder};
use super::members::{ad_id, address, id, inner, list, name, parse, text};
use super::{InboxNotice, SkippedNotice, Source};
use crate::graph::send_fault::words_of;
use crate::ids::MessageId;
use crate::model::inbox::SendFailure;
use crate::model::inbox::event::{DeliveryReport, InboxEventKind, NewAttachment, NewMessage, Person};

/// The number in the dashboard's test payloads.
const TEST_NUMBER: &str = "123456123";

/// Reads one change. `is_echo`: its messages were written in the WhatsApp Business app.
pub(super) fn read(source: &Source, is_echo: bool, value: &Value, found: &mut InboxNotice) {
    let Some(number) = id(inner(value, ["metadata", "phone_number_id"])) else {
        return found.skip(SkippedNotice::Unreadable);
    };
    if number == TEST_NUMBER {
        return found.skip(SkippedNotice::DashboardTest);
    }
    let source = Source { account: &number, ..*source };
    let contacts = list(&value["contacts"]);
    for message in list(&value["messages"]) {
        read_message(&source, is_echo, message, contacts, found);
    }
    for message in list(&value["message_echoes"]) {
        read_message(&source, true, message, contacts, found);
    }
    for status in list(&value["statuses"]) {
        read_status(&source, status, found);
    }
    for update in list(&value["user_id_update"]) {
        let ids = &update["user_id"];
        push_person_change(
            &source,
            identity(&ids["previous"], &Value::Null),
            identity(&ids["current"], &update["wa_id"]),
            found,
        );
    }
    for error in list(&value["errors"]) {
        found.skip(SkippedNotice::AccountError(error["code"].as_i64().unwrap_or_default()));
    }
}

fn read_message(source: &Source, is_ours: bool, value: &Value, contacts: &[Value], found: &mut InboxNotice) {
    let kind = value["type"].as_str().unwrap_or(UNSUPPORTED);
    let (from, to) = (identity(&value["from_user_id"], &value["from"]), identity(&value["to_user_id"], &value["to"]));
    let at = source.time(&value["timestamp"]);
    let target = match kind {
        "reaction" => id(inner(value, ["reaction", "message_id"])),
        "edit" | "revoke" => id(inner(value, [kind, "original_message_id"])),
        "system" => return read_system(source, from, &value["system"], found),
        _ => id(&value["id"]),
    };
    let person = complete(if is_ours { to } else { from }, contacts);
    let Some(mid) = target else { return found.skip(SkippedNotice::Unreadable) };
    match kind {
        "revoke" => found.push(source, InboxEventKind::Deleted { mid, at }),
        "edit" => {
            let mut edited = source.message(mid.clone(), is_ours, Person::default());
            fill(&mut edited, inner(value, ["edit", "message"]));
            match edited.text {
                Some(text) => found.push(source, InboxEventKind::Edited { mid, text, at }),
                None => found.skip(SkippedNotice::Unreadable),
            }
        }
        "reaction" => {
            let person =
                if is_ours { identity(&Value::String(source.account.to_owned()), &value["from"]) } else { person };
            if !is_known(&person) {
                return found.skip(SkippedNotice::Anonymous);
            }
            let value = name(inner(value, ["reaction", "emoji"]));
            found.push(source, InboxEventKind::Reacted { mid, person, is_ours, value, at });
        }
        _ if !is_known(&person) => found.skip(SkippedNotice::Unreadable),
        _ => {
            let mut message = source.message(mid, is_ours, person);
            message.created_time = at;
            message.parent = id(inner(value, ["context", "id"]));
            let referral = &value["referral"];
            message.ad_id = if referral["source_type"] == "post" { None } else { ad_id(&referral["source_id"]) };
            fill(&mut message, value);
            fill_empty(&mut message, kind);
            found.push(source, InboxEventKind::Message(Box::new(message)));
        }
    }
}

/// A person by both of WhatsApp's ids. Neither is ever made from the other.
fn identity(user_id: &Value, phone: &Value) -> Person {
    let digits = |phone: String| phone.strip_prefix('+').unwrap_or(&phone).to_owned();
    let phone = id(phone).map(digits).filter(|phone| phone.bytes().all(|byte| byte.is_ascii_digit()));
    Person { id: id(user_id), phone, ..Person::default() }
}

fn is_known(person: &Person) -> bool {
    person.id.is_some() || person.phone.is_some()
}

/// Adds what stands beside the messages about a person: the name, and the id or number that the message leaves out.
fn complete(person: Person, contacts: &[Value]) -> Person {
    let is_person = |contact: &&Value| {
        let known = identity(&contact["user_id"], &contact["wa_id"]);
        person.id.is_some() && known.id == person.id || person.phone.is_some() && known.phone == person.phone
    };
    // A message without any id can only be of the one contact there is.
    let only = (!is_known(&person) && contacts.len() == 1).then(|| contacts.first()).flatten();
    let Some(contact) = contacts.iter().find(is_person).or(only) else { return person };
    let known = identity(&contact["user_id"], &contact["wa_id"]);
    Person {
        id: person.id.or(known.id),
        phone: person.phone.or(known.phone),
        username: name(inner(contact, ["profile", "username"])),
        name: name(inner(contact, ["profile", "name"])),
    }
}

/// Fills in what a message says.
fn fill(message: &mut NewMessage, value: &Value) {
    let kind = value["type"].as_str().unwrap_or(UNSUPPORTED);
    let content = &value[kind];
    match kind {
        "text" => message.text = text(&content["body"]),
        "button" => message.text = text(&content["text"]).or_else(|| text(&content["payload"])),
        "interactive" => message.text = choice(content),
        "image" | "video" | "audio" | "voice" | "document" | "sticker" => {
            message.text = text(&content["caption"]);
            message.attachments.push(media(kind, content));
        }
        "location" => {
            let point = ["latitude", "longitude"].map(|key| content[key].as_f64());
            let point = if let [Some(north), Some(east)] = point { Some(format!("{north}, {east}")) } else { None };
            let parts = [text(&content["name"]), text(&content["address"]), point];
            message.text = join(parts.into_iter().flatten());
            let place = NewAttachment { url: address(&content["url"]), ..placeholder("location") };
            message.attachments.push(place);
        }
        "contacts" => {
            message.text = join(list(content).iter().filter_map(contact_card));
            message.attachments.push(placeholder("contacts"));
        }
        "order" => {
            message.text = text(&content["text"]);
            let name = join(list(&content["product_items"]).iter().filter_map(order_line));
            message.attachments.push(NewAttachment { name, ..placeholder("order") });
        }
        UNSUPPORTED => {
            let kind = content["type"].as_str().unwrap_or(UNSUPPORTED);
            message.attachments.push(placeholder(kind));
        }
        _ => {}
    }
}

fn join(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.take(50).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What a person chose or filled in.
fn choice(content: &Value) -> Option<String> {
    let kind = content["type"].as_str().unwrap_or_default();
    let reply = &content[kind];
    let answers = reply["response_json"].as_str().and_then(parse);
    let answers = answers.as_ref().and_then(Value::as_object).into_iter().flatten();
    let answer = |(key, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        format!("{key}: {value}")
    };
    let answers: Vec<String> = answers.filter(|(key, _)| *key != "flow_token").take(50).map(answer).collect();
    let answers = text(&Value::String(answers.join("\n")));
    text(&reply["title"]).or(answers).or_else(|| text(&reply["body"]))
}

/// WhatsApp's files have an id, by which their address is asked for each time: it lives for minutes.
fn media(kind: &str, content: &Value) -> NewAttachment {
    let kind = match kind {
        "document" => "file",
        "voice" => "audio",
        kind => kind,
    };
    let media_id = id(&content["id"]);
    NewAttachment { is_file: media_id.is_some(), media_id, name: name(&content["filename"]), ..placeholder(kind) }
}

fn contact_card(card: &Value) -> Option<String> {
    let name = text(inner(card, ["name", "formatted_name"])).or_else(|| text(inner(card, ["name", "first_name"])));
    let phones: Vec<String> = list(&card["phones"]).iter().filter_map(|phone| text(&phone["phone"])).collect();
    match name {
        Some(name) if phones.is_empty() => Some(name),
        Some(name) => Some(format!("{name} ({})", phones.join(", "))),
        None => phones.into_iter().next(),
    }
}

fn order_line(item: &Value) -> Option<String> {
    let product = text(&item["product_retailer_id"])?;
    Some(id(&item["quantity"]).map_or_else(|| product.clone(), |quantity| format!("{quantity} × {product}")))
}

/// WhatsApp itself says that a person has another number, and with it another id.
fn read_system(source: &Source, from: Person, value: &Value, found: &mut InboxNotice) {
    match value["type"].as_str() {
        Some("user_changed_number" | "customer_changed_number" | "user_changed_user_id") => {
            let new_phone = if value["wa_id"].is_null() { &value["new_wa_id"] } else { &value["wa_id"] };
            let after = identity(&value["user_id"], new_phone);
            let previous = id(&value["previous_user_id"]).or_else(|| id_in_words(value));
            let before = Person { id: previous.or(from.id), ..from };
            push_person_change(source, before, after, found);
        }
        Some("user_identity_changed" | "customer_identity_changed") => found.skip(SkippedNotice::Unused),
        kind => found.skip_unknown("whatsapp/system", kind),
    }
}

/// The previous id in `User Ada changed from NL.1 to NL.2`, which may be all that says it.
fn id_in_words(value: &Value) -> Option<String> {
    let previous = value["body"].as_str()?.rsplit_once(" changed from ")?.1.split(' ').next()?;
    let is_user_id = previous.split_once('.').is_some_and(|(country, _)| country.len() == 2);
    is_user_id.then(|| id(&Value::String(previous.to_owned())))?
}

fn push_person_change(source: &Source, before: Person, after: Person, found: &mut InboxNotice) {
    if !is_known(&before) || !is_known(&after) {
        found.skip(SkippedNotice::Unreadable);
    } else if before == after {
        found.skip(SkippedNotice::Unused);
    } else {
        found.push(source, InboxEventKind::PersonChanged { before, after });
    }
}

fn read_status(source: &Source, value: &Value, found: &mut InboxNotice) {
    let Some(mid) = id(&value["id"]) else { return found.skip(SkippedNotice::Unreadable) };
    let status = match value["status"].as_str() {
        Some("sent") => DeliveryReport::Sent,
        Some("delivered") => DeliveryReport::Delivered,
        Some("read" | "played") => DeliveryReport::Read,
        Some("failed") => DeliveryReport::Failed,
        status => return found.skip_unknown("whatsapp/status", status),
    };
    let failure = list(&value["errors"]).first().filter(|_| status == DeliveryReport::Failed).map(failure);
    let ours = value["biz_opaque_callback_data"].as_str().and_then(MessageId::parse_own);
    let at = source.time(&value["timestamp"]);
    found.push(source, InboxEventKind::Status { mid, ours, status, at, failure });
}

/// Why a message of ours does not arrive. Meta's words are for programmers; of the usual codes it is known what to do.
fn failure(error: &Value) -> SendFailure {
    let code = error["code"].as_i64().or_else(|| error["code"].as_str()?.parse().ok()).unwrap_or_default();
    if let Some(words) = words_of(code) {
        return SendFailure { code, message: words.to_owned() };
    }
    let words = text(&error["message"]).or_else(|| text(&error["title"]));
    let details = text(inner(error, ["error_data", "details"])).filter(|details| words.as_ref() != Some(details));
    let message = words.into_iter().chain(details).collect::<Vec<_>>().join(": ");
    SendFailure { code, message }
}
