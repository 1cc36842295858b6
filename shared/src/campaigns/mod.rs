//! The room of campaigns for lead ads: made paused at Meta, launched and paused, with their lead forms.
//!
//! [`Campaigns`] has the operations of the API and the console. [`CampaignMaker`] makes a campaign in the background.

mod create;
mod forms;
#[cfg(test)]
mod forms_tests;
mod maker;
mod manage;
#[cfg(test)]
mod tests;

pub use create::{CampaignIn, CreatedCampaign, CreativeIn, TargetingIn};
pub use forms::{ArchivedForm, CreatedForm, FormChoice, LeadFormIn, PrivacyPolicyIn, QuestionIn, ThankYouIn};
pub use maker::CampaignMaker;
pub use manage::{CampaignChoice, LeadCampaignList, LeadCampaignOut};

use crate::bus::Bus;
use crate::jobs::PublishJob;
use crate::publishing::target::Rights;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::tokens::Tokens;

/// What it takes to advertise for a page.
pub(crate) const RIGHTS: Rights =
    Rights { scopes: &["ads_management", "pages_manage_ads"], tasks: &["ADVERTISE", "MANAGE"] };

/// The operations on campaigns.
#[derive(Debug, Clone)]
pub struct Campaigns {
    /// Stores campaigns.
    pub table: Table,
    /// The Graph API with the integrations' tokens.
    pub tokens: Tokens,
    /// Takes campaigns to make.
    pub queue: Queue<PublishJob>,
    /// Takes changes of campaigns.
    pub bus: Bus,
    /// Signs cursors.
    pub key: HmacKey,
}
