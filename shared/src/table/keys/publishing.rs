//! The keys of posts, of requests that are answered once, and of a page's turns.

use jiff::Timestamp;

use super::{IndexKey, Key, instant, page_pk};
use crate::ids::{OrgId, OrgScope, PageId, PostId};

/// Index partition of the posts that need a worker at some time.
pub(in crate::table) const POSTS_DUE: &str = "POSTS_DUE";

/// A position in the second index.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(in crate::table) struct ListKey {
    gsi2pk: String,
    gsi2sk: String,
}

pub(in crate::table) fn post(scope: &OrgScope, id: &PostId) -> Key {
    Key { pk: format!("ORG#{}#POST#{id}", scope.org()), sk: "POST".to_owned() }
}

pub(in crate::table) fn posts_due(scope: &OrgScope, id: &PostId, at: Timestamp) -> IndexKey {
    IndexKey { gsi1pk: POSTS_DUE.to_owned(), gsi1sk: format!("{}#{}#{id}", instant(at), scope.org()) }
}

/// Parses when a post is due, its org, and the post, from a position among the due ones.
pub(in crate::table) fn parse_due_post(gsi1sk: &str) -> Option<(Timestamp, OrgId, PostId)> {
    let (at, rest) = gsi1sk.split_once('#')?;
    let (org, id) = rest.split_once('#')?;
    Some((at.parse().ok()?, OrgId::parse(org).ok()?, PostId::parse(id).ok()?))
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
