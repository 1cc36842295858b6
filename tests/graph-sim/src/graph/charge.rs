//! Charges a call to its rate limits and reports their levels in the headers.

use super::content;
use super::endpoint;
use super::error::GraphError;
use super::insights::run;
use super::node::Node;
use super::request::Request;
use super::session::Session;
use crate::usage::{self, Bucket, Level};
use crate::world::World;
use crate::world::ads::tree::Level as AdsLevel;

/// Counts a call against its limits and reports their levels in the headers.
///
/// # Errors
/// Returns the code of the first exhausted limit.
pub(crate) fn charge(
    world: &mut World,
    session: &Session,
    request: &Request,
    path: &str,
    headers: &mut Vec<(&'static str, String)>,
) -> Result<(), GraphError> {
    let buckets = buckets(world, session, request, path);
    // Count the call in every bucket. The first exhausted limit rejects it.
    let mut levels = Vec::new();
    let mut full = None;
    for bucket in &buckets {
        let (told, level, refused) = count(world, bucket);
        if refused && full.is_none() {
            full = Some(told.clone());
        }
        levels.push((told, level));
    }
    match buckets.first() {
        Some(Bucket::AdsInsights { account_id }) => {
            headers.extend(insights_headers(world, account_id, &levels));
        }
        _ => headers.extend(levels.iter().filter_map(|(bucket, level)| usage::header(bucket, *level))),
    }
    match full {
        Some(bucket) => {
            let (code, subcode) = bucket.throttle_code();
            Err(GraphError::throttled(code, subcode))
        }
        None => Ok(()),
    }
}

/// Counts a call. Returns the bucket named by the limit, its level, and whether the call is rejected.
fn count(world: &mut World, bucket: &Bucket) -> (Bucket, Level, bool) {
    if let Some(verdict) = world.limits.ask(bucket, world.clock.now_ms()) {
        return (verdict.bucket, verdict.level, verdict.refused);
    }
    let size = size(world, bucket);
    let now = world.clock.now_s();
    let level = world.usage.count(bucket, now, size);
    (bucket.clone(), level, level.percent >= 100)
}

/// Returns the level of a bucket without counting a call.
fn peek(world: &mut World, bucket: &Bucket) -> Level {
    let now_ms = world.clock.now_ms();
    let limited = world.limits.peek(bucket, now_ms);
    limited.unwrap_or_else(|| world.usage.peek(bucket, now_ms.div_euclid(1000), size(world, bucket)))
}

fn size(world: &World, bucket: &Bucket) -> usize {
    match bucket {
        Bucket::Leadgen { page_id } => world.lead_count_of_page(page_id),
        Bucket::AdsInsights { account_id } | Bucket::AdsManagement { account_id } => {
            let ads = world.ad_account(account_id).map_or(0, |account| account.ads.tree.count(AdsLevel::Ad));
            usize::try_from(ads).unwrap_or(usize::MAX)
        }
        Bucket::App
        | Bucket::Pages { .. }
        | Bucket::Messenger { .. }
        | Bucket::Score { .. }
        | Bucket::Instagram { .. }
        | Bucket::AppInsights => 0,
    }
}

/// Returns the throttle header of insights, and the account's business usage with one entry for insights and one for
/// everything else.
fn insights_headers(
    world: &mut World,
    account_id: &str,
    levels: &[(Bucket, Level)],
) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let level =
        |wanted: &Bucket| levels.iter().find(|(bucket, _)| bucket == wanted).map_or(Level::EMPTY, |(_, level)| *level);
    let insights = Bucket::AdsInsights { account_id: account_id.to_owned() };
    let management = Bucket::AdsManagement { account_id: account_id.to_owned() };
    let of_management = peek(world, &management);
    let throttle = usage::insights_header(level(&Bucket::AppInsights), level(&insights));
    let business = usage::business_header(account_id, &[(&insights, level(&insights)), (&management, of_management)]);
    [Some(throttle), business].into_iter().flatten()
}

/// Returns the limits a call counts against. The first one determines the headers.
pub(crate) fn buckets(world: &World, session: &Session, request: &Request, path: &str) -> Vec<Bucket> {
    if !matches!(session, Session::App)
        && let Some(account_id) = request.path.first().and_then(|id| content::account_of(world, id))
    {
        return vec![Bucket::Instagram { account_id }];
    }
    match session {
        Session::User { .. } => match ad_account(world, request, path) {
            Some((account_id, true)) => vec![Bucket::AdsInsights { account_id }, Bucket::AppInsights],
            Some((account_id, false)) => {
                vec![Bucket::AdsManagement { account_id: account_id.clone() }, Bucket::Score { account_id }]
            }
            None => vec![Bucket::App],
        },
        Session::App => vec![Bucket::App],
        Session::Page { page_id, .. } if endpoint::is_lead_reading(path) => {
            vec![Bucket::Leadgen { page_id: page_id.clone() }]
        }
        Session::Page { page_id, .. } if endpoint::is_messaging(path) => {
            vec![Bucket::Messenger { page_id: page_id.clone() }]
        }
        Session::Page { page_id, .. } => vec![Bucket::Pages { page_id: page_id.clone() }],
    }
}

/// Returns the ad account a call is about, and whether the call is about insights.
fn ad_account(world: &World, request: &Request, path: &str) -> Option<(String, bool)> {
    if endpoint::is_lead_reading(path) {
        return None;
    }
    let node = Node::find(world, request.path.first()?)?;
    let insights = path.ends_with("/insights");
    match &node {
        Node::AdAccount(id) => Some((world.ad_account(id)?.id.clone(), insights)),
        Node::Campaign(id) | Node::AdSet(id) | Node::Ad(id) | Node::Creative(id) => {
            Some((world.ads_object(id)?.0.id.clone(), insights))
        }
        Node::Report(id) => Some((run::account_id(world, id)?, true)),
        _ => None,
    }
}
