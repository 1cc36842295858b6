//! `POST /_sim/ads`: creates an account of any size.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{account, user_mut};
use crate::control::{Body, Mistake};
use crate::seed;
use crate::server::Sim;
use crate::world::World;
use crate::world::ad_account::Opening;
use crate::world::ads::Plan;
use crate::world::ads::creative::Mix;
use crate::world::ads::currency::Currency;
use crate::world::ads::tree::Level;

/// More ads are a mistake.
const MOST_ADS: u64 = 1_000_000;
/// No client can ask for a longer history.
const MOST_DAYS: i32 = 1_200;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::control) struct Input {
    account_id: String,
    currency: String,
    timezone: String,
    campaigns: u32,
    adsets_per_campaign: u32,
    ads_per_adset: u32,
    days: i32,
    seed: u64,
    name: Option<String>,
    #[serde(default = "active")]
    status: u32,
    #[serde(default)]
    disable_reason: u32,
    business_id: Option<String>,
    users: Option<Vec<String>>,
    #[serde(default = "mixed")]
    creatives: String,
    #[serde(default = "most")]
    active_share: f64,
    #[serde(default)]
    live: bool,
}

fn active() -> u32 {
    1
}

fn mixed() -> String {
    "mixed".to_owned()
}

fn most() -> f64 {
    0.6
}

/// Creates an account, or replaces what an existing one advertises. By default the seed's people and every system user
/// may work with a new account.
pub(in crate::control) async fn create(
    State(sim): State<Arc<Sim>>,
    Body(input): Body<Input>,
) -> Result<Json<Value>, Mistake> {
    let id = input.account_id.strip_prefix("act_").unwrap_or(&input.account_id).to_owned();
    if id.is_empty() || id.len() > 20 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Mistake::new(format!(
            "account_id: must be digits, with or without act_, got \"{}\"",
            input.account_id
        )));
    }
    let plan = plan(&input)?;
    let currency = currency(&input.currency)?;
    let zone = zone(&input.timezone)?;
    let mut world = sim.world();
    let users = users(&world, &id, input.users)?;
    if let Some(business_id) = &input.business_id {
        assign_owner(&mut world, &id, business_id)?;
    }
    let known = world.ad_account(&id);
    let name = known.map(|known| known.name.clone()).unwrap_or_else(|| format!("Account {id}"));
    world.open_ad_account(Opening {
        id: id.clone(),
        name: input.name.unwrap_or(name),
        currency,
        timezone_name: input.timezone,
        zone,
        status: input.status,
        disable_reason: input.disable_reason,
        runs_campaigns: false,
        live: input.live,
        plan,
    });
    if let (Some(business_id), Some(account)) = (input.business_id, world.ad_account_mut(&id)) {
        account.owner = Some(business_id);
    }
    if let Some(users) = users {
        admit(&mut world, &id, &users)?;
    }
    let tree = &account(&world, &id)?.ads.tree;
    let count = |level| tree.count(level);
    Ok(Json(json!({
        "account_id": id, "campaigns": count(Level::Campaign), "adsets": count(Level::AdSet), "ads": count(Level::Ad),
    })))
}

fn plan(input: &Input) -> Result<Plan, Mistake> {
    let ads = u64::from(input.campaigns)
        .saturating_mul(u64::from(input.adsets_per_campaign))
        .saturating_mul(u64::from(input.ads_per_adset));
    if ads > MOST_ADS {
        return Err(Mistake::new(format!("ads_per_adset: an account has at most {MOST_ADS} ads, this would be {ads}")));
    }
    if ads == 0 {
        return Err(Mistake::new("campaigns, adsets_per_campaign, ads_per_adset: must be at least 1"));
    }
    if !(0..=MOST_DAYS).contains(&input.days) {
        return Err(Mistake::new(format!("days: must be between 0 and {MOST_DAYS}, got {}", input.days)));
    }
    if !(0.0..=1.0).contains(&input.active_share) {
        return Err(Mistake::new(format!("active_share: must be between 0 and 1, got {}", input.active_share)));
    }
    let creatives = Mix::parse(&input.creatives);
    let creatives = creatives.ok_or_else(|| {
        Mistake::new(format!("creatives: must be one of {}, got \"{}\"", Mix::names(), input.creatives))
    })?;
    Ok(Plan {
        campaigns: input.campaigns,
        adsets_each: input.adsets_per_campaign,
        ads_each: input.ads_per_adset,
        days: input.days,
        seed: input.seed,
        active_share: input.active_share,
        creatives,
    })
}

pub(super) fn currency(code: &str) -> Result<Currency, Mistake> {
    Currency::find(code).ok_or_else(|| Mistake::new(format!("currency: there is no currency \"{code}\" here")))
}

pub(super) fn zone(name: &str) -> Result<TimeZone, Mistake> {
    TimeZone::get(name).map_err(|_| Mistake::new(format!("timezone: there is no time zone \"{name}\"")))
}

/// The users with access; `None` leaves the access of an existing account unchanged.
fn users(world: &World, account_id: &str, given: Option<Vec<String>>) -> Result<Option<Vec<String>>, Mistake> {
    if let Some(given) = given {
        return match given.iter().find(|id| world.user(id).is_none()) {
            Some(unknown) => Err(Mistake::new(format!("users: there is no user {unknown}"))),
            None => Ok(Some(given)),
        };
    }
    if world.ad_account(account_id).is_some() {
        return Ok(None);
    }
    let seeded = [seed::MARA, seed::JONAS, seed::PRIYA].map(str::to_owned);
    Ok(Some(seeded.into_iter().chain(world.system_users().map(|user| user.id.clone())).collect()))
}

fn admit(world: &mut World, account_id: &str, users: &[String]) -> Result<(), Mistake> {
    for user in &mut world.users {
        user.ad_accounts.retain(|known| known != account_id);
    }
    for id in users {
        user_mut(world, id)?.ad_accounts.push(account_id.to_owned());
    }
    Ok(())
}

/// Makes one business the only owner of the account.
fn assign_owner(world: &mut World, account_id: &str, business_id: &str) -> Result<(), Mistake> {
    if world.business(business_id).is_none() {
        return Err(Mistake::new(format!("business_id: there is no business {business_id}")));
    }
    for business in &mut world.businesses {
        let is_owner = business.id == business_id;
        let listed = business.owned_ad_accounts.iter().any(|known| known == account_id);
        if is_owner && !listed {
            business.owned_ad_accounts.push(account_id.to_owned());
        } else if !is_owner {
            business.owned_ad_accounts.retain(|known| known != account_id);
        }
    }
    Ok(())
}
