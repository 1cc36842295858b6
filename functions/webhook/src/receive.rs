//! Handling of one webhook request.

use std::collections::BTreeMap;
use std::convert::Infallible;

use jiff::Timestamp;
use lambda_http::http::{Method, header};
use lambda_http::{Body, Request, RequestExt, Response};
use leadwire::http::headers::protect;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::OrgId;
use leadwire::jobs::{EngagementJob, LeadBatch, LeadJob};
use leadwire::meta_app::AppSecrets;
use leadwire::model::lead::FoundBy;
use leadwire::model::webhook::{self, Change, EngagementNotice, LeadNotice};
use leadwire::queue::{Message, Queue};
use leadwire::secret::App;

/// Verifies webhook requests and puts their changes into queues.
pub(crate) struct Receiver {
    pub(crate) secrets: AppSecrets,
    pub(crate) leads: Queue<LeadBatch>,
    pub(crate) engagement: Queue<EngagementJob>,
}

impl Receiver {
    /// Returns 200 once everything is in the queues, 401 if the request is not signed by Meta, 400 if the body is not a
    /// delivery, and 503 if Meta should send it again.
    pub(crate) async fn answer(&self, request: Request) -> Result<Response<Body>, Infallible> {
        let response = match *request.method() {
            Method::GET => self.challenge(&request).await,
            Method::POST => self.receive(&request).await,
            _ => Err(Problem::new(ProblemCode::MethodNotAllowed, "Meta sends GET and POST.")),
        };
        let mut response = response.unwrap_or_else(|problem| problem.response());
        protect(response.headers_mut());
        Ok(response)
    }

    /// Meta verifies the callback URL: returns the challenge unchanged if the verify token is correct.
    async fn challenge(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let query = request.query_string_parameters();
        let refused =
            || Problem::new(ProblemCode::VerifyTokenWrong, "hub.verify_token is not the one of this deployment.");
        let (Some("subscribe"), Some(token), Some(challenge)) =
            (query.first("hub.mode"), query.first("hub.verify_token"), query.first("hub.challenge"))
        else {
            return Err(refused());
        };
        let apps = self.secrets.apps().await.map_err(not_ready)?;
        // Compares signatures instead of the tokens: the time it takes does not depend on how much of them matches.
        let known = apps.iter().any(|app| {
            app.verify_token.verifies(b"verify", &leadwire::secret::HmacKey::new(token.to_owned()).sign(b"verify"))
        });
        if !known {
            tracing::warn!("the webhook was to be verified with a wrong verify token");
            return Err(refused());
        }
        Ok(text(challenge))
    }

    async fn receive(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let body = request.body().as_ref();
        let signature = request.headers().get("x-hub-signature-256").and_then(|value| value.to_str().ok());
        self.verify(signature, body).await?;
        let delivery = webhook::parse(body).map_err(|error| {
            tracing::error!(%error, bytes = body.len(), "a signed body is not a delivery");
            Problem::new(ProblemCode::NotADelivery, "The body is signed, but is not what Meta's webhooks send.")
        })?;
        // Sort the changes by queue.
        let sorted = sort(delivery.changes);
        let (leads, engagement) = (sorted.leads.len(), sorted.engagement.len());
        if let Some(changes) = sorted.skipped.get(&webhook::Skip::Unreadable) {
            tracing::error!(changes, metric = "changes_unreadable", "Meta sent leads or entries that cannot be read");
        }
        // Enqueue everything before Meta gets its 200.
        let now = leadwire::clock::now();
        let jobs = lead_batches(sorted.leads, named_org(request).as_deref(), now);
        let notices = engagement_messages(sorted.engagement, now);
        let sent = tokio::join!(self.leads.send(&jobs), self.engagement.send_messages(notices));
        sent.0.and(sent.1).map_err(|error| {
            tracing::error!(%error, leads, engagement, "a delivery is not in the queues; Meta will send it again");
            Problem::new(ProblemCode::NotQueued, "Not accepted. Send it again.")
        })?;
        tracing::info!(object = delivery.object, leads, engagement, skipped = ?sorted.skipped, bytes = body.len(), "delivery taken");
        Ok(text("EVENT_RECEIVED"))
    }

    /// Accepts the SHA-256 signature only, over the bytes as received. Meta signs the escaped form, so a body that was
    /// parsed and serialized again would not verify.
    async fn verify(&self, signature: Option<&str>, body: &[u8]) -> Result<(), Problem> {
        let refused = |code: ProblemCode, detail: &str| Problem::new(code, detail);
        let signature = signature
            .ok_or_else(|| refused(ProblemCode::SignatureMissing, "The header X-Hub-Signature-256 is missing."))?;
        let signature = signature.strip_prefix("sha256=").and_then(|hex| hex::decode(hex).ok());
        let signature = signature.filter(|signature| signature.len() == 32).ok_or_else(|| {
            refused(ProblemCode::SignatureMalformed, "X-Hub-Signature-256 must be sha256= and 64 hex digits.")
        })?;
        let is_signed = |apps: &[App]| apps.iter().any(|app| app.secret.verifies(body, &signature));
        let apps = self.secrets.apps().await.map_err(not_ready)?;
        if is_signed(&apps) {
            return Ok(());
        }
        let refreshed = self.secrets.refreshed_apps().await.map_err(not_ready)?;
        if !std::sync::Arc::ptr_eq(&apps, &refreshed) && is_signed(&refreshed) {
            return Ok(());
        }
        tracing::warn!(bytes = body.len(), metric = "signatures_refused", "a delivery is not signed by Meta's app");
        Err(refused(ProblemCode::SignatureWrong, "The body is not signed with this app's secret."))
    }
}

fn not_ready(error: leadwire::vault::VaultError) -> Problem {
    tracing::error!(%error, "the app secret cannot be read; Meta will send it again");
    Problem::new(ProblemCode::NotReady, "Not accepted. Send it again.")
}

fn text(body: &str) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_owned()));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain"));
    response
}

/// The org named in the callback URL, if it is a valid id.
fn named_org(request: &Request) -> Option<String> {
    let query = request.query_string_parameters();
    query.first("orgid").and_then(|id| OrgId::parse(id).ok()).map(|org| org.to_string())
}

#[derive(Default)]
struct Sorted {
    leads: Vec<LeadNotice>,
    engagement: Vec<EngagementNotice>,
    /// Number of skipped changes by reason.
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

fn lead_batches(leads: Vec<LeadNotice>, orgid: Option<&str>, received_at: Timestamp) -> Vec<LeadBatch> {
    let job =
        |notice| LeadJob { orgid: orgid.map(ToOwned::to_owned), ..LeadJob::new(notice, received_at, FoundBy::Webhook) };
    LeadBatch::pack(leads.into_iter().map(job).collect())
}

/// Drops notices that are too large for the queue. Sending one again would not make it smaller, and the failure would
/// block the rest of its delivery forever.
fn engagement_messages(notices: Vec<EngagementNotice>, received_at: Timestamp) -> Vec<Message> {
    let message = |notice| {
        let job = EngagementJob { notice, received_at };
        let message = Queue::encode(&job);
        message
            .inspect_err(|error| {
                tracing::error!(%error, field = job.notice.field, metric = "changes_too_large", "a change is lost");
            })
            .ok()
    };
    notices.into_iter().filter_map(message).collect()
}

#[cfg(test)]
#[path = "hostile_tests.rs"]
mod hostile_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_s_message_is_small_and_says_all() {
        let notice =
            serde_json::from_str(r#"{"leadgen_id":"222","page_id":"111","form_id":"333","created_time":1700000000}"#)
                .unwrap();
        let jobs = lead_batches(vec![notice], Some("demo"), "2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(
            serde_json::to_string(&jobs[0]).unwrap(),
            r#"{"leads":[{"leadgen_id":"222","page_id":"111","form_id":"333","created_time":1700000000,"received_at":"2026-01-01T00:00:00Z","found_by":"webhook","orgid":"demo"}]}"#
        );
        assert_eq!(jobs[0].leads[0].notice.leadgen_id.as_str(), "222");
    }

    #[test]
    fn what_cannot_be_queued_keeps_nothing_else_out() {
        let notice = |value: String| EngagementNotice {
            object: "page".into(),
            entry_id: "7".into(),
            field: "feed".into(),
            value,
        };
        let messages =
            engagement_messages(vec![notice("x".repeat(2_000_000)), notice("{}".into())], Timestamp::UNIX_EPOCH);
        assert_eq!(messages.len(), 1);
    }
}
