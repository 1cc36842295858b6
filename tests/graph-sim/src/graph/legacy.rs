//! Protocol features that v27.0 removed for new apps, in every version: other methods in `method`, field aliases,
//! `date_format`, JSONP, and asynchronous batches. Reading many ids at once (`ids`) ended for all apps before.

use super::error::GraphError;
use super::request::Request;

/// Edges of asynchronous batches.
const ASYNC_EDGES: &[&str] = &["async_batch_requests", "asyncadrequestsets", "asyncadcreatives"];

/// Rejects a request that uses one of the removed features. (Code and wording unconfirmed.)
///
/// # Errors
/// Returns 100 naming the feature.
pub(super) fn check(request: &Request) -> Result<(), GraphError> {
    let feature = if request.params.contains_key("method") {
        "HTTP method override (method)"
    } else if request.param("fields").is_some_and(|fields| fields.contains(".as(")) {
        "field aliases (.as)"
    } else if request.params.contains_key("date_format") {
        "date formatting (date_format)"
    } else if request.params.contains_key("callback") {
        "JSONP (callback)"
    } else if request.path.last().is_some_and(|edge| ASYNC_EDGES.contains(&edge.as_str())) {
        "asynchronous batch requests"
    } else {
        return Ok(());
    };
    Err(GraphError::invalid(format!("(#100) This app cannot use {feature}, which ended with v27.0")))
}
