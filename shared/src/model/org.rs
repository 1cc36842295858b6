//! The directory that the CRM pushes: orgs with their plans, users with their permissions.

use std::collections::HashMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{OrgId, UserId};
use crate::language::Locale;
use crate::model::ads::currency::Amount;

/// The plan feature that unlocks the Meta integration.
pub const META_FEATURE: &str = "meta";
/// What a user's permission in the directory allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Permission {
    /// To be assigned leads, and to see them.
    LeadManagement,
    /// To read and answer the inbox, without an admin's role.
    Inbox,
    /// To publish, without an admin's role.
    Publishing,
    /// To spend, without an admin's role: to create and launch campaigns.
    AdsManagement,
}

impl Permission {
    /// The name, as the CRM pushes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A tenant, as the CRM last described it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Org {
    /// The CRM's own id of the tenant.
    pub id: OrgId,
    /// The display name.
    pub name: String,
    /// What the org has paid for.
    pub plan: Plan,
    /// ISO 3166 country code, used to parse phone numbers that have no country code.
    pub default_country: Option<String>,
    /// What its campaigns may spend a day, all together. Only a superadmin launches one beyond it.
    #[serde(default)]
    pub daily_spend_limit: Option<SpendLimit>,
    /// How many days leads are kept after the person's last form; `null` keeps them for good.
    #[serde(default)]
    pub keep_leads_days: Option<u32>,
    /// When the CRM last pushed it.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A limit of what an org's campaigns may spend a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SpendLimit {
    /// The amount, in the main unit of the currency.
    #[schema(value_type = Amount)]
    pub amount: Decimal,
    /// ISO 4217 code. Campaigns in another currency are beyond the limit.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// What an org has paid for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    /// The display name.
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// Features by name; `meta` unlocks everything that Leadwire does.
    #[schema(max_items = 100)]
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
    /// The display name.
    pub name: String,
    /// The person's e-mail address.
    pub email: String,
    /// The person's role in the org, as the CRM names it. An `admin` is notified when a connection needs attention.
    #[serde(default)]
    pub role: Option<String>,
    /// False once the person has left or is suspended.
    pub active: bool,
    /// Permissions by name. Leadwire uses `lead_management`, `inbox`, `publishing` and `ads_management`.
    pub permissions: Vec<String>,
    /// The language that the person reads, as a BCP 47 tag such as `de` or `de-AT`.
    #[serde(default)]
    pub language: Option<String>,
    /// When the CRM last pushed it.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl User {
    /// The language of what is written to this person, and the region whose dates and numbers are used.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale::negotiate(None, self.language.as_deref().unwrap_or_default())
    }

    /// Whether this person is active and has the permission.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.active && self.permissions.iter().any(|own| own == permission.name())
    }

    /// Whether leads may be assigned to this person, who must be active and permitted to manage leads.
    #[must_use]
    pub fn takes_leads(&self) -> bool {
        self.may(Permission::LeadManagement)
    }

    /// Whether this person is an active admin, who is notified when a connection needs attention unless they switched
    /// that off.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.active && self.role.as_deref() == Some("admin")
    }
}

/// The work that a schedule is to begin: all that is due, unless it says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The only org whose work it is; `None` for all.
    pub org: Option<&'a OrgId>,
    /// Whether what is not due counts, too.
    pub everything: bool,
}

impl Wanted<'_> {
    /// Whether it is this org's work, too.
    #[must_use]
    pub fn concerns(&self, org: &OrgId) -> bool {
        self.org.is_none_or(|only| only == org)
    }
}

/// Interleaves the items by org: the first of each org, then the second of each, and so on, otherwise in their order. An
/// org with a thousand integrations delays only itself.
#[must_use]
pub fn interleave_by_org<T>(items: Vec<T>, org: impl Fn(&T) -> OrgId) -> Vec<T> {
    let mut counts: HashMap<OrgId, usize> = HashMap::new();
    let mut turn = |item: &T| {
        let count = counts.entry(org(item)).or_default();
        *count += 1;
        *count
    };
    let mut items: Vec<(usize, T)> = items.into_iter().map(|item| (turn(&item), item)).collect();
    items.sort_by_key(|(turn, _)| *turn);
    items.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_org_with_many_waits_for_its_own() {
        let turns =
            interleave_by_org(vec!["a1", "a2", "a3", "b1", "c1", "b2"], |item| OrgId::parse(&item[..1]).unwrap());
        assert_eq!(turns, ["a1", "b1", "c1", "a2", "b2", "a3"]);
        let turns = interleave_by_org(vec!["c1", "a1", "a2", "b1"], |item| OrgId::parse(&item[..1]).unwrap());
        assert_eq!(turns, ["c1", "a1", "b1", "a2"], "otherwise the order stays");
    }
}
