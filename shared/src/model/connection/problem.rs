//! Problems that limit what an integration can do, and how much each of them hurts.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::PageId;

/// A problem that limits what an integration can do, with its remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IntegrationProblem {
    /// The kind of problem.
    pub code: IntegrationProblemCode,
    /// What does not work because of it.
    pub impact: Impact,
    /// The page concerned, if the problem is about a single page.
    pub page_id: Option<PageId>,
    /// What is wrong, as readable text.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// The kinds of [`IntegrationProblem`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumIter, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IntegrationProblemCode {
    /// A requested permission was not granted, at all or for a page.
    ScopeMissing,
    /// Meta listed a page without a token for it.
    PageWithoutToken,
    /// The connected person lacks a task on the page that leads need.
    TaskMissing,
    /// Meta does not report the page's leads.
    PageNotSubscribed,
    /// Leads Access Manager withholds a page's leads.
    LeadAccessDenied,
}

/// What does not work because of a problem, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, EnumIter, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// No lead can arrive, at all or from the page.
    LeadsBlocked,
    /// One of the two ways of leads does not work, the webhook or the comparison with Meta's lists, so that leads can be
    /// late.
    LeadsAtRisk,
    /// Comments and messages do not arrive, or cannot be answered.
    Inbox,
    /// Posts cannot be published.
    Posts,
    /// Campaigns cannot be managed.
    Campaigns,
    /// Ads and their numbers cannot be read.
    AdsReports,
    /// Something that Leadwire does not know.
    Other,
}

impl Impact {
    /// The consequence, as a sentence.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::LeadsBlocked => "No leads can arrive.",
            Self::LeadsAtRisk => "Leads may arrive late.",
            Self::Inbox => "Some comments or messages do not arrive, or cannot be answered.",
            Self::Posts => "Some posts cannot be published.",
            Self::Campaigns => "Campaigns cannot be managed.",
            Self::AdsReports => "Ads reports are not available.",
            Self::Other => "Some functions may not work.",
        }
    }
}

/// What a permission of Meta allows, and what does not work without it. By Meta's permissions reference.
#[must_use]
pub(super) fn describe_scope(scope: &str) -> (Impact, &'static str) {
    match scope {
        "leads_retrieval" => (Impact::LeadsBlocked, "read leads"),
        "pages_show_list" => (Impact::LeadsAtRisk, "list pages"),
        "pages_read_engagement" => (Impact::LeadsAtRisk, "read pages"),
        "pages_manage_metadata" => (Impact::LeadsAtRisk, "receive what happens on pages"),
        "pages_manage_ads" => (Impact::LeadsAtRisk, "list lead forms"),
        "pages_read_user_content" => (Impact::Inbox, "read comments on pages"),
        "pages_manage_engagement" => (Impact::Inbox, "answer comments on pages"),
        "pages_messaging" => (Impact::Inbox, "read and write messages on Messenger"),
        "instagram_basic" => (Impact::Inbox, "see Instagram accounts"),
        "instagram_manage_comments" => (Impact::Inbox, "read and answer comments on Instagram"),
        "instagram_manage_messages" => (Impact::Inbox, "read and write messages on Instagram"),
        "whatsapp_business_management" => (Impact::Inbox, "see WhatsApp numbers"),
        "whatsapp_business_messaging" => (Impact::Inbox, "read and write messages on WhatsApp"),
        "pages_manage_posts" => (Impact::Posts, "publish on pages"),
        "instagram_content_publish" => (Impact::Posts, "publish on Instagram"),
        "ads_management" => (Impact::Campaigns, "manage ads"),
        "ads_read" => (Impact::AdsReports, "read ads and their numbers"),
        "business_management" => (Impact::Other, "list business portfolios"),
        _ => (Impact::Other, "another permission"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connection::login::DEFAULT_SCOPES;

    #[test]
    fn every_requested_permission_is_described() {
        for scope in DEFAULT_SCOPES {
            assert_ne!(describe_scope(scope), describe_scope("unknown"), "{scope}");
        }
    }
}
