//! Answers: messages on Messenger, Instagram and WhatsApp, and replies to comments. Meta's Send API, its Cloud API, and
//! the edges of comments.
//!
//! Meta knows no idempotency key. What Leadwire writes into a message for itself comes back with the echo
//! (`metadata`) or with the statuses (`biz_opaque_callback_data`), so that a lost answer can be found out.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page_posts::graph_time;
use super::{GraphClient, GraphError, OnlyId, read};
use crate::ids::{MessageId, PageId};
use crate::model::inbox::outgoing::{SendContent, SendRoute, SendTemplate};
use crate::secret::AccessToken;

/// A message or a comment of ours, as Meta shows it afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenAnswer {
    /// Meta's id.
    pub mid: String,
    /// The text, if it has one: Meta lists a file with an empty one.
    pub text: Option<String>,
    /// When it was written.
    pub created_time: Timestamp,
}

#[derive(Deserialize)]
struct Sent {
    message_id: String,
}

#[derive(Deserialize)]
struct AcceptedByWhatsapp {
    messages: Vec<OnlyId>,
}

#[derive(Deserialize)]
struct ListedMessages {
    #[serde(default)]
    messages: Option<Listed<ListedMessage>>,
}

#[derive(Deserialize)]
struct Listed<T> {
    data: Vec<T>,
}

#[derive(Deserialize)]
struct ListedMessage {
    id: String,
    #[serde(deserialize_with = "graph_time")]
    created_time: Timestamp,
    message: Option<String>,
    from: Option<OnlyId>,
}

#[derive(Deserialize)]
struct ListedReply {
    id: String,
    #[serde(default, alias = "text")]
    message: Option<String>,
    #[serde(alias = "timestamp", deserialize_with = "graph_time")]
    created_time: Timestamp,
}

impl GraphClient {
    /// Sends an answer. Returns Meta's id of it.
    ///
    /// # Errors
    /// After [`GraphError::Transport`], [`GraphError::Unavailable`] and [`GraphError::InvalidResponse`], it may have been
    /// sent.
    pub async fn send_answer(
        &self,
        route: &SendRoute,
        content: &SendContent,
        ours: &MessageId,
        token: &AccessToken,
    ) -> Result<String, GraphError> {
        match route {
            SendRoute::Page { page, person, human_agent } => {
                let mut form = messenger(&json!({ "id": person }), content, ours);
                match human_agent {
                    true => {
                        form.extend([("messaging_type", "MESSAGE_TAG".to_owned()), ("tag", "HUMAN_AGENT".to_owned())]);
                    }
                    false => form.push(("messaging_type", "RESPONSE".to_owned())),
                }
                self.send_form(page, &form, token).await
            }
            SendRoute::Privately { page, comment, .. } => {
                let form = messenger(&json!({ "comment_id": comment }), content, ours);
                self.send_form(page, &form, token).await
            }
            SendRoute::FacebookComment { comment } => {
                let mut form = vec![("message", content.text.clone().unwrap_or_default())];
                form.extend(content.attachment.as_ref().map(|attachment| ("attachment_url", attachment.url.clone())));
                Ok(read::<OnlyId>(self.post_owned(&format!("{comment}/comments"), &form, token).await?)?.id)
            }
            SendRoute::InstagramComment { comment } => {
                let form = [("message", content.text.clone().unwrap_or_default())];
                Ok(read::<OnlyId>(self.post_owned(&format!("{comment}/replies"), &form, token).await?)?.id)
            }
            SendRoute::Whatsapp { number, person, phone } => {
                let body = whatsapp(person.as_deref(), phone.as_deref(), content, ours);
                let answer = self.post_json(&format!("{number}/messages"), &body, token).await?;
                let accepted = read::<AcceptedByWhatsapp>(answer)?.messages.into_iter().next();
                accepted.map(|message| message.id).ok_or(GraphError::InvalidResponse { status: 200 })
            }
        }
    }

    /// Asks WhatsApp where a file is. The address works for five minutes, and with the token only.
    pub async fn whatsapp_media(&self, id: &str, token: &AccessToken) -> Result<String, GraphError> {
        #[derive(Deserialize)]
        struct MediaUrl {
            url: String,
        }
        Ok(read::<MediaUrl>(self.get(id, &[], token).await?)?.url)
    }

    async fn send_form(
        &self,
        page: &PageId,
        form: &[(&'static str, String)],
        token: &AccessToken,
    ) -> Result<String, GraphError> {
        Ok(read::<Sent>(self.post_owned(&format!("{page}/messages"), form, token).await?)?.message_id)
    }

    async fn post_owned(
        &self,
        path: &str,
        form: &[(&'static str, String)],
        token: &AccessToken,
    ) -> Result<Value, GraphError> {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post(path, &form, token).await
    }

    /// Lists what our side has written of late where an answer went: the newest messages of a conversation, or the replies
    /// to a comment. Empty for WhatsApp, which lists nothing, and for a comment of which Meta does not say the author.
    pub async fn answers_seen(&self, route: &SendRoute, token: &AccessToken) -> Result<Vec<SeenAnswer>, GraphError> {
        match route {
            SendRoute::Page { page, person, .. } | SendRoute::Privately { page, person: Some(person), .. } => {
                let (mut seen, mut refusals) = (Vec::new(), Vec::new());
                for platform in ["messenger", "instagram"] {
                    let query = [
                        ("platform", platform),
                        ("user_id", person.as_str()),
                        ("fields", "messages.limit(20){id,created_time,from,message}"),
                    ];
                    let found = match self.get(&format!("{page}/conversations"), &query, token).await {
                        Ok(answer) => read::<Listed<ListedMessages>>(answer)?.data,
                        // The person has written on the other one.
                        Err(error @ (GraphError::Refused(_) | GraphError::NotVisible(_))) => {
                            refusals.push(error);
                            continue;
                        }
                        Err(error) => return Err(error),
                    };
                    let messages = found.into_iter().filter_map(|conversation| conversation.messages);
                    let ours = messages
                        .flat_map(|messages| messages.data)
                        .filter(|message| message.from.as_ref().is_none_or(|from| from.id != *person));
                    seen.extend(ours.map(|message| SeenAnswer {
                        mid: message.id,
                        text: message.message.filter(|text| !text.is_empty()),
                        created_time: message.created_time,
                    }));
                }
                match refusals.pop() {
                    // Neither shows it.
                    Some(refusal) if !refusals.is_empty() => Err(refusal),
                    _ => Ok(seen),
                }
            }
            SendRoute::FacebookComment { comment } => {
                let query =
                    [("fields", "id,message,created_time"), ("order", "reverse_chronological"), ("limit", "50")];
                self.replies(&format!("{comment}/comments"), &query, token).await
            }
            SendRoute::InstagramComment { comment } => {
                let query = [("fields", "id,text,timestamp"), ("limit", "50")];
                self.replies(&format!("{comment}/replies"), &query, token).await
            }
            SendRoute::Privately { person: None, .. } | SendRoute::Whatsapp { .. } => Ok(Vec::new()),
        }
    }

    async fn replies(
        &self,
        edge: &str,
        query: &[(&str, &str)],
        token: &AccessToken,
    ) -> Result<Vec<SeenAnswer>, GraphError> {
        let listed = read::<Listed<ListedReply>>(self.get(edge, query, token).await?)?.data;
        let seen = |reply: ListedReply| SeenAnswer {
            mid: reply.id,
            text: reply.message.filter(|text| !text.is_empty()),
            created_time: reply.created_time,
        };
        Ok(listed.into_iter().map(seen).collect())
    }
}

/// The form of a message on Messenger or Instagram. A text and a file are two messages there.
fn messenger(recipient: &Value, content: &SendContent, ours: &MessageId) -> Vec<(&'static str, String)> {
    let message = match (&content.attachment, &content.text) {
        (Some(attachment), _) => json!({
            "attachment": { "type": attachment.r#type, "payload": { "url": attachment.url, "is_reusable": false } },
            "metadata": ours,
        }),
        (None, text) => json!({ "text": text, "metadata": ours }),
    };
    vec![("recipient", recipient.to_string()), ("message", message.to_string())]
}

/// The body of a message on WhatsApp.
fn whatsapp(person: Option<&str>, phone: Option<&str>, content: &SendContent, ours: &MessageId) -> Value {
    // A number needs its plus, or Meta puts our own country's code before it.
    let (recipient, to) = match phone {
        Some(phone) => ("to", Some(format!("+{}", phone.trim_start_matches('+')))),
        None => ("recipient", person.map(ToOwned::to_owned)),
    };
    let (kind, part) = match (&content.template, &content.attachment) {
        (Some(template), _) => ("template", template_part(template)),
        (None, Some(attachment)) => {
            let kind = if attachment.r#type == "file" { "document" } else { attachment.r#type.as_str() };
            let caption = content.text.as_deref().filter(|_| kind != "audio");
            let part = match caption {
                Some(caption) => json!({ "link": attachment.url, "caption": caption }),
                None => json!({ "link": attachment.url }),
            };
            (kind, part)
        }
        (None, None) => ("text", json!({ "body": content.text, "preview_url": true })),
    };
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": ours,
        recipient: to,
        "type": kind,
        kind: part,
    })
}

fn template_part(template: &SendTemplate) -> Value {
    let parameters: Vec<Value> =
        template.variables.iter().map(|text| json!({ "type": "text", "text": text })).collect();
    let components = match parameters.is_empty() {
        true => json!([]),
        false => json!([{ "type": "body", "parameters": parameters }]),
    };
    json!({ "name": template.name, "language": { "code": template.language }, "components": components })
}
