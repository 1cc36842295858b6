//! The events published to the CRM. Each kind has a type, which defines both its payload and its JSON schema in the API
//! description.
//!
//! Events are delivered at least once. A consumer detects repeats by `id`, which is derived from what happened and not
//! from when it was published.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use strum::{EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::{IntegrationId, LeadId, OrgId, OrgScope, PageId, UserId};
use crate::model::connection::state::{ConnectionEnd, EndReason, ExpiryNotice};
use crate::model::connection::{Connection, Integration};
use crate::model::lead::{Lead, Submission};

/// A fact to publish.
#[derive(Debug, Clone)]
pub struct Event {
    /// The kind, whose name is the event's name on the bus.
    pub kind: EventKind,
    /// The payload: one of the types below, as JSON.
    pub detail: Value,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum EventKind {
    /// [`LeadCreated`].
    #[strum(serialize = "lead.created")]
    LeadCreated,
    /// [`LeadUpdated`].
    #[strum(serialize = "lead.updated")]
    LeadUpdated,
    /// [`LeadAssigned`].
    #[strum(serialize = "lead.assigned")]
    LeadAssigned,
    /// [`ConnectionConnected`].
    #[strum(serialize = "connection.connected")]
    ConnectionConnected,
    /// [`ConnectionExpiring`].
    #[strum(serialize = "connection.expiring")]
    ConnectionExpiring,
    /// [`ConnectionExpired`].
    #[strum(serialize = "connection.expired")]
    ConnectionExpired,
    /// [`ConnectionPageLost`].
    #[strum(serialize = "connection.page_lost")]
    ConnectionPageLost,
    /// [`ConnectionQuiet`].
    #[strum(serialize = "connection.quiet")]
    ConnectionQuiet,
    /// [`ConnectionDisconnected`].
    #[strum(serialize = "connection.disconnected")]
    ConnectionDisconnected,
}

impl EventKind {
    /// The event's name on the bus, such as `lead.created`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// When the event is published.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::LeadCreated => "A person became a lead",
            Self::LeadUpdated => "A lead's person submitted another form, or its answers were mapped again",
            Self::LeadAssigned => "A user reassigned or unassigned a lead",
            Self::ConnectionConnected => "An integration was connected or reconnected",
            Self::ConnectionExpiring => "An integration expires soon unless it is reconnected",
            Self::ConnectionExpired => "No more leads arrive through an integration",
            Self::ConnectionPageLost => "No more leads arrive from one page of an integration",
            Self::ConnectionQuiet => "A page has been silent for much longer than usual",
            Self::ConnectionDisconnected => "A user of the org deleted an integration",
        }
    }
}
/// `lead.created`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadCreated {
    id: String,
    org: OrgId,
    lead: Lead,
}

/// `lead.updated`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadUpdated {
    id: String,
    org: OrgId,
    lead_id: LeadId,
    cause: UpdateCause,
    /// The new submission, if that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<Submission>,
    /// The newly mapped fields, if the cause is a changed mapping.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapped: Option<MappedAgain>,
}

/// The fields mapped from a lead's answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct MappedAgain {
    full_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    fields: BTreeMap<String, String>,
}

/// Why a lead changed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdateCause {
    /// The same person sent another form.
    Submission,
    /// The form's mapping was changed and applied to earlier leads.
    Mapping,
}

/// `lead.assigned`.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadAssigned {
    id: String,
    org: OrgId,
    lead_id: LeadId,
    /// The new assignee; `null` if the lead is now unassigned.
    assigned_to: Option<UserId>,
    assigned_before: Option<UserId>,
    /// The user who made the change.
    by: UserId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The fields common to all connection events.
#[derive(Debug, Serialize, ToSchema)]
pub struct OfConnection {
    id: String,
    org: OrgId,
    integration_id: IntegrationId,
    integration_name: String,
}

/// `connection.connected`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionConnected {
    #[serde(flatten)]
    connection: OfConnection,
    page_ids: Vec<PageId>,
    /// When the connection expires unless it is renewed; `null` if it never does.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// `connection.expiring`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionExpiring {
    #[serde(flatten)]
    connection: OfConnection,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// How far ahead this notice is: `7d`, `3d` or `1d`.
    notice: String,
}

/// `connection.expired`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionExpired {
    #[serde(flatten)]
    connection: OfConnection,
    reason: EndReason,
    /// A readable explanation of `reason`.
    message: String,
    /// What to do about it.
    fix: String,
}

/// `connection.page_lost`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionPageLost {
    #[serde(flatten)]
    connection: OfConnection,
    page_id: PageId,
    page_name: String,
    reason: EndReason,
    /// A readable explanation of `reason`.
    message: String,
    /// What to do about it.
    fix: String,
}

/// `connection.quiet`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionQuiet {
    #[serde(flatten)]
    connection: OfConnection,
    page_id: PageId,
    page_name: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_lead_at: Option<Timestamp>,
    /// The longest usual time between two of the page's leads, in seconds.
    usual_silence_s: i64,
}

/// `connection.disconnected`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionDisconnected {
    #[serde(flatten)]
    connection: OfConnection,
}

impl Event {
    fn new(kind: EventKind, detail: &impl Serialize) -> Self {
        Self { kind, detail: serde_json::to_value(detail).expect("an event is plain data") }
    }

    /// A submission created a lead.
    #[must_use]
    pub fn lead_created(scope: &OrgScope, lead: &Lead) -> Self {
        let id = format!("lead.created:{}:{}", scope.org(), lead.id);
        Self::new(EventKind::LeadCreated, &LeadCreated { id, org: scope.org().clone(), lead: lead.clone() })
    }

    /// A known person sent another form.
    #[must_use]
    pub fn lead_updated(scope: &OrgScope, submission: &Submission) -> Self {
        let updated = LeadUpdated {
            id: format!("lead.updated:{}:{}:{}", scope.org(), submission.lead_id, submission.id),
            org: scope.org().clone(),
            lead_id: submission.lead_id.clone(),
            cause: UpdateCause::Submission,
            submission: Some(submission.clone()),
            mapped: None,
        };
        Self::new(EventKind::LeadUpdated, &updated)
    }

    /// A lead's answers were mapped again by `version` of its form's mapping; `None` if the form no longer has one.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a map of strings can be serialised")]
    pub fn lead_remapped(scope: &OrgScope, lead: &Lead, version: Option<u32>) -> Self {
        let mapped = MappedAgain {
            full_name: lead.full_name.clone(),
            email: lead.email.clone(),
            phone: lead.phone.clone(),
            fields: lead.fields.clone(),
        };
        let json = serde_json::to_vec(&mapped).expect("strings only");
        let version = version.unwrap_or_default();
        let hash: String = hex::encode(Sha256::digest(json)).chars().take(16).collect();
        let updated = LeadUpdated {
            id: format!("lead.updated:{}:{}:mapping:{version}:{hash}", scope.org(), lead.id),
            org: scope.org().clone(),
            lead_id: lead.id.clone(),
            cause: UpdateCause::Mapping,
            submission: None,
            mapped: Some(mapped),
        };
        Self::new(EventKind::LeadUpdated, &updated)
    }

    /// A lead was assigned to another user, or unassigned. `at` distinguishes one such change from the next.
    #[must_use]
    pub fn lead_assigned(
        scope: &OrgScope,
        lead: &LeadId,
        from: Option<&UserId>,
        to: Option<&UserId>,
        by: &UserId,
        at: Timestamp,
    ) -> Self {
        let assigned = LeadAssigned {
            id: format!("lead.assigned:{}:{lead}:{at}", scope.org()),
            org: scope.org().clone(),
            lead_id: lead.clone(),
            assigned_to: to.cloned(),
            assigned_before: from.cloned(),
            by: by.clone(),
            at,
        };
        Self::new(EventKind::LeadAssigned, &assigned)
    }

    /// An integration was connected or reconnected.
    #[must_use]
    pub fn connection_connected(scope: &OrgScope, integration: &Integration, pages: &[PageId]) -> Self {
        let connection = connection_fields(EventKind::ConnectionConnected, scope, integration, "connected");
        let expires_at = integration.expires_at();
        Self::new(
            EventKind::ConnectionConnected,
            &ConnectionConnected { connection, page_ids: pages.to_vec(), expires_at },
        )
    }

    /// An integration expires soon unless it is reconnected. `notice` names which advance notice this is.
    #[must_use]
    pub fn connection_expiring(scope: &OrgScope, integration: &Integration, notice: &str) -> Self {
        let connection = connection_fields(EventKind::ConnectionExpiring, scope, integration, notice);
        let (expires_at, notice) = (integration.expires_at(), notice.to_owned());
        Self::new(EventKind::ConnectionExpiring, &ConnectionExpiring { connection, expires_at, notice })
    }

    /// No more leads arrive through an integration.
    #[must_use]
    pub fn connection_expired(scope: &OrgScope, integration: &Integration, reason: EndReason) -> Self {
        let connection =
            connection_fields(EventKind::ConnectionExpired, scope, integration, ExpiryNotice::Ended(reason).name());
        let (message, fix) = (reason.message().to_owned(), reason.fix().to_owned());
        Self::new(EventKind::ConnectionExpired, &ConnectionExpired { connection, reason, message, fix })
    }

    /// No more leads arrive from one page of an integration; its other pages still work.
    #[must_use]
    pub fn connection_page_lost(
        scope: &OrgScope,
        integration: &Integration,
        page: &Connection,
        ended: &ConnectionEnd,
    ) -> Self {
        let lost = ConnectionPageLost {
            connection: connection_fields(
                EventKind::ConnectionPageLost,
                scope,
                integration,
                &format!("{}:{}", page.page_id, ended.since),
            ),
            page_id: page.page_id.clone(),
            page_name: page.page_name.clone(),
            reason: ended.reason,
            message: ended.reason.message().to_owned(),
            fix: ended.reason.fix().to_owned(),
        };
        Self::new(EventKind::ConnectionPageLost, &lost)
    }

    /// A page has had no lead for much longer than usual.
    #[must_use]
    pub fn connection_quiet(scope: &OrgScope, integration: &Integration, page: &Connection) -> Self {
        let last = page.last_lead_at.map(|at| at.to_string()).unwrap_or_default();
        let quiet = ConnectionQuiet {
            connection: connection_fields(
                EventKind::ConnectionQuiet,
                scope,
                integration,
                &format!("{}:{last}", page.page_id),
            ),
            page_id: page.page_id.clone(),
            page_name: page.page_name.clone(),
            last_lead_at: page.last_lead_at,
            usual_silence_s: page.rhythm.usual_silence_s,
        };
        Self::new(EventKind::ConnectionQuiet, &quiet)
    }

    /// A user of the org disconnected an integration.
    #[must_use]
    pub fn connection_disconnected(scope: &OrgScope, integration: &Integration) -> Self {
        let connection = connection_fields(EventKind::ConnectionDisconnected, scope, integration, "disconnected");
        Self::new(EventKind::ConnectionDisconnected, &ConnectionDisconnected { connection })
    }
}

/// The fields common to all connection events.
///
/// The id contains the start of the connection's current period: the same event in a later period is a new fact.
fn connection_fields(kind: EventKind, scope: &OrgScope, integration: &Integration, suffix: &str) -> OfConnection {
    OfConnection {
        id: format!("{}:{}:{}:{}:{suffix}", kind.name(), scope.org(), integration.id, integration.notices_since),
        org: scope.org().clone(),
        integration_id: integration.id.clone(),
        integration_name: integration.name.clone(),
    }
}
