//! Campaigns, ad sets and ads: those that changed since the last sync, or all of them.

use super::calls::{CURSOR_LIFETIME, Interrupt};
use super::context::SyncContext;
use crate::clock;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::ad_objects::{ObjectPage, ObjectQuery};
use crate::ids::AdObjectId;
use crate::model::ads::object::{AdObject, AdObjectKind};
use crate::model::ads::sync::ObjectType;
use crate::model::ads::sync_problem::SyncProblemCode;

/// The smallest number of objects per response page to which a too large query is reduced.
const LEAST: u32 = 5;
/// Changed campaigns whose children are read by campaign. Beyond this number, all children are read.
const MAX_PARENTS: usize = 50;

/// Reads the objects of one kind.
pub(super) async fn read(turn: &mut SyncContext<'_>, kind: AdObjectKind, what: ObjectType) -> Result<(), Interrupt> {
    let full = turn.sync.progress.full;
    let since = if full { None } else { turn.account.objects_until };
    pages(turn, kind, what, since, &[]).await?;
    // Children change with their parents, without being listed as changed: the ads of a paused campaign become
    // CAMPAIGN_PAUSED.
    let parents: Vec<AdObjectId> = turn.sync.progress.touched.iter().cloned().collect();
    if full || kind == AdObjectKind::Campaign || parents.is_empty() {
        return Ok(());
    }
    let within = if parents.len() > MAX_PARENTS { &[][..] } else { &parents };
    let outcome = pages(turn, kind, what, None, within).await;
    // The cursor belongs to the query for children. The next slice begins with the changed objects again.
    turn.sync.progress.cursor = None;
    outcome
}

async fn pages(
    turn: &mut SyncContext<'_>,
    kind: AdObjectKind,
    what: ObjectType,
    changed_since: Option<jiff::Timestamp>,
    campaigns: &[AdObjectId],
) -> Result<(), Interrupt> {
    let (account, currency) = (turn.account.ad_account_id.clone(), turn.account.currency.clone());
    let resumed = turn.sync.progress.cursor.take();
    let mut after =
        resumed.filter(|(_, at)| clock::now().duration_since(*at) < CURSOR_LIFETIME).map(|(after, _)| after);
    let mut resuming = after.is_some();
    // Ads include their creatives, and are larger.
    let mut limit = if kind == AdObjectKind::Ad { 250 } else { 500 };
    loop {
        let query = ObjectQuery { account: &account, kind, changed_since, campaigns, limit, currency: &currency };
        let answer = turn.calls.make(async |graph, token| graph.ad_objects(query, after.as_deref(), token).await).await;
        let page = match answer {
            Ok(page) => page,
            Err(Interrupt::TooMuch(_)) if limit > LEAST => {
                limit = (limit / 2).max(LEAST);
                continue;
            }
            // Meta no longer knows the cursor: start from the beginning.
            Err(Interrupt::Failed(WorkError::Graph(GraphError::Refused(_)))) if resuming => {
                (after, resuming) = (None, false);
                continue;
            }
            Err(stop) => {
                keep_place(turn, after);
                return Err(stop);
            }
        };
        resuming = false;
        let next = page.next.clone();
        let stored = take(turn, kind, what, page).await;
        turn.account_for(what);
        if let Err(stop) = stored {
            keep_place(turn, after);
            return Err(stop);
        }
        match next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(()),
        }
    }
}

fn keep_place(turn: &mut SyncContext<'_>, after: Option<String>) {
    turn.sync.progress.cursor = after.map(|after| (after, clock::now()));
}

/// Stores the changed objects of a response page.
async fn take(
    turn: &mut SyncContext<'_>,
    kind: AdObjectKind,
    what: ObjectType,
    page: ObjectPage,
) -> Result<(), Interrupt> {
    let mut objects: Vec<AdObject> = Vec::with_capacity(page.objects.len());
    for object in page.objects {
        match object {
            Ok(object) => objects.push(object),
            Err(evidence) => turn.sync.log(what).fail(SyncProblemCode::UnreadableRow, evidence),
        }
    }
    if !turn.sync.progress.full {
        // Unchanged objects as well: the worker that stored them may have crashed before it read their children.
        let parent = |object: &AdObject| match object {
            AdObject::Campaign(campaign) => Some(campaign.id.clone()),
            AdObject::Adset(adset) => Some(adset.campaign_id.clone()),
            AdObject::Ad(_) => None,
        };
        let room = (MAX_PARENTS + 1).saturating_sub(turn.sync.progress.touched.len());
        turn.sync.progress.touched.extend(objects.iter().filter_map(parent).take(room));
    }
    let ids: Vec<AdObjectId> = objects.iter().map(|object| object.id().clone()).collect();
    let marks = turn.table.ad_object_marks(turn.scope, &turn.account.id, kind, &ids).await?;
    let read = objects.len();
    objects.retain(|object| marks.get(object.id()) != Some(&object.mark()));
    // If an object is listed twice, the last one counts. DynamoDB rejects duplicates in a batch.
    let mut distinct: std::collections::BTreeMap<AdObjectId, AdObject> = std::collections::BTreeMap::new();
    distinct.extend(objects.into_iter().map(|object| (object.id().clone(), object)));
    let objects: Vec<AdObject> = distinct.into_values().collect();
    turn.table.put_ad_objects(turn.scope, &turn.account.id, &objects).await?;
    let log = turn.sync.log(what);
    log.read += read as u64;
    log.changed += objects.len() as u64;
    log.unchanged += (read - objects.len()) as u64;
    Ok(())
}
