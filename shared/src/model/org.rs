//! The directory that the CRM pushes: orgs with their plan, users with their permissions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{OrgId, UserId};

/// The feature of a plan without which an org has nothing of Meta.
pub const META_FEATURE: &str = "meta";
/// The permission without which a user is never assigned a lead.
pub const LEAD_MANAGEMENT: &str = "lead_management";

/// A tenant, as the CRM last described it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Org {
    /// The CRM's own id of the tenant.
    pub id: OrgId,
    /// Shown to people.
    pub name: String,
    /// What the org has paid for.
    pub plan: Plan,
    /// ISO 3166 country code: how a phone number without a country code is read.
    pub default_country: Option<String>,
    /// When the CRM last pushed it.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What an org has paid for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// Shown to people.
    pub name: String,
    /// Features by name; `meta` opens everything that Leadwire does.
    pub features: Vec<String>,
}

impl Org {
    /// Whether the org's plan includes the Meta integration.
    #[must_use]
    pub fn has_meta(&self) -> bool {
        self.plan.features.iter().any(|feature| feature == META_FEATURE)
    }
}

/// A person of an org, as the CRM last described them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The CRM's own id of the person.
    pub id: UserId,
    /// Shown to people.
    pub name: String,
    /// Where mail reaches the person.
    pub email: String,
    /// What they are in the org, in the CRM's words; an `admin` is told when a connection needs somebody.
    #[serde(default)]
    pub role: Option<String>,
    /// False once the person has left or is suspended.
    pub active: bool,
    /// Permissions by name; `lead_management` is the one that matters here.
    pub permissions: Vec<String>,
    /// When the CRM last pushed it.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl User {
    /// Whether leads may be assigned to this person: active, and permitted to manage leads.
    #[must_use]
    pub fn takes_leads(&self) -> bool {
        self.active && self.permissions.iter().any(|permission| permission == LEAD_MANAGEMENT)
    }

    /// Whether this person is told when a connection needs somebody.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.active && self.role.as_deref() == Some("admin")
    }
}
