//! Parked leads: listed, replayed and dismissed through the product's own operations.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use leadwire::clock;
use leadwire::directory::MetaAccess;
use leadwire::ids::OrgScope;
use leadwire::leads::ParkedSelection;
use leadwire::model::audit::AuditAct;
use leadwire::model::failure::FailureCode;
use leadwire::table::parked::ParkedLead;
use serde::Serialize;

use crate::account::StackAccount;
use crate::acts::end;
use crate::arguments::ParkedLeads;
use crate::confirmation::confirm;
use crate::output::{age, count};
use crate::product::Product;
use crate::{Found, UnusableLine};

/// Leads that are read of an org at once.
const PAGE: usize = 500;
/// Leadgen ids that are shown of a group.
const SHOWN: usize = 5;

/// Parked leads of one org with one reason.
#[derive(Debug, Serialize)]
struct ParkedGroup {
    org: String,
    reason: String,
    message: String,
    fix: String,
    leads: usize,
    /// When the first of them was parked.
    since: Timestamp,
    /// What Meta or the table said of the last one.
    evidence: String,
    /// Leadgen ids, in the order in which they are stored.
    leadgen_ids: Vec<String>,
}

/// Lists parked leads by org and reason.
pub(crate) async fn list(
    account: &StackAccount,
    org: Option<&str>,
    reason: Option<&str>,
    as_json: bool,
) -> Result<Found> {
    let reason = reason.map(parse_reason).transpose()?;
    let product = Product::open(account).await?;
    let scopes = match org {
        Some(org) => vec![product.org(org).await?.0],
        None => product.orgs().await?.into_iter().map(|(scope, _)| scope).collect(),
    };
    let mut groups = Vec::new();
    for scope in &scopes {
        groups.extend(group(scope, read_parked(&product, scope).await?, reason));
    }
    if as_json {
        println!("{}", serde_json::to_string_pretty(&groups)?);
        return Ok(Found::Fine);
    }
    let total: usize = groups.iter().map(|group| group.leads).sum();
    println!(
        "{}",
        if total == 0 { "no lead is parked".to_owned() } else { count(total, "parked lead", "parked leads") }
    );
    for group in &groups {
        print(group);
    }
    Ok(Found::Fine)
}

fn print(group: &ParkedGroup) {
    let ids = group.leadgen_ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = group.leads.saturating_sub(SHOWN);
    println!("\n{}, {}: {}", group.org, group.reason, count(group.leads, "lead", "leads"));
    println!("  {}", group.message);
    println!("  fix: {}", group.fix);
    println!("  evidence: {}", group.evidence);
    println!("  oldest: {} ago", age(group.since, clock::now()));
    println!("  leadgen ids: {ids}{}", if more > 0 { format!(" and {more} more") } else { String::new() });
    println!("  then: cargo ops parked replay --org {} --reason {}", group.org, group.reason);
}

/// All parked leads of an org.
pub(crate) async fn read_parked(product: &Product<'_>, scope: &OrgScope) -> Result<Vec<ParkedLead>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (leads, next) = product.table.parked_from(scope, after.as_ref(), PAGE).await?;
        all.extend(leads);
        after = next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

fn group(scope: &OrgScope, leads: Vec<ParkedLead>, only: Option<FailureCode>) -> Vec<ParkedGroup> {
    let mut groups: BTreeMap<FailureCode, ParkedGroup> = BTreeMap::new();
    for lead in leads.into_iter().filter(|lead| only.is_none_or(|reason| lead.reason == reason)) {
        let group = groups.entry(lead.reason).or_insert_with(|| ParkedGroup {
            org: scope.org().to_string(),
            reason: lead.reason.to_string(),
            message: lead.reason.message().into_owned(),
            fix: lead.reason.fix().into_owned(),
            leads: 0,
            since: lead.parked_at,
            evidence: String::new(),
            leadgen_ids: Vec::new(),
        });
        group.leads += 1;
        group.since = group.since.min(lead.parked_at);
        group.evidence = lead.evidence;
        group.leadgen_ids.push(lead.leadgen_id.to_string());
    }
    groups.into_values().collect()
}

/// Puts parked leads back into the queue.
pub(crate) async fn replay(account: &StackAccount, selected: &ParkedLeads) -> Result<Found> {
    let selection = selection(selected)?;
    let product = Product::open(account).await?;
    let (access, leads) = begin(&product, &selected.org, AuditAct::LeadReplay).await?;
    let replayed = end(&access.trail, leads.replay(&access, selection).await).await?.replayed;
    println!(
        "replayed: {}. One that fails again is parked again: cargo ops parked --org {}",
        count(replayed, "lead", "leads"),
        selected.org
    );
    Ok(Found::Fine)
}

/// Gives parked leads up.
pub(crate) async fn dismiss(account: &StackAccount, selected: &ParkedLeads, yes: bool) -> Result<Found> {
    if selected.reason.is_none() && selected.lead.is_empty() {
        return Err(UnusableLine(
            "name the leads with --lead, or the reason with --reason: all are never dismissed".to_owned(),
        )
        .into());
    }
    let selection = selection(selected)?;
    let product = Product::open(account).await?;
    let question = format!("Parked leads of {} are given up, and come in no more.", selected.org);
    confirm(&question, &selected.org, yes)?;
    let (access, leads) = begin(&product, &selected.org, AuditAct::LeadDismiss).await?;
    let dismissed = end(&access.trail, leads.dismiss(&access, selection).await).await?.dismissed;
    println!("dismissed: {}", count(dismissed, "lead", "leads"));
    Ok(Found::Fine)
}

async fn begin(product: &Product<'_>, org: &str, act: AuditAct) -> Result<(MetaAccess, leadwire::leads::Leads)> {
    let (scope, org) = product.org(org).await?;
    let leads = product.leads().await?;
    let access = product.begin(&scope, act).await?;
    let trail = access.trail.clone();
    let checked = MetaAccess::check(access, Some(&org));
    match checked {
        Ok(access) => Ok((access, leads)),
        Err(error) => end(&trail, Err(error)).await,
    }
}

fn selection(selected: &ParkedLeads) -> Result<ParkedSelection> {
    let reason = selected.reason.as_deref().map(parse_reason).transpose()?;
    let leadgen_ids = (!selected.lead.is_empty()).then(|| selected.lead.clone());
    Ok(ParkedSelection { leadgen_ids, reason })
}

/// A reason as it stands in lists and logs.
fn parse_reason(reason: &str) -> Result<FailureCode> {
    let parsed = serde_json::from_value(serde_json::Value::from(reason));
    parsed.map_err(|_| {
        UnusableLine(format!("no reason is called {reason}: cargo ops parked lists those there are")).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_those_of_the_product() {
        assert_eq!(parse_reason("not_permitted").unwrap(), FailureCode::NotPermitted);
        let error = parse_reason("no").unwrap_err();
        assert!(error.is::<UnusableLine>() && error.to_string().contains("no reason is called no"));
    }

    #[test]
    fn nothing_is_selected_by_leaving_out_all() {
        let leads = ParkedLeads { org: "a".to_owned(), reason: None, lead: Vec::new() };
        let all = selection(&leads).unwrap();
        assert!(all.leadgen_ids.is_none() && all.reason.is_none());
        let one = selection(&ParkedLeads { lead: vec!["7".to_owned()], ..leads }).unwrap();
        assert_eq!(one.leadgen_ids, Some(vec!["7".to_owned()]));
    }
}
