//! The state of an org. Ids, and names only where they are the org's own or asked for.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use leadwire::clock;
use leadwire::ids::OrgScope;
use leadwire::model::connection::{Connection, Lifecycle};
use leadwire::model::org::Org;
use serde::Serialize;
use serde_json::Value;

use crate::Found;
use crate::account::StackAccount;
use crate::output::{age, count, print_columns, time};
use crate::product::Product;

/// Parked leads that are counted, and entries of lists that are shown.
const MANY: usize = 10_000;
const SHOWN: usize = 10;

/// Shows the state of an org.
pub(super) async fn show(account: &StackAccount, id: &str, with_names: bool) -> Result<Found> {
    let product = Product::open(account).await?;
    let (scope, org) = product.org(id).await?;
    print_plan(&org);
    print_users(&product, &scope, with_names).await?;
    print_integrations(&product, &scope).await?;
    print_leads(&product, &scope).await?;
    print_ads(&product, &scope).await?;
    print_endpoints(&product, &scope).await?;
    print_exports(&product, &scope).await?;
    Ok(Found::Fine)
}

fn print_plan(org: &Org) {
    println!("org {} ({})", org.id, org.name);
    println!("  plan: {}, features: {}", org.plan.name, or_none(&org.plan.features.join(", ")));
    if let Some(days) = org.keep_leads_days {
        println!("  leads are kept for {days} days");
    }
    println!("  pushed by the CRM: {}", time(org.updated_at));
}

async fn print_users(product: &Product<'_>, scope: &OrgScope, with_names: bool) -> Result<()> {
    let users = product.table.users(scope).await?;
    let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for user in users.iter().filter(|user| user.active) {
        let shown = if with_names { format!("{} ({})", user.id, user.name) } else { user.id.to_string() };
        roles.entry(user.role.clone().unwrap_or_else(|| "no role".to_owned())).or_default().push(shown);
    }
    let inactive = users.iter().filter(|user| !user.active).count();
    println!("\nUsers: {} active, {inactive} not", users.len() - inactive);
    for (role, ids) in roles {
        println!("  {role}: {}", first(&ids));
    }
    Ok(())
}

async fn print_integrations(product: &Product<'_>, scope: &OrgScope) -> Result<()> {
    let now = clock::now();
    let integrations = product.table.integrations(scope).await?;
    let pages: Vec<Connection> = product.table.connections(scope).await?;
    println!("\nIntegrations: {}", integrations.len());
    for integration in &integrations {
        let all = pages.iter().filter(|page| page.integration_id == integration.id);
        let own: Vec<&Connection> = all.filter(|page| page.is_connected()).collect();
        let state = integration.lead_state(own.iter().copied(), now);
        let checked = integration.checked_at.map_or_else(|| "never".to_owned(), |at| format!("{} ago", age(at, now)));
        println!("  {}: leads {}, checked {checked}", integration.id, <&str>::from(state.severity));
        if integration.lifecycle != Lifecycle::Live {
            println!("    is being ended: {}", word(&integration.lifecycle));
        }
        if let Some(stop) = state.stop {
            println!("    stopped: {}. Fix: {}", stop.message, stop.fix);
        }
        for problem in &integration.problems {
            let page = problem.page_id.as_ref().map(|page| format!(" (page {page})")).unwrap_or_default();
            println!("    problem {}{page}: {} Fix: {}", word(&problem.code), problem.message, problem.fix);
        }
        let row = |page: &&Connection| {
            let state = <&str>::from(page.lead_state(integration, now).severity).to_owned();
            let last = page.last_lead_at.map_or_else(|| "none".to_owned(), |at| format!("{} ago", age(at, now)));
            vec![format!("page {}", page.page_id), state, format!("last lead {last}")]
        };
        print_columns(4, &own.iter().take(SHOWN).map(row).collect::<Vec<_>>());
        if own.len() > SHOWN {
            println!("    and {} more pages", own.len() - SHOWN);
        }
    }
    Ok(())
}

async fn print_leads(product: &Product<'_>, scope: &OrgScope) -> Result<()> {
    let parked = product.table.parked_from(scope, None, MANY).await?.0;
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for lead in &parked {
        *reasons.entry(lead.reason.to_string()).or_default() += 1;
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, leads)| format!("{leads} {reason}")).collect();
    println!("\nParked leads: {}", or_none(&reasons.join(", ")));
    let waiting = product.table.waiting(scope, None, MANY).await?.len();
    println!("Leads that wait for Meta: {}", or_none(if waiting == 0 { "" } else { "some" }));
    let runs = product.table.runs(scope).await?;
    let open = runs.iter().filter(|run| run.pages_done.len() < run.pages.len());
    println!("Searches: {} of the last {} go on", open.clone().count(), runs.len());
    for run in open.take(SHOWN) {
        let (done, all) = (run.pages_done.len(), run.pages.len());
        println!("  {} of {}: {done} of {all} pages, {} found", run.id, run.integration_id, run.found);
    }
    Ok(())
}

async fn print_ads(product: &Product<'_>, scope: &OrgScope) -> Result<()> {
    let now = clock::now();
    let accounts = product.table.ad_accounts(scope).await?;
    println!("\nAd accounts: {}", accounts.len());
    let row = |account: &leadwire::model::ads::account::AdAccount| {
        let last = account.last_sync_at.map_or_else(|| "never".to_owned(), |at| format!("{} ago", age(at, now)));
        let reason = account.reason(now).map(|code| format!("{}: {}", word(&code), code.fix()));
        vec![
            account.ad_account_id.to_string(),
            word(&account.state()),
            format!("synced {last}"),
            reason.unwrap_or_default(),
        ]
    };
    print_columns(2, &accounts.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

async fn print_endpoints(product: &Product<'_>, scope: &OrgScope) -> Result<()> {
    let endpoints = product.table.endpoints(scope).await?;
    println!("\nEndpoints: {}", endpoints.len());
    for endpoint in &endpoints {
        let host = endpoint.url.split('/').nth(2).unwrap_or_default();
        let state = match &endpoint.disabled {
            Some(disabled) => format!("deactivated {} ({})", time(disabled.at), word(&disabled.reason)),
            None if endpoint.active => "active".to_owned(),
            None => "switched off".to_owned(),
        };
        println!("  {} at {host}: {state}", endpoint.id);
    }
    Ok(())
}

async fn print_exports(product: &Product<'_>, scope: &OrgScope) -> Result<()> {
    let exports = product.table.exports(scope).await?;
    let now: Timestamp = clock::now();
    println!("\nExports of leads: {}", exports.len());
    for export in exports.iter().take(SHOWN) {
        let leads = usize::try_from(export.progress.leads).unwrap_or_default();
        println!("  {}: {}, {}", export.id, word(&export.state_at(now)), count(leads, "lead", "leads"));
    }
    Ok(())
}

/// The word that the API uses for a value.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => "?".to_owned(),
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn first(all: &[String]) -> String {
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > SHOWN { format!("{shown} and {} more", all.len() - SHOWN) } else { shown }
}
