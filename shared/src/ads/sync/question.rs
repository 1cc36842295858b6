//! Splitting queries. Meta can reject any query as too large. It is then split by campaign, ad set and ad, and finally
//! reduced to fewer fields of a single ad's day, because Meta can fail because of a single field.
//!
//! The ids to split by come from the insights of the wider level, not from lists of objects, which omit deleted ones.
//! Only if Meta rejects even that query, the stored objects are used.

use std::collections::BTreeSet;

use super::client::{CURSOR_LIFETIME, Interrupt};
use super::context::SyncContext;
use super::slice::Slice;
use crate::clock;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::graph::insights::MAX_IDS_PER_QUERY;
use crate::ids::AdObjectId;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::sync::{Fields, InsightsQuery, ObjectType};
use crate::model::ads::sync_problem::SyncProblemCode;

/// Sends the query directly and reads it page by page, from where an earlier slice stopped.
pub(super) async fn query(
    context: &mut SyncContext<'_>,
    slice: &mut Slice,
    question: &InsightsQuery,
) -> Result<(), Interrupt> {
    let account = context.account.ad_account_id.clone();
    let cursor = context
        .sync
        .progress
        .query_cursor
        .take()
        .filter(|(stored, _, at)| stored == question && clock::now().duration_since(*at) < CURSOR_LIFETIME);
    let mut after = cursor.map(|(_, after, _)| after);
    let mut is_resumed = after.is_some();
    loop {
        let request = async |graph: &crate::graph::GraphClient, token: &crate::secret::AccessToken| {
            graph.ad_insights(&account, question, after.as_deref(), token).await
        };
        let page = match context.client.call(request).await {
            // Meta no longer knows the cursor: start from the beginning.
            Err(Interrupt::Failed(WorkError::Graph(GraphError::Refused(_)))) if is_resumed => {
                (after, is_resumed) = (None, false);
                continue;
            }
            page => page?,
        };
        is_resumed = false;
        let next = page.next.clone();
        slice.store_page(context, page, question.fields).await?;
        context.account_for(ObjectType::AdInsights);
        match next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => break,
        }
        context.sync.progress.query_cursor = after.clone().map(|after| (question.clone(), after, clock::now()));
    }
    context.sync.progress.query_cursor = None;
    Ok(())
}

/// Queries one day in ever smaller parts, from where an earlier slice stopped. A part that cannot be read at all is
/// logged, and its stored numbers are retained.
pub(super) async fn query_in_parts(
    context: &mut SyncContext<'_>,
    slice: &mut Slice,
    whole: InsightsQuery,
) -> Result<(), Interrupt> {
    if context.sync.progress.parts.is_none() {
        context.sync.progress.parts = Some(split(context, slice, whole).await?);
    }
    while let Some(question) = context.sync.progress.parts.as_ref().and_then(|open| open.last()).cloned() {
        let smaller = match query(context, slice, &question).await {
            Ok(()) => {
                if question.fields != Fields::All {
                    let evidence = format!("{}: only without some fields", describe(&question));
                    context.sync.log(ObjectType::AdInsights).note(SyncProblemCode::TooMuchData, evidence);
                }
                Vec::new()
            }
            Err(Interrupt::TooMuch(_)) => split(context, slice, question).await?,
            Err(stop) => return Err(stop),
        };
        if let Some(open) = &mut context.sync.progress.parts {
            open.pop();
            open.extend(smaller);
        }
    }
    context.sync.progress.parts = None;
    Ok(())
}

/// Splits a query that was too large.
async fn split(
    context: &mut SyncContext<'_>,
    slice: &Slice,
    question: InsightsQuery,
) -> Result<Vec<InsightsQuery>, Interrupt> {
    let within = |kind: AdObjectKind, ids: &[AdObjectId]| InsightsQuery {
        within: Some((kind, ids.to_vec())),
        ..question.clone()
    };
    let next = match &question.within {
        Some((kind, ids)) if ids.len() > 1 => {
            let (left, right) = ids.split_at(ids.len() / 2);
            return Ok(vec![within(*kind, left), within(*kind, right)]);
        }
        None => AdObjectKind::Campaign,
        Some((AdObjectKind::Campaign, _)) => AdObjectKind::Adset,
        Some((AdObjectKind::Adset, _)) => AdObjectKind::Ad,
        Some((AdObjectKind::Ad, _)) => return Ok(fewer_fields(context, question)),
    };
    let ids: Vec<AdObjectId> = match delivered_ids(context, &question, next).await {
        Ok(ids) => ids.into_iter().collect(),
        Err(Interrupt::TooMuch(error)) => {
            let known = stored_ids(context, slice, &question, next).await?;
            tracing::info!(account = %context.account.ad_account_id, %error, parts = known.len(), "stored objects are asked about: the list of what delivered is too large");
            if known.is_empty() {
                context.sync.log(ObjectType::AdInsights).fail(SyncProblemCode::TooMuchData, describe(&question));
                return Ok(Vec::new());
            }
            known.into_iter().collect()
        }
        Err(stop) => return Err(stop),
    };
    Ok(ids.chunks(MAX_IDS_PER_QUERY).map(|ids| within(next, ids)).collect())
}

fn fewer_fields(context: &mut SyncContext<'_>, question: InsightsQuery) -> Vec<InsightsQuery> {
    let Some(fields) = question.fields.fewer() else {
        context.sync.log(ObjectType::AdInsights).fail(SyncProblemCode::TooMuchData, describe(&question));
        return Vec::new();
    };
    vec![InsightsQuery { fields, ..question }]
}

fn describe(question: &InsightsQuery) -> String {
    let ids = question.within.as_ref().map(|(_, ids)| ids.as_slice()).unwrap_or_default();
    let ids: Vec<&str> = ids.iter().map(AdObjectId::as_str).collect();
    format!("{} of {}", if ids.is_empty() { "all".to_owned() } else { ids.join(" ") }, question.since)
}

async fn delivered_ids(
    context: &mut SyncContext<'_>,
    question: &InsightsQuery,
    kind: AdObjectKind,
) -> Result<BTreeSet<AdObjectId>, Interrupt> {
    let account = context.account.ad_account_id.clone();
    let (mut ids, mut after): (BTreeSet<AdObjectId>, Option<String>) = (BTreeSet::new(), None);
    loop {
        let request = async |graph: &crate::graph::GraphClient, token: &crate::secret::AccessToken| {
            graph.delivered(&account, question, kind, after.as_deref(), token).await
        };
        let page = context.client.call(request).await?;
        ids.extend(page.rows.into_iter().flatten());
        match page.next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(ids),
        }
    }
}

/// The objects of one kind below a query's objects: the stored ones, and those that already have numbers on its day.
/// Objects are read before their numbers, so an ad in neither was created since.
async fn stored_ids(
    context: &SyncContext<'_>,
    slice: &Slice,
    question: &InsightsQuery,
    kind: AdObjectKind,
) -> Result<BTreeSet<AdObjectId>, Interrupt> {
    const PAGE: usize = 1000;
    let is_within = |parent: &AdObjectId| question.within.as_ref().is_none_or(|(_, ids)| ids.contains(parent));
    let mut known: BTreeSet<AdObjectId> = match kind {
        AdObjectKind::Campaign => slice.campaigns().cloned().collect(),
        AdObjectKind::Adset => {
            slice.ads().filter(|(campaign, ..)| is_within(campaign)).map(|(_, adset, _)| adset.clone()).collect()
        }
        AdObjectKind::Ad => slice.ads().filter(|(_, adset, _)| is_within(adset)).map(|(.., ad)| ad.clone()).collect(),
    };
    let mut after = None;
    loop {
        let (objects, has_more) =
            context.table.list_ad_objects(context.scope, &context.account.id, kind, after.as_ref(), PAGE).await?;
        after = objects.last().map(|object| object.id().clone());
        let below = objects.iter().filter(|object| object.parent().is_none_or(is_within));
        known.extend(below.map(|object| object.id().clone()));
        if !has_more || after.is_none() {
            return Ok(known);
        }
    }
}
