//! Bodies as Meta posts them to the webhook, and an org whose accounts they name.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::ConversationQuery;
use super::messages::MessageOut;
use super::tests::World;
use crate::ids::{ConversationId, InstagramAccountId, OrgScope, PageId};
use crate::jobs::EngagementJob;
use crate::model::connection::Connection;
use crate::model::inbox::Conversation;
use crate::model::org::Org;
use crate::model::webhook::{self, Change};
use crate::publishing::meta_test_support::Meta;
use crate::table::inbox::InboxAccount;
use crate::table::tests::{connection, scope};
use crate::trace::TraceId;

/// When Meta writes these bodies.
pub(super) const T: i64 = 1_795_507_200;

pub(super) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl World {
    /// Org `a` has connected page 103, its Instagram account 17800 and the WhatsApp number PN1.
    pub(crate) async fn connected() -> Self {
        let world = Self::new().await;
        world.connect("a").await;
        world.fixture.meta.world().now = second(T + 10);
        world
    }

    /// Connects the same accounts to another org, too.
    pub(super) async fn connect(&self, org: &str) -> OrgScope {
        let (table, scope, page) = (&self.engagement.table, scope(org), PageId::parse("103").unwrap());
        let known = table.org(&self.owner.scope).await.unwrap().unwrap();
        table.put_org(&scope, &Org { id: scope.org().clone(), ..known }).await.unwrap();
        let instagram_account_id = Some(InstagramAccountId::parse("17800").unwrap());
        let known = Connection { page_id: page.clone(), instagram_account_id, ..connection(org) };
        table.save_connection(&scope, &known).await.unwrap();
        for (network, account, page_id) in [("instagram", "17800", Some(page)), ("whatsapp", "PN1", None)] {
            let account = InboxAccount {
                network: network.to_owned(),
                account: account.to_owned(),
                org: scope.org().clone(),
                integration_id: known.integration_id.clone(),
                page_id,
                waba_id: None,
                name: None,
            };
            table.put_inbox_account(&scope, &account).await.unwrap();
        }
        scope
    }

    /// Takes a body as the webhook and the worker do. Nothing of it fails.
    pub(crate) async fn deliver(&self, body: &Value) {
        for outcome in self.try_deliver(body).await {
            outcome.unwrap();
        }
    }

    pub(super) async fn try_deliver(&self, body: &Value) -> Vec<Result<(), crate::error::WorkError>> {
        let delivery = webhook::parse(body.to_string().as_bytes()).unwrap();
        let job = |change| match change {
            Change::Engagement(notice) => Some(EngagementJob { notice, received_at: self.now() }),
            _ => None,
        };
        let jobs: Vec<EngagementJob> = delivery.changes.into_iter().filter_map(job).collect();
        let trace = TraceId::fresh();
        let notices: Vec<_> = jobs.iter().map(|job| (job, 1, &trace)).collect();
        self.engagement.take(&notices, self.now()).await
    }

    /// The only conversation, with the texts in it.
    pub(super) async fn conversation(&self) -> (Conversation, Vec<String>) {
        let mut found = self.conversations().await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    /// The messages of a conversation as members see them, oldest first.
    pub(super) async fn show_messages(&self, id: &ConversationId) -> Vec<MessageOut> {
        let access = self.fixture.access().await;
        let mut items = self.inbox.messages(&access, id, None, 100).await.unwrap().items;
        items.reverse();
        items
    }

    /// How many conversations a search finds.
    pub(super) async fn count_found(&self, words: &str) -> usize {
        let access = self.fixture.access().await;
        let query = ConversationQuery { words: Some(words.to_owned()), ..ConversationQuery::default() };
        self.inbox.conversations(&access, &query, None, 25, self.now()).await.unwrap().items.len()
    }

    /// How many integrations were given to the check of their tokens.
    pub(super) fn checks(&self) -> usize {
        let world = self.fixture.meta.world();
        world.batched.iter().filter(|request| request["QueueUrl"].as_str().unwrap().ends_with("/checks")).count()
    }
}

/// A body with one entry of an account.
pub(super) fn body(object: &str, account: &str, kind: &str, items: &Value) -> Value {
    json!({ "object": object, "entry": [{ "id": account, "time": T, kind: items }] })
}

/// A body with one event between a person and the Instagram account.
pub(super) fn direct(person: &str, at: i64, key: &str, part: &Value) -> Value {
    body("instagram", "17800", "messaging", &json!([event(person, at, key, part)]))
}

/// An event between a person and the Instagram account.
pub(super) fn event(person: &str, at: i64, key: &str, part: &Value) -> Value {
    json!({ "sender": { "id": person }, "recipient": { "id": "17800" }, "timestamp": at * 1_000, key: part })
}

/// A body with one change of the WhatsApp number.
pub(super) fn whatsapp(members: &Value) -> Value {
    let mut value = json!({ "messaging_product": "whatsapp", "metadata": { "phone_number_id": "PN1" } });
    value.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body("whatsapp_business_account", "W1", "changes", &json!([{ "field": "messages", "value": value }]))
}

impl Meta {
    /// Says where the file 900 is. Without an address there is no such file.
    pub(crate) fn whatsapp_media(&self) -> Result<Value, (i64, Option<i64>)> {
        match &self.whatsapp_file {
            Some(address) => Ok(json!({ "url": address, "mime_type": "image/jpeg", "id": "900" })),
            None => Err((100, Some(33))),
        }
    }

    /// Hands out the file 900 to those with the token.
    pub(crate) fn whatsapp_file(&mut self, headers: &HeaderMap) -> Response {
        self.calls.push("GET lookaside/900".to_owned());
        let fault = self.faults.iter().position(|fault| fault.call == "GET lookaside/900");
        if fault.and_then(|at| self.faults.remove(at)).is_some() {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        match headers.get("authorization").and_then(|token| token.to_str().ok()) {
            Some("Bearer t") => crate::model::publishing::upload::tests::jpeg(10, 10).into_response(),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    }
}
