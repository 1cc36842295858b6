//! Normalised names of endpoints: `/123/leads` becomes `/{form}/leads`. Statistics, faults and limits use these names.

use super::node::Node;
use super::request::{self, Request};
use crate::world::World;

/// Returns the path with its first id replaced by the node type, or `{id}` if the id is unknown.
pub(crate) fn normalise(world: &World, request: &Request) -> String {
    if request.is_upload() {
        let id = request.path.last().and_then(|id| Node::find(world, id));
        let name = request.path.first().map(String::as_str).unwrap_or_default();
        return format!("/{name}/{}", id.map_or("{id}", |node| node.placeholder()));
    }
    let mut segments = request.path.iter();
    let Some(first) = segments.next() else { return "/".to_owned() };
    let first = match Node::find(world, first) {
        Some(node) => node.placeholder().to_owned(),
        None if request::is_id(first) => "{id}".to_owned(),
        None => first.clone(),
    };
    let mut path = format!("/{first}");
    for segment in segments {
        path.push('/');
        path.push_str(segment);
    }
    path
}

/// Returns whether a normalised path is about Messenger or Instagram messages, which have a separate quota.
pub(crate) fn is_messaging(path: &str) -> bool {
    matches!(path, "/{page}/messages" | "/{page}/message_attachments" | "/{page}/conversations")
        || ["/{conversation}", "/{message}", "/{person}"].iter().any(|start| path.starts_with(start))
}

/// Returns whether a normalised path is about WhatsApp, which has statuses of its own.
pub(crate) fn is_whatsapp(path: &str) -> bool {
    ["/{waba}", "/{phone_number}", "/{whatsapp_media}"].iter().any(|start| path.starts_with(start))
}

/// Returns whether a normalised path is lead reading, which has a separate quota.
pub(crate) fn is_lead_reading(path: &str) -> bool {
    matches!(
        path,
        "/{lead}" | "/{form}" | "/{form}/leads" | "/{form}/test_leads" | "/{ad}/leads" | "/{page}/leadgen_forms"
    )
}
