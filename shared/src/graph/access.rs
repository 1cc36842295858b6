//! Lead access: whether the app can read a page's leads.
//!
//! An administrator of the page may customize Leads Access Manager at any time. That shuts out every app that is not on
//! its list, without notice to the app.

use serde::Deserialize;

use super::batch::Call;
use super::{GraphClient, GraphError, read};
use crate::ids::PageId;
use crate::secret::AccessToken;

/// Meta's report on access to the leads of one page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LeadAccess {
    /// Whether this person can read the page's leads through this app.
    pub can_access_lead: bool,
    /// Whether Leads Access Manager was customized. Before that, every administrator of the page can read its leads.
    #[serde(default)]
    pub enabled_lead_access_manager: bool,
    /// The reason, in Meta's words.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// The remedy, in Meta's words.
    #[serde(default)]
    pub failure_resolution: Option<String>,
}

#[derive(Deserialize)]
struct AccessBody {
    has_lead_access: LeadAccess,
}

impl GraphClient {
    /// Reports whether `user` can read the leads of each page through this app: one outcome per page, in order. Meta
    /// rejects the question from system users, and without `leads_retrieval`.
    pub async fn lead_access(
        &self,
        user: &str,
        pages: &[(&PageId, &AccessToken)],
    ) -> Vec<Result<LeadAccess, GraphError>> {
        let Some((_, first)) = pages.first() else { return Vec::new() };
        let fields = format!("has_lead_access.user_id({user}).app_id({})", self.app.id);
        let call = |page: &PageId| Call::get(page.as_str(), &[("fields", &fields)]);
        let calls: Vec<Call> = pages.iter().map(|(page, token)| call(page).with_token((*token).clone())).collect();
        let outcomes = self.batch(&calls, first).await.into_iter();
        outcomes.map(|outcome| read::<AccessBody>(outcome?).map(|answer| answer.has_lead_access)).collect()
    }
}
