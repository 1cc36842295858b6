//! Campaigns on their way: what exists at Meta when calls fail, answers are lost and workers die.

use rust_decimal::Decimal;

use crate::ids::{AdAccountId, CampaignId, FormId, OrgId, PageId, UserId};
use crate::jobs::PublishJob;
use crate::leads::crash_tests::dies_at;
use crate::model::campaigns::{
    AdImage, BidStrategy, Budget, CallToAction, Campaign, CampaignErrorCode, CampaignSpec, CampaignStatus,
    CreativeSpec, Targeting,
};
use crate::publishing::test_support::{Fault, Fixture};

fn campaign(fixture: &Fixture) -> Campaign {
    let spec = CampaignSpec {
        name: "Open day".to_owned(),
        ad_account_id: AdAccountId::parse("act_1").unwrap(),
        page_id: PageId::parse("7").unwrap(),
        form_id: FormId::parse("3").unwrap(),
        currency: "EUR".to_owned(),
        budget: Budget::Daily(Decimal::new(2050, 2)),
        start_time: None,
        end_time: None,
        special_ad_categories: Vec::new(),
        special_ad_category_countries: Vec::new(),
        targeting: Targeting {
            countries: vec!["NL".to_owned()],
            age_min: None,
            age_max: None,
            advantage_audience: true,
        },
        creative: CreativeSpec {
            message: "Come and see".to_owned(),
            headline: None,
            image: AdImage::Url("https://cdn.example/1.jpg".to_owned()),
            link: None,
            call_to_action: CallToAction::SignUp,
        },
        instagram_account_id: None,
        bid_strategy: BidStrategy::LowestCostWithoutCap,
        bid_amount: None,
        dsa_payor: Some("Acme".to_owned()),
        dsa_beneficiary: Some("Acme".to_owned()),
    };
    Campaign {
        id: CampaignId::parse("cmp_0123456789abcdef").unwrap(),
        org: OrgId::parse("a").unwrap(),
        spec,
        status: CampaignStatus::Creating,
        review: Default::default(),
        meta: Default::default(),
        errors: Vec::new(),
        seen_at: None,
        changed_at: fixture.now(),
        created_by: UserId::parse("u").unwrap(),
        created_at: fixture.now(),
        progress: Default::default(),
        revision: 0,
    }
}

async fn insert(fixture: &Fixture) -> Campaign {
    let campaign = campaign(fixture);
    fixture.publisher.table.insert_campaign(&fixture.scope, &campaign, None).await.unwrap();
    campaign
}

async fn stored(fixture: &Fixture, campaign: &Campaign) -> Campaign {
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
