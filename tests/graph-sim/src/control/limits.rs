//! `/_sim/limits`: rate limits of pages, ad accounts and Instagram accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::limit::Limit;
use crate::server::Sim;
use crate::usage::Bucket;
use crate::world::World;

/// A longer window or block is a mistake: 31 days.
const MAX_S: i64 = 31 * 24 * 3600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    page_id: Option<String>,
    account_id: Option<String>,
    calls: usize,
    #[serde(default = "an_hour")]
    window_s: i64,
    #[serde(default = "a_minute")]
    block_s: i64,
    #[serde(rename = "type")]
    kind: Option<String>,
}

fn an_hour() -> i64 {
    3600
}

fn a_minute() -> i64 {
    60
}

/// Limits a page to `calls` calls per window by page tokens, or an ad account to `calls` calls per window by any token,
/// in simulated time. Replaces an earlier limit of the same page, or of the same type and account.
pub(crate) async fn set(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    if input.calls == 0 {
        return Err(Mistake::new("calls: must be at least 1"));
    }
    for (name, seconds) in [("window_s", input.window_s), ("block_s", input.block_s)] {
        if !(1..=MAX_S).contains(&seconds) {
            return Err(Mistake::new(format!("{name}: must be between 1 and {MAX_S}, got {seconds}")));
        }
    }
    let mut world = sim.world();
    let bucket = match (input.page_id, input.account_id) {
        (Some(page_id), None) => of_page(&world, page_id, input.kind.as_deref().unwrap_or("leadgen"))?,
        (None, account_id) => {
            of_account(&world, account_id.as_deref(), input.kind.as_deref().unwrap_or("ads_insights"))?
        }
        (Some(_), Some(_)) => return Err(Mistake::new("page_id, account_id: one of them")),
    };
    world.limits.set(Limit::new(bucket, input.calls, input.window_s, input.block_s));
    Ok(Json(json!({"success": true})))
}

fn of_page(world: &World, page_id: String, kind: &str) -> Result<Bucket, Mistake> {
    if !world.pages.contains_key(&page_id) {
        return Err(Mistake::new(format!("page_id: there is no page {page_id}")));
    }
    match kind {
        "leadgen" => Ok(Bucket::Leadgen { page_id }),
        "pages" => Ok(Bucket::Pages { page_id }),
        "messenger" => Ok(Bucket::Messenger { page_id }),
        other => Err(Mistake::new(format!("type: must be leadgen, pages or messenger, got \"{other}\""))),
    }
}

/// The bucket of an account. The app's limit needs no account.
fn of_account(world: &World, account_id: Option<&str>, kind: &str) -> Result<Bucket, Mistake> {
    if let Some(id) = account_id.filter(|_| kind == "instagram") {
        let known = world.instagram.accounts.contains_key(id);
        return known
            .then(|| Bucket::Instagram { account_id: id.to_owned() })
            .ok_or_else(|| Mistake::new(format!("account_id: there is no Instagram account {id}")));
    }
    let account = account_id.map(|id| {
        let known = world.ad_account(id).map(|account| account.id.clone());
        known.ok_or_else(|| Mistake::new(format!("account_id: there is no ad account {id}")))
    });
    let account = account.transpose()?;
    if kind == "app" {
        return Ok(Bucket::AppInsights);
    }
    let account_id = account.ok_or_else(|| Mistake::new("page_id or account_id is required"))?;
    match kind {
        "ads_insights" => Ok(Bucket::AdsInsights { account_id }),
        "ads_management" => Ok(Bucket::AdsManagement { account_id }),
        "score" => Ok(Bucket::Score { account_id }),
        other => {
            let message =
                format!("type: must be ads_insights, ads_management, score, app or instagram, got \"{other}\"");
            Err(Mistake::new(message))
        }
    }
}

/// Lists the limits and their current state.
pub(crate) async fn list(State(sim): State<Arc<Sim>>) -> Json<Value> {
    let mut world = sim.world();
    let now = world.clock.now_ms();
    Json(json!({"limits": world.limits.list(now)}))
}

/// Removes all limits.
pub(crate) async fn lift(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(json!({"removed": sim.world().limits.lift()}))
}
