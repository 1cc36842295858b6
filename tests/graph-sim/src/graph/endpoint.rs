//! Normalised names of endpoints: `/123/leads` becomes `/{form}/leads`. Statistics, faults and limits use these names.

use super::node::Node;
use super::request::Request;
use crate::world::World;

/// Returns the path with its first id replaced by the node type, or `{id}` if the id is unknown.
pub(crate) fn normalise(world: &World, request: &Request) -> String {
    let mut segments = request.path.iter();
    let Some(first) = segments.next() else { return "/".to_owned() };
    let first = match Node::find(world, first) {
        Some(node) => node.placeholder().to_owned(),
        None if first.strip_prefix("act_").unwrap_or(first).chars().all(|c| c.is_ascii_digit()) => "{id}".to_owned(),
        None => first.clone(),
    };
    let mut path = format!("/{first}");
    for segment in segments {
        path.push('/');
        path.push_str(segment);
    }
    path
}

/// Returns whether a normalised path is lead reading, which has a separate quota.
pub(crate) fn is_lead_reading(path: &str) -> bool {
    matches!(
        path,
        "/{lead}" | "/{form}" | "/{form}/leads" | "/{form}/test_leads" | "/{ad}/leads" | "/{page}/leadgen_forms"
    )
}
