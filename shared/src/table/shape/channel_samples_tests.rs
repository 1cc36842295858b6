//! Samples of what goes out: posts, campaigns, and events to the CRM's endpoints.

use rust_decimal::Decimal;

use super::lead_samples_tests::{lead_id, text};
use super::org_samples_tests::{demo, now, page, user_id};
use crate::ids::{AdObjectId, CampaignId, ContactId, EndpointId, InstagramAccountId, PostId};
use crate::model::campaigns::step::CampaignProgress;
use crate::model::campaigns::{
    AdImage, BidStrategy, Budget, CampaignError, CampaignErrorCode, CampaignSpec, CampaignStatus, CreativeSpec,
    LeadCampaign, MetaNames, MetaObjects, Review, SpecialAdCategory, Targeting, tests as campaigns,
};
use crate::model::delivery::schedule::EndpointHealth;
use crate::model::delivery::{
    DeliveryTry, DisabledReason, Endpoint, EndpointDisabled, EventDelivery, EventDeliveryState, EventSubject, Fact,
    RetiredSecret, TryFault, UndeliveredReason,
};
use crate::model::publishing::failure::{PostFailure, PostFailureCode};
use crate::model::publishing::progress::{Attempt, PostProgress, PublishLease, Upload};
use crate::model::publishing::{
    InstagramFormat, Media, MediaStatus, MediaType, Post, PostKind, PostStatus, PostStep, PostStepKind, tests as posts,
};
use crate::table::Table;
use crate::table::request::OnceRequest;
use crate::trace::TraceId;

pub(super) async fn write(table: &Table) {
    write_posts(table).await;
    write_campaigns(table).await;
    write_deliveries(table).await;
}

fn post_id(id: &str) -> PostId {
    PostId::parse(id).unwrap()
}

fn failure() -> PostFailure {
    PostFailure { code: PostFailureCode::MediaRefused, message: "Picture 2".to_owned(), fix: "Replace it".to_owned() }
}

fn attempt() -> Attempt {
    Attempt { began_at: now(), sent_at: now(), sends: 2, looks: 1, refusal: Some(failure()) }
}

async fn write_posts(table: &Table) {
    let upload = Upload { id: text("61"), made_at: Some(now()), ready: true, polls: 2, tries: 1 };
    let progress = PostProgress {
        items: vec![upload.clone(), Upload::default()],
        container: Some(upload),
        attempt: Some(attempt()),
        turn_at: Some(now()),
        next_at: Some(now()),
        failures: 1,
        descriptions: 1,
        lease: Some(PublishLease { until: now() }),
        told: true,
    };
    let medium = |r#type, status| Media { r#type, url: "https://cdn.example/1.jpg".to_owned(), status };
    let post = Post {
        id: post_id("post_2"),
        org: demo().org().clone(),
        kind: PostKind::Instagram,
        page_id: page(),
        instagram_account_id: InstagramAccountId::parse("71").ok(),
        group: text("g1"),
        siblings: vec![post_id("post_1")],
        message: text("Open day"),
        link: text("https://northwind.example"),
        media: vec![medium(MediaType::Image, MediaStatus::Ready), medium(MediaType::Video, MediaStatus::Failed)],
        format: Some(InstagramFormat::Carousel),
        status: PostStatus::Publishing,
        failure: Some(failure()),
        scheduled_at: Some(now()),
        due_since: Some(now()),
        published_at: Some(now()),
        meta_id: text("62"),
        permalink: text("https://www.instagram.com/p/62"),
        created_by: user_id("ann"),
        created_at: now(),
        trace: vec![PostStep { at: now(), step: PostStepKind::Uploaded, cause: "picture 1".to_owned() }],
        progress,
        revision: 3,
    };
    let bare = Post { org: demo().org().clone(), message: None, status: PostStatus::Cancelled, ..posts::post() };
    let request = OnceRequest {
        operation: "post-to-page".to_owned(),
        hash: "abc".to_owned(),
        fingerprint: "def".to_owned(),
        made: vec!["post_1".to_owned()],
        at: now(),
    };
    table.insert_posts(&demo(), &[post, bare], Some(&request)).await.unwrap();
    assert!(table.claim_meta_post(&demo(), "7_1", &post_id("post_1")).await.unwrap());
    table.reserve_turn(&page(), now(), jiff::SignedDuration::from_secs(5)).await.unwrap();
}

async fn write_campaigns(table: &Table) {
    let campaign = campaigns::campaign();
    let spec = CampaignSpec {
        budget: Budget::Lifetime(Decimal::from(700)),
        start_time: Some(now()),
        end_time: Some(now() + jiff::SignedDuration::from_hours(72)),
        special_ad_categories: vec![SpecialAdCategory::Housing],
        special_ad_category_countries: vec!["NL".to_owned()],
        targeting: Targeting { age_min: Some(18), age_max: Some(65), ..campaign.spec.targeting.clone() },
        creative: CreativeSpec {
            headline: text("Meet us"),
            image: AdImage::Hash("abcdef".to_owned()),
            link: text("https://northwind.example"),
            ..campaign.spec.creative.clone()
        },
        instagram_account_id: InstagramAccountId::parse("71").ok(),
        bid_strategy: BidStrategy::CostCap,
        bid_amount: Some(Decimal::from(4)),
        ..campaign.spec.clone()
    };
    let error = CampaignError {
        field: text("dailyBudget"),
        code: CampaignErrorCode::FieldRefused,
        message: "Too low".to_owned(),
        fix: "Raise it".to_owned(),
    };
    let object = |id: &str| AdObjectId::parse(id).ok();
    let full = LeadCampaign {
        id: CampaignId::parse("cmp_2").unwrap(),
        org: demo().org().clone(),
        spec,
        names: MetaNames { ad_account: text("Northwind at Meta"), form: text("Trial") },
        status: CampaignStatus::Active,
        review: Review { status: text("DISAPPROVED"), feedback: vec!["No people in pictures".to_owned()] },
        meta: MetaObjects {
            campaign_id: object("31"),
            adset_id: object("32"),
            creative_id: object("34"),
            ad_id: object("33"),
        },
        errors: vec![error],
        seen_at: Some(now()),
        changed_at: now(),
        created_by: user_id("ann"),
        created_at: now(),
        progress: CampaignProgress {
            validated: true,
            creative_checked: true,
            attempt: Some(attempt()),
            undoing: true,
            next_at: Some(now()),
            failures: 1,
            lease: Some(PublishLease { until: now() }),
            told: true,
        },
        revision: 4,
    };
    let spec = CampaignSpec { dsa_payor: None, dsa_beneficiary: None, ..campaign.spec.clone() };
    let bare = LeadCampaign { org: demo().org().clone(), spec, status: CampaignStatus::Failed, ..campaign };
    table.insert_campaign(&demo(), &full, None).await.unwrap();
    table.insert_campaign(&demo(), &bare, None).await.unwrap();
}

/// An endpoint of which everything is known.
fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::parse("end_1").unwrap(),
        url: "https://crm.example/events".to_owned(),
        description: "The CRM".to_owned(),
        events: Some(vec!["lead.created".to_owned()]),
        active: false,
        secret_version: 2,
        retired_secrets: vec![RetiredSecret { version: 1, until: now() }],
        health: EndpointHealth { failures: 4, failing_since: Some(now()), rest_until: Some(now()) },
        disabled: Some(EndpointDisabled { at: now(), reason: DisabledReason::Failing, is_notified: true }),
        created_at: now(),
        updated_at: now(),
    }
}

async fn write_deliveries(table: &Table) {
    table.insert_endpoint(&demo(), &endpoint()).await.unwrap();
    let new = Endpoint {
        id: EndpointId::parse("end_2").unwrap(),
        events: None,
        active: true,
        retired_secrets: Vec::new(),
        health: EndpointHealth::default(),
        disabled: None,
        ..endpoint()
    };
    table.insert_endpoint(&demo(), &new).await.unwrap();
    let subjects =
        [EventSubject::Lead(lead_id(1)), EventSubject::Contact(ContactId::parse("con_1").unwrap()), EventSubject::Org];
    for (number, about) in subjects.into_iter().enumerate() {
        let (event_id, name) = (format!("{number}"), "lead.created".to_owned());
        let fact = Fact {
            event_id,
            name,
            about,
            body: r#"{"type":"lead.created"}"#.to_owned(),
            trace_id: TraceId::parse("trace-1"),
        };
        table.insert_event(&demo(), &fact, now()).await.unwrap();
        table.insert_delivery(&demo(), &fact.delivery_to(&new, now())).await.unwrap();
        let tried =
            DeliveryTry { at: now(), status: Some(500), duration_ms: 12, reason: Some(TryFault::StatusRefused) };
        let ended = EventDelivery {
            state: EventDeliveryState::Failed,
            reason: Some(UndeliveredReason::RetriesExhausted),
            window_tries: 3,
            tries_count: 5,
            tries: vec![tried, DeliveryTry { at: now(), status: None, duration_ms: 15_000, reason: None }],
            next_try_at: Some(now()),
            lease_until: Some(now()),
            delivered_at: Some(now()),
            ..fact.delivery_to(&endpoint(), now())
        };
        table.insert_delivery(&demo(), &ended).await.unwrap();
    }
}
