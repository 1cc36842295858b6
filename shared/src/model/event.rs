//! What the CRM is told: facts about what happened. Each kind has a type, from which it is written and from which the
//! API's description has its JSON schema.
//!
//! An event comes at least once. Whoever listens tells repeats by its `id`, which is made from what happened, not from
//! when it was told.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::ids::{IntegrationId, LeadId, OrgId, OrgScope, PageId, UserId};
use crate::model::connection::standing::{EndReason, Ended, Notice};
use crate::model::connection::{Connection, Integration};
use crate::model::lead::{Lead, Submission};

/// One fact.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name on the bus.
    pub kind: &'static str,
    /// What happened: one of the types below.
    pub detail: Value,
}

/// Every kind of event: its name, the name of its schema, and when it comes.
pub const KINDS: [(&str, &str, &str); 9] = [
    ("lead.created", "LeadCreated", "A person became a lead"),
    ("lead.updated", "LeadUpdated", "A lead's person sent another form, or its answers were read anew"),
    ("lead.assigned", "LeadAssigned", "Somebody gave a lead to somebody else, or took it away"),
    ("connection.connected", "ConnectionConnected", "An integration was connected, or connected again"),
    ("connection.expiring", "ConnectionExpiring", "An integration ends soon unless somebody reconnects it"),
    ("connection.expired", "ConnectionExpired", "No leads come through an integration any more"),
    ("connection.page_lost", "ConnectionPageLost", "No leads come from one page of an integration any more"),
    ("connection.quiet", "ConnectionQuiet", "A page has been silent for much longer than ever"),
    ("connection.disconnected", "ConnectionDisconnected", "Somebody of the org ended an integration"),
];

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
    /// What was sent, if that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    submission: Option<Submission>,
    /// What its answers say now, if they were read anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapped: Option<MappedAgain>,
}

/// What a lead's answers say.
#[derive(Debug, Serialize, ToSchema)]
pub struct MappedAgain {
    full_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    fields: BTreeMap<String, String>,
}

/// Why a lead is otherwise than before.
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
    /// `null`: to nobody.
    assigned_to: Option<UserId>,
    assigned_before: Option<UserId>,
    /// Who did it.
    by: UserId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// What every event of a connection says.
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
    of: OfConnection,
    page_ids: Vec<PageId>,
    /// When it ends unless somebody reconnects it; `null` if never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// `connection.expiring`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionExpiring {
    #[serde(flatten)]
    of: OfConnection,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Which of the turns this is: `7d`, `3d` or `1d`.
    notice: String,
}

/// `connection.expired`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionExpired {
    #[serde(flatten)]
    of: OfConnection,
    reason: EndReason,
    /// The same for people.
    message: String,
    /// What to do about it.
    fix: String,
}

/// `connection.page_lost`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionPageLost {
    #[serde(flatten)]
    of: OfConnection,
    page_id: PageId,
    page_name: String,
    reason: EndReason,
    /// The same for people.
    message: String,
    /// What to do about it.
    fix: String,
}

/// `connection.quiet`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionQuiet {
    #[serde(flatten)]
    of: OfConnection,
    page_id: PageId,
    page_name: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_lead_at: Option<Timestamp>,
    /// The longest time that usually passes between two of its leads, in seconds.
    usual_silence_s: i64,
}

/// `connection.disconnected`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionDisconnected {
    #[serde(flatten)]
    of: OfConnection,
}

impl Event {
    fn new(kind: &'static str, detail: &impl Serialize) -> Self {
        Self { kind, detail: serde_json::to_value(detail).unwrap_or_default() }
    }

    /// A person became a lead.
    #[must_use]
    pub fn lead_created(scope: &OrgScope, lead: &Lead) -> Self {
        let id = format!("lead.created:{}:{}", scope.org(), lead.id);
        Self::new("lead.created", &LeadCreated { id, org: scope.org().clone(), lead: lead.clone() })
    }

    /// A lead's person sent another form.
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
        Self::new("lead.updated", &updated)
    }

    /// A lead's answers were read anew by this version of its form's mapping; by none if it has none any more.
    #[must_use]
    pub fn lead_mapped_again(scope: &OrgScope, lead: &Lead, version: Option<u32>) -> Self {
        let mapped = MappedAgain {
            full_name: lead.full_name.clone(),
            email: lead.email.clone(),
            phone: lead.phone.clone(),
            fields: lead.fields.clone(),
        };
        let said = serde_json::to_vec(&mapped).unwrap_or_default();
        let version = version.unwrap_or_default();
        let hash: String = hex::encode(Sha256::digest(said)).chars().take(16).collect();
        let updated = LeadUpdated {
            id: format!("lead.updated:{}:{}:mapping:{version}:{hash}", scope.org(), lead.id),
            org: scope.org().clone(),
            lead_id: lead.id.clone(),
            cause: UpdateCause::Mapping,
            submission: None,
            mapped: Some(mapped),
        };
        Self::new("lead.updated", &updated)
    }

    /// Somebody gave a lead to somebody else, or took it away. `at` tells one such change from another.
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
        Self::new("lead.assigned", &assigned)
    }

    /// An integration was connected, or connected again.
    #[must_use]
    pub fn connection_connected(scope: &OrgScope, integration: &Integration, pages: &[PageId]) -> Self {
        let of = of("connection.connected", scope, integration, "connected");
        let expires_at = integration.expires_at();
        Self::new("connection.connected", &ConnectionConnected { of, page_ids: pages.to_vec(), expires_at })
    }

    /// An integration ends soon unless somebody reconnects it. `notice` says which of the turns this is.
    #[must_use]
    pub fn connection_expiring(scope: &OrgScope, integration: &Integration, notice: &str) -> Self {
        let of = of("connection.expiring", scope, integration, notice);
        let (expires_at, notice) = (integration.expires_at(), notice.to_owned());
        Self::new("connection.expiring", &ConnectionExpiring { of, expires_at, notice })
    }

    /// No leads come through an integration any more.
    #[must_use]
    pub fn connection_expired(scope: &OrgScope, integration: &Integration, reason: EndReason) -> Self {
        let of = of("connection.expired", scope, integration, Notice::Ended(reason).name());
        let (message, fix) = (reason.message().to_owned(), reason.fix().to_owned());
        Self::new("connection.expired", &ConnectionExpired { of, reason, message, fix })
    }

    /// No leads come from one page of an integration any more; the others are well.
    #[must_use]
    pub fn connection_page_lost(scope: &OrgScope, integration: &Integration, page: &Connection, ended: &Ended) -> Self {
        let lost = ConnectionPageLost {
            of: of("connection.page_lost", scope, integration, &format!("{}:{}", page.page_id, ended.since)),
            page_id: page.page_id.clone(),
            page_name: page.page_name.clone(),
            reason: ended.reason,
            message: ended.reason.message().to_owned(),
            fix: ended.reason.fix().to_owned(),
        };
        Self::new("connection.page_lost", &lost)
    }

    /// No lead has come through a page for much longer than ever passes between two of them.
    #[must_use]
    pub fn connection_quiet(scope: &OrgScope, integration: &Integration, page: &Connection) -> Self {
        let last = page.last_lead_at.map(|at| at.to_string()).unwrap_or_default();
        let quiet = ConnectionQuiet {
            of: of("connection.quiet", scope, integration, &format!("{}:{last}", page.page_id)),
            page_id: page.page_id.clone(),
            page_name: page.page_name.clone(),
            last_lead_at: page.last_lead_at,
            usual_silence_s: page.rhythm.usual_silence_s,
        };
        Self::new("connection.quiet", &quiet)
    }

    /// Somebody of the org ended an integration.
    #[must_use]
    pub fn connection_disconnected(scope: &OrgScope, integration: &Integration) -> Self {
        let of = of("connection.disconnected", scope, integration, "disconnected");
        Self::new("connection.disconnected", &ConnectionDisconnected { of })
    }
}

/// The id holds the beginning of the connection's present life: what happens in the next one is another fact.
fn of(kind: &str, scope: &OrgScope, integration: &Integration, what: &str) -> OfConnection {
    OfConnection {
        id: format!("{kind}:{}:{}:{}:{what}", scope.org(), integration.id, integration.notices_since),
        org: scope.org().clone(),
        integration_id: integration.id.clone(),
        integration_name: integration.name.clone(),
    }
}
