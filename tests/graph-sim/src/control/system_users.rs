//! `/_sim/system_users`: what an administrator does in the business settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::seed::newcomer;
use crate::server::Sim;
use crate::world::World;
use crate::world::scope;
use crate::world::system_user::USUAL_SCOPES;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// A new business if absent.
    business_id: Option<String>,
    pages: Option<Pages>,
    ad_accounts: Option<AdAccounts>,
    name: Option<String>,
    scopes: Option<Vec<String>>,
    expires_in_days: Option<i64>,
}

/// The pages to assign.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Pages {
    /// This many new ones, owned by the business.
    New(u64),
    /// These. Pages that the business does not have are shared with it.
    These(Vec<String>),
}

/// The ad accounts to assign.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AdAccounts {
    /// This many new ones, owned by the business.
    New(u64),
    /// These, with or without `act_`. Accounts that the business does not have are shared with it.
    These(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenInput {
    scopes: Option<Vec<String>>,
    expires_in_days: Option<i64>,
}

/// Adds a system user with a first token. Without `pages` it gets all pages of the business, or one new page if the
/// business has none.
pub(crate) async fn hire(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let (scopes, life_s) = token_terms(input.scopes, input.expires_in_days)?;
    let mut world = sim.world();
    if let Some(id) = input.business_id.as_deref().filter(|id| world.business(id).is_none()) {
        return Err(Mistake::new(format!("business_id: there is no business {id}")));
    }
    match &input.pages {
        Some(Pages::New(count)) if !(1..=100).contains(count) => {
            return Err(Mistake::new(format!("pages: must be between 1 and 100, got {count}")));
        }
        Some(Pages::These(ids)) => {
            if let Some(unknown) = ids.iter().find(|id| !world.pages.contains_key(*id)) {
                return Err(Mistake::new(format!("pages: there is no page {unknown}")));
            }
        }
        Some(Pages::New(_)) | None => {}
    }
    check_accounts(&world, input.ad_accounts.as_ref())?;
    // The input is valid: nothing below fails.
    let number = world.businesses.len();
    let business_id =
        input.business_id.unwrap_or_else(|| newcomer::found(&mut world, &format!("Newcomer Business {number}")));
    let pages = assigned(&mut world, &business_id, input.pages);
    let id = newcomer::hire(&mut world, &business_id, input.name.as_deref(), &pages);
    assign_accounts(&mut world, &business_id, &id, input.ad_accounts);
    let token = world.mint_system_token(&id, &scopes, life_s);
    let pages: Vec<Value> = pages
        .iter()
        .filter_map(|page_id| world.pages.get(page_id))
        .map(|page| {
            let forms: Vec<Value> =
                world.forms_of_page(&page.id).map(|form| json!({"id": form.id, "name": form.name})).collect();
            json!({"id": page.id, "name": page.name, "forms": forms})
        })
        .collect();
    let ad_accounts = world.user(&id).map(|user| user.ad_accounts.clone()).unwrap_or_default();
    Ok(Json(json!({
        "id": id, "token": token, "business_id": business_id, "pages": pages, "ad_accounts": ad_accounts,
    })))
}

fn check_accounts(world: &World, wanted: Option<&AdAccounts>) -> Result<(), Mistake> {
    match wanted {
        Some(AdAccounts::New(count)) if *count > 100 => {
            Err(Mistake::new(format!("ad_accounts: must be between 0 and 100, got {count}")))
        }
        Some(AdAccounts::These(ids)) => match ids.iter().find(|id| world.ad_account(id).is_none()) {
            Some(unknown) => Err(Mistake::new(format!("ad_accounts: there is no ad account {unknown}"))),
            None => Ok(()),
        },
        Some(AdAccounts::New(_)) | None => Ok(()),
    }
}

/// Assigns ad accounts. Without `wanted` a system user keeps all accounts of the business; otherwise it gets only the
/// wanted ones.
fn assign_accounts(world: &mut World, business_id: &str, user_id: &str, wanted: Option<AdAccounts>) {
    let accounts = match wanted {
        None => return,
        Some(AdAccounts::New(count)) => newcomer::open_accounts(world, business_id, count),
        Some(AdAccounts::These(ids)) => {
            let ids: Vec<String> = ids.iter().map(|id| id.strip_prefix("act_").unwrap_or(id).to_owned()).collect();
            if let Some(business) = world.businesses.iter_mut().find(|business| business.id == business_id) {
                let known: Vec<String> = business.ad_accounts().cloned().collect();
                business.client_ad_accounts.extend(ids.iter().filter(|id| !known.contains(id)).cloned());
            }
            ids
        }
    };
    if let Some(user) = world.users.iter_mut().find(|user| user.id == user_id) {
        user.ad_accounts = accounts;
    }
}

fn assigned(world: &mut World, business_id: &str, pages: Option<Pages>) -> Vec<String> {
    let known: Vec<String> =
        world.business(business_id).map(|business| business.pages().cloned().collect()).unwrap_or_default();
    match pages {
        None if known.is_empty() => newcomer::open_business_pages(world, business_id, 1),
        None => known,
        Some(Pages::New(count)) => newcomer::open_business_pages(world, business_id, count),
        Some(Pages::These(ids)) => {
            if let Some(business) = world.businesses.iter_mut().find(|business| business.id == business_id) {
                business.client_pages.extend(ids.iter().filter(|id| !known.contains(id)).cloned());
            }
            ids
        }
    }
}

/// Creates another token. Older tokens stay valid; page tokens derived from them do not.
pub(crate) async fn generate_token(
    State(sim): State<Arc<Sim>>,
    Path(user_id): Path<String>,
    Body(input): Body<TokenInput>,
) -> Result<Json<Value>, Mistake> {
    let (scopes, life_s) = token_terms(input.scopes, input.expires_in_days)?;
    let mut world = sim.world();
    if !world.system_users().any(|user| user.id == user_id) {
        return Err(Mistake::new(format!("there is no system user {user_id}")));
    }
    let token = world.mint_system_token(&user_id, &scopes, life_s);
    Ok(Json(json!({ "token": token })))
}

/// The scopes and the lifetime in seconds. Meta offers 60 days and no expiry.
fn token_terms(scopes: Option<Vec<String>>, days: Option<i64>) -> Result<(Vec<String>, Option<i64>), Mistake> {
    let scopes = scopes.unwrap_or_else(|| USUAL_SCOPES.iter().map(|&scope| scope.to_owned()).collect());
    if let Some(unknown) = scopes.iter().find(|name| !scope::is_known(name)) {
        return Err(Mistake::new(format!("scopes: there is no permission {unknown}")));
    }
    if let Some(days) = days.filter(|days| !(1..=60).contains(days)) {
        return Err(Mistake::new(format!("expires_in_days: must be between 1 and 60, or null, got {days}")));
    }
    Ok((scopes, days.map(|days| days * 24 * 3600)))
}
