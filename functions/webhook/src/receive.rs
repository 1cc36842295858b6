//! One request of Meta's.

use std::collections::BTreeMap;
use std::convert::Infallible;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, Response};
use leadwire::app_secrets::AppSecrets;
use leadwire::graph::App;
use leadwire::http::Problem;
use leadwire::ids::OrgId;
use leadwire::model::lead::FoundBy;
use leadwire::model::lead::job::LeadJob;
use leadwire::model::webhook::{self, Change, EngagementNotice, LeadNotice};
use leadwire::queue::{Message, Queue, QueueError};

/// Everything a request needs.
pub(crate) struct Receiver {
    pub(crate) secrets: AppSecrets,
    pub(crate) leads: Queue,
    pub(crate) engagement: Queue,
}

impl Receiver {
    /// Answers 200 when everything is in the queues, 401 to whoever is not Meta, 400 to what is no delivery, and 503 when
    /// Meta should send it again.
    pub(crate) async fn answer(&self, request: Request) -> Result<Response<Body>, Infallible> {
        let answered = match *request.method() {
            Method::GET => self.challenge(&request).await,
            Method::POST => self.receive(&request).await,
            _ => Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Meta sends GET and POST.")),
        };
        Ok(answered.unwrap_or_else(|problem| problem.response()))
    }

    /// Meta verifies the address: it gets its challenge back, to the letter, if it knows the verify token.
    async fn challenge(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let query = request.query_string_parameters();
        let refused = || {
            Problem::new(
                StatusCode::FORBIDDEN,
                "verify_token_wrong",
                "hub.verify_token is not the one of this deployment.",
            )
        };
        let (Some("subscribe"), Some(token), Some(challenge)) =
            (query.first("hub.mode"), query.first("hub.verify_token"), query.first("hub.challenge"))
        else {
            return Err(refused());
        };
        let apps = self.secrets.apps().await.map_err(not_ready)?;
        // Comparing two signatures over the same thing takes the same time whatever the tokens have in common.
        let known = apps.iter().any(|app| {
            app.verify_token.verifies(b"verify", &leadwire::secret::HmacKey::new(token.to_owned()).sign(b"verify"))
        });
        if !known {
            tracing::warn!("somebody tried to verify the webhook with a wrong verify token");
            return Err(refused());
        }
        Ok(text(challenge))
    }

    async fn receive(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let body = request.body().as_ref();
        let signature = request.headers().get("x-hub-signature-256").and_then(|value| value.to_str().ok());
        self.verify(signature, body).await?;
        let delivery = webhook::parse(body).map_err(|error| {
            tracing::error!(%error, bytes = body.len(), "a signed body is no delivery");
            Problem::new(
                StatusCode::BAD_REQUEST,
                "not_a_delivery",
                "The body is signed, but is not what Meta's webhooks send.",
            )
        })?;
        let sorted = sort(delivery.changes);
        let (leads, engagement) = (sorted.leads.len(), sorted.engagement.len());
        if let Some(changes) = sorted.skipped.get(&webhook::Skip::Unreadable) {
            tracing::error!(changes, metric = "changes_unreadable", "Meta sent leads or entries that cannot be read");
        }
        let jobs = lead_messages(sorted.leads, named_org(request), leadwire::clock::now());
        let facts = engagement_messages(sorted.engagement);
        let sent = tokio::join!(self.leads.send_all(jobs), self.engagement.send_all(facts));
        sent.0.and(sent.1).map_err(|error| {
            tracing::error!(%error, leads, engagement, "a delivery is not in the queues; Meta will send it again");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_queued", "Not taken. Send it again.")
        })?;
        tracing::info!(object = delivery.object, leads, engagement, skipped = ?sorted.skipped, bytes = body.len(), "delivery taken");
        Ok(text("EVENT_RECEIVED"))
    }

    /// Only the SHA-256 signature counts, over the bytes as they came: Meta signs its escaped form, so a body that was
    /// parsed and written again would not verify.
    async fn verify(&self, signature: Option<&str>, body: &[u8]) -> Result<(), Problem> {
        let refused = |code, detail: &str| Problem::new(StatusCode::UNAUTHORIZED, code, detail);
        let signature =
            signature.ok_or_else(|| refused("signature_missing", "The header X-Hub-Signature-256 is missing."))?;
        let signature = signature.strip_prefix("sha256=").and_then(|hex| hex::decode(hex).ok());
        let signature = signature.filter(|signature| signature.len() == 32).ok_or_else(|| {
            refused("signature_malformed", "X-Hub-Signature-256 has to be sha256= and 64 hex digits.")
        })?;
        let good = |apps: &[App]| apps.iter().any(|app| app.secret.verifies(body, &signature));
        let apps = self.secrets.apps().await.map_err(not_ready)?;
        if good(&apps) {
            return Ok(());
        }
        let anew = self.secrets.apps_read_anew().await.map_err(not_ready)?;
        if !std::sync::Arc::ptr_eq(&apps, &anew) && good(&anew) {
            return Ok(());
        }
        tracing::warn!(bytes = body.len(), metric = "signatures_refused", "a delivery is not signed by Meta's app");
        Err(refused("signature_wrong", "The body is not signed with this app's secret."))
    }
}

fn not_ready(error: leadwire::vault::VaultError) -> Problem {
    tracing::error!(%error, "the app secret cannot be read; Meta will send it again");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "Not taken. Send it again.")
}

fn text(body: &str) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_owned()));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    response
}

/// The org that the callback URL names, if it can be one.
fn named_org(request: &Request) -> Option<String> {
    let query = request.query_string_parameters();
    query.first("orgid").and_then(|named| OrgId::parse(named).ok()).map(|org| org.to_string())
}

#[derive(Default)]
struct Sorted {
    leads: Vec<LeadNotice>,
    engagement: Vec<EngagementNotice>,
    /// Reason and number.
    skipped: BTreeMap<webhook::Skip, usize>,
}

fn sort(changes: Vec<Change>) -> Sorted {
    let mut sorted = Sorted::default();
    for change in changes {
        match change {
            Change::Lead(lead) => sorted.leads.push(lead),
            Change::Engagement(notice) => sorted.engagement.push(notice),
            Change::Skipped(why) => *sorted.skipped.entry(why).or_default() += 1,
        }
    }
    sorted
}

fn lead_messages(leads: Vec<LeadNotice>, orgid: Option<String>, received_at: Timestamp) -> Vec<Message> {
    let message = |notice: LeadNotice| {
        let group = notice.page_id.to_string();
        let job = LeadJob { orgid: orgid.clone(), ..LeadJob::new(notice, received_at, FoundBy::Webhook) };
        Message { body: serde_json::to_string(&job).unwrap_or_default(), group }
    };
    leads.into_iter().map(message).collect()
}

/// A notice that no queue can hold is left out: sending it again would not make it smaller, and would keep the rest of
/// its body from ever getting in.
fn engagement_messages(notices: Vec<EngagementNotice>) -> Vec<Message> {
    let message = |notice: EngagementNotice| {
        let body = webhook::escaped_to_ascii(&serde_json::to_string(&notice).unwrap_or_default());
        match Queue::fits(&body) {
            Ok(()) => Some(Message { body, group: group(&notice.entry_id) }),
            Err(QueueError::TooLarge(bytes)) => {
                tracing::error!(
                    bytes,
                    field = notice.field,
                    metric = "changes_too_large",
                    "a change is too large for the queue and is lost"
                );
                None
            }
            Err(QueueError::Failed(_)) => None,
        }
    };
    notices.into_iter().filter_map(message).collect()
}

/// SQS takes 1 to 128 letters, digits and some punctuation as a group.
fn group(entry_id: &str) -> String {
    let group: String = entry_id.chars().filter(char::is_ascii_alphanumeric).take(128).collect();
    if group.is_empty() { "none".to_owned() } else { group }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_s_message_is_small_and_says_all() {
        let notice =
            serde_json::from_str(r#"{"leadgen_id":222,"page_id":"111","form_id":"333","created_time":1700000000}"#)
                .unwrap();
        let messages = lead_messages(vec![notice], Some("demo".into()), "2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(messages[0].group, "111");
        assert_eq!(
            messages[0].body,
            r#"{"leadgen_id":"222","page_id":"111","form_id":"333","created_time":1700000000,"received_at":"2026-01-01T00:00:00Z","found_by":"webhook","orgid":"demo"}"#
        );
        let job: LeadJob = serde_json::from_str(&messages[0].body).unwrap();
        assert_eq!(job.notice.leadgen_id.as_str(), "222");
    }

    #[test]
    fn what_cannot_be_queued_keeps_nothing_else_out() {
        let notice = |value: String| EngagementNotice {
            object: "page".into(),
            entry_id: "7".into(),
            field: "feed".into(),
            value,
        };
        let messages = engagement_messages(vec![notice("x".repeat(2_000_000)), notice("{}".into())]);
        assert_eq!(messages.len(), 1);
    }

    #[test]
    fn groups_are_what_sqs_takes() {
        assert_eq!(group("12 3\u{1F600}"), "123");
        assert_eq!(group(""), "none");
    }
}
