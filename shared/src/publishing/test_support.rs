//! A publisher with a table in this process, and a fake Meta.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::meta_test_support::FakeMeta;
pub(crate) use super::meta_test_support::Fault;
use super::{Publisher, Publishing};
use crate::bus::Bus;
use crate::campaigns::CampaignMaker;
use crate::directory::{Access, MetaAccess};
use crate::error::WorkError;
use crate::files::Files;
use crate::ids::{OrgId, OrgScope, PostId, UserId};
use crate::jobs::{PublishJob, PublishWork};
use crate::meta_app::MetaApp;
use crate::model::caller::{Caller, Role};
use crate::model::campaigns::CampaignStatus;
use crate::model::connection::Integration;
use crate::model::lead::assignment::Assignment;
use crate::model::org::{Org, Plan};
use crate::model::publishing::Post;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::tests::{at, connection, empty_table, integration, scope};
use crate::tokens::Tokens;

/// A publisher for org `a`, whose page 7 has the Instagram account 178.
pub(crate) struct Fixture {
    pub(crate) publisher: Publisher,
    pub(crate) meta: FakeMeta,
    pub(crate) scope: OrgScope,
    /// Reaches the queues of the fake.
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// Where the fake is.
    pub(crate) endpoint: String,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let meta = FakeMeta::default();
        let endpoint = meta.serve().await;
        {
            let mut world = meta.world();
            (world.now, world.polls, world.quota) = (at("2026-01-02T00:00:00Z"), 2, 50);
        }
        let aws = crate::aws::fake(&endpoint);
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let publisher = Publisher {
            meta: MetaApp::fake(&endpoint, &aws),
            table: empty_table().await,
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), "bus".into()),
            queue: Queue::new(sqs.clone(), format!("{endpoint}/publish")),
            checks: Queue::new(sqs.clone(), format!("{endpoint}/checks")),
            files: Files::new(&aws, "files".into()),
        };
        let (scope, table) = (scope("a"), &publisher.table);
        let plan = Plan { name: "pro".into(), features: vec!["meta".into()] };
        let org = Org {
            id: scope.org().clone(),
            name: "A".into(),
            plan,
            default_country: None,
            daily_spend_limit: None,
            keep_leads_days: None,
            updated_at: at("2026-01-01T00:00:00Z"),
        };
        table.put_org(&scope, &org).await.unwrap();
        let scopes = [
            "pages_manage_posts",
            "pages_read_engagement",
            "instagram_basic",
            "instagram_content_publish",
            "ads_management",
            "pages_manage_ads",
        ];
        let scopes = scopes.map(ToOwned::to_owned).to_vec();
        let integration = Integration { scopes, token_expires_at: None, ..integration(Assignment::Unassigned) };
        table.insert_integration(&scope, &integration, None).await.unwrap();
        table.save_connection(&scope, &connection("a")).await.unwrap();
        Self { publisher, meta, scope, sqs, endpoint }
    }

    /// The operations of the API and the console.
    pub(crate) fn publishing(&self) -> Publishing {
        let Publisher { meta, table, queue, checks, files, .. } = self.publisher.clone();
        let tokens = Tokens { meta, table: table.clone(), checks };
        Publishing { table, tokens, queue, files, key: HmacKey::new("k".into()) }
    }

    /// The right of a member of the org to use them.
    pub(crate) async fn access(&self) -> MetaAccess {
        let org = OrgId::parse("a").unwrap();
        let user = UserId::parse("u").unwrap();
        let caller = Caller {
            user,
            name: Some("Una".to_owned()),
            email: None,
            role: Role::Admin,
            orgs: vec![org],
            is_program: false,
        };
        let org = self.publisher.table.org(&self.scope).await.unwrap();
        MetaAccess::check(Access::new(caller, Some("a")).unwrap(), org.as_ref()).unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.meta.world().now
    }

    pub(crate) async fn insert(&self, post: &Post) {
        self.publisher.table.insert_posts(&self.scope, std::slice::from_ref(post), None).await.unwrap();
    }

    pub(crate) async fn post(&self, id: &PostId) -> Post {
        self.publisher.table.post(&self.scope, id).await.unwrap().unwrap()
    }

    /// Runs a worker once.
    pub(crate) async fn work(&self, job: &PublishJob) -> Result<(), WorkError> {
        let clock = || self.now();
        let limit = Duration::from_secs(120);
        match &job.work {
            PublishWork::Post(id) => self.publisher.publish(job, id, limit, &clock).await,
            PublishWork::Campaign(id) => {
                let Publisher { meta, table, bus, queue, checks, .. } = self.publisher.clone();
                CampaignMaker { meta, table, bus, queue, checks }.make(job, id, limit, &clock).await
            }
        }
    }

    /// Whether a job only reads what has become of something that is complete. There is no end of those.
    async fn is_for_review(&self, job: &PublishJob) -> bool {
        let PublishWork::Campaign(id) = &job.work else { return false };
        let campaign = self.publisher.table.campaign(&self.scope, id).await.unwrap().unwrap();
        campaign.status != CampaignStatus::Creating && campaign.progress.told
    }

    /// Delivers messages, and has the schedule look for posts, until nothing is left to do. Time passes as it would.
    pub(crate) async fn run(&self) {
        for round in 0.. {
            assert!(round < 400, "the posts do not come to an end");
            let next = self.meta.world().queued.pop();
            let job = match next {
                Some((job, delay)) => {
                    let mut world = self.meta.world();
                    world.now += SignedDuration::from_secs(delay);
                    serde_json::from_value(job).unwrap()
                }
                None => {
                    let due = self.publisher.table.publish_due(None).await.unwrap();
                    let mut unfinished = Vec::new();
                    for (at, job) in due {
                        if !self.is_for_review(&job).await {
                            unfinished.push((at, job));
                        }
                    }
                    let Some((at, job)) = unfinished.into_iter().next() else { return };
                    let mut world = self.meta.world();
                    world.now = world.now.max(at);
                    job
                }
            };
            self.work(&job).await.unwrap();
        }
    }
}
