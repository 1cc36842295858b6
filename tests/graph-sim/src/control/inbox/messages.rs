//! `POST /_sim/messages`: what people do in Messenger, Instagram and WhatsApp threads.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{Body, Mistake};
use super::{PersonInput, account, manner, person, time, whatsapp_content};
use crate::server::Sim;
use crate::webhook::outbox::Manner;
use crate::world::World;
use crate::world::inbox::Account;
use crate::world::inbox::chat::Event;
use crate::world::inbox::message::{Attachment, Message};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    channel: Option<String>,
    page_id: Option<String>,
    instagram_id: Option<String>,
    phone_number_id: Option<String>,
    person: Option<PersonInput>,
    pub(super) text: Option<String>,
    /// Kinds of attachments, or `{"type", "url"?, "title"?, "name"?, "lie"? "html" | "svg", "payload"?}`.
    #[serde(default)]
    pub(super) attachments: Vec<AttachmentInput>,
    kind: Option<String>,
    /// The message that is edited, deleted, read, …; for a new message, its id.
    pub(super) mid: Option<String>,
    deliver: Option<String>,
    at: Option<Value>,
    /// The message it answers.
    pub(super) reply_to: Option<String>,
    /// Of a postback, button or quick reply.
    pub(super) payload: Option<String>,
    /// `{"ref"?, "source"?, "type"?, "ad_id"?, …}`: the ad or link the person came from.
    pub(super) referral: Option<Value>,
    /// The content of `location`, `contacts`, `interactive` and other WhatsApp messages.
    pub(super) content: Option<Value>,
    /// The code of a status `failed`.
    code: Option<i64>,
}

/// An attachment by kind alone, or with details.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum AttachmentInput {
    Kind(String),
    Detailed(DetailedAttachment),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailedAttachment {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) url: Option<String>,
    pub(super) title: Option<String>,
    pub(super) name: Option<String>,
    pub(super) lie: Option<String>,
    pub(super) payload: Option<Value>,
}

/// Kinds that are the type of one attachment.
const ATTACHMENT_KINDS: &[&str] = &[
    "image",
    "audio",
    "video",
    "file",
    "sticker",
    "fallback",
    "template",
    "reel",
    "ig_reel",
    "post",
    "ig_post",
    "share",
    "story_mention",
    "ephemeral",
];

/// Makes a person write or do something in a thread. Returns `{"mid", "thread_id", "person"}`.
pub(crate) async fn write(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let manner = manner(input.deliver.as_deref())?;
    let mut world = sim.world();
    let at_ms = time(&world, input.at.as_ref())?;
    let channel = input.channel.as_deref().unwrap_or_default();
    if !matches!(channel, "" | "messenger" | "instagram" | "whatsapp") {
        return Err(Mistake::new(format!("channel: must be messenger, instagram or whatsapp, got \"{channel}\"")));
    }
    // Find the thread: that of a known message, or that of the person with the account.
    let known = input.mid.as_ref().and_then(|mid| world.inbox.thread_of(mid));
    let thread = match known {
        Some(thread) => thread,
        None => {
            let ids = [&input.page_id, &input.instagram_id, &input.phone_number_id].map(|id| id.as_deref());
            let account = account(&world, ids[0], ids[1], ids[2], channel == "instagram")?;
            if !channel.is_empty() && channel != account.channel() {
                return Err(Mistake::new(format!("channel: {channel} does not fit {}", account.key())));
            }
            let visitor = person(&mut world, input.person.as_ref(), &account);
            world.open_thread(&account, visitor)
        }
    };
    let account = world.inbox.threads.get(thread).map(|it| it.account.clone());
    let kind = input.kind.as_deref().unwrap_or("text");
    let mid = match account {
        Some(Account::Number(_)) => {
            whatsapp_content::write(&mut world, thread, kind, &input, input.code, at_ms, manner)?
        }
        Some(account) => chat(&mut world, &account, thread, kind, &input, at_ms, manner)?,
        None => None,
    };
    let answer = world.inbox.threads.get(thread).map(|it| {
        let person = world.visitor_report(it.visitor, Some(&it.account));
        json!({"mid": mid, "thread_id": it.id, "person": person})
    });
    drop(world);
    sim.wake.notify_one();
    Ok(Json(answer.unwrap_or_default()))
}

/// Does something in a Messenger or Instagram thread. Returns the id of the message that came or changed.
fn chat(
    world: &mut World,
    account: &Account,
    thread: usize,
    kind: &str,
    input: &Input,
    at_ms: i64,
    manner: Manner,
) -> Result<Option<String>, Mistake> {
    // What concerns a known message.
    if matches!(kind, "edit" | "delete" | "read" | "delivery") {
        let mid = existing(world, thread, input, matches!(kind, "read" | "delivery"))?;
        match kind {
            "edit" => {
                let text = input.text.as_deref().ok_or_else(|| Mistake::new("text is required"))?;
                world.edit_message(&mid, text, at_ms, manner);
            }
            "delete" => world.unsend(&mid, manner),
            "read" => world.read_messages(&mid, at_ms, manner),
            _ => {
                let delivery = json!({"mids": [mid], "watermark": at_ms});
                world.announce_chat(thread, Event::Delivery, at_ms, one("delivery", delivery), false, manner);
            }
        }
        return Ok(Some(mid));
    }
    if input.mid.as_ref().is_some_and(|mid| world.inbox.thread_of(mid).is_some()) {
        // The same message again, as another delivery.
        let mid = existing(world, thread, input, false)?;
        world.announce_message(&mid, kind == "standby", manner);
        return Ok(Some(mid));
    }
    let mut message = Message {
        mid: input.mid.clone().unwrap_or_default(),
        kind: kind.to_owned(),
        text: input.text.clone(),
        at_ms,
        reply_to: input.reply_to.clone(),
        ..Message::default()
    };
    if let Some(referral) = &input.referral {
        message.extra.insert("referral".to_owned(), referral.clone());
    }
    if let Some(payload) = input.payload.as_ref().filter(|_| kind == "text") {
        message.extra.insert("quick_reply".to_owned(), json!({ "payload": payload }));
    }
    message.attachments = input.attachments.iter().map(|given| attachment(world, given)).collect();
    match kind {
        "text" | "standby" | "echo" => {}
        "postback" => return Ok(Some(postback(world, thread, message, input, manner))),
        "referral" => {
            let referral = input
                .referral
                .clone()
                .unwrap_or_else(|| json!({"ref": "spring", "source": "SHORTLINK", "type": "OPEN_THREAD"}));
            world.renew_window(thread, at_ms);
            world.announce_chat(thread, Event::Referral, at_ms, one("referral", referral), false, manner);
            return Ok(None);
        }
        "story_reply" => {
            let file = world.add_file("image", None, None);
            let story = json!({"id": "18012345678901234", "url": world.file_address(&file)});
            message.extra.insert("reply_to".to_owned(), json!({ "story": story }));
        }
        "unsupported" => {
            message.extra.insert("is_unsupported".to_owned(), json!(true));
        }
        "location" => {
            let coordinates = input.content.clone().unwrap_or_else(|| json!({"lat": 52.37, "long": 4.89}));
            let payload = json!({ "coordinates": coordinates });
            let kind = "location".to_owned();
            message.attachments.push(Attachment { kind, payload: Some(payload), ..Attachment::default() });
        }
        kind if ATTACHMENT_KINDS.contains(&kind) => {
            if message.attachments.is_empty() {
                message.attachments.push(attachment(world, &AttachmentInput::Kind(kind.to_owned())));
            }
        }
        other => {
            let channel = account.channel();
            return Err(Mistake::new(format!("kind: \"{other}\" is not known for {channel}")));
        }
    }
    if matches!(kind, "text" | "standby" | "echo" | "story_reply") && message.attachments.is_empty() {
        message.text.get_or_insert_with(|| "Hello, are you open on Sunday?".to_owned());
    }
    Ok(Some(match kind {
        "echo" => world.send(thread, message, manner),
        _ => world.receive(thread, message, kind == "standby", manner),
    }))
}

fn postback(world: &mut World, thread: usize, message: Message, input: &Input, manner: Manner) -> String {
    let at_ms = message.at_ms;
    let title = message.text.clone().unwrap_or_else(|| "Get started".to_owned());
    let payload = input.payload.clone().unwrap_or_else(|| "GET_STARTED".to_owned());
    let mid = world.add_message(thread, Message { text: Some(title.clone()), ..message });
    if let Some(thread) = world.inbox.threads.get_mut(thread) {
        thread.has_written = true;
    }
    world.renew_window(thread, at_ms);
    let mut value = json!({"mid": mid, "title": title, "payload": payload});
    if let (Some(referral), Some(members)) = (&input.referral, value.as_object_mut()) {
        members.insert("referral".to_owned(), referral.clone());
    }
    world.announce_chat(thread, Event::Postback, at_ms, one("postback", value), false, manner);
    mid
}

/// Returns the id of the message that the call names, or else of the newest one in the thread: of the account (`out`) or
/// of the person.
pub(super) fn existing(world: &World, thread: usize, input: &Input, out: bool) -> Result<String, Mistake> {
    let Some(mid) = &input.mid else {
        let messages = world.inbox.threads.get(thread).map(|thread| thread.messages.iter().rev());
        let newest = messages.into_iter().flatten().find(|message| message.out == out);
        return newest
            .map(|message| message.mid.clone())
            .ok_or_else(|| Mistake::new("mid is required: the thread has no such message"));
    };
    match world.inbox.message(mid) {
        Some(_) => Ok(mid.clone()),
        None => Err(Mistake::new(format!("mid: there is no message {mid}"))),
    }
}

/// Makes an attachment, with a file of its own unless the test gives an address.
fn attachment(world: &mut World, given: &AttachmentInput) -> Attachment {
    let plain;
    let given = match given {
        AttachmentInput::Detailed(given) => given,
        AttachmentInput::Kind(kind) => {
            plain = DetailedAttachment { kind: kind.clone(), ..DetailedAttachment::default() };
            &plain
        }
    };
    let mut attachment = Attachment {
        kind: given.kind.clone(),
        url: given.url.clone(),
        title: given.title.clone(),
        name: given.name.clone(),
        payload: given.payload.clone(),
        file_id: None,
    };
    if attachment.url.is_none() && attachment.payload.is_none() && ATTACHMENT_KINDS.contains(&given.kind.as_str()) {
        let file_id = world.add_file(&given.kind, given.lie.as_deref(), None);
        attachment.url = Some(world.file_address(&file_id));
        attachment.file_id = Some(file_id);
    }
    attachment
}

fn one(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}
