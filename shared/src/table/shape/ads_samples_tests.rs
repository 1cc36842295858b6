//! Samples of ad accounts and of what is synced of them.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::json;

use super::org_samples_tests::{demo, integration_id, now, user_id};
use crate::ids::{AdAccountId, AdObjectId, ClientId, LinkId, RunId};
use crate::model::ads::account::{AdAccount, Client, Stage, TokenSource};
use crate::model::ads::conversions::Counted;
use crate::model::ads::creative::Creative;
use crate::model::ads::insights::{AdDay, AdDaySummary, CampaignDay, Day};
use crate::model::ads::metrics::{MainMetrics, Metrics};
use crate::model::ads::object::{Ad, AdObject, AdObjectKind, AdSet, Campaign};
use crate::model::ads::seen_days::SeenDays;
use crate::model::ads::sync::{AdsSync, Cause, Fields, InsightsQuery, ObjectType, OpenReport, Progress};
use crate::model::ads::sync_problem::{SyncProblem, SyncProblemCode};
use crate::table::Table;

pub(super) async fn write(table: &Table) {
    write_accounts(table).await;
    write_objects(table).await;
    write_days(table).await;
    write_syncs(table).await;
}

fn day() -> Date {
    Date::constant(2026, 1, 2)
}

fn link() -> LinkId {
    LinkId::parse("ada_1").unwrap()
}

fn object_id(id: &str) -> AdObjectId {
    AdObjectId::parse(id).unwrap()
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn problem() -> SyncProblem {
    SyncProblem { code: SyncProblemCode::Throttled, evidence: "17: too many calls".to_owned(), since: now() }
}

/// An account of which everything is known.
fn account() -> AdAccount {
    AdAccount {
        org: demo().org().clone(),
        id: link(),
        ad_account_id: AdAccountId::parse("act_1").unwrap(),
        name: "Northwind at Meta".to_owned(),
        label: "Northwind".to_owned(),
        client: Client { id: ClientId::parse("outdoor").unwrap(), name: "Outdoor".to_owned() },
        token: TokenSource::Secret("stack/ads/ada_1.1".to_owned()),
        currency: "EUR".to_owned(),
        timezone: "Europe/Berlin".to_owned(),
        account_status: 1,
        conversions: Counted::parse(vec!["purchase".to_owned()]).unwrap(),
        paused: true,
        stage: Stage::Importing,
        problem: Some(problem()),
        waiting_until: Some(now()),
        last_sync_at: Some(now()),
        last_long_day: Some(day()),
        imported_since: Some(day()),
        objects_until: Some(now()),
        rows_per_day: 12,
        seen_days: SeenDays::default().next([(day(), 0x1234_5678_90AB_CDEF)].into()),
        ad_rows_as_of: Some(now()),
        run_id: RunId::parse("run_1").ok(),
        run_since: Some(day()),
        run_lease: Some(now()),
        linked_by: user_id("ann"),
        linked_at: now(),
    }
}

async fn write_accounts(table: &Table) {
    assert!(table.insert_ad_account(&demo(), &account()).await.unwrap());
    let token = TokenSource::Integration(integration_id());
    let (id, by) = (AdAccountId::parse("act_2").unwrap(), (user_id("ann"), now()));
    let new = AdAccount::new(demo().org().clone(), id.clone(), account().client, token, by);
    let new = AdAccount { id: LinkId::parse("ada_2").unwrap(), ..new };
    assert!(table.insert_ad_account(&demo(), &new).await.unwrap());
    table.pause_ads(Some(&id), now()).await.unwrap();
    table.pause_ads(None, now()).await.unwrap();
}

async fn write_objects(table: &Table) {
    let (cents, time) = (Some(Decimal::new(2050, 2)), Some(now()));
    let campaign = Campaign {
        id: object_id("31"),
        name: "Spring".to_owned(),
        objective: text("OUTCOME_LEADS"),
        status: "ACTIVE".to_owned(),
        effective_status: "ACTIVE".to_owned(),
        daily_budget: cents,
        lifetime_budget: cents,
        bid_strategy: text("LOWEST_COST_WITHOUT_CAP"),
        buying_type: text("AUCTION"),
        special_ad_categories: vec!["HOUSING".to_owned()],
        start_time: time,
        stop_time: time,
        created_time: time,
        updated_time: time,
        issues: vec!["Payment failed".to_owned()],
    };
    let adset = AdSet {
        id: object_id("32"),
        name: "North".to_owned(),
        campaign_id: object_id("31"),
        status: "ACTIVE".to_owned(),
        effective_status: "CAMPAIGN_PAUSED".to_owned(),
        daily_budget: cents,
        lifetime_budget: cents,
        bid_amount: cents,
        bid_strategy: text("COST_CAP"),
        optimization_goal: text("LEAD_GENERATION"),
        billing_event: text("IMPRESSIONS"),
        destination_type: text("ON_AD"),
        targeting: json!({ "age_min": 18, "geo_locations": { "countries": ["DE"] } }),
        start_time: time,
        end_time: time,
        created_time: time,
        updated_time: time,
        issues: vec!["Audience too small".to_owned()],
    };
    let creative = Creative {
        id: text("34"),
        body: text("Come and see"),
        title: text("Open day"),
        link: text("https://northwind.example"),
        image_url: text("https://cdn.example/1.jpg"),
        thumbnail_url: text("https://cdn.example/2.jpg"),
        call_to_action: text("SIGN_UP"),
        post_id: text("7_1"),
    };
    let ad = Ad {
        id: object_id("33"),
        name: "Harbour".to_owned(),
        adset_id: object_id("32"),
        campaign_id: object_id("31"),
        status: "ACTIVE".to_owned(),
        effective_status: "PENDING_REVIEW".to_owned(),
        creative,
        created_time: time,
        updated_time: time,
        issues: vec!["In review".to_owned()],
    };
    let bare = Ad {
        id: object_id("35"),
        creative: Creative::default(),
        created_time: None,
        updated_time: None,
        issues: Vec::new(),
        ..ad.clone()
    };
    let objects = [AdObject::Campaign(campaign), AdObject::Adset(adset), AdObject::Ad(ad), AdObject::Ad(bare)];
    table.put_ad_objects(&demo(), &link(), &objects).await.unwrap();
}

fn metrics() -> Metrics {
    let main = MainMetrics {
        impressions: 1000,
        clicks: 10,
        spend: Decimal::new(1234, 2),
        conversions: 2,
        reach: Some(900),
        inline_link_clicks: Some(8),
        outbound_clicks: Some(7),
        unique_clicks: Some(6),
    };
    let actions = [("lead".to_owned(), Decimal::TWO)].into();
    Metrics { main, frequency: Some(Decimal::new(111, 2)), video_views: [4, 3, 2, 1], actions }
}

async fn write_days(table: &Table) {
    let full = Day { day: day(), metrics: metrics(), first_seen: Some(metrics().main), changed_at: now() };
    let bare =
        Day { day: day().yesterday().unwrap(), metrics: Metrics::default(), first_seen: None, changed_at: now() };
    table.put_account_days(&demo(), &link(), &[full.clone(), bare.clone()]).await.unwrap();
    let of_ad = |day: &Day| AdDay {
        ad_id: object_id("33"),
        ad_name: "Harbour".to_owned(),
        adset_id: object_id("32"),
        adset_name: "North".to_owned(),
        campaign_id: object_id("31"),
        campaign_name: "Spring".to_owned(),
        day: day.clone(),
    };
    table.put_ad_days(&demo(), &link(), &[of_ad(&full), of_ad(&bare)]).await.unwrap();
    let summary = |metrics: &Metrics| AdDaySummary::new(object_id("32"), metrics);
    let ads = [(object_id("33"), summary(&metrics())), (object_id("35"), summary(&Metrics::default()))].into();
    let campaign_day = CampaignDay { day: day(), campaign_id: object_id("31"), ads };
    table.put_campaign_days(&demo(), &link(), &[campaign_day]).await.unwrap();
}

async fn write_syncs(table: &Table) {
    let query = |within| InsightsQuery { since: day(), until: day(), within, fields: Fields::WithoutActions };
    let within = Some((AdObjectKind::Adset, vec![object_id("32")]));
    let report = OpenReport { id: "99".to_owned(), since: day(), until: day(), asked_at: now(), after: text("after") };
    let progress = Progress {
        slices: 3,
        counted: Some(Counted::default()),
        full: true,
        objects: vec![ObjectType::Campaigns],
        objects_kept: true,
        failures: 1,
        cursor: Some(("cursor".to_owned(), now())),
        touched: [object_id("31")].into(),
        account_down_to: Some(day()),
        account_marks: [(day(), 0x1234_5678_90AB_CDEF)].into(),
        account_marks_incomplete: true,
        account_days_at_once: Some(7),
        ads_down_to: Some(day()),
        days_at_once: Some(1),
        rows_deferred: true,
        report: Some(report),
        reports: 2,
        parts: Some(vec![query(within.clone()), query(None)]),
        query_cursor: Some((query(within), "cursor".to_owned(), now())),
    };
    let (run, account) = (RunId::parse("run_1").unwrap(), account());
    let mut sync = AdsSync {
        until: Some(day()),
        started_at: Some(now()),
        finished_at: Some(now()),
        waiting_until: Some(now()),
        problem: Some(problem()),
        stopped: true,
        progress,
        ..AdsSync::new(run, &account, day(), Cause::Request, Some(user_id("ann")), now())
    };
    let log = sync.log(ObjectType::AdInsights);
    (log.read, log.changed, log.unchanged, log.restated) = (9, 3, 6, 1);
    (log.calls, log.waited_s) = (4, 60);
    log.fail(SyncProblemCode::UnreadableRow, "ad 33");
    table.put_ads_sync(&demo(), &sync).await.unwrap();
    let scheduled = AdsSync::scheduled(RunId::parse("run_2").unwrap(), &account, day(), now());
    table.insert_ads_sync(&demo(), &scheduled).await.unwrap();
}
