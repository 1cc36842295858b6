//! Campaigns on their way: what exists at Meta when calls fail, answers are lost and workers die.

use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::json;

use super::Campaigns;
use crate::directory::{Access, MetaAccess};
use crate::error::ErrorCode;
use crate::ids::{CampaignId, UserId};
use crate::jobs::PublishJob;
use crate::leads::crash_tests::dies_at;
use crate::model::caller::{Caller, Role};
use crate::model::campaigns::tests::campaign;
use crate::model::campaigns::{CampaignErrorCode, CampaignStatus, LeadCampaign};
use crate::model::org::{Org, SpendLimit};
use crate::publishing::Publisher;
use crate::publishing::test_support::{Fault, Fixture};
use crate::secret::HmacKey;
use crate::table::tests::connection;
use crate::tokens::Tokens;

async fn insert(fixture: &Fixture) -> LeadCampaign {
    let campaign = LeadCampaign { created_at: fixture.now(), ..campaign() };
    fixture.publisher.table.insert_campaign(&fixture.scope, &campaign, None).await.unwrap();
    campaign
}

async fn stored(fixture: &Fixture, campaign: &LeadCampaign) -> LeadCampaign {
    fixture.publisher.table.campaign(&fixture.scope, &campaign.id).await.unwrap().unwrap()
}

/// The edges of what exists at Meta, in order.
fn existing(fixture: &Fixture) -> Vec<&'static str> {
    let mut edges: Vec<&str> = fixture.meta.world().ads.values().map(|(edge, _)| *edge).collect();
    edges.sort_unstable();
    edges
}

const ONE_OF_EACH: [&str; 4] = ["adcreatives", "ads", "adsets", "campaigns"];
const EDGES: [&str; 4] = ["POST act_1/campaigns", "POST act_1/adsets", "POST act_1/adcreatives", "POST act_1/ads"];

#[tokio::test]
async fn a_campaign_is_complete_and_paused_and_sends_what_meta_needs() {
    let fixture = Fixture::new().await;
    let asked = insert(&fixture).await;
    fixture.run().await;
    let made = stored(&fixture, &asked).await;
    assert_eq!((made.status, existing(&fixture)), (CampaignStatus::Paused, ONE_OF_EACH.to_vec()), "{made:#?}");
    assert_eq!(fixture.meta.world().events.len(), 1);
    let world = fixture.meta.world();
    let form = |wanted: &str| world.ads.values().find(|(edge, _)| *edge == wanted).unwrap().1.clone();
    for edge in ["campaigns", "adsets", "ads"] {
        assert_eq!(form(edge)["status"], "PAUSED", "{edge}");
    }
    let (campaign, adset) = (form("campaigns"), form("adsets"));
    assert_eq!(campaign["is_adset_budget_sharing_enabled"], "false");
    assert_eq!(campaign["special_ad_categories"], r#"["NONE"]"#);
    assert!(!campaign.contains_key("daily_budget") && !campaign.contains_key("bid_strategy"));
    assert_eq!((adset["daily_budget"].as_str(), adset["bid_strategy"].as_str()), ("2050", "LOWEST_COST_WITHOUT_CAP"));
    assert_eq!(adset["promoted_object"], r#"{"page_id":"7"}"#);
    assert_eq!((adset["optimization_goal"].as_str(), adset["destination_type"].as_str()), ("LEAD_GENERATION", "ON_AD"));
    assert!(adset["targeting"].contains(r#""advantage_audience":1"#));
    assert!(form("adcreatives")["object_story_spec"].contains(r#""lead_gen_form_id":"3""#));
    assert!(!form("adcreatives")["object_story_spec"].contains("instagram_actor_id"));
}

#[tokio::test]
async fn whichever_answer_is_lost_there_is_one_of_each() {
    for call in EDGES {
        for after in [true, false] {
            for error in [None, Some((2, None)), Some((1, None)), Some((17, None))] {
                let fixture = Fixture::new().await;
                let asked = insert(&fixture).await;
                // The first call of two edges only validates.
                let skip = usize::from(matches!(call, "POST act_1/campaigns" | "POST act_1/adcreatives"));
                fixture.meta.world().skip = Some((call, skip));
                fixture.meta.world().faults.push_back(Fault { call, after, error });
                fixture.run().await;
                let made = stored(&fixture, &asked).await;
                let expected = (CampaignStatus::Paused, ONE_OF_EACH.to_vec());
                assert_eq!((made.status, existing(&fixture)), expected, "{call} {after} {error:?}: {made:#?}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_meta_refuses_nothing_is_left() {
    for call in EDGES {
        for after in [true, false] {
            let fixture = Fixture::new().await;
            let asked = insert(&fixture).await;
            let skip = usize::from(matches!(call, "POST act_1/campaigns" | "POST act_1/adcreatives"));
            fixture.meta.world().skip = Some((call, skip));
            fixture.meta.world().faults.push_back(Fault { call, after, error: Some((100, Some(1_870_227))) });
            fixture.run().await;
            let failed = stored(&fixture, &asked).await;
            assert_eq!(
                (failed.status, existing(&fixture)),
                (CampaignStatus::Failed, vec![]),
                "{call} {after}: {failed:#?}"
            );
            let error = &failed.errors[0];
            assert_eq!(error.field.as_deref(), Some("targeting.advantageAudience"));
            assert!(error.message.contains("Meta's own words"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn what_can_be_checked_before_is_refused_before_anything_is_made() {
    let fixture = Fixture::new().await;
    let asked = insert(&fixture).await;
    let refused = Fault { call: "POST act_1/adcreatives", after: false, error: Some((100, Some(1_815_199))) };
    fixture.meta.world().faults.push_back(refused);
    fixture.run().await;
    let failed = stored(&fixture, &asked).await;
    assert_eq!(failed.errors[0].code, CampaignErrorCode::InstagramAccountRefused);
    assert_eq!(fixture.meta.calls("POST act_1/campaigns"), 1, "it was only validated");
}

#[tokio::test]
async fn a_creative_without_its_form_never_becomes_an_ad() {
    let fixture = Fixture::new().await;
    let asked = insert(&fixture).await;
    fixture.meta.world().forgets_form = true;
    fixture.run().await;
    let failed = stored(&fixture, &asked).await;
    assert_eq!((failed.status, existing(&fixture)), (CampaignStatus::Failed, vec![]), "{failed:#?}");
    assert_eq!(failed.errors[0].field.as_deref(), Some("leadFormId"));
    assert_eq!(fixture.meta.calls("POST act_1/ads"), 0);
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_leaves_one_of_each() {
    for point in 0.. {
        assert!(point < 400, "the work does not come to an end");
        let fixture = Fixture::new().await;
        let asked = insert(&fixture).await;
        let finished = dies_at(point, fixture.work(&PublishJob::campaign(&asked))).await;
        fixture.run().await;
        let made = stored(&fixture, &asked).await;
        let expected = (CampaignStatus::Paused, ONE_OF_EACH.to_vec());
        assert_eq!((made.status, existing(&fixture)), expected, "{point}: {made:#?}");
        if finished.is_some() {
            break;
        }
    }
}

#[tokio::test]
async fn workers_at_the_same_instant_make_one_of_each() {
    let fixture = Fixture::new().await;
    let asked = insert(&fixture).await;
    let job = PublishJob::campaign(&asked);
    let (one, two) = tokio::join!(fixture.work(&job), fixture.work(&job));
    assert!(one.is_ok() && two.is_ok());
    fixture.run().await;
    assert_eq!(existing(&fixture), ONE_OF_EACH);
}

/// Campaigns as an admin of org `a` works with them, whose limit is this many euros a day.
pub(super) async fn campaigns(fixture: &Fixture, limit: Option<i64>) -> (Campaigns, MetaAccess) {
    let Publisher { meta, table, bus, queue, checks, .. } = fixture.publisher.clone();
    let org = table.org(&fixture.scope).await.unwrap().unwrap();
    let limit = limit.map(|amount| SpendLimit { amount: Decimal::from(amount), currency: "EUR".to_owned() });
    let org = Org { daily_spend_limit: limit, ..org };
    table.put_org(&fixture.scope, &org).await.unwrap();
    let tokens = Tokens { meta, table: table.clone(), checks };
    (Campaigns { table, tokens, queue, bus, key: HmacKey::new("key".to_owned()) }, access(fixture, Role::Admin, &org))
}

fn access(fixture: &Fixture, role: Role, org: &Org) -> MetaAccess {
    let caller = Caller {
        user: UserId::parse("u").unwrap(),
        name: None,
        email: None,
        role,
        orgs: vec![org.id.clone()],
        is_program: false,
    };
    MetaAccess::check(Access { scope: fixture.scope.clone(), caller, trail: Default::default() }, Some(org)).unwrap()
}

/// Makes complete campaigns that may spend 20.50 EUR a day each.
async fn complete(fixture: &Fixture, count: usize) -> Vec<LeadCampaign> {
    let mut made = Vec::new();
    for number in 0..count {
        let id = CampaignId::parse(&format!("cmp_0123456789{number:06}")).unwrap();
        let campaign = LeadCampaign { id, created_at: fixture.now(), ..campaign() };
        fixture.publisher.table.insert_campaign(&fixture.scope, &campaign, None).await.unwrap();
        fixture.run().await;
        made.push(stored(fixture, &campaign).await);
    }
    made
}

fn statuses(fixture: &Fixture) -> Vec<String> {
    let world = fixture.meta.world();
    world.ads.values().filter_map(|(_, form)| form.get("status").cloned()).collect()
}

#[tokio::test]
async fn a_campaign_is_launched_on_every_level_and_paused_on_its_own() {
    let fixture = Fixture::new().await;
    let one = complete(&fixture, 1).await.remove(0);
    let (campaigns, access) = campaigns(&fixture, None).await;
    for _ in 0..2 {
        let launched = campaigns.launch(&access, &one.id).await.unwrap();
        assert_eq!(launched.status, CampaignStatus::Active);
        assert_eq!(statuses(&fixture), ["ACTIVE"; 3]);
    }
    assert_eq!(fixture.meta.world().events.len(), 2, "created and launched, and no event for the second launch");
    campaigns.pause(&access, &one.id).await.unwrap();
    assert_eq!(statuses(&fixture).iter().filter(|status| *status == "PAUSED").count(), 1);
    campaigns.archive(&access, &one.id).await.unwrap();
    assert_eq!(campaigns.launch(&access, &one.id).await.unwrap_err().code(), ErrorCode::CampaignNotReady);
}

#[tokio::test]
async fn no_launch_goes_beyond_the_org_s_limit_without_a_superadmin() {
    let fixture = Fixture::new().await;
    let made = complete(&fixture, 4).await;
    let (campaigns, access) = campaigns(&fixture, Some(45)).await;
    let (one, two) = tokio::join!(campaigns.launch(&access, &made[0].id), campaigns.launch(&access, &made[1].id));
    assert!(one.is_ok() && two.is_ok(), "41 of 45");
    let refused = campaigns.launch(&access, &made[2].id).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::SpendLimitReached);
    assert!(refused.to_string().contains("61.50 EUR"), "{refused}");
    assert_eq!(stored(&fixture, &made[2]).await.status, CampaignStatus::Paused);
    assert_eq!(statuses(&fixture).iter().filter(|status| *status == "ACTIVE").count(), 6);
    let org = fixture.publisher.table.org(&fixture.scope).await.unwrap().unwrap();
    let superadmin = self::access(&fixture, Role::SuperAdmin, &org);
    assert!(campaigns.launch(&superadmin, &made[2].id).await.is_ok());
}

#[tokio::test]
async fn of_launches_at_once_none_slips_past_the_limit() {
    let fixture = Fixture::new().await;
    let made = complete(&fixture, 3).await;
    let (campaigns, access) = campaigns(&fixture, Some(25)).await;
    let launches = made.iter().map(|one| campaigns.launch(&access, &one.id));
    let launched = futures_util::future::join_all(launches).await.into_iter().filter(Result::is_ok).count();
    assert!(launched <= 1, "{launched} of 25 EUR");
    if launched == 0 {
        // Each saw the others. Alone, one has room.
        campaigns.launch(&access, &made[0].id).await.unwrap();
        return;
    }
    assert_eq!(statuses(&fixture).iter().filter(|status| *status == "ACTIVE").count(), 3 * launched);
}

#[tokio::test]
async fn a_launch_that_meta_does_not_answer_is_not_believed() {
    let fixture = Fixture::new().await;
    let one = complete(&fixture, 1).await.remove(0);
    let (campaigns, access) = campaigns(&fixture, None).await;
    fixture.meta.world().faults.push_back(Fault { call: "", after: false, error: Some((2, None)) });
    assert!(campaigns.launch(&access, &one.id).await.is_err());
    assert_eq!(stored(&fixture, &one).await.status, CampaignStatus::Paused);
    assert!(campaigns.launch(&access, &one.id).await.is_ok());
    assert_eq!(stored(&fixture, &one).await.status, CampaignStatus::Active);
}

#[tokio::test]
async fn a_launch_whose_answer_is_lost_spends_nothing_unseen() {
    for pause_fails in [false, true] {
        let fixture = Fixture::new().await;
        let one = complete(&fixture, 1).await.remove(0);
        let (campaigns, access) = campaigns(&fixture, None).await;
        let own = one.meta.campaign_id.as_ref().unwrap().as_str().to_owned();
        let call: &'static str = format!("POST {own}").leak();
        let lost = Fault { call, after: true, error: None };
        fixture.meta.world().faults.push_back(lost);
        if pause_fails {
            fixture.meta.world().faults.push_back(Fault { call, after: false, error: Some((2, None)) });
        }
        assert!(campaigns.launch(&access, &one.id).await.is_err());
        let at_meta = fixture.meta.world().ads[&own].1["status"].clone();
        let seen = stored(&fixture, &one).await;
        if pause_fails {
            assert_eq!((at_meta.as_str(), seen.status), ("ACTIVE", CampaignStatus::Active));
            assert!(seen.attention_at().unwrap() <= seen.changed_at + SignedDuration::from_mins(10), "looked at soon");
        } else {
            assert_eq!((at_meta.as_str(), seen.status), ("PAUSED", CampaignStatus::Paused));
        }
    }
}

/// Runs a worker on a campaign, so much later.
async fn look(fixture: &Fixture, campaign: &LeadCampaign, later: SignedDuration) {
    fixture.meta.world().now += later;
    fixture.work(&PublishJob::campaign(campaign)).await.unwrap();
}

#[tokio::test]
async fn what_meta_s_review_says_is_read_and_told_without_being_asked_for() {
    let fixture = Fixture::new().await;
    let one = complete(&fixture, 1).await.remove(0);
    let reads = || fixture.meta.world().calls.iter().filter(|call| call.starts_with("GET")).count();
    let before = reads();
    look(&fixture, &one, SignedDuration::from_mins(1)).await;
    assert_eq!(reads(), before, "too early, so that a repeated message costs nothing");
    let due = fixture.publisher.table.publish_due(None).await.unwrap();
    assert_eq!(due.len(), 1, "the schedule will come for it");
    fixture.meta.world().review = (Some("DISAPPROVED"), json!({ "global": { "ALCOHOL": "No." } }));
    look(&fixture, &one, due[0].0.duration_since(fixture.now())).await;
    let seen = stored(&fixture, &one).await;
    assert_eq!(
        (seen.review.status.as_deref(), seen.review.feedback.as_slice()),
        (Some("DISAPPROVED"), &["ALCOHOL: No.".to_owned()][..])
    );
    assert!(seen.progress.lease.is_none() && seen.progress.told);
    assert_eq!(fixture.meta.world().events.len(), 2, "created and rejected");
    look(&fixture, &one, SignedDuration::from_hours(25)).await;
    assert_eq!(fixture.meta.world().events.len(), 2, "nothing new");
}

#[tokio::test]
async fn a_campaign_outlives_a_connection_that_has_ended() {
    let fixture = Fixture::new().await;
    let one = complete(&fixture, 1).await.remove(0);
    fixture.publisher.table.delete_connection(&fixture.scope, &connection("a")).await.unwrap();
    look(&fixture, &one, SignedDuration::from_hours(30)).await;
    let seen = stored(&fixture, &one).await;
    assert_eq!((seen.status, seen.progress.lease), (CampaignStatus::Paused, None));
    assert_eq!(seen.seen_at, Some(fixture.now()));
}
