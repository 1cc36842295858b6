//! Submitted leads and the delivery state of their webhooks.

use std::sync::OnceLock;

/// How long Meta keeps a lead readable: 90 days.
const RETENTION_MS: i64 = 90 * 24 * 3600 * 1000;

/// A submitted form (`Lead`).
#[derive(Debug, Clone)]
pub(crate) struct Lead {
    pub(crate) id: String,
    pub(crate) form_id: String,
    pub(crate) page_id: String,
    /// `None` for organic and test leads.
    pub(crate) ad_id: Option<String>,
    pub(crate) platform: String,
    /// The partner of Meta's that the lead came through.
    pub(crate) partner_name: Option<String>,
    pub(crate) created_ms: i64,
    /// Earlier reads return error 100/33: the webhook can be faster than the read path.
    pub(crate) readable_from_ms: i64,
    pub(crate) answers: Vec<Answer>,
    pub(crate) consents: Vec<ConsentAnswer>,
    pub(crate) test: bool,
    pub(crate) delivery: DeliveryState,
    /// Webhook posts that carried this lead, successful or not.
    pub(crate) attempts: u32,
    /// The control interface's JSON text for all fields above except `delivery` and `attempts`. These never change, and
    /// rendering ten thousand leads on every call takes half a second.
    pub(crate) told: OnceLock<String>,
}

/// One element of `field_data`.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

/// One element of `custom_disclaimer_responses`.
#[derive(Debug, Clone)]
pub(crate) struct ConsentAnswer {
    pub(crate) key: String,
    pub(crate) checked: bool,
}

/// The delivery state of a lead's webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryState {
    /// Queued, or being retried.
    Pending,
    /// A receiver returned 200.
    Delivered,
    /// The control call that submitted the lead asked for the webhook to be lost.
    Dropped,
    /// No app was subscribed when the lead was submitted.
    Unsubscribed,
    /// The app was in development mode when a stranger submitted the lead.
    Development,
    /// The receiver rejected it for 36 hours.
    GivenUp,
}

impl DeliveryState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dropped => "dropped",
            Self::Unsubscribed => "unsubscribed",
            Self::Development => "development",
            Self::GivenUp => "given_up",
        }
    }
}

impl Lead {
    /// Whether a client with all permissions can read the lead now.
    pub(crate) fn is_readable(&self, now_ms: i64) -> bool {
        self.readable_from_ms <= now_ms && self.is_retained(now_ms)
    }

    /// Whether Meta still stores the lead.
    pub(crate) fn is_retained(&self, now_ms: i64) -> bool {
        self.created_ms > now_ms - RETENTION_MS
    }

    pub(crate) fn is_organic(&self) -> bool {
        self.ad_id.is_none()
    }
}
