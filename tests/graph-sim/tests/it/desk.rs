//! A page whose comments and messages a client reads, with its Instagram account and its portfolio's WhatsApp number.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{Answer, Meta, app_token};
use crate::receiver::{Post, Receiver};

/// Every field of a page about comments and messages.
const PAGE_FIELDS: &str = "feed,mention,messages,message_echoes,message_reads,message_deliveries,message_reactions,\
                           message_edits,messaging_postbacks,messaging_referrals,standby";
const INSTAGRAM_FIELDS: &str = "messages,message_reactions,messaging_postbacks,messaging_referral,messaging_seen,\
                                message_edit,standby,comments,mentions";
const WHATSAPP_FIELDS: &str = "messages,smb_message_echoes,message_template_status_update";

/// The page Harbour Lane Dental, and everything around it.
pub(crate) struct Desk {
    pub(crate) meta: Meta,
    pub(crate) receiver: Receiver,
    /// The user token.
    pub(crate) user: String,
    /// The page token.
    pub(crate) token: String,
    pub(crate) instagram_id: String,
    pub(crate) waba_id: String,
    pub(crate) number_id: String,
}

impl Desk {
    /// Starts a simulator in which the app is subscribed to everything.
    pub(crate) async fn start() -> Self {
        let meta = Meta::start().await;
        let receiver = Receiver::start().await;
        for (object, fields) in
            [("page", PAGE_FIELDS), ("instagram", INSTAGRAM_FIELDS), ("whatsapp_business_account", WHATSAPP_FIELDS)]
        {
            let form = [("object", object), ("callback_url", &receiver.url("/hook")), ("fields", fields)];
            let answer = meta.post(&format!("/{}/subscriptions", seed::APP_ID), &app_token(), &form).await;
            assert_eq!(answer.json["success"], true, "{}", answer.text);
        }
        let user = meta.agent().await;
        let token = meta.page_of(&user, seed::DENTAL).await;
        let form = [("subscribed_fields", PAGE_FIELDS)];
        let answer = meta.post(&format!("/{}/subscribed_apps", seed::DENTAL), &token, &form).await;
        assert_eq!(answer.json["success"], true, "{}", answer.text);
        let instagram_id = meta.instagram_of(seed::DENTAL, &token).await;
        let accounts = meta.get(&format!("/{}/owned_whatsapp_business_accounts", seed::PORTFOLIO), &user).await;
        let waba_id = accounts.column("id").remove(0);
        let answer = meta.post(&format!("/{waba_id}/subscribed_apps"), &user, &[]).await;
        assert_eq!(answer.json["success"], true, "{}", answer.text);
        let number_id = meta.get(&format!("/{waba_id}/phone_numbers"), &user).await.column("id").remove(0);
        Self { meta, receiver, user, token, instagram_id, waba_id, number_id }
    }

    /// Makes a person write to the page, and returns the id under which the page knows the person.
    pub(crate) async fn writes(&self, person: &str) -> String {
        let body = json!({"channel": "messenger", "page_id": seed::DENTAL, "person": person, "text": "Hello"});
        person_id(&self.meta.sim("messages", body).await)
    }

    /// Makes a person write to the Instagram account.
    pub(crate) async fn writes_on_instagram(&self, person: &str) -> String {
        let body =
            json!({"channel": "instagram", "instagram_id": self.instagram_id, "person": person, "text": "Hello"});
        person_id(&self.meta.sim("messages", body).await)
    }

    /// Makes a person write to the WhatsApp number. Returns the phone number with `+`, and the id of the message.
    pub(crate) async fn writes_on_whatsapp(&self, person: &str) -> (String, String) {
        let body = json!({"channel": "whatsapp", "phone_number_id": self.number_id, "person": person, "text": "Hello"});
        let answer = self.meta.sim("messages", body).await;
        let phone = answer["person"]["phone"].as_str().expect("a phone number");
        (format!("+{phone}"), answer["mid"].as_str().expect("an id").to_owned())
    }

    /// Sends through the page.
    pub(crate) async fn send(&self, form: &[(&str, &str)]) -> Answer {
        self.meta.post(&format!("/{}/messages", seed::DENTAL), &self.token, form).await
    }

    /// Sends a text to a person whom the page or its Instagram account knows.
    pub(crate) async fn send_text(&self, person_id: &str, text: &str, more: &[(&str, &str)]) -> Answer {
        let recipient = json!({"id": person_id}).to_string();
        let message = json!({"text": text}).to_string();
        let form = [("recipient", recipient.as_str()), ("message", message.as_str())];
        self.send(&form.iter().chain(more).copied().collect::<Vec<_>>()).await
    }

    /// Sends through the WhatsApp number. `messaging_product` is added.
    pub(crate) async fn send_whatsapp(&self, mut body: Value) -> Answer {
        body["messaging_product"] = json!("whatsapp");
        self.meta.post_json(&format!("/{}/messages", self.number_id), &self.user, &body).await
    }

    /// A post of the page.
    pub(crate) async fn post(&self) -> String {
        let post = self.meta.sim("posts", json!({"page_id": seed::DENTAL, "message": "New hours"})).await;
        post["id"].as_str().expect("an id").to_owned()
    }

    /// A medium of the Instagram account.
    pub(crate) async fn medium(&self) -> String {
        let post = self.meta.sim("posts", json!({"instagram_id": self.instagram_id, "message": "New hours"})).await;
        post["id"].as_str().expect("an id").to_owned()
    }

    /// Waits for `count` messaging events that have the member `name`, and returns all of them.
    pub(crate) async fn events(&self, name: &str, count: usize) -> Vec<Value> {
        let found = |posts: &[Post]| -> Vec<Value> {
            elements(posts, "messaging").into_iter().filter(|event| !event[name].is_null()).collect()
        };
        found(&self.receiver.wait(|posts| found(posts).len() >= count).await)
    }

    /// Waits for `count` changes of a field, and returns their values.
    pub(crate) async fn changes(&self, field: &str, count: usize) -> Vec<Value> {
        let found = |posts: &[Post]| -> Vec<Value> {
            let changes = elements(posts, "changes").into_iter().filter(|change| change["field"] == field);
            changes.map(|change| change["value"].clone()).collect()
        };
        found(&self.receiver.wait(|posts| found(posts).len() >= count).await)
    }

    /// Waits for `count` statuses of WhatsApp.
    pub(crate) async fn statuses(&self, count: usize) -> Vec<Value> {
        let found = |posts: &[Post]| -> Vec<Value> {
            let changes = elements(posts, "changes").into_iter();
            changes.filter_map(|change| change["value"]["statuses"].as_array().cloned()).flatten().collect()
        };
        found(&self.receiver.wait(|posts| found(posts).len() >= count).await)
    }

    /// The messages of the only thread.
    pub(crate) async fn messages(&self) -> Vec<Value> {
        let threads = self.meta.truth("threads").await;
        threads[0]["messages"].as_array().expect("messages").clone()
    }
}

/// The elements of the list `name` of all entries.
pub(crate) fn elements(posts: &[Post], name: &str) -> Vec<Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let entries = posts.iter().flat_map(|post| list(&post.json["entry"]));
    entries.flat_map(|entry| list(&entry[name])).collect()
}

/// The id of the person in the answer of a control call.
pub(crate) fn person_id(answer: &Value) -> String {
    answer["person"]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
