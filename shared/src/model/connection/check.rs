//! A check of the health report: its subject, its result, its evidence and its remedy.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::PageId;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// No fault found.
    Pass,
    /// Leads or messages are blocked, or will be.
    Fail,
    /// It could not be determined, there is no evidence yet, or `page_ids` deserve a look that may turn out well.
    Unknown,
}

/// The subject of a check.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    IntoStaticStr,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CheckId {
    /// Whether the token works.
    Token,
    /// Whether every requested permission is granted.
    Scopes,
    /// Whether the person who connected has the required tasks on each page.
    PageTasks,
    /// Whether Meta's webhook reports each page's leads.
    Subscription,
    /// Whether Leads Access Manager lets the app read each page's leads.
    LeadAccess,
    /// Whether each page has a form that people can fill in.
    Forms,
    /// When the webhook last reported a lead, in general and of each page.
    LastWebhook,
    /// When a lead last arrived, and whether a page is quieter than usual.
    LastLead,
    /// Whether the Meta app is live.
    AppMode,
    /// Whether leads are queued or parked.
    Backlog,
    /// Whether Meta's webhook reports the messages of each WhatsApp account.
    Whatsapp,
}

impl CheckId {
    /// Whether its outcome comes from Meta. An unknown outcome is then a warning sign.
    #[must_use]
    pub fn is_asked_of_meta(self) -> bool {
        match self {
            Self::Token
            | Self::Scopes
            | Self::PageTasks
            | Self::Subscription
            | Self::LeadAccess
            | Self::Forms
            | Self::Whatsapp => true,
            Self::LastWebhook | Self::LastLead | Self::AppMode | Self::Backlog => false,
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What was checked.
    pub id: CheckId,
    /// The result.
    pub status: CheckStatus,
    /// What was observed, as readable text.
    pub evidence: String,
    /// What to do; `null` if nothing is wrong.
    pub fix: Option<String>,
    /// The pages concerned; empty if the check concerns all of them.
    pub page_ids: Vec<PageId>,
}
