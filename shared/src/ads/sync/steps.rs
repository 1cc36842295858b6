//! The steps of a sync, in the order of their use to people: the account itself, its objects, its own days, its ads'
//! days. Each step records its progress and resumes there in the next slice.

use jiff::SignedDuration;

use super::calls::Interrupt;
use super::context::SyncContext;
use super::{account_days, ad_days, objects};
use crate::model::ads::account::Stage;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::sync::{AdsSync, ObjectType};
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::table::ad_account::Found;

/// Allows for the difference between Meta's clock and ours, and for the lag of Meta's lists.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

/// Runs the remaining steps.
pub(super) async fn steps(turn: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    // In every slice: numbers in another currency or time zone must not be stored as the account's.
    look(turn).await?;
    for (kind, what) in [
        (AdObjectKind::Campaign, ObjectType::Campaigns),
        (AdObjectKind::Adset, ObjectType::Adsets),
        (AdObjectKind::Ad, ObjectType::Ads),
    ] {
        if !turn.sync.progress.objects.contains(&what) {
            let outcome = objects::read(turn, kind, what).await;
            turn.account_for(what);
            outcome?;
            turn.sync.progress.objects.push(what);
            (turn.sync.progress.cursor, turn.sync.progress.failures) = (None, 0);
        }
    }
    if turn.account.stage == Stage::Configuring {
        turn.set(Found { stage: Some(Stage::Importing), ..Found::default() }).await?;
        turn.account.stage = Stage::Importing;
    }
    if !turn.sync.progress.objects_kept {
        keep_objects(turn).await?;
        turn.sync.progress.objects_kept = true;
    }
    let outcome = account_days::read(turn).await;
    turn.account_for(ObjectType::AccountInsights);
    outcome?;
    let outcome = ad_days::read(turn).await;
    turn.account_for(ObjectType::AdInsights);
    outcome?;
    if is_empty(&turn.sync) {
        let evidence = format!("{} to {}", turn.sync.since, turn.sync.until.unwrap_or(turn.sync.since));
        turn.sync.log(ObjectType::AdInsights).note(SyncProblemCode::InsightsEmpty, evidence);
    }
    Ok(())
}

fn is_empty(sync: &AdsSync) -> bool {
    [ObjectType::AdInsights, ObjectType::AccountInsights]
        .iter()
        .all(|what| sync.log.get(what).is_none_or(|log| log.read == 0))
}

/// Checks that the account still has the currency and time zone with which it was linked. Updates its name and status.
async fn look(turn: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    let id = turn.account.ad_account_id.clone();
    let node = turn.calls.make(async |graph, token| graph.ad_account(&id, token).await).await;
    turn.account_for(ObjectType::Campaigns);
    let node = node?;
    let switched = match &turn.account {
        account if account.currency != node.currency => {
            Some((SyncProblemCode::CurrencyChanged, &account.currency, &node.currency))
        }
        account if account.timezone != node.timezone_name => {
            Some((SyncProblemCode::TimezoneChanged, &account.timezone, &node.timezone_name))
        }
        _ => None,
    };
    if let Some((code, from, to)) = switched {
        return Err(Interrupt::Switched(code, format!("from {from} to {to}")));
    }
    let node = (node.name, node.account_status);
    if (&node.0, node.1) == (&turn.account.name, turn.account.account_status) {
        return Ok(());
    }
    turn.set(Found { node: Some(node), ..Found::default() }).await
}

/// Records on the account up to when its objects are known, once all kinds of them have been read.
async fn keep_objects(turn: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    let until = turn.sync.started_at.and_then(|at| at.checked_sub(OVERLAP).ok());
    if turn.account.rows_per_day == 0 {
        // An estimate until its days have been read: at most one row per ad and day.
        turn.account.rows_per_day = turn.sync.log(ObjectType::Ads).read;
    }
    turn.set(Found { objects_until: until, ..Found::default() }).await
}
