//! What was written through the API, for the control interface: campaigns with their ad sets and ads.

use serde_json::{Map, Value, json};

use super::{Place, of_level, written};
use crate::graph::fields::Field;
use crate::graph::request::Request;
use crate::world::World;
use crate::world::ad_account::AdAccount;
use crate::world::ads::tree::{FIRST_WRITTEN, Level};

/// Returns the written campaigns of all accounts, and generated ones to which something was added, each with what was
/// written below it.
pub(crate) fn campaigns(world: &World) -> Vec<Value> {
    let now_ms = world.clock.now_ms();
    world.ad_accounts.iter().flat_map(|account| of_account(account, now_ms)).collect()
}

fn of_account(account: &AdAccount, now_ms: i64) -> Vec<Value> {
    let tree = &account.ads.tree;
    let place = |index| Place { account_id: &account.id, ads: &account.ads, index, now_ms };
    let mut campaigns = tree.written(None, Level::Campaign);
    let adsets = tree.written(None, Level::AdSet).into_iter().map(|adset| tree.campaign_of(adset));
    let ads = tree.written(None, Level::Ad).into_iter().map(|ad| tree.above(ad, Level::Campaign));
    let mut others: Vec<u32> = adsets.chain(ads).filter(|campaign| *campaign < FIRST_WRITTEN).collect();
    others.sort_unstable();
    others.dedup();
    campaigns.extend(others);
    campaigns.into_iter().map(|campaign| render_campaign(&place(campaign))).collect()
}

fn members(place: &Place<'_>, level: Level, fields: &[&str]) -> Map<String, Value> {
    let read = |name: &&str| ((*name).to_owned(), of_level(place, level, name).unwrap_or_default());
    let mut members: Map<String, Value> = fields.iter().map(read).collect();
    members.insert("id".to_owned(), json!(place.ads.id(level, place.index)));
    members
}

fn render_campaign(place: &Place<'_>) -> Value {
    let fields = [
        "account_id",
        "name",
        "objective",
        "status",
        "effective_status",
        "special_ad_categories",
        "special_ad_category_country",
        "daily_budget",
        "lifetime_budget",
        "bid_strategy",
        "is_adset_budget_sharing_enabled",
        "adlabels",
    ];
    let mut campaign = members(place, Level::Campaign, &fields);
    let tree = &place.ads.tree;
    let mut adsets = tree.written(Some((Level::Campaign, place.index)), Level::AdSet);
    let ads = tree.written(Some((Level::Campaign, place.index)), Level::Ad);
    adsets.extend(ads.into_iter().map(|ad| tree.adset_of(ad)).filter(|adset| *adset < FIRST_WRITTEN));
    adsets.dedup();
    let adsets: Vec<Value> = adsets.into_iter().map(|adset| render_adset(&place.at(adset))).collect();
    campaign.insert("adsets".to_owned(), json!(adsets));
    Value::Object(campaign)
}

fn render_adset(place: &Place<'_>) -> Value {
    let fields = [
        "name",
        "status",
        "effective_status",
        "daily_budget",
        "lifetime_budget",
        "bid_strategy",
        "bid_amount",
        "billing_event",
        "optimization_goal",
        "destination_type",
        "targeting",
        "promoted_object",
        "dsa_beneficiary",
        "dsa_payor",
        "start_time",
        "end_time",
        "adlabels",
    ];
    let mut adset = members(place, Level::AdSet, &fields);
    let ads = place.ads.tree.written(Some((Level::AdSet, place.index)), Level::Ad);
    let ads: Vec<Value> = ads.into_iter().map(|ad| render_ad(&place.at(ad))).collect();
    adset.insert("ads".to_owned(), json!(ads));
    Value::Object(adset)
}

fn render_ad(place: &Place<'_>) -> Value {
    let fields = ["name", "status", "effective_status", "ad_review_feedback", "adlabels"];
    let mut ad = members(place, Level::Ad, &fields);
    let creative = place.at(place.ads.creative_of(place.index));
    let nothing = Request::new("GET", "/");
    let read = |name: &str| written::creative(&creative, &Field::plain(name), &nothing).unwrap_or_default();
    let shown = json!({
        "id": place.ads.creative_id(creative.index), "name": read("name"),
        "object_story_spec": read("object_story_spec"), "asset_feed_spec": read("asset_feed_spec"),
    });
    ad.insert("creative".to_owned(), shown);
    Value::Object(ad)
}
