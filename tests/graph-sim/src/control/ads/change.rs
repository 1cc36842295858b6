//! `POST /_sim/ads/{account_id}/change`: changes an account while a client reads it.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::create::{currency, zone};
use super::objects::Objects;
use super::oddities::Oddities;
use super::{account, user_mut};
use crate::control::{Body, Mistake, nullable};
use crate::server::Sim;
use crate::world::World;
use crate::world::ad_account::AdAccount;
use crate::world::ads::Ads;
use crate::world::ads::written::Moment;

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

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountInput {
    name: Option<String>,
    status: Option<u32>,
    disable_reason: Option<u32>,
    currency: Option<String>,
    timezone: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    default_dsa_beneficiary: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    default_dsa_payor: Option<Option<String>>,
    /// In the smallest currency unit.
    spend_cap: Option<i64>,
    /// Ids of the Instagram accounts that its ads may show.
    instagram_accounts: Option<Vec<String>>,
    /// Users who may only analyse.
    analysts: Option<BTreeSet<String>>,
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
    let moment = Moment { now_ms, today };
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
            changes.apply(known);
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
        if self == &Self::default() { Err(Mistake::new("account: nothing to change")) } else { Ok(()) }
    }

    fn apply(self, account: &mut AdAccount) {
        account.name = self.name.unwrap_or(std::mem::take(&mut account.name));
        account.status = self.status.unwrap_or(account.status);
        account.disable_reason = self.disable_reason.unwrap_or(account.disable_reason);
        account.timezone_name = self.timezone.unwrap_or(std::mem::take(&mut account.timezone_name));
        account.spend_cap = self.spend_cap.unwrap_or(account.spend_cap);
        account.instagram_accounts = self.instagram_accounts.or(account.instagram_accounts.take());
        account.analysts = self.analysts.unwrap_or(std::mem::take(&mut account.analysts));
        let dsa = [self.default_dsa_beneficiary, self.default_dsa_payor];
        for (known, new) in account.dsa_defaults.iter_mut().zip(dsa) {
            *known = new.unwrap_or(known.take());
        }
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
