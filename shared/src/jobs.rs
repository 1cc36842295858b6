//! The jobs that travel through queues: one type per queue, and nothing of how the work is done.

mod assignee_mail;
mod delivery;
mod org_leads;
#[cfg(test)]
mod stored_tests;

use std::collections::BTreeMap;
use std::fmt::Debug;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::assignee_mail::AssigneeMailJob;
pub use self::delivery::{BusEvent, DeliveryJob, TryJob};
pub use self::org_leads::{ExportJob, RetentionJob};
use crate::ids::{AdAccountId, CampaignId, IntegrationId, LinkId, MessageId, OrgId, OrgScope, PageId, PostId, RunId};
use crate::model::ads::account::AdAccount;
use crate::model::campaigns::LeadCampaign;
use crate::model::lead::FoundBy;
use crate::model::publishing::Post;
use crate::model::webhook::{EngagementNotice, LeadNotice};

/// A unit of work as a queue holds it, in JSON. A new field needs a default, because messages of the previous version
/// are still in the queue when a new version starts. The rules are in `shared/ARCHITECTURE.md`, under "Stored shapes".
pub trait Job: Serialize + DeserializeOwned + Debug {
    /// Returns the message group. SQS keeps the backlog of one group from delaying the others; it does not order
    /// messages by it.
    fn group(&self) -> &str;
}

/// A lead to fetch, for one org or for all that connected its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadJob {
    /// What the webhook, or a search, reported.
    #[serde(flatten)]
    pub notice: LeadNotice,
    /// When Leadwire first learned of it.
    pub received_at: Timestamp,
    /// How it was found.
    pub found_by: FoundBy,
    /// The org that Meta's callback URL named, if any. Only logged: a lead goes to the orgs that connected its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orgid: Option<String>,
    /// The only org it is for, if an org requested a replay or a search. `None` means every org that connected the
    /// page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_for: Option<OrgId>,
    /// Leaves the lead unassigned, whatever the integration's assignment says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unassigned: bool,
    /// The requested search that found it and counts it as progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

impl LeadJob {
    /// Creates a job for every org that connected the page, each with its own assignment rule.
    #[must_use]
    pub fn new(notice: LeadNotice, received_at: Timestamp, found_by: FoundBy) -> Self {
        Self { notice, received_at, found_by, orgid: None, only_for: None, unassigned: false, run: None }
    }
}

/// Leads to fetch: one message of the lead queue. Leads of one page that are found together travel together, because
/// messages, calls to Meta and transactions all cost less in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadBatch {
    /// At most [`LeadBatch::MAX_LEADS`], all of one page.
    pub leads: Vec<LeadJob>,
}

impl LeadBatch {
    /// As many leads as Meta answers for in one request.
    pub const MAX_LEADS: usize = 50;

    /// Packs leads into as few messages as possible. Leads of one page keep their order.
    #[must_use]
    pub fn pack(leads: Vec<LeadJob>) -> Vec<Self> {
        let mut pages: BTreeMap<PageId, Vec<LeadJob>> = BTreeMap::new();
        for lead in leads {
            pages.entry(lead.notice.page_id.clone()).or_default().push(lead);
        }
        let batch = |leads: &[LeadJob]| Self { leads: leads.to_vec() };
        pages.values().flat_map(|leads| leads.chunks(Self::MAX_LEADS).map(batch)).collect()
    }
}

impl Job for LeadBatch {
    fn group(&self) -> &str {
        self.leads.first().map_or("none", |lead| lead.notice.page_id.as_str())
    }
}

/// A comment, reaction, mention or message for the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngagementJob {
    /// What Meta sent.
    #[serde(flatten)]
    pub notice: EngagementNotice,
    /// When the webhook received it.
    pub received_at: Timestamp,
}

impl Job for EngagementJob {
    fn group(&self) -> &str {
        &self.notice.entry_id
    }
}

/// An answer to send.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AnswerJob {
    /// The org.
    pub org: OrgId,
    /// The answer.
    pub message: MessageId,
}

impl AnswerJob {
    /// The right to act for the org whose member wrote it.
    pub(crate) fn scope(&self) -> OrgScope {
        OrgScope::new(self.org.clone())
    }
}

impl Job for AnswerJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

/// A file of a message to copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttachmentJob {
    /// The org.
    pub org: OrgId,
    /// The message.
    pub message: MessageId,
    /// The position of the file in the message.
    pub position: usize,
}

impl AttachmentJob {
    /// The right to act for the org to which the message was written.
    pub(crate) fn scope(&self) -> OrgScope {
        OrgScope::new(self.org.clone())
    }
}

impl Job for AttachmentJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

/// An integration whose pages are searched for missed leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SweepJob {
    /// Its org.
    pub org: OrgId,
    /// The integration.
    pub integration_id: IntegrationId,
    /// What to search for.
    pub kind: SweepKind,
}

/// The kinds of searches for missed leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepKind {
    /// The schedule's. The next one follows soon, so that an old one is not worth its work.
    Regular {
        /// When the schedule sent it.
        planned_at: Timestamp,
    },
    /// Every form, and the leads of the last minutes, which Meta's webhook may still deliver.
    Everything,
    /// Everything since the integration stopped working. It has caught up then.
    CatchUp {
        /// When that was.
        since: Timestamp,
    },
    /// One page of a requested search.
    Run(RunId, PageId),
}

impl Job for SweepJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

/// An integration whose comments and messages are compared with Meta.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SocialSyncJob {
    /// Its org.
    pub org: OrgId,
    /// The integration.
    pub integration_id: IntegrationId,
    /// When the schedule sent it. Pages that were synced since are done: a repetition goes on where the last try ended.
    pub planned_at: Timestamp,
}

impl Job for SocialSyncJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

/// An integration to check: its token, its pages, and the notices to its admins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CheckJob {
    /// Its org.
    pub org: OrgId,
    /// The integration.
    pub integration_id: IntegrationId,
}

impl CheckJob {
    /// Creates a check of one of the org's integrations.
    #[must_use]
    pub fn new(scope: &OrgScope, integration_id: &IntegrationId) -> Self {
        Self { org: scope.org().clone(), integration_id: integration_id.clone() }
    }
}

impl Job for CheckJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

/// A slice of an ad account's sync, or the deletion of what was synced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AdsSyncJob {
    /// The account's org.
    pub org: OrgId,
    /// The account.
    pub ad_account_id: AdAccountId,
    /// The account's link when this was sent. An account that was unlinked and linked again has another link.
    pub link: LinkId,
    /// The sync. `None` means that the account was unlinked and its synced data is to be deleted.
    pub run: Option<RunId>,
}

impl AdsSyncJob {
    /// Creates a slice of this account's sync, or with `None` the deletion of its data.
    #[must_use]
    pub fn new(account: &AdAccount, run: Option<RunId>) -> Self {
        Self { org: account.org.clone(), ad_account_id: account.ad_account_id.clone(), link: account.id.clone(), run }
    }
}

impl Job for AdsSyncJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

/// A post to publish or a campaign to make, or to go on with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishJob {
    /// Its org.
    pub org: OrgId,
    /// What it is about.
    #[serde(flatten)]
    pub work: PublishWork,
    /// Its page, whose backlog must not delay the others.
    pub page_id: PageId,
    /// Do it before its time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub early: bool,
}

/// What a [`PublishJob`] is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishWork {
    /// A post.
    Post(PostId),
    /// A campaign.
    Campaign(CampaignId),
}

impl PublishJob {
    /// Publishes a post when its time has come.
    #[must_use]
    pub fn post(post: &Post) -> Self {
        let work = PublishWork::Post(post.id.clone());
        Self { org: post.org.clone(), work, page_id: post.page_id.clone(), early: false }
    }

    /// The right to act for the org that asked for it.
    pub(crate) fn scope(&self) -> OrgScope {
        OrgScope::new(self.org.clone())
    }

    /// Makes a campaign.
    #[must_use]
    pub fn campaign(campaign: &LeadCampaign) -> Self {
        let work = PublishWork::Campaign(campaign.id.clone());
        Self { org: campaign.org.clone(), work, page_id: campaign.spec.page_id.clone(), early: false }
    }
}

impl Job for PublishJob {
    fn group(&self) -> &str {
        self.page_id.as_str()
    }
}

/// The conversions of an org that are to be sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConversionJob {
    /// The org.
    pub org: OrgId,
    /// Send also what waits after a failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub early: bool,
}

/// The right to act for an org, for jobs that are in files of their own.
fn scope_of(org: &OrgId) -> OrgScope {
    OrgScope::new(org.clone())
}

impl ConversionJob {
    /// The right to act for the org that has them.
    pub(crate) fn scope(&self) -> OrgScope {
        OrgScope::new(self.org.clone())
    }
}

impl Job for ConversionJob {
    fn group(&self) -> &str {
        self.org.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_of_a_page_travel_together_up_to_what_meta_answers_at_once() {
        let lead = |id: u64, page: u64| {
            let notice = serde_json::from_value(
                serde_json::json!({ "leadgen_id": id.to_string(), "page_id": page.to_string() }),
            )
            .unwrap();
            LeadJob::new(notice, Timestamp::UNIX_EPOCH, FoundBy::Webhook)
        };
        let packed = LeadBatch::pack((0..70).map(|id| lead(id, id % 2)).chain([lead(99, 7)]).collect());
        assert_eq!(packed.iter().map(|batch| batch.leads.len()).collect::<Vec<_>>(), [35, 35, 1]);
        let packed = LeadBatch::pack((0..120).map(|id| lead(id, 1)).collect());
        assert_eq!(packed.iter().map(|batch| batch.leads.len()).collect::<Vec<_>>(), [50, 50, 20]);
        assert_eq!((packed[2].leads[19].notice.leadgen_id.as_str(), packed[0].group()), ("119", "1"));
        assert!(LeadBatch::pack(Vec::new()).is_empty());
    }
}
