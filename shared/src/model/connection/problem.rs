//! Problems that limit what an integration can do, and how much each of them hurts.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::PageId;
use crate::language::{fill, translate};
use crate::phrase;

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

pub(super) const PAGE_WITHOUT_TOKEN: &str =
    phrase!("Meta granted no access to the page {page}, so it is not connected.");
pub(super) const SCOPE_MISSING: &str = phrase!("Permission missing: {right} ({scope}). {impact}");
pub(super) const SCOPE_MISSING_FOR_PAGE: &str =
    phrase!("Permission missing for the page {page}: {right} ({scope}). {impact}");
pub(super) const PERSON_LACKS_TASK: &str =
    phrase!("The person who connected lacks required tasks on the page {page}. Missing: {tasks}.");
pub(super) const SYSTEM_USER_LACKS_TASK: &str =
    phrase!("The system user lacks required tasks on the page {page}. Missing: {tasks}.");
pub(super) const NOT_SUBSCRIBED: &str = phrase!("Meta does not report new leads of the page {page}.");
pub(super) const SUBSCRIPTION_REFUSED: &str = phrase!("Meta does not report new leads of the page {page}: {why}.");
pub(super) const LEADS_WITHHELD: &str =
    phrase!("Leads Access Manager withholds the leads of the page {page} from this app ({reason}).");

/// Every message that a problem can have. A longer one comes before one that begins in the same way.
const MESSAGES: [&str; 8] = [
    PAGE_WITHOUT_TOKEN,
    SCOPE_MISSING_FOR_PAGE,
    SCOPE_MISSING,
    PERSON_LACKS_TASK,
    SYSTEM_USER_LACKS_TASK,
    SUBSCRIPTION_REFUSED,
    NOT_SUBSCRIBED,
    LEADS_WITHHELD,
];

impl IntegrationProblem {
    /// The problem in the reader's language. It is stored in English, because the check that finds it has no reader.
    #[must_use]
    pub fn translate(&self) -> Self {
        let message = MESSAGES.into_iter().find_map(|template| retold(template, &self.message));
        Self {
            message: message.unwrap_or_else(|| self.message.clone()),
            fix: translate(&self.fix).to_string(),
            ..self.clone()
        }
    }
}

/// A text that was made of `template`, in the reader's language. `None` if it was not.
fn retold(template: &'static str, english: &str) -> Option<String> {
    let told = |(name, value): (&'static str, &str)| match name {
        // Names and Meta's words are no texts of ours.
        "page" | "scope" | "why" => (name, value.to_owned()),
        _ => (name, translate(value).to_string()),
    };
    let values: Vec<(&str, String)> = values_in(template, english)?.into_iter().map(told).collect();
    let values: Vec<(&str, &dyn std::fmt::Display)> =
        values.iter().map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
    Some(fill(&translate(template), &values))
}

/// What stands in a text where `template` has placeholders, with their names.
fn values_in<'t>(template: &'static str, english: &'t str) -> Option<Vec<(&'static str, &'t str)>> {
    let (before, mut template) = template.split_once('{')?;
    let mut rest = english.strip_prefix(before)?;
    let mut values = Vec::new();
    loop {
        let (name, after) = template.split_once('}')?;
        let Some((between, next)) = after.split_once('{') else {
            values.push((name, rest.strip_suffix(after)?));
            return Some(values);
        };
        let (value, following) = rest.split_once(between)?;
        values.push((name, value));
        (template, rest) = (next, following);
    }
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
    /// The consequence, as a sentence in English: it is stored, and [`IntegrationProblem::translate`] translates it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::LeadsBlocked => phrase!("No leads can arrive."),
            Self::LeadsAtRisk => phrase!("Leads may arrive late."),
            Self::Inbox => phrase!("Some comments or messages do not arrive, or cannot be answered."),
            Self::Posts => phrase!("Some posts cannot be published."),
            Self::Campaigns => phrase!("Campaigns cannot be managed."),
            Self::AdsReports => phrase!("Ad reports are not available."),
            Self::Other => phrase!("Some functions may not work."),
        }
    }
}

/// What a permission of Meta allows, in English, and what does not work without it. By Meta's permissions reference.
#[must_use]
pub(crate) fn describe_scope(scope: &str) -> (Impact, &'static str) {
    match scope {
        "leads_retrieval" => (Impact::LeadsBlocked, phrase!("read leads")),
        "pages_show_list" => (Impact::LeadsAtRisk, phrase!("list pages")),
        "pages_read_engagement" => (Impact::LeadsAtRisk, phrase!("read pages")),
        "pages_manage_metadata" => (Impact::LeadsAtRisk, phrase!("receive page events")),
        "pages_manage_ads" => (Impact::LeadsAtRisk, phrase!("list lead forms")),
        "pages_read_user_content" => (Impact::Inbox, phrase!("read comments on pages")),
        "pages_manage_engagement" => (Impact::Inbox, phrase!("answer comments on pages")),
        "pages_messaging" => (Impact::Inbox, phrase!("read and write messages on Messenger")),
        "instagram_basic" => (Impact::Inbox, phrase!("see Instagram accounts")),
        "instagram_manage_comments" => (Impact::Inbox, phrase!("read and answer comments on Instagram")),
        "instagram_manage_messages" => (Impact::Inbox, phrase!("read and write messages on Instagram")),
        "whatsapp_business_management" => (Impact::Inbox, phrase!("see WhatsApp numbers")),
        "whatsapp_business_messaging" => (Impact::Inbox, phrase!("read and write messages on WhatsApp")),
        "pages_manage_posts" => (Impact::Posts, phrase!("publish on pages")),
        "instagram_content_publish" => (Impact::Posts, phrase!("publish on Instagram")),
        "ads_management" => (Impact::Campaigns, phrase!("manage ads")),
        "ads_read" => (Impact::AdsReports, phrase!("read ads and their numbers")),
        "business_management" => (Impact::Other, phrase!("list business portfolios")),
        _ => (Impact::Other, phrase!("another permission")),
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
