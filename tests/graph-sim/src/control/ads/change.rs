//! `POST /_sim/ads/{account_id}/change`: changes an account while a client reads it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::create::{currency, zone};
use super::objects::{self, Objects};
use super::oddities::Oddities;
use super::{account, user_mut};
use crate::control::{Body, Mistake};
use crate::server::Sim;
use crate::world::World;
use crate::world::ads::Ads;

#[derive(Debug, Deserialize)]
pub(in crate::control) struct Input {
    #[serde(flatten)]
    objects: Objects,
    #[serde(flatten)]
    oddities: Oddities,
    account: Option<AccountInput>,
    revoke: Option<Several<String>>,
    grant: Option<Several<String>>,
    thresholds: Option<Thresholds>,
}

/// One value or a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Several<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> Several<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::Many(list) => list,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountInput {
    name: Option<String>,
    status: Option<u32>,
    disable_reason: Option<u32>,
    currency: Option<String>,
    timezone: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    sync_rows: Option<u64>,
    sync_ad_days: Option<u64>,
    async_rows: Option<u64>,
    object_weight: Option<u64>,
}

/// Makes all requested changes, or none if one of them is invalid. Returns what changed.
pub(in crate::control) async fn change(
    State(sim): State<Arc<Sim>>,
    Path(account_id): Path<String>,
    Body(input): Body<Value>,
) -> Result<Json<Value>, Mistake> {
    let input = Input::read(input)?;
    let mut world = sim.world();
    let now_ms = world.clock.now_ms();
    let known = account(&world, &account_id)?;
    let id = known.id.clone();
    let today = known.ads.today(&world.clock);
    // Work on a copy, so that a mistake half-way changes nothing.
    let mut ads = Ads::clone(&known.ads);
    let mut told = Map::new();
    let moment = objects::Moment { now_ms, today };
    input.objects.apply(&mut ads, moment, &mut told)?;
    input.oddities.apply(&mut ads, &mut told)?;
    if let Some(thresholds) = &input.thresholds {
        thresholds.apply(&mut ads, &mut told);
    }
    if let Some(account) = &input.account {
        account.check()?;
        account.move_to(&mut ads)?;
    }
    // Check every user before the first change to the world.
    for user in input.revoke.iter().chain(&input.grant).flat_map(Several::as_slice) {
        user_mut(&mut world, user)?;
    }
    change_access(&mut world, &id, &input, &mut told)?;
    if let Some(known) = world.ad_account_mut(&id) {
        known.ads = Arc::new(ads);
        if let Some(changes) = input.account {
            told.insert("account".to_owned(), json!(known.node_id()));
            known.name = changes.name.unwrap_or(std::mem::take(&mut known.name));
            known.status = changes.status.unwrap_or(known.status);
            known.disable_reason = changes.disable_reason.unwrap_or(known.disable_reason);
            known.timezone_name = changes.timezone.unwrap_or(std::mem::take(&mut known.timezone_name));
        }
    }
    if told.is_empty() {
        return Err(Mistake::new("nothing to change: see the table of control calls for what there is"));
    }
    Ok(Json(Value::Object(told)))
}

impl Input {
    /// Parses the input. `deny_unknown_fields` does not work with flattened members, so the names are checked here.
    fn read(value: Value) -> Result<Self, Mistake> {
        const KNOWN: &[&str] = &[
            "touch",
            "level",
            "status",
            "ids",
            "rename",
            "budget",
            "account",
            "metrics",
            "shift",
            "duplicate_row",
            "ghost_ad",
            "revoke",
            "grant",
            "break_field",
            "heal",
            "thresholds",
        ];
        let unknown = value.as_object().and_then(|members| members.keys().find(|name| !KNOWN.contains(&name.as_str())));
        if let Some(unknown) = unknown {
            return Err(Mistake::new(format!("unknown member {unknown}, expected one of {}", KNOWN.join(", "))));
        }
        serde_json::from_value(value).map_err(|error| Mistake::new(error.to_string()))
    }
}

impl Thresholds {
    fn apply(&self, ads: &mut Ads, told: &mut Map<String, Value>) {
        let most = &mut ads.thresholds;
        most.sync_rows = self.sync_rows.unwrap_or(most.sync_rows);
        most.sync_ad_days = self.sync_ad_days.unwrap_or(most.sync_ad_days);
        most.async_rows = self.async_rows.unwrap_or(most.async_rows);
        most.object_weight = self.object_weight.unwrap_or(most.object_weight);
        let most = json!({
            "sync_rows": most.sync_rows, "sync_ad_days": most.sync_ad_days, "async_rows": most.async_rows,
            "object_weight": most.object_weight,
        });
        told.insert("thresholds".to_owned(), most);
    }
}

impl AccountInput {
    fn check(&self) -> Result<(), Mistake> {
        let empty = self.name.is_none()
            && self.status.is_none()
            && self.disable_reason.is_none()
            && self.currency.is_none()
            && self.timezone.is_none();
        if empty { Err(Mistake::new("account: nothing to change")) } else { Ok(()) }
    }

    fn move_to(&self, ads: &mut Ads) -> Result<(), Mistake> {
        if let Some(code) = &self.currency {
            ads.currency = currency(code)?;
        }
        if let Some(name) = &self.timezone {
            ads.move_to(zone(name)?);
        }
        Ok(())
    }
}

fn change_access(
    world: &mut World,
    account_id: &str,
    input: &Input,
    told: &mut Map<String, Value>,
) -> Result<(), Mistake> {
    if let Some(users) = &input.revoke {
        for user_id in users.as_slice() {
            user_mut(world, user_id)?.ad_accounts.retain(|known| known != account_id);
        }
        told.insert("revoked".to_owned(), json!(users.as_slice()));
    }
    if let Some(users) = &input.grant {
        for user_id in users.as_slice() {
            let user = user_mut(world, user_id)?;
            if !user.ad_accounts.iter().any(|known| known == account_id) {
                user.ad_accounts.push(account_id.to_owned());
            }
        }
        told.insert("granted".to_owned(), json!(users.as_slice()));
    }
    Ok(())
}
