//! Webhook subscriptions: what Meta reports to this app, of which pages, and where.
//!
//! Meta ends those of pages without notice (an hour of failed deliveries is enough), so they are read back. Those of the app
//! itself are entered in its dashboard.

use serde::Deserialize;
use serde_json::Value;

use super::batch::Call;
use super::error::Detail;
use super::{GraphClient, GraphError, OnlyId, read};
use crate::ids::PageId;
use crate::secret::AccessToken;

/// The page's webhook fields that Leadwire subscribes to. Beside each is the permission it needs: without it, Meta
/// refuses the whole list.
const FIELDS: [(&str, Option<&str>); 13] = [
    ("leadgen", Some("leads_retrieval")),
    ("feed", None),
    ("mention", None),
    ("messages", Some("pages_messaging")),
    ("messaging_postbacks", Some("pages_messaging")),
    ("message_echoes", Some("pages_messaging")),
    ("message_deliveries", Some("pages_messaging")),
    ("message_reads", Some("pages_messaging")),
    ("message_reactions", Some("pages_messaging")),
    ("message_edits", Some("pages_messaging")),
    ("messaging_referrals", Some("pages_messaging")),
    ("messaging_handovers", Some("pages_messaging")),
    ("standby", Some("pages_messaging")),
];

/// The fields that the app is subscribed to of an Instagram account.
const INSTAGRAM_FIELDS: [&str; 11] = [
    "comments",
    "live_comments",
    "mentions",
    "messages",
    "messaging_postbacks",
    "messaging_seen",
    "message_reactions",
    "message_edit",
    "messaging_referral",
    "messaging_handover",
    "standby",
];

/// What the app is subscribed to in its dashboard, by the kind of object. Meta reports nothing of a page or an account that
/// is not named there too.
#[must_use]
pub fn app_fields() -> [(&'static str, Vec<&'static str>); 3] {
    [
        ("page", FIELDS.map(|(field, _)| field).into()),
        ("instagram", INSTAGRAM_FIELDS.into()),
        ("whatsapp_business_account", vec!["messages", "smb_message_echoes", "user_id_update"]),
    ]
}

/// The subscription of the app to a kind of object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AppSubscription {
    /// The kind, such as `page`.
    pub object: String,
    /// Where Meta reports to.
    pub callback_url: String,
    /// Whether Meta reports at all.
    pub active: bool,
    #[serde(default)]
    fields: Vec<AppField>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct AppField {
    name: String,
}

impl AppSubscription {
    /// Those of these fields that are not reported.
    #[must_use]
    pub fn missing<'f>(&self, fields: &[&'f str]) -> Vec<&'f str> {
        fields.iter().copied().filter(|field| !self.fields.iter().any(|own| own.name == *field)).collect()
    }
}

/// Returns the fields that the granted permissions allow.
#[must_use]
pub fn fields(granted: &[String]) -> Vec<&'static str> {
    let allowed = |needed: &str| granted.iter().any(|scope| scope == needed);
    FIELDS.into_iter().filter(|(_, needed)| needed.is_none_or(allowed)).map(|(field, _)| field).collect()
}

#[derive(Deserialize)]
struct Subscriber {
    id: String,
    #[serde(default)]
    subscribed_fields: Vec<String>,
}

#[derive(Deserialize)]
struct WhatsappSubscriber {
    whatsapp_business_api_data: OnlyId,
}

impl GraphClient {
    /// Reads what the app's dashboard shows under *Webhooks*. Meta answers only to the app's own id and secret.
    pub async fn app_subscriptions(&self) -> Result<Vec<AppSubscription>, GraphError> {
        let path = format!("{}/subscriptions", self.app.id);
        Ok(read::<super::GraphPage<AppSubscription>>(self.get(&path, &[], &self.app_token()).await?)?.data)
    }

    /// Subscribes this app to the given fields of each page: one outcome per page, in order. Meta does not document
    /// whether the list replaces the previous one, so it must name every field that any user of the subscription needs.
    pub async fn subscribe(&self, pages: &[(&PageId, &AccessToken, Vec<String>)]) -> Vec<Result<(), GraphError>> {
        let Some((_, first, _)) = pages.first() else { return Vec::new() };
        let calls: Vec<Call> = pages
            .iter()
            .map(|(page, token, fields)| {
                Call::post(&format!("{page}/subscribed_apps"), &[("subscribed_fields", &fields.join(","))])
                    .with_token((*token).clone())
            })
            .collect();
        self.batch(&calls, first).await.into_iter().map(|outcome| confirmed(&outcome?)).collect()
    }

    /// Reads the subscribed fields of each page: one outcome per page, in order. Empty if the app is not installed
    /// there.
    pub async fn subscriptions(&self, pages: &[(&PageId, &AccessToken)]) -> Vec<Result<Vec<String>, GraphError>> {
        const LIMIT: (&str, &str) = ("limit", "100");
        let Some((_, first)) = pages.first() else { return Vec::new() };
        let edge = |page: &PageId| format!("{page}/subscribed_apps");
        let calls: Vec<Call> =
            pages.iter().map(|(page, token)| Call::get(&edge(page), &[LIMIT]).with_token((*token).clone())).collect();
        let mut outcomes = Vec::with_capacity(pages.len());
        for ((page, token), outcome) in pages.iter().zip(self.batch(&calls, first).await) {
            outcomes.push(match outcome.and_then(read::<super::GraphPage<Subscriber>>) {
                Ok(answer) => match (self.own_fields(&answer.data), answer.next()) {
                    // Other apps may fill the first response page.
                    (None, Some(_)) => self
                        .get_all(&edge(page), &[LIMIT], token)
                        .await
                        .map(|all: Vec<Subscriber>| self.own_fields(&all).unwrap_or_default()),
                    (fields, _) => Ok(fields.unwrap_or_default()),
                },
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    fn own_fields(&self, subscribers: &[Subscriber]) -> Option<Vec<String>> {
        let own = subscribers.iter().find(|subscriber| subscriber.id == self.app.id)?;
        Some(own.subscribed_fields.clone())
    }

    /// Unsubscribes this app from the pages: one outcome per page, in order. If a page's own token is missing or fails,
    /// the app's own token is tried.
    pub async fn unsubscribe(&self, pages: &[(&PageId, Option<&AccessToken>)]) -> Vec<Result<(), GraphError>> {
        let app_token = self.app_token();
        let call = |page: &PageId, token: &AccessToken| {
            Call::delete(&format!("{page}/subscribed_apps")).with_token(token.clone())
        };
        let calls: Vec<Call> = pages.iter().map(|(page, token)| call(page, token.unwrap_or(&app_token))).collect();
        let outcomes = self.batch(&calls, &app_token).await.into_iter();
        let mut outcomes: Vec<Result<(), GraphError>> = outcomes.map(|outcome| confirmed(&outcome?)).collect();
        let failed =
            |token: &Option<&AccessToken>, outcome: &Result<(), GraphError>| token.is_some() && outcome.is_err();
        let again: Vec<Call> = pages
            .iter()
            .zip(&outcomes)
            .filter(|((_, token), outcome)| failed(token, outcome))
            .map(|((page, _), _)| call(page, &app_token))
            .collect();
        // Retry the failed pages with the app's own token.
        let mut answers = self.batch(&again, &app_token).await.into_iter();
        for ((_, token), outcome) in pages.iter().zip(&mut outcomes) {
            if failed(token, outcome)
                && let Some(answer) = answers.next()
            {
                *outcome = answer.and_then(|body| confirmed(&body));
            }
        }
        outcomes
    }

    /// Has Meta report the messages of a WhatsApp Business account to this app. Subscribing again changes nothing.
    pub async fn subscribe_whatsapp(&self, waba: &str, token: &AccessToken) -> Result<(), GraphError> {
        self.post(&format!("{waba}/subscribed_apps"), &[], token).await.map(drop)
    }

    /// Whether Meta reports the messages of a WhatsApp account to this app.
    pub async fn is_whatsapp_subscribed(&self, waba: &str, token: &AccessToken) -> Result<bool, GraphError> {
        let apps: Vec<WhatsappSubscriber> = self.get_all(&format!("{waba}/subscribed_apps"), &[], token).await?;
        Ok(apps.iter().any(|app| app.whatsapp_business_api_data.id == self.app.id))
    }
}

/// Rejects a 200 that does not confirm success.
fn confirmed(body: &Value) -> Result<(), GraphError> {
    match body.get("success") {
        Some(Value::Bool(true)) => Ok(()),
        _ => Err(GraphError::Refused(Detail { message: "Meta did not confirm it".to_owned(), ..Detail::default() })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_plain_yes_is_one() {
        assert!(confirmed(&json!({"success": true})).is_ok());
        for no in [json!({"success": false}), json!({}), json!("true"), json!({"success": "true"})] {
            assert!(confirmed(&no).is_err(), "{no}");
        }
    }

    #[test]
    fn a_subscription_says_what_it_lacks() {
        let subscription: AppSubscription =
            serde_json::from_value(json!({ "object": "page", "callback_url": "u", "active": true,
            "fields": [{ "name": "feed", "version": "v26.0" }] }))
            .unwrap();
        assert_eq!(subscription.missing(&["leadgen", "feed"]), ["leadgen"]);
    }

    #[test]
    fn what_is_subscribed_is_what_was_granted() {
        let granted = |scopes: &[&str]| fields(&scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>());
        assert_eq!(granted(&[]), ["feed", "mention"]);
        assert_eq!(granted(&["leads_retrieval", "x"]), ["leadgen", "feed", "mention"]);
        assert!(granted(&["pages_messaging"]).contains(&"messages"));
    }
}
