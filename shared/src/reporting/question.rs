//! Asking for less. Meta can find any question too large: then about fewer campaigns, fewer ad sets, fewer ads, and in the
//! end about fewer fields of a single ad's day, because one field alone can be what Meta fails at.
//!
//! What there is to ask about is taken from the numbers of the wider level, and not from lists of objects: those do not
//! show what is deleted.

use std::collections::BTreeSet;

use super::ad_days::Slice;
use super::calls::Stop;
use super::steps::Turning;
use crate::graph::insights::{Fields, Question};
use crate::ids::AdObjectId;
use crate::model::ad_object::AdObjectKind;
use crate::model::ad_trouble::TroubleCode;
use crate::model::ads_sync::ObjectType;

/// Asks plainly, response page by response page.
pub(super) async fn plain(turn: &mut Turning<'_>, slice: &mut Slice, question: &Question) -> Result<(), Stop> {
    let account = turn.account.ad_account_id.clone();
    let mut after: Option<String> = None;
    loop {
        let asked = async |graph: &crate::graph::Graph, token: &crate::secret::AccessToken| {
            graph.ad_insights(&account, question, after.as_deref(), token).await
        };
        let page = turn.calls.make(asked).await?;
        let next = page.next.clone();
        slice.take(turn, page, question.fields).await?;
        turn.account_for(ObjectType::AdInsights);
        match next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(()),
        }
    }
}

/// Asks about one day in ever smaller parts. What cannot be had at all is told, and what was known of it stays.
pub(super) async fn in_parts(turn: &mut Turning<'_>, slice: &mut Slice, whole: Question) -> Result<(), Stop> {
    let mut open = parts(turn, whole).await?;
    while let Some(question) = open.pop() {
        match plain(turn, slice, &question).await {
            Ok(()) if question.fields == Fields::All => {}
            Ok(()) => {
                let evidence = format!("{}: only without some fields", named(&question));
                turn.sync.log(ObjectType::AdInsights).note(TroubleCode::TooMuchData, evidence);
            }
            Err(Stop::TooMuch(_)) => open.extend(parts(turn, question).await?),
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

/// The parts of a question that was too large.
async fn parts(turn: &mut Turning<'_>, question: Question) -> Result<Vec<Question>, Stop> {
    let within =
        |kind: AdObjectKind, ids: &[AdObjectId]| Question { within: Some((kind, ids.to_vec())), ..question.clone() };
    let next = match &question.within {
        Some((kind, ids)) if ids.len() > 1 => {
            let (left, right) = ids.split_at(ids.len() / 2);
            return Ok(vec![within(*kind, left), within(*kind, right)]);
        }
        None => AdObjectKind::Campaign,
        Some((AdObjectKind::Campaign, _)) => AdObjectKind::Adset,
        Some((AdObjectKind::Adset, _)) => AdObjectKind::Ad,
        Some((AdObjectKind::Ad, _)) => return Ok(fewer_fields(turn, question)),
    };
    let ids: Vec<AdObjectId> = delivered(turn, &question, next).await?.into_iter().collect();
    Ok(if ids.is_empty() { Vec::new() } else { vec![within(next, &ids)] })
}

fn fewer_fields(turn: &mut Turning<'_>, question: Question) -> Vec<Question> {
    let Some(fields) = question.fields.fewer() else {
        turn.sync.log(ObjectType::AdInsights).fail(TroubleCode::TooMuchData, named(&question));
        return Vec::new();
    };
    vec![Question { fields, ..question }]
}

fn named(question: &Question) -> String {
    let ids = question.within.as_ref().map(|(_, ids)| ids.as_slice()).unwrap_or_default();
    let ids: Vec<&str> = ids.iter().map(AdObjectId::as_str).collect();
    format!("ad {}, {}", ids.join(" "), question.since)
}

async fn delivered(
    turn: &mut Turning<'_>,
    question: &Question,
    kind: AdObjectKind,
) -> Result<BTreeSet<AdObjectId>, Stop> {
    let account = turn.account.ad_account_id.clone();
    let (mut ids, mut after): (BTreeSet<AdObjectId>, Option<String>) = (BTreeSet::new(), None);
    loop {
        let asked = async |graph: &crate::graph::Graph, token: &crate::secret::AccessToken| {
            graph.delivered(&account, question, kind, after.as_deref(), token).await
        };
        let page = turn.calls.make(asked).await?;
        ids.extend(page.rows.into_iter().flatten());
        match page.next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(ids),
        }
    }
}
