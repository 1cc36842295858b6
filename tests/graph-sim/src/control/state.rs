//! `/_sim/state`, `/_sim/stats` and `/_sim/reset`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::content_state;
use super::datasets;
use super::inbox::state as inbox_state;
use crate::clock::graph_time;
use crate::graph::{lead_field_data, written_campaigns};
use crate::server::Sim;
use crate::world::World;
use crate::world::ad_account::AdAccount;
use crate::world::ads::tree::Level;
use crate::world::lead::{DeliveryState, Lead};
use crate::world::person::Business;

/// Returns the whole state except tokens.
pub(crate) async fn truth(State(sim): State<Arc<Sim>>) -> Response {
    let mut world = sim.world();
    world.advance_reviews();
    if world.catch_up() {
        sim.wake.notify_one();
    }
    let users: Vec<Value> = world
        .people()
        .map(|user| {
            let pages: Vec<&str> = user.pages().collect();
            json!({"id": user.id, "name": user.name, "email": user.email, "pages": pages, "businesses": user.business_ids})
        })
        .collect();
    let system_users: Vec<Value> = world
        .system_users()
        .map(|user| {
            let pages: Vec<&str> = user.pages().collect();
            json!({"id": user.id, "name": user.name, "business_id": user.employer, "pages": pages})
        })
        .collect();
    let pages: Vec<Value> = world
        .pages
        .values()
        .map(|page| {
            let forms: Vec<Value> = world
                .forms_of_page(&page.id)
                .map(|form| json!({"id": form.id, "name": form.name, "locale": form.locale, "status": form.status}))
                .collect();
            json!({
                "id": page.id, "name": page.name, "link": page.link(), "business": page.portfolio,
                "lead_access": !page.lead_access_revoked, "lead_terms": page.lead_terms_accepted,
                "subscribed_fields": page.subscribed_fields.clone().unwrap_or_default(), "forms": forms,
            })
        })
        .collect();
    let mut answer = json!({
        "app": {"id": world.app.id, "secret": world.app.secret, "verify_token": world.app.verify_token,
                "config_ids": world.app.login_configurations.keys().collect::<Vec<_>>(), "mode": world.app.mode.name(),
                "deauthorize_url": world.app.deauthorize_url, "deletion_url": world.app.deletion_url},
        "now": world.clock.now_s(),
        "users": users,
        "system_users": system_users,
        "businesses": world.businesses.iter().map(business).collect::<Vec<_>>(),
        "pages": pages,
        "subscriptions": subscriptions(&world),
        "campaigns": written_campaigns(&world),
        "posts": content_state::posts(&world),
        "photos": content_state::staged_photos(&world),
        "videos": content_state::videos(&world),
        "stories": content_state::stories(&world),
        "instagram": content_state::instagram(&world),
        "comments": inbox_state::comments(&world),
        "reactions": inbox_state::reactions(&world),
        "threads": inbox_state::threads(&world),
        "mentions": inbox_state::mentions(&world),
        "people": inbox_state::people(&world),
        "whatsapp": inbox_state::whatsapp(&world),
        "datasets": datasets::list(&world),
        "conversion_events": datasets::events(&world),
        "ad_accounts": world.ad_accounts.iter().map(|account| ad_account(&world, account)).collect::<Vec<_>>(),
    })
    .to_string();
    // Cut off the closing brace: the leads, which are text already, are appended.
    answer.pop();
    answer.push_str(",\"leads\":[");
    let leads = world.forms.keys().flat_map(|id| world.leads_of_form(id));
    for (index, lead) in leads.enumerate() {
        if index > 0 {
            answer.push(',');
        }
        push_lead(&mut answer, &world, lead);
    }
    drop(world);
    answer.push_str("]}");
    ([(CONTENT_TYPE, "application/json")], answer).into_response()
}

/// Appends a lead: first the cached part that never changes, then the delivery state.
fn push_lead(answer: &mut String, world: &World, lead: &Lead) {
    let lasting = lead.told.get_or_init(|| {
        let mut text = lead_truth(world, lead).to_string();
        text.pop();
        text
    });
    answer.push_str(lasting);
    let delivered = lead.delivery == DeliveryState::Delivered;
    let (attempts, state) = (lead.attempts, lead.delivery.name());
    answer.push_str(&format!(
        ",\"delivered\":{delivered},\"delivery\":{{\"attempts\":{attempts},\"state\":\"{state}\"}}}}"
    ));
}

fn lead_truth(world: &World, lead: &Lead) -> Value {
    let ad = world.forms.get(&lead.form_id).and_then(|form| form.ad(lead.ad_id.as_deref()?));
    let consents: BTreeMap<&str, bool> = lead.consents.iter().map(|it| (it.key.as_str(), it.checked)).collect();
    json!({
        "id": lead.id, "form_id": lead.form_id, "page_id": lead.page_id, "platform": lead.platform,
        "created_time": graph_time(lead.created_ms), "field_data": lead_field_data(lead), "consents": consents,
        "is_organic": lead.is_organic(), "partner_name": lead.partner_name, "test": lead.test,
        "ad_id": ad.map(|ad| ad.id.as_str()), "ad_name": ad.map(|ad| ad.name.as_str()),
        "adset_id": ad.map(|ad| ad.adset_id.as_str()), "adset_name": ad.map(|ad| ad.adset_name.as_str()),
        "campaign_id": ad.map(|ad| ad.campaign_id.as_str()), "campaign_name": ad.map(|ad| ad.campaign_name.as_str()),
    })
}

fn subscriptions(world: &World) -> Value {
    world
        .app
        .subscriptions
        .iter()
        .map(|(object, it)| json!({"object": object, "callback_url": it.callback_url, "fields": it.fields}))
        .collect()
}

fn business(business: &Business) -> Value {
    json!({
        "id": business.id, "name": business.name,
        "owned_pages": business.owned_pages, "client_pages": business.client_pages,
        "owned_ad_accounts": business.owned_ad_accounts, "client_ad_accounts": business.client_ad_accounts,
    })
}

fn ad_account(world: &World, account: &AdAccount) -> Value {
    let campaigns = world.campaigns_of(account);
    let campaigns: Vec<Value> = campaigns.iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
    let users = world.users.iter().filter(|user| user.ad_accounts.contains(&account.id));
    let tree = &account.ads.tree;
    json!({
        "id": account.node_id(), "account_id": account.id, "name": account.name, "currency": account.currency(),
        "timezone_name": account.timezone_name, "account_status": account.status,
        "disable_reason": account.disable_reason, "business": account.owner, "campaigns": campaigns,
        "default_dsa_beneficiary": account.dsa_defaults[0], "default_dsa_payor": account.dsa_defaults[1],
        "instagram_accounts": world.instagram_accounts(account),
        "objects": {
            "campaigns": tree.count(Level::Campaign), "adsets": tree.count(Level::AdSet), "ads": tree.count(Level::Ad),
        },
        "users": users.map(|user| user.id.as_str()).collect::<Vec<_>>(),
        "data_time": account.ads.calendar.data_ms(&world.clock).div_euclid(1000),
    })
}

/// Returns the counters since the start or the last reset.
pub(crate) async fn stats(State(sim): State<Arc<Sim>>) -> Json<Value> {
    let world = sim.world();
    let (changes, bodies) = world.outbox.backlog();
    Json(world.stats.report(changes, bodies))
}

/// Returns to the seed world. The app keeps its credentials and callback subscriptions. Lead ids and people continue to
/// count, so that nothing is repeated to a client that remembers earlier ones.
pub(crate) async fn reset(State(sim): State<Arc<Sim>>) -> Json<Value> {
    let mut world = sim.world();
    world.reset();
    Json(json!({"success": true, "now": world.clock.now_s()}))
}
