//! The keys of posts and campaigns, of requests that are answered once, and of a page's turns.

use jiff::Timestamp;

use super::{IndexKey, Key, instant, page_pk};
use crate::ids::{CampaignId, OrgId, OrgScope, PageId, PostId};
use crate::jobs::PublishWork;

/// Index partition of the posts and campaigns that need a worker at some time.
pub(in crate::table) const PUBLISH_DUE: &str = "PUBLISH_DUE";

/// A position in the second index.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(in crate::table) struct ListKey {
    gsi2pk: String,
    gsi2sk: String,
}

impl ListKey {
    pub(super) fn new(gsi2pk: String, gsi2sk: String) -> Self {
        Self { gsi2pk, gsi2sk }
    }
}

pub(in crate::table) fn post(scope: &OrgScope, id: &PostId) -> Key {
    Key { pk: format!("ORG#{}#POST#{id}", scope.org()), sk: "POST".to_owned() }
}

pub(in crate::table) fn publish_due(scope: &OrgScope, work: &PublishWork, at: Timestamp) -> IndexKey {
    let work = match work {
        PublishWork::Post(id) => format!("POST#{id}"),
        PublishWork::Campaign(id) => format!("CAMPAIGN#{id}"),
    };
    IndexKey { gsi1pk: PUBLISH_DUE.to_owned(), gsi1sk: format!("{}#{}#{work}", instant(at), scope.org()) }
}

/// Parses when work is due, its org, and what it is, from a position among what is due.
pub(in crate::table) fn parse_publish_due(gsi1sk: &str) -> Option<(Timestamp, OrgId, PublishWork)> {
    let mut parts = gsi1sk.splitn(4, '#');
    let (at, org) = (parts.next()?.parse().ok()?, OrgId::parse(parts.next()?).ok()?);
    let work = match (parts.next()?, parts.next()?) {
        ("POST", id) => PublishWork::Post(PostId::parse(id).ok()?),
        ("CAMPAIGN", id) => PublishWork::Campaign(CampaignId::parse(id).ok()?),
        _ => return None,
    };
    Some((at, org, work))
}

pub(in crate::table) fn campaign(scope: &OrgScope, id: &CampaignId) -> Key {
    Key { pk: campaigns_pk(scope), sk: format!("CAMPAIGN#{id}") }
}

/// The partition of an org's campaigns. Their ids are in the order of time.
pub(in crate::table) fn campaigns_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#CAMPAIGNS", scope.org())
}

pub(in crate::table) fn posts_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#POSTS", scope.org())
}

pub(in crate::table) fn post_position(at: Timestamp, id: &PostId) -> String {
    format!("{}#{id}", instant(at))
}

pub(in crate::table) fn post_list(scope: &OrgScope, at: Timestamp, id: &PostId) -> ListKey {
    ListKey { gsi2pk: posts_of_org(scope), gsi2sk: post_position(at, id) }
}

/// The key of a request that is answered once. `hash` is that of the caller's id of the request.
pub(in crate::table) fn request(scope: &OrgScope, operation: &str, hash: &str) -> Key {
    Key { pk: format!("ORG#{}#REQUEST#{operation}#{hash}", scope.org()), sk: "REQUEST".to_owned() }
}

/// The key of the claim that something at Meta is one of our posts.
pub(in crate::table) fn meta_post(scope: &OrgScope, meta_id: &str) -> Key {
    Key { pk: format!("ORG#{}#META_POST#{meta_id}", scope.org()), sk: "META_POST".to_owned() }
}

/// The key of a page's turns. It names no org: Meta counts what a page publishes, whoever asked for it.
pub(in crate::table) fn publish_turns(page: &PageId) -> Key {
    Key { pk: page_pk(page), sk: "PUBLISH_TURNS".to_owned() }
}
