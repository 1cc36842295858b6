//! One connected Meta account of an org, and the pages it brings.

pub mod health;
#[cfg(test)]
mod health_tests;
pub mod login;
pub mod standing;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{IntegrationId, OrgId, PageId, UserId};
use crate::model::connection::standing::{EndReason, Ended, TokenKind};
use crate::model::lead::assignment::Assignment;
use crate::model::lead::cadence::Rhythm;

/// One connected Meta account. Its tokens, and the Facebook name and id of the person who connected it, are in the
/// vault under `credentials`, never here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integration {
    /// Whose it is.
    pub org: OrgId,
    /// Ours.
    pub id: IntegrationId,
    /// Shown to people.
    pub name: String,
    /// For people, may be empty.
    #[serde(default)]
    pub description: String,
    /// How its leads are handed out from now on.
    pub assignment: Assignment,
    /// Which user of the CRM connected it last.
    pub connected_by: ConnectedBy,
    /// The vault's names of its secrets; the first also holds the account's own token. Empty if there is none, or none
    /// any more.
    pub credentials: Vec<String>,
    /// What its token is.
    #[serde(default)]
    pub token_kind: TokenKind,
    /// Who at Meta connected it, as a hash that only we can make: enough to recognise them, nothing to learn from.
    pub person: Option<String>,
    /// When the user token ends; `None` if never.
    pub token_expires_at: Option<Timestamp>,
    /// When Meta closes the person's data unless they log in again; `None` if never.
    pub data_access_expires_at: Option<Timestamp>,
    /// What Meta was asked for.
    #[serde(default)]
    pub asked_scopes: Vec<String>,
    /// What Meta granted.
    pub scopes: Vec<String>,
    /// For which pages a permission was granted. One that is not here is granted for all there are and will be.
    #[serde(default)]
    pub granted_for: BTreeMap<String, Vec<String>>,
    /// What was found missing at the last look.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// Set when somebody ended it at Meta; gone when it works again.
    pub ended: Option<Ended>,
    /// Leads from then on may have been missed, and nobody has asked Meta for them yet.
    pub missed_since: Option<Timestamp>,
    /// Last looked at.
    pub probed_at: Option<Timestamp>,
    /// The beginning of its present life. Notices are sent once in each.
    pub notices_since: Timestamp,
    /// Somebody deletes it, and has perhaps not come to the end of that.
    #[serde(default)]
    pub removing: bool,
    /// Its person removed the app, and its secrets are perhaps not deleted yet.
    #[serde(default)]
    pub letting_go: bool,
    /// Its person wants their data deleted, and it is perhaps not all deleted yet.
    #[serde(default)]
    pub erasing: bool,
    /// First connected.
    pub created_at: Timestamp,
    /// Last connected. Whoever found out something about an earlier token keeps it to themselves.
    pub connected_at: Timestamp,
}

impl Integration {
    /// One that nobody has connected yet.
    #[must_use]
    pub fn draft(org: OrgId, by: ConnectedBy, now: Timestamp) -> Self {
        let ended = Ended { reason: EndReason::NotConnected, since: now, evidence: String::new() };
        Self {
            org,
            id: IntegrationId::default(),
            name: String::new(),
            description: String::new(),
            assignment: Assignment::default(),
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
            probed_at: None,
            notices_since: now,
            removing: false,
            letting_go: false,
            erasing: false,
            created_at: now,
            connected_at: now,
        }
    }
}

/// The CRM user who went through Meta's login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectedBy {
    /// The token's subject.
    pub user_id: UserId,
    /// The name the token gave, if any.
    pub name: Option<String>,
}

/// Something that keeps an integration from doing all it should, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable, for programs: `scope_missing`, `page_without_token`, `task_missing`, `page_not_subscribed`,
    /// `lead_access_denied`, or the reason why no leads come.
    pub code: String,
    /// The page it is about, if it is about one.
    pub page_id: Option<PageId>,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// One page of one integration: who gets the leads of this page, and the token's place in the vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// Whose it is.
    pub org: OrgId,
    /// Through which account.
    pub integration_id: IntegrationId,
    /// The page.
    pub page_id: PageId,
    /// Its name.
    pub page_name: String,
    /// Its address, as Meta gives it.
    pub page_url: String,
    /// Whether leads are taken from it.
    #[serde(default)]
    pub choice: Choice,
    /// What the connecting person may do on the page, in Meta's words (`ADVERTISE`, `MANAGE`…). Empty if Meta did not say.
    pub tasks: Vec<String>,
    /// The vault's name of the secret that holds this page's token.
    pub credentials: String,
    /// The webhook fields that Meta confirmed for this page.
    #[serde(default)]
    pub subscribed_fields: Vec<String>,
    /// When the page was first connected.
    pub connected_at: Timestamp,
    /// Leads that came through this connection, test leads and repeat submissions not counted.
    #[serde(default)]
    pub leads_count: u64,
    /// The same, by how they were found.
    #[serde(flatten)]
    pub found: FoundCounts,
    /// Up to when it is known that every lead Meta has of this page came in or is parked.
    pub swept_until: Option<Timestamp>,
    /// When a lead last came through it.
    #[serde(default)]
    pub last_lead_at: Option<Timestamp>,
    /// When a test lead last came through it.
    #[serde(default)]
    pub last_test_lead_at: Option<Timestamp>,
    /// When a webhook of Meta's last brought one.
    #[serde(default)]
    pub last_webhook_at: Option<Timestamp>,
    /// How long it is usually silent.
    #[serde(flatten)]
    pub rhythm: Rhythm,
    /// Since when it is known to be silent for much longer than it ever is.
    #[serde(default)]
    pub quiet_since: Option<Timestamp>,
    /// Set when this page alone is lost.
    pub ended: Option<Ended>,
}

/// Leads by how they were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FoundCounts {
    /// Meta's webhook told.
    #[serde(default)]
    pub found_webhook: u64,
    /// Only the regular comparison with Meta found them.
    #[serde(default)]
    pub found_sweep: u64,
    /// Somebody pressed "Sync now".
    #[serde(default)]
    pub found_sync: u64,
    /// They were in a file.
    #[serde(default)]
    pub found_import: u64,
    /// Somebody asked for leads from before the connection.
    #[serde(default)]
    pub found_backfill: u64,
}

/// Whether leads are taken from a page that Meta once gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Leads are taken from it.
    #[default]
    Connected,
    /// Meta gives it, the admin does not want it.
    LeftOut,
    /// Meta does not give it any more. What it counted is kept for the day it comes back.
    Withdrawn,
}

impl Connection {
    /// Whether leads are taken from it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.choice == Choice::Connected
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
        Connection {
            org: OrgId::parse("o").unwrap(),
            integration_id: IntegrationId::parse("i").unwrap(),
            page_id: PageId::parse("7").unwrap(),
            page_name: "Page".to_owned(),
            page_url: "https://www.facebook.com/7".to_owned(),
            choice: Choice::Connected,
            tasks: Vec::new(),
            credentials: "s".to_owned(),
            subscribed_fields: Vec::new(),
            connected_at: "2026-01-01T00:00:00Z".parse().unwrap(),
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
}
