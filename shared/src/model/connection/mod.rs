//! A connected Meta account of an org, and the pages it provides.

mod arrivals;
pub mod check;
pub mod diagnosis;
pub mod health;
#[cfg(test)]
mod health_tests;
pub mod lead_state;
pub mod login;
pub mod problem;
pub mod state;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{InstagramAccountId, IntegrationId, OrgId, PageId, UserId};
use crate::model::connection::problem::{IntegrationProblem, IntegrationProblemCode};
use crate::model::connection::state::{ConnectionEnd, EndReason, TokenKind};
use crate::model::conversion::{ConversionFault, ConversionSettings};
use crate::model::lead::assignment::Assignment;
use crate::model::lead::cadence::Rhythm;

/// A connected Meta account.
///
/// Its tokens, and the Facebook name and id of the person who connected it, are stored only in the vault, under
/// `credentials`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integration {
    /// The org that owns it.
    pub org: OrgId,
    /// Leadwire's own id.
    pub id: IntegrationId,
    /// The display name.
    pub name: String,
    /// A description for people; may be empty.
    #[serde(default)]
    pub description: String,
    /// How its future leads are assigned.
    pub assignment: Assignment,
    /// How conversations of the inbox are assigned: to the members who may use it, in a rotation of its own.
    #[serde(default)]
    pub inbox_assignment: Assignment,
    /// Whether a lead is mailed to the person to whom it is assigned.
    #[serde(default)]
    pub notify_assignee: bool,
    /// The CRM user who last connected it.
    pub connected_by: ConnectedBy,
    /// The vault names of its secrets; the first also contains the account's own token. Empty if it has no secrets.
    pub credentials: Vec<String>,
    /// The kind of its token.
    #[serde(default)]
    pub token_kind: TokenKind,
    /// The person at Meta who connected it, as a keyed hash, which recognises the person without identifying them.
    pub person: Option<String>,
    /// When the user token expires; `None` if never.
    pub token_expires_at: Option<Timestamp>,
    /// When Meta closes access to the person's data unless they log in again; `None` if never.
    pub data_access_expires_at: Option<Timestamp>,
    /// The permissions requested from Meta.
    #[serde(default)]
    pub asked_scopes: Vec<String>,
    /// The permissions that Meta granted.
    pub scopes: Vec<String>,
    /// The pages for which a permission was granted. A permission that is not listed covers all present and future
    /// pages.
    #[serde(default)]
    pub granted_for: BTreeMap<String, Vec<String>>,
    /// The problems that the last check found.
    #[serde(default)]
    pub problems: Vec<IntegrationProblem>,
    /// Set when the connection was ended at Meta; cleared when it works again.
    pub ended: Option<ConnectionEnd>,
    /// Leads sent from this time on may have been missed, and Meta has not been asked for them yet.
    pub missed_since: Option<Timestamp>,
    /// When it was last checked.
    pub checked_at: Option<Timestamp>,
    /// The start of its current period. Each notice is sent at most once per period.
    pub notices_since: Timestamp,
    /// Its lifecycle: in use, or being ended.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// What it reports to Meta of its leads' progress; `None` if nothing.
    pub conversions: Option<ConversionSettings>,
    /// Why that waits. Connecting again clears it.
    pub conversion_fault: Option<ConversionFault>,
    /// When it was first connected.
    pub created_at: Timestamp,
    /// When it was last connected. Findings about an earlier token are discarded.
    pub connected_at: Timestamp,
}

impl Integration {
    /// The problems of pages that Meta lists without a token. Only connecting finds them.
    pub fn pages_without_token(&self) -> impl Iterator<Item = &IntegrationProblem> {
        self.problems.iter().filter(|problem| problem.code == IntegrationProblemCode::PageWithoutToken)
    }

    /// Whether Meta granted a permission for a page.
    #[must_use]
    pub fn grants(&self, scope: &str, page: &PageId) -> bool {
        let is_granted = self.scopes.iter().any(|granted| granted == scope);
        let covers = |pages: &Vec<String>| pages.iter().any(|covered| covered == page.as_str());
        is_granted && self.granted_for.get(scope).is_none_or(covers)
    }

    /// A draft that has not been connected yet.
    #[must_use]
    pub fn draft(org: OrgId, by: ConnectedBy, now: Timestamp) -> Self {
        let ended = ConnectionEnd { reason: EndReason::NotConnected, since: now, evidence: String::new() };
        Self {
            org,
            id: IntegrationId::default(),
            name: String::new(),
            description: String::new(),
            assignment: Assignment::default(),
            inbox_assignment: Assignment::default(),
            notify_assignee: false,
            connected_by: by,
            credentials: Vec::new(),
            token_kind: TokenKind::User,
            person: None,
            token_expires_at: None,
            data_access_expires_at: None,
            asked_scopes: Vec::new(),
            scopes: Vec::new(),
            granted_for: BTreeMap::new(),
            problems: Vec::new(),
            ended: Some(ended),
            missed_since: None,
            checked_at: None,
            notices_since: now,
            lifecycle: Lifecycle::Live,
            conversions: None,
            conversion_fault: None,
            created_at: now,
            connected_at: now,
        }
    }
}

/// What is being done to an integration. Each kind of ending is marked before it begins, and the next check resumes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum Lifecycle {
    /// Nothing: it is in use, or a draft.
    #[default]
    Live,
    /// The person removed the app, and the secrets are being deleted. Reconnecting makes it live again.
    Releasing,
    /// The person requested deletion of their data, which is being deleted.
    Erasing,
    /// An admin deleted it.
    Removing,
}

/// The person who connected, as Meta reports them. Stored in the vault and nowhere else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MetaPerson {
    /// The app-scoped id.
    pub id: String,
    /// The name on Facebook.
    #[serde(default)]
    pub name: String,
}

/// The CRM user who went through Meta's login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectedBy {
    /// The token's subject.
    pub user_id: UserId,
    /// The token's name, if it has one.
    pub name: Option<String>,
}

/// A page of an integration: which org receives the page's leads, and where its token is in the vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// The org that owns it.
    pub org: OrgId,
    /// The integration that provides the page.
    pub integration_id: IntegrationId,
    /// The page's id.
    pub page_id: PageId,
    /// The page's name.
    pub page_name: String,
    /// The page's URL, as Meta returns it.
    pub page_url: String,
    /// Whether leads are ingested from the page.
    #[serde(default)]
    pub selection: PageSelection,
    /// The connecting person's tasks on the page, in Meta's notation (`ADVERTISE`, `MANAGE`…). Empty if Meta did not
    /// report them.
    pub tasks: Vec<String>,
    /// The professional Instagram account that was last found to be linked to the page.
    #[serde(default)]
    pub instagram_account_id: Option<InstagramAccountId>,
    /// That account's name on Instagram.
    #[serde(default)]
    pub instagram_username: Option<String>,
    /// The vault name of the secret that contains the page's token.
    pub credentials: String,
    /// The webhook fields that Meta confirmed for this page.
    #[serde(default)]
    pub subscribed_fields: Vec<String>,
    /// When the page was first connected.
    pub connected_at: Timestamp,
    /// Leads that arrived through this connection, not counting test leads and repeat submissions.
    #[serde(default)]
    pub leads_count: u64,
    /// The same leads, by how they were found.
    #[serde(flatten)]
    pub found: FoundCounts,
    /// All leads that Meta has of this page up to this time are known to be ingested or parked.
    pub swept_until: Option<Timestamp>,
    /// When a lead last arrived through it.
    #[serde(default)]
    pub last_lead_at: Option<Timestamp>,
    /// When a test lead last arrived through it.
    #[serde(default)]
    pub last_test_lead_at: Option<Timestamp>,
    /// When a webhook last brought a lead.
    #[serde(default)]
    pub last_webhook_at: Option<Timestamp>,
    /// The page's usual rhythm.
    #[serde(flatten)]
    pub rhythm: Rhythm,
    /// Since when the page has been quieter than usual.
    #[serde(default)]
    pub quiet_since: Option<Timestamp>,
    /// Set when only this page is lost.
    pub ended: Option<ConnectionEnd>,
}

/// Number of leads by how they were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FoundCounts {
    /// Announced by Meta's webhook.
    #[serde(default)]
    pub found_webhook: u64,
    /// Found only by the regular comparison with Meta.
    #[serde(default)]
    pub found_sweep: u64,
    /// Found after a user pressed "Sync now".
    #[serde(default)]
    pub found_sync: u64,
    /// Imported from a file.
    #[serde(default)]
    pub found_import: u64,
    /// Found when a user requested leads from before the connection.
    #[serde(default)]
    pub found_backfill: u64,
}

/// Whether leads are ingested from a page that Meta has listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum PageSelection {
    /// Leads are ingested.
    #[default]
    Connected,
    /// Meta lists the page, but the admin has deselected it.
    Deselected,
    /// Meta no longer lists the page. Its counts are retained in case it returns.
    Withdrawn,
}

impl Connection {
    /// A page that is connected from `now` on. Its secret, and what is known of it at Meta, are still to be set.
    #[must_use]
    pub fn new(org: OrgId, integration_id: IntegrationId, page_id: PageId, now: Timestamp) -> Self {
        Self {
            org,
            integration_id,
            page_name: String::new(),
            page_url: format!("https://www.facebook.com/{page_id}"),
            page_id,
            selection: PageSelection::Connected,
            tasks: Vec::new(),
            instagram_account_id: None,
            instagram_username: None,
            credentials: String::new(),
            subscribed_fields: Vec::new(),
            connected_at: now,
            leads_count: 0,
            found: FoundCounts::default(),
            swept_until: None,
            last_lead_at: None,
            last_test_lead_at: None,
            last_webhook_at: None,
            rhythm: Rhythm::default(),
            quiet_since: None,
            ended: None,
        }
    }

    /// Whether leads are ingested from the page.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.selection == PageSelection::Connected
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn integration() -> Integration {
        let by = ConnectedBy { user_id: UserId::parse("u").unwrap(), name: Some("Una".to_owned()) };
        let draft = Integration::draft(OrgId::parse("o").unwrap(), by, "2026-01-01T00:00:00Z".parse().unwrap());
        let id = IntegrationId::parse("i").unwrap();
        Integration { id, name: "Ours".to_owned(), credentials: vec!["s".to_owned()], ended: None, ..draft }
    }

    pub(crate) fn connection() -> Connection {
        let (org, integration) = (OrgId::parse("o").unwrap(), IntegrationId::parse("i").unwrap());
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        Connection {
            page_name: "Page".to_owned(),
            credentials: "s".to_owned(),
            ..Connection::new(org, integration, PageId::parse("7").unwrap(), at)
        }
    }
}
