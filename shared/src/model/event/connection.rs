//! Events of connections.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Event, EventKind};
use crate::ids::{IntegrationId, OrgId, OrgScope, PageId};
use crate::model::connection::lead_state::{Stop, StopReason};
use crate::model::connection::{Connection, Integration};

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
    /// Why no leads can arrive: the connection has ended, or is not allowed to read leads.
    reason: StopReason,
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
    /// Why no leads can arrive from the page.
    reason: StopReason,
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

    /// No more leads arrive through an integration. `mark` tells this stop from others of the same period.
    #[must_use]
    pub fn connection_expired(scope: &OrgScope, integration: &Integration, stop: Stop, mark: &str) -> Self {
        let connection = connection_fields(EventKind::ConnectionExpired, scope, integration, mark);
        let Stop { reason, message, fix } = stop;
        Self::new(EventKind::ConnectionExpired, &ConnectionExpired { connection, reason, message, fix })
    }

    /// No more leads arrive from one page of an integration; its other pages still work. `mark` is that of
    /// [`Event::connection_expired`].
    #[must_use]
    pub fn connection_page_lost(
        scope: &OrgScope,
        integration: &Integration,
        page: &Connection,
        stop: Stop,
        mark: &str,
    ) -> Self {
        let Stop { reason, message, fix } = stop;
        let lost = ConnectionPageLost {
            connection: connection_fields(
                EventKind::ConnectionPageLost,
                scope,
                integration,
                &format!("{}:{mark}", page.page_id),
            ),
            page_id: page.page_id.clone(),
            page_name: page.page_name.clone(),
            reason,
            message,
            fix,
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
