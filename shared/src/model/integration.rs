//! One connected Meta account of an org, and the pages it brings.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::assignment::Assignment;
use crate::ids::{IntegrationId, OrgId, PageId, UserId};

/// One connected Meta account. Its tokens, and the Facebook name and id of the person who connected it, are in the
/// vault under `credentials`, never here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integration {
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
    /// The vault's names of its secrets; the first also holds the account's own token.
    pub credentials: Vec<String>,
    /// When the user token ends; `None` if never.
    pub token_expires_at: Option<Timestamp>,
    /// When Meta closes the person's data unless they log in again; `None` if never.
    pub data_access_expires_at: Option<Timestamp>,
    /// What Meta granted.
    pub scopes: Vec<String>,
    /// What was found missing when it was connected.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// First connected.
    pub created_at: Timestamp,
    /// Last connected.
    pub connected_at: Timestamp,
}

impl Integration {
    /// When leads stop unless somebody reconnects: the earlier of the two expiries.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.token_expires_at.into_iter().chain(self.data_access_expires_at).min()
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
    /// Stable, for programs: `scope_missing`, `page_without_token`, `page_not_subscribed`.
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
    /// What the connecting person may do on the page, in Meta's words (`ADVERTISE`, `MANAGE`…).
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
    /// When something last came through it.
    #[serde(default)]
    pub last_lead_at: Option<Timestamp>,
}

/// How a connection stands, by its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// More than seven days to go, or no expiry at all.
    Active,
    /// Seven days or less to go.
    ExpiringSoon,
    /// Past its expiry: no leads come.
    Expired,
}

/// How a connection that ends at `expires_at` stands at `now`.
#[must_use]
pub fn connection_status(expires_at: Option<Timestamp>, now: Timestamp) -> ConnectionStatus {
    match expires_at {
        Some(end) if end <= now => ConnectionStatus::Expired,
        Some(end) if end <= now + (7 * 24).hours() => ConnectionStatus::ExpiringSoon,
        _ => ConnectionStatus::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_changes_exactly_at_seven_days_and_at_the_end() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let check = |end: &str, expect| assert_eq!(connection_status(Some(end.parse().unwrap()), now), expect, "{end}");
        check("2026-03-08T12:00:01Z", ConnectionStatus::Active);
        check("2026-03-08T12:00:00Z", ConnectionStatus::ExpiringSoon);
        check("2026-03-01T12:00:01Z", ConnectionStatus::ExpiringSoon);
        check("2026-03-01T12:00:00Z", ConnectionStatus::Expired);
        assert_eq!(connection_status(None, now), ConnectionStatus::Active);
    }
}
