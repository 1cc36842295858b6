//! Campaigns, ad sets and ads: those that changed since the last sync, or all of them.

use super::client::{CURSOR_LIFETIME, Interrupt};
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
const MIN_PAGE_SIZE: u32 = 5;
/// Changed campaigns whose children are read by campaign. Beyond this number, all children are read.
const MAX_PARENTS: usize = 50;

/// Reads the objects of one kind.
pub(super) async fn read(
    context: &mut SyncContext<'_>,
    kind: AdObjectKind,
    object_type: ObjectType,
) -> Result<(), Interrupt> {
    let full = context.sync.progress.full;
    let since = if full { None } else { context.account.objects_until };
    read_pages(context, kind, object_type, since, &[]).await?;
    // Children change with their parents, without being listed as changed: the ads of a paused campaign become
    // CAMPAIGN_PAUSED.
    let parents: Vec<AdObjectId> = context.sync.progress.touched.iter().cloned().collect();
    if full || kind == AdObjectKind::Campaign || parents.is_empty() {
        return Ok(());
    }
    let within = if parents.len() > MAX_PARENTS { &[][..] } else { &parents };
    let outcome = read_pages(context, kind, object_type, None, within).await;
    // The cursor belongs to the query for children. The next slice begins with the changed objects again.
    context.sync.progress.cursor = None;
    outcome
}

async fn read_pages(
    context: &mut SyncContext<'_>,
    kind: AdObjectKind,
    object_type: ObjectType,
    changed_since: Option<jiff::Timestamp>,
    campaigns: &[AdObjectId],
) -> Result<(), Interrupt> {
    let (account, currency) = (context.account.ad_account_id.clone(), context.account.currency.clone());
    let resumed = context.sync.progress.cursor.take();
    let mut after =
        resumed.filter(|(_, at)| clock::now().duration_since(*at) < CURSOR_LIFETIME).map(|(after, _)| after);
    let mut resuming = after.is_some();
    // Ads include their creatives, and are larger.
    let mut limit = if kind == AdObjectKind::Ad { 250 } else { 500 };
    loop {
        let query = ObjectQuery { account: &account, kind, changed_since, campaigns, limit, currency: &currency };
        let answer =
            context.client.call(async |graph, token| graph.ad_objects(query, after.as_deref(), token).await).await;
        let page = match answer {
            Ok(page) => page,
            Err(Interrupt::TooMuch(_)) if limit > MIN_PAGE_SIZE => {
                limit = (limit / 2).max(MIN_PAGE_SIZE);
                continue;
            }
            // Meta no longer knows the cursor: start from the beginning.
            Err(Interrupt::Failed(WorkError::Graph(GraphError::Refused(_)))) if resuming => {
                (after, resuming) = (None, false);
                continue;
            }
            Err(stop) => {
                set_cursor(context, after);
                return Err(stop);
            }
        };
        resuming = false;
        let next = page.next.clone();
        let stored = store_objects(context, kind, object_type, page).await;
        context.account_for(object_type);
        if let Err(stop) = stored {
            set_cursor(context, after);
            return Err(stop);
        }
        match next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(()),
        }
    }
}

fn set_cursor(context: &mut SyncContext<'_>, after: Option<String>) {
    context.sync.progress.cursor = after.map(|after| (after, clock::now()));
}

/// Stores the changed objects of a response page.
async fn store_objects(
    context: &mut SyncContext<'_>,
    kind: AdObjectKind,
    object_type: ObjectType,
    page: ObjectPage,
) -> Result<(), Interrupt> {
    let mut objects: Vec<AdObject> = Vec::with_capacity(page.objects.len());
    for object in page.objects {
        match object {
            Ok(object) => objects.push(object),
            Err(evidence) => context.sync.log(object_type).fail(SyncProblemCode::UnreadableRow, evidence),
        }
    }
    if !context.sync.progress.full {
        // Unchanged objects as well: the worker that stored them may have crashed before it read their children.
        let parent = |object: &AdObject| match object {
            AdObject::Campaign(campaign) => Some(campaign.id.clone()),
            AdObject::Adset(adset) => Some(adset.campaign_id.clone()),
            AdObject::Ad(_) => None,
        };
        let room = (MAX_PARENTS + 1).saturating_sub(context.sync.progress.touched.len());
        context.sync.progress.touched.extend(objects.iter().filter_map(parent).take(room));
    }
    let ids: Vec<AdObjectId> = objects.iter().map(|object| object.id().clone()).collect();
    let marks = context.table.ad_object_marks(context.scope, &context.account.id, kind, &ids).await?;
    let read = objects.len();
    objects.retain(|object| marks.get(object.id()) != Some(&object.mark()));
    // If an object is listed twice, the last one counts. DynamoDB rejects duplicates in a batch.
    let mut distinct: std::collections::BTreeMap<AdObjectId, AdObject> = std::collections::BTreeMap::new();
    distinct.extend(objects.into_iter().map(|object| (object.id().clone(), object)));
    let objects: Vec<AdObject> = distinct.into_values().collect();
    context.table.put_ad_objects(context.scope, &context.account.id, &objects).await?;
    let log = context.sync.log(object_type);
    log.read += read as u64;
    log.changed += objects.len() as u64;
    log.unchanged += (read - objects.len()) as u64;
    Ok(())
}
