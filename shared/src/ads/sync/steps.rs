//! The steps of a sync, in the order of their use to people: the account itself, its objects, its own days, its ads'
//! days. Each step records its progress and resumes there in the next slice.
//!
//! A regular sync reads the account's own days first. If they have not changed, no ad's day can have, but for changes
//! that cancel each other out, which the daily long sync finds. The ads' days are then not read, and the objects only
//! once an hour.

use jiff::SignedDuration;

use super::client::Interrupt;
use super::context::SyncContext;
use super::{account_days, ad_days, objects};
use crate::model::ads::account::Stage;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::sync::{AdsSync, ObjectType};
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::table::ad_account::AccountUpdate;

/// Allows for the difference between Meta's clock and ours, and for the lag of Meta's lists.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// Runs the remaining steps.
pub(super) async fn run_steps(context: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    // In every slice: numbers in another currency or time zone must not be stored as the account's.
    check_account(context).await?;
    if context.sync.is_regular() {
        read_account_days(context).await?;
    }
    if context.ads_since().is_some() || are_objects_due(context) {
        read_objects(context).await?;
    }
    read_account_days(context).await?;
    let outcome = ad_days::read(context).await;
    context.account_for(ObjectType::AdInsights);
    outcome?;
    if is_empty(&context.sync) {
        let evidence = format!("{} to {}", context.sync.since, context.sync.until.unwrap_or(context.sync.since));
        context.sync.log(ObjectType::AdInsights).note(SyncProblemCode::InsightsEmpty, evidence);
    }
    Ok(())
}

async fn read_account_days(context: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    let outcome = account_days::read(context).await;
    context.account_for(ObjectType::AccountInsights);
    outcome
}

/// Whether the last look at the objects was an hour ago, give or take the irregularity of the schedule.
fn are_objects_due(context: &SyncContext<'_>) -> bool {
    const INTERVAL: SignedDuration = SignedDuration::from_mins(55);
    let known_until = context.account.objects_until.zip(context.sync.started_at);
    known_until.is_none_or(|(until, started)| started.duration_since(until) >= INTERVAL + OVERLAP)
}

async fn read_objects(context: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    for (kind, object_type) in [
        (AdObjectKind::Campaign, ObjectType::Campaigns),
        (AdObjectKind::Adset, ObjectType::Adsets),
        (AdObjectKind::Ad, ObjectType::Ads),
    ] {
        if !context.sync.progress.objects.contains(&object_type) {
            let outcome = objects::read(context, kind, object_type).await;
            context.account_for(object_type);
            outcome?;
            context.sync.progress.objects.push(object_type);
            (context.sync.progress.cursor, context.sync.progress.failures) = (None, 0);
        }
    }
    if context.account.stage == Stage::Configuring {
        context.update_account(AccountUpdate { stage: Some(Stage::Importing), ..AccountUpdate::default() }).await?;
        context.account.stage = Stage::Importing;
    }
    if !context.sync.progress.objects_kept {
        set_objects_until(context);
        context.sync.progress.objects_kept = true;
    }
    Ok(())
}

fn is_empty(sync: &AdsSync) -> bool {
    [ObjectType::AdInsights, ObjectType::AccountInsights]
        .iter()
        .all(|object_type| sync.log.get(object_type).is_none_or(|log| log.read == 0))
}

/// Checks that the account still has the currency and time zone with which it was linked. Updates its name and status.
async fn check_account(context: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    let id = context.account.ad_account_id.clone();
    let node = context.client.call(async |graph, token| graph.ad_account(&id, token).await).await;
    context.account_for(ObjectType::Campaigns);
    let node = node?;
    let mismatch = match &context.account {
        account if account.currency != node.currency => {
            Some((SyncProblemCode::CurrencyChanged, &account.currency, &node.currency))
        }
        account if account.timezone != node.timezone_name => {
            Some((SyncProblemCode::TimezoneChanged, &account.timezone, &node.timezone_name))
        }
        _ => None,
    };
    if let Some((code, from, to)) = mismatch {
        return Err(Interrupt::Switched(code, format!("from {from} to {to}")));
    }
    let node = (node.name, node.account_status);
    if (&node.0, node.1) != (&context.account.name, context.account.account_status) {
        context.update.node = Some(node);
    }
    Ok(())
}

/// Records on the account up to when its objects are known, once all kinds of them have been read.
fn set_objects_until(context: &mut SyncContext<'_>) {
    context.update.objects_until = context.sync.started_at.and_then(|at| at.checked_sub(OVERLAP).ok());
    if context.account.rows_per_day == 0 {
        // An estimate until its days have been read: at most one row per ad and day.
        context.account.rows_per_day = context.sync.log(ObjectType::Ads).read;
        context.update.rows_per_day = Some(context.account.rows_per_day);
    }
}
